"""Cells as values: exact where certain, refused where not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.feeds.text import clean_line, clean_text
from db.feeds.values import (
    Unreadable,
    availability,
    category_path,
    currency_code,
    day,
    money_amount,
    rating_value,
    string_list,
)


@pytest.mark.parametrize(
    ("cell", "amount", "currency"),
    [
        ("250.0", "250.00", None),
        (Decimal("4.995"), "4.995", None),
        (899.0, "899.00", None),
        (1.234, "1.234", None),
        ("$1,234.50", "1234.50", None),
        ("1.234,56 €", "1234.56", "EUR"),
        ("1 234,56 kr", "1234.56", None),
        ("12,5 EUR", "12.50", "EUR"),
        ("1,999", "1999.00", None),
        ("1.234.567", "1234567.00", None),
        ("￥1,999.00", "1999.00", None),
        ("1999元", "1999.00", "CNY"),
        ("US$ 12", "12.00", "USD"),
        ("1.250 KWD", "1.25", "KWD"),
        ("129.00 usd", "129.00", "USD"),
        ("12.0000", "12.00", None),
    ],
)
def test_that_a_price_of_one_meaning_is_read_exactly(cell, amount, currency):
    read, named = money_amount(cell)
    assert read == Decimal(amount)
    assert named == currency
    assert -read.as_tuple().exponent >= 2


@pytest.mark.parametrize(
    "cell", ["free", "10-20", "3 for 10", "1.234", "12.5 apples", True, "NaN", "1e9999", "面议"]
)
def test_that_a_price_of_unclear_meaning_is_refused(cell):
    with pytest.raises(Unreadable, match="price"):
        money_amount(cell)


@pytest.mark.parametrize("cell", ["-3", -3, Decimal("-0.01"), "- 5.00", "-$4"])
def test_that_a_negative_price_is_refused_as_negative(cell):
    with pytest.raises(Unreadable, match="price is negative"):
        money_amount(cell)


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_that_any_amount_written_in_full_is_read_back_exactly(amount):
    assert money_amount(f"{amount:.2f}")[0] == amount
    assert money_amount(f"{amount:,.2f}")[0] == amount


@given(st.text(max_size=40))
def test_that_any_text_is_either_read_or_refused(text):
    try:
        amount, _ = money_amount(text)
    except Unreadable:
        return
    assert amount >= 0
    assert any(c.isdigit() for c in text)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("In Stock", True),
        ("out of stock", False),
        ("https://schema.org/OutOfStock", False),
        ("有货", True),
        ("已下架", False),
        ("Low Stock", True),
        ("10+", True),
        ("preorder", None),
        ("ask us", None),
        (False, False),
    ],
)
def test_that_words_about_stock_are_understood_or_left_open(word, said):
    assert availability(word) is said


@pytest.mark.parametrize(
    ("cell", "stars"),
    [
        ("4.5", 4.5),
        ("4.5/5", 4.5),
        ("4 out of 5 stars", 4.0),
        ("92%", None),
        (87, None),
        ("", None),
    ],
)
def test_that_a_rating_on_another_scale_is_not_guessed(cell, stars):
    assert rating_value(cell) == stars


def test_that_a_day_is_read_year_first_only():
    assert (
        day("2026/11/2") == day("2026年11月2日") == day("2026-11-02T10:00:00Z") == date(2026, 11, 2)
    )
    assert day("") is None
    with pytest.raises(Unreadable, match="2026-11-21"):
        day("11/12/2026")


def test_that_a_sign_of_several_currencies_names_none():
    assert [currency_code(sign) for sign in ("$", "¥", "kr")] == [None, None, None]
    assert [currency_code(sign) for sign in ("€", "cny", "元")] == ["EUR", "CNY", "CNY"]


@pytest.mark.parametrize(
    ("cell", "path"),
    [
        ("居家 > 床品件套", ("居家", "床品件套")),
        ("Home / Kitchen", ("Home", "Kitchen")),
        ("Ski/boarding", ("Ski/boarding",)),
        ("/shoes/running", ("shoes", "running")),
        (["A", {"name": "B"}], ("A", "B")),
        ({"id": 1, "name": "Phones"}, ("Phones",)),
        ("", ()),
    ],
)
def test_that_a_category_is_cut_only_where_it_is_a_path(cell, path):
    assert category_path(cell) == path


def test_that_a_list_is_read_from_text_lists_and_objects():
    assert string_list("a, b；a") == ("a", "b")
    assert string_list([{"name": "x"}, "y"]) == ("x", "y")


def test_that_html_becomes_its_words_without_scripts():
    text = clean_text("<p>Warm &amp; <b>light</b></p><ul><li>One<li>Two</ul><script>bad()</script>")
    assert text == "Warm & light\nOne\nTwo"


def test_that_a_comparison_sign_is_no_html():
    assert clean_text("Cable < 3 m and > 1 m") == "Cable < 3 m and > 1 m"
    assert clean_line("Tom &amp;\u200b  Jerry\n") == "Tom & Jerry"
