"""The console as a page of Gradio's: one HTML component that raises one event, and what the gate lets
through of it.

No state lives here or in Gradio: the event carries an address and a form, and is answered with the page
as it is drawn for whoever the session says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import gradio as gr

from bot.web import gradio_gate as gate
from bot.web.console.guard import PATH, user_of
from bot.web.console.sign_in import SIGN_IN, SIGN_OUT
from bot.web.console.view import Console
from bot.web.service import WebSettings

ALLOWED: gate.Passes = (
    *gate.PAGE,
    (
        frozenset({"POST"}),
        re.compile(r"/gradio_api/run/predict"),
        "raises the page's one event; each handler behind it checks who asks and what is given",
    ),
    (frozenset({"GET", "POST"}), re.compile(rf"/{SIGN_IN}"), "our own: signing in"),
    (frozenset({"POST"}), re.compile(rf"/{SIGN_OUT}"), "our own: signing out"),
)

# The name in quotes is the event that the script may raise; Gradio reads it from here.
_START = "window.shopbotConsole.start(element, props, trigger, watch, ['go'])"
_SHELL = '<div id="desk" aria-busy="true"></div>'


def build_console(console: Console) -> Any:
    """Returns the Blocks of the console."""

    def on_go(event: gr.EventData, request: gr.Request) -> Any:
        data = getattr(event, "_data", None)
        user = user_of(request.request.scope) if request.request else None
        return console.go(user, data if isinstance(data, dict) else {})

    with gr.Blocks(title=console.office.shop_name, analytics_enabled=False) as blocks:
        view = gr.HTML(
            value=None,
            html_template=_SHELL,
            js_on_load=_START,
            apply_default_css=False,
            elem_id="shopbot-console",
        )
        view.go(
            on_go,
            inputs=None,
            outputs=view,
            queue=False,
            api_visibility="private",
            show_progress="hidden",
            trigger_mode="multiple",
        )
    blocks.queue(api_open=False, max_size=1)
    return blocks


def console_gate(settings: WebSettings, events: Mapping[int, bool]) -> gate.Gated:
    """Returns the console as the gate judges it; no site may frame it."""
    return gate.Gated(
        path=PATH,
        passes=ALLOWED,
        events=events,
        head='<meta name="referrer" content="same-origin">'
        + gate.head_of(
            f"{settings.shop_name} · desk",
            assets="../console-assets",
            style="console.css",
            script="console.js",
        ),
        language="en",
        policy=lambda nonce: gate.content_policy(
            nonce, images=settings.image_sources, ancestors=("'none'",), forms="'self'"
        ),
    )
