"""Who may see an order, and what may be asked of it."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.orders import (
    MAX_FAILED_PROOFS,
    VERIFIED_FOR,
    Proof,
    allowed,
    kind_in_words,
    prove,
    rule_question,
    state_of,
)
from bot.state import DialogState
from bot.understanding.orders import contact_hash
from bot.understanding.redaction import normal_email, normal_phone
from db.records import Order, OrderId

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SECRET = b"thirty-two bytes of a secret ..."
ORDER = Order(OrderId("FK-1"), email="Mara@Example.com", phone="(312) 555-0199", status="shipped")
OTHER = Order(OrderId("FK-2"), email="ida@example.com")
NOBODYS = Order(OrderId("FK-3"))


class Book:
    """Orders in memory."""

    def order(self, order_id: str) -> Order | None:
        return {str(o.id): o for o in (ORDER, OTHER, NOBODYS)}.get(order_id)


def tried(
    order_id: str, *contacts: str, state: DialogState | None = None, now: datetime = NOW
) -> tuple[Proof, DialogState]:
    return prove(
        order_id, contacts, state=state or DialogState(), orders=Book(), secret=SECRET, now=now
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
