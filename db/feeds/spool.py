"""Rows put together by key on the disk, so that a group may stand anywhere in a file of any size.

Knows nothing about formats.
"""

from __future__ import annotations

import itertools
import pickle
import sqlite3
from collections.abc import Iterable, Iterator
from types import TracebackType

from db.feeds.rows import Row

_BATCH = 1_000


class Spool:
    """Rows under keys, in a temporary database that goes with this object; a context manager."""

    def __enter__(self) -> Spool:
        # An empty name is a private file, unlinked by SQLite, that only grows beyond its cache.
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.executescript(
            "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; PRAGMA temp_store = FILE;"
            "CREATE TABLE rows (position INTEGER PRIMARY KEY, key TEXT, place TEXT, data BLOB);"
            "CREATE TABLE names (name TEXT PRIMARY KEY, key TEXT) WITHOUT ROWID;"
            "BEGIN"
        )
        self._waiting: list[tuple[str, str, bytes]] = []
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        self._base.close()

    def put(self, key: str, row: Row, names: Iterable[str] = ()) -> None:
        """Keep a row; rows put under one of `names` join the group of `key`."""
        self._waiting.append((key, row.where, pickle.dumps(row.cells, pickle.HIGHEST_PROTOCOL)))
        self._base.executemany(
            "INSERT OR IGNORE INTO names VALUES (?, ?)", ((name, key) for name in names)
        )
        if len(self._waiting) >= _BATCH:
            self._write()

    def groups(self) -> Iterator[list[Row]]:
        """The rows of each key in their order, the groups in the order of their first rows."""
        self._write()
        self._base.executescript(
            "UPDATE rows SET key = (SELECT n.key FROM names n WHERE n.name = rows.key)"
            " WHERE key IN (SELECT name FROM names);"
            "CREATE TABLE firsts AS SELECT key, min(position) AS first FROM rows GROUP BY key;"
            "CREATE UNIQUE INDEX by_key ON firsts (key)"
        )
        found = self._base.execute(
            "SELECT first, place, data FROM rows JOIN firsts USING (key) ORDER BY first, position"
        )
        for _, members in itertools.groupby(found, key=lambda row: row[0]):
            # only what `put` wrote, in a file that no other process can open
            yield [Row(place, pickle.loads(data)) for _, place, data in members]

    def _write(self) -> None:
        self._base.executemany(
            "INSERT INTO rows (key, place, data) VALUES (?, ?, ?)", self._waiting
        )
        self._waiting.clear()
