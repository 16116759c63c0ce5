"""What is taken up again: earlier wishes, and choices that were offered."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.state import TOPICS_KEPT, DialogState
from bot.understanding.constraints import Constraints
from bot.understanding.returning import Topic, chosen_option, earlier_product, earlier_topic

TOPICS = (Topic("a tent", products=("1", "2")), Topic("desk lamps", products=("3",)), Topic("毛巾"))


@pytest.mark.parametrize(
    ("said", "which"),
    [
        ("back to the tents", 0),
        ("let's go back to the lamps", 1),
        ("the tent from before", 0),
        ("回到毛巾", 2),
        ("刚才的毛巾", 2),
        ("back to the previous ones", 2),
        ("I will send it back to you", None),
        ("show me tents", None),
        ("back to the sofas", None),
    ],
)
def test_that_an_earlier_wish_is_taken_up_by_its_name(said: str, which: int | None) -> None:
    assert earlier_topic(said, TOPICS) == which


def test_that_a_product_of_an_earlier_wish_is_the_one_so_named() -> None:
    named = {("2", "tent")}
    assert earlier_product("the tent from before", TOPICS, lambda p, w: (p, w) in named) == "2"
    assert earlier_product("how heavy is it?", TOPICS, lambda p, w: True) == ""


@pytest.mark.parametrize(
    ("said", "option"),
    [
        ("Garden Tools", "Garden Tools"),
        ("garden tool", "Garden Tools"),
        ("for the kitchen", "Kitchen Tools"),
        ("the first one", "Garden Tools"),
        ("第二个", "Kitchen Tools"),
        ("I don't care", ""),
        ("都行", ""),
        ("where is my order?", None),
        ("tools", None),
    ],
)
def test_that_an_answer_picks_an_option_or_none(said: str, option: str | None) -> None:
    assert chosen_option(said, ("Garden Tools", "Kitchen Tools")) == option


def test_that_yes_takes_the_only_offer() -> None:
    assert chosen_option("yes please", ("Camping",)) == "Camping"
    assert chosen_option("yes", ()) is None


def test_that_wishes_are_remembered_in_order_and_not_for_ever() -> None:
    state = DialogState()
    for number in range(TOPICS_KEPT + 3):
        state = state.with_wish(f"wish {number}", Constraints(price_max=Decimal(number)))
    assert len(state.earlier) == TOPICS_KEPT
    assert state.earlier[-1].wish == f"wish {TOPICS_KEPT + 1}"
    again = state.with_wish(state.earlier[0].wish, Constraints())
    assert again.wish not in [topic.wish for topic in again.earlier]
    assert DialogState.from_dict(again.as_dict()) == again
