"""A row of a shop system's export by the forms of its column names, and rows merged to a product.

Knows nothing about any one shop system.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from db.feeds.fields import MappedColumn, key_form
from db.feeds.rows import Row
from db.feeds.values import Unreadable, stated
from db.feeds.variants import WHERE


@functools.lru_cache(maxsize=1_024)
def columns_by_form(names: tuple[str, ...]) -> dict[str, str]:
    """Form → column; the first of several columns of one form counts."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(key_form(name.removeprefix("g:")), name)
    return found


class Sheet:
    """One row, asked by the forms of its columns; the owner's map decides what its price is."""

    def __init__(self, row: Row, mapped: Mapping[str, MappedColumn]) -> None:
        self.where = row.where
        self.cells = row.cells
        self.mapped = mapped
        self.columns = columns_by_form(tuple(row.cells))

    def cell(self, *forms: str) -> Any:
        """The first stated cell of these columns, else None."""
        for form in forms:
            column = self.columns.get(form)
            if column is not None and stated(value := self.cells[column]):
                return value
        return None

    def text(self, *forms: str) -> str:
        """The first stated cell as text; empty if there is none."""
        value = self.cell(*forms)
        return "" if value is None else str(value).strip()

    def price(self, *forms: str) -> Any:
        """The price cell, from the mapped column where there is one."""
        if (mapped := self.mapped.get("price")) is None:
            return self.cell(*forms)
        try:
            return mapped.read(self.cells)
        except Unreadable:
            return self.cells.get(mapped.column)


def variant(sheet: Sheet, **cells: Any) -> dict[str, Any]:
    """One entry of a product's "variants" that knows its row; what is None is left out."""
    return {WHERE: sheet.where} | {k: v for k, v in cells.items() if v is not None}


def merged(rows: Iterable[Sheet], *, drop: Callable[[str], bool]) -> dict[str, Any]:
    """The product's own cells: those of the first row that states each, by their columns.

    The later rows count only where all that state the cell agree. Columns whose form is to be
    dropped are left out, unless the owner's map names them.
    """
    first, *others = list(rows)
    kept = {entry.column for entry in first.mapped.values()}
    cells: dict[str, Any] = {}
    for form, column in first.columns.items():
        if drop(form) and column not in kept:
            continue
        value = first.cells[column]
        if not stated(value):
            told = [o.cells[column] for o in others if stated(o.cells.get(column))]
            value = told[0] if told and all(t == told[0] for t in told) else value
        cells[column] = value
    return cells


def choices(variants: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Each option's values over all variants, in their order."""
    found: dict[str, list[str]] = {}
    for item in variants:
        for name, value in item.get("options", {}).items():
            values = found.setdefault(name, [])
            if value not in values:
                values.append(value)
    return found
