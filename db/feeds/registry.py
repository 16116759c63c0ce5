"""The formats of a catalogue: each recognises its files by content and reads them as records.

A new format is one module with an object like those below, placed in FORMATS before the more
general ones. Knows nothing about databases.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from db.feeds.fields import Columns, guess, key_form
from db.feeds.products import ProductReader
from db.feeds.rows import (
    Row,
    is_json,
    is_json_lines,
    is_table,
    read_json,
    read_json_lines,
    read_table,
)
from db.feeds.source import FeedError, Head, files_of, read_head
from db.feeds.values import currency_code
from db.records import Document, Product, RejectedRow

Record = Product | Document | RejectedRow
Kind = Literal["products", "comments", "orders"]

_SAMPLE_ROWS = 200
REFERENCES = (
    "goodsid", "productid", "itemid", "productsku", "sku", "asin", "producthandle", "商品id",
    "商品编号", "product", "商品",
)  # fmt: skip
COMMENT_TEXTS = (
    "text", "comment", "commenttext", "review", "reviewtext", "reviewbody", "content", "body",
    "评论", "评论内容", "评价", "评价内容", "内容",
)  # fmt: skip
ORDER_IDS = ("orderid", "ordernumber", "orderno", "订单id", "订单号", "订单编号")


class Format(Protocol):
    """One format of a catalogue."""

    @property
    def name(self) -> str: ...

    def recognises(self, head: Head) -> bool:
        """Whether a file is of this format, by its first 64 KB."""
        ...

    def read(
        self, head: Head, *, mapping: Mapping[str, str], currency: str | None
    ) -> Iterator[Record]:
        """Products with their documents, and rejected rows, in file order; raises FeedError."""
        ...


@dataclass(frozen=True, slots=True)
class RowFormat:
    """A format whose rows are products each, told apart by the names of their columns."""

    name: str
    recognise: Callable[[Head], bool]
    rows: Callable[[Head], Iterator[Row | RejectedRow]]

    def recognises(self, head: Head) -> bool:
        return self.recognise(head)

    def read(
        self, head: Head, *, mapping: Mapping[str, str], currency: str | None
    ) -> Iterator[Record]:
        columns = Columns(mapping)
        sample, rows = _sampled(self.rows(head))
        names = _columns_of(sample)
        if names:
            columns.check(names, name=head.path.name)
            if not columns.mapped and not guess(names).keys() & {"id", "title", "model"}:
                raise FeedError(
                    f"{head.path.name} has no column for a product's id or title (it has "
                    f"{', '.join(names[:30])}): name them with --map id=… --map title=…"
                )
        reader = ProductReader(columns=columns, currency=currency)
        seen: dict[str, str] = {}
        for row in rows:
            if not isinstance(row, Row):
                yield row
                continue
            for record in reader.read(row):
                if isinstance(record, Product):
                    if record.id in seen:
                        reason = f"id {record.id} already stands at {seen[record.id]}"
                        yield RejectedRow(row.where, reason)
                        break
                    seen[record.id] = row.where
                yield record


ROW_FORMATS = (
    RowFormat("json-lines", is_json_lines, read_json_lines),
    RowFormat("json", is_json, read_json),
    RowFormat("csv", is_table, read_table),
)
FORMATS: tuple[Format, ...] = ROW_FORMATS


def _sampled(
    rows: Iterator[Row | RejectedRow],
) -> tuple[list[Row], Iterator[Row | RejectedRow]]:
    sample = list(itertools.islice(rows, _SAMPLE_ROWS))
    return [row for row in sample if isinstance(row, Row)], itertools.chain(sample, rows)


def _columns_of(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.cells))


def read_rows(path: Path) -> Iterator[Row | RejectedRow]:
    """The rows of a CSV, TSV, JSON or JSON lines file. Raises FeedError for any other file."""
    head = read_head(path)
    return _row_format(head).rows(head)


def _row_format(head: Head) -> RowFormat:
    for known in ROW_FORMATS:
        if known.recognises(head):
            return known
    raise FeedError(_unknown(head))


def _unknown(head: Head) -> str:
    if not head.text.strip():
        return f"{head.path.name} is empty"
    return f"{head.path.name} is in no known format: export it as CSV, TSV, JSON or JSON lines"


def columns_of(path: Path) -> list[str]:
    """The columns, or the keys of the first rows, of a file whose rows are products."""
    head = read_head(path)
    chosen = next((known for known in FORMATS if known.recognises(head)), None)
    if not isinstance(chosen, RowFormat):
        return []
    return _columns_of(_sampled(chosen.rows(head))[0])


def kind_of(path: Path) -> Kind:
    """What the rows of a file are, by their columns. Raises FeedError for an unknown format.

    Comments name a product and hold a text, but neither a price nor a name of a product of
    their own. A file that a catalogue format of its own recognises holds products.
    """
    head = read_head(path)
    chosen = next((known for known in FORMATS if known.recognises(head)), None)
    if chosen is None:
        raise FeedError(_unknown(head))
    if not isinstance(chosen, RowFormat):
        return "products"
    sample, _ = _sampled(chosen.rows(head))
    forms = {key_form(name) for name in _columns_of(sample)}
    if forms & set(ORDER_IDS):
        return "orders"
    found = guess(_columns_of(sample))
    has_reference = bool(forms & set(REFERENCES))
    has_text = bool(forms & set(COMMENT_TEXTS))
    names_product = bool(found.keys() & {"price", "paid", "model"} or forms & {"title", "name"})
    is_page = bool(forms & {"page", "pagenumber", "页码"})
    if has_reference and has_text and not names_product and not is_page:
        return "comments"
    return "products"


def read_products(
    path: Path, *, mapping: Mapping[str, str] | None = None, currency: str | None = None
) -> Iterator[Record]:
    """Stream the products of a file, or of every file in a folder, with their documents.

    `mapping` is field → column as given by `--map`; `currency` an ISO 4217 code for prices whose
    feed names none. A row that cannot be read comes back as RejectedRow; FeedError is raised for
    a file that cannot be read as a whole.
    """
    if currency is not None and (currency := currency_code(currency)) is None:
        raise FeedError("--currency: write a three-letter code such as USD, EUR or CNY")
    for file in files_of(path):
        head = read_head(file)
        for known in FORMATS:
            if known.recognises(head):
                yield from known.read(head, mapping=mapping or {}, currency=currency)
                break
        else:
            raise FeedError(_unknown(head))
