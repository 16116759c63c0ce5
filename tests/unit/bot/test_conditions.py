"""Conditions over goods: what they allow, and what is given up when nothing satisfies them all."""

from __future__ import annotations

from decimal import Decimal

from bot.catalogue import Catalogue
from bot.conditions import CHEAP, Conditions, filters_of, relaxations
from bot.understanding.constraints import Constraints, Facet
from db.records import Attribute, Money, Product, ProductId, Variant
from retrieval.values import Hit


def stool(pid: str, price: str, material: str, *colours: str) -> Product:
    return Product(
        id=ProductId(pid),
        title=f"Stool {pid}",
        price=Money(Decimal(price), "EUR"),
        attributes=(Attribute("Material", material),) if material else (),
        variants=tuple(Variant(c, options=(Attribute("Colour", c),)) for c in colours),
    )


GOODS = [
    stool("1", "20", "ash", "Teal", "Rust"),
    stool("2", "40", "elm", "Rust"),
    stool("3", "90", ""),
]
CONDITIONS = Conditions(Catalogue(GOODS))
HITS = [Hit(str(product.id), 1.0, n) for n, product in enumerate(GOODS, 1)]


def ids(constraints: Constraints) -> list[str]:
    return [hit.id for hit in CONDITIONS.having(HITS, constraints, HITS)]


def test_that_a_property_leaves_what_has_it() -> None:
    assert ids(Constraints(facets=(Facet("colour", "teal", "teal"),))) == ["1"]
    assert ids(Constraints(facets=(Facet("material", "elm", "elm"),))) == ["2"]
    assert ids(Constraints(facets=(Facet("colour", "plum", "plum"),))) == []


def test_that_a_property_of_which_nothing_is_stated_refuses_nothing() -> None:
    assert ids(Constraints(facets=(Facet("size", "large", "large"),))) == ["1", "2", "3"]
    assert ids(Constraints(facets=(Facet("foot", "felt", "felt", strict=False),))) == [
        "1",
        "2",
        "3",
    ]


def test_that_an_unwanted_choice_rules_out_only_what_has_no_other() -> None:
    unwanted = Constraints(words_none=("rust",))
    assert [p.id for p in GOODS if CONDITIONS.allows(str(p.id), unwanted)] == ["1", "3"]


def test_that_cheap_is_not_above_the_middle_of_its_likes() -> None:
    assert ids(Constraints(sort=CHEAP)) == ["1", "2"]


def test_that_one_condition_is_given_up_before_two() -> None:
    wished = Constraints(
        price_max=Decimal(30), brands=("Orlo",), facets=(Facet("colour", "teal", "teal"),)
    )
    names = [relaxed[0] for relaxed in relaxations(wished)]
    assert names[:3] == [("price",), ("brand",), ("colour",)]
    assert set(names[3:]) == {("price", "brand"), ("price", "colour"), ("brand", "colour")}
    without_colour = dict(relaxations(wished))[("colour",)]
    assert (without_colour.facets, without_colour.price_max) == ((), Decimal(30))


def test_that_a_condition_that_is_held_is_never_given_up() -> None:
    wished = Constraints(price_max=Decimal(20), in_stock=True)
    assert [names for names, _ in relaxations(wished, frozenset({"price"}))] == [("stock",)]


def test_that_an_index_is_asked_what_it_can_hold() -> None:
    filters = filters_of(Constraints(price_max=Decimal(5), categories=("Stools",)), exclude=("1",))
    assert (filters.price_max, filters.categories, filters.exclude_ids) == (
        Decimal(5), ("Stools",), ("1",),
    )  # fmt: skip
