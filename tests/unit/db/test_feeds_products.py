"""Rows as products: what the feed states, nothing it does not."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.feeds import FeedError, parse_map, read_orders, read_products
from db.feeds.fields import Columns
from db.feeds.products import ProductReader
from db.feeds.rows import Row
from db.records import Attribute, Document, Money, Order, Product, RejectedRow

FEEDS = Path(__file__).parents[2] / "fixtures" / "feeds"


def read(cells, *, mapping=None, currency="USD"):
    reader = ProductReader(columns=Columns(mapping), currency=currency)
    return next(iter(reader.read(Row("feed line 1", cells))))


def product(**cells):
    return read({"id": "1", "title": "Lamp", **cells})


def values(product):
    return {attribute.name: attribute.value for attribute in product.attributes}


def test_that_a_csv_gives_its_good_rows_and_the_reasons_of_the_bad():
    records = list(read_products(FEEDS / "lamps.csv", currency="USD"))
    clip, desk = (r for r in records if isinstance(r, Product))
    assert clip == Product(
        id="L1",
        title="Reading Lamp & Clip",
        description="A lamp with a clip.\nBends both ways.",
        price=Money(Decimal("29.50"), "USD"),
        compare_at=Money(Decimal("39.00"), "USD"),
        in_stock=True,
        stock=4,
        brand="Brightly",
        category=("Home", "Lamps"),
        attributes=(Attribute("material", "Steel"),),
    )
    assert (desk.in_stock, desk.stock, desk.description) == (False, 0, "Warm light.")
    assert [r for r in records if isinstance(r, RejectedRow)] == [
        RejectedRow(
            "lamps.csv line 5", "price is negative: -3 (write one number, or leave it empty)"
        ),
        RejectedRow("lamps.csv line 6", "has no title: give it one"),
    ]


def test_that_a_json_api_product_keeps_labels_and_loses_reviewers():
    mug, review, tin = read_products(FEEDS / "store.json", currency="EUR")
    assert mug.price == Money(Decimal("12.50"), "EUR")
    assert (mug.rating, mug.tags) == (4.25, ("mug", "steel"))
    assert mug.aliases == ("MUG-7", "5784719087687")
    assert values(mug) == {
        "discountPercentage": "10.48",
        "sku": "MUG-7",
        "dimensions": "width: 8.1\nheight: 20",
        "warrantyInformation": "2 year warranty",
        "width": "8.1",
        "height": "20",
    }
    assert review == Document("7-review-1", "comment", "Travel Mug", "Leaks a bit", "7")
    assert (tin.price, tin.in_stock, tin.rating, tin.category) == (None, None, None, ("Kitchen",))


def test_that_a_stock_number_outweighs_a_word():
    mug = next(iter(read_products(FEEDS / "store.json", currency="EUR")))
    assert (mug.stock, mug.in_stock) == (0, False)
    assert "availabilityStatus" not in values(mug)


def test_that_options_with_prices_become_variants_and_a_range():
    pillow, old = read_products(FEEDS / "goods.jsonl", currency="CNY")
    assert (pillow.price, pillow.price_to) == (
        Money(Decimal("99.00"), "CNY"),
        Money(Decimal("119.00"), "CNY"),
    )
    assert pillow.compare_at == Money(Decimal("129.00"), "CNY")
    assert (pillow.in_stock, pillow.stock, pillow.brand) == (True, None, None)
    assert pillow.variants[1].options == (Attribute("颜色", "灰"), Attribute("规格", "标准"))
    assert [variant.in_stock for variant in pillow.variants] == [False, True]
    assert values(pillow) == {"材质": "棉麻", "颜色": "米白, 灰", "规格": "标准"}
    assert pillow.category == ("居家", "软装")
    assert (old.in_stock, old.stock) == (False, None)


def test_that_a_shop_which_marks_reductions_by_on_sale_keeps_its_stock_open():
    assert product(on_sale=False, price="5").in_stock is None


@pytest.mark.parametrize(
    ("cells", "stock", "in_stock"),
    [
        ({}, None, None),
        ({"quantity": "1,200"}, 1200, True),
        ({"stock": "-2"}, None, False),
        ({"stock": "有货"}, None, True),
        ({"available": 12}, 12, True),
        ({"in_stock": "false"}, None, False),
        ({"availability": "preorder"}, None, None),
        ({"stock": "", "availability": "in stock"}, None, True),
    ],
)
def test_that_stock_is_what_the_feed_states(cells, stock, in_stock):
    got = product(**cells)
    assert (got.stock, got.in_stock) == (stock, in_stock)


def test_that_a_reduced_price_is_paid_and_the_full_one_compared():
    got = product(price="50", sale_price="40")
    assert (got.price.amount, got.compare_at.amount) == (Decimal(40), Decimal(50))
    assert product(price="50", sale_price="").price.amount == Decimal(50)
    dated = product(price="50", sale_price="40", sale_price_effective_date="2026-01-01/2026-02-01")
    assert dated.price.amount == Decimal(50)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"id": "", "title": "A"}, "has no id"),
        ({"title": "A"}, "has no id"),
        ({"id": "1", "title": " &nbsp; "}, "has no title"),
        ({"id": "1", "title": "A", "price": "call us"}, "price cannot be read: call us"),
        ({"id": "1", "title": "A", "price": "5", "currency": "shells"}, "currency is not known"),
        ({"id": "1", "title": "A" * 2000}, "title is longer than"),
        ({"id": "1", "title": "A", "note": "x" * 1_000_001}, "note is longer than"),
    ],
)
def test_that_a_row_is_rejected_with_its_reason(cells, reason):
    rejected = read(cells)
    assert isinstance(rejected, RejectedRow)
    assert rejected.where == "feed line 1"
    assert reason in rejected.reason


def test_that_a_price_without_currency_needs_one_and_the_feed_has_the_last_word():
    row = {"id": "1", "title": "A", "price": "$5"}
    assert "--currency" in read(row, currency=None).reason
    assert read(row).price.currency == "USD"
    assert read({**row, "price": "5 €"}).price.currency == "EUR"
    assert read({**row, "currency": "cad"}, currency=None).price.currency == "CAD"
    assert read({"id": "1", "title": "A", "Price (GBP)": "5"}, currency=None).price == Money(
        Decimal("5.00"), "GBP"
    )


def test_that_a_missing_price_is_none():
    assert product(price="").price is None
    assert product(price="N/A").price is None


def test_that_brand_and_model_make_a_title():
    assert read({"product_id": "1", "brand": "Acme", "model": "Lamp 2"}).title == "Acme Lamp 2"


def test_that_the_feeds_id_comes_before_its_sku():
    got = read({"sku": "S-1", "ID": 7, "title": "A"})
    assert (got.id, got.aliases) == ("7", ("S-1",))
    assert read({"sku": "S-1", "title": "A"}).id == "S-1"


def test_that_variants_with_own_ids_are_aliases():
    got = product(
        variants=[
            {"item_id": "V1", "options": {"size": "S"}, "available": False, "price": 9.5},
            {"item_id": "V2", "size": "M", "available": True, "price": 12, "barcode": "123"},
        ]
    )
    assert got.aliases == ("V1", "V2", "123")
    assert (got.price.amount, got.price_to.amount) == (Decimal("9.50"), Decimal(12))
    assert got.variants[1].options == (Attribute("size", "M"),)
    assert values(got) == {"size": "S, M"}


def test_that_minor_units_are_divided_only_by_the_map():
    row = {"id": "1", "title": "A", "price_cents": 4995}
    assert read(row).price is None
    assert read(row, mapping={"price": "price_cents/100"}).price.amount == Decimal("49.95")


def test_that_the_map_outweighs_any_guess_and_reaches_into_objects():
    row = {"id": "1", "title": "Code 7", "label": "Lamp", "price": "1", "offer": {"eur": "2"}}
    got = read(row, mapping={"title": "label", "price": "offer.eur"})
    assert (got.title, got.price.amount) == ("Lamp", Decimal(2))


@pytest.mark.parametrize("entry", ["price", "=x", "price=", "pirce=cost", "price=cents/0"])
def test_that_a_wrong_map_is_refused(entry):
    with pytest.raises(FeedError, match="--map"):
        parse_map([entry])


def test_that_a_map_to_a_missing_column_names_those_there_are():
    with pytest.raises(FeedError, match=r"no column 'cents'.*material"):
        list(read_products(FEEDS / "lamps.csv", mapping={"price": "cents/100"}, currency="USD"))


def test_that_a_feed_without_id_and_title_asks_for_a_map(tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(FeedError, match="--map id="):
        list(read_products(path))


def test_that_a_second_row_of_one_id_is_rejected_with_its_texts(tmp_path):
    path = tmp_path / "twice.jsonl"
    path.write_text('{"id": 1, "name": "A"}\n{"id": 1, "name": "B", "reviews": ["good"]}\n')
    first, second = read_products(path)
    assert first.title == "A"
    assert second == RejectedRow(
        "twice.jsonl line 2",
        "id 1 already stands at twice.jsonl line 1: give each product an id of its own",
    )


def test_that_people_costs_and_machinery_never_become_attributes():
    got = product(
        cost="3", reviewerEmail="a@example.com", supplier_contact="a@example.com",
        updated_at="2025-01-01", loaded="2025-04-30T09:41:02.053Z", qr="https://example.com/x.png",
        finish="matt",
    )  # fmt: skip
    assert values(got) == {"finish": "matt"}


def test_that_specs_are_unfolded_however_they_are_written():
    assert values(product(specs={"Weight": "2 kg", "Ports": {"USB": 2}})) == {
        "Weight": "2 kg", "Ports": "USB: 2", "USB": "2",
    }  # fmt: skip
    assert values(product(attributes=[{"name": "Colour", "value": "Red"}])) == {"Colour": "Red"}
    assert values(product(features=["Dims", "Folds"])) == {"features": "Dims, Folds"}


def test_that_a_long_value_is_a_page_of_its_product():
    reader = ProductReader(columns=Columns(), currency=None)
    manual = "先关闭电源。" * 100
    lamp, page = reader.read(Row("x", {"id": "1", "title": "灯", "安装说明": manual}))
    assert lamp.attributes == ()
    assert (page.id, page.source, page.product_id) == ("1-details", "page", "1")
    assert page.markdown == f"# 灯\n\n## 安装说明\n\n{manual}\n"


def test_that_only_web_addresses_are_links():
    got = product(url="javascript:alert(1)", images=["https://example.com/a.png", "x.png"])
    assert (got.url, got.images) == (None, ("https://example.com/a.png",))


def test_that_a_rating_object_is_read_and_an_unrated_product_has_none():
    assert product(rating={"rate": 3.9, "count": 120}).rating == 3.9
    assert product(rating={"rate": 3.9, "count": 120}).rating_count == 120
    assert product(average_rating="0.00", rating_count=0).rating is None


CELLS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "value", "price", "id", "stock", "text"]), inner)
    ),
    max_leaves=6,
)
COLUMNS = (
    "id title price sale_price list_price currency brand category description stock in_stock "
    "rating rating_count reviews url images tags variants options attributes sku barcode "
    "meta on_sale note"
).split()


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(COLUMNS), CELLS, min_size=1))
def test_that_any_row_is_read_or_rejected_and_never_stops_the_import(cells):
    reader = ProductReader(columns=Columns(), currency="USD")
    records = list(reader.read(Row("x", {"id": "1", "title": "Lamp", **cells})))
    assert isinstance(records[0], Product | RejectedRow)


ORDER_COLUMNS = (
    "order_id email phone date items shipping total currency status carrier shipped_on note id"
).split()


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(st.sampled_from(ORDER_COLUMNS), CELLS, min_size=1))
def test_that_any_order_is_read_or_rejected(tmp_path, cells):
    path = tmp_path / "orders.jsonl"
    path.write_text(json.dumps({"order_id": "A", **cells}, default=str) + "\n", encoding="utf-8")
    (record,) = read_orders(path)
    assert isinstance(record, Order | RejectedRow)
