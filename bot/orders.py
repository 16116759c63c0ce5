"""An order and who may see it: proof, state, and what may be requested of it.

Knows nothing about how any of it is said.
"""

from __future__ import annotations

import hmac
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from bot.state import DialogState
from bot.understanding.orders import contact_hash
from bot.understanding.redaction import normal_email, normal_phone
from db.records import Order

VERIFIED_FOR = timedelta(minutes=30)
MAX_FAILED_PROOFS = 5


class Orders(Protocol):
    """Looks an order up by its number."""

    def order(self, order_id: str) -> Order | None: ...


@dataclass(frozen=True, slots=True)
class Proof:
    """What a look-up came to: the order when it may be shown; `failed` where proof did not match;
    `locked` where too many proofs have failed and a person must help."""

    order: Order | None = None
    failed: bool = False
    locked: bool = False


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("prompts").joinpath("order_states.toml").read_text(encoding="utf-8"))


def state_of(order: Order) -> str:
    """Returns processing, shipped, delivered, cancelled, or "" for a status nobody knows."""
    said = (order.status or "").casefold().strip()
    words = [(word, state) for state, ws in _table()["states"].items() for word in ws]
    for word, state in sorted(words, key=lambda pair: -len(pair[0])):
        if word in said:
            return str(state)
    return ""


def allowed(kind: str, order: Order) -> bool:
    """Whether the request can be recorded for an order in this state."""
    return state_of(order) in _table()["allowed"].get(kind, ())


def kind_in_words(kind: str, language: str) -> str:
    return str(_table()["kinds"][language][kind])


def rule_question(kind: str, language: str) -> str:
    """What to look for in the shop's rules for this kind of request."""
    return str(_table()["rules"][language].get(kind, kind))


def prove(
    order_id: str,
    contacts: tuple[str, ...],
    *,
    state: DialogState,
    orders: Orders,
    secret: bytes,
    now: datetime,
) -> tuple[Proof, DialogState]:
    """Checks whether the session may see an order; every comparison takes constant time.

    An unknown number and a wrong contact give the same answer, so that numbers cannot be probed.
    """
    if state.failed_proofs >= MAX_FAILED_PROOFS:
        return Proof(locked=True), state
    order = orders.order(order_id)
    if order is not None and state.may_see(str(order.id), now):
        return Proof(order), state
    known = [] if order is None else _hashes(order, secret)
    if any(hmac.compare_digest(a, b) for a in known for b in contacts) and order is not None:
        until = (now + VERIFIED_FOR).isoformat()
        verified = (*(v for v in state.verified if v[0] != order.id), (str(order.id), until))
        return Proof(order), replace(state, verified=verified)
    return Proof(failed=True), replace(state, failed_proofs=state.failed_proofs + 1)


def _hashes(order: Order, secret: bytes) -> list[str]:
    hashes = []
    if order.email:
        hashes.append(contact_hash(normal_email(order.email), secret))
    if order.phone:
        hashes.append(contact_hash(normal_phone(order.phone), secret))
    return hashes
