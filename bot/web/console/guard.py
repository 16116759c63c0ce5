"""The door of the console: who is not signed in gets nothing of it, and no other site acts through it.

Under PATH every request without a valid session is a 401, before Gradio or any route sees it; what
changes something has to come from the console's own pages. Who asks stands in the request's state.
Knows nothing about what a page shows.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.accounts import Accounts
from bot.web.console.sign_in import COOKIE, SIGN_IN, form_page
from bot.web.problems import http_problem, problem_of
from db.accounts import User
from db.errors import StoreError

PATH = "/console"
_READING = frozenset({"GET", "HEAD"})


class ConsoleGuard:
    """ASGI middleware over the whole app that judges requests at and under PATH."""

    def __init__(self, app: ASGIApp, *, accounts: Accounts, shop_name: str) -> None:
        self._app = app
        self._accounts = accounts
        self._shop_name = shop_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        web = scope["type"] in ("http", "websocket")
        if not (web and (scope["path"] == PATH or scope["path"].startswith(f"{PATH}/"))):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["method"] not in _READING and not same_origin(Headers(scope=scope)):
            problem = http_problem(403, "This comes from another site, or does not say from where.")
            await problem.response()(scope, receive, send)
            return
        token = HTTPConnection(scope).cookies.get(COOKIE)
        try:
            user = await run_in_threadpool(self._accounts.signed_in, token)
        except StoreError as error:
            await problem_of(error).response()(scope, receive, send)
            return
        signing_in = scope["path"] == f"{PATH}/{SIGN_IN}" and scope["method"] == "POST"
        if user is None and not signing_in:
            await self._closed(scope, receive, send)
            return
        scope.setdefault("state", {})["desk_user"] = user
        await self._app(scope, receive, send)

    async def _closed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is there for somebody who is not signed in: the form to do so, for a browser's page."""
        wants_page = "text/html" in Headers(scope=scope).get("accept", "")
        if wants_page and scope["method"] in _READING:
            page = form_page(self._shop_name, path=scope["path"])
            await page(scope, receive, send)
            return
        problem = http_problem(401, "Sign in at /console first.")
        await problem.response()(scope, receive, send)


def user_of(scope: Scope) -> User | None:
    """Returns who asks, as the guard has told; None where it did not see the request."""
    user = scope.get("state", {}).get("desk_user")
    return user if isinstance(user, User) else None


def same_origin(headers: Headers) -> bool:
    """Whether a browser says that a request comes from the very origin it goes to.

    Browsers that know Sec-Fetch-Site send it on https and on the own machine; all of them send Origin
    with what is posted. Behind a proxy the name that the browser used may be forwarded, which no
    other site can do in a form.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    if not origin:
        return False
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        return False
    return bool(host) and host in (headers.get("host"), headers.get("x-forwarded-host"))
