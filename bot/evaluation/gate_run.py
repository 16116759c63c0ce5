"""One judgment of the gate: from a registered version and the corrections that its training did not see to
the verdict, kept with the version, and the files that show it.

Knows nothing about the command line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bot.errors import ConfigError
from bot.evaluation import gate, gate_page
from bot.evaluation.gate import CANDIDATE, INCUMBENT, PLAIN, Heard, Row, Speaker
from bot.evaluation.generator import Tick, say
from bot.evaluation.report import machine
from bot.evaluation.sets import Prompt, known_to_training, own, prompted
from bot.evaluation.tasks import Played, example_shop, play, tasks
from bot.generators.base import Generator
from bot.generators.folder import Gpt2Folder
from bot.generators.plain import PlainGenerator
from bot.promotion import Versions
from bot.settings import Settings
from bot.training import dataset
from bot.training.examples import HOUSE, Example
from bot.training.harvest import Pair
from bot.versions import digest_of
from db.exports import ExportStore
from db.models import ModelVersion

FOLDER = "gate"  # in the version's own
SEED = 0

Stage = Callable[[str, int], Tick]  # told of a stage and its number of prompts, returns its tick
Make = Callable[[Settings], Generator]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a version was judged by: held-out prompts, held-back corrections, and what the three made of them."""

    base: tuple[Prompt, ...]
    corrections: tuple[Prompt, ...]
    heard: Mapping[Speaker, Heard]
    rows: Sequence[Row]
    reasons: Sequence[str]


def corrections_of(version: ModelVersion, store: ExportStore, given: Path | None) -> list[Example]:
    """The corrections that the version's training did not see: of its own sets, or of a given one.

    Raises ConfigError where a set cannot be read any more.
    """
    folders = [given] if given else []
    for digest in () if given else (version.learned or {}).get("sets", ()):
        entry = store.by_digest(digest)
        if entry is None or not Path(entry.path).is_dir():
            raise ConfigError(
                f"the set {digest[:12]} that {version.version} learned from is gone: name another by --export"
            )
        folders.append(Path(entry.path))
    if not folders:
        raise ConfigError(
            f"{version.version} learned from no set of this home: name one by --export"
        )
    return examples_of(pair for folder in folders for pair in dataset.read(folder).pairs)


def examples_of(pairs: Iterable[Pair]) -> list[Example]:
    """The corrections among the pairs that no training sees."""
    return [
        Example(
            pair.language, pair.act, pair.slots, pair.message, pair.marked, "valid", HOUSE, pair.tone,
            dict(pair.values),
        )
        for pair in pairs
        if pair.split == "held_back" and pair.source == "corrected"
    ]  # fmt: skip


def judge(
    version: ModelVersion,
    held_back: Sequence[Example],
    *,
    settings: Settings,
    versions: Versions,
    make: Make,
    most: int,
    now: datetime,
    stage: Stage,
) -> dict[str, Any]:
    """Judges a version against the generator in use and the plain sentences; keeps and returns the report.

    `make` loads the generator of settings, `most` is how many prompts of the base corpus are said. Raises
    ConfigError where either cannot be loaded or the version is in use.
    """
    if settings.generator.kind != "gpt2":
        raise ConfigError(
            f"generator.kind is {settings.generator.kind}, which speaks whatever is promoted: set it to gpt2"
        )
    if version.active:
        raise ConfigError(f"{version.name} {version.version} is in use: nothing to compare it with")
    candidate, incumbent = versions.folder(version), versions.in_use_folder()
    digest = digest_of(candidate)
    known = known_to_training(None)
    base = own(known, data=None, most=most, seed=SEED).prompts
    corrections = prompted(held_back)
    with TemporaryDirectory(prefix="shopbot-gate-") as folder:
        generators: dict[Speaker, Generator] = {
            CANDIDATE: make(_speaking(settings, candidate, Path(folder, CANDIDATE))),
            INCUMBENT: make(_speaking(settings, incumbent, Path(folder, INCUMBENT))),
            PLAIN: PlainGenerator(),
        }
        heard = _heard(generators, base, corrections, settings=settings, stage=stage)
    judged = gate.rows(heard, known)
    reasons = gate.reasons(judged, heard)
    found = Judged(base, corrections, heard, judged, reasons)
    report = {
        "passed": not reasons,
        "reasons": reasons,
        "candidate": {"name": version.name, "version": version.version, "digest": digest},
        "incumbent": _named(incumbent),
        "rows": [_row(row) for row in judged],
        "interval": _interval(heard),
        "counts": {"base": len(base), "held_back": len(corrections), "tasks": len(tasks())},
        "failed_tasks": {
            speaker: [one.task.id for one in of.played if not one.done]
            for speaker, of in heard.items()
        },
        "sets": list((version.learned or {}).get("sets", ())),
        "code_version": installed("shopbot"),
        "machine": machine(),
        "at": now.isoformat(),
    }
    _write(candidate / FOLDER, report, found)
    versions.judged(version, report)
    return report


def _heard(
    generators: Mapping[Speaker, Generator],
    base: Sequence[Prompt],
    corrections: Sequence[Prompt],
    *,
    settings: Settings,
    stage: Stage,
) -> dict[Speaker, Heard]:
    k = settings.generator.candidates
    heard: dict[Speaker, Heard] = {}
    with example_shop(settings) as opened:
        for speaker, generator in generators.items():
            tick = stage(speaker, len(base) + len(corrections) + len(tasks()))
            few = 1 if speaker == PLAIN else k
            said = say(generator, base, k=few, count=None, tick=tick)
            near = say(generator, corrections, k=few, count=None, tick=tick)
            played: list[Played] = []
            with closing(opened(generator)) as shop:
                for task in tasks():
                    played.append(play(shop.chat, task))
                    tick(1)
            heard[speaker] = Heard(said, near, played)
    return heard


def _speaking(settings: Settings, folder: Path, home: Path) -> Settings:
    """The settings with another model and a home for what is made of it."""
    generator = settings.generator.model_copy(update={"model": str(folder)})
    return settings.model_copy(update={"generator": generator, "home": home})


def _named(folder: Path) -> dict[str, str]:
    model = Gpt2Folder(folder)
    return {"name": model.name, "version": model.version, "digest": digest_of(folder)}


def _row(row: Row) -> dict[str, Any]:
    metric = row.metric
    return {
        "name": metric.name,
        "label": metric.label,
        "better": metric.better,
        "margin": metric.margin,
        "gain": metric.gain,
        "fault": row.fault,
        **{speaker: _rounded(value) for speaker, value in row.figures.items()},
        "shown": {speaker: "–" if value is None else metric.form(value) for speaker, value in row.figures.items()},
    }  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _interval(heard: Mapping[Speaker, Heard]) -> list[float] | None:
    """The gain in chrF, as the middle 95 % of resamples."""
    candidate, incumbent = heard[CANDIDATE].held_back, heard[INCUMBENT].held_back
    if not candidate:
        return None
    return [
        round(end, 2) for end in gate.interval(gate.nearness(candidate), gate.nearness(incumbent))
    ]


def _write(folder: Path, report: Mapping[str, Any], judged: Judged) -> None:
    folder.mkdir(exist_ok=True)
    files = {
        "gate.json": json.dumps(report, ensure_ascii=False, indent=1) + "\n",
        "gate.html": gate_page.page(report, judged.heard),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", errors="replace")
