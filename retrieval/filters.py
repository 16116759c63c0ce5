"""Conditions over products as boolean masks, exact and before any ranking.

Knows products only as columns; nothing of scores, vectors or where the columns are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from db.records import Product
from retrieval.lexical import LexicalIndex
from retrieval.text import normalise, sequence, tokens
from retrieval.values import Filters

Mask = npt.NDArray[np.bool_]


class ProductTable:
    """What conditions are about, one row a product, in the order of the catalogue.

    Prices and ratings are floats with NaN for "not stated": a price has few digits, so its float
    is the nearest one and compares as the decimal does. Stock is 1, 0 or -1 (not stated).
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """`rows` as `table_row` makes them."""
        self.rows = list(rows)
        self.ids = [str(row["id"]) for row in rows]
        self.row_of = {product_id: at for at, product_id in enumerate(self.ids)}
        self._price = _floats(row["price"] for row in rows)
        self._rating = _floats(row["rating"] for row in rows)
        self._stock = np.array([_stock(row["in_stock"]) for row in rows], np.int8)
        self._brands = _postings([row["brand"]] for row in rows)
        self._categories = _postings(row["category"] for row in rows)
        self._texts = [str(row["words"]) for row in rows]

    def __len__(self) -> int:
        return len(self.ids)

    def mask(self, filters: Filters, index: LexicalIndex) -> Mask:
        """Which products satisfy every condition, shape (n,); `index` holds the products' words."""
        allowed = np.ones(len(self), np.bool_)
        if filters.price_min is not None:
            allowed &= self._price >= float(filters.price_min)
        if filters.price_max is not None:
            allowed &= self._price <= float(filters.price_max)
        if filters.rating_min is not None:
            allowed &= self._rating >= filters.rating_min
        if filters.in_stock is not None:
            allowed &= self._stock == int(filters.in_stock)
        if filters.brands:
            allowed &= self._any(self._brands, filters.brands)
        if filters.exclude_brands:
            allowed &= ~self._any(self._brands, filters.exclude_brands)
        if filters.categories:
            allowed &= self._any(self._categories, filters.categories)
        if filters.ids:
            allowed &= self._listed(filters.ids)
        if filters.exclude_ids:
            allowed &= ~self._listed(filters.exclude_ids)
        for alternatives in filters.words_all:
            held = np.zeros(len(self), np.bool_)
            for phrase in alternatives:
                held |= self._holding(phrase, allowed, index)
            allowed &= held
        for phrase in filters.words_none:
            allowed &= ~self._holding(phrase, allowed, index)
        return allowed

    def _any(self, postings: Mapping[str, npt.NDArray[np.int64]], names: Sequence[str]) -> Mask:
        found = np.zeros(len(self), np.bool_)
        for name in names:
            rows = postings.get(normalise(name))
            if rows is not None:
                found[rows] = True
        return found

    def _listed(self, product_ids: Sequence[str]) -> Mask:
        found = np.zeros(len(self), np.bool_)
        found[[self.row_of[at] for at in product_ids if at in self.row_of]] = True
        return found

    def _holding(self, phrase: str, among: Mask, index: LexicalIndex) -> Mask:
        """Products whose text holds the words of the phrase one after the other."""
        wanted = sequence(phrase)
        found = np.zeros(len(self), np.bool_)
        if not wanted:
            return found
        parts = tokens(phrase)
        # the rarest word leaves the fewest rows to look at
        postings = sorted((index.rows_with(part) for part in parts), key=len)
        rows = np.asarray(postings[0], np.int64) if postings else np.arange(len(self))
        rows = rows[among[rows]]
        for part in sorted(parts, key=index.frequency)[1:]:
            rows = rows[index.holding(part, rows)]
        if len(wanted) > 1 or parts != wanted:
            needle = f" {' '.join(wanted)} "
            rows = (
                rows[[needle in self._texts[row] for row in rows.tolist()]] if len(rows) else rows
            )
        found[rows] = True
        return found


def table_row(product: Product, fields: Mapping[str, str]) -> dict[str, Any]:
    """One product as plain JSON values; phrases are sought in the words of its `fields`."""
    return {
        "id": product.id,
        "price": None if product.price is None else str(product.price.amount),
        "rating": product.rating,
        "in_stock": product.in_stock,
        "brand": normalise(product.brand or ""),
        "category": [normalise(part) for part in product.category],
        # fields are kept apart, so that no phrase begins in one and ends in the next
        "words": " " + " ¶ ".join(" ".join(sequence(text)) for text in fields.values()) + " ",
    }


def _floats(values: Any) -> npt.NDArray[np.float64]:
    return np.array([np.nan if value is None else float(value) for value in values], np.float64)


def _stock(stated: bool | None) -> int:
    return -1 if stated is None else int(stated)


def _postings(names: Any) -> dict[str, npt.NDArray[np.int64]]:
    found: dict[str, list[int]] = {}
    for at, row in enumerate(names):
        for name in row:
            if name:
                found.setdefault(name, []).append(at)
    return {name: np.array(rows, np.int64) for name, rows in found.items()}
