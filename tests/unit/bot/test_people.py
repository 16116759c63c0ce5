"""People in a shop at work: what a request needs is sealed, call-backs, hand-over, locks, purge."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from shop_homes import NOW, build_tiny, shop_in

from bot.app import Shop
from bot.grounding import FactBook
from bot.handoff import named_topic, notice
from bot.orders import MAX_FAILED_OF_ORDER, MAX_FAILED_PROOFS
from bot.policy import Desk, Plan, decide
from bot.sealing import open_details
from bot.state import DialogState
from bot.turn import ChatRequest, Reply
from bot.understanding.values import Request, Understanding
from db.records import Document, Order, OrderId, OrderItem, Product, ProductId

PRODUCTS = [Product(ProductId("k1"), "Copper Kettle"), Product(ProductId("m1"), "Blue Mug")]
RETURNS = Document(
    "returns",
    "policy",
    "Returns",
    "# Returns\n\nYou may return anything within 30 days of delivery.\n",
)
EMAIL = "mara.holt@example.com"
ORDERS = [
    Order(OrderId("TS-1001"), email=EMAIL, status="processing"),
    Order(
        OrderId("TS-1002"), email=EMAIL, status="delivered", delivered_on=date(2026, 2, 25),
        items=(OrderItem(None, "Copper Kettle", 1), OrderItem(None, "Blue Mug", 2)),
    ),
]  # fmt: skip
ADDRESS = "Mara Holt, 77 Quarry Bank, Flat 9, Ludlow SY8 2BB"
NIGHT = {"SHOPBOT_SHOP__HOURS": "mon-fri=20:00-02:00;timezone=UTC"}  # NOW is Monday, 10 o'clock


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("people") / "home"
    return build_tiny(home, products=PRODUCTS, documents=[RETURNS], orders=ORDERS)


def talk(shop: Shop, *messages: str) -> list[Reply]:
    replies: list[Reply] = []
    for message in messages:
        session = replies[-1].session_id if replies else None
        replies.append(shop.chat(ChatRequest(message, session_id=session)))
    return replies


def details(shop: Shop) -> list[dict[str, str]]:
    secret = shop.settings.secret()
    return [open_details(request, secret) for request in shop.requests.open_requests()]


# ---- what a request needs ------------------------------------------------------------------------


def test_that_an_address_is_readable_in_the_opened_request_and_nowhere_else(
    shop: Shop, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    replies = talk(shop, f"change the address of TS-1001, {EMAIL}", ADDRESS, "yes")
    assert replies[-1].request is not None
    assert details(shop) == [{"address": ADDRESS}]
    nowhere(home, caplog, "Quarry", "SY8", "Flat 9")


def test_that_the_contact_of_a_call_back_is_readable_in_the_opened_request_and_nowhere_else(
    opened: Callable[..., Shop], home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shop = opened(**NIGHT)
    talk(shop, "I want to talk to a human", "jo.private@example.org")
    talk(shop, "please call me back on 0171 2345678")
    talk(shop, "can someone call me?", "my wechat is quiet_heron_88")
    found = details(shop)
    assert found[0]["email"] == "jo.private@example.org"
    assert found[1]["phone"] == "0171 2345678"
    assert found[2]["contact"] == "my wechat is quiet_heron_88"
    nowhere(home, caplog, "jo.private", "2345678", "quiet_heron")


def test_that_a_wrong_proof_is_nowhere_on_disk(
    shop: Shop, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    talk(shop, "where is order TS-1001? guess.who@example.net, +1 312 555 0188")
    nowhere(home, caplog, "guess.who", "555 0188", "5550188")


def nowhere(home: Path, caplog: pytest.LogCaptureFixture, *words: str) -> None:
    """No file of the home holds the words, the database's write-ahead log among them; no log does."""
    for file in home.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert not [word for word in words if word.encode() in data], file
    assert not [word for word in words if word in caplog.text]


def test_that_nothing_sealed_stands_in_a_trace_or_in_the_state_after_the_end(
    shop: Shop, home: Path
) -> None:
    talk(shop, f"change the address of TS-1001, {EMAIL}", ADDRESS, "yes")
    with closing(sqlite3.connect(home / "shopbot.db")) as connection:
        traces = [row[0] for row in connection.execute("SELECT trace FROM turns")]
        states = [row[0] for row in connection.execute("SELECT state FROM conversations")]
    assert not any("gAAAA" in text for text in (*traces, *states))


def test_that_the_item_and_what_instead_are_recorded(shop: Shop) -> None:
    talk(shop, f"return the mug of TS-1002 {EMAIL}", "yes")
    talk(shop, f"exchange the kettle of TS-1002 {EMAIL}", "the steel one, size L", "ok")
    assert details(shop) == [
        {"items": "Blue Mug"},
        {"items": "Copper Kettle", "instead": "the steel one, size L"},
    ]


def test_that_a_second_item_of_the_same_order_is_added_to_the_open_request(shop: Shop) -> None:
    first = talk(shop, f"return the mug of TS-1002 {EMAIL}", "yes")[-1]
    second = talk(shop, f"return the kettle of TS-1002 {EMAIL}", "yes")[-1]
    assert first.request is not None
    assert second.request == first.request
    assert details(shop) == [{"items": "Blue Mug; Copper Kettle"}]


def test_that_another_number_for_the_call_back_takes_the_place_of_the_first(shop: Shop) -> None:
    replies = talk(shop, "call me back on 0171 2345678", "no, call me on 0171 7654321 please")
    assert replies[0].request == replies[1].request
    assert details(shop)[0]["phone"] == "0171 7654321"


def test_that_details_of_another_secret_do_not_stop_a_request(shop: Shop, home: Path) -> None:
    replies = talk(shop, f"change the address of TS-1001, {EMAIL}", ADDRESS)
    session = replies[-1].session_id
    shop.close()
    (home / "secret").write_bytes(b"another secret of thirty-two by.")
    with closing(shop_in(home)) as later:
        recorded = later.chat(ChatRequest("yes", session_id=session)).request
        assert recorded is not None
        assert details(later) == [{}]


# ---- guessing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["TS-1001", "TS-9999"])
def test_that_a_number_guessed_at_from_many_sessions_goes_to_a_person_after_a_restart_too(
    opened: Callable[..., Shop], number: str
) -> None:
    shop = opened()
    sessions, left = divmod(MAX_FAILED_OF_ORDER, MAX_FAILED_PROOFS)
    assert not left
    for session in range(sessions):
        for reply in talk(
            shop, *(f"order {number}, g{session}x{n}@example.com" for n in range(MAX_FAILED_PROOFS))
        ):
            assert not reply.handoff
    shop.close()
    later = opened()
    (locked,) = talk(later, f"order {number}, {EMAIL}")
    assert locked.handoff
    assert "processing" not in locked.text
    assert locked.text == talk(later, f"order {number}, {EMAIL}")[0].text
    (other,) = talk(later, f"order TS-1002, {EMAIL}")
    assert "delivered" in other.text
    hour_later = opened(SHOPBOT_NOW=(NOW + timedelta(hours=1)).isoformat())
    assert not talk(hour_later, f"order {number}, {EMAIL}")[0].handoff


# ---- hand-over -----------------------------------------------------------------------------------


def test_that_the_person_who_takes_over_finds_a_summary(shop: Shop) -> None:
    replies = talk(
        shop, "I need a kettle", f"where is order TS-1001? {EMAIL}", "I want to talk to a person"
    )
    conversation = shop.conversations.find(replies[-1].session_id)
    assert conversation is not None and conversation.handoff is not None
    told = conversation.handoff
    assert told["reason"] == "asked"
    assert told["products"] == ["Copper Kettle"]
    assert (told["order_id"], told["order_proven"]) == ("TS-1001", True)
    assert told["question"] == "where is order TS-1001? [email]"
    assert told["tried"] == ["recommend", "order_status"]
    assert told["on_duty"] is True
    turn = shop.conversations.turn(replies[-1].turn_id)
    assert turn is not None and turn.trace["handoff"] == told


def test_that_a_notice_holds_no_words_of_the_shopper_and_no_order_number(shop: Shop) -> None:
    replies = talk(shop, f"where is order TS-1001? {EMAIL}", "I am Jo Q. Public, get me a person")
    conversation = shop.conversations.find(replies[-1].session_id)
    assert conversation is not None and conversation.handoff is not None
    told = notice(conversation.handoff, conversation.id)
    assert (told["conversation"], told["about_an_order"]) == (conversation.id, True)
    assert not [word for word in ("TS-1001", "Public", "where") if word in json.dumps(told)]


def test_that_a_shop_without_hours_hands_over_as_one_with_somebody_there(shop: Shop) -> None:
    (reply,) = talk(shop, "I want to talk to a person")
    assert reply.handoff
    assert "will continue here" in reply.text


def test_that_hours_over_midnight_are_told_and_kept(opened: Callable[..., Shop]) -> None:
    (away,) = talk(opened(**NIGHT), "I want to talk to a person")
    assert "8:00 pm to 2:00 am" in away.text
    evening = NOW.replace(hour=23).isoformat()
    (there,) = talk(opened(SHOPBOT_NOW=evening, **NIGHT), "I want to talk to a person")
    assert "will continue here" in there.text


def test_that_who_leaves_a_number_with_the_wish_for_a_person_out_of_hours_is_called_back(
    opened: Callable[..., Shop],
) -> None:
    (reply,) = talk(opened(**NIGHT), "get me a human, my e-mail is jo@example.com")
    assert reply.request is not None and reply.request.kind == "callback"
    assert "8:00 pm" in reply.text


class _Nothing:
    """A desk that has nothing: enough for acts about people."""

    def about_rules(self, *_: object, **__: object) -> None:
        return None


def decided(request: Request, state: DialogState | None = None, **desk: object) -> Plan:
    plan = Plan(
        Understanding(request.text, "en", False, (request,)), state or DialogState(),
        FactBook("en", "USD"), NOW,
        requests=cast("object", None),  # type: ignore[arg-type]
    )  # fmt: skip
    given = {"contact": "", "shop_name": "", "hours": None, "topics": (), "answerer": _Nothing()}
    catalogue = SimpleNamespace(products={})
    decide(plan, cast(Desk, SimpleNamespace(catalogue=catalogue, **(given | desk))))
    return plan


def test_that_who_is_angry_hears_sorry_and_gets_a_person_at_once() -> None:
    plan = decided(Request("complaint", "you are all thieves", "", goal="angry"))
    assert [said.name for said in plan.acts] == ["calm", "handoff"]
    assert plan.summary is not None and plan.summary.reason == "angry"
    assert plan.state.handed_off


def test_that_complaints_that_differ_are_passed_on_at_the_third() -> None:
    state = DialogState(upset=2, complained="another rule")
    plan = decided(Request("complaint", "it leaks", ""), state)
    assert [said.name for said in plan.acts] == ["calm", "handoff"]


def test_that_a_topic_of_the_shop_is_passed_on_but_not_an_answer_that_names_it() -> None:
    asked = Request("policy_question", "do you sell wholesale?", "")
    assert decided(asked, topics=("wholesale",)).summary is not None
    greeted = Request("greet", "hello", "")
    assert decided(greeted, topics=("wholesale",)).summary is None
    answer = replace(asked, intent="handoff", goal="no", why="answer to a question")
    assert decided(answer, topics=("wholesale",)).summary is None


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("about my warranty claims", "warranty claim"),
        ("my claim about the warranty", ""),
        ("Wholesale?", "wholesale"),
        ("whole sale", ""),
        ("我想 批 发", "批发"),
        ("", ""),
    ],
)
def test_that_a_topic_is_named_by_its_words_side_by_side(text: str, topic: str) -> None:
    assert named_topic(text, ("warranty claim", "wholesale", "批发")) == topic


# ---- the owner's words ---------------------------------------------------------------------------


def test_that_the_shops_own_greeting_opens_a_conversation_word_for_word(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(SHOPBOT_SHOP__GREETING__EN="Moin! What can we do for you?")
    assert shop.greeting("en") == "Moin! What can we do for you?"
    assert "Moin" not in shop.greeting("zh")


def test_that_a_shop_of_one_language_greets_in_that(opened: Callable[..., Shop]) -> None:
    shop = opened(SHOPBOT_SHOP__LANGUAGES="zh")
    assert shop.greeting("en") == shop.greeting("zh")
    assert shop.chat(ChatRequest("123", locale="en")).language == "zh"


# ---- how long ------------------------------------------------------------------------------------


def test_that_an_abandoned_request_loses_its_details_after_a_day(
    opened: Callable[..., Shop],
) -> None:
    shop = opened()
    replies = talk(shop, f"change the address of TS-1001, {EMAIL}", ADDRESS)
    assert shop.purge() == 0
    later = opened(SHOPBOT_NOW=(NOW + timedelta(days=1, minutes=1)).isoformat())
    assert later.purge() == 1
    conversation = later.conversations.find(replies[-1].session_id)
    assert conversation is not None
    assert DialogState.from_dict(conversation.state).pending is None


def test_that_a_closed_request_loses_its_details_after_the_days_of_the_settings(
    opened: Callable[..., Shop],
) -> None:
    shop = opened()
    talk(shop, f"change the address of TS-1001, {EMAIL}", ADDRESS, "yes")
    (request,) = shop.requests.open_requests()
    shop.requests.close(request.number, status="done", now=NOW)
    ten = {"SHOPBOT_PRIVACY__RETENTION_DAYS": "10"}
    early = opened(SHOPBOT_NOW=(NOW + timedelta(days=9)).isoformat(), **ten)
    assert early.purge() == 0
    late = opened(SHOPBOT_NOW=(NOW + timedelta(days=11)).isoformat(), **ten)
    assert late.purge() == 1
