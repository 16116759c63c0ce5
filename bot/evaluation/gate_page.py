"""What the gate found, as one page: the verdict, every figure, plots, and replies side by side.

All that models and shops wrote is escaped. Knows nothing about how anything was judged.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from bot.evaluation import gate, pages
from bot.evaluation.gate import CANDIDATE, INCUMBENT, Heard, Speaker
from bot.evaluation.generator import Said

SHOWN = 80  # replies of a kind on the page
ARROWS = {"lower": "↓", "higher": "↑", "near": "↔"}


def page(report: Mapping[str, Any], heard: Mapping[Speaker, Heard]) -> str:
    """The page; it needs no other file."""
    sections = [
        ("Corrections that no training saw", "held_back", _corrections(heard)),
        ("Held-out prompts of the base corpus", "base", _differing(heard)),
    ]
    failed = [
        (one.task.id, speaker, one.wrong)
        for speaker, of in heard.items()
        for one in of.played
        if not one.done
    ]
    return pages.render(
        "gate.html",
        report=report,
        arrows=ARROWS,
        sections=sections,
        failed=failed,
        plots=_plots(heard),
    )


def _corrections(heard: Mapping[Speaker, Heard]) -> list[tuple[Said, ...]]:
    """Where the candidate lost most first, then where it gained least."""
    rows = list(zip(*(of.held_back for of in heard.values()), strict=True))
    scores = {speaker: gate.nearness(of.held_back) for speaker, of in heard.items()}
    gains = [one - other for one, other in zip(scores[CANDIDATE], scores[INCUMBENT], strict=True)]
    return [row for _, row in sorted(zip(gains, rows, strict=True), key=lambda pair: pair[0])][
        :SHOWN
    ]


def _differing(heard: Mapping[Speaker, Heard]) -> list[tuple[Said, ...]]:
    """Where candidate and incumbent say different things."""
    rows = zip(*(of.base for of in heard.values()), strict=True)
    return [row for row in rows if row[0].text != row[1].text][:SHOWN]


def _plots(heard: Mapping[Speaker, Heard]) -> list[str]:
    candidate, incumbent = heard[CANDIDATE].held_back, heard[INCUMBENT].held_back
    drawn = [_latency(heard)]
    if candidate:
        drawn.insert(0, _nearness(gate.nearness(candidate), gate.nearness(incumbent)))
    return drawn


def _nearness(candidate: Sequence[float], incumbent: Sequence[float]) -> str:
    """A dot a correction: above the line the candidate is nearer to it."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(4.6, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 100], [0, 100], color="0.7", linewidth=1)
    axes.scatter(incumbent, candidate, s=18, alpha=0.6, color="C0", edgecolors="none")
    axes.set(
        xlabel="chrF of the one in use", ylabel="chrF of the candidate", xlim=(0, 102), ylim=(0, 102),
        title="Nearness to each held-back correction",
    )  # fmt: skip
    return _svg(figure)


def _latency(heard: Mapping[Speaker, Heard]) -> str:
    """The share of held-out prompts that were answered within a time."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(5.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for speaker, of in heard.items():
        times = sorted(1000 * one.reply_seconds for one in of.base if one.reply_seconds is not None)
        shares = [100 * (at + 1) / len(times) for at in range(len(times))]
        axes.step(times, shares, where="post", label=speaker)
    axes.set(xlabel="milliseconds", ylabel="% of prompts", xscale="log", ylim=(0, 100), title="Said and checked within")  # fmt: skip
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return _svg(figure)


def _svg(figure: Any) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
