"""A view of the active catalogue in memory: products by id, brands, categories, names in text.

Answers "which product does this text name?". Knows nothing about dialogue or search.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from bot.facets import Facets
from bot.kinds import Kinds, Rank
from db.records import Product
from retrieval.text import tokens

FULL = 0.99
NAMED = 0.7  # share of a title's weight that names it, whoever else's title has the same words
NAMED_WORDS = 3
PARTIAL = 0.5  # share of a title's weight that names it when one of its words is its own
OWN_WORD = 0.28  # … when the word stands in no other product's text at all
WIDE = re.compile(r"[\u3400-\u9fff]")


NO_NAMES = frozenset(tokens("a an the this that one ones is are of for in your you my better best"))


@dataclass(frozen=True, slots=True)
class Link:
    """A product that a text names: how much of its title was said, and with which words."""

    product_id: str
    share: float
    words: frozenset[str]


class Catalogue:
    """Snapshot of the active products; make a new one after an import."""

    def __init__(self, products: Iterable[Product]) -> None:
        self.products = {str(p.id): p for p in products}
        self.facets = Facets(self.products, is_kind=lambda word: self.kinds.best(word) is Rank.IS)
        self.kinds = Kinds(self.products, colours=self.facets.colours)
        self.brands = {p.brand.casefold(): p.brand for p in self.products.values() if p.brand}
        self.categories: Counter[str] = Counter(
            p.category[-1] for p in self.products.values() if p.category
        )
        self.aliases = {
            alias.casefold(): str(p.id) for p in self.products.values() for alias in p.aliases
        }
        self.names = "\n".join(
            f"{p.title} {' '.join(p.category)}" for p in self.products.values()
        ).casefold()
        self._titles: dict[str, frozenset[str]] = {}
        self._models = _models(self.products)
        self._by_word: dict[str, set[str]] = defaultdict(set)
        self.text_frequency: Counter[str] = Counter()
        for product in self.products.values():
            words = frozenset(tokens(product.title))
            self._titles[str(product.id)] = words
            for word in words:
                self._by_word[word].add(str(product.id))
            self.text_frequency.update(set(tokens(product_text(product))))

    def __len__(self) -> int:
        return len(self.products)

    def weight(self, word: str) -> float:
        """Inverse frequency of a word among titles."""
        return math.log(1 + len(self.products) / (0.5 + len(self._by_word.get(word, ()))))

    def knows(self, word: str) -> bool:
        """Whether any product's text holds the (stemmed) word."""
        return word in self.text_frequency

    def alone(self, phrase: str) -> str:
        """The one product whose title holds all words of the phrase; "" where none or several do."""
        said = set(tokens(phrase)) - NO_NAMES
        held = [pid for pid, title in self._titles.items() if said and said <= title]
        return held[0] if len(held) == 1 else ""

    def links(self, text: str) -> list[Link]:
        """Lists the products that `text` names, most certain first; several only where all are meant."""
        return self._wide_links(text) if WIDE.search(text) else self._latin_links(text)

    def _latin_links(self, text: str) -> list[Link]:
        said = set(tokens(text))
        models = {pid for model, pid in self._models.items() if model in text}
        touched = {pid for word in said for pid in self._by_word.get(word, ())}
        found = []
        for pid in touched:
            title = self._titles[pid]
            matched = title & said
            total = sum(self.weight(w) for w in title)
            share = sum(self.weight(w) for w in matched) / total if total else 0.0
            own = any(len(self._by_word[w]) == 1 and len(w) > 2 for w in matched)
            unique = any(self.text_frequency[w] == 1 and len(w) > 2 for w in matched)
            if (
                share >= FULL
                or pid in models
                or (share >= NAMED and len(matched) >= NAMED_WORDS)
                or (share >= PARTIAL and own and len(matched) > 1)
                or (share >= OWN_WORD and unique)
            ):
                found.append(Link(pid, share, frozenset(matched)))
        found.sort(key=lambda link: (-link.share, -len(link.words), link.product_id))
        kept: list[Link] = []
        for link in found:
            if not any(link.words < other.words for other in found):
                kept.append(link)
        return kept

    def _wide_links(self, text: str) -> list[Link]:
        squeezed = re.sub(r"\s+", "", text).casefold()
        found = []
        for pid, product in self.products.items():
            title = re.sub(r"\s+", "", product.title).casefold()
            if len(title) < 2:
                continue
            if title in squeezed:
                found.append(Link(pid, 1.0, frozenset([title])))
                continue
            match = SequenceMatcher(None, title, squeezed, autojunk=False).find_longest_match()
            part = title[match.a : match.a + match.size]
            if match.size >= 4 and match.size / len(title) >= 0.5 and self._rare(part):
                found.append(Link(pid, match.size / len(title), frozenset([part])))
        found.sort(key=lambda link: (-link.share, link.product_id))
        full = [link for link in found if link.share >= FULL]
        spans = [next(iter(link.words)) for link in full]
        longest = [
            link
            for link in full
            if not any(next(iter(link.words)) != s and next(iter(link.words)) in s for s in spans)
        ]
        return longest or found[:2]

    def _rare(self, part: str) -> bool:
        return sum(part in p.title.casefold() for p in self.products.values()) <= 2


def _models(products: dict[str, Product]) -> dict[str, str]:
    """Titles without the brand, where they are one product's own: written so, they name it."""
    found: dict[str, list[str]] = defaultdict(list)
    for pid, product in products.items():
        brand = f"{product.brand} " if product.brand else ""
        if brand and product.title.startswith(brand) and " " in product.title[len(brand) :]:
            found[product.title[len(brand) :]].append(pid)
    return {
        model: ids[0]
        for model, ids in found.items()
        if len(ids) == 1
        and model[0].isupper()
        and sum(model in p.title for p in products.values()) == 1
    }


def product_text(product: Product) -> str:
    """All the feed says of a product, as text."""
    return "\n".join(
        [
            product.title,
            product.brand or "",
            " ".join(product.category),
            " ".join(product.tags),
            product.description,
            *(f"{a.name}: {a.value}" for a in product.attributes),
        ]
    )
