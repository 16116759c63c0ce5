"""What search costs from a thousand to a million products, beside LanceDB and a flat FAISS index.

    python benchmarks/scale.py --data FOLDER [--sizes 1000 10000 100000 1000000] [--lancedb FOLDER]

The products and vectors are those of `million.py`, where the recipe stands: at most 22,405 real
products recombined, the first 51,200 texts really encoded, further vectors mixed of these with
noise. Every step is a process of its own, capped at twenty minutes but for encoding and our own
builds, which are kept under `var/benchmarks/scale/` and used again (`--anew` builds them again).
LanceDB is for this benchmark alone; it may stand in a folder of its own:

    pip install --target /tmp/lancedb lancedb
    python benchmarks/scale.py --data FOLDER --lancedb /tmp/lancedb

Writes the report as JSON and, beside it, the cost curves as a picture. The bars, at a million:
dense p95 at most 10 ms with recall@10 of at least 0.95, also under the 1-in-1,000 filter; hybrid
from text p95 at most 80 ms; memory growth over 1,000 queries at most 1.2 GB; 1,000 products added
in at most 30 s.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.scale_index import folder_of  # noqa: E402
from bot.evaluation.report import machine  # noqa: E402

SIZES = (1_000, 10_000, 100_000, 1_000_000)
CAP = 20 * 60  # seconds for one step
OURS, FLAT, LANCEDB = "shopbot", "faiss flat", "LanceDB"


def step(script: str, *arguments: str, seconds: float | None = CAP) -> dict[str, Any]:
    """Runs one script; what its last line says, or why there is none."""
    command = [sys.executable, str(ROOT / "benchmarks" / script), *arguments]
    print(" ".join(command[1:]), file=sys.stderr, flush=True)
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"stopped after {CAP // 60} minutes"}
    except subprocess.CalledProcessError as error:
        return {"failed": f"ended with {error.returncode}"}
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def measured(options: argparse.Namespace, size: int) -> dict[str, Any]:
    """Our index of one size, and the others on the same vectors."""
    common = ("--data", str(options.data), "--size", str(size))
    kept = folder_of(size) / "built.json"
    if options.anew or not kept.exists():
        built = step("scale_index.py", *common, seconds=None)
    else:
        built = json.loads(kept.read_text("utf-8"))
    ours = built
    for part in ("memory", "dense", "adding"):
        ours = ours | step("scale_measure.py", part, *common)
    place = ("--lancedb", str(options.lancedb)) if options.lancedb else ()
    return {
        OURS: ours,
        FLAT: step("scale_measure.py", "flat", *common),
        LANCEDB: step("scale_measure.py", "lancedb", *common, *place),
    }


def bars(ours: dict[str, Any]) -> dict[str, bool]:
    """Which bars one size meets."""
    dense = ours["dense"]
    return {
        f"dense p95 and recall, {name}": dense[name]["p95_ms"] <= 10
        and dense[name]["recall_at_10"] >= 0.95
        for name in dense
    } | {
        "hybrid p95": ours["hybrid"]["p95_ms"] <= 80,
        "memory growth": ours["memory_growth_mb"] <= 1200,
        "adding 1,000": ours["adding"].get("seconds", 0) <= 30,
    }


def curves(report: dict[str, Any], path: Path) -> None:
    """Draws building time, size on disk, p95 and recall over the number of products."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    def of(system: str, figure: str, row: dict[str, Any]) -> float | None:
        told = row[system]
        if system == OURS and figure in ("p95_ms", "recall_at_10"):
            told = told.get("dense", {}).get("unfiltered", {})
        value = told.get(figure)
        return None if value is None else float(value)

    drawn, axes = pyplot.subplots(2, 2, figsize=(10, 7), sharex=True)
    figures = (
        ("seconds", "building, s (shopbot: words too)"),
        ("disk_mb", "size, MB (shopbot: words too)"),
        ("p95_ms", "dense search p95, ms"),
        ("recall_at_10", "recall@10"),
    )
    for axis, (figure, label) in zip(axes.flat, figures, strict=True):
        for system in (OURS, FLAT, LANCEDB):
            points = sorted(
                (int(size), value)
                for size, row in report["sizes"].items()
                if (value := of(system, figure, row)) is not None
            )
            if points:
                axis.plot(*zip(*points, strict=True), marker="o", label=system)
        axis.set_xscale("log")
        axis.set_ylabel(label)
        if figure != "recall_at_10":
            axis.set_yscale("log")
        axis.grid(True, alpha=0.3)
    axes[0, 0].legend()
    for axis in axes[1]:
        axis.set_xlabel("products")
    drawn.tight_layout()
    drawn.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--lancedb", type=Path, help="folder that LanceDB was installed to")
    parser.add_argument("--anew", action="store_true", help="build our indexes again")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "scale.json")
    options = parser.parse_args()
    report: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": {name: version(name) for name in ("faiss-cpu", "numpy")},
        "sizes": {},
    }
    for size in options.sizes:
        row = measured(options, size)
        report["sizes"][str(size)] = row
        if "dense" in row[OURS]:
            row["bars"] = bars(row[OURS])
        print(json.dumps({size: row}, indent=1), flush=True)
        options.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
        curves(report, options.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
