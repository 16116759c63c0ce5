"""Shoppers who wait for a person, and the person who takes over, writes, and hands back.

What is written is in the store before a page shows it, so nothing is lost when either side reloads.
Knows nothing about pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.desk.roles import may, needs
from bot.errors import DeskError
from bot.understanding.redaction import visible
from db.accounts import AccountStore, User
from db.conversations import ConversationStore
from db.desk import AgentMessage, Case, DeskStore
from db.errors import TakenByAnother

LONGEST = 2000  # characters of a message


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation that waits for a person or has one. `summary` is what was put together as it was
    handed over, {} where that was never done; `seconds` it has lasted so."""

    case: Case
    language: str
    summary: dict[str, Any]
    last: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Board:
    """Who waits, the longest first; in which conversations people speak."""

    waiting: tuple[Talk, ...]
    taken: tuple[Talk, ...]


class Live:
    """The conversations of one shop in which people are wanted or speak."""

    def __init__(
        self,
        desk: DeskStore,
        conversations: ConversationStore,
        accounts: AccountStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._desk = desk
        self._conversations = conversations
        self._accounts = accounts
        self._clock = clock

    @needs("agent")
    def board(self, user: User) -> Board:
        """Returns who waits and who is spoken with."""
        waiting, taken = self._desk.waiting(), self._desk.taken()
        return Board(self._talks(waiting), self._talks(taken))

    @needs("agent")
    def count(self, user: User) -> int:
        """Returns how many shoppers wait."""
        return len(self._desk.waiting())

    @needs("agent")
    def take(self, user: User, conversation_id: int) -> Case:
        """From now on the agent speaks instead of the bot. TakenByAnother, UnknownConversation."""
        case = self._desk.take(conversation_id, user, now=self._clock())
        self._note(user, "take over", conversation_id)
        return case

    @needs("agent")
    def hand_back(self, user: User, conversation_id: int) -> None:
        """Lets the bot speak again; who waits in vain may be sent back to it too. A lead may do so for
        somebody else. Raises TakenByAnother, UnknownConversation."""
        taken_by = self._desk.case(conversation_id).taken_by
        if taken_by not in (None, user.name) and not may(user, "lead"):
            raise TakenByAnother(str(taken_by))
        self._desk.hand_back(conversation_id)
        self._note(user, "hand back", conversation_id)

    @needs("agent")
    def say(self, user: User, conversation_id: int, text: str) -> AgentMessage:
        """Writes to the shopper. Raises DeskError, TakenByAnother, UnknownConversation."""
        text = visible(text)
        if not text or len(text) > LONGEST:
            raise DeskError(f"a message has 1 to {LONGEST} characters")
        message = self._desk.say(conversation_id, text, user=user, now=self._clock())
        self._note(user, "write to shopper", conversation_id)
        return message

    def _talks(self, cases: Sequence[Case]) -> tuple[Talk, ...]:
        talks = []
        for case in cases:
            conversation = self._conversations.get(case.conversation_id)
            if conversation is None:  # erased since
                continue
            since = case.taken_at if case.taken_by else case.waiting_since
            turns = self._conversations.turns(case.conversation_id)
            talks.append(
                Talk(
                    case,
                    conversation.language,
                    conversation.handoff or {},
                    turns[-1].user_text if turns else "",
                    (self._clock() - since).total_seconds() if since else 0.0,
                )
            )
        return tuple(talks)

    def _note(self, user: User, action: str, conversation_id: int) -> None:
        self._accounts.note(user, action, f"conversation {conversation_id}", now=self._clock())
