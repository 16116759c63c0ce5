"""A search as the HTTP contract draws it: hits with their cards, the forms that the query names, and
on request what made each score.

Knows nothing about HTTP or where the index comes from.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from typing import Any

from bot.catalogue import Catalogue
from bot.conditions import within
from bot.grounding import card, variant_card
from bot.turn import Card
from bot.understanding.constraints import parse_constraints
from bot.variants import named_variant
from db.records import Product
from retrieval.explaining import score_parts
from retrieval.hybrid import Searcher
from retrieval.presence import READ
from retrieval.products import product_fields
from retrieval.values import Hit, Query


def search(
    catalogue: Catalogue, searcher: Searcher, asked: Query, *, explain: bool
) -> dict[str, Any]:
    """Returns `query`, `total`, `found` and `hits`, each product once.

    `found` is false where the hits are the nearest there is and not what was asked. A hit's `variant`
    holds the forms that the query names and the filters allow, with their own price and stock; null
    where it names none.
    """
    # what is not wanted names nothing: "a kettle, not in black"
    parsed = parse_constraints(asked.text, brands=catalogue.brands, facets=catalogue.facets)
    filters = asked.filters
    allowed = within(filters.price_min, filters.price_max, filters.in_stock)
    best = searcher.products(replace(asked, k=max(asked.k, READ)))
    drawn = []
    for hit in best[: asked.k]:
        product = catalogue.products[hit.id]
        named = named_variant(product, parsed.rest, parsed.constraints.facets, allowed=allowed)
        row = {
            "id": hit.id,
            "title": product.title,
            "score": round(hit.score, 6),
            "rank": hit.rank,
            "product": asdict(card(product, named=named)),
            "variant": asdict(variant_card(named)) if named else None,
        }
        if explain:
            row["explanation"] = _explanation(searcher, asked, hit, product)
        drawn.append(row)
    found = searcher.is_here(best)
    return {"query": asked.text, "total": len(drawn), "found": found, "hits": drawn}


def showcase(catalogue: Catalogue, count: int) -> tuple[Card, ...]:
    """Returns cards of at most `count` products: in stock first, pictured first, and of kinds that
    differ as long as there are some."""
    sold = sorted(catalogue.products.values(), key=lambda one: not one.images)
    seen: Counter[tuple[str, ...]] = Counter()
    ranked = []
    for product in sold:
        kind = tuple(product.category)
        ranked.append((product.in_stock is not True, seen[kind], product))
        seen[kind] += 1
    ranked.sort(key=lambda one: one[:2])
    return tuple(card(product) for *_, product in ranked[:count])


def _explanation(searcher: Searcher, asked: Query, hit: Hit, product: Product) -> dict[str, Any]:
    words = searcher.words_found(asked, hit.id, product_fields(product))
    return {
        "score": [asdict(one) | {"share": one.share} for one in score_parts(hit.parts)],
        "words": [asdict(one) for one in words],
        "parts": hit.parts,
        "terms": list(hit.terms),
    }
