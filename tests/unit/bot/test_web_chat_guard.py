"""The gate before Gradio: every route it adds is needed and listed, or refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from scripted_shop import ScriptedService
from starlette.routing import Mount

from bot.web.app import create_app
from bot.web.chat_guard import ALLOWED, allowed
from bot.web.service import WebSettings

REFUSED = {403, 404, 405}


@pytest.fixture(scope="module")
def client() -> TestClient:
    settings = WebSettings(
        secret=b"secret", shop_name="Tea & <Things>", frame_ancestors=("https://shop.example",)
    )
    return TestClient(create_app(ScriptedService(), settings), raise_server_exceptions=False)


def walk(routes: Any) -> Iterator[tuple[str, str]]:
    """Every method and path below `routes`, however deeply a router is nested."""
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "app", None)
        nested = getattr(route, "routes", None) or getattr(inner, "routes", None)
        if nested:
            prefix = route.path if isinstance(route, Mount) else ""
            yield from ((method, prefix + path) for method, path in walk(nested))
            continue
        path = re.sub(r"\{[^}]+\}", "x", route.path)
        for method in getattr(route, "methods", None) or {"GET"}:
            yield method, path


def gradio_routes(client: TestClient) -> list[tuple[str, str]]:
    mount = next(r for r in client.app.routes if isinstance(r, Mount) and r.path == "/chat")  # type: ignore[attr-defined]
    return sorted(set(walk(mount.app.routes)))  # type: ignore[attr-defined]


def test_that_every_route_gradio_adds_is_listed_with_a_reason_or_refused(
    client: TestClient,
) -> None:
    routes = gradio_routes(client)
    listed = {path for method, path in routes if allowed(method, path)}

    assert len(routes) > 60
    assert {"/gradio_api/upload", "/gradio_api/file=x", "/gradio_api/proxy=x"} <= {
        path for _, path in routes
    }
    assert listed == {"/", "/theme.css", "/gradio_api/queue/join", "/gradio_api/queue/data"}
    assert all(reason for _, _, reason in ALLOWED)
    for method, path in routes:
        if not allowed(method, path):
            response = client.request(method, f"/chat{path}", follow_redirects=False)
            assert response.status_code in REFUSED, (method, path)
            assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/chat/gradio_api/upload"),
        ("GET", "/chat/gradio_api/info"),
        ("GET", "/chat/gradio_api/openapi.json"),
        ("GET", "/chat/config"),
        ("GET", "/chat/gradio_api/file=/etc/passwd"),
        ("GET", "/chat/file=/etc/passwd"),
        ("GET", "/chat/gradio_api/proxy=http://127.0.0.1/"),
        ("POST", "/chat/gradio_api/run/on_send"),
        ("GET", "/chat/gradio_api/run/predict"),
        ("POST", "/chat/gradio_api/run/predict/"),
        ("POST", "/chat/gradio_api/call/on_send"),
        ("POST", "/chat/gradio_api/component_server"),
        ("GET", "/chat/gradio_api/mcp"),
        ("GET", "/chat/monitoring"),
        ("GET", "/chat//gradio_api/info"),
        ("GET", "/chat/assets/../gradio_api/info"),
        ("GET", "/chat/assets/%2e%2e/%2e%2e/index.html"),
        ("GET", "/chat/./config"),
        ("POST", "/chat/"),
        ("GET", "/chat/gradio_api/queue/join"),
        ("GET", "/chat/gradio_api/queue/join%0a"),
    ],
)
def test_that_what_the_page_does_not_need_is_refused(
    client: TestClient, method: str, path: str
) -> None:
    assert client.request(method, path, follow_redirects=False).status_code in REFUSED


def test_that_the_page_names_no_other_host_and_every_script_has_the_nonce(
    client: TestClient,
) -> None:
    response = client.get("/chat/")
    nonce = re.search(r"'nonce-([^']+)'", response.headers["content-security-policy"])

    assert response.status_code == 200 and nonce
    hosts = set(re.findall(r"https?://([\w.-]+)", response.text))
    assert hosts <= {"testserver", "www.w3.org"}
    assert response.text.count("<script") == response.text.count(f'<script nonce="{nonce[1]}"')
    assert "Tea &amp; &lt;Things&gt;" in response.text
    assert (
        client.get("/chat/").headers["content-security-policy"]
        != response.headers["content-security-policy"]
    )


def test_that_scripts_are_kept_by_the_browser_and_the_page_is_not(client: TestClient) -> None:
    page = client.get("/chat/")
    script = re.search(r'src="\./(assets/[^"]+\.js)"', page.text)

    assert script
    kept = client.get(f"/chat/{script[1]}").headers["cache-control"]
    assert "immutable" in kept and page.headers["cache-control"] == "no-store"


def test_that_only_listed_sites_may_frame_the_page(client: TestClient) -> None:
    policy = client.get("/chat/").headers["content-security-policy"]

    assert "frame-ancestors 'self' https://shop.example" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]


def test_that_the_page_lists_no_api(client: TestClient) -> None:
    text = client.get("/chat/").text

    assert '"api_visibility":"public"' not in text
    assert text.count('"api_visibility":"private"') >= 4


def test_that_only_what_streams_shares_the_stream(client: TestClient) -> None:
    """Gradio closes a tab's stream behind the last queued event; one raised just then is lost."""
    text = client.get("/chat/").text
    queued = dict(re.findall(r'"targets":\[\[\d+,"(\w+)"\]\].*?"queue":(true|false)', text))

    assert queued == {
        "send": "true", "open": "false", "rate": "false", "look": "false", "wipe": "false",
    }  # fmt: skip


def test_that_what_is_queued_cannot_be_raised_beside_the_queue(client: TestClient) -> None:
    def raised(number: int) -> int:
        event = {"message": "a tent", "key": "k"}
        body = {"data": [], "fn_index": number, "session_hash": "abc", "event_data": event}
        return client.post("/chat/gradio_api/run/predict", json=body).status_code

    assert sorted(raised(number) for number in range(5)) == [200, 200, 200, 200, 404]


def test_that_a_deep_link_is_not_read(client: TestClient) -> None:
    text = client.get("/chat/?deep_link=aaaa&__theme=dark").text

    assert '"deep_link_state":"valid"' not in text and "aaaa" not in text


def test_that_the_bare_address_leads_to_the_page_whatever_the_host_is_called(
    client: TestClient,
) -> None:
    response = client.get("/chat?__theme=dark", follow_redirects=False)

    assert response.status_code == 307
    assert response.headers["location"] == "chat/?__theme=dark"


def test_that_an_event_over_the_body_limit_is_refused(client: TestClient) -> None:
    response = client.post("/chat/gradio_api/queue/join", content=b"x" * 70_000)

    assert response.status_code == 413
