"""The order of the stages of one turn, and nothing else: understand, decide, phrase, assemble.

Each stage is another module's; this one passes typed values along, times them and writes the trace.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from bot.grounding import FactBook
from bot.phraser import MAX_CHARS, Phraser
from bot.policy import Desk, Plan, decide
from bot.policy.plan import Requests
from bot.state import REPLIES_KEPT, DialogState
from bot.turn import Reply, Segment
from bot.understanding.understand import Understander
from bot.understanding.values import Understanding
from prompts.acts import inventory
from prompts.filling import FORMAT_VERSION

OnStage = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished turn before it is stored: the reply without its number, the next state, the trace."""

    reply: Reply
    state: DialogState
    understood: Understanding
    trace: dict[str, Any]


class Dialog:
    """Answers messages over one snapshot of the shop."""

    def __init__(
        self, *, desk: Desk, understander: Understander, phraser: Phraser, currency: str
    ) -> None:
        self._desk = desk
        self.understander = understander
        self._phraser = phraser
        self._currency = currency

    def spoken_by(self, phraser: Phraser) -> Dialog:
        """Returns the same dialogue phrased by another."""
        return Dialog(
            desk=self._desk,
            understander=self.understander,
            phraser=phraser,
            currency=self._currency,
        )

    def read_ahead(self, ended: Callable[[], bool]) -> int:
        """Reads pages and rules before they are asked about; see Answerer.read_ahead."""
        return self._desk.answerer.read_ahead(ended)

    def answer(
        self,
        message: str,
        *,
        state: DialogState,
        locale: str | None,
        session_id: str,
        now: datetime,
        requests: Requests,
        on_stage: OnStage = lambda _: None,
    ) -> Answer:
        """Answers one cleaned message. Raises nothing of its own."""
        clock = _Stopwatch()
        on_stage("understand")
        with clock("understand"):
            understood = self.understander.understand(message, state=state, locale=locale)
        on_stage("retrieve")
        with clock("retrieve"):
            book = FactBook(understood.language, self._currency)
            plan = Plan(understood, state, book, now, requests)
            decide(plan, self._desk)
            if self._desk.shop_name:  # whatever the act, who speaks may say so
                book.add("shop", "name", "name", self._desk.shop_name)
        on_stage("generate")
        with clock("generate"):
            segments = self._phrase(plan, seed=_seed(session_id, len(state.recent)))
        clock.move("generate", "verify", sum(segment.verify_seconds for segment in segments))
        text = within("\n\n".join(segment.text for segment in segments), MAX_CHARS)
        phrased = [s for s in segments if s.act.name in inventory().acts]
        said = tuple(segment.marked for segment in phrased)
        next_state = replace(plan.state, recent=(*state.recent, *said)[-REPLIES_KEPT:])
        fallback = any(s.generator == self._phraser.plain.name for s in phrased)
        speaker = self._phraser.plain if fallback else self._phraser.generator
        reply = Reply(
            session_id=session_id,
            turn_id=0,
            text=text,
            language=understood.language,
            intents=understood.intents,
            products=tuple(plan.cards[: self._desk.most_products + 2]),
            comparison=plan.comparison,
            citations=tuple(dict.fromkeys(plan.citations)),
            derived=tuple(book.derived),
            request=plan.request,
            suggestions=tuple(plan.suggestions),
            handoff=plan.handoff,
            attempts=max(segment.attempts for segment in segments),
            fallback=fallback,
            generator_name=speaker.name,
            generator_version=speaker.version,
            timings_ms=clock.milliseconds(),
        )
        return Answer(reply, next_state, understood, self._trace(plan, segments, clock))

    def _phrase(self, plan: Plan, *, seed: int) -> list[Segment]:
        segments: list[Segment] = []
        notices = [
            self._phraser.phrase(
                act, facts=plan.book.facts, language=plan.language, message=plan.understood.text
            )
            for act in plan.notices
        ]  # fmt: skip
        room = MAX_CHARS - sum(len(notice.text) + 2 for notice in notices)
        for act in plan.acts:
            segment = self._phraser.phrase(
                act,
                facts=plan.book.facts,
                language=plan.language,
                message=plan.understood.text,
                recent=(*plan.state.recent, *(before.marked for before in segments)),
                seed=seed,
                room=room,
            )
            if segments and len(segment.text) > room:
                continue
            segments.append(segment)
            room -= len(segment.text) + 2
        return [*segments, *notices]

    def _trace(self, plan: Plan, segments: list[Segment], clock: _Stopwatch) -> dict[str, Any]:
        """Everything needed to explain the turn and to learn from it (promise 4)."""
        return {
            "understanding": plan.understood.as_dict(),
            "decisions": list(plan.why),
            "state": plan.state.as_trace(),
            "handoff": plan.summary and plan.summary.as_dict(),
            "hits": [asdict(hit) for hit in plan.hits[:20]],
            "facts": [asdict(fact) for fact in plan.book.facts],
            "segments": [
                {
                    "act": segment.act.name,
                    "slots": segment.act.values,
                    "slot_facts": {slot.name: slot.fact.id for slot in segment.act.slots},
                    "marked": segment.marked,
                    "text": segment.text,
                    "generator": segment.generator,
                    "attempts": segment.attempts,
                    "candidates": list(segment.candidates),
                }
                for segment in segments
            ],
            "inventory": {"version": inventory().version, "digest": inventory().digest},
            "prompt_format": FORMAT_VERSION,
            "timings_ms": clock.milliseconds(),
        }


def within(text: str, most: int) -> str:
    """`text`, cut where a shop's own titles make it longer than `most`, but in no word or figure."""
    if len(text) <= most:
        return text
    end = most - 1
    while end and re.fullmatch(r"[\w.,'$€£¥-]{2}", text[end - 1 : end + 1], re.ASCII):
        end -= 1
    return text[: end or most - 1].rstrip(" ,:-") + "…"


def _seed(session_id: str, said: int) -> int:
    """Draws a number per session and turn, so that two shoppers need not read the same words."""
    return zlib.crc32(session_id.encode()) + said


class _Stopwatch:
    def __init__(self) -> None:
        self._spent: dict[str, float] = {}
        self._start = time.perf_counter()

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._spent[stage] = time.perf_counter() - start

    def move(self, stage: str, other: str, seconds: float) -> None:
        """Counts so many seconds of `stage` as `other`, which runs inside it."""
        self._spent[stage] = self._spent.get(stage, 0.0) - seconds
        self._spent[other] = self._spent.get(other, 0.0) + seconds

    def milliseconds(self) -> dict[str, float]:
        total = time.perf_counter() - self._start
        spent = {"understand": 0.0, "retrieve": 0.0, "generate": 0.0, "verify": 0.0} | self._spent
        return {name: round(value * 1000, 2) for name, value in (spent | {"total": total}).items()}
