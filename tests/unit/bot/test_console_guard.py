"""The door of the console: nothing passes without a session, and no other site acts through it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from desk_support import AT, OWN, PASSWORD, browser, office_in, person, signed_in
from fastapi.testclient import TestClient
from starlette.routing import Mount
from test_web_chat_guard import walk

from bot.desk.office import Office
from bot.web.console.blocks import ALLOWED
from bot.web.console.sign_in import COOKIE
from bot.web.gradio_gate import allowed
from db.engine import Database

PAGE = {"accept": "text/html,*/*"}


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    return office_in(tmp_path / "home", sqlite_database)


@pytest.fixture
def client(office: Office) -> TestClient:
    return browser(office)


def routes_of(client: TestClient) -> list[tuple[str, str]]:
    """Every method and path at or under /console: ours, and those that Gradio adds."""
    found = set()
    for route in client.app.routes:  # type: ignore[attr-defined]
        if isinstance(route, Mount) and route.path == "/console":
            found |= {(method, f"/console{path}") for method, path in walk(route.app.routes)}
    for method, path in walk(client.app.routes):  # type: ignore[attr-defined]
        if path.startswith("/console") and not path.startswith("/console-assets"):
            found.add((method, path))
    return sorted(found)


def sign_in(client: TestClient, name: str, password: str, **headers: str) -> Any:
    form = {"name": name, "password": password}
    return client.post("/console/sign-in", data=form, headers=headers)


def raised(client: TestClient, **body: Any) -> Any:
    event = {"data": [], "fn_index": 0, "session_hash": "abc", "event_data": {"address": "#/queue"}}
    return client.post("/console/gradio_api/run/predict", json=event | body)


def test_that_every_route_without_a_session_is_refused(client: TestClient) -> None:
    routes = routes_of(client)

    assert len(routes) > 60
    assert {"/console", "/console/", "/console/gradio_api/run/x", "/console/sign-out"} <= {
        path for _, path in routes
    }
    for headers in ({}, PAGE, {"cookie": f"{COOKIE}=made-up"}, {"sec-fetch-site": "cross-site"}):
        for method, path in routes:
            status = client.request(method, path, headers=headers).status_code
            assert status in (401, 403), (method, path, headers)


def test_that_every_route_gradio_adds_is_listed_with_a_reason_or_refused(
    office: Office, client: TestClient
) -> None:
    signed_in(office, client, "Ada")
    routes = [
        (method, path.removeprefix("/console"))
        for method, path in routes_of(client)
        if path.startswith("/console/")
    ]
    listed = {path for method, path in routes if allowed(ALLOWED, method, path)}

    assert listed == {"/", "/theme.css", "/sign-in", "/sign-out"}
    assert all(reason for _, _, reason in ALLOWED)
    for method, path in routes:
        if not allowed(ALLOWED, method, path):
            response = client.request(method, f"/console{path}")
            assert response.status_code in (404, 405), (method, path)


@pytest.mark.parametrize("path", ["/console", "/console/", "/console/sign-in"])
def test_that_a_browser_is_shown_the_form_and_nothing_else(client: TestClient, path: str) -> None:
    response = client.get(path, headers=PAGE)

    assert response.status_code == 401
    assert "Tea &amp; &lt;Things&gt;" in response.text
    assert 'type="password"' in response.text and "gradio" not in response.text
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"
    assets = re.findall(r'(?:href|src)="([^"]+)"', response.text)
    assert assets
    for asset in assets:
        assert client.get(str(client.base_url.join(path).join(asset))).status_code == 200


def test_that_signing_in_opens_the_page_with_a_cookie_that_opens_nothing_else(
    office: Office, client: TestClient
) -> None:
    office.accounts.open("Mia", "agent", PASSWORD)
    response = sign_in(client, "mia", PASSWORD)

    assert (response.status_code, response.headers["location"]) == (303, "./")
    cookie = response.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/console"} <= set(cookie.split("; "))
    assert "secure" not in cookie
    page = client.get("/console/")
    assert page.status_code == 200 and "shopbotConsole" in page.text
    assert client.get("/console").headers["location"] == "console/"
    assert COOKIE not in client.get("/chat/").request.headers.get("cookie", "")


def test_that_over_https_the_cookie_is_for_https_alone(office: Office, client: TestClient) -> None:
    office.accounts.open("Mia", "agent", PASSWORD)
    client.base_url = client.base_url.copy_with(scheme="https")

    assert "secure" in sign_in(client, "Mia", PASSWORD).headers["set-cookie"].lower().split("; ")


@pytest.mark.parametrize(
    ("name", "password"), [("Mia", "wrong horse"), ("Nobody", PASSWORD), ("", ""), ("Mia", "")]
)
def test_that_a_wrong_name_or_password_opens_nothing_and_does_not_tell_which(
    office: Office, client: TestClient, name: str, password: str
) -> None:
    office.accounts.open("Mia", "agent", PASSWORD)
    response = sign_in(client, name, password)

    assert response.status_code == 401 and "set-cookie" not in response.headers
    assert "do not belong together" in response.text
    assert client.get("/console/").status_code == 401


def test_that_guessing_is_stopped_and_the_page_says_for_how_long(
    office: Office, client: TestClient
) -> None:
    office.accounts.open("Mia", "agent", PASSWORD)
    for _ in range(5):
        assert sign_in(client, "Mia", "wrong horse").status_code == 401
    response = sign_in(client, "Mia", PASSWORD)

    assert response.status_code == 429 and "Too many wrong passwords" in response.text


def test_that_what_was_typed_as_a_name_is_text(client: TestClient) -> None:
    text = sign_in(client, '"><script>alert(1)</script>', "wrong horse").text

    assert "<script>alert" not in text and "&lt;script&gt;alert" in text


def test_that_signing_out_ends_the_session_itself(office: Office, client: TestClient) -> None:
    signed_in(office, client, "Mia")
    assert client.get("/console/").status_code == 200
    response = client.post("/console/sign-out")

    assert response.status_code == 303 and f'{COOKIE}=""' in response.headers["set-cookie"]
    signed_again = {"cookie": f"{COOKIE}=token-of-Mia"}
    assert client.get("/console/", headers=signed_again).status_code == 401


@pytest.mark.parametrize("path", ["sign-in", "sign-out", "gradio_api/run/predict"])
@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://[broken"},
        {},
    ],
)
def test_that_another_site_cannot_act_in_the_session(
    office: Office, client: TestClient, path: str, headers: dict[str, str]
) -> None:
    signed_in(office, client, "Mia")
    del client.headers["sec-fetch-site"]

    assert client.post(f"/console/{path}", headers=headers).status_code == 403
    assert client.get("/console/").status_code == 200  # nobody was signed out


@pytest.mark.parametrize(
    "headers",
    [
        OWN,
        {"origin": "http://testserver"},
        {"origin": "https://shop.example", "x-forwarded-host": "shop.example"},
    ],
)
def test_that_the_own_pages_act_in_every_browser_and_behind_a_proxy(
    office: Office, client: TestClient, headers: dict[str, str]
) -> None:
    signed_in(office, client, "Mia")
    del client.headers["sec-fetch-site"]
    client.headers.update(headers)

    assert raised(client).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"fn_index": 5}, {"fn_index": 999}, {"fn_index": -1}, {"fn_index": None},
        {"fn_index": "0"}, {"fn_index": True}, {"fn_index": [0]}, {"data": [1]}, {"data": None},
    ],
)  # fmt: skip
@pytest.mark.parametrize("page", ["chat", "console"])
def test_that_an_event_that_is_not_there_is_a_problem_and_no_failure(
    office: Office, client: TestClient, page: str, body: dict[str, Any]
) -> None:
    signed_in(office, client, "Mia")
    event = {"data": [], "fn_index": 0, "session_hash": "abc"} | body
    for route in ("run/predict", "queue/join"):
        response = client.post(f"/{page}/gradio_api/{route}", json=event)
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"
    assert client.post(f"/{page}/gradio_api/run/predict", content=b"{").status_code == 404


def test_that_the_page_is_framed_by_nobody_names_no_other_host_and_lists_no_api(
    office: Office, client: TestClient
) -> None:
    page = signed_in(office, client, "Mia").get("/console/")
    policy = page.headers["content-security-policy"]

    assert "frame-ancestors 'none'" in policy and "form-action 'self'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert set(re.findall(r"https?://([\w.-]+)", page.text)) <= {"testserver", "www.w3.org"}
    assert '"api_visibility":"public"' not in page.text
    assert page.headers["cache-control"] == "no-store"


def test_that_a_session_that_expired_or_whose_account_was_closed_opens_nothing(
    office: Office, client: TestClient
) -> None:
    signed_in(office, client, "Mia")
    assert raised(client).status_code == 200
    office.accounts.store.set_active("Mia", False, now=AT)
    assert raised(client).status_code == 401

    user = person(office, "Lea")
    office.accounts.store.sign_in(user.id, "old", now=AT, expires_at=AT)
    client.cookies.clear()
    assert client.get("/console/", headers={"cookie": f"{COOKIE}=old"}).status_code == 401
