"""One evaluation, from generators and prompts to the files that say what came out.

Knows nothing about settings or the command line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.evaluation import blind, pages, plots, report
from bot.evaluation.generator import (
    Said,
    Tick,
    counter_of,
    parameters_of,
    say,
    say_freely,
)
from bot.evaluation.report import ALONE, PLAIN, Judged, Measured
from bot.evaluation.sets import Known, PromptSet
from bot.generators.base import Generator
from bot.generators.plain import PlainGenerator

Stage = Callable[[str, int], Tick]  # told of a stage and its number of prompts, returns its tick


def evaluate(
    backends: Mapping[str, Generator],
    sets: Sequence[PromptSet],
    known: Known,
    *,
    folder: Path | None,
    out: Path,
    k: int,
    pairs: int,
    seed: int,
    now: datetime,
    stage: Stage,
) -> dict[str, Any]:
    """Measures every back end on every set, with the plain fallback beside; writes all files.

    `folder` holds the weights behind the back ends; None where they are elsewhere, so that they
    are not measured alone and tokens are not counted. Returns the report.
    """
    first = next(iter(backends.values()))
    parameters = parameters_of(folder) if folder else None
    model = Judged(first.name, first.version, str(folder or ""), parameters)
    measured = [Measured(one, _said(backends, one, folder, k=k, stage=stage)) for one in sets]
    found = report.as_json(model, measured, known, k=k, seed=seed, now=now)
    out.mkdir(parents=True, exist_ok=True)
    written = {
        "generator.json": json.dumps(found, ensure_ascii=False, indent=1) + "\n",
        "generator.md": report.as_markdown(found),
        "samples.html": pages.samples(found, measured),
    }
    for name, text in written.items():
        (out / name).write_text(text, encoding="utf-8", errors="replace")
    plots.draw(found, measured, out / "plots")
    if pairs:
        _blind(measured, model, next(iter(backends)), out, count=pairs, seed=seed)
    return found


def _said(
    backends: Mapping[str, Generator], one: PromptSet, folder: Path | None, *, k: int, stage: Stage
) -> dict[str, list[Said]]:
    counted = counter_of(folder) if folder else None
    prompts = one.prompts
    said: dict[str, list[Said]] = {}
    for name, generator in backends.items():
        tick = stage(f"{one.name}: {name}", len(prompts))
        said[name] = say(generator, prompts, k=k, count=counted, tick=tick)
    if folder is not None:
        free = say_freely(folder, prompts, k=k, tick=stage(f"{one.name}: {ALONE}", len(prompts)))
        said |= {ALONE: free} if free is not None else {}
    tick = stage(f"{one.name}: {PLAIN}", len(prompts))
    said[PLAIN] = say(PlainGenerator(), prompts, k=1, count=None, tick=tick)
    return said


def _blind(
    measured: Sequence[Measured], model: Judged, backend: str, out: Path, *, count: int, seed: int
) -> None:
    # public dialogues are no shop's; they are judged only where nothing of our own was measured
    sets = [one for one in measured if one.prompts.name == "own"] or measured
    generated = [said for one in sets for said in one.said[backend]]
    plain = [said for one in sets for said in one.said[PLAIN]]
    found = blind.pairs(generated, plain, count=count, seed=seed)
    blind.write(found, out, name=model.name, version=model.version, seed=seed)
