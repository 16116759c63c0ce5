"""Items for Google Merchant and Facebook, and PrestaShop's rows: one row each, or one a variant.

Items with one `item_group_id` are the variants of one product. Knows nothing about files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from db.feeds.rows import Row
from db.feeds.sheets import Sheet, choices, merged, variant
from db.feeds.text import plain_value
from db.records import RejectedRow

_CHOICES = ("color", "colour", "size", "material", "pattern", "age_group", "gender")
_DROPPED = re.compile(
    r"customlabel\d|adsredirect|adsgrouping|adslabels|tax|taxcategory|itemgroupid|identifierexists|"
    r"excludeddestination|includeddestination|shoppingads.*|costofgoodssold|promotionid|"
    r"googleproductcategory|fbproductcategory|producttype|canonicallink|mobilelink|pausedads"
)
_PER_ITEM = re.compile(r"id|gtin|mpn|price|saleprice|availability|quantity.*|inventory|saleprice.*")


class Merchant:
    """Google Merchant and Facebook catalogue items, from XML or from a table."""

    name = "merchant"

    def fits(self, forms: frozenset[str]) -> bool:
        return {"id", "title", "price"} <= forms and bool(
            forms & {"itemgroupid", "imagelink", "googleproductcategory"}
        )

    def place(self, sheet: Sheet) -> tuple[str | None, list[str]]:
        return sheet.text("itemgroupid") or None, []

    def product(self, rows: list[Sheet]) -> Iterator[Row | RejectedRow]:
        head = rows[0]
        group = head.text("itemgroupid")
        cells = merged(rows, drop=lambda form: _is_dropped(form, grouped=bool(group)))
        for name in _CHOICES if group else ():
            cells.pop(head.columns.get(name.replace("_", ""), ""), None)
        shipping = head.cell("shipping")
        cells |= {
            "category": head.cell("producttype", "googleproductcategory", "fbproductcategory"),
            "image_link": [
                picture
                for sheet in rows
                for form in ("imagelink", "additionalimagelink")
                for picture in _texts(sheet.cell(form))
            ],
        }
        if isinstance(shipping, dict | list):
            every = shipping if isinstance(shipping, list) else [shipping]
            cells[head.columns["shipping"]] = "\n".join(map(plain_value, every))
        if group:
            items = [_item(sheet) for sheet in rows]
            cells |= {"id": group, "options": choices(items), "variants": items}
            full = {str(p) for sheet in rows if (p := sheet.cell("price")) is not None}
            if len(full) == 1 and any(sheet.cell("saleprice") for sheet in rows):
                cells["compare_at_price"] = full.pop()
        yield Row(head.where, cells)


def _is_dropped(form: str, *, grouped: bool) -> bool:
    return bool(_DROPPED.fullmatch(form) or (grouped and _PER_ITEM.fullmatch(form)))


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return [] if value is None else [str(value)]


def _item(sheet: Sheet) -> dict[str, Any]:
    dated = sheet.text("salepriceeffectivedate")
    reduced = None if dated or sheet.mapped.get("price") else sheet.cell("saleprice")
    options = {name: text for name in _CHOICES if (text := sheet.text(name.replace("_", "")))}
    return variant(
        sheet,
        id=sheet.text("id") or None,
        sku=sheet.text("mpn") or None,
        barcode=sheet.text("gtin") or None,
        price=sheet.price("price") if reduced is None else reduced,
        stock=sheet.cell("quantitytosellonfacebook", "inventory", "quantity"),
        in_stock=sheet.cell("availability"),
        options=options,
    )


class PrestaShop:
    """PrestaShop's product CSV, whose features are `name:value:position` in one cell."""

    name = "prestashop-csv"

    def fits(self, forms: frozenset[str]) -> bool:
        return bool(forms & {"featurenamevalueposition", "feature"}) and any(
            form.startswith("pricetax") for form in forms
        )

    def place(self, _: Sheet) -> tuple[str | None, list[str]]:
        return None, []

    def product(self, rows: list[Sheet]) -> Iterator[Row | RejectedRow]:
        head = rows[0]
        cells = dict(head.cells)
        for form in ("featurenamevalueposition", "feature"):
            column = head.columns.get(form)
            if column is None:
                continue
            for part in str(cells.pop(column) or "").split(","):
                name, colon, rest = part.partition(":")
                if colon and name.strip():
                    cells.setdefault(name.strip(), re.sub(r":\d+(?::\d)?$", "", rest).strip())
        yield Row(head.where, cells)
