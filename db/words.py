"""The words of turns, searched: FTS5 on SQLite, text search on PostgreSQL.

Both index the words they are given and cut nothing further: neither splits Chinese, so whoever keeps
a turn cuts it into words, and cuts what is looked for in the same way. The index is no table of
SQLAlchemy's; it is made by a migration. Knows nothing about how texts are cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import BigInteger, Connection, Select, bindparam, literal_column, select, text

from db.columns import storable

MOST = 2000  # words of one turn
_ID = BigInteger()
# a word of SQLite's tokeniser: it would cut at anything else, and cut both sides differently
_CUTS = re.compile(r"[\W_]+")


def keep(connection: Connection, turn_id: int, words: Iterable[str]) -> None:
    """Index a turn under these words, in place of those it had."""
    cut = _clean(words)
    if connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM turn_words WHERE rowid = :id"), {"id": turn_id})
        connection.execute(
            text("INSERT INTO turn_words (rowid, words) VALUES (:id, :words)"),
            {"id": turn_id, "words": " ".join(cut)},
        )
        return
    connection.execute(
        text(
            "INSERT INTO turn_words (turn_id, words) VALUES (:id, array_to_tsvector(:words)) "
            "ON CONFLICT (turn_id) DO UPDATE SET words = excluded.words"
        ),
        {"id": turn_id, "words": list(dict.fromkeys(cut))},
    )


def turns_with(connection: Connection, words: Iterable[str]) -> Select[int] | None:
    """The ids of turns that hold all of these words, the last one also as a beginning.

    None where nothing remains to look for.
    """
    cut = _clean(words)
    if not cut:
        return None
    if connection.dialect.name == "sqlite":
        asked = " AND ".join(f'"{word}"' for word in cut) + " *"
        where = text("turn_words MATCH :asked").bindparams(bindparam("asked", asked))
        return select(literal_column("rowid", _ID)).select_from(text("turn_words")).where(where)
    asked = " & ".join(f"'{word}'" for word in cut) + ":*"
    where = text("words @@ CAST(:asked AS tsquery)").bindparams(bindparam("asked", asked))
    return select(literal_column("turn_id", _ID)).select_from(text("turn_words")).where(where)


def forget_erased(connection: Connection) -> None:
    """Rewrite the index without the words of erased turns, which FTS5 keeps until it merges."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO turn_words (turn_words) VALUES ('optimize')"))


def unindexed(connection: Connection, most: int) -> list[int]:
    """Turns without words, the oldest first: those of a release that kept none."""
    column = "rowid" if connection.dialect.name == "sqlite" else "turn_id"
    found = connection.execute(
        text(
            f"SELECT id FROM turns WHERE id NOT IN (SELECT {column} FROM turn_words) "  # noqa: S608
            "ORDER BY id LIMIT :most"
        ),
        {"most": most},
    )
    return [int(row[0]) for row in found]


def _clean(words: Iterable[str]) -> list[str]:
    """Words of letters and digits alone, so that no engine reads an operator or cuts again."""
    parts = (part for word in words for part in _CUTS.split(storable(word).casefold()))
    return [part for part in parts if part][:MOST]
