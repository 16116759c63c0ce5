"""Draws what was measured: slot error of each act, latency of each back end, length of texts.

Knows nothing about how anything was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.evaluation.generator import Said
from bot.evaluation.report import LANGUAGES, PLAIN, Measured


def draw(report: Mapping[str, Any], measured: Sequence[Measured], folder: Path) -> list[Path]:
    """Writes the pictures (PNG) into `folder`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, found in report["sets"].items():
        paths.append(_slot_error(found, folder / f"slot-error-{name}.png"))
    said: dict[str, list[Said]] = {}
    for one in measured:
        for system, texts in one.said.items():
            said.setdefault(system, []).extend(texts)
    paths.append(_latency(said, folder / "latency.png"))
    paths.append(_length(said, folder / "length.png"))
    return paths


def _slot_error(found: Mapping[str, Any], path: Path) -> Path:
    """A bar an act and system, the worst acts on top; acts that carry no slot are left out."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    systems = found["systems"]
    panels = [lang for lang in LANGUAGES if any(lang in s["acts"] for s in systems.values())]
    ranked = {lang: _worst_first(systems, lang) for lang in panels}
    rows = max(map(len, ranked.values()), default=1)
    figure = Figure(
        figsize=(5.5 * max(1, len(panels)), 1.2 + 0.32 * max(4, rows)), layout="constrained"
    )
    for lang, axes in zip(panels, figure.subplots(1, max(1, len(panels)), squeeze=False)[0], strict=False):  # fmt: skip
        acts = ranked[lang]
        height = 0.8 / max(1, len(systems))
        for number, (name, groups) in enumerate(systems.items()):
            values = [100 * (groups["acts"][lang][act]["slot_error_greedy"] or 0) for act in acts]
            at = [row + (number - (len(systems) - 1) / 2) * height for row in range(len(acts))]
            axes.barh(at, values, height, label=name)
        axes.set_yticks(range(len(acts)), acts, fontsize="small")
        axes.invert_yaxis()
        axes.set(title=LANGUAGES[lang], xlabel="slot error of the greedy text, % (lower is better)")
        axes.set_xlim(0, None if any(p.get_width() for p in axes.patches) else 1)
        axes.legend(fontsize="small", loc="lower right")
    figure.savefig(path, dpi=110)
    return path


def _worst_first(systems: Mapping[str, Any], language: str) -> list[str]:
    worst: dict[str, float] = {}
    for groups in systems.values():
        for act, figures in groups["acts"].get(language, {}).items():
            if figures["slots"]:
                worst[act] = max(worst.get(act, 0.0), figures["slot_error_greedy"])
    return sorted(worst, key=lambda act: (-worst[act], act))


def _latency(said: Mapping[str, Sequence[Said]], path: Path) -> Path:
    """The share of prompts that were phrased within a time, a line a back end."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for number, (name, texts) in enumerate(said.items()):
        for label, line, timings in (
            ("all candidates", "-", [one.timing for one in texts]),
            ("one candidate", ":", [one.greedy_timing for one in texts]),
        ):
            if (name == PLAIN and line == ":") or not (noted := [t for t in timings if t]):
                continue
            times = sorted(1000 * t.seconds for t in noted)
            shares = [100 * (at + 1) / len(times) for at in range(len(times))]
            told = name if name == PLAIN else f"{name}, {label}"
            axes.step(times, shares, line, where="post", color=f"C{number}", label=told)
    axes.set(xlabel="milliseconds", ylabel="% of prompts phrased within", xscale="log", ylim=(0, 100))  # fmt: skip
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=110)
    return path


def _length(said: Mapping[str, Sequence[Said]], path: Path) -> Path:
    """How many characters the shown texts have, values filled in, a box a system."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(9, 4), layout="constrained")
    for (lang, words), axes in zip(LANGUAGES.items(), figure.subplots(1, 2), strict=True):
        lengths = {
            name: [len(one.text) for one in texts if one.prompt.example.language == lang]
            for name, texts in said.items()
        }
        shown = {name: some for name, some in lengths.items() if some}
        if shown:
            axes.boxplot(list(shown.values()), tick_labels=list(shown), sym=".")
        axes.tick_params(axis="x", labelrotation=15)
        axes.set(title=words, ylabel="characters", ylim=(0, None))
    figure.savefig(path, dpi=110)
    return path
