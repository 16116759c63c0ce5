"""Pages, policies, comments and orders."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from db.feeds import FeedError, parse_page, read_comments, read_orders, read_pages, read_policies
from db.records import Attribute, Document, Order, OrderItem, Product, RejectedRow

FEEDS = Path(__file__).parents[2] / "fixtures" / "feeds"


def test_that_a_page_tells_its_specs_ratings_and_keys():
    page = next(p for p in read_pages(FEEDS / "pages") if p.where == "lamp_1.md")
    assert [(a.name, a.value) for a in page.attributes] == [
        ("Weight", "1.2 lbs"),
        ("Cord", "6 ft"),
        ("Bulb", "LED"),
        ("Switch", "Touch"),
    ]
    assert (page.rating, page.rating_count) == (4.25, 2)
    assert page.ids == ("L1", "lamp_1", "1")
    assert "reading lamp & clip" in page.titles


def test_that_a_page_adds_only_what_the_feed_leaves_open():
    page = parse_page(
        "# Lamp\n## Brand\nPageBrand\n## Specs\n- Colour: red\n- Weight: 1 kg\n"
        "## Reviews\nRating: 3\n",
        name="lamp",
        where="lamp.md",
    )
    stated = Product(
        "1", "Lamp", brand="FeedBrand", rating=4.0, attributes=(Attribute("Colour", "blue"),)
    )
    got, document = page.joined(stated)
    assert (got.brand, got.rating, got.rating_count) == ("FeedBrand", 4.0, None)
    assert got.attributes == (Attribute("Colour", "blue"), Attribute("Weight", "1 kg"))
    assert (document.product_id, document.source) == ("1", "page")
    bare, _ = page.joined(Product("1", "Lamp"))
    assert (bare.brand, bare.rating, bare.rating_count) == ("PageBrand", 3.0, 1)
    assert page.parted(bare) == Product("1", "Lamp", brand="PageBrand")


def test_that_prose_and_other_sections_are_no_specs():
    page = parse_page(
        "# Lamp\n## Features\n- **Bright**: very\n## Technical details\nHere they are:\n"
        "### Warranty\n**Period:** 1 year\n",
        name="lamp",
        where="lamp.md",
    )
    assert page.attributes == ()
    assert page.rating is None


def test_that_policies_are_read_whole_and_an_empty_one_is_rejected():
    empty, returns = read_policies(FEEDS / "policies")
    assert empty == RejectedRow("empty.md", "is empty")
    assert returns == Document(
        "returns", "policy", "Returns", "# Returns\n\nSend it back within 30 days.\n"
    )


def test_that_a_folder_without_policies_is_refused(tmp_path):
    with pytest.raises(FeedError, match="no Markdown page"):
        list(read_policies(tmp_path))


def test_that_comments_are_texts_without_people_and_stars():
    first, second, empty, last = read_comments(FEEDS / "comments.jsonl")
    assert first == Document("L1-comment-1", "comment", "", "Bright & small", "L1")
    assert (second.product_id, last.id) == ("L9", "L2-comment-1")
    assert empty == RejectedRow("comments.jsonl line 3", "has no text")


def test_that_an_order_keeps_what_it_states_and_a_bad_one_is_rejected():
    records = list(read_orders(FEEDS / "orders.csv"))
    (order,) = (record for record in records if isinstance(record, Order))
    rejected = [record for record in records if isinstance(record, RejectedRow)]
    assert order == Order(
        id="A-1",
        email="ann@example.com",
        ordered_on=date(2026, 11, 2),
        items=(OrderItem("L1", "Reading Lamp", 2, Decimal("29.50")),),
        shipping=Decimal("0.00"),
        total=Decimal("59.00"),
        currency="USD",
        status="shipped",
        extra=(Attribute("gift_note", "Happy birthday"),),
    )
    assert [row.where for row in rejected] == ["orders.csv line 3", "orders.csv line 4"]
    assert "date cannot be read" in rejected[0].reason
    assert "neither email nor phone" in rejected[1].reason


def test_that_one_line_for_each_item_is_one_order(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "order_id,phone,product_id,title,quantity,price,card_number\n"
        "A,555,1,Lamp,1,5,4111\nA,555,2,Bulb,3,2,4111\nB,556,1,Lamp,1,5,4111\nA,555,1,Lamp,1,5,4\n"
    )
    first, second, again = read_orders(path)
    assert [(item.title, item.quantity) for item in first.items] == [("Lamp", 1), ("Bulb", 3)]
    assert second.id == "B"
    assert first.extra == ()
    assert again == RejectedRow("orders.csv line 5", "order A already stands at orders.csv line 2")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ('"items": "a lamp"', "items cannot be read"),
        ('"items": [{"quantity": 1}]', "names no product"),
        ('"items": [{"id": 1, "quantity": 0}]', "quantity cannot be read"),
        ('"total": "a lot"', "cannot be read"),
        ('"currency": "gold"', "currency is not known"),
    ],
)
def test_that_an_order_of_unclear_meaning_is_rejected(tmp_path, cells, reason):
    path = tmp_path / "orders.jsonl"
    path.write_text(f'{{"order_id": "A", "email": "a@example.com", {cells}}}\n')
    (rejected,) = read_orders(path)
    assert reason in rejected.reason
