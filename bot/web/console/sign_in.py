"""Signing in to the console and out of it: a plain form, and a cookie that opens nothing else.

Knows nothing about pages or how passwords are kept.
"""

from __future__ import annotations

import threading
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Body, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from bot.accounts import LASTS, Accounts
from bot.errors import AccountError
from bot.web.console.render import render
from bot.web.limits import Limiter, RateLimitedError, client_of

COOKIE = "shopbot_desk"
SIGN_IN, SIGN_OUT = "sign-in", "sign-out"
AT_ONCE = 2  # passwords that are checked at the same time; each takes 64 MiB for a moment

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def form_page(
    shop_name: str, *, path: str, told: str = "", name: str = "", status: int = 401
) -> Response:
    """Returns the page with the form; `path` is the address that the browser shows."""
    inside = path.count("/") > 1  # of the console's own folder
    page = render(
        "sign_in.html",
        shop=shop_name,
        told=told,
        name=name,
        action=SIGN_IN if inside else f"console/{SIGN_IN}",
        assets="../console-assets" if inside else "console-assets",
    )
    return HTMLResponse(page, status_code=status, headers=_headers())


def sign_in_router(accounts: Accounts, shop_name: str, limiter: Limiter) -> APIRouter:
    """Returns the routes that sign in and out; the guard stands before them."""
    router = APIRouter(include_in_schema=False)
    turnstile = threading.BoundedSemaphore(AT_ONCE)

    @router.get("/console", response_model=None)
    @router.get(f"/console/{SIGN_IN}", response_model=None)
    def enter(request: Request) -> Response:
        inside = request.url.path.count("/") > 1
        return RedirectResponse("./" if inside else "console/", 303, headers=_headers())

    @router.post(f"/console/{SIGN_IN}", response_model=None)
    def sign_in(request: Request, body: Annotated[bytes, Body()] = b"") -> Response:
        given = _fields(body)
        name, password = given.get("name", ""), given.get("password", "")
        try:
            limiter.admit(
                client_of(request.client.host if request.client else None, request.headers)
            )
            with turnstile:
                known = accounts.sign_in(name, password)
        except (AccountError, RateLimitedError) as error:
            told = f"{str(error)[:1].upper()}{str(error)[1:].rstrip('.')}."
            return form_page(shop_name, path=request.url.path, told=told, name=name, status=429)
        if known is None:
            told = "This name and password do not belong together."
            return form_page(shop_name, path=request.url.path, told=told, name=name)
        response = RedirectResponse("./", 303, headers=_headers())
        response.set_cookie(
            COOKIE,
            known[1],
            max_age=int(LASTS.total_seconds()),
            path=f"{request.scope.get('root_path', '')}/console",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return response

    @router.post(f"/console/{SIGN_OUT}", response_model=None)
    def sign_out(request: Request) -> Response:
        accounts.sign_out(request.cookies.get(COOKIE, ""))
        response = RedirectResponse("./", 303, headers=_headers())
        response.delete_cookie(
            COOKIE,
            path=f"{request.scope.get('root_path', '')}/console",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return response

    return router


def _fields(body: bytes) -> dict[str, str]:
    """The first value of each field of a form as browsers post it."""
    try:
        given = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in given.items()}


def _headers() -> dict[str, str]:
    # with the referrer a browser would keep back the origin, by which another site's form is told
    return {
        "content-security-policy": POLICY,
        "cache-control": "no-store",
        "referrer-policy": "same-origin",
    }
