"""Which products of the last list a message points at."""

from __future__ import annotations

import pytest

from bot.understanding.references import (
    last_several,
    means_one,
    means_several,
    named_reference,
    ordinal_references,
    two_sides,
)

SHOWN = ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("the second one", "b"),
        ("I'd like the 2nd", "b"),
        ("the third lamp looks good", "c"),
        ("option 3", "c"),
        ("number 2 please", "b"),
        ("no. 4", "d"),
        ("the last one", "d"),
        ("the first and the third", "ac"),
        ("the first one and the last one", "ad"),
        ("第二个", "b"),
        ("第3款怎么样", "c"),
        ("前两个比一下", "ab"),
        ("前三款", "abc"),
        ("最后一个", "d"),
    ],
)
def test_that_an_ordinal_picks_from_the_last_list(said: str, meant: str) -> None:
    assert ordinal_references(said, SHOWN) == tuple(meant)


@pytest.mark.parametrize(
    "said", ["first time buyer", "the second time", "the fifth one", "第十个", "a lamp", ""]
)
def test_that_what_picks_nothing_gives_nothing(said: str) -> None:
    assert ordinal_references(said, SHOWN) == ()


def test_that_nothing_can_be_picked_from_no_list() -> None:
    assert ordinal_references("the last one, the first one", ()) == ()


def test_that_the_same_product_is_picked_once() -> None:
    assert ordinal_references("the second one, yes the 2nd", SHOWN) == ("b",)


@pytest.mark.parametrize("said", ["both of them", "compare these", "the two", "这两款", "它们"])
def test_that_several_are_meant(said: str) -> None:
    assert means_several(said)


@pytest.mark.parametrize("said", ["is it heavy?", "what about that one", "它多重", "这款有货吗"])
def test_that_one_is_meant(said: str) -> None:
    assert means_one(said)
    assert not means_several(said)


def test_that_a_new_wish_points_at_nothing() -> None:
    assert not means_one("I need a kettle")
    assert not means_several("I need a kettle")


def test_that_several_are_those_of_the_latest_list_that_has_them() -> None:
    assert last_several([("a", "b"), ("b",)]) == ("a", "b")
    assert last_several([("a", "b"), ("c", "d")]) == ("c", "d")
    assert last_several([("a",)]) == ("a",)
    assert last_several([]) == ()


TITLES = {"p": ("pour", "over", "coffe", "set"), "g": ("coffe", "grinder"), "t": ("tea", "set")}


def alone(phrase: str) -> str:
    return {"the gooseneck": "g", "the whistling kettle": "w", "gooseneck": "g"}.get(phrase, "")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("ok the pour over. does it come with filters", "p"),
        ("what about the grinder?", "g"),
        ("the set", ""),
        ("the kettle", ""),
        ("the gooseneck, is it in stock", "g"),
        ("I like the gooseneck", ""),
    ],
)
def test_that_the_words_of_one_title_shown_point_at_it(said: str, meant: str) -> None:
    assert named_reference(said, list(TITLES), TITLES, alone) == meant


@pytest.mark.parametrize(
    "said",
    [
        "Which is better, the gooseneck or the whistling kettle?",
        "the gooseneck vs the whistling kettle",
    ],
)
def test_that_two_products_are_told_by_some_of_their_words(said: str) -> None:
    assert two_sides(said, alone) == ("g", "w")


@pytest.mark.parametrize(
    "said", ["the gooseneck or another one", "the gooseneck or the gooseneck", "tea"]
)
def test_that_less_than_two_products_are_none(said: str) -> None:
    assert two_sides(said, alone) == ()
