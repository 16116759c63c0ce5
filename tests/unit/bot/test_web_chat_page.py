"""The page's five events, as a browser with bad intentions would raise them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from scripted_shop import ScriptedService

from bot.web.chat_page import ChatPage, opened, sign
from bot.web.limits import Client, Limiter
from bot.web.metrics import Metrics
from bot.web.service import Limits, Presence, TranscriptEntry, WebSettings
from bot.web.turns import Desk

SECRET = b"a secret of thirty-two bytes....."
SELF = Client("127.0.0.1", limited=False)


def page_of(service: ScriptedService, **settings: Any) -> ChatPage:
    made = WebSettings(secret=SECRET, shop_name="Juniper & Pine", **settings)
    limiter = Limiter(made.limits, clock=time.monotonic)
    desk = Desk(service, limiter=limiter, metrics=Metrics())
    return ChatPage(desk, made, pause=lambda seconds: None)


def ask(page: ChatPage, message: object, **data: Any) -> list[dict[str, Any]]:
    return list(page.send({"message": message, "key": "k1"} | data, SELF))


def test_that_a_turn_grows_from_its_stages_to_the_whole_reply() -> None:
    updates = ask(page_of(ScriptedService()), "a tent")
    states = [update["state"] for update in updates]

    assert states == sorted(states, key=["stage", "text", "done"].index)
    assert {"stage", "text", "done"} == set(states)
    assert {update["key"] for update in updates} == {"k1"}
    assert len({update["stamp"] for update in updates}) == len(updates)
    assert all("a tent" in update["html"] for update in updates)
    assert "$189.00" not in updates[states.index("text") - 1]["html"]
    assert "sb-card" in updates[-1]["html"] and "sb-card" not in updates[-2]["html"]


def test_that_the_token_of_a_reply_opens_the_conversation_again() -> None:
    service = ScriptedService()
    token = ask(page_of(service), "a tent")[-1]["token"]
    again = page_of(service).open({"token": token})  # another process, the same secret

    assert again["token"] == token
    assert [turn["key"] for turn in again["turns"]] == ["1-shopper-0", "1-bot-1"]
    assert "sb-card" in again["turns"][1]["html"]


@pytest.mark.parametrize(
    "forged",
    [
        lambda session: session,
        lambda session: f"{session}.",
        lambda session: f"{session}.{'0' * 64}",
        lambda session: sign(session, secret=b"another secret"),
        lambda session: [session],
        lambda session: {"session_id": session},
        lambda session: 0,
        lambda session: "é" * 20,
        lambda session: "x" * 10_000,
        lambda session: None,
    ],
)
def test_that_a_session_without_proof_opens_nothing(forged: Any) -> None:
    service = ScriptedService()
    page = page_of(service)
    ask(page, "a tent")
    (session,) = service.store
    token = forged(session)

    shown = page.open({"token": token})
    assert [turn["key"] for turn in shown["turns"]] == ["greeting"]
    ask(page, "html", token=token)
    assert len(service.store[session]) == 2  # the message began a conversation of its own
    assert not page.rate({"token": token, "turn_id": 1, "score": 1}, SELF)["stored"]
    page.wipe({"token": token}, SELF)
    assert session in service.store and service.ratings == {}


def test_that_a_signed_but_unknown_session_opens_nothing_and_is_forgotten() -> None:
    page = page_of(ScriptedService())
    token = sign("never-issued", secret=SECRET)

    assert page.open({"token": token})["token"] == ""
    refused = ask(page, "a tent", token=token)[-1]
    assert refused["state"] == "failed" and refused["token"] == ""


def test_that_a_turn_of_another_conversation_cannot_be_rated() -> None:
    service = ScriptedService()
    page = page_of(service)
    mine = ask(page, "a tent", key="a")[-1]["token"]
    ask(page, "a tent", key="b")

    assert page.rate({"token": mine, "turn_id": 1, "score": -1}, SELF)["stored"]
    assert not page.rate({"token": mine, "turn_id": 2, "score": 1}, SELF)["stored"]
    assert service.ratings == {1: -1}


@pytest.mark.parametrize(
    ("turn_id", "score"), [("1", 1), (True, 1), (-1, 1), (1, 2), (1, "1"), (None, None)]
)
def test_that_a_malformed_thumb_is_not_stored(turn_id: object, score: object) -> None:
    service = ScriptedService()
    page = page_of(service)
    token = ask(page, "a tent")[-1]["token"]

    assert not page.rate({"token": token, "turn_id": turn_id, "score": score}, SELF)["stored"]
    assert service.ratings == {}


@pytest.mark.parametrize("message", ["", "  ", None, 5, ["x"], {"a": 1}, "x" * 5000])
def test_that_a_message_that_is_none_is_refused_in_words(message: object) -> None:
    service = ScriptedService()
    last = ask(page_of(service), message)[-1]

    assert last["state"] == "failed" and "empty or too long" in last["html"]
    assert service.store == {}


def test_that_halves_of_characters_are_dropped_before_the_shop_hears_them() -> None:
    service = ScriptedService()
    updates = ask(page_of(service), "a tent\ud800", key="\ud800")

    assert service.requests[0].message == "a tent"
    assert "\ud800" not in "".join(update["key"] + update["html"] for update in updates)


def test_that_a_broken_turn_is_told_without_its_cause() -> None:
    last = ask(page_of(ScriptedService()), "fail")[-1]

    assert last["state"] == "failed" and "Please try again" in last["html"]
    assert "secret words" not in last["html"]


def test_that_the_page_is_limited_like_the_api() -> None:
    page = page_of(ScriptedService(), limits=Limits(per_client_per_minute=1))
    stranger = Client("203.0.113.7", limited=True)
    first = list(page.send({"message": "a tent", "key": "a"}, stranger))[-1]
    second = list(page.send({"message": "a tent", "key": "b"}, stranger))

    assert first["state"] == "done"
    assert [update["state"] for update in second] == ["failed"]
    assert "wait" in second[0]["html"]


@pytest.mark.parametrize(
    ("wanted", "language"),
    [("zh-CN", "zh"), ("en-GB", "en"), ("fr", "zh"), (None, "zh"), (3, "zh")],
)
def test_that_the_browsers_language_wins_over_the_shops(wanted: object, language: str) -> None:
    shown = page_of(ScriptedService(), language="zh").open({"language": wanted})

    assert shown["language"] == language


def test_that_erasing_reaches_the_shop_and_opens_an_empty_conversation() -> None:
    service = ScriptedService()
    page = page_of(service)
    token = ask(page, "a tent")[-1]["token"]
    update = page.wipe({"token": token}, SELF)

    assert service.store == {}
    assert update["token"] == "" and update["turns"][0]["key"] == "greeting"


def test_that_consent_and_the_message_id_reach_the_shop() -> None:
    service = ScriptedService()
    page = page_of(service)
    ask(page, "a tent", consent=True)
    ask(page, "a tent", consent="yes")

    assert [request.training_consent for request in service.requests] == [True, None]
    assert service.requests[0].client_message_id == "k1"


def test_that_a_token_is_the_session_and_its_proof() -> None:
    token = sign("abc.def", secret=SECRET)

    assert opened(token, secret=SECRET) == "abc.def"
    assert opened(token[:-1] + ("0" if token[-1] != "0" else "1"), secret=SECRET) is None


# ---- a person speaks -----------------------------------------------------------------------------


def said(number: int, text: str, name: str = "Mia") -> TranscriptEntry:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    return TranscriptEntry("agent", text, at, 1, speaker=name, message_id=number)


def test_that_a_page_is_told_who_is_there_and_what_they_wrote_since() -> None:
    service = ScriptedService()
    page = page_of(service)
    token = ask(page, "a tent")[-1]["token"]
    (session,) = service.store

    assert page.look({"token": token, "after": 0})["watch"] is False
    service.people[session] = Presence(awaited=True)
    awaited = page.look({"token": token, "after": 0})
    assert awaited["watch"] and "asked to join" in awaited["status"]
    service.people[session] = Presence("<Mia>", said=(said(4, "Hello"), said(5, "<b>there</b>")))
    there = page.look({"token": token, "after": 4})
    assert there["watch"] and there["status"] == "<Mia> of the shop answers you here."
    assert [(one["key"], one["number"]) for one in there["said"]] == [("agent-5", 5)]
    assert "<b>" not in there["said"][0]["html"]
    assert there["spoken"] == "Mia: <b>there</b>"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"after": 0},
        {"token": "x.y", "after": 0},
        {"after": "0"},
        {"after": -1},
        {"after": True},
    ],
)
def test_that_nobody_is_told_of_without_proof_or_with_nonsense(data: dict[str, Any]) -> None:
    service = ScriptedService()
    page = page_of(service)
    token = ask(page, "a tent")[-1]["token"]
    (session,) = service.store
    service.people[session] = Presence("Mia", said=(said(1, "secret"),))
    given = (
        data
        if "token" in data or "after" not in data or data["after"] == 0
        else data | {"token": token}
    )
    assert page.look(given)["said"] == []


def test_that_a_signed_but_unknown_session_is_not_looked_after() -> None:
    token = sign("never-issued", secret=SECRET)
    assert page_of(ScriptedService()).look({"token": token, "after": 0})["watch"] is False
