"""One message through the shop, as the faces watch it: stages, then the verified reply.

Text leaves here only when the whole reply has been verified; "streaming" unrolls what is already
known to be true. Knows nothing about HTTP, HTML or how a reply is made.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from bot.errors import ShopbotError
from bot.turn import ChatRequest, Reply
from bot.web.limits import Client, Limiter
from bot.web.metrics import Metrics
from bot.web.problems import problem_of
from bot.web.service import OnStage, ShopService

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 10.0
_PIECE = re.compile(r"\s*(?:[^\s\u2e80-\uffef]+|[\u2e80-\uffef]{1,2})|\s+")


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage has begun."""

    name: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing new for HEARTBEAT_SECONDS; the connection may be kept awake."""


@dataclass(frozen=True, slots=True)
class Answered:
    reply: Reply


@dataclass(frozen=True, slots=True)
class Failed:
    error: Exception


TurnEvent = Stage | Waiting | Answered | Failed


def pieces(text: str) -> list[str]:
    """Splits text into words, and Chinese into pairs of characters; joined they are the text."""
    return _PIECE.findall(text)


class Desk:
    """Takes messages for the shop from any face, counts them, and holds nothing of its own."""

    def __init__(self, service: ShopService, *, limiter: Limiter, metrics: Metrics) -> None:
        self.service = service
        self._limiter = limiter
        self._metrics = metrics

    def admit(self, client: Client, *, session_id: str | None = None) -> None:
        """Counts a request against the limits. Raises RateLimitedError."""
        try:
            self._limiter.admit(client, session_id=session_id)
        except ShopbotError as error:
            self._metrics.failed(problem_of(error).kind)
            raise

    def answer(self, request: ChatRequest) -> Reply:
        """Answers in the caller's thread. Raises what ShopService.chat raises."""
        return self._chat(request, lambda stage: None)

    def watch(self, request: ChatRequest) -> Iterator[TurnEvent]:
        """Answers in a thread of its own, so that the stages can be shown as they happen.

        Ends with one Answered or Failed. A reader who leaves does not stop the turn: what was
        asked is answered and stored, and is there when the page comes back.
        """
        events: queue.SimpleQueue[TurnEvent] = queue.SimpleQueue()

        def work() -> None:
            try:
                events.put(Answered(self._chat(request, lambda stage: events.put(Stage(stage)))))
            except Exception as error:
                events.put(Failed(error))

        threading.Thread(target=work, name="shopbot-turn", daemon=True).start()
        while True:
            try:
                event = events.get(timeout=HEARTBEAT_SECONDS)
            except queue.Empty:
                event = Waiting()
            yield event
            if isinstance(event, Answered | Failed):
                return

    def feedback(
        self, *, turn_id: int, session_id: str, score: int, reason: str | None, comment: str | None
    ) -> None:
        """Stores a thumb and counts it. Raises what ShopService.feedback raises."""
        self.service.feedback(
            turn_id=turn_id, session_id=session_id, score=score, reason=reason, comment=comment
        )
        self._metrics.feedback(score)

    def _chat(self, request: ChatRequest, on_stage: OnStage) -> Reply:
        try:
            reply = self.service.chat(request, on_stage=on_stage)
        except Exception as error:
            problem = problem_of(error)
            self._metrics.failed(problem.kind)
            if problem.status == 500:
                logger.exception("a turn failed")
            raise
        self._metrics.answered(reply)
        return reply
