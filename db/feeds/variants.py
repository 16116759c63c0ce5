"""The buyable forms of a product: their options, prices and stock.

Knows nothing about files or the product's other fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from db.feeds.attributes import dropped
from db.feeds.fields import guess, key_form
from db.feeds.text import clean_line, plain_value
from db.feeds.values import Unreadable, availability, name_of, stated, whole_number
from db.records import Attribute, Money, RejectedRow, Variant

_NAMES = {
    "id": ("id", "variantid", "itemid", "skuid", "sku"),
    "sku": ("sku", "skucode", "skuid", "商品编码"),
    "price": ("saleprice", "price", "retailprice", "amount", "价格", "售价"),
    "stock": (
        "stock", "quantity", "inventory", "inventoryquantity", "stockquantity", "number", "qty",
        "库存",
    ),
    "in_stock": ("instock", "available", "availability", "stockstatus", "isavailable", "库存状态"),
    "options": (
        "options", "attributes", "optionvalues", "specifications", "selectedoptions", "规格",
    ),
    "barcode": ("barcode", "ean", "gtin", "upc", "条码"),
    "title": ("title", "name", "名称"),
    "ignored": (
        "compareatprice", "position", "productid", "goodsid", "weight", "weightunit", "grams",
        "taxable", "requiresshipping", "image", "imageid", "url", "images",
    ),
}  # fmt: skip

WHERE = "\0where"
"""The key under which a variant that stood on a row of its own keeps that row's place."""

MoneyReader = Callable[[Mapping[str, Any], object, str], Money | None]
"""Reads (row, price cell, name of its column) as money; raises Unreadable."""


def read_variants(
    value: object,
    *,
    product_id: str,
    option_names: tuple[str, ...],
    money: MoneyReader,
    rejected: list[RejectedRow],
) -> tuple[tuple[Variant, ...], tuple[str, ...]]:
    """The variants of a list of objects, and what they are called: ids, SKUs, then barcodes.

    `option_names` name the values of variants that hold a bare list. A variant that stood on a
    row of its own and states a price that cannot be read is `rejected` alone, unless none is left.
    Raises Unreadable for such a variant of any other product.
    """
    if not isinstance(value, list):
        return (), ()
    variants: list[Variant] = []
    names: list[str] = []
    barcodes: list[str] = []
    for number, item in enumerate(value, 1):
        if not isinstance(item, dict):
            continue
        where = item.get(WHERE)
        try:
            made, is_named, barcode = _variant(item, f"{product_id}-{number}", option_names, money)
        except Unreadable as error:
            if where is None:
                raise
            rejected.append(RejectedRow(str(where), str(error)))
            continue
        variants.append(made)
        names += filter(None, (made.id if is_named else None, made.sku))
        barcodes += filter(None, (barcode,))
    if rejected and not variants:
        first = rejected.pop(0)
        raise Unreadable(first.reason)
    return tuple(variants), (*names, *barcodes)


def _variant(
    item: Mapping[str, Any], made_up: str, option_names: tuple[str, ...], money: MoneyReader
) -> tuple[Variant, bool, str]:
    """The variant, whether it states an id, and its barcode."""
    columns = guess(item, _NAMES)

    def cell(field: str) -> Any:
        return next((item[c] for c in columns.get(field, ()) if stated(item[c])), None)

    price_column = next((c for c in columns.get("price", ()) if stated(item[c])), "")
    stock, in_stock = stock_of(cell("stock"), cell("in_stock"))
    known = {column for hits in columns.values() for column in hits} | {WHERE}
    further = {k: v for k, v in item.items() if k not in known}
    sku = cell("sku")
    identity = cell("id")
    variant = Variant(
        id=clean_line(str(identity)) if identity is not None else made_up,
        sku=clean_line(str(sku)) if sku is not None else None,
        options=_options(cell("options"), further, option_names),
        price=money(item, item[price_column], price_column) if price_column else None,
        in_stock=in_stock,
        stock=stock,
    )
    return variant, identity is not None, clean_line(str(cell("barcode") or ""))


def stock_of(number: object, word: object) -> tuple[int | None, bool | None]:
    """(pieces, in stock) of a stock cell and an availability cell; a number outweighs a word."""
    if not stated(number):
        number = None
    if (count := whole_number(number)) is not None:
        return (count, count > 0) if count >= 0 else (None, False)
    if number is not None and (said := availability(number)) is not None:
        return None, said
    if not stated(word):
        return None, None
    if not isinstance(word, bool) and (count := whole_number(word)) is not None and count > 1:
        return count, True
    return None, availability(word)


def price_range(variants: tuple[Variant, ...]) -> tuple[Money | None, Money | None]:
    """The lowest price of the variants, and the highest where it differs.

    Raises Unreadable when they are in several currencies.
    """
    prices = [variant.price for variant in variants if variant.price is not None]
    if len({price.currency for price in prices}) > 1:
        raise Unreadable("variants are priced in several currencies: export one")
    if not prices:
        return None, None

    def amount(price: Money) -> Decimal:
        return price.amount

    low, high = min(prices, key=amount), max(prices, key=amount)
    return low, high if high.amount != low.amount else None


def _options(
    value: object, further: Mapping[str, Any], names: tuple[str, ...]
) -> tuple[Attribute, ...]:
    if isinstance(value, str):
        value = [value]
    if isinstance(value, dict):
        pairs = [(str(k), plain_value(v)) for k, v in value.items()]
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        pairs = [
            (str(item.get("name") or item.get("key") or ""), name_of({**item, "name": None}))
            for item in value
            if isinstance(item, dict)
        ]
    elif isinstance(value, list):
        labels = [*names, *(f"option {n}" for n in range(len(names) + 1, len(value) + 1))]
        pairs = [(label, plain_value(v)) for label, v in zip(labels, value, strict=False)]
    else:
        pairs = []
        for key, held in further.items():
            number = key_form(key).removeprefix("option")
            if number in {"1", "2", "3"} and int(number) <= len(names):
                pairs.append((names[int(number) - 1], plain_value(held)))
            elif not dropped(key) and not isinstance(held, bool | dict | list) and stated(held):
                pairs.append((key, plain_value(held)))
    return tuple(
        Attribute(clean_line(name), text)
        for name, text in pairs
        if clean_line(name) and text and text != "Default Title"
    )
