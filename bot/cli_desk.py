"""The verbs of `shopbot` for the people at the desk, without its pages.

Knows nothing but how to read arguments and print results; heavy imports stand in the verbs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from bot.settings import load_settings


def retention() -> None:
    """Delete what is older than `privacy.*` says it is kept; for a nightly job. `shopbot serve` does it daily."""
    from bot.app import open_store
    from bot.retention import retain

    settings = load_settings()
    with open_store(settings) as database:
        gone = retain(database, settings, now=settings.clock()())
    privacy = settings.privacy
    typer.echo(f"requests: deleted the details of {gone.requests} (privacy.retention_days = {privacy.retention_days})")  # fmt: skip
    for kind in ("conversations", "traces", "exports", "audit"):
        days, key = getattr(privacy, f"{kind}_days"), f"privacy.{kind}_days"
        kept = f"{key} = {days}" if days is not None else f"kept at any age, {key} is not set"
        typer.echo(f"{kind}: deleted {getattr(gone, kind)} ({kept})")


def stale(
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="only turns from this day on")
    ] = None,
) -> None:
    """List past answers that the catalogue or the rules of today contradict."""
    from bot.app import open_store
    from bot.stale import Sweep
    from db.catalog import CatalogStore
    from db.conversations import ConversationStore
    from db.reviews import ReviewStore

    with open_store(load_settings()) as database:
        turns = ConversationStore(database).every_turn(
            since=since.replace(tzinfo=UTC) if since else None
        )
        found = list(Sweep(CatalogStore(database)).over(turns))
        reviews = ReviewStore(database).standing({one.turn_id for one in found})
    reviewed = {review.turn_id for review in reviews}
    for one in found:
        now = "the shop says nothing of it now" if one.now is None else f"now {one.now}"
        mark = " (reviewed)" if one.turn_id in reviewed else ""
        typer.echo(f"turn {one.turn_id}{mark}: {one.subject}, {one.field}: said {one.was!r}; {now}")
    turns_told = len({one.turn_id for one in found})
    typer.echo(f"{turns_told} past answers are contradicted by the facts of today")
