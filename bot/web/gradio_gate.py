"""The gate before a page of Gradio's: only what the page needs passes, and the page is made local.

Gradio brings some eighty routes, among them uploads, files of the server, a proxy, an API with a
description, monitoring and login. A page uses a handful. Everything else is answered 404 here, before
Gradio sees it, so a route that a later Gradio adds is refused as well. Knows nothing about who asks.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.problems import http_problem

# What passes of a page, and why. Paths are relative to the mount; a pattern matches the whole path.
Passes = tuple[tuple[frozenset[str], re.Pattern[str], str], ...]
PAGE: Passes = (
    (frozenset({"GET", "HEAD"}), re.compile(r"/"), "the page"),
    (
        frozenset({"GET"}),
        re.compile(r"/assets/[\w.-]+\.(?:js|css|woff2?|svg|png)"),
        "Gradio's own scripts and styles; read-only files of the package",
    ),
    (
        frozenset({"GET"}),
        re.compile(r"/static/js/iframeResizer\.contentWindow\.min\.js"),
        "the page's script that tells a framing site its height",
    ),
    (frozenset({"GET"}), re.compile(r"/theme\.css"), "the theme's colours"),
)

_RAISED = re.compile(r"/gradio_api/(?:queue/join|run/predict)")
_OUTSIDE = re.compile(
    rb"<meta\s+(?:property=\"og:|name=\"twitter:)[^>]*>|<link rel=\"manifest\"[^>]*>", re.DOTALL
)
_CROSSORIGIN = re.compile(rb"<(script|link)([^>]*?) crossorigin")


@dataclass(frozen=True, slots=True)
class Gated:
    """A page of Gradio's under `path`. `head` is put into its head, `policy` is its
    Content-Security-Policy for a nonce, `events` tells of each of its events whether it is queued."""

    path: str
    passes: Passes
    events: Mapping[int, bool]
    head: str
    language: str
    policy: Callable[[str], str]


def allowed(passes: Passes, method: str, path: str) -> bool:
    """Whether a gate lets this request through; `path` is relative to the mount."""
    return any(method in methods and pattern.fullmatch(path) for methods, pattern, _ in passes)


class GradioGate:
    """ASGI middleware over the whole app that judges requests under the page's path."""

    def __init__(self, app: ASGIApp, *, page: Gated) -> None:
        self._app = app
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        web = scope["type"] in ("http", "websocket")
        if not (web and scope["path"].startswith(f"{self._page.path}/")):
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(self._page.path)
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif not allowed(self._page.passes, scope["method"], path):
            await _refused(scope, receive, send)
        elif path == "/":
            await self._drawn(scope, receive, send)
        elif _RAISED.fullmatch(path):
            await self._raised(scope, receive, send, beside=path.endswith("/predict"))
        else:
            await self._app(scope, receive, _kept(send) if path.startswith("/assets/") else send)

    async def _raised(self, scope: Scope, receive: Receive, send: Send, *, beside: bool) -> None:
        """Passes an event that the page has, in the way that it is raised: `beside` the queue or in it.

        Gradio would break over another number, and over values that no event of ours takes.
        """
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if not self._known(body, beside=beside):
            await _refused(scope, receive, send)
            return
        replayed = False

        async def replay() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()
            replayed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    def _known(self, body: bytes, *, beside: bool) -> bool:
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):
            return False
        if not isinstance(event, dict):
            return False
        number = event.get("fn_index")
        queued = self._page.events.get(number) if type(number) is int else None
        return queued is not None and queued != beside and event.get("data") == []

    async def _drawn(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves Gradio's page with a nonce on its scripts and no reference to anywhere else."""
        # Gradio would read the query (deep links) and compress the body; neither is wanted here.
        plain = dict(scope) | {
            "query_string": b"",
            "headers": [item for item in scope["headers"] if item[0] != b"accept-encoding"],
        }
        start: Message | None = None
        body = b""

        async def collect(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body") or start is None:
                return
            nonce = secrets.token_urlsafe(16)
            drawn = self._made_local(body, nonce)
            headers = MutableHeaders(scope=start)
            headers["content-security-policy"] = self._page.policy(nonce)
            headers["cache-control"] = "no-store"
            if scope["method"] != "HEAD":
                headers["content-length"] = str(len(drawn))
            await send(start)
            await send({"type": "http.response.body", "body": drawn})

        await self._app(plain, receive, collect)

    def _made_local(self, drawn: bytes, nonce: str) -> bytes:
        """Gradio's page naming no other host, with the page's own script and style in it."""
        drawn = _OUTSIDE.sub(b"", drawn)
        drawn = _CROSSORIGIN.sub(rb"<\1\2", drawn)
        drawn = drawn.replace(b"<head>", b"<head>" + self._page.head.encode(), 1)
        drawn = drawn.replace(b'lang="en"', f'lang="{self._page.language}"'.encode(), 1)
        return drawn.replace(b"<script", f'<script nonce="{nonce}"'.encode())


def head_of(title: str, *, assets: str, style: str, script: str) -> str:
    """Returns what a page puts into its head; `assets` is where its files lie, as the page sees it."""
    return (
        f"<title>{escape(title)}</title>"
        f'<link rel="icon" href="{assets}/icon.svg">'
        f'<link rel="stylesheet" href="{assets}/{style}">'
        f'<script src="{assets}/{script}"></script>'
    )


def content_policy(
    nonce: str, *, images: tuple[str, ...], ancestors: tuple[str, ...], forms: str = "'none'"
) -> str:
    """Returns the Content-Security-Policy of a page of Gradio's; `forms` is where its forms may go.

    Gradio compiles its templates and event code in the browser, which needs 'unsafe-eval', and
    sets inline styles. Inline scripts and handlers stay forbidden: only scripts with this
    response's nonce, or loaded from this shop, run.
    """
    pictures = " ".join(("'self'", "data:", *images))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            f"img-src {pictures}",
            "font-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'self'",
            f"form-action {forms}",
            f"frame-ancestors {' '.join(ancestors)}",
        )
    )


async def _refused(scope: Scope, receive: Receive, send: Send) -> None:
    await http_problem(404, "No such address.").response()(scope, receive, send)


def _kept(send: Send) -> Send:
    """Lets browsers keep Gradio's scripts, whose names change with their content."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            headers = MutableHeaders(scope=message)
            headers["cache-control"] = "public, max-age=31536000, immutable"
        await send(message)

    return marked
