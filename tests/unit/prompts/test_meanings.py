"""Every phrasing of ours says its act, and a sentence without the act's own words does not."""

from __future__ import annotations

import random

import pytest

from prompts.acts import inventory
from prompts.combinations import combinations
from prompts.meanings import says
from prompts.phrasing import phrasebook


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("act", sorted(inventory().acts))
def test_that_every_phrasing_of_an_act_says_it(language: str, act: str) -> None:
    book = phrasebook("en" if act == "other_language" else language)
    rng = random.Random(7)
    for slots in combinations(act)[:6]:
        for text in [book.plain(act, slots), *(book.sample(act, slots, rng) for _ in range(12))]:
            assert text is not None
            assert says(act, language, text), (act, text)


@pytest.mark.parametrize(
    ("act", "language", "text"),
    [
        ("complaint", "en", "Please tell me your order number."),
        ("not_sold", "en", "I'd like to help with <wish>."),
        ("unknown_fact", "en", "The page of <title_1> says <asked>."),
        ("handoff", "zh", "请稍等。"),
        ("not_sold", "zh", "可以看看<wish>。"),
    ],
)
def test_that_a_sentence_without_its_meaning_is_not_the_act(
    act: str, language: str, text: str
) -> None:
    assert not says(act, language, text)
