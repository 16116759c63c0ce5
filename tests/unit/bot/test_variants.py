"""Which forms of a product a text names: only those it says, and none where it says none."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.conditions import within
from bot.understanding.constraints import Facet
from bot.variants import named_variant
from db.records import Attribute, Money, Product, ProductId, Variant


def variant(code: str, price: str | None, in_stock: bool | None, **options: str) -> Variant:
    money = None if price is None else Money(Decimal(price), "USD")
    told = tuple(Attribute(name, value) for name, value in options.items())
    return Variant(code, sku=code, options=told, price=money, in_stock=in_stock)


JACKET = Product(
    ProductId("7"),
    "Rain Jacket",
    price=Money(Decimal(60), "USD"),
    price_to=Money(Decimal(75), "USD"),
    in_stock=True,
    variants=(
        variant("7-RS", "60", True, Color="Red", Size="S"),
        variant("7-RM", "65", False, Color="Red", Size="M"),
        variant("7-BM", "70", True, Color="Ink Blue", Size="M"),
        variant("7-BXL", "75", True, Color="Ink Blue", Size="XL"),
    ),
)
BOTTLE = Product(
    ProductId("8"),
    "Bottle",
    variants=(
        variant("8-500", "10", True, Capacity="500 ml", Voltage="9"),
        variant("8-128", "12", None, Capacity="128GB", Voltage="12"),
        variant("8-ART", None, None, Capacity="12 x 18 in", Voltage="5"),
    ),
)


def ids(product: Product, text: str, *facets: Facet) -> list[str]:
    named = named_variant(product, text, facets)
    return [one.id for one in named.variants] if named else []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red jacket size M", ["7-RM"]),
        ("red jacket", ["7-RS", "7-RM"]),
        ("a rain jacket XL", ["7-BXL"]),
        ("ink blue jacket in medium", ["7-BM"]),
        ("red or ink blue jacket in size s", ["7-RS"]),
        ("7-bm", ["7-BM"]),
        ("rain jacket", []),
        ("red jacket size XL", []),  # it does not come so
        ("it's a jacket I'm after", []),  # neither S nor M
        ("RED JACKET M", ["7-RS", "7-RM"]),  # where all is in capitals, M says nothing
        ("a jacket in the colour Green", []),
    ],
)
def test_that_the_words_name_the_forms_that_have_them(text: str, expected: list[str]) -> None:
    assert ids(JACKET, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bottle 500ml", ["8-500"]),
        ("bottle 128 gb", ["8-128"]),
        ("print 12 x 18", ["8-ART"]),
        ("9 bottles", []),  # a bare figure may count anything
        ("voltage 9", ["8-500"]),
        ("bottle 1500 ml", []),
    ],
)
def test_that_measures_are_read_however_they_are_cut(text: str, expected: list[str]) -> None:
    assert ids(BOTTLE, text) == expected


def test_that_a_property_names_its_value_and_the_values_that_end_in_it() -> None:
    assert ids(JACKET, "", Facet("colour", "blue", "blue")) == ["7-BM", "7-BXL"]
    assert ids(JACKET, "", Facet("size", "medium", "medium")) == ["7-RM", "7-BM"]
    assert ids(JACKET, "", Facet("material", "blue", "blue")) == []


def test_that_another_chinese_colour_of_the_same_character_is_not_named() -> None:
    dress = Product(
        ProductId("9"),
        "连衣裙",
        variants=(variant("9-1", "99", True, 颜色="红色"), variant("9-2", "99", True, 颜色="白色")),
    )
    assert ids(dress, "粉红色连衣裙", Facet("colour", "粉红", "粉红")) == []
    assert ids(dress, "红色连衣裙", Facet("colour", "红", "红")) == ["9-1"]


def test_that_price_and_stock_are_those_of_the_forms_named() -> None:
    one = named_variant(JACKET, "red size M")
    assert one and one.label == "Red / M"
    assert one.price == Money(Decimal(65), "USD") and one.price_to is None
    assert one.in_stock is False
    several = named_variant(JACKET, "red")
    assert several and several.price and several.price_to
    assert (several.price.amount, several.price_to.amount) == (Decimal(60), Decimal(65))
    assert several.in_stock is True
    unstated = named_variant(BOTTLE, "12 x 18 in")
    assert unstated and unstated.price is None and unstated.in_stock is None


def test_that_forms_which_break_a_condition_are_not_named() -> None:
    def under(limit: int) -> list[str]:
        named = named_variant(JACKET, "red", allowed=within(None, Decimal(limit), None))
        return [one.id for one in named.variants] if named else []

    assert under(62) == ["7-RS"]
    assert under(50) == []
    stocked = named_variant(JACKET, "red size M", allowed=within(None, None, True))
    assert stocked is None


def test_that_what_all_forms_have_tells_none_from_the_others() -> None:
    cups = Product(
        ProductId("1"),
        "Cup",
        variants=(
            variant("1-a", "5", True, Color="White", Size="Small"),
            variant("1-b", "6", True, Color="White", Size="Large"),
        ),
    )
    assert ids(cups, "white cup") == []
    assert ids(cups, "large white cup") == ["1-b"]


def test_that_stock_is_the_product_s_where_no_form_states_any() -> None:
    lamp = Product(
        ProductId("2"),
        "Lamp",
        in_stock=True,
        variants=(
            variant("2-b", "9", None, Color="Black"),
            variant("2-w", "9", None, Color="White"),
        ),
    )
    named = named_variant(lamp, "white lamp")
    assert named and named.in_stock is True
    part = replace(lamp, variants=(lamp.variants[0], replace(lamp.variants[1], in_stock=False)))
    named = named_variant(part, "black lamp")
    assert named and named.in_stock is None
