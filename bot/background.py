"""Work that a server does beside its turns, until it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def in_background(task: Callable[[threading.Event], object], *, name: str) -> Iterator[None]:
    """Does the task in a thread while the block runs. It is given what is set when the block ends, and
    should look at it now and then; the block waits for it."""
    ended = threading.Event()
    thread = threading.Thread(target=task, args=(ended,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
