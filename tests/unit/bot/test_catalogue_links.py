"""Which products a text names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.catalogue import Catalogue
from db.records import Product, ProductId

TITLES = {
    "1": "Gooseneck Electric Kettle",
    "2": "Everyday Electric Kettle 1.7 L",
    "3": "French Press",
    "4": "Oak Bedside Table",
    "5": "Oak Dining Table",
    "6": "不锈钢保温杯",
    "7": "不锈钢保温杯 大号",
    "8": "儿童书包",
}
CATALOGUE = Catalogue(
    Product(ProductId(key), title, brand="Ostrel", category=("Kitchen", "Tea"))
    for key, title in TITLES.items()
)


def named(text: str) -> list[str]:
    return [link.product_id for link in CATALOGUE.links(text)]


@pytest.mark.parametrize("key", TITLES)
def test_that_a_full_title_names_its_product(key: str) -> None:
    links = CATALOGUE.links(f"do you have the {TITLES[key]} please")
    assert links[0].product_id == key
    assert links[0].share >= 0.99


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("how heavy is the gooseneck kettle?", ["1"]),
        ("is the FRENCH PRESS dishwasher safe", ["3"]),
        ("the bedside table", ["4"]),
        ("儿童书包有货吗", ["8"]),
    ],
)
def test_that_enough_of_a_title_names_it(said: str, meant: list[str]) -> None:
    assert named(said) == meant


@pytest.mark.parametrize("said", ["a kettle", "I need a table", "something electric", "", "???"])
def test_that_a_kind_of_thing_names_no_product(said: str) -> None:
    assert named(said) == []


def test_that_two_titles_in_one_text_are_both_named() -> None:
    assert set(named("French Press or Gooseneck Electric Kettle?")) == {"1", "3"}


def test_that_of_titles_inside_each_other_the_longer_is_meant() -> None:
    assert named("不锈钢保温杯大号多少钱") == ["7"]


def test_that_the_vocabulary_is_known() -> None:
    assert CATALOGUE.brands == {"ostrel": "Ostrel"}
    assert CATALOGUE.categories["Tea"] == len(CATALOGUE) == len(TITLES)
    assert CATALOGUE.knows("kettl") or CATALOGUE.knows("kettle")
    assert not CATALOGUE.knows("zeppelin")
    assert CATALOGUE.weight("zeppelin") > CATALOGUE.weight("electr")


def test_that_an_empty_shop_names_nothing() -> None:
    assert Catalogue([]).links("a kettle") == []
    assert Catalogue([]).links("水壶") == []


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_that_any_text_is_linked_without_failing(text: str) -> None:
    for link in CATALOGUE.links(text):
        assert 0 < link.share <= 1.0001
        assert link.product_id in TITLES
