"""Conditions in a shopper's words."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding.constraints import (
    SAID_OTHERWISE,
    Constraints,
    Facet,
    brands_in,
    find_brand,
    parse_constraints,
)

BRANDS = {"ostrel": "Ostrel", "skerry point": "Skerry Point", "小米": "小米"}


def read(text: str) -> Constraints:
    return parse_constraints(text, brands=BRANDS).constraints


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ("a tent under $50", None, "50"),
        ("less than 300 dollars", None, "300"),
        ("not more than $1,299.99", None, "1299.99"),
        ("max 2k", None, "2000"),
        ("budget: 100", None, "100"),
        ("my budget is 100", None, "100"),
        ("100 dollars budget", None, "100"),
        ("I have 80 dollars to spend", None, "80"),
        ("price <100", None, "100"),
        ("£20 or less", None, "20"),
        ("less than two hundred bucks", None, "200"),
        ("over $100", "100", None),
        ("at least 30 dollars", "30", None),
        ("between 50 and 100", "50", "100"),
        ("between $100 and $50", "50", "100"),
        ("between fifty and one hundred dollars", "50", "100"),
        ("between $9.99 and $19.99", "9.99", "19.99"),
        ("$20-$40", "20", "40"),
        ("from 100 to 200", "100", "200"),
        ("over 50 and under 100", "50", "100"),
        ("about $100", "60.0", "120.0"),
        ("100元以内", None, "100"),
        ("三百以下", None, "300"),
        ("不超过200", None, "200"),
        ("预算500", None, "500"),
        ("五十到一百块", "50", "100"),
        ("200以上的", "200", None),
        ("200左右", "120.0", "240.0"),
    ],
)
def test_that_price_words_give_the_price(said: str, low: str | None, high: str | None) -> None:
    found = read(said)
    assert (found.price_min, found.price_max) == (
        None if low is None else Decimal(low),
        None if high is None else Decimal(high),
    )


@pytest.mark.parametrize(
    "said",
    [
        "I don't want to spend more than 80",
        "I don’t want to pay over $80",
        "nothing over 80",
        "nothing costing more than 80",
        "can't go above 80",
        "not above eighty",
    ],
)
def test_that_a_denied_lower_bound_is_an_upper_one(said: str) -> None:
    found = read(said)
    assert (found.price_min, found.price_max) == (None, Decimal(80))


@pytest.mark.parametrize(
    "said",
    [
        "within 30 days",
        "within 5 days",
        "up to 10 people",
        "more than 2 people",
        "under 5 lbs",
        "no more than 40 kg",
        "at least 12 cups",
        "up to 60 ft",
        "under 20% off",
        "over 45 minutes",
        "a tent for 4 people",
        "at least 650 lumens",
    ],
)
def test_that_a_size_or_a_count_is_no_price(said: str) -> None:
    found = read(said)
    assert (found.price_min, found.price_max) == (None, None)


@pytest.mark.parametrize(
    ("said", "stars"),
    [("at least 4 stars", 4.0), ("4.5 stars and up", 4.5), ("四星以上", 4.0), ("10 stars", None)],
)
def test_that_stars_give_the_rating(said: str, stars: float | None) -> None:
    assert read(said).rating_min == stars


def test_that_only_what_is_in_stock_is_a_condition_and_a_question_is_not() -> None:
    assert read("only in stock please").in_stock is True
    assert read("有现货的").in_stock is True
    assert read("is it in stock?").in_stock is None


@pytest.mark.parametrize(
    "said", ["not from Ostrel", "no Ostrel please", "anything but Ostrel", "except ostrell"]
)
def test_that_a_brand_can_be_ruled_out(said: str) -> None:
    found = read(said)
    assert (found.brands, found.exclude_brands) == ((), ("Ostrel",))


@pytest.mark.parametrize("said", ["from Ostrel", "an OSTREL press", "by Ostrell"])
def test_that_a_brand_can_be_asked_for(said: str) -> None:
    assert read(said).brands == ("Ostrel",)


def test_that_a_chinese_brand_is_found_inside_a_sentence() -> None:
    assert read("我要小米的").brands == ("小米",)
    assert read("不要小米").exclude_brands == ("小米",)


def test_that_a_brand_inside_another_word_is_none() -> None:
    assert brands_in("nostrels", BRANDS) == []
    assert find_brand("xyz", BRANDS) is None


def test_that_words_can_be_ruled_out() -> None:
    assert read("without leather").words_none == ("leather",)
    assert read("not the black one").words_none == ("black",)
    assert read("not too heavy").words_none == ()


@pytest.mark.parametrize(
    ("said", "sort"),
    [
        ("cheapest kettle", "price_asc"),
        ("最贵的", "price_desc"),
        ("best-rated lamp", "rating_desc"),
        ("a lamp", ""),
    ],
)
def test_that_superlatives_order(said: str, sort: str) -> None:
    assert read(said).sort == sort


@pytest.mark.parametrize(
    ("said", "relative"),
    [("anything cheaper?", ("cheaper",)), ("便宜点的", ("cheaper",)), ("更贵的", ("dearer",))],
)
def test_that_comparatives_are_told_apart_from_conditions(
    said: str, relative: tuple[str, ...]
) -> None:
    parsed = parse_constraints(said, brands=BRANDS)
    assert parsed.relative == relative
    assert parsed.constraints.empty


def test_that_the_words_of_a_condition_are_taken_from_the_search() -> None:
    parsed = parse_constraints("a tent under $300 from 4 stars", brands=BRANDS)
    assert parsed.rest == "a tent from"
    assert ("price", "under $300") in parsed.constraints.words


def test_that_words_that_cannot_be_said_again_are_kept_as_such() -> None:
    assert read("a tent, I don't want to spend more than 80").words == (
        (SAID_OTHERWISE, "don't want to spend more than 80"),
    )


def test_that_later_conditions_revise_earlier_ones() -> None:
    first = read("under $100 from Ostrel without leather")
    revised = first.updated(read("over $20, not Ostrel, without wool"))
    assert (revised.price_min, revised.price_max) == (Decimal(20), None)
    assert revised.brands == ()
    assert revised.exclude_brands == ("Ostrel",)
    assert revised.words_none == ("leather", "wool")


def test_that_conditions_survive_as_json() -> None:
    found = read("between 50 and 99.50 from Ostrel, 4 stars, only in stock, without wool, cheapest")
    assert Constraints.from_dict(json.loads(json.dumps(found.as_dict()))) == found
    assert not found.empty
    assert Constraints.from_dict({}) == Constraints()
    assert Constraints().empty


PRICES = st.decimals(1, 99_999, places=2).map(lambda d: d.quantize(Decimal("0.01")))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(price=PRICES, words=st.sampled_from(["under ${}", "less than {} dollars", "up to ${:,}"]))
def test_that_any_price_said_is_the_price_read(price: Decimal, words: str) -> None:
    assert read(f"a lamp {words.format(price)} please").price_max == price


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            "under over between and to from not no without nothing about $ 5 30 1,2 99.99 k 元 "
            "以下 百 stars ostrel skerry point 不要 小米 , . - cheaper hundred one".split()
        ),
        max_size=14,
    )
)
def test_that_condition_words_in_any_order_are_read_without_failing(words: list[str]) -> None:
    for text in (" ".join(words), "".join(words)):
        found = read(text)
        assert Constraints.from_dict(found.as_dict()) == found


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_that_any_text_is_read_without_failing(text: str) -> None:
    parsed = parse_constraints(text, brands=BRANDS)
    assert parsed.constraints.price_max is None or parsed.constraints.price_max >= 0


LIMITS = st.builds(
    "{} {}".format,
    st.sampled_from(["under", "over", "less than", "at most", "around", "between 1 and"]),
    st.integers(2, 99_999),
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(first=LIMITS, second=LIMITS)
def test_that_the_price_said_later_is_the_one_that_stands(first: str, second: str) -> None:
    later = read(second)
    revised = read(first).updated(later)
    assert (revised.price_min, revised.price_max) == (later.price_min, later.price_max)
    assert [pair for pair in revised.words if pair[0] == "price"] == list(later.words)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(limit=LIMITS, thing=st.sampled_from(["a lamp", "kettles", "some wool blankets"]))
def test_that_the_words_of_a_price_are_no_part_of_what_is_searched(limit: str, thing: str) -> None:
    for said in (f"{thing} {limit}", f"{thing} {limit} dollars please"):
        rest = parse_constraints(said, brands=BRANDS).rest
        assert rest.startswith(thing)
        assert not any(char.isdigit() for char in rest)


def test_that_a_sum_for_several_is_shared_between_them() -> None:
    found = read("3 lamps for under 100 together")
    assert (found.total, found.quantity, found.price_max) == (Decimal(100), 3, Decimal("33.33"))
    assert ("quantity", "3") in found.words


def test_that_a_property_said_later_takes_the_place_of_the_one_before() -> None:
    teal, ash = Facet("colour", "teal", "teal"), Facet("colour", "ash", "in ash")
    oak = Facet("material", "oak", "oak")
    revised = Constraints(facets=(teal, oak), words=(("colour", "teal"), ("material", "oak")))
    revised = revised.updated(Constraints(facets=(ash,), words=(("colour", "in ash"),)))
    assert revised.facets == (oak, ash)
    assert revised.words == (("material", "oak"), ("colour", "in ash"))
    assert revised.updated(Constraints(words_none=("ash",))).facets == (oak,)


def test_that_services_are_noted_and_ask_nothing_of_a_product() -> None:
    found = read("a lamp with free delivery, cash on delivery")
    assert found.services == ("free_shipping", "cash_on_delivery")
    assert found.empty
