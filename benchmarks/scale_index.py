"""Builds the index of the first N products of the recipe, as `shopbot index` would.

    python benchmarks/scale_index.py --data FOLDER --size 1000000

Prints one line of JSON: seconds of building apart from encoding, by the clock and of the processor
(reading the products and drawing the vectors of the recipe included), peak memory, bytes on disk,
how vectors are searched.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.million import Catalogue, RecipeVectors  # noqa: E402
from retrieval.building import build  # noqa: E402
from retrieval.embedders import MiniLmEmbedder  # noqa: E402
from retrieval.store import IndexStore  # noqa: E402

KEPT = ROOT / "var" / "benchmarks" / "scale"
ENCODED = 51_200  # of which 50,653 are no Chinese, which this encoder does not read
STATED = "1"  # every product of the recipe stays as it is


def folder_of(size: int) -> Path:
    """Where the index of this size lies."""
    return KEPT / f"index-{size}"


def build_index(data: Path, size: int, encoded: int) -> dict[str, Any]:
    """Builds and writes the index; returns what the script prints."""
    vectors = RecipeVectors(Catalogue(data), encoded, KEPT)
    store = IndexStore(folder_of(size), MiniLmEmbedder())
    began, cpu = time.perf_counter(), time.process_time()
    built = build(
        vectors.noted(0, size),
        [],
        MiniLmEmbedder(),
        known=vectors,
        progress=lambda _done, _total: None,
        records={f"p{number:07d}": STATED for number in range(size)},
    )
    texts = time.perf_counter() - began - vectors.seconds_encoding
    print(f"{size} products read and counted after {texts:.0f} s", file=sys.stderr, flush=True)
    manifest = store.write(built, catalogue="recipe")
    seconds = time.perf_counter() - began - vectors.seconds_encoding
    on_disk = sum(int(stated["bytes"]) for stated in manifest.files.values())
    return {
        "size": size,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "seconds_texts": round(texts, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "disk_mb": round(on_disk / 1e6, 1),
        "vectors": manifest.vectors,
        "clustering": manifest.segments["base"]["clustering"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--encoded", type=int, default=ENCODED)
    args = parser.parse_args()
    folder_of(args.size).mkdir(parents=True, exist_ok=True)
    told = build_index(args.data, args.size, args.encoded)
    (folder_of(args.size) / "built.json").write_text(json.dumps(told), "utf-8")
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
