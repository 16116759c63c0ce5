"""The template language of phrasings."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.acts import inventory, markers
from prompts.combinations import combinations
from prompts.phrasing import Phrasebook, PhrasingError, parse, phrasebook

MACROS = {"item": "<title_N>[ at <price_N>]", "hello": "{Hello|Hi}", "deep": "@hello there"}


def expand(source: str, *given: str, seed: int | None = None) -> str | None:
    rng = None if seed is None else random.Random(seed)
    return parse(source, MACROS).expand(frozenset(given), rng)


def test_that_the_first_branch_is_taken_without_chance() -> None:
    assert expand("{Hello|Hi} there") == "Hello there"
    assert {expand("{Hello|Hi}", seed=seed) for seed in range(20)} == {"Hello", "Hi"}


def test_that_a_branch_that_serves_is_preferred() -> None:
    source = "{about <wish>|in general}"
    assert expand(source) == "in general"
    assert expand(source, "wish") == "about <wish>"


def test_that_an_option_is_kept_when_its_markers_are_given() -> None:
    source = "<title_1>[ costs <price_1>]."
    assert expand(source, "title_1") == "<title_1>."
    assert expand(source, "title_1", "price_1") == "<title_1> costs <price_1>."


def test_that_decoration_is_left_out_unless_chance_wants_it() -> None:
    assert expand("Hello[ there]") == "Hello"
    assert {expand("Hello[ there]", seed=seed) for seed in range(20)} == {"Hello", "Hello there"}


def test_that_options_nest() -> None:
    source = "<title_1>[ (<price_1>[, <stock_1>])]"
    assert expand(source, "title_1", "price_1") == "<title_1> (<price_1>)"
    assert expand(source, "title_1", "price_1", "stock_1") == "<title_1> (<price_1>, <stock_1>)"
    assert expand(source, "title_1", "stock_1") is None


def test_that_an_expansion_holds_each_slot_exactly_once() -> None:
    assert expand("<title_1> <title_1>", "title_1") is None
    assert expand("hello", "title_1") is None
    assert expand("<title_1>") is None


def test_that_macros_are_inserted_with_their_number_and_within_each_other() -> None:
    assert expand("@item(2)", "title_2", "price_2") == "<title_2> at <price_2>"
    assert expand("@item(1)", "title_1") == "<title_1>"
    assert expand("@deep!") == "Hello there!"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{a|b", "missing }"),
        ("[a", "missing ]"),
        ("a}", "stray"),
        ("a]", "stray"),
        ("a|b", "stray"),
        ("{a]", "stray"),
        ("@nothing", "unknown macro @nothing"),
    ],
)
def test_that_a_template_that_cannot_be_read_is_quoted(source: str, told: str) -> None:
    with pytest.raises(PhrasingError, match=told) as caught:
        parse(source, MACROS)
    assert repr(source) in str(caught.value)


def test_that_a_macro_that_holds_itself_is_an_error() -> None:
    with pytest.raises(PhrasingError, match="macro"):
        parse("@a", {"a": "@a"})


def test_that_a_book_falls_through_to_the_phrasing_that_serves() -> None:
    book = Phrasebook(
        "en", {"price": (parse("<title_1>", {}), parse("<title_1> is <price_1>", {}))}
    )
    assert book.plain("price", ["title_1"]) == "<title_1>"
    assert book.plain("price", ["price_1", "title_1"]) == "<title_1> is <price_1>"
    assert book.plain("price", ["stock_1"]) is None
    rng = random.Random(1)
    assert book.sample("price", ["title_1", "price_1"], rng) == "<title_1> is <price_1>"
    assert book.sample("price", ["title_1", "price_1"], rng, among=[0]) is None


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", inventory().acts)
def test_that_every_act_has_a_plain_sentence_for_every_set_of_slots(
    language: str, name: str
) -> None:
    for slots in combinations(name):
        text = phrasebook(language).plain(name, slots)
        assert text is not None, f"{name} with {slots} has no {language} phrasing"
        assert sorted(markers(text)) == sorted(slots)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(alphabet="ab {}[]|<>_1@()", max_size=24))
def test_that_any_template_is_read_or_refused(source: str) -> None:
    try:
        phrasing = parse(source, MACROS)
    except PhrasingError:
        return
    text = phrasing.expand(frozenset())
    assert text is None or markers(text) == []
