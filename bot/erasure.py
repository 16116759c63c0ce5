"""What is erased of a shopper goes from the training sets on disk too: their folders are deleted, and
those of trainings that have not ended.

A set is kept whole or not at all, for its digest says what a model learned from; `shopbot export` writes
the others again. The entries stay, so that it can be told which models learned from it. Knows nothing about
what is in a set.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from db.exports import Export

log = logging.getLogger(__name__)

ABOUT = "export.json"  # in the folder of every set; names its digest


def delete_sets(exports: Iterable[Export], trainings: Path) -> int:
    """Deletes the folders of sets, and of trainings on them; returns how many sets were there.

    Only what `shopbot export` wrote is deleted. What the system keeps it from deleting stays for the
    next time.
    """
    gone = 0
    for export in exports:
        folder = Path(export.path)
        if _is_of(folder, export):
            gone += _delete(folder)
        for training in trainings.glob(f"{export.digest[:12]}-*"):
            _delete(training)
    return gone


def delete_halves(exports: Path, *, before: datetime) -> None:
    """Deletes what exports that were killed before left below `exports`."""
    for folder in exports.glob(".*.new"):
        if folder.stat().st_mtime < before.timestamp():
            _delete(folder)


def _is_of(folder: Path, export: Export) -> bool:
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(about, dict) and about.get("digest") == export.digest


def _delete(folder: Path) -> bool:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        log.error("a training set could not be deleted", extra={"error": type(error).__name__})
        return False
    return True
