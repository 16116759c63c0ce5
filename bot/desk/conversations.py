"""A conversation as the desk reads it: what was said by whom, what is thought of it, how it stands.

Changes of a conversation's case are here too: who has it, its tags, notes, how it ended. Knows nothing
about pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

from bot.desk.roles import needs
from bot.errors import DeskError
from bot.handoff import Reason as HandoffReason
from bot.understanding.redaction import visible
from db.accounts import AccountStore, User
from db.conversations import Conversation, ConversationStore, Feedback, TurnRecord
from db.desk import OUTCOMES, AgentMessage, Case, DeskStore, Note
from db.reviews import Review, ReviewStore

LONGEST_NOTE = 2000  # characters
MOST_TAGS, LONGEST_TAG = 12, 40
REOPENED_WITHIN = timedelta(days=7)  # what is said later is another matter
REASONS: tuple[str, ...] = get_args(HandoffReason)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A shopper's message and the reply to it, what is thought of that, and what people of the shop
    wrote behind it. `reviews` has the newest first."""

    turn: TurnRecord
    thumb: Feedback | None
    reviews: tuple[Review, ...]
    said: tuple[AgentMessage, ...]

    @property
    def by_person(self) -> bool:
        """Whether a person spoke here instead of the bot."""
        return bool(self.turn.payload.get("speaker"))


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that the desk knows of a conversation. `before` was written before any turn; `reopened`: the
    shopper came back within REOPENED_WITHIN of its end."""

    conversation: Conversation
    exchanges: tuple[Exchange, ...]
    before: tuple[AgentMessage, ...]
    case: Case
    notes: tuple[Note, ...]
    reopened: bool

    def exchange(self, turn_id: int) -> Exchange | None:
        """Returns the exchange of this turn."""
        return next((one for one in self.exchanges if one.turn.id == turn_id), None)


class Conversations:
    """The conversations of one shop."""

    def __init__(
        self,
        store: ConversationStore,
        desk: DeskStore,
        reviews: ReviewStore,
        accounts: AccountStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._desk = desk
        self._reviews = reviews
        self._accounts = accounts
        self._clock = clock

    @needs("agent")
    def of_turn(self, user: User, turn_id: int) -> Dossier:
        """Returns the conversation that a turn is of. Raises DeskError."""
        turn = self._store.turn(turn_id)
        if turn is None:
            raise DeskError(f"there is no turn {turn_id}: it may have been erased")
        return self._dossier(turn.conversation_id)

    @needs("agent")
    def opened(self, user: User, conversation_id: int) -> Dossier:
        """Returns a conversation by its number. Raises DeskError."""
        return self._dossier(conversation_id)

    @needs("agent")
    def assign(self, user: User, conversation_id: int, name: str) -> None:
        """Gives it to the account of this name, "" to nobody. Raises DeskError, UnknownConversation."""
        to = self._accounts.find(name) if name else None
        if name and (to is None or not to.active):
            raise DeskError(f"there is no account {name!r} that works here")
        self._desk.assign(conversation_id, to)
        self._note(user, "assign", conversation_id, to=to.name if to else "")

    @needs("agent")
    def tag(self, user: User, conversation_id: int, tags: str) -> None:
        """Puts these tags, which commas part, in the place of its own. DeskError, UnknownConversation."""
        given = [" ".join(visible(tag).split()) for tag in tags.replace("，", ",").split(",")]
        given = [tag for tag in given if tag]
        if len(given) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in given):
            raise DeskError(f"at most {MOST_TAGS} tags of {LONGEST_TAG} characters each")
        self._desk.tag(conversation_id, given)
        self._note(user, "tag", conversation_id, tags=", ".join(given))

    @needs("agent")
    def note(self, user: User, conversation_id: int, text: str) -> Note:
        """Writes a note that the shopper never sees. Raises DeskError, UnknownConversation."""
        text = visible(text)
        if not text or len(text) > LONGEST_NOTE:
            raise DeskError(f"a note has 1 to {LONGEST_NOTE} characters")
        note = self._desk.write_note(conversation_id, text, user=user, now=self._clock())
        self._note(user, "write note", conversation_id)
        return note

    @needs("agent")
    def end(self, user: User, conversation_id: int, outcome: str, reason: str = "") -> None:
        """Says how it ended, "" that it is open; one that was handed over has a reason of REASONS.

        Raises DeskError, UnknownConversation.
        """
        if outcome and outcome not in OUTCOMES:
            raise DeskError(f"a conversation ends as one of {', '.join(OUTCOMES)}")
        if outcome == "handed_over" and reason not in REASONS:
            raise DeskError("say why it was handed over")
        told = reason if outcome == "handed_over" else None
        self._desk.end(conversation_id, outcome or None, reason=told, now=self._clock())
        self._note(user, "end" if outcome else "reopen", conversation_id, outcome=outcome)

    def _dossier(self, conversation_id: int) -> Dossier:
        conversation = self._store.get(conversation_id)
        if conversation is None:
            raise DeskError(f"there is no conversation {conversation_id}: it may have been erased")
        case = self._desk.case(conversation_id)
        said = self._desk.said(conversation_id)
        exchanges = tuple(
            Exchange(
                turn,
                self._store.feedback(turn.id),
                tuple(self._reviews.of_turn(turn.id)),
                tuple(message for message in said if message.after_turn == turn.id),
            )
            for turn in self._store.turns(conversation_id)
        )
        return Dossier(
            conversation,
            exchanges,
            tuple(message for message in said if message.after_turn is None),
            case,
            tuple(self._desk.notes(conversation_id)),
            _reopened(case, exchanges),
        )

    def _note(self, user: User, action: str, conversation_id: int, **details: str) -> None:
        self._accounts.note(
            user, action, f"conversation {conversation_id}", now=self._clock(), details=details
        )


def _reopened(case: Case, exchanges: tuple[Exchange, ...]) -> bool:
    ended = case.outcome_at
    return ended is not None and any(
        ended < one.turn.created_at <= ended + REOPENED_WITHIN for one in exchanges
    )
