"""Values that a generator wrote out become markers, and not one shown character changes."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.surface_text import mark
from prompts.acts import MARKER, inventory, markers
from prompts.filling import fill
from prompts.phrasing import phrasebook

KETTLES = {"title_1": "Copper Kettle", "price_1": "$5", "title_2": "Kettle", "price_2": "$50"}


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        (
            "The Copper Kettle is $5 and the Kettle is $50.",
            "The <title_1> is <price_1> and the <title_2> is <price_2>.",
        ),
        (
            "At $50 the Kettle, at $5 the Copper Kettle.",
            "At <price_2> the <title_2>, at <price_1> the <title_1>.",
        ),
        ("Copper Kettle: $5", "<title_1>: <price_1>"),
        ("The <title_2> is $50.", "The <title_2> is <price_2>."),
        ("the Copper Kettle's price", "the <title_1>'s price"),
        ("“Copper Kettle”, $5.", "“<title_1>”, <price_1>."),
        ("- Copper Kettle\n- Kettle", "- <title_1>\n- <title_2>"),
        ("价格是$5，Kettle有货", "价格是<price_1>，<title_2>有货"),
    ],
)
def test_that_the_one_place_of_a_value_becomes_its_marker(text: str, marked: str) -> None:
    assert mark(text, KETTLES) == marked
    assert fill(marked, KETTLES) == fill(text, KETTLES)


@pytest.mark.parametrize(
    "text",
    [
        "The copper kettles.",
        "A Kettle-Pro, a Tea-Kettle, Kettles.",
        "$500, $5.99, $5,000, US$5, 1$5",
        "Kettle or Kettle?",
        "The <title_1> is a Copper Kettle.",  # the name within the longer one is not title_2
        "Copper Kettle, Copper Kettle",
        "<stock_1> Kettle",
        "Kettle\u0301",
    ],
)
def test_that_what_is_no_single_place_of_a_value_stays(text: str) -> None:
    assert mark(text, KETTLES) == text


def test_that_a_figure_within_a_figure_is_no_place_of_it() -> None:
    values = {"quantity": "2", "amount": "$1,200.00"}
    assert mark("2 pieces: $1,200.00", values) == "<quantity> pieces: <amount>"
    for text in ("12 pieces", "2.5 pieces", "1.2 pieces", "1,2 pieces", "2-piece", "0,2 l"):
        assert mark(text, values) == text


def test_that_a_name_within_a_quotation_is_no_place_of_its_own() -> None:
    values = {"title_1": "Copper Kettle", "quote_1": "The Copper Kettle holds 2 l."}
    text = "On the Copper Kettle: “The Copper Kettle holds 2 l.”"
    assert mark(text, values) == "On the <title_1>: “<quote_1>”"


def test_that_equal_values_go_to_what_they_belong_to() -> None:
    values = KETTLES | {"price_1": "$5", "price_2": "$5"}
    assert mark("The Kettle is $5, the Copper Kettle is $5.", values) == (
        "The <title_2> is <price_2>, the <title_1> is <price_1>."
    )
    assert mark("Kettle and Copper Kettle: $5 each", values) == ("<title_2> and <title_1>: $5 each")
    table = {"title_1": "A1", "title_2": "B2", "label_1": "Lid", "left_1": "yes", "right_1": "no",
             "label_2": "Base", "left_2": "no", "right_2": "yes"}  # fmt: skip
    assert mark("A1 and B2. Base: no / yes. Lid: yes / no.", table) == (
        "<title_1> and <title_2>. <label_2>: <left_2> / <right_2>. <label_1>: <left_1> / <right_1>."
    )
    assert mark("Twin or Twin", {"title_1": "Twin", "title_2": "Twin"}) == "<title_1> or <title_2>"


def test_that_a_text_whose_words_would_change_is_left_and_so_lacks_its_slots() -> None:
    assert mark("Do you want an exchange?", {"kind": "exchange"}) == "Do you want an <kind>?"
    assert mark("Do you want a exchange?", {"kind": "exchange"}) == "Do you want a exchange?"
    assert mark("There are 1 items.", {"count": "1"}) == "There are 1 items."
    assert mark("There is 1 item.", {"count": "1"}) == "There is <count> item."


def test_that_a_value_that_looks_like_a_marker_marks_nothing_else() -> None:
    values = {"title_1": "<price_1>", "price_1": "$5"}
    text = "The <price_1> costs $5."
    assert mark(text, values) == text
    assert markers(mark(text, values)) == ["price_1"]  # title_1 is missing: refused


def test_that_no_value_and_no_text_are_no_trouble() -> None:
    assert mark("", {"title_1": "x"}) == ""
    assert mark("x", {}) == "x"
    assert mark("x", {"title_1": ""}) == "x"


NAMES = [*KETTLES, "label_1", "value_1", "kind", "count", "items", "stock_1", "quote_1"]
PIECE = st.sampled_from(
    "Copper Kettle $5 $50 .99 5 50 , 1 2 - a an A An is are item items There exchange one 红 水壶 "
    "红水壶 ¥ é \n < > kettles".split(" ")
)
VALUE = st.one_of(
    st.text(min_size=1, max_size=8), st.lists(PIECE, min_size=1, max_size=3).map(" ".join)
)
GAP = st.one_of(st.sampled_from(["", " ", "a ", "an ", ", "]), PIECE, st.text(max_size=5))


@st.composite
def templates(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """A slot-marked text that holds each slot once, and values for the slots."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=6))
    gaps = [draw(GAP) for _ in range(len(names) + 1)]
    text = gaps[0] + "".join(f"<{name}>{gap}" for name, gap in zip(names, gaps[1:], strict=True))
    assume(markers(text) == names)
    return text, {name: draw(VALUE) for name in names}


@settings(derandomize=True, max_examples=1500, deadline=None)
@given(templates())
def test_that_a_filled_text_that_is_marked_fills_to_the_same_text(
    made: tuple[str, dict[str, str]],
) -> None:
    template, values = made
    text = fill(template, values)
    assume(not MARKER.search(text))
    marked = mark(text, values)
    assert fill(marked, values) == text
    assert len(set(markers(marked))) == len(markers(marked))
    assert mark(marked, values) == marked or fill(mark(marked, values), values) == text


@settings(derandomize=True, max_examples=500, deadline=None)
@given(templates(), st.data())
def test_that_a_text_with_some_markers_left_shows_the_same_when_the_others_are_put_back(
    made: tuple[str, dict[str, str]], data: st.DataObject
) -> None:
    template, values = made
    written = data.draw(st.sets(st.sampled_from(sorted(values))))
    mixed = MARKER.sub(lambda m: values[m[1]] if m[1] in written else m[0], template)
    assume(set(markers(mixed)) <= set(values))
    assert fill(mark(mixed, values), values) == fill(mixed, values)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_that_every_plain_sentence_is_found_again_in_its_words(language: str) -> None:
    for act, spec in inventory().acts.items():
        values = {name: f"Wert{number:02}" for number, name in enumerate(spec.slots)}
        marked = phrasebook(language).plain(act, values)
        if marked is not None:
            assert mark(fill(marked, values), values) == marked
