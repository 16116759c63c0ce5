"""What agents think of replies: good, or bad for a reason, and what should have been said.

A correction is held to the facts of its turn by the verifier before it is kept. Knows nothing about
pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.corrections import MAX_CHARS, Checked, check
from bot.desk.roles import needs
from bot.errors import DeskError
from bot.promises import Never
from bot.understanding.redaction import visible
from db.accounts import AccountStore, User
from db.conversations import ConversationStore, TurnRecord
from db.reviews import REASONS, Reason, Review, ReviewStore


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a review. `review` is None where the correction was refused: `checked` tells which
    words have no source, `promised` which phrase the shop never says. `unseen` are the reviews that
    its author had not seen; they are kept too."""

    review: Review | None = None
    checked: Checked | None = None
    promised: str = ""
    unseen: tuple[Review, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the text may be said."""
        return not self.promised and (self.checked is None or self.checked.ok)


class Reviews:
    """The reviews of one shop's replies."""

    def __init__(
        self,
        store: ReviewStore,
        conversations: ConversationStore,
        accounts: AccountStore,
        clock: Callable[[], datetime],
        *,
        never: Never,
    ) -> None:
        self._store = store
        self._conversations = conversations
        self._accounts = accounts
        self._clock = clock
        self._never = never

    @needs("agent")
    def good(self, user: User, turn_id: int, *, seen: int | None = None) -> Judged:
        """Approves a reply as it was shown; `seen` is the newest review on the agent's screen.

        Raises DeskError, UnknownTurn.
        """
        self._turn(turn_id)
        return self._kept(user, turn_id, "good", None, None, seen, None)

    @needs("agent")
    def bad(
        self, user: User, turn_id: int, *, reason: str, text: str = "", seen: int | None = None
    ) -> Judged:
        """Rejects a reply for a reason of REASONS; a `text` other than what was shown corrects it.

        A text that says what the turn had no source for, or what the shop never promises, is told and
        nothing is kept. Raises DeskError, UnknownTurn.
        """
        turn = self._turn(turn_id)
        if reason not in REASONS:
            raise DeskError("say why it is bad: choose a reason")
        correction = _corrected(turn, text)
        judged = self._judged(turn, correction) if correction else Judged()
        if not judged.ok:
            return judged
        return self._kept(user, turn_id, "bad", reason, correction, seen, judged.checked)

    @needs("agent")
    def check(self, user: User, turn_id: int, text: str) -> Judged:
        """Tells whether a text might be said in the place of a reply; keeps nothing. DeskError."""
        turn = self._turn(turn_id)
        correction = _corrected(turn, text)
        if correction is None:
            raise DeskError("this is what was said: change it first")
        return self._judged(turn, correction)

    def _judged(self, turn: TurnRecord, text: str) -> Judged:
        if not turn.trace:
            raise DeskError(
                "what this turn knew was deleted by age (privacy.traces_days): no text can be checked"
            )
        return Judged(checked=check(turn, text), promised=self._never.held(text))

    def _kept(
        self,
        user: User,
        turn_id: int,
        verdict: Any,
        reason: Reason | None,
        correction: str | None,
        seen: int | None,
        checked: Checked | None,
    ) -> Judged:
        review, unseen = self._store.add(
            turn_id,
            user=user,
            verdict=verdict,
            reason=reason,
            correction=correction,
            seen_id=seen,
            now=self._clock(),
        )
        details = {"verdict": str(verdict), "reason": reason or "", "corrected": bool(correction)}
        self._accounts.note(user, "review", f"turn {turn_id}", now=self._clock(), details=details)
        return Judged(review, checked, unseen=tuple(unseen))

    def _turn(self, turn_id: int) -> TurnRecord:
        turn = self._conversations.turn(turn_id)
        if turn is None:
            raise DeskError(f"there is no turn {turn_id}: it may have been erased")
        if turn.payload.get("speaker"):
            raise DeskError("a person spoke here: there is no reply of the bot to review")
        return turn


def parted(text: str, words: Sequence[str]) -> list[tuple[str, bool]]:
    """Cuts a text into pieces and tells of each whether it is one of these words."""
    found = sorted({word for word in words if word.strip()}, key=len, reverse=True)
    if not found:
        return [(text, False)]
    cut = re.split(f"({'|'.join(map(re.escape, found))})", text, flags=re.IGNORECASE)
    return [(piece, bool(at % 2)) for at, piece in enumerate(cut) if piece]


def _corrected(turn: TurnRecord, text: str) -> str | None:
    """The text as a correction, None where it says what was said, or nothing. Raises DeskError."""
    text = visible(text)
    if not text or text == visible(turn.reply_text):
        return None
    if len(text) > MAX_CHARS:
        raise DeskError(f"a reply has at most {MAX_CHARS} characters, this has {len(text)}")
    return text
