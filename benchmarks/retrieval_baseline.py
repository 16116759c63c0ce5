"""How good lexical, dense and fused product search are, and what tells sold from not sold.

    python benchmarks/retrieval_baseline.py --data FOLDER [--shops FOLDER] [--out FILE]

`--data` holds `products.jsonl.gz` (id, title, name, supplier, text, attrs) and `judgments.csv`
(query, docid, rating 0 to 3). `--shops` holds folders with a `truth.jsonl` each. Vectors are kept
in `--index`, so a second run embeds nothing.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from bot.evaluation.retrieval.judgments import JudgedQuery, read
from bot.evaluation.retrieval.metrics import ndcg, recall
from db.records import Attribute, Product, ProductId
from retrieval.building import Built, build
from retrieval.embedders import Embedder, HashingEmbedder, MiniLmEmbedder
from retrieval.hybrid import Searcher
from retrieval.store import IndexStore
from retrieval.text import has_cjk
from retrieval.values import Query

# What the shops of `--shops` sell, and what they do not: (query, sold).
WISHES: dict[str, tuple[tuple[str, bool], ...]] = {
    "contoso-outdoor": (
        ("tent for four people", True), ("hikking bootz", True), ("waterproof jacket", True),
        ("sandals", True), ("table", True), ("sleeping bag", True), ("camping chair", True),
        ("daypack", True), ("rucksack", True), ("hiking trousers", True),
        ("kayaks", False), ("skis", False), ("coffee", False), ("printer ink", False),
        ("laptop", False), ("bicycle helmet", False), ("trekking poles", False),
        ("fishing rod", False), ("headlamp", False),
    ),
    "general-store": (
        ("wierless hedphones", True), ("earphones", True), ("phone", True), ("spice rack", True),
        ("watch for men", True), ("perfume", True), ("puppy food", True), ("motorbike", True),
        ("couch", True), ("tennis racket", True), ("sunglasses", True), ("laptop", True),
        ("kayaks", False), ("skis", False), ("printer ink", False), ("guitar", False),
        ("toothbrush", False), ("drone", False), ("baby stroller", False), ("umbrella", False),
        ("vacuum cleaner", False), ("lawn mower", False),
    ),
    "zh-home": (
        ("台灯", True), ("遛狗的绳子", True), ("放桌上的小电风善", True), ("护腰的椅子", True),
        ("20寸登机箱", True), ("毛巾", True), ("羊毛被", True), ("枕头", True), ("四件套", True),
        ("冰箱", False), ("手机", False), ("电视机", False), ("自行车", False), ("口红", False),
        ("打印机墨盒", False), ("洗衣机", False), ("吉他", False), ("婴儿车", False),
    ),
}  # fmt: skip


def electronics(folder: Path, limit: int | None) -> Iterator[Product]:
    """The products of the corpus; with a limit, the judged ones and so many of the others."""
    wanted = {product_id for one in read(folder / "judgments.csv") for product_id in one.ratings}
    others = 0
    with gzip.open(folder / "products.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            if str(row["id"]) not in wanted:
                others += 1
                if limit is not None and others > limit:
                    continue
            yield Product(
                ProductId(str(row["id"])),
                row["title"],
                description=row.get("text") or "",
                brand=row.get("supplier") or None,
                attributes=tuple(
                    Attribute(name, str(value)) for name, value in (row.get("attrs") or {}).items()
                ),
            )


def measure(search: Callable[[str], list[str]], judged: list[JudgedQuery]) -> dict[str, float]:
    """Means over the queries that have a good product."""
    rows, waited = [], []
    for one in judged:
        if not one.good:
            continue
        start = time.perf_counter()
        ids = search(one.text)
        waited.append(1000 * (time.perf_counter() - start))
        unjudged = sum(pid not in one.ratings for pid in ids[:10]) / max(len(ids[:10]), 1)
        rows.append((ndcg(ids, one.ratings), recall(ids, one.good), unjudged))
    means = [statistics.fmean(column) for column in zip(*rows, strict=True)]
    names = ("ndcg@10", "recall@100", "unjudged@10")
    told = {name: round(mean, 4) for name, mean in zip(names, means, strict=True)}
    quantiles = {"ms_median": statistics.median(waited), "ms_worst": max(waited)}
    return {"queries": len(rows)} | told | {name: round(ms, 1) for name, ms in quantiles.items()}


def judged(args: argparse.Namespace, embedder: Embedder) -> dict[str, Any]:
    """Builds (or uses again) the index of the corpus and measures each retriever."""
    products = list(electronics(args.data, args.limit))
    store = IndexStore(args.index, embedder)
    start = time.perf_counter()
    built = build(products, [], embedder, known=store.known_vectors(), progress=_told)
    seconds = time.perf_counter() - start
    store.write(built, catalogue="benchmark")
    start = time.perf_counter()
    store.open()
    opened = time.perf_counter() - start
    rated = read(args.data / "judgments.csv")

    def fused(query: str) -> list[str]:
        return [hit.id for hit in searcher.products(Query(query, k=100))]

    searcher = _searcher(built, embedder)
    found = {"fused": measure(fused, rated)}
    searcher = _searcher(built, _Deaf(embedder))
    found["lexical"] = measure(fused, rated)
    dense, ids = built.products.dense, built.products.table.ids
    found["dense"] = measure(
        lambda query: [ids[row] for row, _ in dense.search(embedder.encode([query])[0], 100)], rated
    )
    return {
        "products": len(products),
        "embedded": built.embedded,
        "build_seconds": round(seconds, 1),
        "open_seconds": round(opened, 2),
        "retrievers": found,
    }


class _Deaf:
    """An encoder that reads no language: what is left is the lexical ranking."""

    def __init__(self, embedder: Embedder) -> None:
        self.name, self.dimension = embedder.name, embedder.dimension
        self.languages: frozenset[str] = frozenset()

    def encode(self, texts: Sequence[str]) -> Any:
        raise AssertionError(f"asked to encode {len(texts)} texts")


def evidence(folder: Path, embedder: Embedder) -> dict[str, Any]:
    """The evidence of the best hit for every wish, and how far sold and not sold lie apart."""
    rows = []
    for name, wishes in WISHES.items():
        with (folder / name / "truth.jsonl").open(encoding="utf-8") as file:
            products = [_truth(json.loads(line)) for line in file]
        searcher = _searcher(build(products, [], embedder, known={}, progress=_told), embedder)
        for text, sold in wishes:
            language = "zh" if has_cjk(text) else "en"
            hits = searcher.products(Query(text, language, k=10))
            best = {
                part: max((hit.parts.get(part, 0.0) for hit in hits), default=0.0)
                for part in ("title_best", "title_coverage", "coverage", "dense")
            }
            rows.append({"shop": name, "query": text, "language": language, "sold": sold} | best)
    spread = {
        f"{language} {part}": {
            ("sold" if sold else "not sold"): [
                round(float(q), 2) for q in np.quantile(values, (0, 0.5, 1))
            ]
            for sold in (True, False)
            if (
                values := [r[part] for r in rows if r["sold"] is sold and r["language"] == language]
            )
        }
        for language in ("en", "zh")
        for part in ("title_best", "title_coverage", "coverage", "dense")
    }
    return {"best_hit": rows, "minimum_median_maximum": spread}


def _truth(row: dict[str, Any]) -> Product:
    labelled = (row.get("specs") or {}) | (row.get("attributes") or {}) | (row.get("options") or {})
    return Product(
        ProductId(row["id"]),
        row["title"],
        description=row.get("text") or "",
        brand=row.get("brand") or None,
        category=tuple(part.strip() for part in (row.get("category") or "").split(">") if part),
        tags=tuple(row.get("tags") or ()),
        attributes=tuple(Attribute(name, str(value)) for name, value in labelled.items()),
    )


def _searcher(built: Built, embedder: Embedder) -> Searcher:
    return Searcher(
        products=built.products,
        passages=built.passages,
        lexicon=built.lexicon,
        embedder=embedder,
    )


def _told(done: int, total: int) -> None:
    if total:
        print(f"embedded {done}/{total}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--shops", type=Path)
    parser.add_argument("--index", type=Path, default=Path("var/benchmarks/retrieval"))
    parser.add_argument("--encoder", choices=("minilm", "hashing"), default="minilm")
    parser.add_argument("--limit", type=int, help="judged products and so many others")
    parser.add_argument("--out", type=Path, default=Path("var/benchmarks/retrieval_baseline.json"))
    args = parser.parse_args()
    embedder: Embedder = MiniLmEmbedder() if args.encoder == "minilm" else HashingEmbedder()
    report: dict[str, Any] = {
        "machine": {"processor": platform.machine(), "python": platform.python_version()},
        "versions": {
            name: version(name) for name in ("bm25s", "faiss-cpu", "numpy", "sentence-transformers")
        },
        "encoder": embedder.name,
    }
    if args.data:
        report["electronics"] = judged(args, embedder)
    if args.shops:
        report["evidence"] = evidence(args.shops, embedder)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(json.dumps(report, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
