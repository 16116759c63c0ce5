"""The shop as its faces use it: sessions, repeats, restarts, erasure, what is kept of a person."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from shop_homes import build_tiny, copy_of, settings_of, shop_in

from bot.app import Shop
from bot.catalogue import Catalogue
from bot.errors import MessageError, NotReadyError, SessionUnknownError, TurnUnknownError
from bot.generators.base import PhraseRequest
from bot.searching import showcase
from bot.turn import Candidate, ChatRequest, Reply
from db.records import (
    Attribute,
    Document,
    Money,
    Order,
    OrderId,
    OrderItem,
    Product,
    ProductId,
    Variant,
)
from retrieval.values import Filters


def _usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


PRODUCTS = [
    Product(
        ProductId("k1"), "Copper Kettle", price=_usd("49.00"), in_stock=True, category=("Kitchen",),
        description="Boils a litre in four minutes.", attributes=(Attribute("Weight", "2 lb"),),
        brand="Ostrel", rating=4.5,
    ),
    Product(
        ProductId("k2"), "Steel Kettle", price=_usd("29.00"), in_stock=False, category=("Kitchen",),
        attributes=(Attribute("Weight", "3 lb"),), brand="Ostrel",
    ),
    Product(ProductId("l1"), "Desk Lamp", price=_usd("64.00"), category=("Lighting",)),
]  # fmt: skip
RETURNS = Document(
    "returns", "policy", "Returns", "# Returns\n\nYou may return anything within 30 days.\n"
)
EMAIL, PHONE = "mara.holt@example.com", "(312) 555-0199"
ORDERS = [
    Order(
        OrderId("TS-1001"), email=EMAIL, phone=PHONE, ordered_on=date(2026, 3, 1),
        items=(OrderItem(ProductId("k1"), "Copper Kettle", 1, Decimal("49.00")),),
        total=Decimal("49.00"), currency="USD", status="processing", tracking="ZZ99887766",
    ),
    Order(OrderId("TS-1002"), email=EMAIL, status="shipped", expected_on=date(2026, 3, 5)),
]  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("tiny") / "home"
    return build_tiny(home, products=PRODUCTS, documents=[RETURNS], orders=ORDERS)


@pytest.fixture(scope="module")
def shared(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for tests that only add conversations."""
    shop = shop_in(copy_of(tiny, tmp_path_factory.mktemp("shared") / "home"))
    yield shop
    shop.close()


def say(shop: Shop, message: str, session: str | None = None, **more: object) -> Reply:
    return shop.chat(ChatRequest(message, session_id=session, **more))  # type: ignore[arg-type]


def everything_on_disk(home: Path) -> str:
    """All that the database holds, but for the feed's own orders, as one text."""
    with closing(sqlite3.connect(home / "shopbot.db")) as connection:
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
            if name != "orders"
        ]
        rows = [tuple(connection.execute(f'SELECT * FROM "{name}"')) for name in names]
    return repr(rows)


# ---- sessions ------------------------------------------------------------------------------------


def test_that_a_first_message_opens_a_session_and_the_next_goes_on(shop: Shop) -> None:
    first = say(shop, "I need a kettle")
    second = say(shop, "the second one", first.session_id)
    assert {card.id for card in first.products} == {"k1", "k2"}
    assert second.session_id == first.session_id
    assert second.turn_id > first.turn_id
    assert [card.id for card in second.products] == [first.products[1].id]


def test_that_session_ids_are_long_and_never_alike(shared: Shop) -> None:
    shop = shared
    ids = {say(shop, "hello").session_id for _ in range(5)}
    assert len(ids) == 5
    assert min(map(len, ids)) >= 22  # 128 bits in base 64


def test_that_an_unknown_session_is_refused_and_leaves_nothing(shop: Shop, home: Path) -> None:
    with pytest.raises(SessionUnknownError):
        say(shop, "hello", "made-up-by-a-stranger")
    assert shop.conversations.count_turns() == 0
    for ask in (shop.transcript, shop.erase):
        with pytest.raises(SessionUnknownError):
            ask("made-up-by-a-stranger")


def test_that_the_session_id_is_nowhere_on_disk(shop: Shop, home: Path) -> None:
    session = say(shop, "I need a kettle", client_message_id="m-1").session_id
    say(shop, "the cheaper one", session)
    assert session not in everything_on_disk(home)
    for file in home.rglob("*"):
        assert not file.is_file() or session.encode() not in file.read_bytes()


def test_that_a_stored_payload_names_neither_session_nor_turn(shop: Shop) -> None:
    reply = say(shop, "I need a kettle")
    with closing(sqlite3.connect(shop.settings.home / "shopbot.db")) as connection:
        (payload,) = connection.execute("SELECT payload FROM turns").fetchone()
    assert not {"session_id", "turn_id"} & set(json.loads(payload))
    assert json.loads(payload)["reply"] == reply.text


# ---- repeats -------------------------------------------------------------------------------------


def test_that_what_was_read_ahead_is_not_encoded_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = shop.read_ahead(lambda: False)
    assert read > 2  # the rule, descriptions and attributes
    encoded: list[str] = []
    answerer = shop.dialog._desk.answerer
    encode = answerer._encode
    monkeypatch.setattr(answerer, "_encode", lambda texts: encoded.extend(texts) or encode(texts))
    shop.chat(ChatRequest("what is your return policy?"))
    assert not [text for text in encoded if "within 30 days" in text]


def test_that_reading_ahead_stops_when_told(shop: Shop) -> None:
    assert shop.read_ahead(lambda: True) == 0


def test_that_nothing_is_read_ahead_where_there_is_no_shop(tmp_path: Path) -> None:
    with closing(shop_in(tmp_path / "none")) as empty:
        assert empty.read_ahead(lambda: False) == 0


def test_that_a_repeated_message_gets_the_stored_reply_and_no_second_turn(shop: Shop) -> None:
    session = say(shop, "I need a kettle").session_id
    first = say(shop, "compare the first two", session, client_message_id="m-7")
    again = say(shop, "compare the first two", session, client_message_id="m-7")
    assert first.comparison is not None
    assert again == first
    assert shop.conversations.count_turns() == 2


def test_that_a_repeated_yes_records_one_request(shop: Shop) -> None:
    session = say(shop, f"please cancel order TS-1001, {EMAIL}").session_id
    first = say(shop, "yes", session, client_message_id="y")
    assert first.request is not None and first.request.kind == "cancel"
    assert say(shop, "yes", session, client_message_id="y") == first
    other = say(shop, f"cancel TS-1001 {EMAIL}").session_id
    assert say(shop, "yes", other).request == first.request


def test_that_the_same_client_message_id_in_another_session_is_another_message(
    shared: Shop,
) -> None:
    shop = shared
    first = say(shop, "hello", client_message_id="m-1")
    second = say(shop, "I need a lamp", client_message_id="m-1")
    assert second.session_id != first.session_id
    assert [card.id for card in second.products] == ["l1"]


# ---- one at a time -------------------------------------------------------------------------------


def test_that_messages_of_one_session_are_answered_one_after_another(shared: Shop) -> None:
    shop = shared
    session = say(shop, "hello").session_id
    replies: list[Reply] = []
    start = threading.Barrier(6)

    def talk(number: int) -> None:
        start.wait()
        replies.append(say(shop, "I need a kettle", session, client_message_id=f"m-{number % 3}"))

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(replies) == 6
    assert len({reply.turn_id for reply in replies}) == 3
    assert len(shop.transcript(session)) == 2 * 4


def test_that_sessions_side_by_side_do_not_mix(shared: Shop) -> None:
    shop = shared
    sessions = [say(shop, text).session_id for text in ("I need a kettle", "I need a lamp")]
    kettle, lamp = (say(shop, "how much is it?", session) for session in sessions)
    assert "$64.00" in lamp.text
    assert "$64.00" not in kettle.text


# ---- what lasts ----------------------------------------------------------------------------------


def test_that_a_restart_keeps_the_conversation_and_what_was_proved(
    opened: Callable[..., Shop],
) -> None:
    session = say(opened(), f"where is order TS-1002? {EMAIL}").session_id
    reply = say(opened(), "when will it arrive?", session)
    assert "March 5, 2026" in reply.text
    assert [entry.role for entry in opened().transcript(session)] == ["shopper", "bot"] * 2


def test_that_a_restart_keeps_a_question_that_waits_for_yes(opened: Callable[..., Shop]) -> None:
    session = say(opened(), f"cancel order TS-1001, my e-mail is {EMAIL}").session_id
    reply = say(opened(), "yes", session)
    assert reply.request is not None
    assert (reply.request.kind, reply.request.status) == ("cancel", "recorded")
    assert reply.request.id in reply.text


def test_that_an_erased_conversation_is_gone_from_the_disk(shop: Shop, home: Path) -> None:
    session = say(shop, "I need a zanzibarkettle").session_id
    say(shop, "hello", session)
    assert "zanzibarkettle" in everything_on_disk(home)
    assert shop.erase(session) == 2
    assert "zanzibarkettle" not in everything_on_disk(home)
    for ask in (lambda: say(shop, "hello", session), lambda: shop.transcript(session)):
        with pytest.raises(SessionUnknownError):
            ask()


class Paused:
    """A generator that waits until it may speak."""

    name = "paused"
    version = "1"

    def __init__(self) -> None:
        self.asked, self.go = threading.Event(), threading.Event()

    def phrase(self, request: PhraseRequest) -> list[Candidate]:
        self.asked.set()
        self.go.wait(timeout=30)
        return []


def test_that_an_answer_under_way_is_erased_too(home: Path) -> None:
    generator = Paused()
    shop = Shop(settings_of(home), generator=generator)
    generator.go.set()
    session = say(shop, "hello").session_id
    generator.asked.clear()
    generator.go.clear()
    answering = threading.Thread(target=say, args=(shop, "I need a kettle", session))
    erased: list[int] = []
    erasing = threading.Thread(target=lambda: erased.append(shop.erase(session)))
    answering.start()
    assert generator.asked.wait(timeout=30)
    erasing.start()
    generator.go.set()
    answering.join()
    erasing.join()
    assert erased == [2]
    assert shop.conversations.count_turns() == 0
    shop.close()


def test_that_consent_is_the_shops_default_until_the_shopper_says(
    opened: Callable[..., Shop],
) -> None:
    shop = opened()
    session = say(shop, "hello").session_id

    def consent() -> bool:
        found = shop.conversations.find(session)
        assert found is not None
        return found.training_consent

    assert not consent()
    say(shop, "thanks", session, training_consent=True)
    assert consent()
    say(shop, "thanks", session)
    assert consent()
    say(shop, "thanks", session, training_consent=False)
    assert not consent()
    willing = opened(SHOPBOT_PRIVACY__TRAINING_DEFAULT="true")
    stored = willing.conversations.find(say(willing, "hello").session_id)
    assert stored is not None and stored.training_consent


# ---- messages that are none ----------------------------------------------------------------------


@pytest.mark.parametrize("message", ["", "   \n", "\u200b\u200b", "\u202e \u0000", "\ufe0f\u2800"])
def test_that_a_blank_message_is_refused(shared: Shop, message: str) -> None:
    before = shared.conversations.count_turns()
    with pytest.raises(MessageError, match="blank"):
        say(shared, message)
    assert shared.conversations.count_turns() == before


def test_that_an_over_long_message_is_refused_and_the_longest_is_not(
    opened: Callable[..., Shop],
) -> None:
    shop = opened(SHOPBOT_CHAT__MAX_MESSAGE_CHARS="50")
    with pytest.raises(MessageError, match="51 characters; 50 are accepted"):
        say(shop, "x" * 51)
    assert say(shop, "x" * 50).text


@pytest.mark.parametrize(
    "message",
    [
        "9" * 4000,
        "under " + "9" * 3000,
        "💥" * 4000,
        "<script>alert(1)</script>",
        "'; DROP TABLE turns; --",
        "〇十〇",
        "%s {0} <title_1> {a|b} [x] @name(1)",
        "\ud800 hello",
        "cheapest " * 400,
        "第" * 4000,
        "#" * 4000,
        "@" * 4000,
    ],
)
def test_that_any_message_is_answered_and_kept(shared: Shop, message: str) -> None:
    before = shared.conversations.count_turns()
    reply = say(shared, message)
    assert 0 < len(reply.text) <= 900
    assert shared.conversations.count_turns() == before + 1


# ---- what is kept of a person --------------------------------------------------------------------

PRIVATE = [EMAIL, "Mara.Holt@EXAMPLE.com", "3125550199", "312 555 0199", "4111 1111 1111 1111"]


@pytest.mark.parametrize("private", PRIVATE)
def test_that_personal_data_is_nowhere_on_disk(shared: Shop, private: str) -> None:
    shop, home = shared, shared.settings.home
    session = say(shop, f"where is TS-1001? I am {private}").session_id
    say(shop, f"again: {private} please", session, customer_id=f"c {private}")
    shop.feedback(
        turn_id=say(shop, "hello", session).turn_id, session_id=session, score=-1,
        reason=f"ask {private}", comment=f"write to {private}",
    )  # fmt: skip
    kept = everything_on_disk(home).casefold()
    assert private.casefold() not in kept
    assert private.replace(" ", "").casefold() not in kept


def test_that_the_trace_and_the_state_hold_no_contact_in_clear(shop: Shop) -> None:
    reply = say(shop, f"where is TS-1001? {EMAIL}, {PHONE}")
    record = shop.conversations.turn(reply.turn_id)
    assert record is not None
    assert record.user_text == "where is TS-1001? [email], [phone]"
    assert "mara" not in json.dumps(record.trace)
    assert record.trace["understanding"]["contacts"] == 2
    found = shop.conversations.find(reply.session_id)
    assert found is not None
    assert "mara" not in json.dumps(found.state)
    assert all(len(contact) == 64 for contact in found.state["contacts"])


def test_that_the_kept_hash_of_a_contact_is_keyed_by_the_home(home: Path, shop: Shop) -> None:
    session = say(shop, f"where is TS-1001? {EMAIL}").session_id
    found = shop.conversations.find(session)
    assert found is not None
    (home / "secret").write_bytes(b"another secret of 32 bytes......")
    other = shop_in(home)
    again = other.conversations.find(say(other, f"where is TS-1001? {EMAIL}").session_id)
    other.close()
    assert again is not None
    assert again.state["contacts"] != found.state["contacts"]


# ---- feedback ------------------------------------------------------------------------------------


def test_that_a_thumb_is_kept_and_shown_with_its_turn(shop: Shop) -> None:
    reply = say(shop, "I need a kettle")
    shop.feedback(
        turn_id=reply.turn_id, session_id=reply.session_id, score=1, reason=None, comment="nice"
    )
    shopper, bot = shop.transcript(reply.session_id)
    assert (shopper.role, shopper.text) == ("shopper", "I need a kettle")
    assert (bot.role, bot.text, bot.score) == ("bot", reply.text, 1)
    assert bot.payload is not None
    assert bot.payload["session_id"] == reply.session_id
    assert bot.payload["turn_id"] == reply.turn_id


def test_that_a_thumb_on_another_conversations_turn_is_refused(shared: Shop) -> None:
    shop = shared
    mine, theirs = say(shop, "hello"), say(shop, "hello")
    with pytest.raises(TurnUnknownError):
        shop.feedback(
            turn_id=theirs.turn_id, session_id=mine.session_id, score=1, reason=None, comment=None
        )


# ---- the whole -----------------------------------------------------------------------------------


def test_that_a_shop_without_an_index_says_what_to_run(tmp_path: Path) -> None:
    shop = shop_in(tmp_path / "empty")
    with pytest.raises(NotReadyError, match="shopbot index"):
        say(shop, "hello")
    readiness = shop.readiness()
    shop.close()
    assert not readiness.ready
    assert "shopbot" in readiness.reasons[0]


def test_that_every_turn_can_be_explained(shared: Shop) -> None:
    shop = shared
    reply = say(shop, "I need a kettle under $40")
    record = shop.conversations.turn(reply.turn_id)
    assert record is not None
    trace = record.trace
    assert record.acts == tuple(segment["act"] for segment in trace["segments"])
    request = trace["understanding"]["requests"][0]
    assert request["constraints"]["price_max"] == "40"
    assert request["why"] and request["scores"] and trace["decisions"] and trace["hits"]
    facts = {fact["id"]: fact for fact in trace["facts"]}
    for segment in trace["segments"]:
        for slot, fact in segment["slot_facts"].items():
            assert facts[fact]["text"] == segment["slots"][slot]


def test_that_a_search_finds_what_the_chat_finds(shared: Shop) -> None:
    shop = shared
    found = shop.search(query="copper kettle", k=2, filters=Filters(), explain=True)
    assert found["hits"][0]["id"] == "k1"
    assert found["hits"][0]["product"]["price"] == "49.00"
    assert set(found["hits"][0]["explanation"]) == {"parts", "score", "terms", "words"}
    cheap = shop.search(query="kettle", k=5, filters=Filters(price_max=Decimal(30)), explain=False)
    assert [hit["id"] for hit in cheap["hits"]] == ["k2"]


def test_that_a_search_names_the_forms_that_the_query_names(tmp_path: Path) -> None:
    def form(code: str, colour: str, price: int, in_stock: bool) -> Variant:
        return Variant(
            code, sku=code, options=(Attribute("Color", colour),),
            price=Money(Decimal(price), "USD"), in_stock=in_stock,
        )  # fmt: skip

    kettle = replace(
        PRODUCTS[0],
        price=Money(Decimal(49), "USD"),
        price_to=Money(Decimal(59), "USD"),
        variants=(form("k1-r", "Red", 49, True), form("k1-b", "Blue", 59, False)),
    )
    home = build_tiny(tmp_path / "home", products=[kettle, *PRODUCTS[1:]])
    with closing(shop_in(home)) as shop:

        def first(query: str, **conditions: Any) -> dict[str, Any]:
            filters = Filters(**conditions)
            return shop.search(query=query, k=5, filters=filters, explain=False)["hits"][0]

        hit = first("blue copper kettle")
        assert hit["id"] == "k1"
        assert hit["variant"] == {
            "label": "Blue", "options": (asdict(Attribute("Color", "Blue")),), "ids": ("k1-b",),
            "price": "59.00", "price_to": None, "currency": "USD", "in_stock": False,
        }  # fmt: skip
        # the card keeps the product's own figures beside those of the form
        assert (hit["product"]["price"], hit["product"]["price_to"]) == ("49.00", "59.00")
        assert hit["product"]["variant"] == hit["variant"]
        assert first("copper kettle")["variant"] is None
        assert first("copper kettle, not in blue")["variant"] is None
        assert first("blue copper kettle", price_max=Decimal(50))["variant"] is None


def test_that_a_showcase_is_of_goods_in_stock_and_of_different_kinds_first() -> None:
    def product(id: str, kind: str, *, in_stock: bool = True) -> Product:
        return Product(ProductId(id), f"Thing {id}", category=(kind,), in_stock=in_stock)

    catalogue = Catalogue(
        [
            product("gone", "Rugs", in_stock=False),
            product("k1", "Kettles"),
            product("k2", "Kettles"),
            product("c1", "Cups"),
        ]
    )
    assert [card.id for card in showcase(catalogue, 3)] == ["k1", "c1", "k2"]
    assert [card.id for card in showcase(catalogue, 9)] == ["k1", "c1", "k2", "gone"]


def test_that_a_shop_shows_as_many_of_its_goods_as_asked(shared: Shop) -> None:
    assert [card.id for card in shared.showcase(2)] == [card.id for card in shared.showcase(9)[:2]]


def test_that_a_greeting_names_the_shop_in_either_language(shared: Shop) -> None:
    shop = shared
    assert "Fern & Kettle" in shop.greeting("en")
    assert "Fern & Kettle" in shop.greeting("zh")


def test_that_very_long_titles_do_not_make_an_over_long_reply(tmp_path: Path) -> None:
    long = [
        replace(PRODUCTS[0], id=ProductId(f"x{n}"), title=f"Kettle {n} " + "very long " * 60)
        for n in range(3)
    ]
    shop = shop_in(build_tiny(tmp_path / "home", products=long))
    reply = say(shop, "I need a kettle")
    shop.close()
    assert len(reply.products) == 3
    assert len(reply.text) <= 900
