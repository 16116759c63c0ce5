"""One message of a session at a time: a lock per session, the idle ones forgotten."""

from __future__ import annotations

import threading
from collections import OrderedDict

LOCKS_KEPT = 4096


class SessionLocks:
    """Hands out the lock of a session. Safe to call from several threads."""

    def __init__(self) -> None:
        self._locks: OrderedDict[str, threading.Lock] = OrderedDict()
        self._guard = threading.Lock()

    def lock(self, session_id: str) -> threading.Lock:
        """Returns the session's lock; while it is held it is not forgotten."""
        with self._guard:
            lock = self._locks.setdefault(session_id, threading.Lock())
            self._locks.move_to_end(session_id)
            while len(self._locks) > LOCKS_KEPT:
                oldest, idle = next(iter(self._locks.items()))
                if idle.locked():
                    break
                del self._locks[oldest]
            return lock
