"""schema.org products: JSON-LD in files of JSON and JSON lines, and in the scripts of web pages.

Knows nothing about what a shop makes of a product.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from db.feeds.encoding import DAMAGE
from db.feeds.errors import FeedError
from db.feeds.rows import Row, is_json, is_json_lines, read_json_lines
from db.feeds.source import MAX_FIELD, MAX_LINE, Head, open_text
from db.feeds.values import stated
from db.records import RejectedRow

_MAX_WHOLE = 64_000_000  # characters of one JSON document that is no JSON lines
_MAX_NESTED = 100
_PRODUCTS = frozenset((
    "Product", "ProductGroup", "ProductModel", "IndividualProduct", "SomeProducts", "Vehicle",
    "Car", "Motorcycle", "DietarySupplement", "Drug",
))  # fmt: skip
_OFFERS = frozenset({"Offer", "AggregateOffer", "Demand"})
_IDENTITY = ("productID", "sku", "@id", "url", "productGroupID")
_CODES = ("gtin", "gtin8", "gtin12", "gtin13", "gtin14", "isbn", "mpn")
_SCRIPT = re.compile(
    r"<script\b[^>]*\btype\s*=\s*[\"']?application/ld\+json[\"']?[^>]*>(.*?)</script\s*>",
    re.IGNORECASE | re.DOTALL,
)
_LINKED = re.compile(r'"@(?:type|graph)"\s*:')
_PLAIN = ("color", "size", "material", "pattern", "model", "weight", "width", "height", "depth",
          "itemCondition", "countryOfOrigin", "award", "audience")  # fmt: skip


def is_linked(head: Head) -> bool:
    """Whether the text is JSON-LD of products."""
    return is_json(head) and "@context" in head.text and _LINKED.search(head.text) is not None


def read_linked(head: Head) -> Iterator[Row | RejectedRow]:
    """Each product of a JSON-LD file, wherever it stands in what the file describes.

    Raises FeedError for JSON that breaks off, for one document of more than 64 million
    characters, and for a file that describes no product.
    """
    count = 0
    if is_json_lines(head):
        for line in read_json_lines(head):
            if not isinstance(line, Row):
                yield line
                continue
            for row in _rows(line.cells, line.where):
                count += 1
                yield row
    else:
        with open_text(head) as file:
            text = file.read(_MAX_WHOLE + 1)
        if len(text) > _MAX_WHOLE:
            raise FeedError(f"{head.path.name} is larger than 64 MB: write one product a line")
        try:
            value = json.loads(text, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise FeedError(_broken(head.path.name, error)) from None
        for row in _rows(value, head.path.name):
            count += 1
            yield row
    if not count:
        raise FeedError(f"{head.path.name} describes no schema.org Product: export the products")


def _broken(name: str, error: Exception) -> str:
    reason = (
        f"line {error.lineno}: {error.msg}"
        if isinstance(error, json.JSONDecodeError)
        else "nested too deeply"
    )
    return f"{name} is not whole JSON ({reason}): export it again"


def read_page(head: Head) -> Iterator[Row | RejectedRow]:
    """The products that a web page describes in JSON-LD.

    Raises FeedError for a page without any, which is often a log-in or error page that was saved
    in the place of a feed.
    """
    name = head.path.name
    with open_text(head) as file:
        text = file.read(4 * MAX_LINE + 1)
    if len(text) > 4 * MAX_LINE:
        raise FeedError(f"{name} is a web page of more than 16 MB: export a feed instead")
    count = 0
    for script in _SCRIPT.finditer(text):
        where = f"{name} line {text.count(chr(10), 0, script.start()) + 1}"
        try:
            value = json.loads(_bare(script[1]), parse_float=Decimal, strict=False)
        except (ValueError, RecursionError) as error:
            count += 1
            yield RejectedRow(where, f"{_broken('its JSON-LD', error)}")
            continue
        for row in _rows(value, where):
            count += 1
            yield row
    if not count:
        raise FeedError(
            f"{name} is a web page without a schema.org Product: if a feed was expected, "
            "sign in to the shop and export it again"
        )


def _bare(script: str) -> str:
    """The script without the comment marks and CDATA that old templates put around it."""
    return re.sub(r"^\s*(?:<!--|//\s*<!\[CDATA\[|/\*.*?\*/)|(?:-->|//\s*\]\]>)\s*$", "", script)


def _rows(value: Any, where: str) -> Iterator[Row | RejectedRow]:
    """The products within a JSON-LD value, the variants that point at their group inside it."""
    try:
        found = list(_products(value, 0))
    except RecursionError:
        yield RejectedRow(where, "is nested too deeply: export it again")
        return
    groups = {str(p["@id"]): p for p in found if "ProductGroup" in _types(p) and p.get("@id")}
    alone = []
    for product in found:
        target = product.get("isVariantOf")
        group = groups.get(str(target.get("@id"))) if isinstance(target, dict) else None
        if group is None or group is product:
            alone.append(product)
            continue
        held = [v for v in _listed(group.get("hasVariant")) if v.get("@id") != product.get("@id")]
        group["hasVariant"] = [*held, product]
    for number, product in enumerate(alone, 1):
        place = where if len(alone) == 1 else f"{where} product {number}"
        cells = _cells(product)
        if DAMAGE.search(str(cells)):
            yield RejectedRow(place, "holds bytes that are no UTF-8: save the file as UTF-8")
        elif any(isinstance(v, str) and len(v) > MAX_FIELD for v in cells.values()):
            yield RejectedRow(place, f"has a text longer than {MAX_FIELD:,} characters: shorten it")
        else:
            yield Row(place, cells)


def _types(value: dict[str, Any]) -> set[str]:
    held = value.get("@type")
    names = held if isinstance(held, list) else [held]
    return {str(name).rpartition("/")[2].rpartition(":")[2] for name in names}


def _products(value: Any, depth: int, offer: Any = None) -> Iterator[dict[str, Any]]:
    if depth > _MAX_NESTED:
        raise RecursionError
    if isinstance(value, list):
        for item in value:
            yield from _products(item, depth + 1)
    elif isinstance(value, dict):
        types = _types(value)
        if types & _PRODUCTS:
            yield {**value} if offer is None else {"offers": offer, **value}
            return
        inner = value if types & _OFFERS else None
        for key, held in value.items():
            if isinstance(held, dict | list):
                yield from (
                    _products(held, depth + 1, inner)
                    if key == "itemOffered" and isinstance(held, dict)
                    else _products(held, depth + 1)
                )


def _listed(value: Any) -> list[dict[str, Any]]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, dict)]


def _cells(product: dict[str, Any]) -> dict[str, Any]:
    identity = next((_text(product[k]) for k in _IDENTITY if stated(_text(product.get(k)))), None)
    offer = _offer(product.get("offers"))
    rating = product.get("aggregateRating")
    cells: dict[str, Any] = {
        "id": identity,
        "title": _text(product.get("name")),
        "description": _text(product.get("description")),
        "brand": _text(product.get("brand")) or _text(product.get("manufacturer")),
        "category": _text(product.get("category")),
        "url": _text(product.get("url")) or offer.get("url"),
        "images": [_picture(item) for item in _many(product.get("image"))],
        "sku": _text(product.get("sku")) or offer.get("sku"),
        "price": offer.get("price"),
        "price_to": offer.get("price_to"),
        "availability": offer.get("availability"),
        "reviews": [
            {"text": _text(review.get("reviewBody") or review.get("description"))}
            for review in _listed(product.get("review") or product.get("reviews"))
        ],
        "tags": product.get("keywords"),
    }
    for name in _CODES:
        if stated(code := _text(product.get(name))):
            cells[name] = code
    if isinstance(rating, dict) and _text(rating.get("bestRating") or "5") in {"5", "5.0"}:
        cells["rating"] = _text(rating.get("ratingValue"))
        cells["rating_count"] = _text(rating.get("reviewCount") or rating.get("ratingCount"))
    variants = _listed(product.get("hasVariant"))
    named = _choices(product, variants)
    if variants:
        cells["variants"] = [_variant(item, named) for item in variants]
    for name in _PLAIN:
        if name not in named and stated(text := _measure(product.get(name))):
            cells[name] = text
    for entry in _listed(product.get("additionalProperty")):
        if (label := _text(entry.get("name"))) and stated(text := _measure(entry)):
            cells.setdefault(label, text)
    return cells


def _choices(product: dict[str, Any], variants: list[dict[str, Any]]) -> tuple[str, ...]:
    """The properties that tell the variants apart: as the group states them, else as they differ."""
    said = [_text(name).rpartition("/")[2] for name in _many(product.get("variesBy"))]
    if said:
        return tuple(said)
    differing = ("color", "size", "material", "pattern")
    return tuple(n for n in differing if any(stated(v.get(n)) for v in variants))


def _variant(item: dict[str, Any], named: Iterable[str]) -> dict[str, Any]:
    offer = _offer(item.get("offers"))
    identity = next((_text(item[k]) for k in _IDENTITY if stated(_text(item.get(k)))), None)
    options = {name: text for name in named if stated(text := _measure(item.get(name)))}
    cells = {
        "id": identity,
        "sku": _text(item.get("sku")) or None,
        "price": offer.get("price"),
        "availability": offer.get("availability"),
        "options": options,
        "barcode": next((_text(item[c]) for c in _CODES if stated(item.get(c))), None),
    }
    return {key: value for key, value in cells.items() if value not in (None, "", {})}


def _offer(value: Any) -> dict[str, Any]:
    """What one offer, several or an aggregate of them say: lowest and highest price, stock."""
    found: dict[str, Any] = {}
    prices: list[tuple[Any, Any]] = []
    told: list[str] = []
    for offer in _listed(value):
        inner = _listed(offer.get("offers"))
        low = offer.get("lowPrice", offer.get("price"))
        currency = offer.get("priceCurrency")
        for spec in _listed(offer.get("priceSpecification")) if low is None else ():
            # a list price is what the product does not cost, a member's what only some pay
            special = "ListPrice" in str(spec.get("priceType")) or spec.get("validForMemberTier")
            if spec.get("price") is not None and not special:
                low, currency = spec["price"], spec.get("priceCurrency", currency)
                break
        if low is None and inner:
            nested = _offer(inner)
            prices += [p for p in (nested.get("lowest"), nested.get("highest")) if p]
            told += [nested["availability"]] if nested.get("availability") else []
        elif stated(low):
            prices.append((low, currency))
            if stated(high := offer.get("highPrice")):
                prices.append((high, currency))
        if stated(said := _text(offer.get("availability"))):
            told.append(said)
        for key in ("url", "sku"):
            if key not in found and stated(_text(offer.get(key))):
                found[key] = _text(offer[key])
    if prices:
        ordered = _ordered(prices)
        found["lowest"], found["highest"] = ordered[0], ordered[-1]
        found["price"] = _amount(*ordered[0])
        if len({str(currency) for _, currency in prices}) > 1:
            found["price"] = {"amount": "several currencies"}
        elif str(ordered[0][0]) != str(ordered[-1][0]):
            found["price_to"] = _amount(*ordered[-1])
    if told:
        stocked = [said for said in told if re.search(r"In(?:Store)?Stock|InStock", said)]
        found["availability"] = stocked[0] if stocked else told[0]
    return found


def _ordered(prices: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    try:
        return sorted(prices, key=lambda price: Decimal(str(price[0])))
    except ArithmeticError:
        return prices  # texts that the reader of prices understands, or refuses


def _amount(price: Any, currency: Any) -> Any:
    return {"amount": price, "currency": currency} if stated(currency) else price


def _many(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    """The text of a value, of its name or id, or of the first of a list."""
    if isinstance(value, list):
        return next((text for item in value if (text := _text(item))), "")
    if isinstance(value, dict):
        keys = ("@value", "name", "value", "@id")
        return next((text for key in keys if (text := _text(value.get(key)))), "")
    return "" if value is None or isinstance(value, bool) else str(value).strip()


def _picture(value: Any) -> str:
    if isinstance(value, dict):
        return _text(value.get("contentUrl") or value.get("url") or value.get("@id"))
    return _text(value)


def _measure(value: Any) -> str:
    """A quantity with its unit, or the text of anything else."""
    if isinstance(value, dict) and stated(value.get("value")):
        unit = _text(value.get("unitText")) or _text(value.get("unitCode"))
        return f"{_text(value['value'])} {unit}".strip()
    return _text(value)
