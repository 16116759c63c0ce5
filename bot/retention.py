"""Deletes what is kept of people only for a while: each kind by its own age, set by `privacy.*`.

Knows nothing about what the details say; they cannot be read here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.background import in_background
from bot.erasure import delete_halves, delete_sets
from bot.settings import Settings
from bot.state import DialogState
from db.accounts import AccountStore
from db.conversations import ConversationStore
from db.engine import Database
from db.errors import StoreError
from db.exports import ExportStore
from db.requests import RequestStore

log = logging.getLogger(__name__)

UNCONFIRMED_KEPT = timedelta(days=1)
HALF_WRITTEN = timedelta(days=1)  # a set that is still being written is younger
DAY = timedelta(days=1).total_seconds()


@dataclass(frozen=True, slots=True)
class Deleted:
    """Of how many of each kind something was deleted."""

    requests: int = 0  # their sealed details
    conversations: int = 0
    traces: int = 0
    exports: int = 0  # by age, or because a conversation in them was erased
    audit: int = 0


def retain(database: Database, settings: Settings, *, now: datetime) -> Deleted:
    """Deletes everything that is older than its kind is kept. Raises StoreError."""
    privacy = settings.privacy
    conversations, exports = ConversationStore(database), ExportStore(database)
    requests = purge_details(
        conversations, RequestStore(database), now=now, days=privacy.retention_days
    )
    rested = traces = audit = 0
    if privacy.conversations_days is not None:
        for conversation in conversations.rested(
            before=now - timedelta(privacy.conversations_days)
        ):
            conversations.erase(conversation)
            rested += 1
    if privacy.traces_days is not None:
        traces = conversations.drop_traces(before=now - timedelta(privacy.traces_days))
    if privacy.audit_days is not None:
        audit = AccountStore(database).forget_log(before=now - timedelta(privacy.audit_days))
    aged = [one for one in exports.all() if one.erased_turns or _old(one.created_at, privacy.exports_days, now)]  # fmt: skip
    sets = delete_sets(aged, settings.training_folder)
    delete_halves(settings.exports_folder, before=now - HALF_WRITTEN)
    return Deleted(requests, rested, traces, sets, audit)


def _old(made: datetime, days: int | None, now: datetime) -> bool:
    return days is not None and made < now - timedelta(days)


def purge_details(
    conversations: ConversationStore, requests: RequestStore, *, now: datetime, days: int
) -> int:
    """Deletes the sealed details of requests closed more than `days` ago, and of those that nobody
    confirmed within a day; returns of how many."""
    unconfirmed = 0
    for found in conversations.unfinished(before=now - UNCONFIRMED_KEPT):
        state = DialogState.from_dict(found.state).without_pending()
        unconfirmed += conversations.set_state(found.id, state.as_dict(), seen=found.state)
    return unconfirmed + requests.purge(before=now - timedelta(days=days))


def every_day(task: Callable[[], object]) -> AbstractContextManager[None]:
    """Does the task now and once a day in the background, until the block ends."""

    def work(ended: threading.Event) -> None:
        while True:
            try:
                task()
            except StoreError as error:
                log.error("retention failed", extra={"error": type(error).__name__})
            if ended.wait(DAY):
                return

    return in_background(work, name="retention")
