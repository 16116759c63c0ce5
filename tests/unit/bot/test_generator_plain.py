from __future__ import annotations

import pytest

from bot.generators.base import PhraseRequest
from bot.generators.plain import PlainGenerator
from bot.turn import Language
from prompts.acts import inventory, markers
from prompts.combinations import combinations


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("act", inventory().acts)
def test_that_the_plain_sentence_says_every_given_slot_once(act: str, language: Language) -> None:
    for slots in combinations(act):
        (candidate,) = PlainGenerator().phrase(PhraseRequest(language, act, slots))
        assert sorted(markers(candidate.marked)) == sorted(slots)


def test_that_slots_no_phrasing_serves_get_no_candidate() -> None:
    assert PlainGenerator().phrase(PhraseRequest("en", "price", ("title_1",))) == []


def test_that_slot_order_does_not_change_the_sentence() -> None:
    plain = PlainGenerator()
    one = plain.phrase(PhraseRequest("en", "price", ("title_1", "price_1")))
    assert one == plain.phrase(PhraseRequest("en", "price", ("price_1", "title_1")))
