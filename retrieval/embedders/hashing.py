"""Text to vectors without a model. Knows nothing about meaning."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from retrieval.embedders.base import Vectors, unit_rows
from retrieval.text import normalise


class HashingEmbedder:
    """Character n-grams hashed into signed buckets: no model, the same everywhere.

    It finds shared word parts, in any script, and no meaning. Weinberger et al., "Feature
    Hashing for Large Scale Multitask Learning", ICML 2009.
    """

    def __init__(self, *, dimension: int = 512) -> None:
        if dimension < 1:
            raise ValueError("dimension must be at least 1")
        self._dimension = dimension

    @property
    def name(self) -> str:
        return f"hashing-{self._dimension}"

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def languages(self) -> frozenset[str]:
        return frozenset({"en", "zh"})

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        for row, text in enumerate(texts):
            padded = f" {normalise(text)} "
            for size in (2, 3, 4):
                for at in range(len(padded) - size + 1):
                    gram = padded[at : at + size].encode()
                    digest = int.from_bytes(hashlib.blake2b(gram, digest_size=8).digest(), "big")
                    vectors[row, (digest >> 1) % self._dimension] += 1.0 if digest & 1 else -1.0
        return unit_rows(vectors)
