"""Puts the faces of one shop together: API, chat page, pictures. Starts no server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bot.web.api import api_router
from bot.web.chat_guard import PATH, ChatGuard
from bot.web.embedding import embedding_router
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


def create_app(service: ShopService, settings: WebSettings) -> FastAPI:
    """Returns the ASGI app of one shop. Several may live in one process; they share nothing."""
    # Gradio takes seconds to import, which every command that serves nothing is spared.
    import gradio as gr

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

    def mount() -> None:
        gr.mount_gradio_app(
            app,
            build_blocks(ChatPage(desk, settings), settings),
            path=PATH,
            footer_links=[],
            run_history=False,
            show_error=False,
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
            pwa=False,
            theme=_theme(),
        )

    _in_a_loop(mount)
    # The last one added is the first one asked.
    app.add_middleware(ChatGuard, settings=settings)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(AccessLog)
    return app


def _theme() -> object:
    """Returns Gradio's plainest theme on fonts that the system has; its default asks Google's."""
    import gradio as gr

    return gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])


def _in_a_loop(build: Callable[[], None]) -> None:
    """Calls `build` while an event loop runs: without one Gradio makes several and closes none."""

    async def run() -> None:
        build()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(run())
    else:
        build()
