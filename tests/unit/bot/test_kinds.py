"""What kind of thing a product is, by title and category."""

from __future__ import annotations

import pytest

from bot.facets import Facets
from bot.kinds import Kinds, Rank, is_general, said_as_thing
from db.records import Product, ProductId
from retrieval.text import tokens


def shelf(*rows: tuple[str, str] | tuple[str, str, str]) -> Kinds:
    products = {}
    for number, (title, category, *tags) in enumerate(rows):
        path = tuple(filter(None, category.split(" > ")))
        products[str(number)] = Product(
            id=ProductId(str(number)), title=title, category=path, tags=tuple(tags)
        )
    return Kinds(products, colours=Facets(products, is_kind=lambda word: False).colours)


def word(text: str) -> str:
    return tokens(text)[-1]


@pytest.mark.parametrize(
    ("title", "category", "asked", "rank"),
    [
        ("Gooseneck Electric Kettle", "Kitchen", "kettle", Rank.IS),
        ("Everyday Electric Kettle 1.7 L", "Kitchen", "kettle", Rank.IS),
        ("Chef's Knife 8 in", "Kitchen", "knife", Rank.IS),
        ("Stoneware Dinner Plates, Set of 4", "Table", "plate", Rank.IS),
        ("Broom and Dustpan", "Cleaning", "broom", Rank.IS),
        ("Teapot with Infuser", "Kitchen", "teapot", Rank.IS),
        ("Desk Lamp, Black", "Lighting", "lamp", Rank.IS),
        ("Pixel 9", "Electronics > Smartphones", "smartphone", Rank.IS),
        ("Laptop Backpack", "Bags > Backpacks", "laptop", Rank.BESIDE),
        ("Kettle Pro", "Kitchen", "kettle", Rank.PERHAPS),
        ("Stoneware Mug", "Kitchen", "kettle", Rank.NO),
    ],
)
def test_that_the_end_of_a_phrase_names_the_thing(
    title: str, category: str, asked: str, rank: Rank
) -> None:
    assert shelf((title, category)).rank("0", word(asked)) is rank


def test_that_a_tag_names_the_kind_too() -> None:
    kinds = shelf(("Laptop Sleeve 13", "Office", "sleeve"))
    assert kinds.rank("0", word("laptop")) is Rank.BESIDE


def test_that_a_category_of_two_kinds_leaves_it_to_the_titles() -> None:
    kinds = shelf(("Whistling Kettle", "Kettles & Mugs"), ("Stoneware Mug", "Kettles & Mugs"))
    assert kinds.is_a("0", word("kettle"))
    assert not kinds.is_a("1", word("kettle"))


def test_that_a_doubtful_title_goes_with_its_likes() -> None:
    kinds = shelf(("Travel Headphones", "Audio"), ("Headphones Wireless", "Audio"), ("Headphones Wireless Art Print", "Decor"))  # fmt: skip
    assert kinds.is_a("1", word("headphones"))
    assert not kinds.is_a("2", word("headphones"))


def test_that_general_words_are_no_kind() -> None:
    kinds = shelf(("Pour-Over Coffee Set", "Kitchen"))
    assert is_general(word("set"))
    assert kinds.best(word("set")) is Rank.NO
    assert kinds.best(word("coffee")) is Rank.PERHAPS


@pytest.mark.parametrize(
    ("wish", "head", "thing"),
    [
        ("laptops", "laptop", True),
        ("a laptop", "laptop", True),
        ("a good electric kettle", "kettle", True),
        ("camping", "camping", False),
        ("anything vegan", "vegan", False),
        ("dress", "dress", False),
    ],
)
def test_that_a_thing_is_told_from_what_a_thing_is_for(wish: str, head: str, thing: bool) -> None:
    assert said_as_thing(wish, word(head)) is thing
