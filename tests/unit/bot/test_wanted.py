"""What is to be searched for, taken out of how it is asked for."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.catalogue import Catalogue
from bot.understanding.wanted import WantedWords, priced_goods, search_words, tastes
from db.records import Money, Product, ProductId

TITLES = ("Copper Kettle", "Steel Kettle", "Linen Sheet", "Garden Gloves", "Stoneware Mug")
CATALOGUE = Catalogue(
    Product(ProductId(str(n)), title, price=Money(Decimal(9), "USD"), description="For gardening.")
    for n, title in enumerate(TITLES)
)


@pytest.mark.parametrize(
    ("asked", "goods"),
    [
        ("how much is 3 of the cheapest mug", "mug"),
        ("how much are two kettles?", "kettles"),
        ("what does the copper kettle cost", "copper kettle"),
        ("price of a linen sheet", "linen sheet"),
        ("最便宜的水壶多少钱", "水壶"),
    ],
)
def test_that_the_goods_whose_price_is_asked_are_told(asked: str, goods: str) -> None:
    assert priced_goods(asked) == goods


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("fine, then recommend me a kettle", "a kettle"),
        ("a gift for a coworker i barely know", "a gift for a coworker"),
        ("something for the office maybe", "for the office"),
        ("枕头有哪些", "枕头"),
        ("想给我妈买个杯子", "杯子"),
    ],
)
def test_that_politeness_and_asides_are_taken_off(said: str, words: str) -> None:
    assert search_words(said) == words


@pytest.mark.parametrize(
    "said", ["she loves gardening", "my dad, he's into coffee", "who likes tea"]
)
def test_that_it_is_told_what_somebody_likes(said: str) -> None:
    assert tastes(said)


@pytest.mark.parametrize("said", ["I would like a kettle", "is it like the other", "a likely gift"])
def test_that_a_wish_is_no_taste(said: str) -> None:
    assert not tastes(said)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("bedding, linen if possible", "bedding linen"),
        ("for my mum, she loves gardening, not too dear", "a gift for somebody who loves gardening"),
        ("a kettle for my mum, she loves gardening", "a kettle for my mum"),
        ("家里有猫，想要水壶", "水壶"),
    ],
)  # fmt: skip
def test_that_of_several_clauses_the_one_that_asks_is_searched(said: str, wanted: str) -> None:
    language = "en" if said.isascii() else "zh"
    assert WantedWords(CATALOGUE).of(said, language) == wanted


def test_that_a_product_is_named_by_words_that_it_alone_has() -> None:
    assert CATALOGUE.alone("the copper one") == "0"
    assert CATALOGUE.alone("the kettle") == ""
    assert CATALOGUE.alone("the") == ""
