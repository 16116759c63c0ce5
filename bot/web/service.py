"""What the faces need of the shop: the protocol they are written against, and their settings.

Knows nothing about HTTP, HTML or Gradio, and nothing about how a turn is answered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from bot.turn import Card, ChatRequest, Language, Reply
from retrieval.values import Filters

OnStage = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TranscriptEntry:
    """One message of a conversation. `payload` is the reply as it was sent, None for the shopper.

    `turn_id` is shared by a message and its reply. `score` is the shopper's own thumb on a reply:
    1, -1, or None where there is none. `role` "agent" is a person of the shop, whose name is
    `speaker` and whose messages are numbered by `message_id`; it stands behind the turn `turn_id`.
    """

    role: Literal["shopper", "bot", "agent"]
    text: str
    created_at: datetime
    turn_id: int
    payload: dict[str, Any] | None = None
    score: int | None = None
    speaker: str | None = None
    message_id: int | None = None


Transcript = tuple[TranscriptEntry, ...]


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is there beside the bot: `speaker` answers instead of it; `awaited`, a person is waited
    for. `said` is what persons wrote since the page last asked."""

    speaker: str | None = None
    awaited: bool = False
    said: Transcript = ()


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the shop can answer; `reasons` name what is missing and the command that mends it.

    The feed's age is that of the last good import; `feed_max_age_seconds` what the owner allows.
    `generator_resting`: plain sentences speak in the place of the generator that the settings name.
    """

    ready: bool
    reasons: tuple[str, ...] = ()
    feed_age_seconds: float | None = None
    feed_max_age_seconds: float | None = None
    generator_resting: bool = False

    @property
    def feed_stale(self) -> bool:
        """Whether replies say of which day the prices are."""
        age, most = self.feed_age_seconds, self.feed_max_age_seconds
        return age is not None and most is not None and age > most


class ShopService(Protocol):
    """One shop, answering. Every method may be called from several threads at once."""

    shop_name: str

    def greeting(self, language: Language) -> str:
        """Returns the words that open an empty conversation; they are not stored."""
        ...

    def chat(self, request: ChatRequest, *, on_stage: OnStage | None = None) -> Reply:
        """Answers one message; the reply is on disk when this returns.

        `on_stage` hears "understand", "retrieve", "generate", "verify" as each begins.
        Raises SessionUnknownError, MessageError, NotReadyError.
        """
        ...

    def feedback(
        self, *, turn_id: int, session_id: str, score: int, reason: str | None, comment: str | None
    ) -> None:
        """Stores a thumb, 1 or -1, on a turn of this conversation; the last one counts.

        Raises SessionUnknownError, TurnUnknownError.
        """
        ...

    def transcript(self, session_id: str) -> Transcript:
        """Returns the conversation, oldest first. Raises SessionUnknownError."""
        ...

    def presence(self, session_id: str, *, after: int = 0) -> Presence:
        """Returns who is there, and what persons wrote behind their message `after`.

        Raises SessionUnknownError.
        """
        ...

    def erase(self, session_id: str) -> int:
        """Erases the conversation and says how many turns went. Raises SessionUnknownError."""
        ...

    def search(self, *, query: str, k: int, filters: Filters, explain: bool) -> dict[str, Any]:
        """Returns `query`, `total` and `hits` as the HTTP contract draws them. NotReadyError."""
        ...

    def showcase(self, count: int) -> tuple[Card, ...]:
        """Returns cards of at most `count` products of different kinds. Raises NotReadyError."""
        ...

    def readiness(self) -> Readiness: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Token buckets: so many a minute, refilled evenly, the whole minute's worth at once."""

    per_session_per_minute: int = 30
    per_client_per_minute: int = 120


@dataclass(frozen=True, slots=True)
class WebSettings:
    """What the faces are told. `secret` signs the page's session tokens and outlives a restart.

    `frame_ancestors` are origins that may frame the chat beside the shop itself. `image_sources`
    are CSP sources of pictures; a shop whose pictures all lie under /media can empty it. `accent`
    is a CSS colour. `reveal_seconds` is how long the page takes to unroll a verified reply.
    """

    secret: bytes
    shop_name: str = "Shop"
    language: Language = "en"
    max_message_chars: int = 4000
    max_body_bytes: int = 64 * 1024
    training_default: bool = False
    frame_ancestors: tuple[str, ...] = ()
    image_sources: tuple[str, ...] = ("https:",)
    media_dir: Path | None = None
    accent: str = "#b4532a"
    limits: Limits = field(default_factory=Limits)
    concurrent_turns: int = 8
    reveal_seconds: float = 0.7


def session_hash(session_id: str) -> str:
    """Returns what logs may hold of a session id: enough to follow it, nothing to use it."""
    return hashlib.sha256(session_id.encode("utf-8", "replace")).hexdigest()[:12]
