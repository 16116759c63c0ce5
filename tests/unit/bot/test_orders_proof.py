"""Who may see an order, and what may be asked of it."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.orders import (
    COUNTED_FOR,
    MAX_FAILED_OF_ORDER,
    MAX_FAILED_PROOFS,
    VERIFIED_FOR,
    Proof,
    allowed,
    days_to_return,
    detail_in_words,
    items_named,
    kind_in_words,
    noted_in_words,
    prove,
    rule_question,
    state_of,
)
from bot.state import DialogState
from bot.understanding.orders import contact_hash
from bot.understanding.redaction import normal_email, normal_phone
from db.records import Order, OrderId, OrderItem

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SECRET = b"thirty-two bytes of a secret ..."
ORDER = Order(OrderId("FK-1"), email="Mara@Example.com", phone="(312) 555-0199", status="shipped")
OTHER = Order(OrderId("FK-2"), email="ida@example.com")
NOBODYS = Order(OrderId("FK-3"))


class Book:
    """Orders in memory."""

    def order(self, order_id: str) -> Order | None:
        return {str(o.id): o for o in (ORDER, OTHER, NOBODYS)}.get(order_id)


class Tally:
    """Failed proofs in memory."""

    def __init__(self) -> None:
        self.failed: list[tuple[str, datetime]] = []

    def failures(self, order_hash: str, *, since: datetime) -> int:
        return sum(known == order_hash and when > since for known, when in self.failed)

    def fail(self, order_hash: str, *, now: datetime, since: datetime) -> None:
        self.failed.append((order_hash, now))


def tried(
    order_id: str,
    *contacts: str,
    state: DialogState | None = None,
    now: datetime = NOW,
    attempts: Tally | None = None,
) -> tuple[Proof, DialogState]:
    return prove(
        order_id,
        contacts,
        state=state or DialogState(),
        orders=Book(),
        attempts=attempts if attempts is not None else Tally(),
        secret=SECRET,
        now=now,
    )


def of_email(email: str) -> str:
    return contact_hash(normal_email(email), SECRET)


def of_phone(phone: str) -> str:
    return contact_hash(normal_phone(phone), SECRET)


@pytest.mark.parametrize(
    "contact", [of_email("mara@example.COM"), of_phone("3125550199"), of_phone("+1 312-555-0199")]
)
def test_that_address_or_phone_of_the_order_opens_it(contact: str) -> None:
    proof, state = tried("FK-1", of_email("x@example.com"), contact)
    assert proof == Proof(ORDER)
    assert state.may_see("FK-1", NOW)
    assert state.failed_proofs == 0


@pytest.mark.parametrize(
    ("order_id", "contacts"),
    [
        ("FK-1", (of_email("ida@example.com"),)),
        ("FK-1", ()),
        ("FK-1", (contact_hash("mara@example.com", b"another secret"),)),
        ("FK-1", (of_email(""), of_phone(""))),
        ("FK-3", (of_email(""), of_phone(""))),
        ("FK-9", (of_email("mara@example.com"),)),
    ],
)
def test_that_anything_else_gives_the_same_answer_and_is_counted(
    order_id: str, contacts: tuple[str, ...]
) -> None:
    proof, state = tried(order_id, *contacts)
    assert proof == Proof(failed=True)
    assert state == DialogState(failed_proofs=1)


def test_that_the_proof_lasts_half_an_hour_and_for_this_order_only() -> None:
    _, state = tried("FK-1", of_email("mara@example.com"))
    assert tried("FK-1", state=state)[0].order == ORDER
    assert tried("FK-2", state=state)[0].failed
    late = NOW + VERIFIED_FOR + timedelta(seconds=1)
    assert tried("FK-1", state=state, now=late)[0].failed


def test_that_a_renewed_proof_takes_the_place_of_the_old() -> None:
    _, state = tried("FK-1", of_email("mara@example.com"))
    late = NOW + VERIFIED_FOR + timedelta(seconds=1)
    _, renewed = tried("FK-1", of_email("mara@example.com"), state=state, now=late)
    assert len(renewed.verified) == 1
    assert renewed.may_see("FK-1", late)


def test_that_guessing_is_stopped_even_with_the_right_answer() -> None:
    state = DialogState()
    for _ in range(MAX_FAILED_PROOFS):
        proof, state = tried("FK-1", of_email("guess@example.com"), state=state)
        assert proof.failed
    assert tried("FK-1", of_email("mara@example.com"), state=state)[0] == Proof(locked=True)


@pytest.mark.parametrize("order_id", ["FK-1", "FK-9"])
def test_that_a_number_guessed_at_from_many_sessions_is_locked_for_an_hour_known_or_not(
    order_id: str,
) -> None:
    tally = Tally()
    for n in range(MAX_FAILED_OF_ORDER):
        assert tried(order_id, of_email(f"guess{n}@example.com"), attempts=tally)[0].failed
    spelled_otherwise = order_id.lower()
    locked, state = tried(spelled_otherwise, of_email("mara@example.com"), attempts=tally)
    assert locked == Proof(locked=True)
    assert state == DialogState()
    assert not tried("FK-2", of_email("ida@example.com"), attempts=tally)[0].locked
    assert order_id not in str(tally.failed)
    later = NOW + COUNTED_FOR
    assert not tried(order_id, of_email("mara@example.com"), attempts=tally, now=later)[0].locked


def test_that_who_has_proven_the_order_already_goes_on_seeing_it_while_it_is_locked() -> None:
    tally = Tally()
    _, state = tried("FK-1", of_email("mara@example.com"), attempts=tally)
    for n in range(MAX_FAILED_OF_ORDER):
        tried("FK-1", of_email(f"guess{n}@example.com"), attempts=tally)
    assert tried("FK-1", state=state, attempts=tally)[0].order == ORDER


def test_that_contacts_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[Any] = []
    real = hmac.compare_digest

    def watched(a: str, b: str) -> bool:
        compared.append((a, b))
        return real(a, b)

    monkeypatch.setattr("bot.orders.hmac.compare_digest", watched)
    assert tried("FK-1", of_email("mara@example.com"))[0].order == ORDER
    assert compared


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Processing", "processing"),
        ("pending payment", "processing"),
        ("SHIPPED", "shipped"),
        ("out for delivery", "shipped"),
        ("Delivered", "delivered"),
        ("canceled", "cancelled"),
        ("returned", "cancelled"),
        ("unfulfilled", "processing"),
        ("已发货", "shipped"),
        ("待发货", "processing"),
        ("交易成功", "delivered"),
        ("on the moon", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_that_a_status_of_any_system_is_understood_or_left_open(
    status: str | None, state: str
) -> None:
    assert state_of(replace(ORDER, status=status)) == state


@pytest.mark.parametrize(
    ("kind", "status", "may"),
    [
        ("cancel", "processing", True),
        ("cancel", "shipped", False),
        ("cancel", "on the moon", False),
        ("change", "processing", True),
        ("change", "delivered", False),
        ("return", "delivered", True),
        ("return", "processing", False),
        ("exchange", "shipped", True),
        ("return", "cancelled", False),
    ],
)
def test_that_a_request_is_possible_in_its_states_only(kind: str, status: str, may: bool) -> None:
    assert allowed(kind, replace(ORDER, status=status)) is may


def test_that_every_kind_has_words_and_a_question_in_either_language() -> None:
    for kind in ("cancel", "change", "return", "exchange"):
        for language in ("en", "zh"):
            assert kind_in_words(kind, language)
            assert rule_question(kind, language)


def test_that_every_detail_has_words_in_either_language() -> None:
    for detail in ("address", "instead", "change"):
        for language in ("en", "zh"):
            assert detail_in_words(detail, language)
            assert noted_in_words(detail, language)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("I want to send the kettle back", ["Copper Kettle, Large"]),
        ("return the mugs please", ["Stoneware Mugs, Set of 4"]),
        ("return the large one", []),
        ("return the kettle and the mugs and the towel", []),
        ("I want to return it", []),
        ("send back the set", []),
        ("毛巾不要了", ["纯棉毛巾"]),
    ],
)
def test_that_items_are_named_by_words_of_their_own(text: str, named: list[str]) -> None:
    titles = ("Copper Kettle, Large", "Stoneware Mugs, Set of 4", "Linen Towel, Large")
    titles = ("纯棉毛巾", "保温杯") if not text.isascii() else titles
    order = replace(ORDER, items=tuple(OrderItem(None, title, 1) for title in titles))
    assert [item.title for item in items_named(text, order)] == named


def test_that_an_only_item_need_not_be_named() -> None:
    assert items_named("the kettle", replace(ORDER, items=(OrderItem(None, "Kettle", 1),))) == ()


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("You may return anything within 30 days of delivery if it is unused.", 30),
        ("Items can come back within thirty days of receipt.", 30),
        ("You have 14 days from delivery to change your mind.", 14),
        ("签收后7天内可以退货。", 7),
        ("自收到商品之日起7日内可无理由退货。", 7),
        ("Within 30 days of delivery; pillows within 60 days of delivery.", None),
        ("Refunds take 5 days.", None),
        ("Orders are kept for 30 days.", None),
        ("Within 30 days of purchase.", None),
        ("", None),
    ],
)
def test_that_the_days_of_a_rule_are_told_only_where_they_are_certain(
    rule: str, days: int | None
) -> None:
    assert days_to_return(rule) == days
