"""The HTTP API as other programs see it: contract, errors, limits, headers, logs."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from scripted_shop import ScriptedService

from bot.web.app import create_app
from bot.web.payload import reply_payload
from bot.web.service import Limits, Readiness, WebSettings

SECRET = b"a secret of thirty-two bytes....."
HERE = ("127.0.0.1", 50000)
AWAY = ("203.0.113.7", 50000)


def client_for(
    service: ScriptedService, *, peer: tuple[str, int] = HERE, **settings: Any
) -> TestClient:
    app = create_app(service, WebSettings(secret=SECRET, **settings))
    return TestClient(app, client=peer, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def module_client() -> TestClient:
    return client_for(ScriptedService())


@pytest.fixture
def client(module_client: TestClient) -> TestClient:
    return module_client


def events(text: str) -> Iterator[tuple[str, Any]]:
    for block in text.strip().split("\n\n"):
        if not block.startswith(":"):
            name, data = block.split("\n")
            yield name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_that_a_reply_has_every_key_of_the_contract(client: TestClient) -> None:
    body = client.post("/api/chat", json={"message": "a tent"}).json()

    assert set(body) == {
        "session_id", "turn_id", "reply", "language", "intent", "intents", "products",
        "comparison", "citations", "derived", "request", "suggestions", "handoff", "grounding",
        "generator", "timings_ms", "speaker",
    }  # fmt: skip
    assert body["comparison"] is None and body["request"] is None and body["derived"] == []
    assert body["products"][0] == {
        "id": "tent-1",
        "title": "Pinecrest Two-Person Tent",
        "price": "189.00",
        "price_to": None,
        "currency": "USD",
        "url": "https://shop.example/p/pinecrest",
        "image_url": "/media/tent.svg",
        "in_stock": True,
        "rating": 4.6,
        "reason": "Weighs 2.1 kg and sleeps two, as you asked.",
        "variant": None,
    }
    assert body["grounding"] == {
        "checked": True,
        "unsupported": [],
        "attempts": 1,
        "fallback": False,
    }
    assert set(body["timings_ms"]) >= {"understand", "retrieve", "generate", "verify", "total"}


def test_that_comparison_derived_and_request_are_drawn_as_the_contract_says(
    client: TestClient,
) -> None:
    compared = client.post("/api/chat", json={"message": "compare"}).json()
    returned = client.post("/api/chat", json={"message": "return it"}).json()

    assert compared["comparison"]["columns"] == ["tent-1", "tent-2"]
    assert compared["comparison"]["rows"][1] == {"label": "Weight", "values": ["2.1 kg", "1.2 kg"]}
    assert compared["derived"] == [
        {"value": "60.00", "op": "difference", "of": ["189.00", "129.00"]}
    ]
    assert returned["request"] == {"id": "R-1042", "kind": "return", "status": "recorded"}
    assert returned["citations"][0]["source"] == "policy"


def test_that_every_field_of_a_request_reaches_the_shop() -> None:
    service = ScriptedService()
    client = client_for(service)
    session = client.post("/api/chat", json={"message": "a tent"}).json()["session_id"]

    client.post(
        "/api/chat",
        json={
            "message": "another",
            "session_id": session,
            "customer_id": "c-7",
            "locale": "zh",
            "consent": {"training": True},
            "client_message_id": "m-1",
        },
    )

    request = service.requests[-1]
    assert (request.session_id, request.customer_id, request.locale) == (session, "c-7", "zh")
    assert (request.training_consent, request.client_message_id) == (True, "m-1")
    assert service.requests[0].training_consent is None


def test_that_streamed_tokens_join_to_the_reply_and_come_after_the_last_stage(
    client: TestClient,
) -> None:
    response = client.post("/api/chat/stream", json={"message": "想买茶杯"})
    seen = list(events(response.text))
    names = [name for name, _ in seen]
    done = seen[-1][1]

    assert response.headers["content-type"].startswith("text/event-stream")
    assert [data["stage"] for name, data in seen if name == "status"] == [
        "understand", "retrieve", "generate", "verify",
    ]  # fmt: skip
    assert "".join(data["text"] for name, data in seen if name == "token") == done["reply"]
    assert names.index("token") > max(i for i, name in enumerate(names) if name == "status")
    assert names[-2:] == ["products", "done"]
    assert seen[-2][1]["products"] == done["products"]
    assert names.count("token") > 5


def test_that_a_stream_refused_at_once_is_a_problem_with_its_status(client: TestClient) -> None:
    response = client.post("/api/chat/stream", json={"message": "  "})

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


def test_that_a_stream_that_breaks_later_ends_with_an_error_event(client: TestClient) -> None:
    response = client.post("/api/chat/stream", json={"message": "fail"})
    name, problem = list(events(response.text))[-1]

    assert response.status_code == 200
    assert name == "error" and problem["status"] == 500
    assert "secret words" not in response.text and "Traceback" not in response.text


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("POST", "/api/chat", {"json": {"message": " "}}, 422),
        ("POST", "/api/chat", {"json": {"message": "x" * 4001}}, 422),
        ("POST", "/api/chat", {"json": {}}, 422),
        ("POST", "/api/chat", {"json": {"message": 7}}, 422),
        ("POST", "/api/chat", {"json": {"message": "a", "locale": "fr"}}, 422),
        ("POST", "/api/chat", {"json": ["message"]}, 422),
        ("POST", "/api/chat", {"content": b"{"}, 422),
        ("POST", "/api/chat", {"content": b'{"message": "\\ud800"}'}, 422),
        ("POST", "/api/chat", {"content": b'{"message": "\xff\xfe"}'}, 400),
        ("POST", "/api/chat", {"content": b"[" * 60_000}, 400),
        ("POST", "/api/chat", {"content": b""}, 422),
        ("POST", "/api/chat", {"json": {"message": "a", "session_id": "unknown"}}, 404),
        ("POST", "/api/chat", {"json": {"message": "notready"}}, 503),
        ("POST", "/api/chat", {"json": {"message": "fail"}}, 500),
        ("POST", "/api/chat", {"content": b"x" * 70_000}, 413),
        ("GET", "/api/chat", {}, 405),
        ("GET", "/api/nothing", {}, 404),
        ("GET", "/nothing", {}, 404),
        ("POST", "/api/feedback", {"json": {"turn_id": 1, "session_id": "u", "score": 1}}, 404),
        ("POST", "/api/feedback", {"json": {"turn_id": 1, "session_id": "u", "score": 5}}, 422),
        (
            "POST",
            "/api/feedback",
            {"json": {"turn_id": 10**30, "session_id": "u", "score": 1}},
            422,
        ),
        ("POST", "/api/chat", {"json": {"message": "a", "session_id": "a\0b"}}, 422),
        ("POST", "/api/chat", {"content": b'{"message": "a", "customer_id": "\\udfff"}'}, 422),
        ("GET", "/api/conversations/current", {}, 404),
        ("GET", "/api/conversations/current", {"headers": {"X-Shopbot-Session": "no"}}, 404),
        ("DELETE", "/api/conversations/current", {"headers": {"X-Shopbot-Session": "no"}}, 404),
        ("GET", "/api/products/search", {}, 422),
        ("GET", "/api/products/search?q=%20", {}, 422),
        ("GET", "/api/products/search?q=a&k=101", {}, 422),
        ("GET", "/api/products/search?q=a&price_min=cheap", {}, 422),
        ("GET", "/api/products/search?q=a&price_max=NaN", {}, 422),
    ],
)
def test_that_every_error_is_a_problem_document(
    client: TestClient, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    if "content" in options:
        options = options | {"headers": {"content-type": "application/json"}}
    response = client.request(method, path, **options)
    problem = response.json()

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status and problem["title"] and problem["type"]
    assert "Traceback" not in response.text and "secret words" not in response.text


def test_that_a_wrong_method_names_the_right_one(client: TestClient) -> None:
    assert client.get("/api/chat").headers["allow"] == "POST"


def test_that_a_body_without_a_length_is_bounded_as_well(client: TestClient) -> None:
    response = client.post("/api/chat", content=(b"x" * 1000 for _ in range(100)))

    assert response.status_code == 413


def test_that_feedback_is_stored_for_a_turn_of_the_own_conversation_only() -> None:
    service = ScriptedService()
    client = client_for(service)
    mine = client.post("/api/chat", json={"message": "a tent"}).json()
    other = client.post("/api/chat", json={"message": "a tent"}).json()

    def rate(turn_id: int, score: int) -> int:
        body = {"turn_id": turn_id, "session_id": mine["session_id"], "score": score}
        return int(client.post("/api/feedback", json=body).status_code)

    assert rate(mine["turn_id"], -1) == 200
    assert rate(other["turn_id"], -1) == 404
    assert service.ratings == {mine["turn_id"]: -1}


def test_that_a_shopper_reads_and_erases_the_own_conversation(client: TestClient) -> None:
    body = client.post("/api/chat", json={"message": "a tent"}).json()
    headers = {"X-Shopbot-Session": body["session_id"]}

    read = client.get("/api/conversations/current", headers=headers).json()
    assert [entry["role"] for entry in read["entries"]] == ["shopper", "bot"]
    assert read["entries"][1]["payload"] == body
    assert client.delete("/api/conversations/current", headers=headers).json() == {"erased": 1}
    assert client.get("/api/conversations/current", headers=headers).status_code == 404


def test_that_search_hands_its_filters_to_the_shop() -> None:
    service = ScriptedService()
    response = client_for(service).get(
        "/api/products/search?q=tent&k=3&price_max=99.50&brand=A&brand=B&category=C"
        "&in_stock=true&explain=true"
    )
    asked = service.searches[0]

    assert response.json() == {"query": "tent", "total": 0, "hits": []}
    assert (asked["k"], asked["explain"]) == (3, True)
    assert str(asked["filters"].price_max) == "99.50"
    assert asked["filters"].brands == ("A", "B")
    assert asked["filters"].categories == ("C",)
    assert asked["filters"].in_stock is True


def test_that_readiness_says_why_not() -> None:
    reason = "no index yet: run `shopbot index`"
    response = client_for(ScriptedService(ready=Readiness(False, (reason,)))).get("/health/ready")

    assert response.status_code == 503
    assert response.json()["reasons"] == [reason]
    assert response.headers["content-type"] == "application/problem+json"


def test_that_a_ready_shop_says_so_with_the_age_of_its_feed(client: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json() == {
        "status": "ready",
        "reasons": [],
        "feed_age_seconds": 3600.0,
        "feed_max_age_seconds": None,
        "feed_stale": False,
    }


def test_that_metrics_count_turns_fallbacks_failures_and_stages_of_this_app_alone() -> None:
    client, other = client_for(ScriptedService()), client_for(ScriptedService())
    session = client.post("/api/chat", json={"message": "a tent"}).json()["session_id"]
    client.post("/api/chat", json={"message": "a person", "session_id": session})
    client.post("/api/chat", json={"message": "fail"})
    text = client.get("/metrics").text

    assert 'shopbot_turns_total{intent="recommend",language="en"} 1.0' in text
    assert "shopbot_fallbacks_total 1.0" in text
    assert 'shopbot_failures_total{kind="internal"} 1.0' in text
    assert 'shopbot_stage_seconds_count{stage="generate"} 2.0' in text
    assert "shopbot_feed_age_seconds 3600.0" in text
    assert "shopbot_fallbacks_total 0.0" in other.get("/metrics").text


def test_that_a_stranger_is_limited_and_told_when_to_come_back() -> None:
    limits = Limits(per_client_per_minute=2, per_session_per_minute=100)
    client = client_for(ScriptedService(), peer=AWAY, limits=limits)
    codes = [client.post("/api/chat", json={"message": "a tent"}).status_code for _ in range(3)]
    refused = client.post("/api/chat", json={"message": "a tent"})

    assert codes == [200, 200, 429]
    assert refused.headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused.headers["retry-after"]) <= 30


def test_that_a_conversation_is_limited_by_itself() -> None:
    limits = Limits(per_client_per_minute=100, per_session_per_minute=1)
    client = client_for(ScriptedService(), peer=AWAY, limits=limits)
    session = client.post("/api/chat", json={"message": "a tent"}).json()["session_id"]
    body = {"message": "a tent", "session_id": session}

    assert client.post("/api/chat", json=body).status_code == 200
    assert client.post("/api/chat", json=body).status_code == 429
    assert client.post("/api/chat", json={"message": "a tent"}).status_code == 200


def test_that_the_owners_own_machine_is_not_limited_but_its_proxys_clients_are() -> None:
    limits = Limits(per_client_per_minute=1, per_session_per_minute=1)
    client = client_for(ScriptedService(), limits=limits)

    def ask(headers: dict[str, str]) -> int:
        return int(
            client.post("/api/chat", json={"message": "a tent"}, headers=headers).status_code
        )

    assert [ask({}) for _ in range(3)] == [200, 200, 200]
    forwarded = {"x-forwarded-for": "198.51.100.1"}
    # What a client claims in front of the proxy's own entry buys nothing.
    claimed = {"x-forwarded-for": "10.0.0.1, 198.51.100.1"}
    assert [ask(forwarded), ask(claimed)] == [200, 429]


def test_that_log_lines_hold_no_words_and_only_the_hash_of_a_session(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        session = client.post("/api/chat", json={"message": "my words"}).json()["session_id"]
        client.get("/api/conversations/current", headers={"X-Shopbot-Session": session})
        client.get("/api/products/search?q=private+wish")
        client.get("/api/secret-path")
    lines = [record.getMessage() for record in caplog.records if record.name == "bot.web.access"]
    marks = {line.rsplit("session=", 1)[1] for line in lines[:2]}

    assert len(lines) == 4
    assert lines[0].startswith("POST /api/chat 200 ")
    assert len(marks) == 1 and len(marks.pop()) == 12
    joined = "\n".join(lines)
    assert session not in joined and "words" not in joined
    assert "wish" not in joined and "secret-path" not in joined


def test_that_an_unforeseen_error_is_logged_but_not_told(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.post("/api/chat", json={"message": "fail"})

    assert response.status_code == 500
    assert "RuntimeError" not in response.text
    assert any(record.name == "bot.web.turns" for record in caplog.records)


@pytest.mark.parametrize("path", ["/api/nothing", "/health/live", "/chat/", "/chat/x", "/media/x"])
def test_that_every_response_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors" in headers["content-security-policy"]


def test_that_only_pictures_are_served_from_the_media_folder(tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    (tmp_path / "secret.png").write_bytes(b"outside")
    (media / "tent.png").write_bytes(b"picture")
    (media / "orders.csv").write_text("private")
    client = client_for(ScriptedService(), media_dir=media)

    assert client.get("/media/tent.png").content == b"picture"
    for path in ("orders.csv", "none.png", "%2e%2e/secret.png", "..%2fsecret.png", ""):
        assert client.get(f"/media/{path}").status_code == 404


def test_that_the_stored_payload_of_a_reply_survives_json() -> None:
    service = ScriptedService()
    client_for(service).post("/api/chat", json={"message": "compare"})
    (entries,) = service.store.values()

    assert json.loads(json.dumps(entries[1].payload)) == entries[1].payload
    assert reply_payload.__module__ == "bot.web.payload"
