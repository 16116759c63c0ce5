"""One measurement of search: every ranking over the same judged queries, and the files that say how it went.

Knows nothing about settings or the command line.
"""

from __future__ import annotations

import csv
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.evaluation.report import machine, versions
from bot.evaluation.retrieval.baselines import Search
from bot.evaluation.retrieval.judgments import JudgedQuery
from bot.evaluation.retrieval.metrics import interval, ndcg, percentile, recall, reciprocal_rank

OURS = "this shop"
DEPTH = 100
TOP = 10
FIGURES = (f"nDCG@{TOP}", f"recall@{DEPTH}", "MRR")


@dataclass(frozen=True, slots=True)
class Row:
    """What one ranking came to for one query: its figures, the milliseconds it took, its first ids."""

    query: str
    figures: Mapping[str, float]
    milliseconds: float
    first: tuple[str, ...]


def rank_all(
    systems: Mapping[str, Search],
    judged: Sequence[JudgedQuery],
    *,
    tick: Callable[[], None] = lambda: None,
) -> dict[str, list[Row]]:
    """Asks every system every query that a product answers; `tick` is called after each.

    Before it is timed a system answers the first query once.
    """
    answerable = [one for one in judged if one.good]
    found: dict[str, list[Row]] = {}
    for name, search in systems.items():
        if answerable:
            search(answerable[0].text, answerable[0].language, DEPTH)
        rows = []
        for one in answerable:
            began = time.perf_counter()
            ids = search(one.text, one.language, DEPTH)
            took = 1000 * (time.perf_counter() - began)
            values = (
                ndcg(ids, one.ratings, TOP),
                recall(ids, one.good, DEPTH),
                reciprocal_rank(ids, one.good, DEPTH),
            )
            rows.append(
                Row(one.text, dict(zip(FIGURES, values, strict=True)), took, tuple(ids[:TOP]))
            )
            tick()
        found[name] = rows
    return found


def as_json(
    found: Mapping[str, Sequence[Row]], judged: Sequence[JudgedQuery], *, products: int
) -> dict[str, Any]:
    """The report: of each system the mean of each figure with its 95 % interval, and latency."""
    ratings = {one.text: one.ratings for one in judged}
    return {
        "machine": machine(),
        "versions": versions(),
        "products": products,
        "queries": len(judged),
        "answerable": sum(1 for one in judged if one.good),
        "systems": {name: _summed(rows, ratings) for name, rows in found.items()},
    }


def _summed(rows: Sequence[Row], ratings: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    summed: dict[str, Any] = {}
    for figure in FIGURES:
        values = [row.figures[figure] for row in rows]
        low, high = interval(values)
        summed[figure] = {
            "mean": round(statistics.fmean(values), 4),
            "low": round(low, 4),
            "high": round(high, 4),
        }
    shown = [(row.query, id) for row in rows for id in row.first]
    unjudged = sum(id not in ratings[query] for query, id in shown)
    summed[f"unjudged@{TOP}"] = round(unjudged / max(1, len(shown)), 4)
    waits = [row.milliseconds for row in rows]
    summed["ms_p50"] = round(percentile(waits, 0.5), 2)
    summed["ms_p95"] = round(percentile(waits, 0.95), 2)
    return summed


def losses(found: Mapping[str, Sequence[Row]], baseline: str) -> list[dict[str, Any]]:
    """Every query with its nDCG here and with the baseline, the greatest loss first."""
    figure = FIGURES[0]
    rows = [
        {
            "query": ours.query,
            "ours": round(ours.figures[figure], 4),
            "baseline": round(theirs.figures[figure], 4),
            "difference": round(ours.figures[figure] - theirs.figures[figure], 4),
            "first": " ".join(ours.first[:3]),
        }
        for ours, theirs in zip(found[OURS], found[baseline], strict=True)
    ]
    return sorted(rows, key=lambda row: (row["difference"], row["query"]))


def write(
    out: Path, report: Mapping[str, Any], lost: Sequence[Mapping[str, Any]], baseline: str
) -> list[Path]:
    """Writes retrieval.json, retrieval.md, losses.csv and queries.png into `out`; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    figures, table, rows = out / "retrieval.json", out / "retrieval.md", out / "losses.csv"
    figures.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    table.write_text(as_markdown(report), encoding="utf-8")
    with rows.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lost[0]))
        writer.writeheader()
        writer.writerows(lost)
    return [figures, table, rows, _draw(report, lost, baseline, out / "queries.png")]


def table_of(report: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the table that is shown and written; higher is better but in milliseconds."""
    heads = ["", *(f"{name} ↑" for name in FIGURES), f"unjudged@{TOP}", "ms, p50 ↓", "ms, p95 ↓"]
    rows = []
    for name, of in report["systems"].items():
        means = [f"{of[f]['mean']:.3f} ({of[f]['low']:.3f}–{of[f]['high']:.3f})" for f in FIGURES]
        rest = [f"{of[f'unjudged@{TOP}']:.0%}", f"{of['ms_p50']:.1f}", f"{of['ms_p95']:.1f}"]
        rows.append([name, *means, *rest])
    return heads, rows


def as_markdown(report: Mapping[str, Any]) -> str:
    heads, rows = table_of(report)
    told = f"{report['answerable']} judged queries that something answers, of {report['queries']}; {report['products']} products.\n\n"  # fmt: skip
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return told + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _draw(
    report: Mapping[str, Any], lost: Sequence[Mapping[str, Any]], baseline: str, path: Path
) -> Path:
    """Each query's nDCG against the baseline's, and each system's mean with its interval."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    points, bars = figure.subplots(1, 2)
    points.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    points.scatter([row["baseline"] for row in lost], [row["ours"] for row in lost], s=14)
    for row in lost[:5]:
        if row["difference"] < 0:
            points.annotate(row["query"], (row["baseline"], row["ours"]), fontsize="x-small")
    points.set(xlabel=f"nDCG@{TOP}, {baseline}", ylabel=f"nDCG@{TOP}, {OURS}")
    names = list(report["systems"])
    for number, name in enumerate(FIGURES):
        values = [report["systems"][system][name] for system in names]
        means = [value["mean"] for value in values]
        spread = [
            [v["mean"] - v["low"] for v in values],
            [v["high"] - v["mean"] for v in values],
        ]
        at = [row + 0.25 * (number - 1) for row in range(len(names))]
        bars.barh(at, means, 0.25, xerr=spread, label=name, error_kw={"elinewidth": 0.8})
    bars.set_yticks(range(len(names)), names)
    bars.invert_yaxis()
    bars.set(xlim=(0, 1), xlabel="mean and 95 % interval (higher is better)")
    bars.legend(fontsize="small", loc="lower left")
    figure.savefig(path, dpi=110)
    return path
