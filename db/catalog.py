"""What the shop sells and says: products, documents and their passages.

Knows nothing about how a feed is read or how anything is searched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    Table,
    delete,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)

from db import tables
from db.catalog_rows import (
    DOCUMENT_COLUMNS,
    PASSAGE_COLUMNS,
    PRODUCT_COLUMNS,
    document_rows,
    passage_row,
    product_rows,
    read_document,
    read_passage,
    read_product,
)
from db.columns import storable
from db.engine import Database
from db.errors import EmptyImport, WithdrawalTooLarge
from db.records import Document, DocumentSource, ImportReport, Passage, Product, RejectedRow
from db.staging import (
    BATCH,
    content_hash,
    count_rows,
    fits_key,
    insert_new,
    log_import,
    same_key,
    staged,
    update_changed,
)

# More than this share of the catalogue gone at once is more often a broken feed than a decision.
MOST_WITHDRAWN = 0.30
_CONFIRMED = "confirmed"  # a note among the imports: the feed was looked at and had not changed
_AT_ONCE = 500  # ids in one query; engines bound how many it may name

_KINDS: Mapping[DocumentSource, str] = {
    "policy": "policies",
    "page": "pages",
    "comment": "comments",
}


class CatalogStore:
    """The catalogue of one shop. Imports stream; each is kept whole or not at all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- imports --------------------------------------------------------------------------------

    def apply_products(
        self,
        products: Iterable[Product],
        *,
        partial: bool,
        may_withdraw_many: bool,
        now: datetime,
        most_withdrawn: float = MOST_WITHDRAWN,
    ) -> ImportReport:
        """Take over `products`, reading them in batches; importing the same again changes nothing.

        What a complete import lacks is withdrawn, which keeps the record; what returns is active
        again. Of several products with one id the first is kept and the others are rejected.
        Raises EmptyImport for a complete import without a product, and WithdrawalTooLarge when
        more than `most_withdrawn` of the active products would go and `may_withdraw_many` is not
        given; then, and when `products` itself raises, nothing has changed.
        """
        rejected: list[RejectedRow] = []
        with (
            self._database.engine.connect() as connection,
            staged(
                connection,
                tables.products,
                product_rows(products, rejected),
                columns=PRODUCT_COLUMNS,
                key=["id"],
            ) as incoming,
            self._database.writing(connection),
        ):
            self._database.lock(connection)
            total = count_rows(connection, incoming)
            if not total and not partial:
                raise EmptyImport
            active = count_rows(connection, tables.products, ~tables.products.c.withdrawn)
            changed = update_changed(
                connection,
                tables.products,
                incoming,
                key=["id"],
                or_when=tables.products.c.withdrawn,
                withdrawn=False,
                changed_at=now,
            )
            added = insert_new(
                connection, tables.products, incoming, key=["id"], withdrawn=False, changed_at=now
            )
            withdrawn = 0 if partial else _withdraw_missing(connection, incoming, now=now)
            if withdrawn > most_withdrawn * active and not may_withdraw_many:
                raise WithdrawalTooLarge(withdrawn=withdrawn, active=active)
            _renew_keys(connection, changed_at=now)
            report = ImportReport(
                kind="products",
                added=added,
                changed=changed,
                unchanged=total - added - changed,
                withdrawn=withdrawn,
                rejected=tuple(rejected),
            )
            log_import(connection, report, now=now)
        return report

    def apply_documents(
        self,
        documents: Iterable[Document],
        *,
        source: DocumentSource,
        partial: bool,
        now: datetime,
    ) -> ImportReport:
        """Take over the documents of one `source`; what a complete import lacks is deleted.

        The deleted ones are counted as `withdrawn`. Raises ValueError for a document of another
        source.
        """
        rejected: list[RejectedRow] = []
        key = ["source", "id"]
        with (
            self._database.engine.connect() as connection,
            staged(
                connection,
                tables.documents,
                document_rows(documents, source, rejected),
                columns=DOCUMENT_COLUMNS,
                key=key,
            ) as incoming,
            self._database.writing(connection),
        ):
            self._database.lock(connection)
            changed = update_changed(connection, tables.documents, incoming, key=key)
            added = insert_new(connection, tables.documents, incoming, key=key)
            deleted = 0
            if not partial:
                present = (
                    select(incoming.c.id).where(incoming.c.id == tables.documents.c.id).exists()
                )
                deleted = connection.execute(
                    delete(tables.documents).where(tables.documents.c.source == source, ~present)
                ).rowcount
            report = ImportReport(
                kind=_KINDS[source],
                added=added,
                changed=changed,
                unchanged=count_rows(connection, incoming) - added - changed,
                withdrawn=deleted,
                rejected=tuple(rejected),
            )
            log_import(connection, report, now=now)
        return report

    def replace_passages(self, passages: Iterable[Passage]) -> None:
        """Let `passages` be all passages, in their order. Raises IntegrityError for equal ids."""
        with (
            self._database.engine.connect() as connection,
            staged(
                connection,
                tables.passages,
                map(passage_row, passages),
                columns=PASSAGE_COLUMNS,
                key=["id"],
            ) as incoming,
            self._database.writing(connection),
        ):
            self._database.lock(connection)
            connection.execute(delete(tables.passages))
            insert_new(connection, tables.passages, incoming, key=["id"])

    # ---- look-ups -------------------------------------------------------------------------------

    def product(self, id: str) -> Product | None:
        """The product with exactly this id, withdrawn ones included."""
        with self._database.read() as connection:
            row = connection.execute(
                select(tables.products).where(tables.products.c.id == id)
            ).first()
        return None if row is None else read_product(row)

    def resolve(self, key: str) -> Product | None:
        """The product that `key` names, whatever its case: by id before alias, active first."""
        query = (
            select(tables.products)
            .join(
                tables.product_keys,
                tables.product_keys.c.product_number == tables.products.c.number,
            )
            .where(tables.product_keys.c.key == _fold(key))
            .order_by(
                (tables.products.c.id == key).desc(),
                tables.product_keys.c.is_id.desc(),
                tables.products.c.withdrawn,
                tables.products.c.number,
            )
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else read_product(row)

    def products(self, *, include_withdrawn: bool = False) -> Iterator[Product]:
        """All products in the order they first came, read as they are asked for."""
        query = select(tables.products).order_by(tables.products.c.number)
        if not include_withdrawn:
            query = query.where(~tables.products.c.withdrawn)
        return map(read_product, self._stream(query))

    def products_of(self, ids: Iterable[str]) -> Iterator[Product]:
        """The products with these ids, in the order of `ids`; unknown ones are left out."""
        wanted = list(ids)
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            query = select(tables.products).where(tables.products.c.id.in_(some))
            with self._database.read() as connection:
                found = {row.id: read_product(row) for row in connection.execute(query)}
            yield from (found[id] for id in some if id in found)

    def records(self) -> Iterator[tuple[str, str]]:
        """Id and content hash of the active products, in the order of `products()`."""
        query = (
            select(tables.products.c.id, tables.products.c.content_hash)
            .where(~tables.products.c.withdrawn)
            .order_by(tables.products.c.number)
        )
        return ((row.id, row.content_hash) for row in self._stream(query))

    def count(self) -> int:
        """The number of active products."""
        with self._database.read() as connection:
            return count_rows(connection, tables.products, ~tables.products.c.withdrawn)

    def documents(self, source: DocumentSource | None = None) -> Iterator[Document]:
        """The documents of one source, or all, in the order they first came."""
        query = select(tables.documents).order_by(tables.documents.c.number)
        if source is not None:
            query = query.where(tables.documents.c.source == source)
        return map(read_document, self._stream(query))

    def passages(self) -> Iterator[Passage]:
        """All passages in the order they were given."""
        return map(
            read_passage, self._stream(select(tables.passages).order_by(tables.passages.c.number))
        )

    def passage(self, id: str) -> Passage | None:
        with self._database.read() as connection:
            row = connection.execute(
                select(tables.passages).where(tables.passages.c.id == id)
            ).first()
        return None if row is None else read_passage(row)

    def passages_of(self, product_id: str) -> list[Passage]:
        """The passages of one product's pages and comments, in the order they were given."""
        query = (
            select(tables.passages)
            .where(tables.passages.c.product_id == product_id)
            .order_by(tables.passages.c.number)
        )
        with self._database.read() as connection:
            return [read_passage(row) for row in connection.execute(query)]

    # ---- the catalogue as a whole ---------------------------------------------------------------

    def digest(self) -> str:
        """SHA-256 (hexadecimal) of the active products and all documents; an index keeps it."""
        product = select(
            literal("product").label("source"), tables.products.c.id, tables.products.c.content_hash
        ).where(~tables.products.c.withdrawn)
        document = select(
            tables.documents.c.source, tables.documents.c.id, tables.documents.c.content_hash
        )
        with self._database.read() as connection:
            # Sorted here: the engines order text differently.
            rows = sorted(tuple(row) for row in connection.execute(union_all(product, document)))
        return content_hash({"rows": rows})

    def imported_at(self) -> datetime | None:
        """When products were last imported, or found to be the feed's still; None before that."""
        with self._database.read() as connection:
            moment: datetime | None = connection.execute(
                select(func.max(tables.imports.c.finished_at)).where(
                    tables.imports.c.kind.in_(["products", _CONFIRMED])
                )
            ).scalar_one()
        return moment

    def last_import(self) -> int:
        """The number of the last import of products, 0 before the first; tells whose it was."""
        with self._database.read() as connection:
            number: int | None = connection.execute(
                select(func.max(tables.imports.c.number)).where(tables.imports.c.kind == "products")
            ).scalar_one()
        return number or 0

    def confirm(self, *, now: datetime) -> None:
        """Note that the feed holds what was imported last; only the latest such note is kept."""
        with self._database.write() as connection:
            self._database.lock(connection)
            connection.execute(delete(tables.imports).where(tables.imports.c.kind == _CONFIRMED))
            log_import(connection, ImportReport(kind=_CONFIRMED), now=now)

    def remember_mapping(self, feed: str, mapping: dict[str, str]) -> None:
        """Keep which column of `feed` each field comes from, instead of what was kept before."""
        with self._database.write() as connection:
            self._database.lock(connection)
            connection.execute(
                delete(tables.feed_mappings).where(tables.feed_mappings.c.feed == feed)
            )
            connection.execute(insert(tables.feed_mappings).values(feed=feed, mapping=mapping))

    def mapping(self, feed: str) -> dict[str, str]:
        """What `remember_mapping` kept for `feed`; empty when nothing was."""
        with self._database.read() as connection:
            mapping = connection.execute(
                select(tables.feed_mappings.c.mapping).where(tables.feed_mappings.c.feed == feed)
            ).scalar_one_or_none()
        return mapping or {}

    def _stream(self, query: Select[Any]) -> Iterator[Row[Any]]:
        with self._database.read() as connection:
            yield from connection.execute(query.execution_options(yield_per=BATCH))


def _withdraw_missing(connection: Connection, incoming: Table, *, now: datetime) -> int:
    present = select(incoming.c.id).where(same_key(tables.products, incoming, ["id"])).exists()
    gone = update(tables.products).where(~tables.products.c.withdrawn, ~present)
    return connection.execute(gone.values(withdrawn=True, changed_at=now)).rowcount


def _renew_keys(connection: Connection, *, changed_at: datetime) -> None:
    """Write anew which names lead to the products that changed at that moment."""
    changed = tables.products.c.changed_at == changed_at
    connection.execute(
        delete(tables.product_keys).where(
            tables.product_keys.c.product_number.in_(
                select(tables.products.c.number).where(changed)
            )
        )
    )
    named = select(tables.products.c.number, tables.products.c.id, tables.products.c.aliases).where(
        changed
    )
    for rows in connection.execute(named.execution_options(yield_per=BATCH)).partitions():
        keys = [
            {"key": key, "product_number": row.number, "is_id": key == _fold(row.id)}
            for row in rows
            for key in {_fold(name) for name in (row.id, *row.aliases)}
            if key and fits_key(key)
        ]
        connection.execute(insert(tables.product_keys), keys)


def _fold(name: str) -> str:
    return storable(name).strip().casefold()
