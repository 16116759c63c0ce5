"""Markers become values; prompts hold no more than they should."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.acts import inventory, markers
from prompts.filling import (
    HINTS,
    LONG,
    MESSAGE_WORDS,
    OUT_OF_STOCK,
    TONES,
    Hint,
    agree,
    fill,
    hints_of,
    prompt_of,
    readable,
    special_tokens,
)

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


def test_that_hints_tell_the_grammar_of_values_and_nothing_else_of_them() -> None:
    values = {
        "count": "1", "quantity": "3", "label_1": "Materials", "label_2": "Radius",
        "value_1": "oak", "value_2": "x" * (LONG["en"] + 1), "items": "2 × Mug", "title_1": "Mugs",
    }  # fmt: skip
    assert hints_of("en", values) == {
        "count": "one", "quantity": "many", "label_1": "many", "value_2": "long", "items": "many",
    }  # fmt: skip
    assert hints_of("zh", values) == {"value_2": "long"}


def test_that_a_stock_that_is_gone_is_told_so_that_words_can_suit_it() -> None:
    for language, gone in OUT_OF_STOCK.items():
        assert hints_of(language, {"stock_1": gone}) == {"stock_1": "gone"}
        assert hints_of(language, {"stock_1": "only 6 left", "value_1": gone}) == {}


def test_that_a_model_is_told_the_hints_that_it_knows() -> None:
    hints: dict[str, Hint] = {"stock_1": "gone", "value_1": "long"}
    assert readable(hints, {"<|long|>", "<|one|>"}) == {"value_1": "long"}
    assert readable(hints, ()) == {}


def test_that_a_hint_stands_behind_its_slot_and_is_a_word_of_the_format() -> None:
    prompt = prompt_of("en", "details", ("label_1", "value_1"), "hi", hints={"label_1": "many"})
    assert prompt == "<|en|><|details|><label_1><|many|><value_1><|user|>hi<|bot|>"
    known = special_tokens(list(inventory().acts), list(inventory().slots))
    assert {f"<|{hint}|>" for hint in HINTS} <= set(known)
    assert markers(prompt) == ["label_1", "value_1"]


@pytest.mark.parametrize(
    ("marked", "values", "said"),
    [
        ("The <label_1> is <value_1>.", {"label_1": "colours", "value_1": "red, blue"}, "The colours are red, blue."),
        ("The <label_1> are <value_1>.", {"label_1": "weight", "value_1": "2 kg"}, "The weight is 2 kg."),
        ("There are <count> items.", {"count": "1"}, "There is 1 item."),
        ("I found <count> product.", {"count": "4"}, "I found 4 products."),
        ("<quantity> pieces are <amount>.", {"quantity": "1", "amount": "$5"}, "1 piece is $5."),
        ("<items> was sent.", {"items": "2 × Mug"}, "2 × Mug were sent."),
        ("It is an <option_1>.", {"option_1": "one-person tent"}, "It is a one-person tent."),
        ("It is a <option_1>.", {"option_1": "hourglass"}, "It is an hourglass."),
    ],
)  # fmt: skip
def test_that_words_beside_a_value_agree_with_it(
    marked: str, values: dict[str, str], said: str
) -> None:
    assert fill(marked, values) == said


def test_that_agreeing_twice_changes_nothing_more() -> None:
    hints = {"label_1": "many", "count": "one"}
    once = agree("There are <count> items. The <label_1> is <value_1>.", hints)  # type: ignore[arg-type]
    assert once == "There is <count> item. The <label_1> are <value_1>."
    assert agree(once, hints) == once  # type: ignore[arg-type]
