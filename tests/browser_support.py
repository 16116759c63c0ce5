"""A real server in a thread and a real Chromium, for what only the two together can show."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import BrowserContext, Frame, Page

from bot.desk.office import Office
from bot.web.app import create_app
from bot.web.service import ShopService, WebSettings

SECRET = b"a secret of thirty-two bytes....."
ARGUMENTS = (
    "--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
OPEN = "#shopbot.sb-open"
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 40"><path fill="#cfe0e6" '
    'd="M0 0h60v40H0z"/><path fill="#8aa675" d="M0 28h60v12H0z"/><path fill="#d9793f" '
    'd="M9 30 30 7l21 23z"/><path fill="#5a3320" d="m24 30 6-12 6 12z"/></svg>'
)


@contextmanager
def served(
    service: ShopService, *, port: int = 0, office: Office | None = None, **settings: Any
) -> Iterator[str]:
    """The address of a running shop; the same `port` again is the same shop restarted."""
    told = WebSettings(secret=SECRET, shop_name=service.shop_name, **settings)
    app = create_app(service, told, office=office)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        server = uvicorn.Server(
            uvicorn.Config(
                app, log_level="error", access_log=False, ws="none", timeout_graceful_shutdown=2
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the server did not start"
                time.sleep(0.02)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@dataclass
class Site:
    """Another site's server: `pages` are bodies by path, and may be changed while it serves."""

    port: int
    pages: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)  # what each request brought, "" for none

    def address(self, host: str) -> str:
        return f"http://{host}:{self.port}"


@contextmanager
def site(headers: Mapping[str, str] | None = None) -> Iterator[Site]:
    """A server on this machine that answers under every name that leads here."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/favicon.ico":  # browsers ask for it by themselves
                self.send_response(204)
                self.end_headers()
                return
            served.cookies.append(self.headers.get("cookie", ""))
            self.send_response(200 if path in served.pages else 404)
            self.send_header("content-type", "text/html; charset=utf-8")
            for name, value in served.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(served.pages.get(path, "").encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is said."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    served = Site(server.server_port, headers=dict(headers or {}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def barriers(where: Page | Frame) -> list[str]:
    """What axe-core holds against a page: rule and element."""
    where.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
    found = where.evaluate("async () => (await axe.run()).violations")
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


class Visitor:
    """A browser of its own, what it asked the network for, and what went wrong in it."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.hosts: set[str] = set()
        self.errors: list[str] = []
        self.page.set_default_timeout(20_000)
        self.page.on(
            "request", lambda request: self.hosts.add(urlsplit(request.url).hostname or "")
        )
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console",
            lambda line: self.errors.append(line.text) if line.type == "error" else None,
        )

    def visit(self, address: str) -> Page:
        self.page.goto(f"{address}/chat/")
        self.page.wait_for_selector(OPEN)
        return self.page

    def ask(self, message: str) -> None:
        """Types a message, sends it with Enter, and waits for the whole answer."""
        self.page.locator("textarea").fill(message)
        self.page.keyboard.press("Enter")
        self.settled()

    def settled(self) -> None:
        self.page.wait_for_selector("#shopbot:not(.sb-busy)")
