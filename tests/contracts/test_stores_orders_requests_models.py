"""The stores of orders, requests and model versions keep their word on every engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from db.conversations import ConversationStore
from db.engine import Database
from db.errors import UnknownVersion
from db.models import ModelVersionStore
from db.orders import OrderStore
from db.proofs import ProofStore
from db.records import Attribute, Order, OrderId, OrderItem, ProductId
from db.requests import RequestStore

NOW = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)

FULL = Order(
    id=OrderId("Ord 10-A"),
    email="a@example.test",
    phone="+86 138 0000 0000",
    ordered_on=date(2025, 2, 3),
    items=(
        OrderItem(ProductId("T-100"), "帐篷", 2, Decimal("129.00")),
        OrderItem(None, "Gift wrap", 1),
    ),
    shipping=Decimal("0.00"),
    total=Decimal("258.10"),
    currency="USD",
    status="Shipped",
    carrier="SF 顺丰",
    tracking="TRK-1",
    shipped_on=date(2025, 2, 4),
    expected_on=date(2025, 2, 9),
    delivered_on=None,
    extra=(Attribute("Note", "leave at door"), Attribute("Note", "ring twice")),
)
BARE = Order(id=OrderId("10001"))


# ---- orders --------------------------------------------------------------------------------------


def test_that_an_order_comes_back_as_it_was_given(database: Database) -> None:
    store = OrderStore(database)
    report = store.apply_orders(iter([FULL, BARE]), now=NOW)
    assert (report.kind, report.added, report.rejected) == ("orders", 2, ())
    assert store.order("10001") == BARE
    order = store.order("Ord 10-A")
    assert order == FULL
    assert str(order.shipping) == "0.00"
    assert str(order.items[0].unit_price) == "129.00"
    assert store.count() == 2


@pytest.mark.parametrize("asked", ["ord10-a", " ORD 10-A ", "Ｏｒｄ １０-A"])
def test_that_an_order_is_found_whatever_its_case_spaces_and_width(
    database: Database, asked: str
) -> None:
    store = OrderStore(database)
    store.apply_orders([FULL], now=NOW)
    assert store.order(asked) == FULL


@pytest.mark.parametrize("asked", ["", "10", "Ord 10-A; DROP TABLE orders", "ord_10-a", "%"])
def test_that_no_order_is_found_by_less_than_its_number(database: Database, asked: str) -> None:
    store = OrderStore(database)
    store.apply_orders([FULL, BARE], now=NOW)
    assert store.order(asked) is None


def test_that_orders_are_changed_and_never_removed_by_an_import(database: Database) -> None:
    store = OrderStore(database)
    store.apply_orders([FULL, BARE], now=NOW)
    delivered = replace(FULL, status="Delivered", delivered_on=date(2025, 2, 8))
    report = store.apply_orders([delivered], now=NOW)
    assert (report.added, report.changed, report.unchanged) == (0, 1, 0)
    assert store.order(FULL.id) == delivered
    assert store.order(BARE.id) == BARE
    report = store.apply_orders([delivered, BARE], now=NOW)
    assert (report.added, report.changed, report.unchanged) == (0, 0, 2)


def test_that_a_second_order_of_one_number_and_a_blank_one_are_rejected(database: Database) -> None:
    store = OrderStore(database)
    report = store.apply_orders(
        [BARE, replace(BARE, id=OrderId("1 0001")), replace(BARE, id=OrderId(" "))], now=NOW
    )
    assert report.added == 1
    assert len(report.rejected) == 2
    assert store.order("10001") == BARE


def test_that_sample_ids_show_numbers_as_the_shop_writes_them(database: Database) -> None:
    store = OrderStore(database)
    store.apply_orders([FULL, BARE], now=NOW)
    assert store.sample_ids(5) == ["Ord 10-A", "10001"]
    assert store.sample_ids(1) == ["Ord 10-A"]


# ---- requests ------------------------------------------------------------------------------------


def test_that_requests_are_numbered_upwards_and_come_back_as_given(database: Database) -> None:
    store = RequestStore(database)
    first = store.record(
        "return", conversation_id=None, order_id="Ord 10-A", sealed_details=b"\x00\xff", now=NOW
    )
    second = store.record(
        "callback", conversation_id=None, order_id=None, sealed_details=None, now=NOW
    )
    assert (first.number, second.number) == ("R-1001", "R-1002")
    assert (first.kind, first.status, first.order_id) == ("return", "recorded", "Ord 10-A")
    assert first.sealed_details == b"\x00\xff"
    assert first.created_at == NOW
    assert store.open_requests() == [first, second]


def test_that_an_open_request_is_found_by_kind_and_order(database: Database) -> None:
    store = RequestStore(database)
    recorded = store.record(
        "return", conversation_id=None, order_id="Ord 10-A", sealed_details=None, now=NOW
    )
    assert store.find("return", "ORD10-a") == recorded
    assert store.find("cancel", "Ord 10-A") is None
    assert store.find("return", "10001") is None


def test_that_a_closed_request_is_open_no_more(database: Database) -> None:
    store = RequestStore(database)
    recorded = store.record(
        "return", conversation_id=None, order_id="10001", sealed_details=None, now=NOW
    )
    with pytest.raises(ValueError, match="how it ended"):
        store.close(recorded.number, status="recorded", now=NOW)
    assert store.close(recorded.number, status="done", now=NOW)
    assert not store.close(recorded.number, status="refused", now=NOW)
    assert store.find("return", "10001") is None
    assert store.open_requests() == []


@pytest.mark.parametrize("number", ["R-1002", "R-", "1001x", "R--5", "R-" + "9" * 40, ""])
def test_that_a_number_that_was_never_given_closes_nothing(database: Database, number: str) -> None:
    store = RequestStore(database)
    store.record("return", conversation_id=None, order_id="1", sealed_details=None, now=NOW)
    assert not store.close(number, status="done", now=NOW)
    assert len(store.open_requests()) == 1


def test_that_a_request_outlives_its_conversation_without_leading_to_it(database: Database) -> None:
    conversations, store = ConversationStore(database), RequestStore(database)
    conversation = conversations.open(
        "session", language="en", customer_id=None, training_consent=False, now=NOW
    )
    recorded = store.record(
        "cancel", conversation_id=conversation.id, order_id="1", sealed_details=None, now=NOW
    )
    assert recorded.conversation_id == conversation.id
    conversations.erase(conversation.id)
    assert store.open_requests() == [replace(recorded, conversation_id=None)]


def test_that_an_open_request_without_an_order_is_found_by_its_conversation(
    database: Database,
) -> None:
    conversations, store = ConversationStore(database), RequestStore(database)
    here, there = (
        conversations.open(
            name, language="en", customer_id=None, training_consent=False, now=NOW
        ).id
        for name in ("here", "there")
    )
    store.record("callback", conversation_id=here, order_id="1", sealed_details=None, now=NOW)
    recorded = store.record(
        "callback", conversation_id=here, order_id=None, sealed_details=b"1", now=NOW
    )
    assert store.find_in("callback", here) == recorded
    assert store.find_in("callback", there) is None
    assert store.find_in("return", here) is None
    store.close(recorded.number, status="done", now=NOW)
    assert store.find_in("callback", here) is None


def test_that_the_details_of_an_open_request_alone_can_be_replaced(database: Database) -> None:
    store = RequestStore(database)
    recorded = store.record(
        "change", conversation_id=None, order_id="1", sealed_details=b"old", now=NOW
    )
    store.reseal(recorded.number, b"new")
    assert store.open_requests() == [replace(recorded, sealed_details=b"new")]
    store.close(recorded.number, status="done", now=NOW)
    store.reseal(recorded.number, b"newer")
    assert store.purge(before=NOW + timedelta(days=1)) == 1


def test_that_details_go_some_time_after_the_request_was_closed_and_not_before(
    database: Database,
) -> None:
    store = RequestStore(database)
    numbers = [
        store.record(
            "change", conversation_id=None, order_id=str(n), sealed_details=b"x", now=NOW
        ).number
        for n in range(3)
    ]
    store.close(numbers[0], status="done", now=NOW)
    store.close(numbers[1], status="done", now=NOW + timedelta(days=2))
    assert store.purge(before=NOW) == 0
    assert store.purge(before=NOW + timedelta(days=1)) == 1
    assert store.purge(before=NOW + timedelta(days=1)) == 0
    assert [r.sealed_details for r in store.open_requests()] == [b"x"]
    assert store.purge(before=NOW + timedelta(days=3)) == 1


# ---- failed proofs -------------------------------------------------------------------------------


def test_that_failed_proofs_are_counted_by_order_within_the_window(database: Database) -> None:
    store = ProofStore(database)
    hour = timedelta(hours=1)
    for minute in (0, 10, 50):
        now = NOW + timedelta(minutes=minute)
        store.fail("aa", now=now, since=now - hour)
    store.fail("bb", now=NOW + timedelta(minutes=51), since=NOW + timedelta(minutes=51) - hour)
    assert store.failures("aa", since=NOW - hour) == 3
    assert store.failures("bb", since=NOW - hour) == 1
    assert store.failures("aa", since=NOW) == 2
    assert store.failures("cc", since=NOW - hour) == 0


def test_that_what_the_window_has_left_behind_is_forgotten(database: Database) -> None:
    store = ProofStore(database)
    store.fail("aa", now=NOW, since=NOW - timedelta(hours=1))
    later = NOW + timedelta(hours=2)
    store.fail("bb", now=later, since=later - timedelta(hours=1))
    assert store.failures("aa", since=NOW - timedelta(days=1)) == 0


# ---- model versions ------------------------------------------------------------------------------


def register(
    store: ModelVersionStore, version: str, *, kind: str = "generator", active: bool = True
) -> None:
    store.register(
        kind=kind,
        name="gpt2-shop",
        version=version,
        path=f"models/{version}",
        digest="ab" * 32,
        metrics={"slot_error": 0.01, "by_language": {"zh": 1}},
        parent=None if version == "1" else "1",
        active=active,
        now=NOW,
    )


def test_that_a_registered_version_comes_back_as_given(database: Database) -> None:
    store = ModelVersionStore(database)
    register(store, "2")
    version = store.active("generator")
    assert version is not None
    assert (version.kind, version.name, version.version) == ("generator", "gpt2-shop", "2")
    assert (version.path, version.digest, version.parent) == ("models/2", "ab" * 32, "1")
    assert version.metrics == {"slot_error": 0.01, "by_language": {"zh": 1}}
    assert version.registered_at == NOW


def test_that_one_version_of_a_kind_is_active(database: Database) -> None:
    store = ModelVersionStore(database)
    assert store.active("generator") is None
    register(store, "1")
    register(store, "2", active=False)
    register(store, "1", kind="intents")
    assert [found.version for found in (store.active("generator"),) if found] == ["1"]
    register(store, "2")
    assert [(found.kind, found.version, found.active) for found in store.all()] == [
        ("generator", "1", False),
        ("generator", "2", True),
        ("intents", "1", True),
    ]


def test_that_an_earlier_version_can_be_made_active_again(database: Database) -> None:
    store = ModelVersionStore(database)
    register(store, "1")
    register(store, "2")
    register(store, "1")
    version = store.active("generator")
    assert version is not None
    assert version.version == "1"
    assert len(store.all()) == 2


def test_that_metrics_are_added_to_a_version_and_leave_what_is_in_use_alone(
    database: Database,
) -> None:
    store = ModelVersionStore(database)
    register(store, "1")
    register(store, "2", active=False)
    store.note("generator", "gpt2-shop", "2", {"gate": {"passed": True}})
    store.note("generator", "gpt2-shop", "2", {"gate": {"passed": False}, "slot_error": 0.5})
    active, other = store.all()
    assert (active.active, "gate" in active.metrics) == (True, False)
    assert not other.active
    assert other.metrics == {
        "slot_error": 0.5, "by_language": {"zh": 1}, "gate": {"passed": False},
    }  # fmt: skip
    with pytest.raises(UnknownVersion, match="models list"):
        store.note("generator", "gpt2-shop", "3", {})
