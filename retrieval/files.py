"""The files of one build, compared with what its manifest lists before they are used.

Every file must have its size; the small ones, and all of them when asked to, must have their
digest too: to read a gigabyte whenever an index is opened would cost more than it finds. Knows
nothing of what the files hold.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Listing = Mapping[str, Mapping[str, Any]]
Stated = Mapping[str, Mapping[str, Any]]

CHECKED_UP_TO = 4 << 20  # bytes; larger files are mapped, and their digest is compared on demand


class Damaged(Exception):
    """A file is missing, altered or not what it should be; the message names it."""


class BuildFiles:
    """The files in the folder `build` that `listing` names."""

    def __init__(self, build: Path, listing: Listing) -> None:
        self._build = build
        self._listing = listing

    def path(self, name: str, *, whole: bool = False) -> Path:
        """Where a file lies, once it is checked. Raises Damaged."""
        path = self._build / name
        try:
            stated = self._listing[name]
            size = path.stat().st_size
            sound = size == stated["bytes"]
            if sound and (whole or size <= CHECKED_UP_TO):
                sound = digest(path) == stated["sha256"]
        except (OSError, KeyError, TypeError):
            sound = False
        if not sound:
            raise Damaged(f"the index file {name} is missing or damaged")
        return path

    def verify(self) -> None:
        """Compares every file with its digest. Raises Damaged."""
        for name in self._listing:
            self.path(name, whole=True)

    def array(self, name: str) -> npt.NDArray[Any]:
        """An array; mapped into memory when it is large. Raises Damaged."""
        path = self.path(f"{name}.npy")
        large = path.stat().st_size > CHECKED_UP_TO
        try:
            loaded = np.load(path, mmap_mode="r" if large else None, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise Damaged(f"the index file {path.name} cannot be read") from error
        return np.asarray(loaded)  # a plain array: slices of a memmap object cost ten times as much

    def arrays(self, segment: str) -> dict[str, npt.NDArray[Any]]:
        """All arrays of a segment, without the prefix of their names; vectors are left out."""
        begin = f"{segment}-"
        names = [
            Path(name).stem
            for name in self._listing
            if name.startswith(begin) and name.endswith(".npy")
        ]
        return {
            name.removeprefix(begin): self.array(name)
            for name in names
            if name != f"{segment}-vectors"
        }

    def json(self, name: str) -> Any:
        """A JSON value. Raises Damaged."""
        try:
            return json.loads(self.path(f"{name}.json").read_text("utf-8"))
        except ValueError as error:
            raise Damaged(f"the index file {name}.json cannot be read") from error


def listed(folder: Path, *, known: Listing) -> dict[str, dict[str, Any]]:
    """Size and digest of the files in a folder; those that `known` lists are not read again."""
    return {
        path.name: {"bytes": path.stat().st_size, "sha256": digest(path)}
        for path in sorted(folder.iterdir())
        if path.name not in known
    }


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Writes plain values."""
    path.write_text(json.dumps(value, ensure_ascii=False), "utf-8")


def write_arrays(folder: Path, segment: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Writes arrays under the name of their segment."""
    for name, array in arrays.items():
        np.save(folder / f"{segment}-{name}.npy", array, allow_pickle=False)
