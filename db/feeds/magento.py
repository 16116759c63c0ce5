"""The product export of Magento: a configurable row names its simple rows, which stand apart.

Knows nothing about files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from db.feeds.rows import Row
from db.feeds.sheets import Sheet, choices, merged, variant
from db.feeds.values import stated
from db.records import RejectedRow

_DROPPED = re.compile(
    r"storeviewcode|attributesetcode|productwebsites|taxclassname|visibility|producttype|"
    r"urlkey|meta.*|(?:base|small|thumbnail|swatch)image.*|additionalimage.*|createdat|updatedat|"
    r"newfromdate|newtodate|displayproductoptionsin|map.*|msrp.*|giftmessageavailable|"
    r"custom(?:design|layout|options).*|pagelayout|productoptionscontainer|countryofmanufacture0|"
    r"outofstockqty|useconfig.*|minqty.*|isqtydecimal|allowbackorders|mincartqty|maxcartqty|"
    r"notifyonstockbelow|managestock|qtyincrements|enableqtyincrements|isdecimaldivided|websiteid|"
    r"related.*|crosssell.*|upsell.*|hideproductlabel|bundle.*|associatedskus|configurablevar.*|"
    r"additionalattributes|categories|qty|isinstock|productonline|downloadable.*|weight0"
)
_PAIR = re.compile(r",(?=[\w.-]+=)")
_TAKEN = frozenset({"sku", "name", "price", "description"})


class Magento:
    """The catalogue products export of Magento 2."""

    name = "magento-csv"

    def fits(self, forms: frozenset[str]) -> bool:
        return {"sku", "producttype", "name", "price"} <= forms and bool(
            forms & {"additionalattributes", "attributesetcode", "configurablevariations"}
        )

    def place(self, sheet: Sheet) -> tuple[str | None, list[str]]:
        children = [options["sku"] for options in _variations(sheet) if "sku" in options]
        return sheet.text("sku") or None, children

    def product(self, rows: list[Sheet]) -> Iterator[Row | RejectedRow]:
        # rows of further store views repeat a product with other texts
        rows = [sheet for sheet in rows if not sheet.text("storeviewcode")] or rows
        heads = [sheet for sheet in rows if sheet.text("producttype") == "configurable"] or rows
        head = heads[0]
        for sheet in heads[1:]:
            yield RejectedRow(
                sheet.where, f"sku {sheet.text('sku')} already stands at {head.where}"
            )
        if (hidden := _hidden(head)) is not None:
            yield RejectedRow(head.where, hidden)
            return
        simple = {sheet.text("sku"): sheet for sheet in rows if sheet not in heads}
        items: list[dict[str, Any]] = []
        for options in _variations(head):
            sku = options.pop("sku", "")
            found = simple.get(sku)
            if found is None:
                yield RejectedRow(
                    head.where, f"its variation {sku} is not in the file: export it too"
                )
                continue
            if found.text("productonline") in {"0", "2"}:
                continue
            items.append(
                variant(
                    found,
                    sku=sku,
                    price=_paid(found),
                    stock=_stock(found),
                    in_stock=_in_stock(found),
                    options=options,
                )  # fmt: skip
            )
        yield Row(head.where, _cells(head, items))


def _cells(head: Sheet, items: list[dict[str, Any]]) -> dict[str, Any]:
    cells = merged([head], drop=lambda form: bool(_DROPPED.fullmatch(form)))
    chosen = choices(items)
    paths = head.text("categories").replace("Default Category/", "").split(",")
    pictures = [head.text("baseimage"), *head.text("additionalimages").split(",")]
    further = {
        name.replace("_", " "): value.replace("|", ", ")
        for name, value in _pairs(head.text("additionalattributes"))
        if name not in chosen and name not in _TAKEN
    }
    configurable = head.text("producttype") == "configurable"
    return {
        **cells,
        **{name: value for name, value in further.items() if name not in cells},
        "category": max(paths, key=lambda path: path.count("/")).replace("/", " > ") or None,
        "images": [picture for picture in pictures if picture.startswith(("http:", "https:"))],
        # the stock of a configurable product is that of its variants
        "stock": None if configurable else _stock(head),
        "in_stock": None if items else _in_stock(head),
        **({"options": chosen, "variants": items} if items else {}),
    }


def _variations(sheet: Sheet) -> list[dict[str, str]]:
    """`sku=A,size=S|sku=B,size=M` as one object each."""
    texts = sheet.text("configurablevariations").split("|")
    return [dict(_pairs(text)) for text in texts if text]


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in _PAIR.split(text):
        name, equals, value = part.partition("=")
        if equals and stated(value):
            yield name.strip(), value.strip()


def _paid(sheet: Sheet) -> Any:
    dated = sheet.text("specialpricefromdate", "specialpricetodate")
    reduced = None if dated or sheet.mapped.get("price") else sheet.cell("specialprice")
    return sheet.price("price") if reduced is None else reduced


def _stock(sheet: Sheet) -> Any:
    return None if sheet.text("managestock") == "0" else sheet.cell("qty")


def _in_stock(sheet: Sheet) -> Any:
    return sheet.cell("isinstock")


def _hidden(sheet: Sheet) -> str | None:
    if sheet.text("productonline") in {"0", "2"}:
        return "is not shown in the shop (product_online): enable it to have it recommended"
    if sheet.text("visibility").casefold() == "not visible individually":
        return "is not shown in the shop on its own, and belongs to no configurable product of the file"
    return None
