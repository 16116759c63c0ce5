"""Values that fill slots in the training corpus: goods of many catalogues, everyday words of shops.

Each catalogue belongs to one split, so that validation is filled from shops that no training
example knows. Without public data the values of `values.toml` stand in. Knows nothing about
phrasings.
"""

from __future__ import annotations

import gzip
import random
import re
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from bot.grounding import money, readable
from bot.training.examples import Split
from bot.turn import Language
from db.feeds.registry import read_products
from db.records import Product

MOST_CHARS = 240  # of a value
_CATALOGUES: dict[tuple[Language, Split], tuple[tuple[str, str], ...]] = {
    ("en", "train"): (
        ("retail-demo-store/products.jsonl.gz", "USD"),
        ("eshop-catalog/catalog.json", "USD"),
        ("spree-csv/products.csv", "USD"),
        ("tau-retail/products.jsonl", "USD"),
    ),
    ("en", "valid"): (
        ("eshop-support/products.csv", "USD"),
        ("contoso-outdoor/products.csv", "USD"),
    ),
    ("zh", "train"): (("litemall-zh/goods.jsonl", "CNY"),),
    ("zh", "valid"): (("ecom-bench-zh/products.jsonl", "CNY"),),
}
# where the values of a slot come from: a list of values.toml, or the goods
_LISTS = {
    "stock_1": "stock", "count": "number", "quantity": "number", "expected_on": "date",
    "delivered_on": "date", "shipped_on": "date", "quote_2": "rule",
}  # fmt: skip
_SENTENCES = re.compile(r"(?<=[.!?。！？])\s*")


@dataclass(frozen=True, slots=True)
class Goods:
    """One product as its values are written in a reply."""

    title: str
    price: str = ""
    category: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    sentences: tuple[str, ...] = ()


class ValueBank:
    """Draws values for the slots of an act, in one language and split."""

    def __init__(self, language: Language, split: Split, data: Path | None = None) -> None:
        """`data` is a folder of public data sets; without it, or without its catalogues, our own
        few goods are drawn from."""
        self._lists = _own(language, split)
        self._goods = list(_goods(language, split, data)) if data else []
        if not self._goods:
            own = zip(
                self._lists["title"], self._lists["price"], self._lists["category"], strict=True
            )
            self._goods = [Goods(*each) for each in own]

    def draw(self, act: str, slots: Sequence[str], rng: random.Random) -> dict[str, str]:
        """Returns a value for each slot; what belongs to one product is taken from one product."""
        goods = rng.sample(self._goods, min(4, len(self._goods)))
        labels = self._labels(goods[0], rng)
        return {slot: self._one(act, slot, goods, labels, rng)[:MOST_CHARS] for slot in slots}

    def titles(self, most: int) -> list[str]:
        """Lists titles, as a shopper may paste them."""
        return [goods.title for goods in self._goods[:most]]

    def _labels(self, goods: Goods, rng: random.Random) -> list[tuple[str, str]]:
        own = list(goods.attributes)
        rng.shuffle(own)
        everyday = rng.sample(self._lists["label"], 3)
        return own[:3] + [(label, self._any("value", rng)) for label in everyday[len(own[:3]) :]]

    def _any(self, name: str, rng: random.Random) -> str:
        return rng.choice(self._lists[name])

    def _one(
        self,
        act: str,
        slot: str,
        goods: Sequence[Goods],
        labels: Sequence[tuple[str, str]],
        rng: random.Random,
    ) -> str:
        name, _, number = slot.rpartition("_")
        at = int(number) - 1 if number.isdigit() else 0
        if name == "label" and act == "ask_detail":
            return labels[at][0] if at else self._any("ask", rng)
        if name == "title":
            return goods[at % len(goods)].title
        if name == "price":
            return goods[at % len(goods)].price or self._any("price", rng)
        if name == "reason":
            return self._reason(goods[at % len(goods)], rng)
        if name == "label":
            return labels[at][0]
        if name in {"value", "left", "right"}:
            return labels[at][1] if name != "right" else self._any("value", rng)
        if slot == "category":
            return goods[0].category or self._any("category", rng)
        if name == "quote":
            own = goods[0].sentences
            of_goods = act in {"describe", "product_quote"} and own
            return rng.choice(own) if of_goods else self._any("rule", rng)
        if name == "option":
            return self._any("option", rng)
        return self._any(_LISTS.get(slot, slot), rng)

    def _reason(self, goods: Goods, rng: random.Random) -> str:
        if goods.attributes and rng.random() < 0.5:
            label, value = rng.choice(goods.attributes)
            return f"{label}: {value}"
        return self._any("reason", rng)


@cache
def _own(language: Language, split: Split) -> dict[str, tuple[str, ...]]:
    raw: dict[str, Any] = tomllib.loads(
        files("bot.training").joinpath("values.toml").read_text(encoding="utf-8")
    )[language]
    return {name: _part(values, split) for name, values in raw.items()}


def _part(values: Sequence[str], split: Split) -> tuple[str, ...]:
    cut = len(values) * 2 // 3
    return tuple(values[:cut] if split == "train" else values[cut:])


def _goods(language: Language, split: Split, data: Path) -> Iterable[Goods]:
    for name, currency in _CATALOGUES[language, split]:
        for record in _records(data / name, currency):
            if isinstance(record, Product) and len(record.title) <= 120:
                yield Goods(
                    record.title,
                    money(record.price, language) if record.price else "",
                    record.category[-1] if record.category else "",
                    tuple(
                        (readable(a.name), a.value)
                        for a in record.attributes
                        if "\n" not in a.value and len(a.value) <= 90
                    ),
                    tuple(
                        text
                        for text in _SENTENCES.split(record.description.replace("\n", " "))
                        if 8 <= len(text) <= MOST_CHARS
                    )[:6],
                )


def _records(path: Path, currency: str) -> Iterable[object]:
    if not path.exists():
        return
    if path.suffix != ".gz":
        yield from read_products(path, currency=currency)
        return
    with tempfile.TemporaryDirectory() as folder:  # the feed reader wants a plain file
        plain = Path(folder) / path.stem
        plain.write_bytes(gzip.decompress(path.read_bytes()))
        yield from read_products(plain, currency=currency)
