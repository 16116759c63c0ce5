"""A stream of rows laid beside the table it belongs to, then compared with it in SQL.

The rows go to a temporary table of the connection, so a feed of any size is read in small batches,
without holding the shop's tables locked while it is read. Knows nothing about what a row means.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Table,
    UniqueConstraint,
    and_,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.schema import CreateTable, DropTable

from db.columns import RowNumber, money_text, storable
from db.records import ImportReport, Money
from db.tables import imports

BATCH = 500
# PostgreSQL indexes at most 2,700 bytes of a row.
_LONGEST_KEY = 2_000


@contextmanager
def staged(
    connection: Connection,
    target: Table,
    rows: Iterable[Mapping[str, Any]],
    *,
    columns: Sequence[str],
    key: Sequence[str],
) -> Iterator[Table]:
    """A temporary table with the named `columns` of `target`, holding `rows` in their order.

    Equal values under `key` raise IntegrityError. `connection` is in no transaction before, within
    and after the block, unless one is begun there.
    """
    table = Table(
        f"incoming_{target.name}",
        MetaData(),
        Column("position", RowNumber, primary_key=True, autoincrement=True),
        *(Column(name, target.c[name].type) for name in columns),
        # Also the index without which SQLite compares every row with every other.
        UniqueConstraint(*key),
        prefixes=["TEMPORARY"],
    )
    with connection.begin():
        connection.execute(CreateTable(table))
    try:
        with connection.begin():
            for batch in _batches(rows):
                connection.execute(insert(table), batch)
        yield table
    finally:
        with connection.begin():
            connection.execute(DropTable(table))


def update_changed(
    connection: Connection,
    target: Table,
    incoming: Table,
    *,
    key: Sequence[str],
    or_when: ColumnElement[bool] | None = None,
    **values: Any,
) -> int:
    """Copy the incoming rows whose hash differs (or `or_when` holds) over those of the same key.

    `values` are set besides. Returns the number of rows that changed.
    """
    differs = target.c.content_hash != incoming.c.content_hash
    changed = connection.execute(
        update(target)
        .where(
            same_key(target, incoming, key), differs if or_when is None else or_(differs, or_when)
        )
        .values({name: incoming.c[name] for name in _columns(incoming)} | values)
    )
    return int(changed.rowcount)


def insert_new(
    connection: Connection, target: Table, incoming: Table, *, key: Sequence[str], **values: Any
) -> int:
    """Add the incoming rows whose key `target` has not, in their order; returns their number."""
    names = _columns(incoming)
    known = select(target.c[key[0]]).where(same_key(target, incoming, key)).exists()
    new = select(
        *(incoming.c[name] for name in names),
        *(literal(value, target.c[name].type) for name, value in values.items()),
    )
    added = connection.execute(
        insert(target).from_select(
            [*names, *values], new.where(~known).order_by(incoming.c.position)
        ),
        execution_options={"preserve_rowcount": True},
    )
    return int(added.rowcount)


def same_key(target: Table, incoming: Table, key: Sequence[str]) -> ColumnElement[bool]:
    return and_(*(target.c[name] == incoming.c[name] for name in key))


def count_rows(connection: Connection, table: Table, *where: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one()


def content_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 (hexadecimal) of everything a row says, equal for equal rows in every process."""
    text = json.dumps(row, sort_keys=True, ensure_ascii=False, default=_plain)
    return hashlib.sha256(storable(text).encode()).hexdigest()


def key_refusal(key: str) -> str | None:
    """Why `key` cannot name a row, in words for the owner; None when it can."""
    if not storable(key).strip():
        return "the id is blank"
    if not fits_key(key):
        return f"the id is longer than {_LONGEST_KEY} bytes"
    return None


def fits_key(key: str) -> bool:
    """Whether both engines can index `key`."""
    return len(storable(key).encode()) <= _LONGEST_KEY


def log_import(connection: Connection, report: ImportReport, *, now: datetime) -> None:
    """Note in the list of imports what one did, and when it was finished."""
    connection.execute(
        insert(imports).values(
            kind=report.kind,
            finished_at=now,
            added=report.added,
            changed=report.changed,
            unchanged=report.unchanged,
            withdrawn=report.withdrawn,
            rejected=len(report.rejected),
        )
    )


def _columns(incoming: Table) -> list[str]:
    return [column.name for column in incoming.c if column.name != "position"]


def _batches(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def _plain(value: object) -> str:
    if isinstance(value, Money):
        return money_text(value)
    if isinstance(value, Decimal | date):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no text of its own")
