"""The verb of `shopbot` that trains a generator: on a corpus, or on what agents corrected.

Knows nothing but how to read arguments and print results; heavy imports stand in the verb.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from bot.errors import ConfigError
from bot.settings import load_settings


def finetune(
    out: Annotated[
        Path | None,
        typer.Option(
            help="folder of this training, run again to go on; with --export, folder for the model"
        ),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="GPT-2 folder to start from; the one in use by default")
    ] = None,
    from_scratch: Annotated[bool, typer.Option(help="start from random weights")] = False,
    export: Annotated[
        Path | None,
        typer.Option(help="a set of `shopbot export` to learn from; `latest` is the newest"),
    ] = None,
    lora: Annotated[
        int, typer.Option(min=0, help="rank of low-rank adapters; 0 trains every weight")
    ] = 0,
    replay: Annotated[
        float, typer.Option(min=0.0, help="with --export: base examples for each of the set's")
    ] = 3.0,
    passes: Annotated[float, typer.Option(min=0.01, help="with --export: over all examples")] = 2.0,
    corpus_file: Annotated[
        Path | None, typer.Option("--corpus", help="corpus.jsonl; drawn anew by default")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="folder with public data sets; see docs/data.md")
    ] = None,
    size: Annotated[int, typer.Option(min=100, help="examples to draw")] = 200_000,
    minutes: Annotated[
        float | None, typer.Option(min=0.0, help="work time; 60, or at most 15 with --export")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="end after so many steps")] = None,
    layers: Annotated[int, typer.Option(min=1, help="with --from-scratch")] = 6,
    width: Annotated[int, typer.Option(min=8, help="with --from-scratch")] = 256,
    heads: Annotated[int, typer.Option(min=1, help="with --from-scratch")] = 4,
    peak: Annotated[float | None, typer.Option(help="highest learning rate")] = None,
    threads: Annotated[int, typer.Option(min=1)] = 2,
    report_every: Annotated[float, typer.Option(min=0.01, help="minutes; not with --export")] = 8.0,
    seed: int = 0,
) -> None:
    """Train the generator: on from a model folder, from nothing, or on what agents corrected.

    OUT/latest, and OUT/best of the lowest validation loss, can be served (SHOPBOT_GENERATOR__MODEL)
    and judged (`shopbot evaluate generator --model OUT/best`). With --export the result becomes a
    version of the home that is not in use yet; killed, the same command goes on.
    """
    from bot.training.checkpoint import knows_markers
    from bot.training.trainer import PEAK, Plan, train

    if lora and find_spec("peft") is None:
        raise ConfigError("--lora: peft is not installed: pip install 'shopbot[train]'")
    if export is not None:
        if from_scratch or corpus_file or data:
            raise ConfigError("--export excludes --from-scratch, --corpus and --data")
        _learn(export, out=out, model=model, lora=lora, replay=replay, passes=passes, minutes=minutes,
               steps=steps, peak=peak, threads=threads, seed=seed)  # fmt: skip
        return
    if out is None:
        raise ConfigError("--out: name a folder for the training")
    if from_scratch and model is not None:
        raise ConfigError("--from-scratch and --model exclude each other")
    start = None if from_scratch else model or Path(load_settings().generator.model)
    if start is not None and not (start / "config.json").is_file():
        raise ConfigError(f"no GPT-2 in {start}; name a model folder by --model, or --from-scratch")
    for name, path in (("--corpus", corpus_file), ("--data", data)):
        if path is not None and not path.exists():
            raise ConfigError(f"{name}: {path} does not exist")
    plan = Plan(
        minutes=60.0 if minutes is None else minutes,
        steps=steps,
        size=size,
        layers=layers,
        width=width,
        heads=heads,
        peak=peak or (PEAK if from_scratch else PEAK / 2),
        threads=threads,
        report_every=report_every,
        seed=seed,
        start=start,
        lora=lora,
        curriculum="none" if start and knows_markers(start) else "drills",
    )
    train(plan, out, data=data, given=corpus_file)
    typer.echo(f"trained: {out / 'latest'}")


def _learn(
    folder: Path,
    *,
    out: Path | None,
    model: Path | None,
    lora: int,
    replay: float,
    passes: float,
    minutes: float | None,
    steps: int | None,
    peak: float | None,
    threads: int,
    seed: int,
) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from bot.app import open_store
    from bot.training.finetuning import MINUTES, Options, learn

    settings = load_settings()
    options = Options(
        lora=lora, replay=replay, passes=passes, minutes=minutes or MINUTES, steps=steps, peak=peak,
        threads=threads, seed=seed,
    )  # fmt: skip
    bar = Progress(
        TextColumn("training"), BarColumn(), TextColumn("{task.percentage:.0f} %"),
        TextColumn("loss {task.fields[loss]:.2f}"), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with open_store(settings) as database, bar:
        task = bar.add_task("", total=1.0, loss=0.0)
        kept = learn(
            settings, database, folder, options=options, now=datetime.now(UTC), model=model, out=out,
            told=lambda share, loss: bar.update(task, completed=share, loss=loss),
        )  # fmt: skip
    if kept is None:
        return
    typer.echo(
        f"{kept.name} {kept.version} learned in {kept.metrics['minutes']} minutes, "
        f"{kept.metrics['steps']} steps, and is not in use yet: {settings.home / kept.path}"
    )
