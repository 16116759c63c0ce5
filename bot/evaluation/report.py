"""What was measured, as JSON, as Markdown and as tables for a terminal.

Knows nothing about how anything was measured.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from bot.evaluation.figures import FIGURES, Figures, by_group, shown
from bot.evaluation.generator import Said
from bot.evaluation.sets import Known, PromptSet

LANGUAGES = {"en": "English", "zh": "Chinese"}
ALONE, PLAIN = "model alone", "plain"
LIBRARIES = ("shopbot", "torch", "transformers", "ctranslate2", "sacrebleu")
_OF_ACTS = ("slot_error_greedy", "slot_error_best", "first_try", "fallback", "characters")
_OF_PLAIN = frozenset({"first_try", "characters"})  # it has no slot errors
_KINDS_SHOWN = 12
_ARROWS = {"lower": " ↓", "higher": " ↑"}


@dataclass(frozen=True, slots=True)
class Judged:
    """The model that was judged; `parameters` is None where there is no folder to count in."""

    name: str
    version: str
    folder: str
    parameters: int | None


@dataclass(frozen=True, slots=True)
class Measured:
    """All texts of one set of prompts, by system: back ends, the model alone, the plain fallback."""

    prompts: PromptSet
    said: Mapping[str, Sequence[Said]]


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    info = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.+)$", info.read_text(), re.M) if info.exists() else []
    return {
        "processor": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """The versions of the libraries that figures may depend on; what is not installed is left out."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def as_json(
    model: Judged, measured: Iterable[Measured], known: Known, *, k: int, seed: int, now: datetime
) -> dict[str, Any]:
    """Returns the whole report; everything else here is made from it."""
    return {
        "date": now.isoformat(timespec="seconds"),
        "model": asdict(model),
        "machine": machine(),
        "versions": versions(),
        "k": k,
        "seed": seed,
        "better": {name: figure.better for name, figure in FIGURES.items() if figure.better},
        "sets": {one.prompts.name: _set(one, known) for one in measured},
    }


def _set(one: Measured, known: Known) -> dict[str, Any]:
    found: dict[str, Any] = {
        "prompts": len(one.prompts.prompts),
        "left_out": one.prompts.left_out,
        "systems": {name: by_group(said, known) for name, said in one.said.items()},
    }
    if one.prompts.kinds:
        kinds = [one.prompts.coverage, *one.prompts.kinds]
        found["coverage"] = [
            {"kind": k.name, "turns": k.turns, "mapped": k.mapped, "share": round(k.share, 4)}
            for k in kinds
        ]
    return found


# --- tables: a head and rows of cells, whatever they are drawn with --------------------------------
Grid = tuple[list[str], list[list[str]]]


def figures_grid(systems: Mapping[str, Figures], k: int) -> Grid:
    """A row a figure, a column a system; figures that no system has are left out."""
    rows = []
    for name, figure in FIGURES.items():
        values = [figures.get(name) for figures in systems.values()]
        if any(value is not None for value in values):
            cells = [shown(name, value) for value in values]
            rows.append([_label(name, k) + _ARROWS.get(figure.better, ""), *cells])
    return ["", *systems], rows


def _label(name: str, k: int) -> str:
    return re.sub(r"\bk\b", str(k), FIGURES[name].label)


def acts_grid(found: Mapping[str, Any], language: str, k: int) -> Grid:
    """A row an act: what is most telling of each system."""
    systems = found["systems"]
    head = ["act", "prompts"]
    acts: dict[str, list[str]] = {}
    columns = [
        (name, figure)
        for figure in _OF_ACTS
        for name in systems
        if (name != PLAIN or figure in _OF_PLAIN)
        and any(a.get(figure) is not None for a in systems[name]["acts"].get(language, {}).values())
    ]
    head += [f"{_label(figure, k)}: {name}" for name, figure in columns]
    for name, figure in columns:
        for act, figures in systems[name]["acts"][language].items():
            row = acts.setdefault(act, [act, str(figures["prompts"])])
            row.append(shown(figure, figures.get(figure)))
    return head, list(acts.values())


def coverage_grid(found: Mapping[str, Any], most: int | None = None) -> Grid:
    """A row a combination of acts, all of them first."""
    kinds = found["coverage"]
    rows = [
        [c["kind"], str(c["turns"]), str(c["mapped"]), f"{100 * c['share']:.1f} %"]
        for c in kinds[: None if most is None else most + 1]
    ]
    if most is not None and len(kinds) > most + 1:
        rest = kinds[most + 1 :]
        turns, mapped = sum(c["turns"] for c in rest), sum(c["mapped"] for c in rest)
        share = f"{100 * mapped / max(1, turns):.1f} %"
        rows.append([f"{len(rest)} more", str(turns), str(mapped), share])
    return ["acts of the turn", "turns", "mapped", "share"], rows


def _of_language(found: Mapping[str, Any], language: str) -> dict[str, Figures]:
    return {
        name: groups["languages"][language]
        for name, groups in found["systems"].items()
        if language in groups["languages"]
    }


def _unseen(found: Mapping[str, Any]) -> dict[str, Figures]:
    parts = {name: groups["unseen_slot_sets"] for name, groups in found["systems"].items()}
    return parts if any(figures["prompts"] for figures in parts.values()) else {}


def _sections(report: Mapping[str, Any], *, short: bool) -> Iterable[tuple[str, Grid]]:
    """Every table of the report with its title; the short ones are for a terminal."""
    for name, found in report["sets"].items():
        if "coverage" in found:
            yield f"{name}: coverage", coverage_grid(found, _KINDS_SHOWN if short else None)
        for language, words in LANGUAGES.items():
            if systems := _of_language(found, language):
                yield f"{name}: {words}", figures_grid(systems, report["k"])
        if systems := _unseen(found):
            title = f"{name}: slot sets that training never saw"
            yield title, figures_grid(systems, report["k"])
        for language, words in () if short else LANGUAGES.items():
            if _of_language(found, language):
                yield f"{name}: acts, {words}", acts_grid(found, language, report["k"])


def as_tables(report: Mapping[str, Any]) -> Iterable[Table]:
    """The tables for a terminal. Cells are text, never markup."""
    for title, (head, rows) in _sections(report, short=True):
        table = Table(title=Text(title), title_justify="left", box=None)
        for number, name in enumerate(head):
            table.add_column(Text(name), justify="right" if number else "left")
        for row in rows:
            table.add_row(*map(Text, row))
        yield table


def as_markdown(report: Mapping[str, Any]) -> str:
    """The whole report for people."""
    model, on = report["model"], report["machine"]
    size = "" if model["parameters"] is None else f", {model['parameters']:,} parameters"
    lines = [
        f"# Generator {_cell(model['name'])}",
        "",
        f"Version {_cell(model['version'])}{size}; measured on {report['date']} on "
        f"{_cell(on['processor'])}, {on['cores']} cores, Python {on['python']}; "
        + ", ".join(f"{name} {number}" for name, number in report["versions"].items())
        + f". k = {report['k']}, seed {report['seed']}.",
        "",
        f"`{ALONE}` writes without any constraint; the others are as served. `{PLAIN}` is the "
        "fallback; its own fallbacks are turns in which the bare values were shown. ↓ lower is "
        "better, ↑ higher is better. How each figure is computed: `bot/evaluation/metrics.py`.",
        "",
    ]
    for title, (head, rows) in _sections(report, short=False):
        lines += [f"## {title}", "", _line(head), _line(["---", *["---:"] * (len(head) - 1)])]
        lines += [*map(_line, rows), ""]
    lines += ["## Why candidates were refused", ""]
    for name, found in report["sets"].items():
        for system, groups in found["systems"].items():
            if reasons := ", ".join(f"{why} {n}" for why, n in groups["refused"].items()):
                lines.append(f"- {name}, {system}: {reasons}")
        if found["left_out"]:
            lines.append(f"- {name}: {found['left_out']} examples of acts or slots unknown here")
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    """Text that cannot end a cell or begin anything else in Markdown."""
    flat = " ".join(text.split())
    return re.sub(r"([\\|<>`*_\[\]])", r"\\\1", flat) if not set(flat) <= set("-: ") else flat
