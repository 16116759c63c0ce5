"""The closed list of acts and slots holds together."""

from __future__ import annotations

import re

import pytest

from prompts.acts import MARKER, UnknownActError, inventory, markers
from prompts.combinations import combinations


def test_that_the_list_is_the_same_whenever_it_is_read() -> None:
    assert inventory() is inventory()
    assert re.fullmatch(r"[0-9a-f]{64}", inventory().digest)
    assert inventory().version >= 1


@pytest.mark.parametrize("name", inventory().acts)
def test_that_an_act_uses_known_slots_once_and_says_what_it_does(name: str) -> None:
    spec = inventory().act(name)
    assert set(spec.slots) <= set(inventory().slots)
    assert len(set(spec.slots)) == len(spec.slots)
    assert spec.about


def test_that_every_slot_can_be_marked_and_is_used() -> None:
    used = {slot for spec in inventory().acts.values() for slot in spec.slots}
    for slot in inventory().slots:
        assert MARKER.fullmatch(f"<{slot}>")
    assert used <= set(inventory().slots)


def test_that_an_unknown_act_is_named_with_those_that_exist() -> None:
    with pytest.raises(UnknownActError, match="no act 'sing'.*greet"):
        inventory().act("sing")


def test_that_markers_are_listed_in_order_with_repeats() -> None:
    assert markers("<price_1> a <title_1>, <price_1> <Title> < x> <a-b>") == [
        "price_1", "title_1", "price_1",
    ]  # fmt: skip


@pytest.mark.parametrize("name", inventory().acts)
def test_that_every_combination_holds_what_is_required_in_canonical_order(name: str) -> None:
    spec = inventory().act(name)
    listed = combinations(name)
    assert listed
    assert len(set(listed)) == len(listed)
    for slots in listed:
        assert set(spec.required) <= set(slots) <= set(spec.slots)
        assert list(slots) == [slot for slot in spec.slots if slot in slots]
