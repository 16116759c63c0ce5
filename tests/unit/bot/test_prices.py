"""Prices in a shopper's words, however they are put."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding.numbers import digits
from bot.understanding.prices import currencies_said, merged, quantity_of, read_prices


def bounds(text: str) -> list[tuple[str | None, str | None]]:
    return [
        tuple(None if b is None else str(b) for b in (price.low, price.high))  # type: ignore[misc]
        for price in read_prices(digits(text))
    ]


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ("a hundred and fifty bucks max", None, "150"),
        ("1.5k tops", None, "1500.0"),
        ("under £1,000", None, "1000"),
        ("costing no more than forty euros", None, "40"),
        ("the price should be less than 25 please", None, "25"),
        ("my limit is 75", None, "75"),
        ("i can spend 45", None, "45"),
        ("no less than 50", "50", None),
        ("20 to 40 dollars", "20", "40"),
        ("price range 20-40", "20", "40"),
        ("priced from 30 to 90", "30", "90"),
        ("50ish", "30.0", "60.0"),
        ("一百五以内", None, "150"),
        ("两百块以内", None, "200"),
        ("两千五以下", None, "2500"),
        ("1万以内", None, "10000"),
        ("不要超过三百", None, "300"),
        ("100-200元", "100", "200"),
        ("八十块钱的", "48.0", "96.0"),
    ],
)
def test_that_a_price_in_any_wording_gives_its_bounds(
    said: str, low: str | None, high: str | None
) -> None:
    assert bounds(said) == [(low, high)]


@pytest.mark.parametrize(
    "said",
    [
        "for kids aged 3-8",
        "sizes 40-41",
        "a model from 2019",
        "over 20 pockets",
        "between 9 and 12 cups",
        "a voucher that is valid when the total price exceeds 75",
        "free shipping on orders over $50",
        "10 to 12 inches",
        "三到五天",
    ],
)
def test_that_an_age_a_year_a_count_or_a_voucher_is_no_price(said: str) -> None:
    assert bounds(said) == []


def test_that_every_price_of_a_list_is_read_in_order() -> None:
    text = "a lamp under $40, a rug priced between 60 and 90 dollars, and a desk over $150"
    assert bounds(text) == [(None, "40"), ("60", "90"), ("150", None)]


def test_that_two_bounds_that_fit_are_one_price() -> None:
    price = merged(read_prices("over $20 and under $60"))
    assert price is not None
    assert (price.low, price.high) == (Decimal(20), Decimal(60))
    assert merged([]) is None


def test_that_a_sum_for_several_is_told_from_a_price_each() -> None:
    (together,) = read_prices("2 chairs for under 200 together")
    (each,) = read_prices("2 chairs under 200")
    assert (together.total, each.total) == (True, False)


@pytest.mark.parametrize(
    ("said", "count"),
    [("2 camp chairs", 2), ("两条毛巾", 2), ("three lamps", 3), ("2 person tents", None),
     ("a lamp", None), ("80 dollars to spend", None), ("四件套", None), ("三个人用的", None)],
)  # fmt: skip
def test_that_pieces_are_counted_and_nothing_else(said: str, count: int | None) -> None:
    found = quantity_of(said)
    assert (found[0] if found else None) == count


AMOUNTS = st.integers(1, 99_999)
UPPER = st.sampled_from(
    [
        "under {}", "below ${}", "less than {} dollars", "up to ${:,}", "at most {} bucks", "max {}",
        "not more than {}", "nothing over ${}", "my budget is {}", "{} dollars or less", "{}元以内",
        "不超过{}块", "预算{}", "{}块以下", "can't spend more than {}", "priced under {} pesos",
    ]
)  # fmt: skip


@settings(derandomize=True, max_examples=300, deadline=None)
@given(amount=AMOUNTS, wording=UPPER)
def test_that_all_wordings_of_a_limit_are_one_limit(amount: int, wording: str) -> None:
    (price,) = read_prices(wording.format(amount))
    assert (price.low, price.high) == (None, Decimal(amount))


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789.,$€k-~ underovbtwadoluspice元块到以内一百万", max_size=40))
def test_that_prices_lie_where_they_were_said_and_never_overlap(text: str) -> None:
    found = read_prices(text)
    for price in found:
        assert price.said == text[price.start : price.end].strip()
        assert price.low is None or price.high is None or price.low <= price.high
    for left, right in zip(found, found[1:], strict=False):
        assert left.end <= right.start


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("under 50 euros", "EUR"),
        ("max €80", "EUR"),
        ("£40", "GBP"),
        ("50美元以内", "USD"),
        ("三百港币", "HKD"),
        ("200元以下", "CNY"),
        ("US$30", "USD"),
    ],
)
def test_that_a_currency_is_told_by_its_word_or_sign(said: str, code: str) -> None:
    assert currencies_said(said) == {code}


@pytest.mark.parametrize("said", ["under $50", "30 bucks", "40 dollars"])
def test_that_a_sign_that_several_currencies_share_may_mean_any_of_them(said: str) -> None:
    assert {"USD", "CAD"} <= currencies_said(said)
    assert "EUR" not in currencies_said(said)


@pytest.mark.parametrize("said", ["under 50", "around a hundred", "便宜的", ""])
def test_that_no_currency_is_none(said: str) -> None:
    assert currencies_said(said) == frozenset()
