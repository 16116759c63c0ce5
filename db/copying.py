"""A whole database as files and back: SQLite by its online backup, PostgreSQL table by table.

A copy is one state of the shop, whatever is written meanwhile. Knows nothing about archives, and of
the tables only what the database itself says.
"""

from __future__ import annotations

import base64
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, insert, select, text

from db.engine import Database, migrate_to

_VERSIONS = "alembic_version"
_ROWS = 500  # written at once


def copy_sqlite(database: Database, into: Path) -> None:
    """Copies a SQLite database that others write to into a new file, readable by its owner only."""
    os.close(os.open(into, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with database.engine.connect() as connection, closing(sqlite3.connect(into)) as copy:
        connection.info["no_begin"] = True
        try:
            # in one step: what is written meanwhile goes on, and is not in the copy
            connection.connection.driver_connection.backup(copy)  # type: ignore[union-attr]
        finally:
            connection.info.pop("no_begin", None)
        copy.execute("PRAGMA journal_mode = DELETE")


def sqlite_counts(path: Path) -> tuple[str, dict[str, int]]:
    """Schema revision and rows of each table in a SQLite file that nobody writes to.

    Raises sqlite3.DatabaseError for what is no sound database.
    """
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("damaged")
        (revision,) = connection.execute(f"SELECT version_num FROM {_VERSIONS}").fetchone()
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return revision, {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for (name,) in sorted(names)
            if name != _VERSIONS
        }


def in_use(path: Path) -> bool:
    """Whether another process has a SQLite database open."""
    if not path.exists():
        return False
    with closing(sqlite3.connect(path, timeout=0)) as connection:
        try:
            # needs the file to itself, which nobody gets while it is open elsewhere
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.rollback()
        except sqlite3.OperationalError as error:
            return "locked" in str(error)
        except sqlite3.DatabaseError:
            return False
    return False


def dump(database: Database, folder: Path) -> tuple[str, dict[str, int]]:
    """Writes every table of a PostgreSQL database as `NAME.jsonl`, all in one state of it.

    Returns schema revision and rows of each table. `sequences.json` holds the last numbers given.
    """
    counts: dict[str, int] = {}
    with database.engine.connect().execution_options(
        isolation_level="REPEATABLE READ"
    ) as connection:
        revision = str(
            connection.execute(text(f"SELECT version_num FROM {_VERSIONS}")).scalar_one()
        )
        for table in _tables(connection):
            query = select(table).execution_options(yield_per=_ROWS)
            with (folder / f"{table.name}.jsonl").open("w", encoding="utf-8") as file:
                counts[table.name] = 0
                for row in connection.execute(query):
                    file.write(json.dumps([_written(value) for value in row]) + "\n")
                    counts[table.name] += 1
        given: dict[str, int | None] = {
            row.sequencename: row.last_value for row in connection.execute(_SEQUENCES)
        }
        (folder / "sequences.json").write_text(json.dumps(given), "utf-8")
    return revision, counts


_SEQUENCES = text(
    "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()"
)


def is_empty(database: Database) -> bool:
    """Whether a PostgreSQL database has no tables of a shop yet."""
    with database.engine.connect() as connection:
        return not _tables(connection)


@contextmanager
def loaded(database: Database, folder: Path, *, revision: str) -> Iterator[None]:
    """Puts what `dump` wrote in place of all tables; kept when the block ends, undone if it raises."""
    with database.write() as connection:
        database.lock(connection)
        old = MetaData()
        old.reflect(connection)
        old.drop_all(connection)
        migrate_to(connection, revision)
        for table in _tables(connection):
            with (folder / f"{table.name}.jsonl").open(encoding="utf-8") as file:
                rows = (dict(zip(table.c.keys(), _read(line), strict=True)) for line in file)
                while some := list(islice(rows, _ROWS)):
                    connection.execute(insert(table), some)
        given = json.loads((folder / "sequences.json").read_text("utf-8"))
        known = {name for name, _ in connection.execute(_SEQUENCES)}
        for name in known & given.keys():
            if given[name] is not None:
                connection.execute(
                    text("SELECT setval(CAST(:name AS regclass), :last)"),
                    {"name": name, "last": int(given[name])},
                )
        migrate_to(connection, "head")
        yield


def _tables(connection: Connection) -> list[Table]:
    """The tables that are there, those that are referred to first."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != _VERSIONS]


def _written(value: Any) -> Any:
    """A value as JSON, of which each kind can be told."""
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, bytes | memoryview):
        return {"bytes": base64.b64encode(bytes(value)).decode("ascii")}
    return value


def _read(line: str) -> list[Any]:
    return [_value(value) for value in json.loads(line)]


def _value(value: Any) -> Any:
    match value:
        case {"time": str(told)}:
            return datetime.fromisoformat(told)
        case {"day": str(told)}:
            return date.fromisoformat(told)
        case {"bytes": str(told)}:
            return base64.b64decode(told)
    return value
