"""RFC 9457 problem documents: every error of the HTTP faces, as JSON and never as a trace.

Knows nothing about routes. https://www.rfc-editor.org/rfc/rfc9457
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from bot.errors import (
    MessageError,
    NotReadyError,
    SessionUnknownError,
    ShopbotError,
    TurnUnknownError,
)
from bot.web.limits import RateLimitedError
from db.errors import DatabaseUnavailable, StoreError, UnknownConversation

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: `kind` names it for programs, `detail` says the remedy in a line."""

    status: int
    kind: str
    detail: str
    errors: tuple[dict[str, str], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return {
            "type": f"urn:shopbot:problem:{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        } | ({"errors": list(self.errors)} if self.errors else {})

    def response(self) -> JSONResponse:
        return JSONResponse(
            self.document(), status_code=self.status, headers=self.headers, media_type=MEDIA_TYPE
        )


NOT_READY_SECONDS = 30  # until a shop that is being mended is worth another try

_STATUS: tuple[tuple[type[ShopbotError], int, str], ...] = (
    (MessageError, 422, "message-refused"),
    (SessionUnknownError, 404, "session-unknown"),
    (TurnUnknownError, 404, "turn-unknown"),
    (RateLimitedError, 429, "too-many-requests"),
    (NotReadyError, 503, "not-ready"),
)


def problem_of(error: Exception) -> Problem:
    """Returns the problem that an error is; what is not foreseen is a 500 that says nothing more.

    The caller logs an unforeseen error; its words may hold private text and stay inside.
    """
    for kind, status, name in _STATUS:
        if isinstance(error, kind):
            return Problem(status, name, str(error), headers=_retry(error))
    if isinstance(error, UnknownConversation):  # erased while it was answered
        return Problem(404, "session-unknown", str(error))
    if isinstance(error, DatabaseUnavailable):
        return Problem(503, error.kind, error.told, headers=_retry(error))
    return Problem(500, "internal", "The shop could not answer; the owner's log says why.")


def _retry(error: Exception) -> dict[str, str]:
    """The header that tells when another try may be worth it."""
    if isinstance(error, NotReadyError):
        return {"Retry-After": str(NOT_READY_SECONDS)}
    seconds = getattr(error, "retry_after", None)
    return {} if seconds is None else {"Retry-After": str(seconds)}


def log_failure(error: Exception) -> None:
    """Tells the owner's log what the shopper is not told. Holds no words of a message."""
    if isinstance(error, DatabaseUnavailable):
        logger.error("%s", error)


def http_problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Problem:
    """Returns the problem of a plain HTTP status, such as an unknown route."""
    kind = HTTPStatus(status).phrase.lower().replace(" ", "-")
    return Problem(status, kind, detail, headers=dict(headers or {}))


def install_problems(app: FastAPI) -> None:
    """Makes every error response of `app` a problem document."""

    async def from_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        detail = error.detail if isinstance(error.detail, str) else ""
        if error.status_code == 404:
            detail = "No such address; docs/embedding.md lists what there is."
        return http_problem(error.status_code, detail, error.headers).response()

    async def from_validation(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        # The input itself is left out: it may be private, and may not even be valid Unicode.
        errors = tuple(
            {
                "field": ".".join(str(part) for part in item["loc"][1:]) or "body",
                "message": str(item["msg"]),
            }
            for item in error.errors()
        )
        first = errors[0]
        return Problem(
            422, "invalid-request", f"{first['field']}: {first['message']}", errors=errors
        ).response()

    async def from_shop(request: Request, error: Exception) -> JSONResponse:
        log_failure(error)
        return problem_of(error).response()

    async def from_anything(request: Request, error: Exception) -> JSONResponse:
        return problem_of(error).response()

    app.add_exception_handler(HTTPException, from_http)
    app.add_exception_handler(RequestValidationError, from_validation)
    app.add_exception_handler(ShopbotError, from_shop)
    app.add_exception_handler(StoreError, from_shop)
    app.add_exception_handler(Exception, from_anything)
