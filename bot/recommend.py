"""Which products to show for a wish, and why each: retrieval, a cut, and reasons from own facts.

Knows nothing about acts or language of the reply beyond where a label ends.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.catalogue import Catalogue
from bot.understanding.constraints import Constraints
from db.records import Attribute, Product
from retrieval.hybrid import Searcher
from retrieval.text import tokens
from retrieval.values import Filters, Hit, Query

POOL = 40  # hits looked at before the cut
SOLD_WORDS = 0.5  # share of the wish's weight that must stand in a title or category …
SOLD_MEANING = 0.42  # … or the cosine from which a product is about it all the same
NEAR_TOP = 0.6  # a hit below this share of the best one's relevance is not shown
MAX_REASON = 60


@dataclass(frozen=True, slots=True)
class Pick:
    """A product to show; `reason` is one of its attributes, None where none speaks for it."""

    product: Product
    hit: Hit
    reason: Attribute | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to. `sold` tells whether the shop has such things at all; `dropped` names
    the condition that had to go for `picks` to be possible ("" where all conditions hold)."""

    picks: tuple[Pick, ...]
    sold: bool
    dropped: str = ""
    category: str = ""
    hits: tuple[Hit, ...] = ()


class Recommender:
    """Finds and ranks products of one catalogue snapshot."""

    def __init__(self, catalogue: Catalogue, searcher: Searcher) -> None:
        self._catalogue = catalogue
        self._searcher = searcher

    def find(
        self,
        wish: str,
        constraints: Constraints,
        *,
        language: str,
        exclude: tuple[str, ...] = (),
        most: int = 4,
    ) -> Found:
        """Returns the best products for `wish` under `constraints`, at most `most`."""
        free = self._search(wish, Constraints(), language)
        relevant = self._cut(free, wish, language)
        if wish and not relevant:
            return Found((), sold=False, category=self._nearest_category(free), hits=free)
        allowed = self._search(wish, constraints, language, exclude)
        kept = self._cut(allowed, wish, language, best=free[0] if free else None)
        kind = self._kind(relevant)
        if kind and (same := [h for h in kept if self._category(h) == kind]):
            kept = same
        elif kind and wish:
            wider = [h for h in allowed if self._category(h) == kind]
            kept = wider or ([] if constraints.empty else kept)
        if kept:
            return Found(self._picks(kept, wish, constraints, most), True, hits=allowed)
        for name, looser in relaxations(constraints):
            other = self._cut(
                self._search(wish, looser, language, exclude),
                wish,
                language,
                best=free[0] if free else None,
            )
            if kind:
                other = [h for h in other if self._category(h) == kind]
            if other:
                return Found(self._picks(other, wish, looser, 2), True, name, kind, allowed)
        return Found((), True, "", kind, allowed)

    def _search(
        self, wish: str, constraints: Constraints, language: str, exclude: tuple[str, ...] = ()
    ) -> tuple[Hit, ...]:
        query = Query(wish, language, POOL, filters_of(constraints, exclude))
        return tuple(self._searcher.products(query))

    def _cut(
        self, hits: tuple[Hit, ...], wish: str, language: str, best: Hit | None = None
    ) -> list[Hit]:
        """Drops what is not about the wish; everything stays where nothing was wished."""
        if not hits or not wish:
            return list(hits)
        top = max(relevance(h) for h in ([*hits, best] if best else hits))
        first = best or hits[0]
        if not is_sold(first) and not any(is_sold(h) for h in hits[:3]):
            return []
        kept = [h for h in hits if relevance(h) >= NEAR_TOP * top and is_sold(h)]
        head = self._head(kept, wish)
        return [h for h in kept if head in self._title(h)] if head else kept

    def _head(self, hits: list[Hit], wish: str) -> str:
        """The word of the wish that names the kind of thing: the last that stands in most titles."""
        if not hits:
            return ""
        counts: Counter[str] = Counter()
        for hit in hits:
            counts.update(set(self._title(hit)) & set(tokens(wish)))
        best = self._title(hits[0])
        for word in reversed(tokens(wish)):
            if word in best and counts[word] >= max(2, len(hits) // 3):
                return word
        return ""

    def _kind(self, hits: list[Hit]) -> str:
        """The category most of the best hits are in, when they agree."""
        votes: Counter[str] = Counter()
        for hit in hits[:6]:
            votes[self._category(hit)] += relevance(hit)  # type: ignore[assignment]
        if not votes:
            return ""
        name, weight = votes.most_common(1)[0]
        return (
            name
            if name and weight >= 0.5 * sum(votes.values()) and name == self._category(hits[0])
            else ""
        )

    def _nearest_category(self, hits: tuple[Hit, ...]) -> str:
        return self._category(hits[0]) if hits else ""

    def _category(self, hit: Hit) -> str:
        path = self._catalogue.products[hit.id].category
        return path[-1] if path else ""

    def _title(self, hit: Hit) -> frozenset[str]:
        return frozenset(tokens(self._catalogue.products[hit.id].title))

    def _picks(
        self, hits: list[Hit], wish: str, constraints: Constraints, most: int
    ) -> tuple[Pick, ...]:
        products = self._catalogue.products
        ordered = (
            sorted(hits, key=_sort_key(constraints.sort, products)) if constraints.sort else hits
        )
        words = tokens(wish)
        return tuple(
            Pick(products[hit.id], hit, reason_for(products[hit.id], words))
            for hit in ordered[:most]
        )


def relevance(hit: Hit) -> float:
    """One figure for "is about the wish": the better of words and meaning, words first."""
    parts = hit.parts
    return max(
        parts.get("title_coverage", 0.0), 0.85 * parts.get("coverage", 0.0), parts.get("dense", 0.0)
    )


def is_sold(hit: Hit) -> bool:
    """Whether the hit shows that the shop has such things."""
    parts = hit.parts
    return parts.get("title_coverage", 0.0) >= SOLD_WORDS or parts.get("dense", 0.0) >= SOLD_MEANING


def reason_for(product: Product, words: list[str]) -> Attribute | None:
    """The attribute that holds most of the wish's words; else one that every shopper likes to know."""
    wanted = set(words)
    best, most = None, 0
    for attribute in product.attributes:
        if len(attribute.value) + len(attribute.name) > MAX_REASON or not attribute.value:
            continue
        held = len(wanted & set(tokens(f"{attribute.name} {attribute.value}")))
        if held > most:
            best, most = attribute, held
    return best


def filters_of(constraints: Constraints, exclude: tuple[str, ...] = ()) -> Filters:
    return Filters(
        price_min=constraints.price_min,
        price_max=constraints.price_max,
        brands=constraints.brands,
        exclude_brands=constraints.exclude_brands,
        in_stock=constraints.in_stock,
        rating_min=constraints.rating_min,
        words_none=constraints.words_none,
        exclude_ids=exclude,
    )


def relaxations(constraints: Constraints) -> list[tuple[str, Constraints]]:
    """Each condition with the conditions that remain without it, the easiest to give up first."""
    out: list[tuple[str, Constraints]] = []
    if constraints.price_max is not None or constraints.price_min is not None:
        out.append(("price", replace(constraints, price_min=None, price_max=None)))
    if constraints.rating_min is not None:
        out.append(("rating", replace(constraints, rating_min=None)))
    if constraints.in_stock is not None:
        out.append(("stock", replace(constraints, in_stock=None)))
    if constraints.brands:
        out.append(("brand", replace(constraints, brands=())))
    return out


def _sort_key(sort: str, products: dict[str, Product]):  # type: ignore[no-untyped-def]
    far = Decimal("Infinity")

    def key(hit: Hit) -> tuple[bool, Decimal | float]:
        product = products[hit.id]
        if sort.startswith("rating"):
            return product.rating is None, -(product.rating or 0.0)
        amount = product.price.amount if product.price else far
        return product.price is None, -amount if sort == "price_desc" else amount

    return key
