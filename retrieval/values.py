"""What a search asks and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions that hold before ranking. Empty or None means no condition.

    `brands` and `categories` are compared casefolded; `categories` match any element of the path.
    `words_all` must each stand in the product's text (any of the alternatives in a tuple does),
    `words_none` must not. `ids`/`exclude_ids` restrict to or leave out products. A product whose
    price, rating or stock is not stated fails a condition on it.
    """

    price_min: Decimal | None = None
    price_max: Decimal | None = None
    brands: tuple[str, ...] = ()
    exclude_brands: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    in_stock: bool | None = None
    rating_min: float | None = None
    words_all: tuple[tuple[str, ...], ...] = ()
    words_none: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    exclude_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """`text` in `language` ("en" or "zh"); `k` hits at the most."""

    text: str
    language: str = "en"
    k: int = 10
    filters: Filters = field(default_factory=Filters)


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: `id` of the product or passage, fused `score`, `rank` from 1.

    `parts` explains the score: ranks and scores per retriever ("lexical", "dense"), and the
    matched `terms`.
    """

    id: str
    score: float
    rank: int
    parts: dict[str, float] = field(default_factory=dict)
    terms: tuple[str, ...] = ()
