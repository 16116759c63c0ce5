"""The shop's assistant in another site's page: the script that puts a launcher there, and a pretend
shop that shows it.

The script and the pretend shop hold nothing of any conversation; that stays in the chat page's own
frame. Knows nothing about turns.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from bot.errors import NotReadyError
from bot.turn import Language
from bot.web.chat_render import HERE, templates
from bot.web.problems import log_failure
from bot.web.service import ShopService, WebSettings
from db.errors import StoreError

SHOWN = 6  # products of the pretend shop
FRESH_SECONDS = 300  # how long a browser may keep the script, whose address never changes


def embedding_router(service: ShopService, settings: WebSettings) -> APIRouter:
    """Returns the routes `/widget.js` and `/embed-demo`."""
    router = APIRouter(include_in_schema=False)
    script = widget_script(settings)
    tag = f'"{hashlib.sha256(script).hexdigest()[:20]}"'

    @router.api_route("/widget.js", methods=["GET", "HEAD"])
    def widget(request: Request) -> Response:
        headers = {
            "cache-control": f"public, max-age={FRESH_SECONDS}",
            "etag": tag,
            # a page that isolates itself takes scripts only from those who allow it
            "cross-origin-resource-policy": "cross-origin",
        }
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(script, media_type="text/javascript", headers=headers)

    @router.get("/embed-demo")
    def embed_demo(request: Request) -> HTMLResponse:
        address = str(request.base_url).rstrip("/")
        headers = {
            "content-security-policy": _demo_policy(settings),
            "cache-control": "no-store",
            "x-robots-tag": "noindex",
        }
        return HTMLResponse(_demo(service, settings, address), headers=headers)

    return router


def widget_script(settings: WebSettings) -> bytes:
    """Returns the script with the shop's name, colour and words in it, the same for every site."""
    source = (HERE / "static" / "widget.js").read_text(encoding="utf-8").strip()
    told = {
        "title": settings.shop_name,
        "accent": settings.accent,
        "language": settings.language,
        "words": {language: _words(language)["widget"] for language in ("en", "zh")},
    }
    return f"{source}({json.dumps(told)});\n".encode()


def _demo(service: ShopService, settings: WebSettings, address: str) -> str:
    """The pretend shop: goods of the catalogue where there are any yet, and the line to paste."""
    try:
        goods = [asdict(card) for card in service.showcase(SHOWN)]
    except (NotReadyError, StoreError) as error:
        log_failure(error)
        goods = []
    page = templates().get_template("embed_demo.html")
    words = _words(settings.language)
    return str(
        page.render(
            shop=settings.shop_name,
            language=settings.language,
            goods=goods,
            address=address,
            words=words["demo"] | {"price_unknown": words["reply"]["price_unknown"]},
        )
    )


def _demo_policy(settings: WebSettings) -> str:
    images = " ".join(("'self'", "data:", *settings.image_sources))
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; frame-src 'self'; "
        f"img-src {images}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def _words(language: Language) -> dict[str, Any]:
    table = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))
    return dict(table[language])
