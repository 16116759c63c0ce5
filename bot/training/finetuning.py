"""From a training set of `shopbot export` to a candidate: what it is trained on, from which model, and how.

All that must not be lost stands in one folder of the training, so that the same call goes on where one
was killed; the folder goes when the candidate is kept, for it holds what shoppers wrote. Knows nothing
about how a set is made or a candidate judged.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from bot.errors import ConfigError
from bot.generators.folder import Gpt2Folder
from bot.settings import Settings
from bot.training import candidate, curves, dataset
from bot.training.examples import write
from bot.training.harvest import FEWEST
from bot.training.learning import REPLAY, mixed, settled, taken_out
from bot.training.processes import Team
from bot.training.reporting import BEST, LOG
from bot.training.trainer import PEAK, Plan, train
from bot.versions import KIND
from db.engine import Database
from db.exports import Export, ExportStore
from db.models import ModelVersion, ModelVersionStore

NEWEST = "latest"
PASSES = 2.0  # over corrections and replay; more gained nothing on the example shop
MINUTES = 15.0  # a bound for slow machines: two cores need four
PATIENCE = 3  # of eight reports


@dataclass(frozen=True, slots=True)
class Options:
    """How to train. `lora` is the rank of adapters, 0 trains every weight; `replay` counts examples of
    the base corpus for each of the set's."""

    lora: int = 0
    replay: float = REPLAY
    passes: float = PASSES
    minutes: float = MINUTES
    steps: int | None = None
    peak: float | None = None
    threads: int = 2
    seed: int = 0


def usable(store: ExportStore, exports: Path, folder: Path) -> dataset.Exported:
    """The set in a folder, by its name alone below `exports`, or the newest for `latest`.

    Raises ConfigError where there is none, or where it is unknown to this home, was changed or partly
    erased since, or is too small.
    """
    known = store.all()
    if str(folder) == NEWEST:
        there = [one for one in known if one.erased_turns or Path(one.path).is_dir()]
        if not there:
            raise ConfigError("--export latest: there is no set yet, run `shopbot export`")
        folder = Path(there[0].path)
    elif not folder.exists():
        folder = exports / folder
    _whole(next((one for one in known if Path(one.path) == folder.resolve()), None))
    exported = dataset.read(folder)
    entry = store.by_digest(exported.digest)
    if entry is None:
        raise ConfigError(f"--export: {folder} is no set of this home: run `shopbot export`")
    _whole(entry)
    trained = sum(pair.split == "train" for pair in exported.pairs)
    if trained < FEWEST:
        raise ConfigError(
            f"--export: {trained} pairs to train on are too few, {FEWEST} is the least that teaches more "
            "than its own words: review more conversations, then `shopbot export`"
        )
    return exported


def _whole(entry: Export | None) -> None:
    """Raises ConfigError where something of a set was erased."""
    if entry is not None and entry.erased_turns:
        raise ConfigError(
            f"--export: {entry.erased_turns} turns of {Path(entry.path).name} were erased since: run "
            "`shopbot export` again"
        )


def learn(
    settings: Settings,
    database: Database,
    folder: Path,
    *,
    options: Options,
    now: datetime,
    model: Path | None = None,
    out: Path | None = None,
    told: Callable[[float, float], None] | None = None,
) -> ModelVersion | None:
    """Trains on a set, from `model` or else from the generator in use, and registers the result as a
    version, not in use. Raises ConfigError; see `usable`.

    Of several processes (`torchrun`, `accelerate launch`) one does so, and in the others this is None.

    `told` hears of every step which share of the training is done, and the loss.
    """
    exports = ExportStore(database)
    exported = usable(exports, settings.exports_folder, folder)
    store = ModelVersionStore(database)
    start = _start(settings, store, model)
    training = settings.training_folder / _key(exported.digest, start, options)
    mixture = training / "mixture.jsonl"
    team = Team()
    if team.first and not mixture.exists():
        write(mixed(exported.pairs, replay=options.replay, seed=options.seed), mixture)
    plan = Plan(
        minutes=options.minutes, steps=options.steps, passes=options.passes,
        peak=options.peak or PEAK / (1 if options.lora else 4), warmup_steps=40, probe=16,
        threads=options.threads, seed=options.seed, start=start.path, lora=options.lora,
        patience=PATIENCE, curriculum="none",
    )  # fmt: skip
    try:
        train(plan, training, given=mixture, told=told, team=team)
    finally:
        _whole(exports.by_digest(exported.digest))  # a shopper may have erased what it is learning
    if not team.first:
        return None
    reports = curves.reports(training / LOG)
    own = [pair for pair in exported.pairs if pair.split == "train"]
    learned = candidate.Learned(
        parent=start.version,
        parent_path=start.path,
        exports=(exported.digest,),
        corpus=hashlib.sha256(mixture.read_bytes()).hexdigest(),
        settings=asdict(options) | {
            "peak": plan.peak,
            "settled": len(settled(own)),
            "taken_out": "".join(sorted(taken_out(own))),
        },
        metrics={
            "valid_loss": min(report["valid_loss"] for report in reports),
            "minutes": reports[-1]["minutes"],
            "steps": reports[-1]["step"],
        },
        approved=[pair.marked for pair in own],
    )  # fmt: skip
    best = training / BEST
    kept = candidate.keep(
        training, best, learned, name=start.name, home=settings.home, store=store, now=now,
        place=out or settings.models_folder / Gpt2Folder(best).version,
    )  # fmt: skip
    shutil.rmtree(training)
    return kept


def _start(settings: Settings, store: ModelVersionStore, model: Path | None) -> Gpt2Folder:
    """The model to begin with: the given one, else the promoted one, else that of the settings."""
    if model is None and (active := store.active(KIND)):
        model = settings.home / active.path
    return Gpt2Folder(model or Path(settings.generator.model))


def _key(digest: str, start: Gpt2Folder, options: Options) -> str:
    """The name of a training's folder: another set, start or way of training is another training."""
    how = json.dumps([start.digest, asdict(options)], sort_keys=True)
    return f"{digest[:12]}-{hashlib.sha256(how.encode()).hexdigest()[:12]}"
