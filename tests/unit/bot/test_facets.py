"""Properties that a catalogue teaches, found in words and on products."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.facets import Facets, kind_of
from bot.understanding.constraints import Facet, parse_constraints
from db.records import Attribute, Product, ProductId, Variant


def product(pid: str, title: str, stated: dict[str, str], *choices: tuple[str, str]) -> Product:
    return Product(
        id=ProductId(pid),
        title=title,
        attributes=tuple(Attribute(name, value) for name, value in stated.items()),
        variants=tuple(
            Variant(f"{pid}-{n}", options=(Attribute(*choice),)) for n, choice in enumerate(choices)
        ),
    )


GOODS = {
    p.id: p
    for p in [
        product(
            "1", "Canister", {"Material": "Enamelled tin"}, ("Color", "Teal"), ("Color", "Ash")
        ),
        product("2", "Satchel", {"Material": "Waxed canvas, brass"}, ("Colour", "Teal")),
        product("3", "Slippers", {"Lining": "sheepskin"}, ("Size", "M"), ("Size", "L")),
        product("4", "藤编篮", {"材质": "藤条"}, ("颜色", "米白色"), ("颜色", "墨绿")),
        product("5", "Satchel strap", {"Closure": "snap hook"}),
    ]
}
FACETS = Facets(GOODS, is_kind=lambda word: word in {"satchel", "slipper"})


def read(text: str) -> list[tuple[str, str]]:
    return [(facet.kind, facet.said) for facet in FACETS.read(text)]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("a teal satchel", [("colour", "teal")]),
        ("something in ash", [("colour", "ash")]),
        ("made of waxed canvas", [("material", "waxed canvas")]),
        ("slippers in size M", [("size", "M")]),
        ("a strap with a snap hook", [("closure", "snap hook")]),
        ("米白的篮子", [("colour", "米白")]),
        ("要墨绿色的", [("colour", "墨绿色")]),
        ("藤条做的", [("material", "藤条")]),
    ],
)
def test_that_values_of_the_catalogue_are_found_in_words(
    said: str, found: list[tuple[str, str]]
) -> None:
    assert read(said) == found


def test_that_a_value_no_product_has_is_noticed_where_the_words_say_what_it_is() -> None:
    assert read("a purple satchel") == [("colour", "purple")]
    assert read("made of titanium") == [("material", "titanium")]
    assert read("a satchel in stock") == []
    assert read("什么颜色") == []


def test_that_a_mistyped_value_is_the_one_meant_where_a_value_stands() -> None:
    assert [f.value for f in FACETS.read("in waxed canvass")] == ["waxed canvas"]


def test_that_the_thing_itself_is_no_property() -> None:
    assert read("a satchel") == []


def test_that_a_product_has_what_it_states_and_not_what_it_does_not() -> None:
    teal, ash = Facet("colour", "teal", "teal"), Facet("colour", "ash", "ash")
    assert FACETS.has("1", teal) and FACETS.has("1", ash) and not FACETS.has("2", ash)
    assert FACETS.has("3", Facet("size", "medium", "medium"))
    assert not FACETS.has("3", Facet("size", "s", "S"))
    assert FACETS.has("4", Facet("colour", "绿色", "绿色"))


def test_that_a_choice_of_several_is_not_only_one_of_them() -> None:
    assert FACETS.only("2", "teal") is True
    assert FACETS.only("1", "teal") is False
    assert FACETS.only("5", "teal") is None


def test_that_labels_name_general_kinds_and_others_stay_themselves() -> None:
    assert [kind_of(x) for x in ("Color", "颜色", "Fabric", "Lining_type")] == [
        "colour", "colour", "material", "lining type",
    ]  # fmt: skip


def test_that_every_property_keeps_the_words_it_came_from() -> None:
    found = parse_constraints("a Teal satchel under $40", brands={}, facets=FACETS).constraints
    assert ("colour", "Teal") in found.words
    assert ("price", "under $40") in found.words
    assert found.as_dict()["facets"][0]["said"] == "Teal"


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.text(max_size=120)
    | st.text(alphabet="in size made of color M L 墨绿色材质的 teal", max_size=60)
)
def test_that_any_text_is_read_and_its_words_stand_in_it(text: str) -> None:
    for facet in FACETS.read(text):
        assert facet.said in text
