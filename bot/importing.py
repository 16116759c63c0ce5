"""One import of a shop: which path is what, in which order it is applied, and what came of it.

Knows nothing about formats (db.feeds) or tables (the stores).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Protocol, TypeVar

from bot.errors import ShopbotError
from db.catalog import MOST_WITHDRAWN
from db.errors import EmptyImport, StoreError
from db.feeds import (
    FeedError,
    Page,
    columns_of,
    kind_of,
    map_columns,
    parse_page,
    read_comments,
    read_orders,
    read_pages,
    read_policies,
    read_products,
)
from db.feeds.source import MARKDOWN_SUFFIXES, files_of
from db.feeds.text import match_key
from db.records import (
    Document,
    DocumentSource,
    ImportReport,
    Order,
    Product,
    RejectedRow,
)

T = TypeVar("T")

FEED_SUFFIXES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".xml", ".rss", ".atom"})


class ImportFailed(ShopbotError):
    """An import was refused as a whole; what stands in the database of that kind is unchanged."""


class Catalog(Protocol):
    """What an import needs of the catalogue's store."""

    def apply_products(
        self,
        products: Iterable[Product],
        *,
        partial: bool,
        may_withdraw_many: bool,
        now: datetime,
        most_withdrawn: float = MOST_WITHDRAWN,
    ) -> ImportReport: ...

    def apply_documents(
        self,
        documents: Iterable[Document],
        *,
        source: DocumentSource,
        partial: bool,
        now: datetime,
    ) -> ImportReport: ...

    def remember_mapping(self, feed: str, mapping: dict[str, str]) -> None: ...

    def mapping(self, feed: str) -> dict[str, str]: ...

    def resolve(self, key: str) -> Product | None: ...

    def products(self) -> Iterator[Product]: ...

    def documents(self, source: DocumentSource | None = None) -> Iterator[Document]: ...


class Orders(Protocol):
    """What an import needs of the orders' store."""

    def apply_orders(self, orders: Iterable[Order], *, now: datetime) -> ImportReport: ...


def import_shop(
    paths: Sequence[Path],
    *,
    catalog: Catalog,
    order_store: Orders,
    now: datetime,
    policies: Path | None = None,
    orders: Path | None = None,
    currency: str | None = None,
    mapping: Mapping[str, str] | None = None,
    partial: bool = False,
    yes: bool = False,
    most_withdrawn: float = MOST_WITHDRAWN,
    progress: Callable[[int, int], None] | None = None,
) -> list[ImportReport]:
    """Load what is named and nothing else; importing the same again changes nothing.

    The paths together are one shop: feeds, folders of product pages, files of comments, each told
    by its content. Of every kind that is given the import is whole unless `partial`: products
    that are missing are withdrawn (more than `most_withdrawn` only with `yes`), and so are pages, comments and
    policies. A page that is not given keeps telling what it told: a feed alone may be imported
    anew. Each kind is applied whole or not at all; raises ImportFailed with the one line to show.
    `progress` is told (bytes read, bytes of all feeds) while the feeds are read.
    """
    try:
        for path in filter(None, (*paths, policies, orders)):
            files_of(path)
        plan = _sorted(paths)
        run = _Run(
            catalog,
            now=now,
            partial=partial,
            yes=yes,
            most_withdrawn=most_withdrawn,
            progress=progress,
        )
        reports = run.paths(plan, currency=currency, mapping=dict(mapping or {}))
        if policies is not None:
            rejected: list[RejectedRow] = []
            documents = _kept(read_policies(policies), rejected)
            reports.append(run.documents(documents, "policy", rejected))
        if orders is not None:
            rejected = []
            report = order_store.apply_orders(_kept(read_orders(orders), rejected), now=now)
            reports.append(_with(report, rejected))
    except (FeedError, StoreError) as error:
        raise ImportFailed(str(error)) from error
    return reports


@dataclass(slots=True)
class _Plan:
    """The paths by what they are; `rejected` are files in folders that are none of these."""

    feeds: list[Path] = field(default_factory=list)
    pages: list[Path] = field(default_factory=list)
    comments: list[Path] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)


def _sorted(paths: Iterable[Path]) -> _Plan:
    plan = _Plan()
    for path in paths:
        files = files_of(path)
        if not files:
            raise FeedError(f"{path} is an empty folder")
        if any(file.suffix.lower() in MARKDOWN_SUFFIXES for file in files):
            plan.pages.append(path)
        for file in files:
            if file.suffix.lower() in MARKDOWN_SUFFIXES:
                continue
            try:
                kind = kind_of(file)
            except FeedError as error:
                if file == path or _is_named_a_feed(file):
                    raise
                # a read-me or a picture that lies beside the feeds
                plan.rejected.append(RejectedRow(file.name, f"is no feed and no page: {error}"))
                continue
            if kind == "orders":
                raise FeedError(f"{file.name} holds orders: give it as --orders {file}")
            (plan.comments if kind == "comments" else plan.feeds).append(file)
    return plan


def _is_named_a_feed(file: Path) -> bool:
    """Whether a file that cannot be read was meant to be one, so that the shop is not whole."""
    suffixes = [suffix.lower() for suffix in file.suffixes if suffix.lower() != ".gz"]
    return bool(suffixes) and suffixes[-1] in FEED_SUFFIXES


class _Run:
    """One import while it runs."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        now: datetime,
        partial: bool,
        yes: bool,
        most_withdrawn: float,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._catalog = catalog
        self._now = now
        self._partial = partial
        self._yes = yes
        self._most_withdrawn = most_withdrawn
        self._progress = progress

    def paths(
        self, plan: _Plan, *, currency: str | None, mapping: dict[str, str]
    ) -> list[ImportReport]:
        rejected = plan.rejected
        unjoined: list[RejectedRow] = []
        pages = list(_kept(chain.from_iterable(map(read_pages, plan.pages)), unjoined))
        maps = self._mappings(plan.feeds, mapping)
        page_texts: list[Document] = []
        comments: list[Document] = []

        total = sum(feed.stat().st_size for feed in plan.feeds)
        done = 0

        def count(read: int) -> None:
            nonlocal done
            done += read
            if self._progress is not None:
                self._progress(min(done, total), total)

        def fed() -> Iterator[Product]:
            for feed in plan.feeds:
                for record in read_products(
                    feed, mapping=maps[feed], currency=currency, progress=count
                ):
                    if isinstance(record, Product):
                        yield record
                    elif isinstance(record, RejectedRow):
                        rejected.append(record)
                    else:
                        (comments if record.source == "comment" else page_texts).append(record)

        reports: list[ImportReport] = []
        products: Iterable[Product]
        if plan.feeds or pages:
            if plan.feeds and pages:
                products, joined = _join(list(fed()), pages, unjoined)
            elif pages:
                products, joined = _join(self._without_old_pages(), pages, unjoined)
            else:
                products, joined = self._with_old_pages(fed()), []
            reports.append(self._products(products, rejected, whole=bool(plan.feeds)))
            page_texts += joined
        for feed, named in maps.items():
            if named:
                self._catalog.remember_mapping(feed.name, named)
        if plan.pages or page_texts:
            reports.append(self.documents(page_texts, "page", unjoined))
        if plan.comments or comments:
            refused: list[RejectedRow] = []
            read = _kept(chain.from_iterable(map(read_comments, plan.comments)), refused)
            known = self._resolved(read, refused)
            reports.append(self.documents(chain(comments, known), "comment", refused))
        if reports and not (plan.feeds or pages):
            reports[0] = _with(reports[0], rejected)
        if not reports and rejected:
            raise FeedError(f"nothing to import: {rejected[0].where} {rejected[0].reason}")
        return reports

    def documents(
        self, documents: Iterable[Document], source: DocumentSource, rejected: list[RejectedRow]
    ) -> ImportReport:
        report = self._catalog.apply_documents(
            documents, source=source, partial=self._partial, now=self._now
        )
        return _with(report, rejected)

    def _products(
        self, products: Iterable[Product], rejected: list[RejectedRow], *, whole: bool
    ) -> ImportReport:
        try:
            report = self._catalog.apply_products(
                products,
                partial=self._partial or not whole,
                may_withdraw_many=self._yes,
                now=self._now,
                most_withdrawn=self._most_withdrawn,
            )
        except EmptyImport as error:
            if not rejected:
                raise
            first = rejected[0]
            raise FeedError(
                f"no row could be read and nothing was changed; {first.where}: {first.reason}"
            ) from error
        return _with(report, rejected)

    def _mappings(self, feeds: Sequence[Path], given: dict[str, str]) -> dict[Path, dict[str, str]]:
        """Each feed's remembered map with the given one over it.

        A given entry goes to the feeds that have its column; one that no feed has is an error.
        """
        if given and not feeds:
            raise FeedError("--map belongs to a feed: name the feed's path too")
        columns = map_columns(given)
        placed: set[str] = set()
        maps: dict[Path, dict[str, str]] = {}
        for feed in feeds:
            present = columns_of(feed)
            here = {
                name
                for name, column in columns.items()
                if len(feeds) == 1 or {column, column.split(".")[0]} & set(present)
            }
            placed |= here
            maps[feed] = self._catalog.mapping(feed.name) | {name: given[name] for name in here}
        if missing := sorted(given.keys() - placed):
            name = missing[0]
            raise FeedError(f"--map {name}={given[name]}: no feed has the column {columns[name]!r}")
        return maps

    def _old_pages(self) -> dict[str, list[Page]]:
        found: dict[str, list[Page]] = {}
        for document in self._catalog.documents("page"):
            if document.product_id and not document.id.endswith("-details"):
                page = parse_page(document.markdown, name=document.id, where=document.id)
                found.setdefault(document.product_id, []).append(page)
        return found

    def _with_old_pages(self, products: Iterable[Product]) -> Iterator[Product]:
        old = self._old_pages()
        for product in products:
            for page in old.get(product.id, ()):
                product, _ = page.joined(product)  # noqa: PLW2901 - page upon page
            yield product

    def _without_old_pages(self) -> list[Product]:
        old = self._old_pages()
        products = []
        for product in self._catalog.products():
            for page in old.get(product.id, ()):
                product = page.parted(product)  # noqa: PLW2901 - page upon page
            products.append(product)
        return products

    def _resolved(
        self, comments: Iterable[Document], rejected: list[RejectedRow]
    ) -> Iterator[Document]:
        """The comments under the ids of their products; those on unknown products are rejected."""
        products: dict[str, Product | None] = {}
        for comment in comments:
            key = str(comment.product_id)
            if key not in products:
                products[key] = self._catalog.resolve(key)
            if (product := products[key]) is None:
                rejected.append(RejectedRow(comment.id, f"there is no product {key}"))
            else:
                yield replace(comment, title=product.title, product_id=product.id)


def _join(
    products: list[Product], pages: Iterable[Page], rejected: list[RejectedRow]
) -> tuple[list[Product], list[Document]]:
    """The products with what their pages say, and the pages as documents of their products.

    A page is joined by the first of its ids that names a product, else by a title that only one
    product has.
    """
    by_id: dict[str, int] = {}
    by_title: dict[str, list[int]] = {}
    for number, product in enumerate(products):
        by_title.setdefault(match_key(product.title), []).append(number)
        by_id.setdefault(product.id.casefold(), number)
    for number, product in enumerate(products):
        for alias in product.aliases:
            by_id.setdefault(alias.casefold(), number)
    documents = []
    for page in pages:
        found = next((by_id[i.casefold()] for i in page.ids if i.casefold() in by_id), None)
        if found is None:
            hits = next((by_title[title] for title in page.titles if title in by_title), [])
            if len(hits) != 1:
                reason = (
                    f"its title belongs to {len(hits)} products" if hits else "joins no product"
                )
                rejected.append(
                    RejectedRow(page.where, f"{reason}: put the product's id in the file's name")
                )
                continue
            found = hits[0]
        products[found], document = page.joined(products[found])
        documents.append(document)
    return products, documents


def _kept(records: Iterable[T | RejectedRow], rejected: list[RejectedRow]) -> Iterator[T]:
    """The records that could be read; the others go to `rejected` as they come."""
    for record in records:
        if isinstance(record, RejectedRow):
            rejected.append(record)
        else:
            yield record


def _with(report: ImportReport, rejected: Iterable[RejectedRow]) -> ImportReport:
    return replace(report, rejected=(*rejected, *report.rejected))
