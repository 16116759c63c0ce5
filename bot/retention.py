"""Deletes what is kept of people only for a while.

Knows nothing about what the details say; they cannot be read here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from bot.background import in_background
from bot.state import DialogState
from db.conversations import ConversationStore
from db.errors import StoreError
from db.requests import RequestStore

log = logging.getLogger(__name__)

UNCONFIRMED_KEPT = timedelta(days=1)
DAY = timedelta(days=1).total_seconds()


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
                log.error("details were not purged", extra={"error": type(error).__name__})
            if ended.wait(DAY):
                return

    return in_background(work, name="retention")
