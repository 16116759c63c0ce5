"""What was said: conversations, their turns with the whole trace, and the shopper's feedback.

Knows nothing about how a turn comes about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Text, cast, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from db import tables
from db.engine import Database
from db.errors import MessageAlreadyAnswered, UnknownConversation
from db.exports import mark_erased
from db.staging import count_rows
from db.words import forget_erased, keep

# as JsonText writes a state whose pending request holds details: every Fernet token begins so
_SEALED = '"sealed":"gAAAA'


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as its last turn left it; `state` is the dialogue state as JSON, `handoff`
    what an agent is told of it since it was handed over."""

    id: int
    language: str
    customer_id: str | None
    training_consent: bool
    state: dict[str, Any]
    created_at: datetime
    handed_off: bool
    handoff: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTurn:
    """One exchange before it is kept.

    `payload` is the JSON body that is sent, `trace` everything needed to explain it. A
    `session_id` or `turn_id` in the payload is not stored: the first is a capability, the second
    is not known yet. `best_score` is of the best that was retrieved, None where nothing was.
    """

    user_text: str
    reply_text: str
    language: str
    intent: str
    intents: tuple[str, ...]
    acts: tuple[str, ...]
    payload: dict[str, Any]
    trace: dict[str, Any]
    generator_name: str
    generator_version: str
    prompt_version: str
    fallback: bool
    best_score: float | None = None
    client_message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord(NewTurn):
    """A kept turn. Its `payload` carries the `turn_id`; whoever sends it adds the `session_id`."""

    id: int
    conversation_id: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Feedback:
    """A shopper's judgement of one turn: `score` is 1 or -1."""

    turn_id: int
    score: int
    reason: str | None
    comment: str | None
    created_at: datetime


class ConversationStore:
    """The conversations of one shop. A turn and the state it leads to are kept together."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(
        self,
        session_id: str,
        *,
        language: str,
        customer_id: str | None,
        training_consent: bool,
        now: datetime,
    ) -> Conversation:
        """Begin the conversation of this session, or return it where it has begun already."""
        row: dict[str, Any] = {
            "session_hash": _session_hash(session_id),
            "language": language,
            "customer_id": customer_id,
            "training_consent": training_consent,
            "state": {},
            "handed_off": False,
            "created_at": now,
            "updated_at": now,
        }
        try:
            with self._database.write() as connection:
                begun = insert(tables.conversations).values(row).returning(tables.conversations)
                return _conversation(connection.execute(begun).one())
        except IntegrityError:
            conversation = self.find(session_id)
            if conversation is None:
                raise
            return conversation

    def find(self, session_id: str) -> Conversation | None:
        """The conversation of this session; None when it never began or was erased."""
        query = select(tables.conversations).where(
            tables.conversations.c.session_hash == _session_hash(session_id)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _conversation(row)

    def get(self, conversation_id: int) -> Conversation | None:
        """The conversation of this number; None when there never was one or it was erased."""
        query = select(tables.conversations).where(tables.conversations.c.id == conversation_id)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _conversation(row)

    def add_turn(
        self,
        conversation_id: int,
        turn: NewTurn,
        *,
        state: dict[str, Any],
        handed_off: bool,
        now: datetime,
        handoff: dict[str, Any] | None = None,
        words: Iterable[str] = (),
    ) -> int:
        """Keep a turn and the state after it, both or neither; returns the turn's id.

        `handoff` takes the place of an earlier one; None leaves that as it is. `words` are those it
        is found by. When this returns, the turn is on the disk. Raises UnknownConversation, and
        MessageAlreadyAnswered when the conversation has a turn of the same client message id.
        """
        after: dict[str, Any] = {"state": state, "handed_off": handed_off, "updated_at": now}
        if handoff is not None:
            after["handoff"] = handoff
        try:
            with self._database.write() as connection:
                touched = connection.execute(
                    update(tables.conversations)
                    .where(tables.conversations.c.id == conversation_id)
                    .values(after)
                )
                if not touched.rowcount:
                    raise UnknownConversation(conversation_id)
                row = _turn_row(turn) | {"conversation_id": conversation_id, "created_at": now}
                turn_id = int(
                    connection.execute(
                        insert(tables.turns).values(row).returning(tables.turns.c.id)
                    ).scalar_one()
                )
                _index(connection, turn_id, turn, words)
                return turn_id
        except IntegrityError as error:
            if turn.client_message_id is None:
                raise
            raise MessageAlreadyAnswered(turn.client_message_id) from error

    def set_training_consent(self, conversation_id: int, consent: bool) -> None:
        """Keep that the shopper now allows, or no longer allows, learning from the conversation."""
        with self._database.write() as connection:
            connection.execute(
                update(tables.conversations)
                .where(tables.conversations.c.id == conversation_id)
                .values(training_consent=consent)
            )

    def turns(self, conversation_id: int) -> list[TurnRecord]:
        """The turns of a conversation as they were said."""
        query = (
            select(tables.turns)
            .where(tables.turns.c.conversation_id == conversation_id)
            .order_by(tables.turns.c.id)
        )
        with self._database.read() as connection:
            return [_turn(row) for row in connection.execute(query)]

    def every_turn(
        self, *, since: datetime | None = None, at_once: int = 200
    ) -> Iterator[TurnRecord]:
        """All turns (from `since` on) in the order of their ids, `at_once` read at a time."""
        query = select(tables.turns).order_by(tables.turns.c.id).limit(at_once)
        if since is not None:
            query = query.where(tables.turns.c.created_at >= since)
        last = 0
        while True:
            with self._database.read() as connection:
                found = [
                    _turn(row) for row in connection.execute(query.where(tables.turns.c.id > last))
                ]
            yield from found
            if len(found) < at_once:
                return
            last = found[-1].id

    def turn(self, turn_id: int) -> TurnRecord | None:
        with self._database.read() as connection:
            row = connection.execute(
                select(tables.turns).where(tables.turns.c.id == turn_id)
            ).first()
        return None if row is None else _turn(row)

    def reply_to(self, conversation_id: int, client_message_id: str) -> TurnRecord | None:
        """The turn that answered this message of the client, so that a repeat gets the same."""
        query = select(tables.turns).where(
            tables.turns.c.conversation_id == conversation_id,
            tables.turns.c.client_message_id == client_message_id,
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _turn(row)

    def set_feedback(
        self,
        turn_id: int,
        *,
        conversation_id: int,
        score: int,
        reason: str | None,
        comment: str | None,
        now: datetime,
    ) -> bool:
        """Keep the judgement of a turn in place of an earlier one.

        False, and nothing kept, when the turn is not of this conversation. Raises ValueError for a
        score that is not 1 or -1.
        """
        if score not in {-1, 1}:
            raise ValueError("a feedback's score is 1 or -1")
        with self._database.write() as connection:
            # Locks the turn, so that two judgements at once follow each other on PostgreSQL too.
            turn = connection.execute(
                select(tables.turns.c.id)
                .where(
                    tables.turns.c.id == turn_id, tables.turns.c.conversation_id == conversation_id
                )
                .with_for_update()
            ).first()
            if turn is None:
                return False
            connection.execute(delete(tables.feedback).where(tables.feedback.c.turn_id == turn_id))
            connection.execute(
                insert(tables.feedback).values(
                    turn_id=turn_id, score=score, reason=reason, comment=comment, created_at=now
                )
            )
        return True

    def feedback(self, turn_id: int) -> Feedback | None:
        with self._database.read() as connection:
            row = connection.execute(
                select(tables.feedback).where(tables.feedback.c.turn_id == turn_id)
            ).first()
        return None if row is None else Feedback(**row._mapping)

    def erase(self, conversation_id: int) -> int:
        """Remove a conversation with its turns and feedback; returns how many turns there were.

        Reviews, notes and what agents wrote go with it. Requests that were recorded in it stay, and
        no longer lead to it; exported sets that hold it are marked. The text is overwritten in the
        file, not only unlinked.
        """
        with self._database.write() as connection:
            # The conversation is locked before its turns are counted, so none slips in between.
            connection.execute(
                select(tables.conversations.c.id)
                .where(tables.conversations.c.id == conversation_id)
                .with_for_update()
            )
            erased = count_rows(
                connection, tables.turns, tables.turns.c.conversation_id == conversation_id
            )
            mark_erased(connection, conversation_id)
            connection.execute(
                delete(tables.conversations).where(tables.conversations.c.id == conversation_id)
            )
            if erased:
                forget_erased(connection)
        self._database.scrub()
        return erased

    def rested(self, *, before: datetime) -> list[int]:
        """The conversations in which nothing was said since, the oldest first."""
        query = (
            select(tables.conversations.c.id)
            .where(tables.conversations.c.updated_at < before)
            .order_by(tables.conversations.c.id)
        )
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def drop_traces(self, *, before: datetime) -> int:
        """Delete why turns went as they did, of all turns given before; returns of how many.

        What was said stays. The text is overwritten in the file, not only unlinked.
        """
        with self._database.write() as connection:
            dropped = connection.execute(
                update(tables.turns)
                .where(tables.turns.c.created_at < before, tables.turns.c.trace != {})
                .values(trace={})
            )
        if dropped.rowcount:
            self._database.scrub()
        return int(dropped.rowcount)

    def unfinished(self, *, before: datetime) -> list[Conversation]:
        """Conversations that have rested since and whose state holds sealed details."""
        query = select(tables.conversations).where(
            tables.conversations.c.updated_at < before,
            cast(tables.conversations.c.state, Text).contains(_SEALED, autoescape=True),
        )
        with self._database.read() as connection:
            return [_conversation(row) for row in connection.execute(query)]

    def set_state(
        self, conversation_id: int, state: dict[str, Any], *, seen: dict[str, Any]
    ) -> bool:
        """Put `state` in the place of `seen`; False where a turn has changed it meanwhile."""
        with self._database.write() as connection:
            changed = connection.execute(
                update(tables.conversations)
                .where(
                    tables.conversations.c.id == conversation_id,
                    tables.conversations.c.state == seen,
                )
                .values(state=state)
            )
        if changed.rowcount:
            self._database.scrub()
        return bool(changed.rowcount)

    def count_turns(self) -> int:
        with self._database.read() as connection:
            return count_rows(connection, tables.turns)


def _session_hash(session_id: str) -> str:
    """The session id opens the conversation, so the database must not hold it."""
    return hashlib.sha256(session_id.encode("utf-8", "replace")).hexdigest()


def _index(connection: Connection, turn_id: int, turn: NewTurn, words: Iterable[str]) -> None:
    """Keep what the turn is found by: the products it showed, and its words."""
    shown = dict.fromkeys(str(card["id"]) for card in turn.payload.get("products", ()))
    if shown:
        rows = [{"turn_id": turn_id, "product_id": product} for product in shown]
        connection.execute(insert(tables.turn_products), rows)
    keep(connection, turn_id, words)


def _turn_row(turn: NewTurn) -> dict[str, Any]:
    payload = {
        name: value for name, value in turn.payload.items() if name not in {"session_id", "turn_id"}
    }
    return {
        "client_message_id": turn.client_message_id,
        "user_text": turn.user_text,
        "reply_text": turn.reply_text,
        "language": turn.language,
        "intent": turn.intent,
        "intents": list(turn.intents),
        "acts": list(turn.acts),
        "payload": payload,
        "trace": turn.trace,
        "generator_name": turn.generator_name,
        "generator_version": turn.generator_version,
        "prompt_version": turn.prompt_version,
        "fallback": turn.fallback,
        "best_score": turn.best_score,
    }


def _turn(row: Row[Any]) -> TurnRecord:
    values = dict(row._mapping)
    return TurnRecord(
        **values
        | {
            "intents": tuple(values["intents"]),
            "acts": tuple(values["acts"]),
            "payload": values["payload"] | {"turn_id": values["id"]},
        }
    )


def _conversation(row: Row[Any]) -> Conversation:
    return Conversation(
        id=row.id,
        language=row.language,
        customer_id=row.customer_id,
        training_consent=row.training_consent,
        state=row.state,
        created_at=row.created_at,
        handed_off=row.handed_off,
        handoff=row.handoff,
    )
