"""Conditions over products as boolean masks, exact and before any ranking.

Knows products only as columns; nothing of scores, vectors or where the columns are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.columns import BETWEEN_FIELDS, Groups, ProductColumns
from retrieval.lexical import LexicalIndex
from retrieval.strings import Joined
from retrieval.text import normalise, sequence, tokens
from retrieval.values import Filters

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


class ProductTable:
    """What conditions are about: the columns of one or several segments, one after the other.

    `gone`, shape (n,), marks rows that no longer count, None for none: no condition lets them
    through. `order`, shape (n,), is the place of each row in the catalogue, None where the rows
    stand in that order.
    """

    def __init__(
        self,
        segments: Sequence[ProductColumns],
        *,
        gone: Mask | None = None,
        order: npt.NDArray[np.int32] | None = None,
    ) -> None:
        self.ids = Joined([segment.ids for segment in segments])
        self._words = Joined([segment.words for segment in segments])
        self._kept = None if gone is None else ~gone
        self._order = order
        self._price = _joined([segment.price for segment in segments])
        self._rating = _joined([segment.rating for segment in segments])
        self._stock = _joined([segment.stock for segment in segments])
        starts = np.cumsum([0, *map(len, segments)]).tolist()
        self._brands = [(s.brands, at) for s, at in zip(segments, starts, strict=False)]
        self._categories = [(s.categories, at) for s, at in zip(segments, starts, strict=False)]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def count(self) -> int:
        """How many products there are, those that are gone left out."""
        return len(self) if self._kept is None else int(np.count_nonzero(self._kept))

    def row_of(self, product_id: str) -> int | None:
        """The row of a product, None when there is none."""
        rows = self.ids.find(product_id)
        return next((row for row in rows if self._kept is None or self._kept[row]), None)

    def first(self, allowed: Mask, count: int) -> list[int]:
        """The first rows that are allowed, in the order of the catalogue."""
        rows = np.flatnonzero(allowed)
        if self._order is not None:
            rows = rows[np.argsort(self._order[rows], kind="stable")]
        first: list[int] = rows[:count].tolist()
        return first

    def title(self, row: int) -> str:
        """The words of a product's title as `text.sequence` gives them, a space around each."""
        return bytes(self._words.bytes_of(row)).partition(BETWEEN_FIELDS)[0].decode() + " "

    def mask(self, filters: Filters, index: LexicalIndex) -> Mask:
        """Which products satisfy every condition, shape (n,); `index` holds the products' words."""
        allowed = np.ones(len(self), np.bool_) if self._kept is None else self._kept.copy()
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

    def _any(self, groups: Sequence[tuple[Groups, int]], names: Sequence[str]) -> Mask:
        found = np.zeros(len(self), np.bool_)
        for group, start in groups:
            for name in names:
                found[group.rows_of(normalise(name)) + start] = True
        return found

    def _listed(self, product_ids: Sequence[str]) -> Mask:
        found = np.zeros(len(self), np.bool_)
        rows = map(self.row_of, product_ids)
        found[[row for row in rows if row is not None]] = True
        return found

    def _holding(self, phrase: str, among: Mask, index: LexicalIndex) -> Mask:
        """Products whose text holds the words of the phrase one after the other."""
        wanted = sequence(phrase)
        found = np.zeros(len(self), np.bool_)
        if not wanted:
            return found
        # the rarest word leaves the fewest rows to look at
        parts = sorted(tokens(phrase), key=index.frequency)
        rows: Rows = np.asarray(
            index.rows_with(parts[0]) if parts else np.arange(len(self)), np.int64
        )
        rows = rows[among[rows]]
        for part in parts[1:]:
            rows = rows[index.holding(part, rows)]
        if len(wanted) > 1 or parts != wanted:
            needle = f" {' '.join(wanted)} ".encode()
            held = [needle in self._words.bytes_of(row) for row in rows.tolist()]
            rows = rows[np.array(held, np.bool_)]
        found[rows] = True
        return found


def _joined(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
