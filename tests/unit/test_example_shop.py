"""The example shop holds together: its goods, pictures, rules and orders agree with each other."""

from __future__ import annotations

import json
import re
import runpy
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bot.errors import ConfigError
from bot.example_shop import example_folder, example_orders, materialise
from db.feeds import read_comments, read_orders, read_policies, read_products
from db.feeds.text import match_key
from db.records import Document, Order, Product

TODAY = date(2026, 3, 1)
SHOP = example_folder()
# real houses whose goods such a shop might carry
REAL_BRANDS = re.compile(
    r"\b(?:le creuset|lodge|kitchenaid|ikea|yeti|stanley|thermos|coleman|pyrex|tefal|oxo|dyson|"
    r"bodum|hario|fellow|chemex|patagonia|osprey|tritan|teflon|velcro|visa|mastercard|paypal|"
    r"amex|american express|ups|fedex|usps|dhl|amazon|apple|samsung)\b",
    re.IGNORECASE,
)


def _lines(name: str) -> list[dict[str, Any]]:
    text = (SHOP / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


PRODUCTS = {row["id"]: row for row in _lines("products.jsonl")}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return materialise(tmp_path / "shop", tmp_path / "media", today=TODAY)


def test_that_the_catalogue_has_the_breadth_that_its_readme_states() -> None:
    readme = (SHOP.parent / "README.md").read_text(encoding="utf-8")
    rows = _lines("products.jsonl")
    categories = {row["category"] for row in rows}
    varied = [row for row in rows if "variants" in row]
    assert f"{len(rows)} products in {len(categories)} categories" in readme
    assert f"{len(varied)} of them with variants" in readme
    assert f"{len(_lines('comments.jsonl'))} comments" in readme
    assert f"{len(_lines('orders.template.jsonl'))} orders" in readme
    assert len(rows) >= 64
    assert len({category.split(" > ")[0] for category in categories}) >= 8
    assert len({row["brand"] for row in rows}) >= 8
    assert any(row["stock"] == 0 for row in rows)
    assert any(0 < row["stock"] < 5 for row in rows)
    assert any("rating" not in row for row in rows)


def test_that_ids_titles_and_article_numbers_are_unique() -> None:
    rows = _lines("products.jsonl")
    skus = [variant["sku"] for row in rows for variant in row.get("variants", ())]
    names = [row["id"] for row in rows] + skus
    assert len(set(names)) == len(names)
    assert len({match_key(row["title"]) for row in rows}) == len(rows)


@pytest.mark.parametrize("row", PRODUCTS.values(), ids=PRODUCTS)
def test_that_a_product_agrees_with_itself(row: dict[str, Any]) -> None:
    assert Decimal(4) <= Decimal(row["price"]) <= Decimal(400)
    assert row["currency"] == "USD"
    assert Decimal(row.get("compare_at_price", "999")) > Decimal(row["price"])
    assert 1 <= len(re.findall(r"[.!?](?:\s|$)", row["description"])) <= 4
    assert row["url"].startswith("https://example.com/")
    if variants := row.get("variants"):
        assert Decimal(row["price"]) == min(Decimal(v["price"]) for v in variants)
        assert row["stock"] == sum(v["stock"] for v in variants)
        for name, values in row["options"].items():
            assert list(dict.fromkeys(v["options"][name] for v in variants)) == values


def test_that_every_product_has_its_own_small_picture_without_scripts() -> None:
    named = {row["image"].removeprefix("/media/") for row in PRODUCTS.values()}
    drawn = {path.name: path for path in (SHOP / "media").iterdir()}
    assert named == set(drawn)
    for path in drawn.values():
        text = path.read_text(encoding="utf-8")
        assert len(text) < 3_000
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(text).iter()}
        assert tags <= {"svg", "rect", "ellipse", "path"}
        assert "href" not in text


def test_that_the_pictures_are_those_that_the_script_draws() -> None:
    script = runpy.run_path(str(SHOP.parent / "make_pictures.py"))
    for name, text in script["pictures"]():
        assert (SHOP / "media" / f"{name}.svg").read_text(encoding="utf-8") == text


def test_that_every_policy_has_a_title_and_sections() -> None:
    pages = sorted((SHOP / "policies").glob("*.md"))
    assert [page.stem for page in pages] == [
        "contact", "payment", "privacy", "returns", "shipping", "warranty",
    ]  # fmt: skip
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text.startswith("# ")
        assert len(re.findall(r"^## ", text, re.MULTILINE)) >= 5


def test_that_the_product_pages_state_the_warranty_of_the_warranty_page() -> None:
    page = (SHOP / "policies" / "warranty.md").read_text(encoding="utf-8")
    terms = dict(re.findall(r"^\| (.*?) \| (\d+ years?|No warranty)", page, re.MULTILINE))
    groups = {
        "Cast iron, enameled cast iron and knives": "cast iron|knife",
        "Furniture": "furniture",
        "Tents, camping gear, packs, coolers and picnic blankets": "skerry point|day pack",
        "Lamps, lanterns, kitchen appliances, electric kettles, scales, grinders and vacuums": (
            "lamp|lantern|appliances|electric kettle|scale|grinder|stick vacuum|lights"
        ),
        "Tea, candles and seeds": "loose leaf|candle|herb kit",
    }
    for row in PRODUCTS.values():
        material = row["attributes"].get("Material")
        words = f"{row['title']} {row['brand']} {row['category']} {material}".lower()
        group = next((g for g, told in groups.items() if re.search(told, words)), "Everything else")
        assert row["attributes"]["Warranty"] == terms[group], row["title"]


@pytest.mark.parametrize("order", _lines("orders.template.jsonl"), ids=lambda o: o["order_id"])
def test_that_an_order_adds_up_and_follows_the_shipping_rules(order: dict[str, Any]) -> None:
    goods = Decimal(0)
    large = False
    for item in order["items"]:
        row = PRODUCTS[item["product_id"]]
        sold = {v["sku"]: v for v in row.get("variants", ())}.get(item.get("sku"), row)
        assert "variants" not in sold, f"{order['order_id']} names no variant of {row['title']}"
        assert item["unit_price"] == sold["price"]
        assert item["title"].startswith(row["title"])
        goods += Decimal(item["unit_price"]) * item["quantity"]
        large |= "Shipping" in row["attributes"]
    method = order["shipping_method"]
    assert (method == "Large items") == large
    standard = "0.00" if goods >= 60 else "5.95"
    fees = {"Standard": standard, "Express": "14.95", "Alaska and Hawaii": "12.00"}
    assert order["shipping"] == fees.get(method, "39.00")
    assert Decimal(order["total"]) == goods + Decimal(order["shipping"])


DELIVERY_DAYS = {
    "Standard": (4, 7),
    "Express": (2, 3),
    "Alaska and Hawaii": (7, 12),
    "Large items": (7, 14),
}


@pytest.mark.parametrize("order", _lines("orders.template.jsonl"), ids=lambda o: o["order_id"])
def test_that_the_days_of_an_order_fit_its_status(order: dict[str, Any]) -> None:
    shipped, expected, delivered = (
        order[name] for name in ("shipped_on", "expected_on", "delivered_on")
    )
    assert order["ordered_on"] <= 0
    assert (order["tracking"] is None) == (shipped is None) == (expected is None)
    if order["status"] in ("processing", "cancelled"):
        assert shipped is None and delivered is None
        return
    shortest, longest = DELIVERY_DAYS[order["shipping_method"]]
    assert order["ordered_on"] < shipped < 0
    assert shortest <= expected - shipped <= longest
    if order["status"] in ("delivered", "returned"):
        assert shortest <= delivered - shipped <= longest
        assert delivered < 0
    else:
        assert delivered is None and expected >= 0
    assert order["status"] != "out for delivery" or expected == 0
    assert order["status"] != "returned" or delivered < order["returned_on"] <= delivered + 30


def test_that_all_states_occur_and_some_customers_came_back() -> None:
    orders = _lines("orders.template.jsonl")
    emails = [order["email"] for order in orders]
    assert {order["status"] for order in orders} == {
        "processing", "shipped", "out for delivery", "delivered", "cancelled", "returned",
    }  # fmt: skip
    assert len(emails) - len(set(emails)) >= 5
    assert len({order["order_id"] for order in orders}) == len(orders) == 40


def test_that_dates_are_counted_from_the_day_that_is_given() -> None:
    template = _lines("orders.template.jsonl")
    for today in (TODAY, TODAY + timedelta(days=365)):
        for order, dated in zip(template, example_orders(today), strict=True):
            for name, value in order.items():
                if name.endswith("_on") and value is not None:
                    assert date.fromisoformat(dated[name]) == today + timedelta(days=value)
                else:
                    assert dated[name] == value


def test_that_only_invented_people_brands_and_addresses_occur() -> None:
    texts = [p for p in SHOP.rglob("*") if p.suffix in (".jsonl", ".md")]
    for path in texts:
        text = path.read_text(encoding="utf-8")
        assert not REAL_BRANDS.search(text), f"{path.name}: {REAL_BRANDS.search(text)}"
        hosts = re.findall(r"(?:@|https?://)([\w.-]*\w)", text)
        assert set(hosts) <= {"example.com", "fernandkettle.example"}
        for number in re.findall(r"\(\d{3}\) \d{3}-\d{4}", text):
            assert re.fullmatch(r"\(312\) 555-01\d\d", number)


def test_that_every_row_can_be_imported(shop: Path) -> None:
    products = list(read_products(shop / "products.jsonl"))
    orders = list(read_orders(shop / "orders.jsonl"))
    comments = list(read_comments(shop / "comments.jsonl"))
    policies = list(read_policies(shop / "policies"))
    assert [type(record) for record in products] == [Product] * len(PRODUCTS)
    assert [type(record) for record in orders] == [Order] * 40
    assert {type(record) for record in comments + policies} == {Document}
    for comment in comments:
        assert isinstance(comment, Document) and comment.product_id in PRODUCTS


def test_that_an_imported_product_keeps_what_its_line_states(shop: Path) -> None:
    for product in read_products(shop / "products.jsonl"):
        assert isinstance(product, Product)
        row = PRODUCTS[product.id]
        assert product.title == row["title"]
        assert product.price is not None and product.price.amount == Decimal(row["price"])
        assert product.stock == row["stock"]
        assert product.in_stock is (row["stock"] > 0)
        assert product.rating == row.get("rating")
        assert product.category == tuple(row["category"].split(" > "))
        assert product.images == (row["image"],)
        told = {a.name: a.value for a in product.attributes}
        options = {name: ", ".join(values) for name, values in row.get("options", {}).items()}
        assert told == options | row["attributes"]


def test_that_laying_out_twice_moves_the_dates_and_nothing_else(shop: Path) -> None:
    before = {p.name: p.read_bytes() for p in shop.rglob("*") if p.is_file()}
    media = shop.parent / "media"
    again = materialise(shop, media, today=TODAY + timedelta(days=1))
    after = {p.name: p.read_bytes() for p in again.rglob("*") if p.is_file()}
    assert {name for name in before if before[name] != after[name]} == {"orders.jsonl"}
    assert before.keys() == after.keys()
    assert len(list(media.iterdir())) == len(PRODUCTS)


def test_that_a_missing_example_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.example_shop.__file__", "/nowhere/bot/example_shop.py")
    with pytest.raises(ConfigError, match="install shopbot again"):
        example_folder()


def test_that_an_installed_package_finds_the_example_inside_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "bot" / "examples" / "shop"
    inside.mkdir(parents=True)
    (inside / "orders.template.jsonl").touch()
    monkeypatch.setattr("bot.example_shop.__file__", str(tmp_path / "bot" / "example_shop.py"))
    assert example_folder() == inside
