"""Two encoders as one: Chinese texts go to one, all others to the other. Knows no model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retrieval.embedders.base import Embedder, Vectors
from retrieval.text import has_cjk


class BilingualEmbedder:
    """Reads a text with any Chinese character by `chinese`, and every other by `english`.

    Both have one dimension, and their vectors stand in one index: what a text is compared with in
    the other language is as good as the two spaces agree.
    """

    def __init__(self, english: Embedder, chinese: Embedder) -> None:
        """Raises ValueError where the dimensions differ."""
        if english.dimension != chinese.dimension:
            raise ValueError(
                f"{english.name} has {english.dimension} dimensions and {chinese.name} "
                f"{chinese.dimension}: they cannot share an index"
            )
        self._english = english
        self._chinese = chinese

    @property
    def english(self) -> Embedder:
        return self._english

    @property
    def name(self) -> str:
        return f"{self._english.name}+{self._chinese.name}"

    @property
    def dimension(self) -> int:
        return self._english.dimension

    @property
    def languages(self) -> frozenset[str]:
        return self._english.languages | self._chinese.languages

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        chinese = np.array([has_cjk(text) for text in texts], np.bool_)
        for encoder, rows in (
            (self._english, np.flatnonzero(~chinese)),
            (self._chinese, np.flatnonzero(chinese)),
        ):
            if len(rows):
                vectors[rows] = encoder.encode([texts[row] for row in rows.tolist()])
        return vectors
