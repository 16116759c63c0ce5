from __future__ import annotations

from decimal import Decimal

import pytest

from db.records import Attribute, Money, Product, ProductId, Variant
from retrieval.columns import ColumnsBuilder
from retrieval.filters import ProductTable
from retrieval.lexical import LexicalIndex
from retrieval.products import TEXT_STREAMS, product_fields
from retrieval.values import Filters


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


PRODUCTS = [
    Product(
        ProductId("tent"),
        "Green Tent",
        price=usd("249.99"),
        brand="OutdoorLiving",
        category=("Camping", "Tents"),
        rating=4.4,
        in_stock=True,
    ),
    Product(
        ProductId("bag"),
        "Bag",
        description="Made of faux leather.",
        price=usd("80"),
        brand="Gucci",
        category=("Bags",),
        in_stock=False,
    ),
    Product(
        ProductId("belt"),
        "Belt",
        description="Real leather",
        price=usd("20"),
        brand="gucci",
        rating=3.9,
        variants=(Variant("b1", options=(Attribute("Colour", "Dark Grey"),)),),
    ),
    Product(ProductId("zh"), "红色双肩包", category=("居家", "箱包"), rating=4.5),
]


@pytest.fixture(scope="module")
def parts() -> tuple[ProductTable, LexicalIndex]:
    fields = [product_fields(product) for product in PRODUCTS]
    columns = ColumnsBuilder()
    for product, told in zip(PRODUCTS, fields, strict=True):
        columns.add(product, told)
    table = ProductTable([columns.build()])
    return table, LexicalIndex.build(fields, streams=TEXT_STREAMS)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), ["tent", "bag", "belt", "zh"]),
        (Filters(price_max=Decimal("249.99")), ["tent", "bag", "belt"]),
        (Filters(price_max=Decimal("249.98")), ["bag", "belt"]),
        (Filters(price_min=Decimal("80.00")), ["tent", "bag"]),
        (Filters(rating_min=4.4), ["tent", "zh"]),
        (Filters(in_stock=True), ["tent"]),
        (Filters(in_stock=False), ["bag"]),
        (Filters(brands=("GUCCI",)), ["bag", "belt"]),
        (Filters(exclude_brands=("gucci",)), ["tent", "zh"]),
        (Filters(categories=("tents",)), ["tent"]),
        (Filters(categories=("Camping", "箱包")), ["tent", "zh"]),
        (Filters(categories=("Shoes",)), []),
        (Filters(ids=("belt", "gone")), ["belt"]),
        (Filters(exclude_ids=("belt",)), ["tent", "bag", "zh"]),
        (Filters(words_all=(("leather",),)), ["bag", "belt"]),
        (Filters(words_all=(("leather",),), words_none=("faux leather",)), ["belt"]),
        (Filters(words_none=("leather faux",)), ["tent", "bag", "belt", "zh"]),
        (Filters(words_all=(("dark gray", "green"),)), ["tent", "belt"]),
        (Filters(words_all=(("green",), ("tents",))), ["tent"]),
        (Filters(words_all=(("双肩包",),)), ["zh"]),
        (Filters(words_all=(("红",),)), ["zh"]),
        (Filters(words_all=(("肩双",),)), []),
        (Filters(words_all=(("",),)), []),
        (Filters(words_none=("",)), ["tent", "bag", "belt", "zh"]),
    ],
)
def test_that_a_mask_holds_exactly_the_conditions(
    parts: tuple[ProductTable, LexicalIndex], filters: Filters, expected: list[str]
) -> None:
    table, index = parts
    mask = table.mask(filters, index)
    assert [table.ids[at] for at in mask.nonzero()[0]] == expected


def test_that_a_phrase_does_not_run_from_one_field_into_the_next(
    parts: tuple[ProductTable, LexicalIndex],
) -> None:
    table, index = parts
    assert not table.mask(Filters(words_all=(("tent camping",),)), index).any()
