"""Product exports with a row for each variant: Shopify, by `Handle`, and Spree, by `slug`.

The first row of a product has its texts, every row with an option or a price is a variant, and
further rows may hold only a picture. Knows nothing about files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from db.feeds.rows import Row
from db.feeds.sheets import Sheet, choices, merged, variant
from db.feeds.values import stated, truth, whole_number
from db.records import RejectedRow

_SHOPIFY_DROPPED = re.compile(
    r"option\d(?:name|value|linkedto)|variant.*|image(?:src|position|alttext)|productimageurl|"
    r"giftcard|seo.*|published.*|status|sku|barcode|price|compareatprice|chargetax|taxcode|"
    r"inventory.*|continuesellingwhenoutofstock|weight(?:value|unit)grams|weightunitfordisplay|"
    r"requiresshipping|fulfillmentservice|costperitem|unitprice.*|price\w.*|compareatprice.*|"
    r"included\w.*|googleshopping(?:mpn|adwords.*|custom.*|.*productcategory)|collection"
)
_SPREE_DROPPED = re.compile(
    r"option\d+(?:name|value)|image\d+src|sku|price|compareatprice|status|meta.*|taxcategory|"
    r"availableon|discontinueon|inventory.*|trackinventory|category\d+|shippingcategory|digital"
)
_OPTION = re.compile(r"option(\d)(?:name|value)")
_LABEL = re.compile(r"\s*\(product\.metafields\..*\)$|^customfield\.custom\.|^custom_field\.\w+\.")


class Shopify:
    """The product CSV of Shopify, with the column names of either of its versions."""

    name = "shopify-csv"

    def fits(self, forms: frozenset[str]) -> bool:
        keyed = bool(forms & {"handle", "urlhandle"})
        return (
            keyed
            and "title" in forms
            and bool(forms & {"variantprice", "variantsku", "option1value"})
        )

    def place(self, sheet: Sheet) -> tuple[str | None, list[str]]:
        return sheet.text("handle", "urlhandle") or None, []

    def product(self, rows: list[Sheet]) -> Iterator[Row | RejectedRow]:
        head = rows[0]
        if (hidden := _hidden(head)) is not None:
            yield RejectedRow(head.where, hidden)
            return
        names = [head.text(f"option{n}name") for n in (1, 2, 3)]
        items = []
        for sheet in rows:
            values = [sheet.text(f"option{n}value") for n in (1, 2, 3)]
            price = sheet.price("variantprice", "price")
            if price is None and not any(values):
                continue  # a further picture
            count = sheet.cell("variantinventoryqty", "inventoryquantity")
            policy = sheet.text("variantinventorypolicy", "continuesellingwhenoutofstock")
            tracked = sheet.text("variantinventorytracker", "inventorytracker")
            number = whole_number(count)
            untracked = number is not None and number <= 0 and not tracked
            if policy.casefold() in {"continue", "true"} and number is not None and number <= 0:
                stock, in_stock = None, True
            else:
                stock, in_stock = None if untracked else count, None
            options = {n: v for n, v in zip(names, values, strict=True) if n and v}
            items.append(
                variant(
                    sheet,
                    sku=sheet.text("variantsku", "sku").lstrip("'") or None,
                    barcode=sheet.text("variantbarcode", "barcode").lstrip("'") or None,
                    price=price,
                    compareatprice=sheet.cell("variantcompareatprice", "compareatprice"),
                    stock=stock,
                    in_stock=in_stock,
                    options={} if options == {"Title": "Default Title"} else options,
                )
            )
        cells = merged(rows, drop=lambda form: bool(_SHOPIFY_DROPPED.fullmatch(form)))
        yield Row(head.where, _assembled(cells, head, rows, items, "handle", "urlhandle"))


class Spree:
    """The product CSV of Spree; the row without options is the product itself."""

    name = "spree-csv"

    def fits(self, forms: frozenset[str]) -> bool:
        return {"slug", "sku", "name", "price", "option1name", "option1value"} <= forms

    def place(self, sheet: Sheet) -> tuple[str | None, list[str]]:
        return sheet.text("slug") or None, []

    def product(self, rows: list[Sheet]) -> Iterator[Row | RejectedRow]:
        head = rows[0]
        if (hidden := _hidden(head)) is not None:
            yield RejectedRow(head.where, hidden)
            return
        found = [(sheet, _spree_options(sheet)) for sheet in rows]
        if any(options for _, options in found):
            found = [(sheet, options) for sheet, options in found if options]
        currency = head.text("currency") or None
        items = []
        for sheet, options in found:
            price = sheet.price("price")
            code = sheet.text("currency") or currency
            ordered = truth(sheet.text("inventorybackorderable"))
            untracked = truth(sheet.text("trackinventory")) is False
            count = sheet.cell("inventorycount")
            number = whole_number(count)
            free = (ordered or untracked) and (number is None or number <= 0)
            items.append(
                variant(
                    sheet,
                    sku=sheet.text("sku") or None,
                    price={"amount": price, "currency": code} if code and price else price,
                    compareatprice=sheet.cell("compareatprice"),
                    stock=None if free else count,
                    in_stock=True if free and (count is not None or ordered) else None,
                    options=options,
                )
            )
        cells = merged(rows, drop=lambda form: bool(_SPREE_DROPPED.fullmatch(form)))
        cells["category"] = head.text("category1") or None
        if sku := head.text("sku"):
            cells["sku"] = sku
        yield Row(head.where, _assembled(cells, head, rows, items, "slug"))


def _spree_options(sheet: Sheet) -> dict[str, str]:
    return {
        name: value
        for form in sheet.columns
        if form.startswith("option")
        and form.endswith("name")
        and (name := sheet.text(form))
        and (value := sheet.text(form.removesuffix("name") + "value"))
    }


def _assembled(
    cells: dict[str, Any], head: Sheet, rows: list[Sheet], items: list[dict[str, Any]], *keys: str
) -> dict[str, Any]:
    """The product's cells with its id, pictures, variants and the price before a reduction."""
    named: dict[str, Any] = {}
    for column, value in cells.items():
        label = _LABEL.sub("", column)
        named[label if label not in named and label not in cells else column] = value
    pictures = [
        sheet.cells[column]
        for sheet in rows
        for form, column in sheet.columns.items()
        if re.fullmatch(r"imagesrc|productimageurl|image\d+src|variantimage(?:url)?", form)
        and stated(sheet.cells[column])
    ]
    before = {str(item.pop("compareatprice", "")) for item in items} - {""}
    return {
        "id": head.text(*keys),
        **{k: v for k, v in named.items() if k not in {head.columns.get(key) for key in keys}},
        "images": list(dict.fromkeys(map(str, pictures))),
        "compare_at_price": before.pop() if len(before) == 1 else None,
        "options": choices(items),
        "variants": items,
    }


def _hidden(sheet: Sheet) -> str | None:
    status = sheet.text("status").casefold()
    if status in {"draft", "archived", "unlisted", "inactive", "disabled"}:
        return f"is not shown in the shop (status: {status}): publish it to have it recommended"
    published = sheet.text("published", "publishedononlinestore")
    if truth(published) is False:
        return (
            f"is not shown in the shop (published: {published}): publish it to have it recommended"
        )
    return None
