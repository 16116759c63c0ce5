"""The gate before Gradio: only what the chat page needs passes, and its page is made local.

Gradio brings some eighty routes, among them uploads, files of the server, a proxy, an API with a
description, monitoring and login. The page uses the handful below. Everything else is answered
404 here, before Gradio sees it, so a route that a later Gradio adds is refused as well.
"""

from __future__ import annotations

import re
import secrets
from html import escape

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.problems import http_problem
from bot.web.service import WebSettings

PATH = "/chat"

# What passes, and why. Paths are relative to the mount; every pattern matches the whole path.
ALLOWED: tuple[tuple[frozenset[str], re.Pattern[str], str], ...] = (
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
    (
        frozenset({"POST"}),
        re.compile(r"/gradio_api/(?:queue/join|run/predict)"),
        "raises one of the page's five events, each of which checks what it is given",
    ),
    (
        frozenset({"GET"}),
        re.compile(r"/gradio_api/queue/data"),
        "streams the answers of the events that the same tab has raised",
    ),
)

_OUTSIDE = re.compile(
    rb"<meta\s+(?:property=\"og:|name=\"twitter:)[^>]*>|<link rel=\"manifest\"[^>]*>", re.DOTALL
)
_CROSSORIGIN = re.compile(rb"<(script|link)([^>]*?) crossorigin")


def allowed(method: str, path: str) -> bool:
    """Whether the gate lets this request through; `path` is relative to the mount."""
    return any(method in methods and pattern.fullmatch(path) for methods, pattern, _ in ALLOWED)


class ChatGuard:
    """ASGI middleware over the whole app that judges requests under PATH."""

    def __init__(self, app: ASGIApp, *, settings: WebSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        under = scope["type"] in ("http", "websocket") and scope["path"].startswith(f"{PATH}/")
        if not under:
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(PATH)
        if scope["type"] == "websocket" or not allowed(scope["method"], path):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            await http_problem(404, "No such address.").response()(scope, receive, send)
            return
        if path == "/":
            await self._page(scope, receive, send)
            return
        await self._app(scope, receive, _kept(send) if path.startswith("/assets/") else send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
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
            page = made_local(body, nonce=nonce, settings=self._settings)
            headers = MutableHeaders(scope=start)
            headers["content-security-policy"] = content_policy(nonce, self._settings)
            headers["cache-control"] = "no-store"
            if scope["method"] != "HEAD":
                headers["content-length"] = str(len(page))
            await send(start)
            await send({"type": "http.response.body", "body": page})

        await self._app(plain, receive, collect)


def _kept(send: Send) -> Send:
    """Lets browsers keep Gradio's scripts, whose names change with their content."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            headers = MutableHeaders(scope=message)
            headers["cache-control"] = "public, max-age=31536000, immutable"
        await send(message)

    return marked


def made_local(page: bytes, *, nonce: str, settings: WebSettings) -> bytes:
    """Returns Gradio's page naming no other host, with the chat's own script and style in it."""
    page = _OUTSIDE.sub(b"", page)
    page = _CROSSORIGIN.sub(rb"<\1\2", page)
    own = (
        f"<title>{escape(settings.shop_name)}</title>"
        '<link rel="icon" href="../chat-assets/icon.svg">'
        '<link rel="stylesheet" href="../chat-assets/chat.css">'
        '<script src="../chat-assets/chat.js"></script>'
    )
    page = page.replace(b"<head>", b"<head>" + own.encode(), 1)
    page = page.replace(b'lang="en"', f'lang="{settings.language}"'.encode(), 1)
    return page.replace(b"<script", f'<script nonce="{nonce}"'.encode())


def content_policy(nonce: str, settings: WebSettings) -> str:
    """Returns the chat page's Content-Security-Policy.

    Gradio compiles its templates and event code in the browser, which needs 'unsafe-eval', and
    sets inline styles. Inline scripts and handlers stay forbidden: only scripts with this
    response's nonce, or loaded from this shop, run.
    """
    ancestors = " ".join(("'self'", *settings.frame_ancestors))
    images = " ".join(("'self'", "data:", *settings.image_sources))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            f"img-src {images}",
            "font-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'self'",
            "form-action 'none'",
            f"frame-ancestors {ancestors}",
        )
    )
