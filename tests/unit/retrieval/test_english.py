"""What is an English word, and what only looks like one."""

from __future__ import annotations

import pytest

from retrieval.english import is_common_word, is_english
from retrieval.spelling import Lexicon


@pytest.mark.parametrize("word", ["kettle", "Returned", "the"])
def test_that_a_common_word_is_told_in_any_case(word: str) -> None:
    assert is_common_word(word)


@pytest.mark.parametrize("word", ["", "of", "pacakge", "水壶", "coworker"])
def test_that_short_mistyped_and_foreign_words_are_not_common(word: str) -> None:
    assert not is_common_word(word)


@pytest.mark.parametrize(
    "word", ["cheapest", "heaviest", "coworker", "washable", "returned", "pricey", "Kettles"]
)
def test_that_an_ending_or_a_beginning_leaves_a_word_a_word(word: str) -> None:
    assert is_english(word)


@pytest.mark.parametrize("word", ["pacakge", "retrun", "kettel", "hikking", "bootz"])
def test_that_a_slip_is_no_word(word: str) -> None:
    assert not is_english(word)


@pytest.mark.parametrize(
    ("shop", "said"),
    [("a slow cooker", "for a coworker"), ("cheaper sheets", "the cheapest"), ("prices", "pricey")],
)
def test_that_a_word_made_of_a_word_is_not_mended_to_one_of_the_shop(shop: str, said: str) -> None:
    assert Lexicon.of([shop]).correct(said)[1] == {}
