"""The verb of `shopbot evaluate` that decides whether a trained generator may be promoted.

Knows nothing but how to read arguments and print results; heavy imports stand in the verb.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.settings import load_settings


def gate(
    version: Annotated[str, typer.Argument(help="a version of `shopbot models list`")],
    export: Annotated[
        Path | None,
        typer.Option(help="a set whose held-back corrections judge; its own sets by default"),
    ] = None,
    most: Annotated[int, typer.Option(min=20, help="held-out prompts of the base corpus")] = 240,
) -> None:
    """Judge a generator against the one in use and the plain sentences: figures, conversations, and
    corrections that its training did not see. Refused, it ends with status 1.

    Writes gate/gate.html and gate/gate.json into the version's folder.
    """
    from rich.progress import Progress

    from bot.app import make_generator, open_store
    from bot.cli_evaluate import installed, refusals_unlogged
    from bot.evaluation.gate_run import FOLDER, corrections_of, judge
    from bot.promotion import Versions
    from bot.training.finetuning import usable
    from db.exports import ExportStore

    installed("matplotlib", "sacrebleu")
    settings, screen = load_settings(), Console(soft_wrap=True)
    with open_store(settings) as database:
        versions, exports = Versions(settings, database), ExportStore(database)
        one = versions.named(version)
        given = usable(exports, settings.exports_folder, export).path if export else None
        held_back = corrections_of(one, exports, given)
        with refusals_unlogged(), Progress(console=Console(stderr=True), transient=True) as bar:

            def stage(name: str, total: int) -> Callable[[int], None]:
                task = bar.add_task(name, total=total)
                return lambda done: bar.advance(task, done)

            report = judge(
                one, held_back, settings=settings, versions=versions, make=make_generator, most=most,
                now=datetime.now(UTC), stage=stage,
            )  # fmt: skip
        folder = versions.folder(one) / FOLDER
    table = Table("", "plain", "in use", "candidate", "", box=None)
    for row in report["rows"]:
        shown = row["shown"]
        told = "refused" if row["fault"] else "ok"
        table.add_row(row["label"], shown["plain"], shown["incumbent"], shown["candidate"], told)
    screen.print(table)
    screen.print(f"written: {folder / 'gate.html'}", markup=False)
    if report["passed"]:
        screen.print(f"passed: `shopbot models promote {one.version}`", markup=False)
        return
    for reason in report["reasons"]:
        screen.print(f"refused: {reason}", markup=False, highlight=False)
    raise SystemExit(1)
