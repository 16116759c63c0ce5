"""The training sets that were written, which turns are in them, and which models learned from them.

Knows nothing about what such a set looks like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from db.engine import Database
from db.tables import export_turns, exports


@dataclass(frozen=True, slots=True)
class Export:
    """A training set in the folder `path`; `erased_turns` of its turns were erased since."""

    id: int
    path: str
    digest: str
    counts: dict[str, Any]
    erased_turns: int
    user_name: str
    created_at: datetime


class ExportStore:
    """The training sets of one shop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        *,
        path: str,
        digest: str,
        counts: dict[str, Any],
        turns: Sequence[tuple[int, int]],
        user_name: str,
        now: datetime,
    ) -> Export:
        """Keep that a set was written; `turns` are (turn id, conversation id)."""
        row = {
            "path": path,
            "digest": digest,
            "counts": counts,
            "erased_turns": 0,
            "user_name": user_name,
            "created_at": now,
        }
        with self._database.write() as connection:
            kept = _export(connection.execute(insert(exports).values(row).returning(exports)).one())
            if turns:
                connection.execute(
                    insert(export_turns),
                    [
                        {"export_id": kept.id, "turn_id": turn, "conversation_id": conversation}
                        for turn, conversation in turns
                    ],
                )
        return kept

    def all(self) -> list[Export]:
        """Every set, the newest first."""
        return self._select()

    def by_digest(self, digest: str) -> Export | None:
        """The newest set with these files."""
        found = self._select(exports.c.digest == digest)
        return found[0] if found else None

    def holding(self, conversation_id: int) -> list[Export]:
        """The sets that turns of this conversation were written to, erased or not."""
        held = select(export_turns.c.export_id).where(
            export_turns.c.conversation_id == conversation_id
        )
        return self._select(exports.c.id.in_(held))

    def _select(self, *where: ColumnElement[bool]) -> list[Export]:
        query = select(exports).where(*where).order_by(exports.c.id.desc())
        with self._database.read() as connection:
            return [_export(row) for row in connection.execute(query)]


def mark_erased(connection: Connection, conversation_id: int) -> None:
    """Count the turns of a conversation that is about to be erased in each set that holds them."""
    counted = connection.execute(
        select(export_turns.c.export_id, func.count())
        .where(export_turns.c.conversation_id == conversation_id)
        .group_by(export_turns.c.export_id)
    )
    for export_id, turns in counted.all():
        connection.execute(
            update(exports)
            .where(exports.c.id == export_id)
            .values(erased_turns=exports.c.erased_turns + turns)
        )


def _export(row: Row[Any]) -> Export:
    return Export(**row._mapping)
