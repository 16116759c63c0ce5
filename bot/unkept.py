"""Whether turns could lately not be kept, so that readiness says what reading alone would not show.

A full disk or a locked database can still be read. Knows nothing of how a turn is kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from db.errors import DatabaseUnavailable

LATELY = 30.0  # seconds; then it is taken to be over until another turn fails


class Unkept:
    """Remembers the last failure until a turn is kept, or for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._last: tuple[float, str] | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Lets one turn pass and remembers how it ended."""
        try:
            yield
        except DatabaseUnavailable as error:
            with self._guard:
                self._last = (self._clock(), error.told)
            raise
        else:
            with self._guard:
                self._last = None

    def lately(self) -> str:
        """Why turns are not kept, "" where they are."""
        with self._guard:
            last = self._last
        return last[1] if last and self._clock() - last[0] < LATELY else ""
