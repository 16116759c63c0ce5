"""Noise is told from words that the shop does not use."""

from __future__ import annotations

import pytest

from bot.understanding.noise import is_noise


@pytest.mark.parametrize(
    ("language", "text", "noise"),
    [
        ("en", "qzxv wkjh plmk", True),
        ("en", "pqow the zzkj", True),
        ("en", "4711", True),
        ("en", "who rules the kingdom of Norway", False),
        ("en", "harpsichord", False),
        ("zh", "淦龘爩", True),
        ("zh", "想买雨伞", False),
    ],
)
def test_that_a_message_without_words_is_noise(language: str, text: str, noise: bool) -> None:
    assert is_noise(text, language, knows=lambda _: False) is noise


def test_that_a_word_of_the_shop_is_no_noise() -> None:
    assert not is_noise("zzkj plmkx", "en", knows=lambda word: word.startswith("zzkj"))
