"""Numbers in words become figures."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding.numbers import digits


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("two hundred and fifty", "250"),
        ("a hundred", "100"),
        ("twenty five", "25"),
        ("forty-two", "42"),
        ("twelve hundred", "1200"),
        ("two thousand five hundred and one", "2501"),
        ("three-person tent", "3-person tent"),
        ("Ninety dollars", "90 dollars"),
        ("三百以下", "300以下"),
        ("两千五", "2500"),
        ("五十块", "50块"),
        ("一千零五十", "1050"),
        ("三个人", "3个人"),
    ],
)
def test_that_a_number_in_words_becomes_figures(said: str, read: str) -> None:
    assert digits(said) == read


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("between fifty and one hundred", "between 50 and 100"),
        ("two and three", "2 and 3"),
        ("between one hundred and two hundred", "between 100 and 200"),
        ("between one thousand and two thousand", "between 1000 and 2000"),
        ("one two three", "one 2 3"),
        ("seventy-nine ninety-nine", "79 99"),
    ],
)
def test_that_numbers_beside_each_other_stay_apart(said: str, read: str) -> None:
    assert digits(said) == read


@pytest.mark.parametrize("said", ["that one", "someone often", "一下", "一点", "万", "十百千", ""])
def test_that_a_word_that_counts_nothing_stays(said: str) -> None:
    assert digits(said) == said


ONES = "one two three four five six seven eight nine".split()
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def _below_hundred(number: int) -> str:
    if number < 20:
        return ["", *ONES, *TEENS][number]
    tens = TENS[number // 10 - 2]
    return tens if number % 10 == 0 else f"{tens}-{ONES[number % 10 - 1]}"


def _in_words(number: int) -> str:
    parts = []
    if number >= 1000:
        parts.append(f"{_below_hundred(number // 1000)} thousand")
    if number % 1000 >= 100:
        parts.append(f"{ONES[number % 1000 // 100 - 1]} hundred")
    if number % 100:
        parts.append(("and " if parts else "") + _below_hundred(number % 100))
    return " ".join(parts)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.integers(2, 99_999))
def test_that_every_number_is_read_as_it_is_spelled(number: int) -> None:
    assert digits(_in_words(number)) == str(number)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(alphabet="零〇一二两三四五六七八九十百千万块元 ab", max_size=60))
def test_that_any_characters_of_numbers_are_read_without_failing(text: str) -> None:
    assert digits(digits(text)) is not None


def test_that_text_without_numbers_is_untouched() -> None:
    text = "Do you have a red kettle with a long cord?"
    assert digits(text) == text
