"""Which catalogue and index answer: those on disk where they can be read, else the last that could.

Knows nothing of how they are loaded or what they answer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.errors import ConfigError, NotReadyError
from db.errors import StoreError

if TYPE_CHECKING:
    from bot.catalogue import Catalogue
    from bot.dialog import Dialog
    from retrieval.hybrid import Searcher

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What answers: one catalogue and one index that belong together."""

    version: str
    dialog: Dialog
    searcher: Searcher
    catalogue: Catalogue


class Versioned(Protocol):
    """What is asked of the index store: which build is served."""

    def version(self) -> str | None: ...


class Snapshots:
    """Loads the snapshot anew when another index was swapped in. Safe to call from threads."""

    def __init__(self, store: Versioned, load: Callable[[str], Snapshot]) -> None:
        self._store = store
        self._load = load
        self._loading = threading.Lock()
        self._loaded: Snapshot | None = None
        self._refused: str | None = None  # the version that could not be loaded …
        self._reason = ""  # … and why

    @property
    def trouble(self) -> str:
        """Why the index on disk is not the one that answers, "" where it is."""
        return self._reason if self._loaded is not None else ""

    def current(self) -> Snapshot:
        """The snapshot of the index on disk, or the loaded one where that cannot be read.

        Raises NotReadyError where none was ever loaded, and StoreError.
        """
        from retrieval.store import IndexUnusable

        try:
            version = self._store.version() or ""
            if self._loaded is not None and version == self._loaded.version:
                self._refused, self._reason = None, ""
                return self._loaded
            if self._loaded is not None and version == self._refused:
                return self._loaded
            with self._loading:
                if self._loaded is None or self._loaded.version != version:
                    self._loaded = self._load(version)
                self._refused, self._reason = None, ""
                return self._loaded
        except (IndexUnusable, ConfigError) as error:
            return self._go_on(version, str(error), error)
        except OSError as error:
            reason = f"the index cannot be read ({error.strerror}): run `shopbot index`"
            return self._go_on("", reason, error)
        except StoreError as error:  # it will be tried again: the index itself may be sound
            if self._loaded is None:
                raise
            log.error("a new index waits for the database: %s", error)
            return self._loaded

    def change(self, change: Callable[[Snapshot], Snapshot]) -> None:
        """Puts what `change` makes of the loaded snapshot in its place; turns that have begun keep theirs."""
        with self._loading:
            if self._loaded is not None:
                self._loaded = change(self._loaded)

    def _go_on(self, version: str, reason: str, error: Exception) -> Snapshot:
        if self._loaded is None:
            raise NotReadyError(reason) from error
        if self._reason != reason:
            log.error("the loaded index goes on serving: %s", reason)
        self._refused, self._reason = version, reason
        return self._loaded
