"""Texts to vectors with a BERT that CTranslate2 computes: tokens, batches of like length, the mean.

Knows nothing about where a model comes from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np

from retrieval.embedders.base import Vectors, unit_rows

Pooling = Literal["mean", "cls"]

TOKENS = 1024  # of a batch, padding included: what one layer computes with stays in a core's cache


class CompiledEncoder:
    """A tokenizer and a converted BERT; safe to share between threads.

    Texts of like length are computed together, so that little is padded, and in batches that are
    small enough for the cache: larger ones were slower. A text's vector is the same in any
    company, since a token's activations are quantised by themselves.
    """

    def __init__(
        self,
        tokenizer: Any,
        encoder: Any,
        *,
        dimension: int,
        most: int,
        pooling: Pooling = "mean",
        tokens: int = TOKENS,
    ) -> None:
        """`tokenizer` is a `tokenizers.Tokenizer`, changed here to cut at `most` tokens and to pad
        nothing; `encoder` a `ctranslate2.Encoder` with hidden states of `dimension`."""
        tokenizer.no_padding()
        tokenizer.enable_truncation(most)
        self._tokenizer = tokenizer
        self._encoder = encoder
        self._dimension = dimension
        self._pooling = pooling
        self._tokens = tokens

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32."""
        ids = [coded.ids for coded in self._tokenizer.encode_batch([t.strip() for t in texts])]
        vectors = np.zeros((len(ids), self._dimension), np.float32)
        for rows in batches([len(tokens) for tokens in ids], self._tokens):
            vectors[rows] = self._computed([ids[row] for row in rows])
        return unit_rows(vectors)

    def _computed(self, ids: list[list[int]]) -> Vectors:
        states = np.asarray(self._encoder.forward_batch(ids).last_hidden_state)  # (B, T, C)
        if self._pooling == "cls":
            return np.asarray(states[:, 0], np.float32)
        lengths = np.array([len(tokens) for tokens in ids])
        real = (np.arange(states.shape[1]) < lengths[:, None]).astype(np.float32)  # (B, T)
        return np.asarray(
            (real[:, None] @ states)[:, 0], np.float32
        )  # a unit vector needs no count


def batches(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Rows in batches of like length, the longest first; none is over `tokens` when padded, unless
    it is one text alone. Empty texts are in none."""
    order = sorted((row for row, length in enumerate(lengths) if length), key=lambda r: -lengths[r])
    at = 0
    while at < len(order):
        size = max(1, tokens // lengths[order[at]])
        yield order[at : at + size]
        at += size
