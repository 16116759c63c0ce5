"""Real feeds, imported by the real command, beside plain readers that share no code with it.

    python benchmarks/feeds.py --data FOLDER

FOLDER holds the sets that docs/feeds.md lists. Each feed is imported by `shopbot import` into a
home of its own, as it lies there and once more gzipped (or unpacked, where it comes gzipped).
What the database then holds is read with `sqlite3` and compared with what a reader of a few
lines finds in the file with `csv`, `json` or `xml.etree`: the ids, each product's lowest and
highest price, and its title. Prints a table; ends with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import html
import io
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET  # the files are known ones
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Price = tuple[Decimal, Decimal, str] | None  # lowest, highest, currency
Expected = dict[str, tuple[str, Price]]


def text_of(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")


def line(text: Any) -> str:
    return " ".join(html.unescape(str(text)).split())


def single(price: Any, currency: str) -> Price:
    return None if price in (None, "") else (Decimal(str(price)), Decimal(str(price)), currency)


def ranged(prices: list[Any], currency: str) -> Price:
    amounts = [Decimal(str(price)) for price in prices]
    return (min(amounts), max(amounts), currency) if amounts else None


def table(path: Path) -> Iterator[dict[str, str]]:
    return iter(csv.DictReader(io.StringIO(text_of(path), newline="")))


def lines(path: Path) -> Iterator[dict[str, Any]]:
    return (json.loads(row, parse_float=Decimal) for row in text_of(path).split("\n") if row)


def plain_rows(rows: Iterator[dict[str, Any]], key: str, title: str, currency: str) -> Expected:
    found: Expected = {}
    for row in rows:
        price = row.get("price", row.get("Price"))
        found.setdefault(str(row[key]), (line(row[title]), single(price, currency)))
    return found


def shopify(path: Path) -> Expected:
    groups: dict[str, list[dict[str, str]]] = {}
    for row in table(path):
        groups.setdefault(row["Handle"], []).append(row)
    return {
        handle: (
            line(rows[0]["Title"]),
            ranged([row["Variant Price"] for row in rows if row["Variant Price"]], "USD"),
        )
        for handle, rows in groups.items()
    }


def spree(path: Path) -> Expected:
    groups: dict[str, list[dict[str, str]]] = {}
    for row in table(path):
        groups.setdefault(row["slug"], []).append(row)
    found: Expected = {}
    for slug, rows in groups.items():
        variants = [row for row in rows if row["option1_value"]] or rows
        prices = ranged([row["price"] for row in variants], rows[0]["currency"])
        found[slug] = (line(rows[0]["name"]), prices)
    return found


def merchant(path: Path) -> Expected:
    groups: dict[str, list[dict[str, str]]] = {}
    for item in ET.fromstring(text_of(path)).iter("item"):
        cells: dict[str, str] = {}
        for child in item:
            cells[child.tag.rpartition("}")[2]] = child.text or ""
        groups.setdefault(cells.get("item_group_id") or cells["id"], []).append(cells)
    return {
        key: (
            line(rows[0]["title"]),
            ranged([row["price"].split()[0] for row in rows], rows[0]["price"].split()[1]),
        )
        for key, rows in groups.items()
    }


KINDS = {"Product", "ProductGroup", "ProductModel", "IndividualProduct", "SomeProducts", "Car"}


def linked(path: Path) -> Expected:
    found: Expected = {}

    def walk(value: Any, offer: Any = None) -> None:
        if isinstance(value, list):
            for item in value:
                walk(item)
            return
        if not isinstance(value, dict):
            return
        kinds = value.get("@type")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if {str(kind) for kind in kinds} & KINDS:
            keys = ("productID", "sku", "@id", "url", "productGroupID")
            identity = next((str(value[k]) for k in keys if value.get(k)), None)
            if identity and value.get("name"):
                held = value.get("offers", offer)
                found.setdefault(identity, (line(value["name"]), offered(held)))
            return
        for key, inner in value.items():
            own = value if key == "itemOffered" and value.get("@type") == "Offer" else None
            walk(inner, own)

    for row in lines(path):
        walk(row["json"])
    return found


def offered(value: Any) -> Price:
    prices: list[Any] = []
    currency = ""
    for offer in value if isinstance(value, list) else [value]:
        if not isinstance(offer, dict):
            continue
        specs = offer.get("priceSpecification")
        every = specs if isinstance(specs, list) else [specs]
        # what members pay is not the price
        open_to_all = [s for s in every if isinstance(s, dict) and "validForMemberTier" not in s]
        sources = [offer] if "price" in offer or "lowPrice" in offer else open_to_all
        for source in sources[:1]:
            prices += [source[k] for k in ("price", "lowPrice", "highPrice") if k in source]
            currency = source.get("priceCurrency", offer.get("priceCurrency", "USD"))
    return ranged(prices, currency) if prices else None


def litemall(path: Path) -> Expected:
    return {
        row["id"]: (line(row["name"]), ranged([sku["price"] for sku in row["skus"]], "CNY"))
        for row in lines(path)
    }


def chorus(path: Path) -> Expected:
    return {
        row["id"]: (line(row["title"]), single(Decimal(row["price_cents"]) / 100, "USD"))
        for row in lines(path)
    }


def eshop_support(path: Path) -> Expected:
    return {
        row["product_id"]: (line(f"{row['brand']} {row['model']}"), single(row["price"], "USD"))
        for row in table(path)
    }


@dataclass(frozen=True, slots=True)
class Feed:
    path: str
    expected: Callable[[Path], Expected]
    options: tuple[str, ...] = ("--currency", "USD")


FEEDS = (
    Feed("product-feeds/google_merchant_rss.xml", merchant, ()),
    Feed("product-feeds/facebook_catalog_rss.xml", merchant, ()),
    Feed("product-feeds/schema_org_products.jsonl", linked),
    Feed("shopify-csv/apparel.csv", shopify),
    Feed("shopify-csv/jewelery.csv", shopify),
    Feed("spree-csv/products.csv", spree, ()),
    Feed("dummyjson/products.jsonl", lambda p: plain_rows(lines(p), "id", "title", "USD")),
    Feed(
        "eshop-catalog/catalog.json",
        lambda p: plain_rows(iter(json.loads(text_of(p))), "Id", "Name", "USD"),
    ),
    Feed("eshop-catalog/catalog.csv", lambda p: plain_rows(table(p), "Id", "Name", "USD")),
    Feed(
        "retail-demo-store/products.jsonl.gz",
        lambda p: plain_rows(lines(p), "id", "name", "USD"),
    ),
    Feed("contoso-outdoor/products.csv", lambda p: plain_rows(table(p), "id", "name", "USD")),
    Feed("litemall-zh/goods.jsonl", litemall, ("--currency", "CNY")),
    Feed("eshop-support/products.csv", eshop_support),
    Feed(
        "chorus-electronics/products.jsonl.gz",
        chorus,
        ("--currency", "USD", "--map", "price=price_cents/100", "--map", "brand=supplier"),
    ),
)


def imported(path: Path, options: tuple[str, ...], home: Path) -> tuple[Expected, str]:
    """What the command made of a feed, and its own words."""
    done = subprocess.run(
        [sys.executable, "-c", "from bot.cli import main; main()", "import", str(path), *options],
        cwd=home,
        env={**os.environ, "SHOPBOT_HOME": str(home), "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    base = next(home.glob("*.db"), None)
    if base is None:
        return {}, said
    found: Expected = {}
    connection = sqlite3.connect(base)
    for key, title, low, high in connection.execute(
        "SELECT id, title, price, price_to FROM products WHERE NOT withdrawn"
    ):
        price: Price = None
        if low is not None:
            amount, currency = low.split()
            price = (Decimal(amount), Decimal((high or low).split()[0]), currency)
        found[key] = (title, price)
    connection.close()
    return found, said


def differences(expected: Expected, found: Expected) -> list[str]:
    told = [f"missing {key}" for key in expected.keys() - found.keys()]
    told += [f"more than expected: {key}" for key in found.keys() - expected.keys()]
    told += [
        f"{key}: {found[key]} where the file has {expected[key]}"
        for key in expected.keys() & found.keys()
        if expected[key] != found[key]
    ]
    return sorted(told)


def packed_otherwise(path: Path, folder: Path) -> Path:
    data = path.read_bytes()
    if path.suffix == ".gz":
        other, data = folder / path.with_suffix("").name, gzip.decompress(data)
    else:
        other, data = folder / f"{path.name}.gz", gzip.compress(data)
    other.write_bytes(data)
    return other


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", default="", help="feeds whose path holds this text")
    arguments = parser.parse_args()
    faults = 0
    print(f"{'feed':42} {'products':>9} {'imported':>9} {'priced':>7} {'differences':>12}")
    for feed in FEEDS:
        if arguments.only not in feed.path:
            continue
        path = arguments.data / feed.path
        expected = feed.expected(path)
        with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
            other = packed_otherwise(path, Path(second))
            for source, home in ((path, Path(first)), (other, Path(second))):
                found, said = imported(source, feed.options, home)
                told = differences(expected, found)
                faults += bool(told)
                label = feed.path if source == path else f"  as {source.name}"
                priced = sum(price is not None for _, price in found.values())
                print(f"{label:42} {len(expected):9} {len(found):9} {priced:7} {len(told):12}")
                for difference in told[:10]:
                    print(f"    {difference}")
                if told:
                    print("    " + "\n    ".join(said.splitlines()[:12]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
