"""The HTTP API of a shop, as docs/embedding.md describes it. Knows nothing about pages."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import AfterValidator, BaseModel, Field

from bot.errors import MessageError, SessionUnknownError
from bot.turn import ChatRequest
from bot.web.limits import Client, client_of
from bot.web.metrics import Metrics
from bot.web.payload import reply_payload, transcript_payload
from bot.web.problems import Problem, log_failure, problem_of
from bot.web.service import session_hash
from bot.web.turns import Answered, Desk, Failed, Stage, TurnEvent, pieces
from retrieval.values import Filters


def _unicode(text: str) -> str:
    """Refuses halves of characters, which JSON can spell and no database can store."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("not valid Unicode") from None
    return text


def _printable(text: str) -> str:
    """Refuses what no id or label holds: control characters, and halves of characters."""
    if not text.isprintable():
        raise ValueError("only printable characters are accepted")
    return text


def _lines(text: str) -> str:
    """Drops control characters other than line breaks from a comment."""
    return "".join(sign for sign in _unicode(text) if sign.isprintable() or sign == "\n")


Text = Annotated[str, AfterValidator(_unicode)]
Label = Annotated[str, Field(max_length=200), AfterValidator(_printable)]
Names = Annotated[list[Label], Field(max_length=20)]


class Consent(BaseModel):
    training: bool | None = None


class ChatBody(BaseModel):
    """What `POST /api/chat` reads. The shop itself judges the message's length and content."""

    message: Text
    session_id: Label | None = None
    customer_id: Label | None = None
    locale: Literal["en", "zh"] | None = None
    consent: Consent | None = None
    client_message_id: Label | None = None

    def request(self) -> ChatRequest:
        return ChatRequest(
            message=self.message,
            session_id=self.session_id,
            customer_id=self.customer_id,
            locale=self.locale,
            training_consent=self.consent.training if self.consent else None,
            client_message_id=self.client_message_id,
        )


class FeedbackBody(BaseModel):
    # An upper bound that every database can hold, so that a wild number is a 422 and not a 500.
    turn_id: Annotated[int, Field(ge=0, le=2**53)]
    session_id: Label
    score: Literal[1, -1]
    reason: Label | None = None
    comment: Annotated[str, Field(max_length=2000), AfterValidator(_lines)] | None = None


class SearchQuery(BaseModel):
    """The query string of `GET /api/products/search`; brand and category may be repeated."""

    q: Annotated[str, Field(max_length=1000)]
    k: Annotated[int, Field(ge=1, le=100)] = 10
    price_min: Annotated[Decimal, Field(ge=0)] | None = None
    price_max: Annotated[Decimal, Field(ge=0)] | None = None
    brand: Names = []
    category: Names = []
    in_stock: bool | None = None
    explain: bool = False

    def filters(self) -> Filters:
        return Filters(
            price_min=self.price_min,
            price_max=self.price_max,
            brands=tuple(self.brand),
            categories=tuple(self.category),
            in_stock=self.in_stock,
        )


def client_from(request: Request) -> Client:
    """Returns whom limits are counted on."""
    return client_of(request.client.host if request.client else None, request.headers)


def api_router(desk: Desk, metrics: Metrics) -> APIRouter:
    """Returns every route but the pages. Handlers are plain functions: the shop's work blocks."""
    router = APIRouter()
    service = desk.service

    def admit(request: Request, session_id: str | None = None, *, message: bool = False) -> None:
        if session_id:
            request.state.session_hash = session_hash(session_id)
        desk.admit(client_from(request), session_id=session_id if message else None)

    @router.post("/api/chat")
    def chat(body: ChatBody, request: Request) -> dict[str, Any]:
        admit(request, body.session_id, message=True)
        reply = desk.answer(body.request())
        request.state.session_hash = session_hash(reply.session_id)
        return reply_payload(reply)

    @router.post("/api/chat/stream")
    def stream(body: ChatBody, request: Request) -> StreamingResponse:
        admit(request, body.session_id, message=True)
        events = desk.watch(body.request())
        first = next(events)
        if isinstance(first, Failed):  # nothing was sent yet, so the status can still say it
            raise first.error
        return StreamingResponse(
            _server_sent(itertools.chain([first], events)),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    @router.post("/api/feedback")
    def feedback(body: FeedbackBody, request: Request) -> dict[str, Any]:
        admit(request, body.session_id)
        desk.feedback(
            turn_id=body.turn_id,
            session_id=body.session_id,
            score=body.score,
            reason=body.reason,
            comment=body.comment,
        )
        return {"turn_id": body.turn_id, "score": body.score}

    @router.get("/api/conversations/current")
    def transcript(
        request: Request, x_shopbot_session: Annotated[str | None, Header(max_length=200)] = None
    ) -> dict[str, Any]:
        session_id = _session(x_shopbot_session)
        admit(request, session_id)
        return transcript_payload(session_id, service.transcript(session_id))

    @router.delete("/api/conversations/current")
    def erase(
        request: Request, x_shopbot_session: Annotated[str | None, Header(max_length=200)] = None
    ) -> dict[str, Any]:
        session_id = _session(x_shopbot_session)
        admit(request, session_id)
        return {"erased": service.erase(session_id)}

    @router.get("/api/products/search")
    def search(request: Request, query: Annotated[SearchQuery, Query()]) -> dict[str, Any]:
        admit(request)
        if not query.q.strip():
            raise MessageError("q is blank; say what to look for.")
        return service.search(
            query=query.q, k=query.k, filters=query.filters(), explain=query.explain
        )

    @router.get("/health/live")
    def live() -> dict[str, str]:
        return {"status": "live"}

    @router.get("/health/ready")
    def ready() -> JSONResponse:
        readiness = service.readiness()
        state = {
            "reasons": list(readiness.reasons),
            "feed_age_seconds": readiness.feed_age_seconds,
            "feed_max_age_seconds": readiness.feed_max_age_seconds,
            "feed_stale": readiness.feed_stale,
        }
        if readiness.ready:
            return JSONResponse({"status": "ready"} | state)
        problem = Problem(503, "not-ready", "; ".join(readiness.reasons) or "The shop is starting.")
        return JSONResponse(
            problem.document() | state, status_code=503, media_type="application/problem+json"
        )

    @router.get("/metrics")
    def prometheus() -> Response:
        return Response(
            metrics.text(service.readiness()), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    return router


def _session(header: str | None) -> str:
    if not header:
        raise SessionUnknownError("Send the session id as the header X-Shopbot-Session.")
    return header


def _server_sent(events: Iterator[TurnEvent]) -> Iterator[str]:
    for event in events:
        if isinstance(event, Stage):
            yield _event("status", {"stage": event.name})
        elif isinstance(event, Answered):
            payload = reply_payload(event.reply)
            for piece in pieces(payload["reply"]):
                yield _event("token", {"text": piece})
            yield _event("products", {"products": payload["products"]})
            yield _event("done", payload)
        elif isinstance(event, Failed):
            log_failure(event.error)
            yield _event("error", problem_of(event.error).document())
        else:
            yield ": waiting\n\n"


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
