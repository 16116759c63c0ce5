"""`shopbot backup` and `shopbot restore`: a home as one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.settings import load_settings


def backup(
    file: Annotated[Path, typer.Argument(help="the archive to write, such as shop.zip")],
    secret: Annotated[bool, typer.Option(help="with the home's secret")] = True,
    index: Annotated[bool, typer.Option(help="with the search index")] = True,
) -> None:
    """Write the whole shop into one file, also while it serves. Only you can read the file."""
    from bot.app import open_store
    from bot.backup import back_up

    settings = load_settings()
    with open_store(settings) as database:
        made = back_up(settings, database, file, secret=secret, index=index)
    print(f"{file}: {made.counts['turns']} turns, {made.counts['products']} products")
    for note in made.notes:
        print(note)


def restore(
    file: Annotated[Path, typer.Argument(help="an archive that `shopbot backup` wrote")],
    force: Annotated[
        bool, typer.Option("--force", help="in place of a home that is there")
    ] = False,
) -> None:
    """Make the home (SHOPBOT_HOME) from a backup. Stop the shop first."""
    from bot.backup import restore as put_in_place

    settings = load_settings()
    made = put_in_place(settings, file, force=force)
    print(
        f"{settings.home}: {made.counts['turns']} turns, made {made.made_at}; run `shopbot doctor`"
    )
    for note in made.notes:
        print(note)
