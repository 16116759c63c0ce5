"""The queue of the desk: turns that want an agent's eye, found by what they are and what they say.

Knows nothing about how words are cut or what a low score is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Connection, Select, false, func, not_, select

from db.engine import Database
from db.tables import conversations, desk, feedback, reviews, turn_products, turns, users
from db.words import keep, turns_with, unindexed

Kind = Literal[
    "all",
    "unreviewed",
    "thumbs_down",
    "fallback",
    "low_score",
    "handed_over",
    "waiting",
    "corrected",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which turns: all that is given must hold. `words` are cut as the turns were; `below` is the
    score under which retrieval counts as weak; `until` is exclusive."""

    kind: Kind = "all"
    intent: str | None = None
    language: str | None = None
    product_id: str | None = None
    assigned_to: int | None = None
    tag: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: tuple[str, ...] = ()
    below: float = 0.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One turn in the queue; `verdict` is that of its newest review."""

    turn_id: int
    conversation_id: int
    user_text: str
    reply_text: str
    intent: str
    language: str
    fallback: bool
    best_score: float | None
    score: int | None
    verdict: str | None
    assigned_to: str | None
    created_at: datetime


class QueueStore:
    """The queue over the turns of one shop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(self, asked: Asked, *, most: int = 50, before: int | None = None) -> list[Entry]:
        """The newest `most` turns that were asked for, from before the turn of this id."""
        with self._database.read() as connection:
            query = select(turns.c.id).where(*_where(connection, asked))
            if before is not None:
                query = query.where(turns.c.id < before)
            found = connection.execute(query.order_by(turns.c.id.desc()).limit(most))
            return _entries(connection, list(found.scalars()))

    def following(self, asked: Asked, turn_id: int) -> int | None:
        """The next turn of the queue after this one, which is the next older one."""
        found = self.entries(asked, most=1, before=turn_id)
        return found[0].turn_id if found else None

    def counts(self, asked: Asked) -> dict[Kind, int]:
        """How many turns there are of each kind, within whatever else is asked."""
        with self._database.read() as connection:
            return {
                kind: int(
                    connection.execute(
                        select(func.count())
                        .select_from(turns)
                        .where(*_where(connection, replace(asked, kind=kind)))
                    ).scalar_one()
                )
                for kind in KINDS
            }

    def intents(self) -> list[str]:
        """Every intent that occurred, in alphabetic order."""
        with self._database.read() as connection:
            query = select(turns.c.intent).distinct().order_by(turns.c.intent)
            return list(connection.execute(query).scalars())

    def unindexed(self, most: int = 500) -> list[tuple[int, str, str, str]]:
        """Turns without words: id, language, what was asked, what was replied."""
        with self._database.read() as connection:
            ids = unindexed(connection, most)
            query = select(turns.c.id, turns.c.language, turns.c.user_text, turns.c.reply_text)
            found = connection.execute(query.where(turns.c.id.in_(ids)).order_by(turns.c.id))
            return [(row.id, row.language, row.user_text, row.reply_text) for row in found]

    def keep_words(self, words: Iterable[tuple[int, Iterable[str]]]) -> None:
        """Index turns under their words; those that were erased meanwhile are left out."""
        given = dict(words)
        with self._database.write() as connection:
            there = select(turns.c.id).where(turns.c.id.in_(given)).with_for_update()
            for turn_id in connection.execute(there).scalars().all():
                keep(connection, turn_id, given[turn_id])


def _where(connection: Connection, asked: Asked) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = list(_of_kind(asked))
    if asked.intent is not None:
        where.append(turns.c.intent == asked.intent)
    if asked.language is not None:
        where.append(turns.c.language == asked.language)
    if asked.since is not None:
        where.append(turns.c.created_at >= asked.since)
    if asked.until is not None:
        where.append(turns.c.created_at < asked.until)
    if asked.product_id is not None:
        shown = select(turn_products.c.turn_id).where(
            turn_products.c.product_id == asked.product_id
        )
        where.append(turns.c.id.in_(shown))
    if asked.assigned_to is not None:
        given = select(desk.c.conversation_id).where(desk.c.assigned_to == asked.assigned_to)
        where.append(turns.c.conversation_id.in_(given))
    if asked.tag is not None:
        tagged = [
            row.conversation_id
            for row in connection.execute(select(desk.c.conversation_id, desk.c.tags))
            if asked.tag.casefold() in row.tags
        ]
        where.append(turns.c.conversation_id.in_(tagged))
    if asked.words:
        holding = turns_with(connection, asked.words)
        where.append(false() if holding is None else turns.c.id.in_(holding))
    return where


def _of_kind(asked: Asked) -> list[ColumnElement[bool]]:
    reviewed = select(reviews.c.turn_id)
    match asked.kind:
        case "all":
            return []
        case "unreviewed":
            return [not_(turns.c.id.in_(reviewed))]
        case "corrected":
            return [turns.c.id.in_(reviewed.where(reviews.c.correction.is_not(None)))]
        case "thumbs_down":
            return [turns.c.id.in_(select(feedback.c.turn_id).where(feedback.c.score == -1))]
        case "fallback":
            return [turns.c.fallback]
        case "low_score":
            return [turns.c.best_score < asked.below]
        case "handed_over":
            return _last_of(select(conversations.c.id).where(conversations.c.handed_off))
        case "waiting":
            waiting = select(desk.c.conversation_id).where(desk.c.waiting_since.is_not(None))
            return _last_of(waiting)


def _last_of(which: Select[Any]) -> list[ColumnElement[bool]]:
    """The last turn of each of these conversations."""
    last = (
        select(func.max(turns.c.id))
        .where(turns.c.conversation_id.in_(which))
        .group_by(turns.c.conversation_id)
    )
    return [turns.c.id.in_(last)]


def _entries(connection: Connection, ids: list[int]) -> list[Entry]:
    newest = select(func.max(reviews.c.id)).where(reviews.c.turn_id.in_(ids))
    verdicts = select(reviews.c.turn_id, reviews.c.verdict).where(
        reviews.c.id.in_(newest.group_by(reviews.c.turn_id))
    )
    verdict_of = {row.turn_id: row.verdict for row in connection.execute(verdicts)}
    query = (
        select(
            turns.c.id,
            turns.c.conversation_id,
            turns.c.user_text,
            turns.c.reply_text,
            turns.c.intent,
            turns.c.language,
            turns.c.fallback,
            turns.c.best_score,
            turns.c.created_at,
            feedback.c.score,
            users.c.name,
        )
        .outerjoin(feedback, feedback.c.turn_id == turns.c.id)
        .outerjoin(desk, desk.c.conversation_id == turns.c.conversation_id)
        .outerjoin(users, users.c.id == desk.c.assigned_to)
        .where(turns.c.id.in_(ids))
        .order_by(turns.c.id.desc())
    )
    return [
        Entry(
            row.id,
            row.conversation_id,
            row.user_text,
            row.reply_text,
            row.intent,
            row.language,
            row.fallback,
            row.best_score,
            row.score,
            verdict_of.get(row.id),
            row.name,
            row.created_at,
        )
        for row in connection.execute(query)
    ]
