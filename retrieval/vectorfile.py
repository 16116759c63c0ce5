"""Vectors in a file of half floats, read by position and never mapped into memory.

What is read stays in the system's file cache, which gives way when memory is short; a mapped file
would grow into the process page by page. Knows nothing of what the vectors stand for.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]


class VectorFile:
    """The rows of a two-dimensional float16 `.npy` file."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError when the file holds something else, OSError when there is none."""
        with path.open("rb") as file:
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError(f"{path.name} holds no vectors")
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
            self._offset = file.tell()
        if dtype != np.float16 or len(shape) != 2 or fortran:
            raise ValueError(f"{path.name} holds no vectors")
        self.shape: tuple[int, int] = shape
        self._width = 2 * shape[1]
        self._file = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, positions: Ids) -> Vectors:
        """The vectors at ascending positions, shape (len(positions), d)."""
        if not len(positions):
            return np.zeros((0, self.shape[1]), np.float32)
        breaks = np.flatnonzero(np.diff(positions) != 1) + 1  # neighbours are read at once
        starts = positions[np.concatenate(([0], breaks))].tolist()
        lengths = np.diff(np.concatenate(([0], breaks, [len(positions)]))).tolist()
        width, offset = self._width, self._offset
        pieces = [
            os.pread(self._file, length * width, offset + start * width)
            for start, length in zip(starts, lengths, strict=True)
        ]
        halves = np.frombuffer(b"".join(pieces), np.float16).reshape(len(positions), -1)
        return halves.astype(np.float32)


class VectorArray:
    """Vectors in memory under the same call."""

    def __init__(self, vectors: npt.NDArray[np.float16] | Vectors) -> None:
        """`vectors` of shape (n, d)."""
        self._vectors = vectors

    def read(self, positions: Ids) -> Vectors:
        """As VectorFile."""
        return np.asarray(self._vectors[positions], np.float32)
