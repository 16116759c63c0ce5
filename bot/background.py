"""Work that a server does beside its turns, until it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Ended = Callable[[], bool]


@contextmanager
def in_background(task: Callable[[Ended], object], *, name: str) -> Iterator[None]:
    """Does the task in a thread while the block runs. It is given what tells whether the block has
    ended, and should look at it now and then; the block waits for it."""
    ended = threading.Event()
    thread = threading.Thread(target=task, args=(ended.is_set,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
