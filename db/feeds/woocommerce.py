"""The product CSV of WooCommerce: simple, variable with variations, grouped and external products.

A variation names its parent by `id:7` or by SKU and may stand anywhere in the file. Knows nothing
about files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from db.feeds.rows import Row
from db.feeds.sheets import Sheet, choices, merged, variant
from db.feeds.values import truth
from db.records import RejectedRow

_DROPPED = re.compile(
    r"meta.*|attribute\d+.*|published|isfeatured\??|visibilityincatalog|tax(?:status|class)|"
    r"backordersallowed\??|lowstockamount|allowcustomerreviews\??|purchasenote|position|"
    r"crosssells|upsells|download.*|shippingclass|parent|type|externalurl|buttontext|"
    r"groupedproducts|gtinupceanorisbn|images|instock\??|stock|categories|brands|swatches.*"
)


class WooCommerce:
    """The exports of WooCommerce's own product exporter."""

    name = "woocommerce-csv"

    def fits(self, forms: frozenset[str]) -> bool:
        return {"type", "sku", "name", "regularprice"} <= forms and bool(
            forms & {"parent", "visibilityincatalog", "published"}
        )

    def place(self, sheet: Sheet) -> tuple[str | None, list[str]]:
        kind = _kinds(sheet)
        if "variation" in kind:
            parent = sheet.text("parent")
            return (parent if parent.startswith("id:") else f"sku:{parent}"), []
        if "variable" not in kind:
            return None, []
        identity, sku = sheet.text("id"), sheet.text("sku")
        key = f"id:{identity}" if identity else f"sku:{sku}"
        return key, [f"sku:{sku}"] if sku and identity else []

    def product(self, rows: list[Sheet]) -> Iterator[Row | RejectedRow]:
        heads = [sheet for sheet in rows if "variation" not in _kinds(sheet)]
        variations = [sheet for sheet in rows if "variation" in _kinds(sheet)]
        if not heads:
            for sheet in variations:
                parent = sheet.text("parent") or "no parent"
                yield RejectedRow(
                    sheet.where, f"its product ({parent}) is not in the file: export it too"
                )
            return
        head, *others = heads
        for sheet in others:
            yield RejectedRow(
                sheet.where, f"id {sheet.text('id', 'sku')} already stands at {head.where}"
            )
        if (hidden := _hidden(head)) is not None:
            yield RejectedRow(head.where, hidden)
            return
        options = dict(_attributes(head))
        items = [
            variant(
                sheet,
                id=sheet.text("id") or None,
                sku=sheet.text("sku") or None,
                price=_paid(sheet),
                compareatprice=sheet.cell("regularprice"),
                stock=sheet.cell("stock"),
                in_stock=_in_stock(sheet),
                options=dict(_attributes(sheet)),
                barcode=sheet.text("gtinupceanorisbn") or None,
            )
            for sheet in variations
            if _hidden(sheet) is None
        ]
        yield Row(head.where, _cells(head, options, items))


def _cells(head: Sheet, options: dict[str, str], items: list[dict[str, Any]]) -> dict[str, Any]:
    cells = merged([head], drop=lambda form: bool(_DROPPED.fullmatch(form)))
    id_column = head.columns.get("id")
    if id_column and not head.text("id"):
        cells.pop(id_column, None)
    for column in ("description", "shortdescription"):
        if (name := head.columns.get(column)) in cells and isinstance(cells[name], str):
            cells[name] = cells[name].replace("\\n", "\n")
    chosen = choices(items)
    paths = re.split(r"(?<!\\),\s*", head.text("categories"))
    before = {str(item.pop("compareatprice")) for item in items if "compareatprice" in item}
    if items and len(before) == 1:
        cells["compare_at_price"] = before.pop()
    return {
        **cells,
        **{name: value for name, value in options.items() if name not in chosen},
        # the deepest of several categories says most
        "category": max(paths, key=lambda path: path.count(">")).replace("\\,", ",") or None,
        "brand": head.text("brands") or None,
        "images": head.text("images"),
        "url": head.text("externalurl") or None,
        "gtin": head.text("gtinupceanorisbn") or None,
        "stock": None if items else head.cell("stock"),
        "in_stock": None if items else _in_stock(head),
        **({"options": chosen, "variants": items} if items else {}),
    }


def _kinds(sheet: Sheet) -> set[str]:
    return {part.strip() for part in sheet.text("type").casefold().split(",")}


def _attributes(sheet: Sheet) -> Iterator[tuple[str, str]]:
    for form in sheet.columns:
        if re.fullmatch(r"attribute\d+name", form) and (name := sheet.text(form)):
            number = form.removesuffix("name")
            if value := sheet.text(f"{number}values", f"{number}value"):
                yield name, value


def _paid(sheet: Sheet) -> Any:
    """The price of a variation: the reduced one unless the reduction is dated."""
    dated = sheet.text("datesalepricestarts", "datesalepriceends")
    reduced = None if dated else sheet.cell("saleprice")
    return sheet.price("regularprice") if reduced is None or sheet.mapped.get("price") else reduced


def _in_stock(sheet: Sheet) -> Any:
    word = sheet.text("instock?", "instock")
    return True if word.casefold() in {"backorder", "onbackorder"} else truth(word)


def _hidden(sheet: Sheet) -> str | None:
    published = sheet.text("published")
    if published in {"0", "-1"} or truth(published) is False:
        state = "draft" if published == "-1" else "private"
        return f"is not shown in the shop ({state}): publish it to have it recommended"
    if sheet.text("visibilityincatalog").casefold() == "hidden":
        return "is not shown in the shop (hidden): make it visible to have it recommended"
    return None
