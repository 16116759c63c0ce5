"""Past answers against the facts of today: each kind of fact, and nothing that still holds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from shop_homes import NOW, build_tiny, copy_of, shop_in

from bot.app import Shop
from bot.stale import GONE, Stale, Sweep
from bot.turn import ChatRequest
from db.records import Attribute, Document, Money, Product, ProductId

KETTLE = Product(
    ProductId("k1"),
    "Copper Kettle",
    description="It whistles when the water boils.",
    price=Money(Decimal("49.00"), "USD"),
    in_stock=True,
    attributes=(Attribute("Material", "Copper"),),
    rating=4.5,
)
RULES = Document(
    "returns", "policy", "Returns", "# Returns\n\nYou can return things within 30 days."
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("stale") / "home"
    return build_tiny(home, products=[KETTLE], documents=[RULES])


@pytest.fixture
def shop(tiny: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    shop = shop_in(copy_of(tiny, tmp_path / "home"))
    yield shop
    shop.close()


def told(shop: Shop, *messages: str) -> list[str]:
    """Has a conversation; returns the replies."""
    session, replies = None, []
    for message in messages:
        reply = shop.chat(ChatRequest(message, session_id=session))
        session = reply.session_id
        replies.append(reply.text)
    return replies


def swept(shop: Shop) -> list[Stale]:
    return list(Sweep(shop.catalog).over(shop.conversations.every_turn()))


def change(shop: Shop, product: Product | None = None, rules: Document | None = None) -> None:
    """What an import changes."""
    if product is not None:
        shop.catalog.apply_products([product], partial=False, may_withdraw_many=True, now=NOW)
    if rules is not None:
        shop.catalog.apply_documents([rules], source="policy", partial=False, now=NOW)


QUESTIONS = (
    "How much is the Copper Kettle?",
    "Is the Copper Kettle in stock?",
    "What material is the Copper Kettle made of?",
    "What is your return policy?",
)


def test_that_what_still_holds_is_not_told(shop: Shop) -> None:
    replies = told(shop, *QUESTIONS, "你好", "where is my order?", "do you sell trombones?")
    assert "$49.00" in replies[0]
    assert "30 days" in replies[3]
    assert swept(shop) == []


@pytest.mark.parametrize(
    ("changed", "field", "was", "now"),
    [
        ({"price": Money(Decimal("59.00"), "USD")}, "price", "$49.00", "$59.00"),
        ({"in_stock": False}, "stock", "in stock", "out of stock"),
        ({"in_stock": None}, "stock", "in stock", None),
        (
            {"attributes": (Attribute("Material", "Steel"),)},
            "attribute:Material",
            "Copper",
            "Steel",
        ),
        ({"title": "Steel Kettle"}, "title", "Copper Kettle", "Steel Kettle"),
    ],
)
def test_that_a_changed_product_contradicts_what_was_said(
    shop: Shop, changed: dict[str, object], field: str, was: str, now: str | None
) -> None:
    told(shop, *QUESTIONS)
    # the title holds the word "Copper" too, so that its loss is the material's as well
    changed = {"title": "Whistling Kettle"} | changed if "attributes" in changed else changed
    change(shop, replace(KETTLE, **changed))  # type: ignore[arg-type]
    found = {(one.field, one.was, one.now) for one in swept(shop)}
    assert (field, was, now) in found
    assert all(one.subject == "Copper Kettle" for one in swept(shop))


def test_that_a_withdrawn_product_contradicts_all_that_was_said_of_it(shop: Shop) -> None:
    told(shop, *QUESTIONS[:3])
    change(shop, replace(KETTLE, id=ProductId("k2"), title="Tin Cup"))
    assert {one.now for one in swept(shop)} == {GONE}
    assert {one.turn_id for one in swept(shop)} == {1, 2, 3}


def test_that_a_changed_rule_contradicts_what_was_quoted(shop: Shop) -> None:
    told(shop, *QUESTIONS)
    change(
        shop, rules=replace(RULES, markdown="# Returns\n\nYou can return things within 14 days.")
    )
    assert [(one.turn_id, one.now) for one in swept(shop)] == [(4, None)]
    assert "30 days" in swept(shop)[0].was


def test_that_a_rule_that_is_only_laid_out_anew_still_holds(shop: Shop) -> None:
    told(shop, *QUESTIONS)
    change(
        shop,
        rules=replace(RULES, markdown="# Returns\n\nYou can **return** things\nwithin 30 days."),
    )
    assert swept(shop) == []
