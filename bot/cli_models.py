"""The verbs of `shopbot models`: which generators there are, and which one speaks.

Knows nothing but how to read arguments and print results; heavy imports stand in the verbs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.settings import Settings, load_settings

if TYPE_CHECKING:
    from bot.promotion import Versions
    from db.models import ModelVersion, Promotion

models_app = typer.Typer(
    help="Which generators there are, and which one speaks.", no_args_is_help=True
)

Version = Annotated[
    str, typer.Argument(help="a version of `shopbot models list`, or its beginning")
]


@models_app.command("list")
def list_() -> None:
    """Every generator with its parent and what the gate said of it, and every change of what speaks."""
    screen = Console(soft_wrap=True)
    with _versions() as (settings, versions):
        known, history = versions.all(), versions.promotions()
        table = Table("version", "", "name", "parent", "registered", "gate", "erased", box=None)
        for one in known:
            table.add_row(
                one.version, "in use" if one.active else "", one.name, one.parent or "–",
                f"{one.registered_at:%Y-%m-%d %H:%M}", _said(one), str(versions.erased(one) or ""),
            )  # fmt: skip
        if not any(one.active for one in known):
            kind = settings.generator.kind
            own = " ".join(versions.in_use()) if kind == "gpt2" else kind
            screen.print(f"in use: {own}, of the settings", markup=False, highlight=False)
    if known:
        screen.print(table)
    for change in history:
        screen.print(_told(change), markup=False, highlight=False)


@models_app.command("add")
def add(folder: Annotated[Path, typer.Argument(help="a GPT-2 folder")]) -> None:
    """Register a generator that was trained elsewhere, and do not put it in use."""
    from bot.app import open_store
    from bot.versions import register
    from db.models import ModelVersionStore

    settings = load_settings()
    with open_store(settings) as database:
        kept = register(
            ModelVersionStore(database), folder, home=settings.home, now=datetime.now(UTC)
        )
    typer.echo(f"{kept.name} {kept.version}: judge it by `shopbot evaluate gate {kept.version}`")


@models_app.command("promote")
def promote(version: Version) -> None:
    """Put a version in use that passed the gate; a served shop takes it up within seconds."""
    with _versions() as (_, versions):
        typer.echo(_told(versions.promote(version, user=None, now=datetime.now(UTC))))


@models_app.command("rollback")
def rollback() -> None:
    """Put in use again what was so before the last promotion."""
    with _versions() as (_, versions):
        typer.echo(_told(versions.rollback(user=None, now=datetime.now(UTC))))


@contextmanager
def _versions() -> Iterator[tuple[Settings, Versions]]:
    from bot.app import open_store
    from bot.promotion import Versions

    settings = load_settings()
    with open_store(settings) as database:
        yield settings, Versions(settings, database)


def _said(version: ModelVersion) -> str:
    report = version.metrics.get("gate")
    if report is None:
        return "not judged"
    return "passed" if report["passed"] else f"refused: {report['reasons'][0]}"


def _told(change: Promotion) -> str:
    """One change of what is in use, in a line."""
    now, before = (
        " ".join(one) if one else "the settings' own" for one in (change.version, change.before)
    )
    done = "promoted" if change.action == "promote" else "rolled back to"
    return f"{change.at:%Y-%m-%d %H:%M} {change.user_name} {done} {now}, in place of {before}"
