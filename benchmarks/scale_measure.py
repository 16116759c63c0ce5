"""Measures one index of the recipe in a process of its own; `scale.py` runs it for each size.

    python benchmarks/scale_measure.py memory|dense|adding --data FOLDER --size 1000000
    python benchmarks/scale_measure.py flat|lancedb --data FOLDER --size 1000000

Prints one line of JSON. Times are milliseconds: of three runs after a warm-up the one with the
lowest p95, beside a calibration loop of the same minute. Recall@10 is against every vector
compared, in the float16 that the index keeps.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.generator import calibration, percentile  # noqa: E402
from benchmarks.million import Catalogue, RecipeVectors, queries  # noqa: E402
from benchmarks.scale_index import ENCODED, KEPT, STATED, folder_of  # noqa: E402

K = 10
ASKED = 200  # queries in a run
RANDOM = 1_000  # queries after which the growth of memory is read
ADDED = 1_000
SELECTIVITIES = {"9 in 10": 0.9, "1 in 1,000": 0.001, "1 in 10,000": 0.0001}

Vectors = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Found = list[tuple[int, float]]


def resident() -> float:
    """Resident memory of this process in MB, mapped files included."""
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def query_vectors(data: Path) -> Vectors:
    """Vectors of the first queries, kept for all sizes."""
    path = KEPT / "queries.npy"
    if not path.exists():
        from retrieval.embedders import MiniLmEmbedder

        np.save(path, MiniLmEmbedder().encode(queries(data)[:ASKED]))
    return np.asarray(np.load(path), np.float32)


def kept_vectors(size: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
    """Rows that have a vector, and the vectors, mapped."""
    from retrieval.embedders import MiniLmEmbedder
    from retrieval.store import IndexStore

    store = IndexStore(folder_of(size), MiniLmEmbedder())
    folder = folder_of(size) / str(store.version())
    return np.load(folder / "base-rows.npy"), np.load(folder / "base-vectors.npy", mmap_mode="r")


def exact(asked: Vectors, size: int, masks: Sequence[Mask | None]) -> list[list[float]]:
    """The K best cosines of every query among what its mask allows, best first."""
    rows, vectors = kept_vectors(size)
    best = np.full((len(asked), K), -2, np.float32)
    for start in range(0, len(rows), 65_536):
        block = np.asarray(vectors[start : start + 65_536], np.float32)
        cosines = asked @ block.T
        for at, mask in enumerate(masks):
            if mask is not None:
                cosines[at, ~mask[rows[start : start + 65_536]]] = -2
        best = np.sort(np.concatenate([best, cosines], axis=1), axis=1)[:, -K:]
    return [[cosine for cosine in row[::-1].tolist() if cosine > -2] for row in best]


def recall(found: Sequence[Found], truth: Sequence[Sequence[float]]) -> float:
    """Mean share of the true best that was found; an equal cosine counts as the same."""
    shares = [
        sum(score >= best[-1] - 1e-4 for _, score in hits[: len(best)]) / len(best)
        for hits, best in zip(found, truth, strict=True)
        if best
    ]
    return float(np.mean(shares)) if shares else 1.0  # where nothing is allowed


def best_of_three(
    name: str, asked: Sequence[Any], search: Callable[[Any], Any], *, runs: int = 3
) -> dict[str, float]:
    """Times of the best run. The first run of four warms up; `asked` is dealt among the others."""
    for one in asked[: len(asked) // 4]:
        search(one)
    told = []
    for run in range(runs):
        loop = calibration()
        waited = []
        for one in asked:
            began = time.perf_counter()
            search(one)
            waited.append(1000 * (time.perf_counter() - began))
        told.append({"p50_ms": percentile(waited, 0.5), "p95_ms": percentile(waited, 0.95),
                     "calibration_ms": loop})  # fmt: skip
        print(f"{name}, run {run + 1}: {told[-1]}", file=sys.stderr, flush=True)
    return {key: round(value, 2) for key, value in min(told, key=lambda t: t["p95_ms"]).items()}


def memory_and_hybrid(data: Path, size: int) -> dict[str, Any]:
    """Growth of memory over 1,000 random queries from text, and what such a query takes."""
    from retrieval.embedders import MiniLmEmbedder
    from retrieval.store import IndexStore
    from retrieval.values import Query

    embedder = MiniLmEmbedder()
    embedder.encode(["a query before the first", "and another"])
    asked = queries(data)
    before = resident()
    began = time.perf_counter()
    searcher = IndexStore(folder_of(size), embedder).open()
    opened = time.perf_counter() - began
    after_open = resident()
    for text in asked[:RANDOM]:
        searcher.products(Query(text))
    after = resident()
    # no text is asked twice: the encoder keeps the vectors of texts that it has read
    rest = iter(asked[RANDOM:])
    told = []
    for run in range(3):
        loop = calibration()
        waited = []
        for _ in range(min(ASKED, (len(asked) - RANDOM) // 3)):
            text = next(rest)
            began = time.perf_counter()
            searcher.products(Query(text))
            waited.append(1000 * (time.perf_counter() - began))
        told.append({"p50_ms": percentile(waited, 0.5), "p95_ms": percentile(waited, 0.95),
                     "calibration_ms": loop})  # fmt: skip
        print(f"hybrid from text, run {run + 1}: {told[-1]}", file=sys.stderr, flush=True)
    best = min(told, key=lambda t: t["p95_ms"])
    return {
        "open_seconds": round(opened, 2),
        "memory_growth_mb": round(after - before),
        "memory_growth_of_opening_mb": round(after_open - before),
        "hybrid": {key: round(value, 2) for key, value in best.items()},
    }


def dense(data: Path, size: int) -> dict[str, Any]:
    """Search from a query vector, without a condition and under random ones."""
    from retrieval.embedders import MiniLmEmbedder
    from retrieval.store import IndexStore

    index = IndexStore(folder_of(size), MiniLmEmbedder()).open()._products.dense
    asked = query_vectors(data)
    rng = np.random.default_rng(7)
    found: dict[str, Any] = {}
    conditions: dict[str, list[Mask | None]] = {"unfiltered": [None] * len(asked)}
    for name, share in SELECTIVITIES.items():
        masks = [rng.random(size) < share for _ in range(8)]
        conditions[name] = [masks[at % len(masks)] for at in range(len(asked))]
    for name, allowed in conditions.items():
        truth = exact(asked, size, allowed)
        pairs = list(zip(asked, allowed, strict=True))
        times = best_of_three(
            f"dense, {name}", pairs, lambda pair: index.search(pair[0], K, allowed=pair[1])
        )
        hits = [index.search(vector, K, allowed=mask) for vector, mask in pairs]
        found[name] = times | {"recall_at_10": round(recall(hits, truth), 4)}
    return found


def adding(data: Path, size: int) -> dict[str, Any]:
    """Seconds to add 1,000 products whose vectors are known, until they are searched."""
    from retrieval.building import build_change
    from retrieval.embedders import MiniLmEmbedder
    from retrieval.store import IndexStore
    from retrieval.values import Query

    embedder = MiniLmEmbedder()
    vectors = RecipeVectors(Catalogue(data), ENCODED, KEPT)
    new = list(vectors.noted(size, size + ADDED))
    for product in range(size, size + ADDED):
        vectors.vector(product)
    records = [(f"p{number:07d}", STATED) for number in range(size + ADDED)]
    with tempfile.TemporaryDirectory(dir=KEPT) as place:
        copy = Path(place) / "index"
        shutil.copytree(folder_of(size), copy, copy_function=os.link)
        store = IndexStore(copy, embedder)
        began = time.perf_counter()
        difference = store.difference(records)
        if difference is None:
            return {"whole": True}
        built = build_change(
            difference.base, difference.lexicon, difference.change, difference.places,
            new, [], embedder,
            known=vectors, progress=lambda _done, _total: None, records=dict(records[-ADDED:]),
        )  # fmt: skip
        store.write(built, catalogue="changed")
        searcher = store.open()
        seconds = time.perf_counter() - began
        found = [searcher.products(Query(one.title, k=K)) for one in new[:20]]
    shown = [one.id in {hit.id for hit in hits} for one, hits in zip(new[:20], found, strict=True)]
    return {
        "seconds": round(seconds, 2),
        "products": len(difference.places),
        "found_by_title_of_20": sum(shown),
    }


def flat(data: Path, size: int) -> dict[str, Any]:
    """A plain flat index of faiss over the same vectors."""
    from retrieval.dense import DenseIndex

    rows, vectors = kept_vectors(size)
    asked = query_vectors(data)[: 50 if size > 100_000 else ASKED]
    began = time.perf_counter()
    index = DenseIndex(rows, np.asarray(vectors, np.float32))
    seconds = time.perf_counter() - began
    times = best_of_three("flat", list(asked), lambda vector: index.search(vector, K))
    truth = exact(asked, size, [None] * len(asked))
    hits = [index.search(vector, K) for vector in asked]
    memory = vectors.size * 4 / 1e6
    return times | {"seconds": round(seconds, 1), "disk_mb": round(memory, 1),
                    "recall_at_10": round(recall(hits, truth), 4)}  # fmt: skip


def lancedb(data: Path, size: int, packages: Path | None) -> dict[str, Any]:
    """LanceDB over the same vectors: its IVF_PQ index from 10,000 on, with re-ranked hits."""
    if packages:
        sys.path.append(str(packages))
    import lancedb as lance
    import pyarrow as pa

    rows, vectors = kept_vectors(size)
    asked = query_vectors(data)
    with tempfile.TemporaryDirectory(dir=KEPT) as place:
        began = time.perf_counter()

        def batches() -> Any:
            for start in range(0, len(rows), 65_536):
                block = np.asarray(vectors[start : start + 65_536], np.float32)
                listed = pa.FixedSizeListArray.from_arrays(pa.array(block.ravel()), block.shape[1])
                ids = pa.array(rows[start : start + 65_536])
                yield pa.RecordBatch.from_arrays([ids, listed], ["id", "vector"])

        schema = pa.schema([("id", pa.int64()), ("vector", pa.list_(pa.float32(), 384))])
        table = lance.connect(place).create_table("products", batches(), schema=schema)
        if size >= 10_000:
            table.create_index(metric="cosine", vector_column_name="vector")
        seconds = time.perf_counter() - began

        def search(vector: Vectors) -> Found:
            query = table.search(vector).distance_type("cosine").limit(K)
            if size >= 10_000:
                query = query.nprobes(40).refine_factor(10)
            got = query.select(["id", "_distance"]).to_arrow()
            return [
                (at, 1 - distance)
                for at, distance in zip(
                    got["id"].to_pylist(), got["_distance"].to_pylist(), strict=True
                )
            ]

        times = best_of_three("lancedb", list(asked), search)
        hits = [search(vector) for vector in asked]
        on_disk = sum(path.stat().st_size for path in Path(place).rglob("*") if path.is_file())
    truth = exact(asked, size, [None] * len(asked))
    return times | {
        "version": lance.__version__,
        "seconds": round(seconds, 1),
        "disk_mb": round(on_disk / 1e6, 1),
        "recall_at_10": round(recall(hits, truth), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("what", choices=("memory", "dense", "adding", "flat", "lancedb"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--lancedb", type=Path, help="folder that LanceDB was installed to")
    args = parser.parse_args()
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "memory": lambda: memory_and_hybrid(args.data, args.size),
        "dense": lambda: {"dense": dense(args.data, args.size)},
        "adding": lambda: {"adding": adding(args.data, args.size)},
        "flat": lambda: flat(args.data, args.size),
        "lancedb": lambda: lancedb(args.data, args.size, args.lancedb),
    }
    print(json.dumps(parts[args.what]()), flush=True)


if __name__ == "__main__":
    main()
