"""What an embedder promises, and what all of them share. Knows no model."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

RECENT = 512  # texts whose vectors are kept: a message is encoded for its intent, its search, …


class Embedder(Protocol):
    """Turns texts into unit vectors. `name` tells weights apart; `languages` says what it reads."""

    @property
    def name(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def languages(self) -> frozenset[str]: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32, each by its own text alone."""
        ...


def unit_rows(vectors: npt.NDArray[Any]) -> Vectors:
    """Rows scaled to length 1; a zero row stays zero."""
    vectors = np.asarray(vectors, np.float32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, np.finfo(np.float32).tiny), np.float32)


class Recent:
    """The vectors of the latest single texts, under a hash: no message is kept."""

    def __init__(self, size: int = RECENT) -> None:
        self._size = size
        self._vectors: OrderedDict[bytes, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, text: str, compute: Callable[[], Vectors]) -> Vectors:
        """The vector of a text, shape (1, dimension), computed where it is not among the latest."""
        key = hashlib.blake2b(text.encode(), digest_size=16).digest()
        with self._lock:
            vectors = self._vectors.pop(key, None)
        if vectors is None:
            vectors = compute()
        with self._lock:
            self._vectors[key] = vectors  # the newest stands last
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)
        return vectors.copy()
