"""A shop that plays canned replies, for tests of the faces. Deterministic, and honest about ids.

What a message says picks the reply: "compare", "return", "person", "slow", "fail", "notready",
"html" and Chinese have scenes of their own; anything else finds tents.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bot.errors import MessageError, NotReadyError, SessionUnknownError, TurnUnknownError
from bot.turn import (
    Card,
    ChatRequest,
    Citation,
    Comparison,
    ComparisonRow,
    Derived,
    Language,
    Reply,
    RequestNote,
)
from bot.web.payload import reply_payload
from bot.web.service import Presence, Readiness, Transcript, TranscriptEntry
from retrieval.values import Filters

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HOSTILE = '<img src=x onerror="window.hacked=1"><b>bold</b> {{value}} ${value}'

TENTS = (
    Card(
        id="tent-1",
        title="Pinecrest Two-Person Tent",
        price="189.00",
        currency="USD",
        url="https://shop.example/p/pinecrest",
        image_url="/media/tent.svg",
        in_stock=True,
        rating=4.6,
        reason="Weighs 2.1 kg and sleeps two, as you asked.",
    ),
    Card(
        id="tent-2",
        title="Harbour Light Solo Shelter",
        price="129.00",
        price_to="149.00",
        currency="USD",
        url="https://shop.example/p/harbour",
        in_stock=False,
        rating=4.1,
        reason="The lightest here at 1.2 kg.",
    ),
    Card(id="tent-3", title="Old Mill Canvas Lodge", reason="Roomy: sleeps six."),
)
ZH_CARDS = (
    Card(
        id="cup-1",
        title="青瓷双层茶杯",
        price="59.00",
        currency="CNY",
        url="https://shop.example/p/cup",
        in_stock=True,
        rating=4.8,
        reason="双层隔热，容量 300 毫升。",
    ),
    Card(id="cup-2", title="竹制杯垫四件套", price="29.90", currency="CNY", in_stock=True),
)


@dataclass
class ScriptedService:
    """Keeps its conversations in `store`; a second service over the same store is a restart."""

    shop_name: str = "Juniper & Pine"
    store: dict[str, list[TranscriptEntry]] = field(default_factory=dict)
    ready: Readiness = Readiness(ready=True, feed_age_seconds=3600.0)
    max_chars: int = 4000
    released: threading.Event = field(default_factory=threading.Event)
    requests: list[ChatRequest] = field(default_factory=list)
    ratings: dict[int, int] = field(default_factory=dict)
    searches: list[dict[str, Any]] = field(default_factory=list)
    people: dict[str, Presence] = field(default_factory=dict)

    def greeting(self, language: Language) -> str:
        if language == "zh":
            return f"您好！欢迎来到 {self.shop_name}，想找点什么？"
        return f"Welcome to {self.shop_name}. What are you looking for today?"

    def chat(self, request: ChatRequest, *, on_stage: Callable[[str], None] | None = None) -> Reply:
        if not request.message.strip() or len(request.message) > self.max_chars:
            raise MessageError("The message is blank or too long.")
        if request.session_id is not None and request.session_id not in self.store:
            raise SessionUnknownError("No such conversation; send a message without session_id.")
        if "notready" in request.message:
            raise NotReadyError("no index yet: run `shopbot index`")
        self.requests.append(request)
        for stage in ("understand", "retrieve", "generate", "verify"):
            if on_stage is not None:
                on_stage(stage)
            if stage == "retrieve" and "slow" in request.message:
                self.released.wait(timeout=30)
            if stage == "generate" and "fail" in request.message:
                raise RuntimeError("secret words of the shopper")
        session_id = request.session_id or secrets.token_urlsafe(24)
        entries = self.store.setdefault(session_id, [])
        turn_id = 1 + sum(len(kept) for kept in self.store.values()) // 2
        reply = _scene(request.message, session_id, turn_id)
        entries += [
            TranscriptEntry("shopper", request.message, NOW, turn_id),
            TranscriptEntry("bot", reply.text, NOW, turn_id, payload=reply_payload(reply)),
        ]
        return reply

    def feedback(
        self, *, turn_id: int, session_id: str, score: int, reason: str | None, comment: str | None
    ) -> None:
        if turn_id not in {entry.turn_id for entry in self._entries(session_id)}:
            raise TurnUnknownError("This conversation has no such turn.")
        self.ratings[turn_id] = score
        self.store[session_id] = [
            TranscriptEntry(e.role, e.text, e.created_at, e.turn_id, e.payload, score)
            if e.turn_id == turn_id and e.role == "bot"
            else e
            for e in self.store[session_id]
        ]

    def transcript(self, session_id: str) -> Transcript:
        return tuple(self._entries(session_id))

    def presence(self, session_id: str, *, after: int = 0) -> Presence:
        payload = self._entries(session_id)[-1].payload or {}
        there = self.people.get(session_id, Presence(awaited=payload.get("handoff", False)))
        said = tuple(entry for entry in there.said if (entry.message_id or 0) > after)
        return replace(there, said=said)

    def erase(self, session_id: str) -> int:
        entries = self._entries(session_id)
        del self.store[session_id]
        return len(entries) // 2

    def search(self, *, query: str, k: int, filters: Filters, explain: bool) -> dict[str, Any]:
        self.searches.append({"query": query, "k": k, "filters": filters, "explain": explain})
        return {"query": query, "total": 0, "hits": []}

    def showcase(self, count: int) -> tuple[Card, ...]:
        return TENTS[:count]

    def readiness(self) -> Readiness:
        return self.ready

    def _entries(self, session_id: str) -> list[TranscriptEntry]:
        try:
            return self.store[session_id]
        except KeyError:
            raise SessionUnknownError("No such conversation.") from None


def _scene(message: str, session_id: str, turn_id: int) -> Reply:
    def reply(text: str, intent: str, **more: Any) -> Reply:
        timings = {"understand": 2.0, "retrieve": 9.0, "generate": 60.0, "verify": 1.0}
        return Reply(
            session_id,
            turn_id,
            text,
            more.pop("language", "en"),
            (intent,),
            generator_name=more.pop("generator_name", "gpt2-shop"),
            generator_version="1",
            timings_ms=timings | {"total": 72.0},
            **more,
        )

    words = message.lower()
    if any("\u4e00" <= sign <= "\u9fff" for sign in message):
        return reply(
            "为您找到两款合适的商品：\n- 青瓷双层茶杯，¥59.00\n- 竹制杯垫四件套，¥29.90\n"
            "两款都有现货。",
            "recommend",
            language="zh",
            products=ZH_CARDS,
            suggestions=("比较这两款", "多久能送到？"),
        )
    if "html" in words:
        return reply(
            f"You wrote: {HOSTILE}",
            "recommend",
            products=(
                Card(
                    id="<x>",
                    title=HOSTILE,
                    url="javascript:alert(1)",
                    image_url="javascript:alert(1)",
                    reason=HOSTILE,
                ),
            ),
            comparison=Comparison(("<x>",), (ComparisonRow(HOSTILE, (HOSTILE,)),)),
            citations=(Citation("product", "<x>", HOSTILE, HOSTILE),),
            suggestions=(HOSTILE,),
        )
    if "compare" in words:
        return reply(
            "The Pinecrest sleeps two; the Harbour Light is 0.9 kg lighter and 60.00 USD cheaper.",
            "compare",
            products=TENTS[:2],
            comparison=Comparison(
                ("tent-1", "tent-2"),
                (
                    ComparisonRow("Price", ("$189.00", "$129.00 – $149.00")),
                    ComparisonRow("Weight", ("2.1 kg", "1.2 kg")),
                    ComparisonRow("Sleeps", ("2", "1")),
                    ComparisonRow("Season", ("3", "")),
                ),
            ),
            citations=(
                Citation("product", "tent-1", "Pinecrest Two-Person Tent", "Weight: 2.1 kg"),
                Citation("product", "tent-2", "Harbour Light Solo Shelter", "Weight: 1.2 kg"),
            ),
            derived=(Derived("60.00", "difference", ("189.00", "129.00")),),
            suggestions=("Which is in stock?", "What is your return policy?"),
        )
    if "return" in words:
        return reply(
            "You may send an unused item back within 30 days of delivery. We pay the postage for "
            "faulty goods.\n\nYour wish to return the tent is recorded.",
            "policy_question",
            citations=(
                Citation(
                    "policy",
                    "returns",
                    "Returns",
                    "Unused items may be returned within 30 days of delivery.",
                ),
            ),
            request=RequestNote("R-1042", "return"),
        )
    if "person" in words:
        return reply(
            "I have passed this on; somebody of the shop will read it.",
            "handoff",
            handoff=True,
            fallback=True,
            generator_name="plain",
        )
    return reply(
        "Here are three tents that may suit you:\n- Pinecrest Two-Person Tent at $189.00\n"
        "- Harbour Light Solo Shelter from $129.00\n- Old Mill Canvas Lodge\n"
        "The Pinecrest fits your wish best.",
        "recommend",
        products=TENTS,
        citations=(
            Citation("product", "tent-1", "Pinecrest Two-Person Tent", "Sleeps: 2"),
            Citation("product", "tent-2", "Harbour Light Solo Shelter", "Weight: 1.2 kg"),
        ),
        suggestions=("Compare the first two", "Only those in stock", "Can I return a tent?"),
    )
