"""What the desk knows of a conversation beside what was said: who has it, tags, notes, how it ended,
whether a person is waited for or speaks, and what that person wrote.

Knows nothing about who may do what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast, get_args

from sqlalchemy import Connection, Row, func, insert, select, update

from db.accounts import User
from db.engine import Database
from db.errors import TakenByAnother, UnknownConversation
from db.tables import agent_messages, conversations, desk, notes, turns, users

Outcome = Literal["resolved", "handed_over", "abandoned"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation as the desk sees it. `waiting_since`: the shopper waits for a person;
    `taken_by`: this agent speaks instead of the bot."""

    conversation_id: int
    assigned_to: str | None = None
    tags: tuple[str, ...] = ()
    outcome: Outcome | None = None
    outcome_reason: str | None = None
    outcome_at: datetime | None = None
    waiting_since: datetime | None = None
    taken_by: str | None = None
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What an agent wrote for other agents; the shopper never sees it."""

    id: int
    user_name: str
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AgentMessage:
    """What an agent wrote to the shopper; it stands behind the turn `after_turn`."""

    id: int
    conversation_id: int
    after_turn: int | None
    user_name: str
    text: str
    created_at: datetime


class DeskStore:
    """The conversations of one shop as its desk handles them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- the case ---------------------------------------------------------------------------------
    def case(self, conversation_id: int) -> Case:
        """What is known of it; an empty case where nothing is."""
        with self._database.read() as connection:
            return _case(connection, conversation_id)

    def assign(self, conversation_id: int, user: User | None) -> None:
        """Give it to an agent, or to nobody. Raises UnknownConversation."""
        self._set(conversation_id, {"assigned_to": user.id if user else None})

    def tag(self, conversation_id: int, tags: Sequence[str]) -> None:
        """Put these tags in the place of those it had. Raises UnknownConversation."""
        clean = dict.fromkeys(tag.strip().casefold() for tag in tags if tag.strip())
        self._set(conversation_id, {"tags": list(clean)})

    def end(
        self, conversation_id: int, outcome: Outcome | None, *, reason: str | None, now: datetime
    ) -> None:
        """Say how it ended; None reopens it. Raises UnknownConversation."""
        at = None if outcome is None else now
        self._set(conversation_id, {"outcome": outcome, "outcome_reason": reason, "outcome_at": at})

    def write_note(
        self, conversation_id: int, text: str, *, user: User | None, now: datetime
    ) -> Note:
        """Keep a note for other agents. Raises UnknownConversation."""
        with self._database.write() as connection:
            _known(connection, conversation_id)
            row = connection.execute(
                insert(notes)
                .values(_signed(user) | {
                    "conversation_id": conversation_id, "text": text, "created_at": now,
                })
                .returning(notes)
            ).one()  # fmt: skip
        return Note(row.id, row.user_name, row.text, row.created_at)

    def notes(self, conversation_id: int) -> list[Note]:
        """The notes on it, the oldest first."""
        query = select(notes).where(notes.c.conversation_id == conversation_id).order_by(notes.c.id)
        with self._database.read() as connection:
            rows = connection.execute(query)
            return [Note(row.id, row.user_name, row.text, row.created_at) for row in rows]

    # -- live -------------------------------------------------------------------------------------
    def wait(self, conversation_id: int, *, now: datetime) -> None:
        """The shopper waits for a person, since now or since before. Raises UnknownConversation."""
        with self._database.write() as connection:
            row = _row(connection, conversation_id)
            if row.waiting_since is None and row.taken_by is None:
                _change(connection, conversation_id, {"waiting_since": now})

    def waiting(self) -> list[Case]:
        """Conversations that wait for a person, the longest first."""
        return self._cases(desk.c.waiting_since.is_not(None), order=desk.c.waiting_since)

    def taken(self) -> list[Case]:
        """Conversations in which an agent speaks, the longest first."""
        return self._cases(desk.c.taken_by.is_not(None), order=desk.c.taken_at)

    def take(self, conversation_id: int, user: User, *, now: datetime) -> Case:
        """From now on `user` speaks instead of the bot.

        Taking what one has already changes nothing. Raises TakenByAnother, UnknownConversation.
        """
        with self._database.write() as connection:
            row = _row(connection, conversation_id)
            if row.taken_by is not None and row.taken_by != user.id:
                raise TakenByAnother(_case(connection, conversation_id).taken_by or "another agent")
            if row.taken_by is None:
                values = {"taken_by": user.id, "taken_at": now, "waiting_since": None}
                _change(connection, conversation_id, values)
            return _case(connection, conversation_id)

    def hand_back(self, conversation_id: int) -> None:
        """The bot speaks again, and nobody is waited for. Raises UnknownConversation."""
        self._set(conversation_id, {"taken_by": None, "taken_at": None, "waiting_since": None})

    def say(self, conversation_id: int, text: str, *, user: User, now: datetime) -> AgentMessage:
        """Keep what the agent who took it writes to the shopper.

        Raises TakenByAnother where another agent has it, or nobody; UnknownConversation.
        """
        with self._database.write() as connection:
            row = _row(connection, conversation_id)
            if row.taken_by != user.id:
                raise TakenByAnother(_case(connection, conversation_id).taken_by or "the bot")
            last = connection.execute(
                select(func.max(turns.c.id)).where(turns.c.conversation_id == conversation_id)
            ).scalar()
            kept = connection.execute(
                insert(agent_messages)
                .values(_signed(user) | {
                    "conversation_id": conversation_id, "after_turn": last, "text": text,
                    "created_at": now,
                })
                .returning(agent_messages)
            ).one()  # fmt: skip
        return _message(kept)

    def said(self, conversation_id: int, *, after: int = 0) -> list[AgentMessage]:
        """What agents wrote to the shopper behind the message `after`, the oldest first."""
        query = (
            select(agent_messages)
            .where(agent_messages.c.conversation_id == conversation_id, agent_messages.c.id > after)
            .order_by(agent_messages.c.id)
        )
        with self._database.read() as connection:
            return [_message(row) for row in connection.execute(query)]

    # ---------------------------------------------------------------------------------------------
    def _set(self, conversation_id: int, values: dict[str, Any]) -> None:
        with self._database.write() as connection:
            _row(connection, conversation_id)
            _change(connection, conversation_id, values)

    def _cases(self, *where: Any, order: Any) -> list[Case]:
        query = select(desk.c.conversation_id).where(*where).order_by(order)
        with self._database.read() as connection:
            return [_case(connection, found) for found in connection.execute(query).scalars().all()]


def _known(connection: Connection, conversation_id: int) -> None:
    """Lock the conversation. Raises UnknownConversation."""
    query = select(conversations.c.id).where(conversations.c.id == conversation_id)
    if connection.execute(query.with_for_update()).first() is None:
        raise UnknownConversation(conversation_id)


def _row(connection: Connection, conversation_id: int) -> Row[Any]:
    """The desk's row of a conversation, locked, made where it is missing."""
    _known(connection, conversation_id)
    query = select(desk).where(desk.c.conversation_id == conversation_id)
    if (row := connection.execute(query).first()) is None:
        connection.execute(insert(desk).values(conversation_id=conversation_id, tags=[]))
        row = connection.execute(query).one()
    return row


def _change(connection: Connection, conversation_id: int, values: dict[str, Any]) -> None:
    connection.execute(update(desk).where(desk.c.conversation_id == conversation_id).values(values))


def _case(connection: Connection, conversation_id: int) -> Case:
    row = connection.execute(select(desk).where(desk.c.conversation_id == conversation_id)).first()
    if row is None:
        return Case(conversation_id)
    ids = {row.assigned_to, row.taken_by} - {None}
    named = select(users.c.id, users.c.name).where(users.c.id.in_(ids))
    names = {one.id: one.name for one in connection.execute(named)} if ids else {}
    return Case(
        conversation_id,
        names.get(row.assigned_to),
        tuple(row.tags),
        cast("Outcome | None", row.outcome),
        row.outcome_reason,
        row.outcome_at,
        row.waiting_since,
        names.get(row.taken_by),
        row.taken_at,
    )


def _signed(user: User | None) -> dict[str, Any]:
    return {
        "user_id": user.id if user else None,
        "user_name": user.name if user else "command line",
    }


def _message(row: Row[Any]) -> AgentMessage:
    return AgentMessage(
        row.id, row.conversation_id, row.after_turn, row.user_name, row.text, row.created_at
    )
