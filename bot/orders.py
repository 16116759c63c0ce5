"""An order and who may see it: proof, state, and what may be requested of it.

Knows nothing about how any of it is said.
"""

from __future__ import annotations

import hmac
import re
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from bot.state import DialogState
from bot.understanding.numbers import digits
from bot.understanding.orders import contact_hash
from bot.understanding.redaction import normal_email, normal_phone
from db.orders import order_key
from db.records import Order, OrderItem
from retrieval.text import tokens

VERIFIED_FOR = timedelta(minutes=30)
MAX_FAILED_PROOFS = 5  # of a session
MAX_FAILED_OF_ORDER = 20  # of one number, over all sessions …
COUNTED_FOR = timedelta(hours=1)  # … within this time
# a number of days, and the delivery it is counted from, in either order
_WINDOW = re.compile(
    r"(?:within|up to|for|have|in)\s+(\d{1,3})[ -]days?\s+(?:of|after|from|since|following)\s+(?:the |your |its )?"
    r"(?:deliver\w*|receipt|receiving|arriv\w*)"
    r"|(\d{1,3})[ -]days?\s+(?:after|from|of)\s+(?:the |your )?(?:deliver\w*|receipt|receiving|arriv\w*)"
    r"|(?:签收|收货|收到|到货|送达)(?:商品|货物|包裹)?(?:后|之后|之日起|起)?的?\s*(\d{1,3})\s*(?:天|日)(?:内|之内|以内)",
    re.IGNORECASE,
)
_NO_NAME = frozenset(tokens("set pack pair size large small medium with for and of in the inch"))


class Orders(Protocol):
    """Looks an order up by its number."""

    def order(self, order_id: str) -> Order | None: ...


class Attempts(Protocol):
    """Counts failed proofs of an order over all sessions, by a keyed hash of its number."""

    def failures(self, order_hash: str, *, since: datetime) -> int: ...

    def fail(self, order_hash: str, *, now: datetime, since: datetime) -> None: ...


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


def detail_in_words(detail: str, language: str) -> str:
    """A detail as it is asked for: new address."""
    return str(_table()["details"][language][detail])


def noted_in_words(detail: str, language: str) -> str:
    """A detail as it is named once it was given, which does not say what it is."""
    return str(_table()["noted"][language][detail])


def items_named(text: str, order: Order) -> tuple[OrderItem, ...]:
    """The items of the order that the text names by a word of their own; none where it names all.

    A word is an item's own where no other item's title holds it.
    """
    said = set(tokens(text)) - _NO_NAME
    titles = [set(tokens(item.title)) - _NO_NAME for item in order.items]
    named = []
    for index, words in enumerate(titles):
        others = set().union(*titles[:index], *titles[index + 1 :])
        own = {word for word in words - others if len(word) > 1 and not word.isdigit()}
        if own & said:
            named.append(order.items[index])
    return tuple(named) if len(named) < len(order.items) else ()


def days_to_return(rule: str) -> int | None:
    """The days from delivery within which the rule takes goods back, None where that is not certain:
    where it names no such number, or more than one."""
    found = {next(filter(None, match.groups())) for match in _WINDOW.finditer(digits(rule))}
    return int(found.pop()) if len(found) == 1 else None


def prove(
    order_id: str,
    contacts: tuple[str, ...],
    *,
    state: DialogState,
    orders: Orders,
    attempts: Attempts,
    secret: bytes,
    now: datetime,
) -> tuple[Proof, DialogState]:
    """Checks whether the session may see an order; every comparison takes constant time.

    An unknown number and a wrong contact give the same answer and count alike, so that numbers
    cannot be probed. A number that was guessed at too often is locked for everybody who has not
    proven it before, the owner too: a person has to help.
    """
    if state.failed_proofs >= MAX_FAILED_PROOFS:
        return Proof(locked=True), state
    order = orders.order(order_id)
    if order is not None and state.may_see(str(order.id), now):
        return Proof(order), state
    number, since = contact_hash(order_key(order_id), secret), now - COUNTED_FOR
    if attempts.failures(number, since=since) >= MAX_FAILED_OF_ORDER:
        return Proof(locked=True), state
    known = [] if order is None else _hashes(order, secret)
    if any(hmac.compare_digest(a, b) for a in known for b in contacts) and order is not None:
        until = (now + VERIFIED_FOR).isoformat()
        verified = (*(v for v in state.verified if v[0] != order.id), (str(order.id), until))
        return Proof(order), replace(state, verified=verified)
    attempts.fail(number, now=now, since=since)
    return Proof(failed=True), replace(state, failed_proofs=state.failed_proofs + 1)


def _hashes(order: Order, secret: bytes) -> list[str]:
    hashes = []
    if order.email:
        hashes.append(contact_hash(normal_email(order.email), secret))
    if order.phone:
        hashes.append(contact_hash(normal_phone(order.phone), secret))
    return hashes
