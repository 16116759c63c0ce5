"""Chat shorthand is written out, slips in words of service are mended, words that are words stay."""

from __future__ import annotations

import pytest

from bot.understanding.spelling import service_typos, without_shorthand


def nothing(word: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("smth for my mum pls", "something for my mum please"),
        ("can u help", "can you help"),
        ("dont have it", "don't have it"),
        ("Thx!", "thanks!"),
        ("a U-shaped pillow", "a U-shaped pillow"),
        ("write to u@example.com", "write to u@example.com"),
    ],
)
def test_that_shorthand_is_read_as_what_it_stands_for(said: str, meant: str) -> None:
    assert without_shorthand(said, knows=nothing) == meant


def test_that_a_word_of_the_shop_is_no_shorthand() -> None:
    assert without_shorthand("a UR mug", knows=lambda word: word == "ur") == "a UR mug"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("pacakge", "package"), ("retrun", "return"), ("delivry", "delivery"), ("adress", "address")],
)
def test_that_a_slip_in_a_word_of_service_is_mended(typed: str, meant: str) -> None:
    assert service_typos(f"about my {typed}", knows=nothing) == {typed: meant}


@pytest.mark.parametrize(
    "word", ["kettle", "parka", "coworker", "rechargeable", "FK-20411", "R2D2"]
)
def test_that_what_is_a_word_or_a_number_stays(word: str) -> None:
    assert service_typos(f"about my {word}", knows=nothing) == {}


def test_that_a_word_of_the_shop_is_no_slip() -> None:
    assert service_typos("the retrun kettle", knows=lambda word: word == "retrun") == {}
