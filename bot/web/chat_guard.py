"""What the gate lets through of the chat page, what it puts into it, and who may frame it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.web import gradio_gate as gate
from bot.web.service import WebSettings

PATH = "/chat"

ALLOWED: gate.Passes = (
    *gate.PAGE,
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


def allowed(method: str, path: str) -> bool:
    """Whether the gate lets this request through; `path` is relative to the mount."""
    return gate.allowed(ALLOWED, method, path)


def chat_gate(settings: WebSettings, events: Mapping[int, bool]) -> gate.Gated:
    """Returns the chat page as the gate judges it; `events` tells of each whether it is queued."""
    ancestors = ("'self'", *settings.frame_ancestors)
    return gate.Gated(
        path=PATH,
        passes=ALLOWED,
        events=events,
        head=gate.head_of(
            settings.shop_name, assets="../chat-assets", style="chat.css", script="chat.js"
        ),
        language=settings.language,
        policy=lambda nonce: gate.content_policy(
            nonce, images=settings.image_sources, ancestors=ancestors
        ),
    )
