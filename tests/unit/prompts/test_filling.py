"""Markers become values; prompts hold no more than they should."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.acts import inventory, markers
from prompts.filling import MESSAGE_WORDS, TONES, fill, prompt_of, special_tokens

TEXT = st.text(max_size=30)


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("return", "a return"),
        ("exchange", "an exchange"),
        ("11 in pan", "an 11 in pan"),
        ("18 W lamp", "an 18 W lamp"),
        ("180 W lamp", "a 180 W lamp"),
        ("8-cup press", "an 8-cup press"),
        ("unicorn", "a unicorn"),
        ("umbrella", "an umbrella"),
        ("hourglass", "an hourglass"),
        ("house", "a house"),
        ("退货", "a 退货"),
    ],
)
def test_that_the_article_agrees_with_the_value(value: str, filled: str) -> None:
    assert fill("a <kind>", {"kind": value}) == filled
    assert fill("an <kind>", {"kind": value}) == filled
    assert fill("A <kind>", {"kind": value}) == f"A{filled[1:]}"


def test_that_only_an_article_before_a_marker_changes() -> None:
    assert fill("a an <kind> a pan", {"kind": "exchange"}) == "a an exchange a pan"
    assert fill("panda <kind>", {"kind": "exchange"}) == "panda exchange"


def test_that_a_marker_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="price_1"):
        fill("<title_1> <price_1>", {"title_1": "x"})
    with pytest.raises(KeyError, match="kind"):
        fill("a <kind>", {})


@settings(derandomize=True, max_examples=300, deadline=None)
@given(title=TEXT, price=TEXT)
def test_that_values_stand_as_they_are_whatever_they_hold(title: str, price: str) -> None:
    values = {"title_1": title, "price_1": price}
    assert fill("[<title_1>|<price_1>]", values) == f"[{title}|{price}]"


def test_that_a_value_that_looks_like_a_marker_is_not_filled_again() -> None:
    values = {"title_1": "<price_1> \\1 \\g<0>", "price_1": "$1"}
    assert fill("<title_1>, <price_1>", values) == "<price_1> \\1 \\g<0>, $1"


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_that_a_message_cannot_forge_a_control_word_or_grow_the_prompt(message: str) -> None:
    prompt = prompt_of("en", "price", ("title_1", "price_1"), message)
    head, _, said = prompt.removesuffix("<|bot|>").partition("<|user|>")
    assert head == "<|en|><|price|><title_1><price_1>"
    assert "<" not in said and ">" not in said
    assert len(said) <= 120
    assert len(said.split()) <= MESSAGE_WORDS


def test_that_every_control_word_of_a_prompt_is_in_the_tokenizers_list() -> None:
    known = special_tokens(list(inventory().acts), list(inventory().slots))
    assert len(set(known)) == len(known)
    prompt = prompt_of("zh", "greet", ("shop",), "hello")
    for word in ("<|zh|>", "<|greet|>", "<shop>", "<|user|>", "<|bot|>"):
        assert word in known
        assert word in prompt
    assert markers(prompt) == ["shop"]


def test_that_a_tone_stands_behind_the_language_and_the_neutral_one_leaves_no_word() -> None:
    known = special_tokens(list(inventory().acts), list(inventory().slots))
    prompts = {tone: prompt_of("en", "greet", (), "hi", tone=tone) for tone in TONES}
    assert prompts["neutral"] == "<|en|><|greet|><|user|>hi<|bot|>"
    assert prompts["warm"] == "<|en|><|warm|><|greet|><|user|>hi<|bot|>"
    assert len(set(prompts.values())) == len(TONES)
    assert {"<|warm|>", "<|brief|>"} <= set(known)
