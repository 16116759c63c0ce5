"""What kind of thing a product is, read from where a word stands in titles and categories.

The last word of an English title's phrase names the thing; the words before it tell what it is for
or made of: a laptop backpack is a backpack. Chinese words run into each other, so none of this is
asked of them. Knows nothing of searching or of what was asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum

from db.records import Product
from retrieval.text import tokens, units

_PHRASE = re.compile(r"[,;:()\[\]/|–—+&]|\s-\s|\b(?:with|for|of|in|from|by|and|or|to)\b", re.I)
_MEASURE = re.compile(r"\b\d[\w.\"'′″-]*(?:\s(?:[a-z]{1,3}|inch|inches|liters?|litres?|cups?|pack)\b)?", re.I)  # fmt: skip
# what is said of a thing, and what every shop sells: no kinds
_NO_KIND = frozenset(
    tokens("set kit pack pair piece gift present thing item product stuff gear something anything")
)
_GIFTS = frozenset(tokens("gift present"))


class Rank(IntEnum):
    """How surely a product is what a word names."""

    NO = 0  # neither title nor category says the word
    BESIDE = 1  # it is for it, made of it or goes with it
    PERHAPS = 2  # the title says it, and what follows may be a name or a property (Kettle Pro)
    IS = 3


class Kinds:
    """The kinds of one catalogue snapshot."""

    def __init__(self, products: Mapping[str, Product], *, colours: re.Pattern[str]) -> None:
        self._phrases = {pid: _phrases(p.title, colours) for pid, p in products.items()}
        # a word that the feed files the product under is its kind, in a title too
        self._filed = {
            pid: frozenset(tokens(" ".join((*p.category, *p.tags)))) for pid, p in products.items()
        }
        self._leaves = {pid: _leaf(p, colours) for pid, p in products.items()}
        titled = {
            (leaf, end)
            for pid, leaf in self._leaves.items()
            for end in (phrase[-1] for phrase in self._phrases[pid])
        }
        # in "Kettles & Tea" the titles tell which is which, if one of them says kettle
        self._mixed = {
            (leaf, word) for leaf in set(self._leaves.values()) for word in leaf
            if len(leaf) > 1 and (leaf, word) in titled
        }  # fmt: skip
        self._sorts = {p[-2:] for phrases in self._phrases.values() for p in phrases if len(p) > 1}
        self._best: dict[str, Rank] = {}
        self._homes: dict[str, frozenset[tuple[str, ...]]] = {}

    def is_a(self, product_id: str, word: str) -> bool:
        """Returns whether the product is such a thing, going by its likes where it is unsure."""
        rank = self.rank(product_id, word)
        if rank is Rank.PERHAPS:
            if word not in self._homes:
                self._homes[word] = frozenset(
                    leaf for pid, leaf in self._leaves.items() if self.rank(pid, word) is Rank.IS
                )
            return self._leaves[product_id] in self._homes[word]
        return rank is Rank.IS

    def head(self, product_id: str) -> str:
        """Returns the (stemmed) word that names what an English title is of; "" where none does."""
        phrases = self._phrases[product_id]
        return phrases[0][-1] if phrases else ""

    def is_sort(self, word: str, kind: str) -> bool:
        """Returns whether goods are named so: there is an "Electric Kettle", words stemmed."""
        return (word, kind) in self._sorts

    def rank(self, product_id: str, word: str) -> Rank:
        """Returns whether the product is what the (stemmed) word names."""
        leaf = self._leaves[product_id]
        if word in leaf and (leaf, word) not in self._mixed:
            return Rank.IS
        best = Rank.BESIDE if word in leaf else Rank.NO
        for phrase in self._phrases[product_id]:
            if word == phrase[-1]:
                return Rank.IS
            if word in phrase:
                after = phrase[phrase.index(word) + 1 :]
                filed = not self._filed[product_id].isdisjoint(after)
                best = max(best, Rank.BESIDE if filed else Rank.PERHAPS)
        return best

    def best(self, word: str) -> Rank:
        """Returns the highest rank that any product of the catalogue has."""
        if is_general(word):
            return Rank.NO
        if word not in self._best:
            ranks = (self.rank(pid, word) for pid in self._phrases)
            self._best[word] = max(ranks, default=Rank.NO)
        return self._best[word]


def _phrases(title: str, colours: re.Pattern[str]) -> tuple[tuple[str, ...], ...]:
    """The phrases of a title as stemmed words, sizes, counts and colours left out."""
    bare = colours.sub(" ", _MEASURE.sub(" ", title))
    found = (tuple(t for t in tokens(part) if len(t) > 1) for part in _PHRASE.split(bare))
    return tuple(phrase for phrase in found if phrase)


def _leaf(product: Product, colours: re.Pattern[str]) -> tuple[str, ...]:
    """The kinds that the last category names: kettle and tea, of "Kettles & Tea"."""
    if not product.category:
        return ()
    return tuple(phrase[-1] for phrase in _phrases(product.category[-1].replace("-", " "), colours))


def is_gift(word: str) -> bool:
    """Whether the (stemmed) word stands for anything that somebody may like."""
    return word in _GIFTS


def is_general(word: str) -> bool:
    """Whether the (stemmed) word names no kind of thing: set, gift, gear."""
    return word in _NO_KIND


_PLURAL = re.compile(r"(?:[^su\Wi]|[^s]e)s$", re.IGNORECASE)
_ARTICLE = re.compile(r"\b(?:an?|another|one|new)\s+(?:[\w-]+\s+){0,3}$", re.IGNORECASE)


def said_as_thing(wish: str, head: str) -> bool:
    """Whether the wish speaks of the head as of a thing: "laptops", "a laptop", not "camping"."""
    for match in re.finditer(r"[\w'-]+", wish):
        word = match.group()
        if tokens(word)[-1:] == [head]:
            return bool(_PLURAL.search(word) or _ARTICLE.search(wish[: match.start()]))
    return False


_PHRASE_END = re.compile(
    r"\b(?:for|with|of|to|in|from|that|which|who|by|on|at|as|because|so|and|or|under|over|when)\b|[,.;!?，。；！？]",
    re.IGNORECASE,
)


def head_of(wish: str, language: str) -> str:
    """The word that names the kind of thing: the last of the first noun phrase.

    English heads are stems; Chinese ones are words, or the whole phrase where no word is known.
    """
    for phrase in _PHRASE_END.split(wish):
        if language == "zh":
            thing = phrase.rpartition("的")[2] or phrase  # what stands before 的 only describes
            known = [u.text for u in units(thing) if u.weight >= 1.0 and not u.text.isdigit()]
            if known or thing.strip():
                return known[-1] if known else re.sub(r"\s+", "", thing)
            continue
        words = [w for w in tokens(phrase) if not w.isdigit()]
        if words:
            return words[-1]
    return ""
