"""A catalogue of any size made from real products, with vectors; what `scale.py` measures on.

    python benchmarks/million.py --data FOLDER --encoded 51200 --vectors var/benchmarks/scale

**Texts.** The sources are the products of `chorus-electronics`, `retail-demo-store`, `dummyjson`,
`eshop-catalog` and `litemall-zh` under `--data`: about 22,400 with title, brand, kind, description
and attributes. Product i takes its title and kind from source a = i mod S, and its description, up
to eight attributes and (in two of three) its brand from a source b of the same kind, drawn by a
random generator that i seeds. Its model number is new. Descriptions are cut to 300 characters.

**Vectors.** The first `--encoded` products are really encoded by all-MiniLM-L6-v2, from the same
text as in `shopbot index`. The vector of every further product with sources a and b is
u(w·v(p) + (1 − w)·v(q) + ε): p and q are encoded products whose titles come from a and b, w is
uniform in [0.6, 0.95], ε is normal noise of length about 0.25, u scales to length 1. What was
encoded is kept under `--vectors` and used again, the rest is drawn from fixed seeds.

**Queries.** Real ones: of `wands-queries`, `chorus-electronics`, `shopping-goals` (both halves).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from db.records import Attribute, Money, Product, ProductId  # noqa: E402
from retrieval.products import embedding_text  # noqa: E402
from retrieval.reuse import content_hash  # noqa: E402

CUT = 300
ATTRIBUTES = 8
NOISE = 0.25
DIMENSION = 384
BLOCK = 8192  # mixed vectors are drawn in blocks of so many products
_BATCH = 512

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Source:
    """What one real product gives."""

    title: str
    brand: str
    kind: str
    text: str
    attributes: tuple[tuple[str, str], ...]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as file:
            yield from map(json.loads, file)
    else:
        with path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def _told(attributes: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    named = ((name.replace("_", " ").strip(), str(value)) for name, value in attributes.items())
    return tuple((name, value) for name, value in named if len(value) <= 60)


def sources(data: Path) -> list[Source]:
    """The real products, in a fixed order."""
    found = []
    for row in _lines(data / "chorus-electronics" / "products.jsonl.gz"):
        attrs = row.get("attrs") or {}
        kind = str(attrs.get("product_type") or attrs.get("type") or row["supplier"])
        found.append(
            Source(row["title"], row["supplier"], kind, row.get("text") or "", _told(attrs))
        )
    for row in _lines(data / "retail-demo-store" / "products.jsonl.gz"):
        kind = f"{row['category']} {row['style']}"
        found.append(Source(row["name"], "", kind, row["description"], ()))
    for row in _lines(data / "dummyjson" / "products.jsonl"):
        told = {"warranty": row.get("warrantyInformation", ""), "weight": row.get("weight", "")}
        found.append(
            Source(
                row["title"],
                row.get("brand") or "",
                row["category"],
                row["description"],
                _told(told),
            )
        )
    for row in json.loads((data / "eshop-catalog" / "catalog.json").read_text("utf-8")):
        found.append(Source(row["Name"], row["Brand"], row["Type"], row["Description"], ()))
    for row in _lines(data / "litemall-zh" / "goods.jsonl"):
        kind = row["category"].split(">")[-1].strip()
        found.append(Source(row["name"], "", kind, row["brief"], _told(row["attributes"])))
    return found


class Catalogue:
    """Products 0, 1, 2, … of the recipe; each is made anew whenever it is asked for."""

    def __init__(self, data: Path) -> None:
        self.sources = sources(data)
        self._of_kind: dict[str, list[int]] = {}
        for at, source in enumerate(self.sources):
            self._of_kind.setdefault(source.kind, []).append(at)

    def pair(self, number: int) -> tuple[int, int, np.random.Generator]:
        """Sources of title and of description, and what further choices are drawn from."""
        rng = np.random.default_rng(number)
        title = number % len(self.sources)
        alike = self._of_kind[self.sources[title].kind]
        return title, alike[int(rng.integers(len(alike)))], rng

    def product(self, number: int) -> Product:
        a, b, rng = self.pair(number)
        first, second = self.sources[a], self.sources[b]
        brand = first.brand if number % 3 == 0 else second.brand
        letters = "".join(chr(65 + int(c)) for c in rng.integers(0, 26, 2))
        title = first.title.replace(first.brand, brand) if first.brand else first.title
        return Product(
            ProductId(f"p{number:07d}"),
            f"{title[:160]} {letters}{int(rng.integers(100, 9999))}",
            description=second.text[:CUT],
            brand=brand or None,
            category=(first.kind,),
            price=Money(Decimal(int(rng.integers(199, 199_999))) / 100, "USD"),
            rating=None if rng.random() < 0.3 else round(float(rng.uniform(2, 5)), 1),
            in_stock=bool(rng.random() < 0.8),
            attributes=tuple(Attribute(*pair) for pair in second.attributes[:ATTRIBUTES]),
        )

    def products(self, start: int, stop: int) -> Iterator[Product]:
        return map(self.product, range(start, stop))

    def mixed(self, encoded: Vectors, start: int, stop: int) -> Vectors:
        """The vectors of products start to stop, shape (stop − start, d), by those encoded."""
        size, count = len(self.sources), len(encoded)
        pairs = np.array([self.pair(number)[:2] for number in range(start, stop)])
        rng = np.random.default_rng(start)
        turns = rng.integers(0, max(count // size, 1), pairs.shape)
        chosen = (pairs + turns * size) % count
        share = rng.uniform(0.6, 0.95, (len(pairs), 1)).astype(np.float32)
        noise = rng.normal(0, NOISE / np.sqrt(DIMENSION), (len(pairs), DIMENSION))
        mixed = share * encoded[chosen[:, 0]] + (1 - share) * encoded[chosen[:, 1]] + noise
        scaled: Vectors = (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)
        return scaled


def encoded_vectors(catalogue: Catalogue, count: int, folder: Path) -> Vectors:
    """Vectors of the first `count` products, shape (count, 384); goes on where it was stopped."""
    from retrieval.embedders import MiniLmEmbedder

    folder.mkdir(parents=True, exist_ok=True)
    embedder = MiniLmEmbedder()
    parts = []
    for start in range(0, count, _BATCH):
        path = folder / f"encoded-{start:07d}.npy"
        if not path.exists():
            stop = min(start + _BATCH, count)
            began = time.perf_counter()
            vectors = embedder.encode([embedding_text(p) for p in catalogue.products(start, stop)])
            np.save(path.with_suffix(".tmp.npy"), vectors)
            path.with_suffix(".tmp.npy").rename(path)
            seconds = time.perf_counter() - began
            print(f"encoded {stop}/{count}, {(stop - start) / seconds:.0f} texts/s", flush=True)
        parts.append(np.load(path))
    return np.concatenate(parts)


class RecipeVectors(Mapping[str, Vectors]):
    """Content hash → vector of the products that went through `noted`; encodes at first need."""

    def __init__(self, catalogue: Catalogue, encoded: int, folder: Path) -> None:
        self._catalogue = catalogue
        self._count = encoded
        self._folder = folder
        self._encoded: Vectors | None = None
        self.seconds_encoding = 0.0
        self._numbers: dict[str, int] = {}
        self._block: tuple[int, Vectors] | None = None

    def noted(self, start: int, stop: int) -> Iterator[Product]:
        """Products start to stop; their vectors are known from then on."""
        for number in range(start, stop):
            product = self._catalogue.product(number)
            self._numbers[content_hash(embedding_text(product))] = number
            yield product

    def vector(self, number: int) -> Vectors:
        """The vector of one product, shape (384,)."""
        if self._encoded is None:
            began = time.perf_counter()
            self._encoded = encoded_vectors(self._catalogue, self._count, self._folder)
            self.seconds_encoding = time.perf_counter() - began
        if number < len(self._encoded):
            return self._encoded[number]
        at, block = number // BLOCK, self._block
        if block is None or block[0] != at:
            block = (at, self._catalogue.mixed(self._encoded, at * BLOCK, (at + 1) * BLOCK))
            self._block = block
        found: Vectors = block[1][number % BLOCK]
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._numbers

    def __getitem__(self, name: str) -> Vectors:
        return self.vector(self._numbers[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


def queries(data: Path) -> list[str]:
    """Real queries, each once, in a fixed random order."""
    found: list[str] = []
    with (data / "wands-queries" / "queries.csv").open(encoding="utf-8") as file:
        found += [row["query"] for row in csv.DictReader(file)]
    with (data / "chorus-electronics" / "judgments.csv").open(encoding="utf-8") as file:
        found += [row["query"] for row in csv.DictReader(file)]
    goals = data / "shopping-goals"
    found += [row["query"] for row in _lines(goals / "shoppingbench_queries.jsonl")]
    found += [query for row in _lines(goals / "webshop_goals.jsonl") for query in row["queries"]]
    unique = sorted(dict.fromkeys(query for query in found if query.strip()))
    return [unique[at] for at in np.random.default_rng(0).permutation(len(unique))]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoded", type=int, default=51_200)
    parser.add_argument("--vectors", type=Path, default=ROOT / "var" / "benchmarks" / "scale")
    args = parser.parse_args()
    encoded_vectors(Catalogue(args.data), args.encoded, args.vectors)


if __name__ == "__main__":
    main()
