"""A shopper's conditions over one catalogue: as filters of a search, over its hits, and relaxed.

Knows nothing of ranking or of what will be said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from statistics import median

from bot.catalogue import Catalogue, product_text
from bot.understanding.constraints import Constraints, Facet
from bot.understanding.language import WIDE
from bot.variants import Allowed, NamedVariant, named_variant
from db.records import Money, Product
from retrieval.text import tokens
from retrieval.values import Filters, Hit

CHEAP = "cheap"


def filters_of(constraints: Constraints, exclude: tuple[str, ...] = ()) -> Filters:
    """The conditions that an index can hold; what is left over `Conditions` judges."""
    return Filters(
        price_min=constraints.price_min,
        price_max=constraints.price_max,
        brands=constraints.brands,
        exclude_brands=constraints.exclude_brands,
        categories=constraints.categories,
        in_stock=constraints.in_stock,
        rating_min=constraints.rating_min,
        exclude_ids=exclude,
    )


def within(low: Decimal | None, high: Decimal | None, stocked: bool | None) -> Allowed:
    """The conditions on one form of a product. As of a product, what is not stated fails them."""

    def allowed(price: Money | None, in_stock: bool | None) -> bool:
        if low is not None and (price is None or price.amount < low):
            return False
        if high is not None and (price is None or price.amount > high):
            return False
        return stocked is None or in_stock is stocked

    return allowed


class Conditions:
    """Judges products of one catalogue by what an index does not hold."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._products = catalogue.products
        self._facets = catalogue.facets

    def allows(self, product_id: str, constraints: Constraints) -> bool:
        """Whether nothing that was ruled out is said of the product."""
        return not any(self._is(product_id, word) for word in constraints.words_none)

    def _is(self, product_id: str, word: str) -> bool:
        only = self._facets.only(product_id, word)
        if only is not None:
            return only
        if WIDE.search(word):
            # a Chinese word may stand inside a longer one, which no index of words shows
            return word in product_text(self._products[product_id])
        filed = tokens(" ".join(self._products[product_id].category))
        named = bool(tokens(word)) and set(tokens(word)) <= set(filed)
        return named or self._facets.has(product_id, Facet("", word, word))

    def having(
        self, hits: Sequence[Hit], constraints: Constraints, kind: Sequence[Hit]
    ) -> list[Hit]:
        """The hits with every property that was wished; none where a strict one is on none.

        A property that none of `kind` (the goods of that kind in the whole shop) states at all is
        no ground to refuse them, unless it is a colour, which can be seen.
        """
        kept = list(hits)
        for facet in constraints.facets:
            held = [hit for hit in kept if self._facets.has(hit.id, facet)]
            if held:
                kept = held
            elif facet.strict and self._decides(facet, kind):
                return []
        kept = [hit for hit in kept if not self._beyond(hit, constraints)]
        if constraints.sort == CHEAP:
            kept = self._cheaper_half(kept)
        return kept

    def named(self, product: Product, wish: str, constraints: Constraints) -> NamedVariant | None:
        """The forms of a product that the wish names and that the conditions allow."""
        if not product.variants or not (wish or constraints.facets):
            return None
        allowed = within(constraints.price_min, constraints.price_max, constraints.in_stock)
        return named_variant(product, wish, constraints.facets, allowed=allowed)

    def _beyond(self, hit: Hit, constraints: Constraints) -> bool:
        """Whether the forms that are wished break a condition that others of the product hold."""
        product = self._products[hit.id]
        wished = named_variant(product, "", constraints.facets) if constraints.facets else None
        return wished is not None and self.named(product, "", constraints) is None

    def _decides(self, facet: Facet, kind: Sequence[Hit]) -> bool:
        return facet.kind == "colour" or any(
            self._facets.states(hit.id, facet.kind) for hit in kind
        )

    def _cheaper_half(self, hits: list[Hit]) -> list[Hit]:
        """What is cheap is so beside its likes: no more than the middle price of them."""
        priced = {h.id: price.amount for h in hits if (price := self._products[h.id].price)}
        if len(priced) < 2:
            return hits
        middle = median(priced.values())
        return [h for h in hits if priced.get(h.id, Decimal("Infinity")) <= middle]


Relaxed = tuple[tuple[str, ...], Constraints]


def relaxations(constraints: Constraints, held: frozenset[str] = frozenset()) -> list[Relaxed]:
    """Conditions to give up, each with what remains: one alone, then two; easier ones first.

    Those named in `held` stay.
    """
    single: dict[str, dict[str, object]] = {}
    if constraints.price_max is not None or constraints.price_min is not None:
        single["price"] = {"price_min": None, "price_max": None, "total": None}
    if constraints.rating_min is not None:
        single["rating"] = {"rating_min": None}
    if constraints.in_stock is not None:
        single["stock"] = {"in_stock": None}
    if constraints.brands:
        single["brand"] = {"brands": ()}
    if constraints.categories:
        single["category"] = {"categories": ()}
    for facet in constraints.facets:
        if facet.strict:
            single[facet.kind] = {}
    found: list[Relaxed] = []
    free = [name for name in single if name not in held]
    for count in (1, 2):
        for names in combinations(free, count):
            changes = {k: v for name in names for k, v in single[name].items()}
            facets = tuple(f for f in constraints.facets if f.kind not in names)
            found.append((names, replace(constraints, facets=facets, **changes)))  # type: ignore[arg-type]
    return found
