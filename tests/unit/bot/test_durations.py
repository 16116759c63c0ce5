"""Spans of time as settings write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.durations import in_words, read_duration


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)), ("30m", timedelta(minutes=30)), ("6 h", timedelta(hours=6)),
        (" 2D ", timedelta(days=2)), ("", None), (None, None),
        (timedelta(hours=1), timedelta(hours=1)),
    ],
)  # fmt: skip
def test_that_a_span_is_read(text: object, span: timedelta | None) -> None:
    assert read_duration(text) == span


@pytest.mark.parametrize("text", ["6", "h", "0h", "-1h", "6 hours", "1.5h", "9999999d", "6h 3m"])
def test_that_what_is_no_span_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="30m, 6h or 2d"):
        read_duration(text)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(days=3, hours=4, minutes=5), "3 d 4 h"), (timedelta(hours=5), "5 h"),
        (timedelta(minutes=59, seconds=30), "59 min 30 s"), (timedelta(0), "0 s"),
        (timedelta(days=1, minutes=5), "1 d"), (timedelta(seconds=-5), "0 s"),
    ],
)  # fmt: skip
def test_that_a_span_is_told_in_two_units(span: timedelta, words: str) -> None:
    assert in_words(span) == words
