"""The formats of a catalogue: each recognises its files by content and reads them as records.

A new format is a row reader placed in FORMATS before the more general ones; the table of a further
shop system is one class placed in FAMILIES. Knows nothing about databases.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from db.feeds.errors import FeedError
from db.feeds.fields import Columns, MappedColumn, guess, key_form
from db.feeds.jsonld import is_linked, read_linked, read_page
from db.feeds.magento import Magento
from db.feeds.merchant import Merchant, PrestaShop
from db.feeds.packing import Progress
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
from db.feeds.seen import Seen
from db.feeds.sheets import Sheet, columns_by_form
from db.feeds.shopify import Shopify, Spree
from db.feeds.source import Head, files_of, read_head
from db.feeds.spool import Spool
from db.feeds.values import currency_code
from db.feeds.woocommerce import WooCommerce
from db.feeds.xml import is_page, is_xml, read_xml
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


class Family(Protocol):
    """How one shop system lays out its table; its rows are put together to products."""

    @property
    def name(self) -> str: ...

    def fits(self, forms: frozenset[str]) -> bool:
        """Whether a table is of this system, by the forms of its columns."""
        ...

    def place(self, sheet: Sheet) -> tuple[str | None, list[str]]:
        """The key of the group a row belongs to, None for a product of its own; and further keys
        under which rows may join the group."""
        ...

    def product(self, rows: list[Sheet]) -> Iterator[Row | RejectedRow]:
        """The rows of one group as one row that the general reader understands."""
        ...


FAMILIES: tuple[Family, ...] = (
    Shopify(), Spree(), WooCommerce(), Magento(), PrestaShop(), Merchant(),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowFormat:
    """A format whose rows are products each, told apart by the names of their columns.

    Where `families` is set, the rows of a table are first put together as its shop system means
    them. `holds` says what the file is, where its columns need not be asked.
    """

    name: str
    recognise: Callable[[Head], bool]
    rows: Callable[[Head], Iterator[Row | RejectedRow]]
    families: bool = False
    holds: Kind | None = None

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
        if self.families and (family := family_of(names)) is not None:
            rows = _put_together(rows, family, columns.mapped)
        seen = Seen()
        for row in rows:
            if not isinstance(row, Row):
                yield row
                continue
            for record in reader.read(row):
                if isinstance(record, Product):
                    prefix, _, number = row.where.rpartition(" ")
                    place = int(number) if number.isdigit() else 0
                    if (before := seen.add(record.id, place)) is not None:
                        reason = (
                            f"id {record.id[:80]} already stands at {prefix} {before}: "
                            "give each product an id of its own"
                        )
                        yield RejectedRow(row.where, reason)
                        break
                yield record


def family_of(names: Iterable[str]) -> Family | None:
    """The shop system whose table has these columns, if any is known."""
    forms = frozenset(columns_by_form(tuple(names)))
    return next((family for family in FAMILIES if family.fits(forms)), None)


def _put_together(
    rows: Iterable[Row | RejectedRow], family: Family, mapped: Mapping[str, MappedColumn]
) -> Iterator[Row | RejectedRow]:
    with Spool() as spool:
        for row in rows:
            if not isinstance(row, Row):
                yield row
                continue
            sheet = Sheet(row, mapped)
            key, names = family.place(sheet)
            if key is None:
                yield from family.product([sheet])
            else:
                spool.put(key, row, names)
        for group in spool.groups():
            yield from family.product([Sheet(row, mapped) for row in group])


ROW_FORMATS = (
    RowFormat("json-lines", is_json_lines, read_json_lines),
    RowFormat("json", is_json, read_json),
    RowFormat("csv", is_table, read_table, families=True),
)
FORMATS: tuple[RowFormat, ...] = (
    RowFormat("web-page", is_page, read_page, holds="products"),
    RowFormat("xml", is_xml, read_xml, families=True, holds="products"),
    RowFormat("json-ld", is_linked, read_linked, holds="products"),
    *ROW_FORMATS,
)


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
        return f"{head.path.name} is empty: export it again"
    return f"{head.path.name} is in no known format: export it as CSV, TSV, JSON, JSON lines or XML"


def _format(head: Head) -> RowFormat:
    for known in FORMATS:
        if known.recognises(head):
            return known
    raise FeedError(_unknown(head))


def columns_of(path: Path) -> list[str]:
    """The columns, or the keys of the first rows, of a file whose rows are products."""
    head = read_head(path)
    return _columns_of(_sampled(_format(head).rows(head))[0])


def kind_of(path: Path) -> Kind:
    """What the rows of a file are, by their columns. Raises FeedError for an unknown format.

    Comments name a product and hold a text, but neither a price nor a name of a product of
    their own. A file that a catalogue format of its own recognises holds products.
    """
    head = read_head(path)
    chosen = _format(head)
    if chosen.holds is not None:
        return chosen.holds
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
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    currency: str | None = None,
    progress: Progress | None = None,
) -> Iterator[Record]:
    """Stream the products of a file, or of every file in a folder, with their documents.

    `mapping` is field → column as given by `--map`; `currency` an ISO 4217 code for prices whose
    feed names none. A row that cannot be read comes back as RejectedRow; FeedError is raised for
    a file that cannot be read as a whole. `progress` is told of the bytes read.
    """
    if currency is not None and (currency := currency_code(currency)) is None:
        raise FeedError("--currency: write a three-letter code such as USD, EUR or CNY")
    for file in files_of(path):
        head = read_head(file)
        yield from _format(head).read(
            replace(head, progress=progress), mapping=mapping or {}, currency=currency
        )
