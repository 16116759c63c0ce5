"""How much of the first page near-duplicates take, and what keeping them from it costs.

    python benchmarks/diversity.py --data FOLDER [--out FILE] [--index FOLDER]

`--data` is the folder of the public sets. For every query the share of the first ten places that the
third and later of near-duplicates take (`retrieval.diversity`), before their discount and after it.
Beside it what is judged: nDCG@10 and recall@100 on `chorus-electronics`, on whose queries the discount
was chosen; recall of the wanted products on `eshop-support` (among the first one), `shopping-goals`
and `litemall-zh` (among the first five), which chose nothing. The styles of `retail-demo-store` are
its queries and have no judgments. "before" ranks the same hits by their score without the part
`repeated`. `--index` may be that of `benchmarks/ranking.py`, so that little is encoded.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ranking import goals, tickets
from retrieval_baseline import electronics

from bot.evaluation.report import machine, versions
from bot.evaluation.retrieval.judgments import JudgedQuery, read
from bot.evaluation.retrieval.metrics import ndcg, recall
from db.records import Product, ProductId
from retrieval.building import build
from retrieval.diversity import surplus
from retrieval.embedders import BilingualEmbedder, ChineseEmbedder, Embedder, MiniLmEmbedder
from retrieval.hybrid import Searcher
from retrieval.ranking import WEIGHTS
from retrieval.store import IndexStore
from retrieval.text import sequence
from retrieval.values import Hit, Query

PAGE = 10
DEPTH = 100
EVERY = 400  # all candidates of both retrievers


def measured(
    products: Sequence[Product],
    asked: Sequence[JudgedQuery],
    embedder: Embedder,
    index: Path,
    k: int,
) -> dict[str, Any]:
    """Share of surplus places, and what is judged, before and after; `k` is that of the recall."""
    store = IndexStore(index, embedder)
    built = build(products, [], embedder, known=store.known_vectors(), progress=_told)
    store.write(built, catalogue="benchmark")
    searcher = Searcher(
        products=built.products, passages=built.passages, lexicon=built.lexicon, embedder=embedder
    )
    titles = {str(one.id): " ".join(sequence(one.title)) for one in products}
    pages: dict[str, list[tuple[list[str], JudgedQuery]]] = {"before": [], "after": []}
    for one in asked:
        hits = searcher.products(Query(one.text, one.language, EVERY))
        pages["after"].append(([hit.id for hit in hits], one))
        undone = sorted(hits, key=_without_discount, reverse=True)  # equals stay in order
        pages["before"].append(([hit.id for hit in undone], one))
    firsts = [a[0][:1] == b[0][:1] for a, b in zip(pages["before"], pages["after"], strict=True)]
    return {
        "products": len(products),
        "queries": len(asked),
        "same_first": sum(firsts),
        **{name: _figures(found, titles, k) for name, found in pages.items()},
    }


def _without_discount(hit: Hit) -> float:
    return hit.score - WEIGHTS["repeated"] * hit.parts.get("repeated", 0.0)


def _figures(
    found: Sequence[tuple[list[str], JudgedQuery]], titles: Mapping[str, str], k: int
) -> dict[str, float]:
    taken = [sum(surplus([titles[i] for i in ids[:PAGE]])) for ids, _ in found]
    told = {
        "surplus_share": statistics.fmean(taken) / PAGE,
        "queries_with_surplus": sum(map(bool, taken)),
    }
    judged = [(ids, one) for ids, one in found if one.good]
    if judged:
        told[f"recall@{k}"] = statistics.fmean(recall(ids[:k], one.good, k) for ids, one in judged)
        told["ndcg@10"] = statistics.fmean(ndcg(ids[:DEPTH], one.ratings) for ids, one in judged)
    return {name: round(value, 4) for name, value in told.items()}


def _wanted(asked: Sequence[tuple[str, Sequence[str], str]]) -> list[JudgedQuery]:
    return [JudgedQuery(text, "en", dict.fromkeys(ids, 3)) for text, ids, _ in asked]


def styles(folder: Path) -> tuple[list[Product], list[JudgedQuery]]:
    """The products of the retail store, and the name of each style as a query."""
    with gzip.open(folder / "products.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    products = [
        Product(
            ProductId(str(row["id"])),
            row["name"],
            description=row.get("description") or "",
            category=(row["category"], row["style"]),
        )
        for row in rows
    ]
    return products, [JudgedQuery(style, "en", {}) for style in sorted({r["style"] for r in rows})]


def chinese(folder: Path) -> tuple[list[Product], list[JudgedQuery]]:
    """The goods of the Chinese shop and the fifty judged queries over them."""
    with (folder / "goods.jsonl").open(encoding="utf-8") as file:
        products = [
            Product(
                ProductId(str(row["id"])),
                row["name"],
                description=row.get("brief") or "",
                category=tuple(part.strip() for part in row["category"].split(">")),
            )
            for row in map(json.loads, file)
        ]
    halves = ("shared", "paraphrased")
    here = Path(__file__).parent
    return products, [q for half in halves for q in read(here / f"litemall_queries_{half}.csv")]


def _told(done: int, total: int) -> None:
    if total:
        print(f"embedded {done}/{total}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--index", type=Path, default=Path("var/benchmarks/ranking"))
    parser.add_argument("--out", type=Path, default=Path("var/benchmarks/diversity.json"))
    args = parser.parse_args()
    cache = args.index / "encoders"
    embedder = BilingualEmbedder(MiniLmEmbedder(cache=cache), ChineseEmbedder(cache=cache))
    chorus = args.data / "chorus-electronics"
    judged = [one for one in read(chorus / "judgments.csv") if one.good]
    report: dict[str, Any] = {"machine": machine(), "versions": versions()}
    for name, (products, asked), k in (
        ("tickets", tickets(args.data / "eshop-support"), 1),
        ("goals", goals(args.data / "shopping-goals"), 5),
    ):
        report[name] = measured(products, _wanted(asked), embedder, args.index / name, k)
    report["styles"] = measured(
        *styles(args.data / "retail-demo-store"), embedder, args.index / "styles", 5
    )
    report["chinese"] = measured(
        *chinese(args.data / "litemall-zh"), embedder, args.index / "litemall", 5
    )
    report["electronics"] = measured(
        list(electronics(chorus, None)), judged, embedder, args.index / "electronics", DEPTH
    )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(json.dumps(report, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
