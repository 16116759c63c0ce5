"""Puts the faces of one shop together: API, chat page, console, pictures. Starts no server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bot.desk.office import Office
from bot.web.api import api_router
from bot.web.chat_guard import PATH, chat_gate
from bot.web.embedding import embedding_router
from bot.web.gradio_gate import GradioGate
from bot.web.limits import Limiter
from bot.web.metrics import Metrics
from bot.web.middleware import AccessLog, BodyLimit, SecurityHeaders
from bot.web.problems import install_problems
from bot.web.service import ShopService, WebSettings
from bot.web.turns import Desk

STATIC = Path(__file__).parent / "static"
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".svg"})


class _Pictures(StaticFiles):
    """The home's media folder: pictures only, whatever else an owner may have put there."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if Path(path).suffix.lower() not in PICTURES:
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=3600"
        return response


def create_app(
    service: ShopService, settings: WebSettings, *, office: Office | None = None
) -> FastAPI:
    """Returns the ASGI app of one shop, with a console where there is an `office` to show.

    Several may live in one process; they share nothing.
    """
    # Gradio takes seconds to import, which every command that serves nothing is spared.
    from bot.web.chat_page import ChatPage, build_blocks

    metrics = Metrics()
    limiter = Limiter(settings.limits, clock=time.monotonic)
    desk = Desk(service, limiter=limiter, metrics=metrics)
    app = FastAPI(title="shopbot", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    install_problems(app)
    app.include_router(api_router(desk, metrics))
    app.include_router(embedding_router(service, settings))
    app.mount("/chat-assets", StaticFiles(directory=STATIC))
    if settings.media_dir is not None:
        app.mount("/media", _Pictures(directory=settings.media_dir, check_dir=False))

    @app.get("/favicon.ico", include_in_schema=False)
    def icon() -> FileResponse:
        return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")

    @app.get("/", include_in_schema=False)
    @app.get(PATH, include_in_schema=False)
    def to_chat(request: Request) -> RedirectResponse:
        # Relative: behind a proxy the address that the browser used is not always known here.
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"chat/{query}", status_code=307)

    # The last middleware added is the first one asked.
    events = _mounted(app, lambda: build_blocks(ChatPage(desk, settings), settings), PATH)
    app.add_middleware(GradioGate, page=chat_gate(settings, events))
    if office is not None:
        _add_console(app, office, settings, limiter)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(AccessLog)
    return app


def _add_console(app: FastAPI, office: Office, settings: WebSettings, limiter: Limiter) -> None:
    from bot.web.console import blocks as console_page
    from bot.web.console.guard import PATH as CONSOLE
    from bot.web.console.guard import ConsoleGuard
    from bot.web.console.render import HERE
    from bot.web.console.sign_in import sign_in_router
    from bot.web.console.view import Console

    app.include_router(sign_in_router(office.accounts, settings.shop_name, limiter))
    app.mount("/console-assets", StaticFiles(directory=HERE / "static"))
    events = _mounted(app, lambda: console_page.build_console(Console(office)), CONSOLE)
    app.add_middleware(GradioGate, page=console_page.console_gate(settings, events))
    app.add_middleware(ConsoleGuard, accounts=office.accounts, shop_name=settings.shop_name)


def _mounted(app: FastAPI, build: Callable[[], Any], path: str) -> dict[int, bool]:
    """Mounts a page of Gradio's; returns its events by their number, and whether each is queued.

    It is made while an event loop runs: without one Gradio makes several and closes none.
    """
    import gradio as gr

    def mount() -> dict[int, bool]:
        blocks = build()
        gr.mount_gradio_app(
            app,
            blocks,
            path=path,
            footer_links=[],
            run_history=False,
            show_error=False,
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
            pwa=False,
            theme=_theme(),
        )
        return {number: bool(event.queue) for number, event in blocks.fns.items()}

    async def mount_in_a_loop() -> dict[int, bool]:
        return mount()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(mount_in_a_loop())
    return mount()


def _theme() -> object:
    """Returns Gradio's plainest theme on fonts that the system has; its default asks Google's."""
    import gradio as gr

    return gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
