"""What agents think of replies: verdicts, reasons, corrections.

Every review stays and the newest of a turn counts. Knows nothing about what may be corrected.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast, get_args

from sqlalchemy import Row, func, insert, select

from db.accounts import User
from db.engine import Database
from db.errors import UnknownTurn
from db.tables import reviews, turns

Verdict = Literal["good", "bad"]
Reason = Literal[
    "incorrect",
    "irrelevant",
    "incomplete",
    "outdated",
    "tone",
    "unsafe",
    "wrong_product",
    "should_have_handed_over",
    "other",
]
REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Review:
    """`correction` is what should have been said; `seen_id` the newest review its author had seen."""

    id: int
    turn_id: int
    user_name: str
    verdict: Verdict
    reason: Reason | None
    correction: str | None
    seen_id: int | None
    created_at: datetime


class ReviewStore:
    """The reviews of one shop's turns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        turn_id: int,
        *,
        user: User | None,
        verdict: Verdict,
        reason: Reason | None = None,
        correction: str | None = None,
        seen_id: int | None = None,
        now: datetime,
    ) -> tuple[Review, list[Review]]:
        """Keep a review; returns it, and those its author had not seen when they wrote it.

        `user` None is the owner at the command line. Two reviews at once follow each other, neither
        is lost. Raises UnknownTurn.
        """
        row = {
            "turn_id": turn_id,
            "user_id": user.id if user else None,
            "user_name": user.name if user else "command line",
            "verdict": verdict,
            "reason": reason,
            "correction": correction,
            "seen_id": seen_id,
            "created_at": now,
        }
        with self._database.write() as connection:
            # the turn is locked, so that the later of two sees the earlier on PostgreSQL too
            found = connection.execute(
                select(turns.c.id).where(turns.c.id == turn_id).with_for_update()
            ).first()
            if found is None:
                raise UnknownTurn(turn_id)
            unseen = connection.execute(
                select(reviews)
                .where(reviews.c.turn_id == turn_id, reviews.c.id > (seen_id or 0))
                .order_by(reviews.c.id)
            ).all()
            kept = connection.execute(insert(reviews).values(row).returning(reviews)).one()
        return _review(kept), [_review(one) for one in unseen]

    def of_turn(self, turn_id: int) -> list[Review]:
        """The reviews of a turn, the newest first."""
        query = select(reviews).where(reviews.c.turn_id == turn_id).order_by(reviews.c.id.desc())
        with self._database.read() as connection:
            return [_review(row) for row in connection.execute(query)]

    def standing(self, turn_ids: Iterable[int] | None = None) -> list[Review]:
        """The newest review of each turn (of these turns), in the order of the turns."""
        newest = select(func.max(reviews.c.id)).group_by(reviews.c.turn_id)
        if turn_ids is not None:
            newest = newest.where(reviews.c.turn_id.in_(list(turn_ids)))
        query = select(reviews).where(reviews.c.id.in_(newest)).order_by(reviews.c.turn_id)
        with self._database.read() as connection:
            return [_review(row) for row in connection.execute(query)]


def _review(row: Row[Any]) -> Review:
    return Review(
        row.id,
        row.turn_id,
        row.user_name,
        cast(Verdict, row.verdict),
        cast("Reason | None", row.reason),
        row.correction,
        row.seen_id,
        row.created_at,
    )
