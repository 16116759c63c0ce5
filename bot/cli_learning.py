"""The verbs of `shopbot` by which corrections become a training set.

Knows nothing but how to read arguments and print results; heavy imports stand in the verbs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.errors import ConfigError
from bot.settings import load_settings


def export(
    out: Annotated[
        Path | None, typer.Option(help="folder for the set; exports/ in the home")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="only reviews from this day on")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="write it although much of it is refused")
    ] = False,
) -> None:
    """Write what was approved and corrected as a training set, with a data card."""
    from bot.app import open_store
    from bot.promises import Never
    from bot.training import dataset
    from bot.training.harvest import harvest
    from db.conversations import ConversationStore
    from db.exports import ExportStore
    from db.reviews import ReviewStore

    settings = load_settings()
    with open_store(settings) as database:
        found = harvest(
            ConversationStore(database),
            ReviewStore(database).standing(),
            secret=settings.secret(),
            tone=settings.generator.tone,
            never=Never(settings.chat.promise_never),
            since=since.replace(tzinfo=UTC) if since else None,
        )
        for one in found.refused:
            typer.echo(f"turn {one.turn_id}, by {one.user_name}: refused, {one.kind} ({one.why})")
        if found.fault and not yes:
            raise ConfigError(f"{found.fault}; `--yes` exports the others")
        if not found.pairs:
            raise ConfigError(_nothing(found.without_consent, found.rejected))
        if found.too_few:
            raise ConfigError(found.too_few)
        store = ExportStore(database)
        written = dataset.write(
            found,
            out or settings.exports_folder,
            shop=settings.shop.name,
            settings={
                "tone": settings.generator.tone,
                "since": str(since.date()) if since else None,
            },
            now=datetime.now(UTC),
            known=lambda exported: store.add(
                path=str(exported.path.resolve()),
                digest=exported.digest,
                counts=exported.about["counts"],
                turns=found.members,
                user_name="command line",
                now=datetime.now(UTC),
            ),
        )
    counts = found.counts()["pairs"]
    typer.echo(
        f"{counts['train']} pairs to train on and {counts['held_back']} held back, "
        f"{len(found.unaligned)} acts left out that could not be aligned: {written.path}"
    )


def _nothing(without_consent: int, rejected: int) -> str:
    told = (
        "nothing to export: no reply of a shopper who agreed to training was approved or corrected"
    )
    details = [
        f"{count} {what}"
        for count, what in (
            (without_consent, "reviews are of shoppers who did not agree"),
            (rejected, "say that a reply is bad and not what would be right"),
        )
        if count
    ]
    return "; ".join([told, *details])
