"""Replies on their way to the store and back: the turn that is written, the reply that is sent again,
the requests that are recorded.

Knows the stores' values and nothing of how an answer came about.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bot.sealing import SealError, open_details, seal
from bot.turn import (
    Card,
    ChatRequest,
    Citation,
    Comparison,
    ComparisonRow,
    Derived,
    Reply,
    RequestNote,
)
from bot.web.payload import reply_payload
from db.conversations import NewTurn
from prompts.acts import inventory
from prompts.filling import FORMAT_VERSION
from retrieval.text import tokens

if TYPE_CHECKING:
    from bot.dialog import Answer
    from db.requests import RequestStore, StoredRequest


def new_turn(request: ChatRequest, answer: Answer) -> NewTurn:
    """Returns the turn to store; it names neither session nor turn id."""
    reply: Reply = answer.reply
    payload = reply_payload(reply)
    # the session id opens the conversation, so it is not written down with it
    payload.pop("session_id")
    payload.pop("turn_id")
    return NewTurn(
        user_text=answer.understood.text,
        reply_text=reply.text,
        language=reply.language,
        intent=reply.intents[0],
        intents=reply.intents,
        acts=tuple(segment["act"] for segment in answer.trace["segments"]),
        payload=payload,
        trace=answer.trace,
        generator_name=reply.generator_name,
        generator_version=reply.generator_version,
        prompt_version=f"{inventory().version}.{FORMAT_VERSION}-{inventory().digest[:8]}",
        fallback=reply.fallback,
        best_score=max((hit["score"] for hit in answer.trace["hits"]), default=None),
        client_message_id=request.client_message_id,
    )


def found_by(user_text: str, reply_text: str) -> list[str]:
    """Returns the words that a turn is found by at the desk, as the retrieval cuts them."""
    return list(dict.fromkeys(tokens(f"{user_text}\n{reply_text}")))


def stored_reply(payload: dict[str, Any], session_id: str, turn_id: int) -> Reply:
    """Rebuilds the reply that was sent for a repeated message."""
    table = payload["comparison"]
    return Reply(
        session_id=session_id,
        turn_id=turn_id,
        text=payload["reply"],
        language=payload["language"],
        intents=tuple(payload["intents"]),
        products=tuple(Card(**card) for card in payload["products"]),
        comparison=table
        and Comparison(
            tuple(table["columns"]),
            tuple(ComparisonRow(r["label"], tuple(r["values"])) for r in table["rows"]),
        ),
        citations=tuple(Citation(**c) for c in payload["citations"]),
        derived=tuple(Derived(d["value"], d["op"], tuple(d["of"])) for d in payload["derived"]),
        request=payload["request"] and RequestNote(**payload["request"]),
        suggestions=tuple(payload["suggestions"]),
        handoff=payload["handoff"],
        attempts=payload["grounding"]["attempts"],
        fallback=payload["grounding"]["fallback"],
        generator_name=payload["generator"]["name"],
        generator_version=payload["generator"]["version"],
        timings_ms=payload["timings_ms"],
        speaker=payload.get("speaker"),
    )


class Recorder:
    """Records requests of one conversation, their details sealed with the home's secret.

    One that is open already is not recorded twice: what is new of it is added to its details.
    """

    def __init__(
        self, store: RequestStore, conversation_id: int, now: datetime, *, secret: bytes
    ) -> None:
        self._store = store
        self._conversation_id = conversation_id
        self._now = now
        self._secret = secret

    def record(
        self, kind: Any, *, order_id: str | None, details: Mapping[str, str] | None = None
    ) -> RequestNote:
        if order_id:
            known = self._store.find(kind, order_id)
        else:
            known = self._store.find_in(kind, self._conversation_id)
        if known is not None:
            self._add(known, details or {})
            return RequestNote(known.number, kind, known.status)
        stored = self._store.record(
            kind,
            conversation_id=self._conversation_id,
            order_id=order_id,
            sealed_details=seal(details or {}, self._secret) or None,
            now=self._now,
        )
        return RequestNote(stored.number, kind, stored.status)

    def _add(self, known: StoredRequest, details: Mapping[str, str]) -> None:
        """What is said later wins, but another item to send back does not take the first one out."""
        try:
            before = open_details(known, self._secret)
        except SealError:
            before = {}
        merged = before | dict(details)
        items = [*before.get("items", "").split("; "), *details.get("items", "").split("; ")]
        if any(items):
            merged["items"] = "; ".join(dict.fromkeys(filter(None, items)))
        if merged != before:
            self._store.reseal(known.number, seal(merged, self._secret))
