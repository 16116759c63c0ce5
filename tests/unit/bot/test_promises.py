"""Phrases that are never said are found whatever their case, width and spacing, and no others."""

from __future__ import annotations

import pytest

from bot.promises import Never

NEVER = Never(("free returns", "best price", "终身保修"))


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("We offer Free  Returns.", "free returns"),
        ("our\nBEST\nprice", "best price"),
        ("本店终身保修", "终身保修"),
        ("ｆｒｅｅ ｒｅｔｕｒｎｓ", "free returns"),
        ("care-free returnsable goods", ""),
        ("the price is best asked for", ""),
        ("", ""),
    ],
)
def test_that_a_phrase_is_found_as_words(text: str, phrase: str) -> None:
    assert NEVER.held(text) == phrase


def test_that_no_phrases_are_held_by_nothing() -> None:
    assert Never().held("free returns") == ""
