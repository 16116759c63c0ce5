"""Work that a server does beside its turns, until it is stopped."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

NICEST = 19


@contextmanager
def in_background(
    task: Callable[[threading.Event], object], *, name: str, nice: bool = True
) -> Iterator[None]:
    """Does the task in a thread while the block runs, behind all that shoppers wait for. It is given
    what is set when the block ends, and should look at it now and then; the block waits for it.

    Threads that a task makes are as `nice` as itself: what loads a model for shoppers must not be.
    """
    ended = threading.Event()

    def work() -> None:
        if nice and sys.platform == "linux":  # where a thread has a niceness of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICEST)
        task(ended)

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def repeated(
    task: Callable[[], object], *, every: float, name: str
) -> AbstractContextManager[None]:
    """Does the task every so many seconds while the block runs, as readily as a turn is answered."""

    def work(ended: threading.Event) -> None:
        while not ended.wait(every):
            task()

    return in_background(work, name=name, nice=False)
