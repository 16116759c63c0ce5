"""Facts are numbered and each slot has one; values are written as each language does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from bot.grounding import (
    FactBook,
    act,
    attribute_citation,
    card,
    day,
    money,
    readable,
    slot,
    stated_rating,
)
from db.records import Attribute, Money, Product, ProductId
from prompts.acts import UnknownActError


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


KETTLE = Product(
    ProductId("k1"), "Copper Kettle", price=usd("49.00"), price_to=usd("59.50"), in_stock=False,
    rating=4.5, url="https://example.com/k1", images=("/media/k1.svg", "/media/k2.svg"),
    attributes=(Attribute("capacityLitres", "1.7"),),
)  # fmt: skip
BARE = Product(ProductId("b1"), "Bare Thing")


def test_that_money_and_days_are_written_as_the_language_does() -> None:
    assert money(usd("1999.9"), "en") == "$1,999.90"
    assert money(Money(Decimal(299), "CNY"), "zh") == "¥299.00"
    assert day(date(2026, 11, 24), "en") == "November 24, 2026"
    assert day(date(2026, 11, 24), "zh") == "2026年11月24日"


@pytest.mark.parametrize(
    ("label", "read"),
    [
        ("warrantyInformation", "warranty information"),
        ("net_weight", "net weight"),
        ("Weight", "Weight"),
        ("** Care *", "Care"),
        ("重量", "重量"),
    ],
)
def test_that_a_label_is_readable(label: str, read: str) -> None:
    assert readable(label) == read


def test_that_the_same_fact_has_one_number() -> None:
    book = FactBook("en", "USD")
    first, again = book.title(KETTLE), book.title(KETTLE)
    price = book.price(KETTLE)
    assert first is again
    assert price is not None
    assert [fact.id for fact in book.facts] == ["F1", "F2"]
    assert (first.source, first.source_id, first.field) == ("product", "k1", "title")
    assert (price.text, price.subject) == ("$49.00 to $59.50", "Copper Kettle")


def test_that_stock_and_price_are_told_only_where_they_are_stated() -> None:
    for language, out in (("en", "out of stock"), ("zh", "缺货")):
        book = FactBook(language, "USD")  # type: ignore[arg-type]
        stock = book.stock(KETTLE)
        assert stock is not None and stock.text == out
        assert book.stock(BARE) is None
        assert book.price(BARE) is None


def test_that_one_price_is_no_range() -> None:
    same = replace(KETTLE, price_to=KETTLE.price)
    price = FactBook("zh", "USD").price(same)
    assert price is not None and price.text == "US$49.00"


def test_that_a_computed_amount_carries_its_working() -> None:
    book = FactBook("en", "USD")
    fact = book.computed(Decimal("147"), "USD", "product", ("49.00", "3"))
    assert (fact.source, fact.text) == ("derived", "$147.00")
    (working,) = book.derived
    assert (working.value, working.op, working.of) == ("147.00", "product", ("49.00", "3"))


def test_that_an_attribute_is_two_facts_of_one_product() -> None:
    label, value = FactBook("en", "USD").attribute(KETTLE, KETTLE.attributes[0])
    assert (label.text, value.text) == ("capacity litres", "1.7")
    assert label.subject == value.subject == "Copper Kettle"


def test_that_an_act_takes_its_slots_in_canonical_order_and_leaves_none_out() -> None:
    book = FactBook("en", "USD")
    price = book.price(KETTLE)
    assert price is not None
    made = act("price", [slot("price_1", price), None, slot("title_1", book.title(KETTLE))])
    assert list(made.values) == ["title_1", "price_1"]


def test_that_an_act_refuses_what_it_cannot_carry() -> None:
    title = slot("title_1", FactBook("en", "USD").title(KETTLE))
    with pytest.raises(UnknownActError, match="no act 'sing'"):
        act("sing", [title])
    with pytest.raises(ValueError, match="carries no"):
        act("greet", [title])
    with pytest.raises(ValueError, match="needs"):
        act("price", [title])


def test_that_a_card_states_what_the_feed_states_and_nothing_else() -> None:
    drawn = card(KETTLE, "Capacity: 1.7")
    assert (drawn.price, drawn.price_to, drawn.currency) == ("49.00", "59.50", "USD")
    assert (drawn.in_stock, drawn.rating, drawn.image_url) == (False, 4.5, "/media/k1.svg")
    bare = card(BARE)
    assert (bare.price, bare.currency, bare.url, bare.image_url) == (None,) * 4
    assert (bare.in_stock, bare.rating, bare.price_to) == (None,) * 3


def test_that_a_rating_that_nobody_stated_is_not_shown() -> None:
    computed = replace(KETTLE, rating_computed=True)
    assert stated_rating(computed) is None
    assert card(computed).rating is None


def test_that_an_attribute_is_cited_as_the_feed_labels_it() -> None:
    cited = attribute_citation(KETTLE, KETTLE.attributes[0])
    assert (cited.source, cited.id, cited.quote) == ("product", "k1", "capacityLitres: 1.7")
