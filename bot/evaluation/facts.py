"""The facts behind the values of an example, as a turn of a shop would have collected them.

An example holds values without sources; the verifier wants to know what each value is and which
product it is about. What stands with `title_2` is of the second product. Knows nothing about
generators.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from bot.grounding import FactBook, act, slot
from bot.turn import DialogAct, Fact, FactSource, Language
from prompts.acts import inventory

Values = Mapping[str, str]

# acts that say that something is not so, or not done; only a fact that is `absent` licenses that
_DENIALS: dict[str, FactSource] = {
    "no_more": "shopper", "no_match": "shopper", "not_sold": "shopper", "unknown_fact": "product",
    "policy_unknown": "policy", "order_mismatch": "order", "order_unknown_fact": "order",
    "request_refused": "order", "request_dropped": "request", "refuse_price": "shop",
    "refuse_instruction": "shop", "refuse_private": "shop", "identify": "shop",
    "handoff_closed": "shop", "only_languages": "shop", "out_of_scope": "shop", "unclear": "shop", "card_warning": "shop",
    "other_currency": "shop",
}  # fmt: skip
# what denies names the thing itself
_DENIED = {"no_more": "wish", "no_match": "wish", "not_sold": "wish"}
_AMOUNT = re.compile(r"\d[\d,]*(?:\.\d+)?")
_OF_PRODUCT = frozenset({"title", "price", "stock", "reason", "left", "right"})
_PAGE = frozenset({"describe", "product_quote"})  # acts that quote a product's page
_ORDER = frozenset({"order_fact", "order_status"})
# source and field of slots that stand alone
_SINGLE: dict[str, tuple[FactSource, str]] = {
    "shop": ("shop", "name"), "topic": ("policy", "heading"), "category": ("shop", "category"),
    "wish": ("shopper", "wish"), "relax": ("shopper", "condition"), "count": ("derived", "count"),
    "quantity": ("shopper", "quantity"), "date": ("derived", "days_after"),
    "time": ("shop", "time"), "place": ("shop", "place"), "contact": ("policy", "contact"),
    "order_id": ("order", "id"), "order_status": ("order", "status"), "items": ("order", "items"),
    "carrier": ("order", "carrier"), "tracking": ("order", "tracking"),
    "shipped_on": ("order", "shipped_on"), "expected_on": ("order", "expected_on"),
    "delivered_on": ("order", "delivered_on"), "kind": ("request", "kind"),
    "hours": ("shop", "hours"), "languages": ("shop", "languages"),
    "currency": ("shop", "currency"),
    "detail": ("request", "detail"), "noted": ("request", "noted"),
    "request_id": ("request", "id"), "option": ("shopper", "option"),
}  # fmt: skip


def grounded(
    language: Language, name: str, values: Values, message: str = ""
) -> tuple[DialogAct, tuple[Fact, ...]]:
    """Returns the act over facts, and all facts of the turn, the shopper's message among them.

    Raises UnknownActError, and ValueError for values that the act cannot carry or lacks.
    """
    spec = inventory().act(name)
    book = FactBook(language, "USD")
    if message:
        book.add("shopper", "message", "message", message)
    made = {}
    for slot_name in sorted(values, key=lambda s: not s.startswith("title_")):
        made[slot_name] = _fact(book, name, slot_name, values)
    denial = _DENIALS.get(name)
    if denial is not None and "asked" not in values:
        denied = values.get(_DENIED.get(name, ""), "")
        subject = values.get("title_1", "") if name == "unknown_fact" else ""
        book.add(denial, _of(denial, "none"), "absent", denied, subject)
    known = [s for s in spec.slots if s in made] + [s for s in made if s not in spec.slots]
    return act(name, [slot(s, made[s]) for s in known]), tuple(book.facts)


def _fact(book: FactBook, name: str, slot_name: str, values: Values) -> Fact:
    family, number = _parts(slot_name)
    text = values[slot_name]
    if family in _OF_PRODUCT:
        at = {"left": 1, "right": 2}.get(family, number)
        return _of_product(book, family, at, text, values, values.get(f"label_{number}", ""))
    if family in {"label", "value"}:
        return _labelled(book, name, family, number, text, values)
    if family == "quote":
        if name in _PAGE:
            return book.add("product", "p1", "text", text, values.get("title_1", ""))
        return book.add("policy", f"rule {number}", "text", text)
    if family == "asked":
        subject = values.get("title_1", "") if name == "unknown_fact" else ""
        source = _DENIALS.get(name, "shop")
        return book.add(source, _of(source, "none"), "absent", text, subject)
    if family == "amount":
        return _amount(book, name, text, values)
    source, field = _SINGLE[family]
    return book.add(source, _of(source, family), field, text)


def _of(source: str, name: str) -> str:
    """The source id: all that an order says is of one order."""
    return "order" if source == "order" else name


def _of_product(
    book: FactBook, family: str, at: int, text: str, values: Values, label: str
) -> Fact:
    title = values.get(f"title_{at}", "")
    field = {
        "reason": "attribute:reason",
        "left": f"attribute:{label}",
        "right": f"attribute:{label}",
    }.get(family, family)
    return book.add("product", f"p{at}", field, text, title)


def _amount(book: FactBook, name: str, text: str, values: Values) -> Fact:
    """A sum; that the first product is cheaper by it is seen by the prices of both."""
    if name == "price_difference":
        dearer = _AMOUNT.sub(lambda m: f"{2 * Decimal(m[0].replace(',', '')):,.2f}", text, count=1)
        for at, price in ((1, text), (2, dearer)):
            book.add("product", f"p{at}", "price", price, values[f"title_{at}"])
    return book.add("derived", "product" if "quantity" in values else "difference", "value", text)


def _labelled(
    book: FactBook, name: str, family: str, number: int, text: str, values: Values
) -> Fact:
    """A label, or the value that it labels; in `choose` the second value is of the second title."""
    at = number if name == "choose" else 1
    label = values.get("label_1" if name == "choose" else f"label_{number}", "")
    source: FactSource = "order" if name in _ORDER else "product"
    subject = values.get(f"title_{at}", "")
    field = f"label:{text}" if family == "label" else f"attribute:{label}"
    return book.add(source, f"p{at}", field, text, subject)


def _parts(slot_name: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.+)_(\d)", slot_name)
    return (match[1], int(match[2])) if match else (slot_name, 0)
