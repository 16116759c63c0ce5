"""BM25 over weighted fields, with the evidence of which words of a query a text holds.

Scores are Lucene's variant of BM25 as bm25s computes it (Kamphuis et al., "Which BM25 Do You
Mean?", ECIR 2020): idf · tf / (tf + k1·(1 − b + b·|d|/avgdl)), idf = ln(1 + (N − df + ½)/(df + ½)).
A field's weight is how often its words are counted. Knows nothing of products, vectors or files
beyond the arrays it hands out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import bm25s
import numpy as np
import numpy.typing as npt

from retrieval.text import Unit, tokens

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

K1 = 1.2
B = 0.75
# A part of a word ("电风" of 电风扇, a single character) ranks, but far behind the word itself.
PART_WEIGHT = 0.25


class LexicalIndex:
    """An immutable BM25 index of `size` texts; row numbers are the order of building.

    Every instance has a vocabulary and the arrays of a sparse column matrix: for each token the
    rows that hold it (`rows`, ascending) with its score there (`values`), from `starts[t]` to
    `starts[t+1]`.
    """

    def __init__(
        self,
        size: int,
        vocabulary: Sequence[str],
        starts: npt.NDArray[np.int64],
        rows: npt.NDArray[np.int32],
        values: Floats,
    ) -> None:
        self.size = size
        self.vocabulary = list(vocabulary)
        self._starts = starts
        self._rows = rows
        self._values = values
        self._token_ids = {token: at for at, token in enumerate(self.vocabulary)}

    @classmethod
    def build(
        cls, texts: Sequence[Mapping[str, str]], *, weights: Mapping[str, int]
    ) -> LexicalIndex:
        """Indexes texts given as field → text; fields that `weights` does not name are left out."""
        ids: dict[str, int] = {}
        corpus: list[list[int]] = []
        for fields in texts:
            counted: list[int] = []
            for name, weight in weights.items():
                found = [ids.setdefault(t, len(ids)) for t in tokens(fields.get(name, ""))]
                counted.extend(found * weight)
            corpus.append(counted)
        if not ids:
            none = np.zeros(0)
            return cls(
                len(corpus),
                [],
                np.zeros(1, np.int64),
                none.astype(np.int32),
                none.astype(np.float32),
            )
        engine: Any = bm25s.BM25(method="lucene", k1=K1, b=B)
        engine.index((corpus, ids), create_empty_token=False, show_progress=False)
        starts = np.asarray(engine.scores["indptr"], np.int64)
        rows = np.asarray(engine.scores["indices"], np.int32)
        # by row within each token, so that one row is looked up without reading the others
        order = np.lexsort((rows, np.repeat(np.arange(len(starts) - 1), np.diff(starts))))
        values = np.asarray(engine.scores["data"], np.float32)
        return cls(len(corpus), list(ids), starts, rows[order], values[order])

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The index as plain arrays, to be saved without objects."""
        return {"starts": self._starts, "rows": self._rows, "values": self._values}

    @classmethod
    def restore(
        cls, size: int, vocabulary: Sequence[str], arrays: Mapping[str, npt.NDArray[Any]]
    ) -> LexicalIndex:
        """The index of `arrays()`. Raises ValueError when the parts do not belong together."""
        starts, rows, values = arrays["starts"], arrays["rows"], arrays["values"]
        fits = (
            len(starts) == len(vocabulary) + 1
            and len(rows) == len(values) == int(starts[-1])
            and (len(rows) == 0 or (rows.min() >= 0 and rows.max() < size))
        )
        if not fits:
            raise ValueError("the arrays of the word index do not fit its vocabulary")
        return cls(size, vocabulary, starts, rows, values)

    def __contains__(self, token: object) -> bool:
        return token in self._token_ids

    def frequency(self, token: str) -> int:
        """How many texts hold the token."""
        at = self._token_ids.get(token)
        return 0 if at is None else int(self._starts[at + 1] - self._starts[at])

    def idf(self, token: str) -> float:
        """Inverse document frequency, highest for a token that no text holds."""
        df = self.frequency(token)
        return math.log(1 + (self.size - df + 0.5) / (df + 0.5))

    def rows_with(self, token: str) -> npt.NDArray[np.int32]:
        """Rows of the texts that hold the token, ascending."""
        at = self._token_ids.get(token)
        if at is None:
            return np.zeros(0, np.int32)
        return self._rows[self._starts[at] : self._starts[at + 1]]

    def scores(self, weighted: Mapping[str, float]) -> Floats:
        """BM25 of every text, shape (size,), for query tokens with their weights."""
        total = np.zeros(self.size, np.float32)
        for token, weight in weighted.items():
            at = self._token_ids.get(token)
            if at is not None:
                here = slice(self._starts[at], self._starts[at + 1])
                total[self._rows[here]] += np.float32(weight) * self._values[here]
        return total

    def held(self, unit: Unit, rows: npt.NDArray[np.int64]) -> Floats:
        """How far each of the texts in `rows` holds a query word, 0 to 1, shape (len(rows),).

        Parts of the word count by their idf.
        """
        best = np.zeros(len(rows), np.float32)
        for credit, parts in unit.alternatives:
            idfs = [self.idf(part) for part in parts]
            share = np.zeros(len(rows), np.float32)
            for part, idf in zip(parts, idfs, strict=True):
                share[self.holding(part, rows)] += np.float32(credit * idf / (sum(idfs) or 1.0))
            np.maximum(best, share, out=best)
        return best

    def holding(self, token: str, rows: npt.NDArray[np.int64]) -> Mask:
        """Which of the texts in `rows` hold the token, shape (len(rows),)."""
        posting = self.rows_with(token)
        if not len(posting):
            return np.zeros(len(rows), np.bool_)
        sought = np.asarray(rows, np.int32)  # the type of the posting, which is then not copied
        at = np.minimum(np.searchsorted(posting, sought), len(posting) - 1)
        held: Mask = posting[at] == sought
        return held

    def unit_weight(self, unit: Unit) -> float:
        """How much a query word says: its own weight times the idf of its commonest full form."""
        known = [
            max(map(self.idf, parts))
            for credit, parts in unit.alternatives
            if credit >= 0.5 and all(part in self._token_ids for part in parts)
        ]
        return unit.weight * (min(known) if known else self.idf(""))


def query_weights(units: Sequence[Unit], index: LexicalIndex) -> dict[str, float]:
    """Tokens of query words with the weights they rank by.

    The single tokens that may stand for one word share the idf of the commonest, as synonyms do:
    otherwise the rare "phone" of a phone case would outrank every smartphone.
    """
    weighted: dict[str, float] = {}
    for unit in units:
        singles = [parts[0] for _, parts in unit.alternatives if len(parts) == 1]
        shared = min((index.idf(token) for token in singles if token in index), default=0.0)
        for credit, parts in unit.alternatives:
            for part in parts:
                weight = unit.weight * credit * (PART_WEIGHT if _characters(parts) else 1.0)
                if len(parts) == 1 and part in index:
                    weight *= shared / index.idf(part)
                weighted[part] = max(weighted.get(part, 0.0), weight)
    return weighted


def _characters(parts: Sequence[str]) -> bool:
    """Whether a word is matched by its single Chinese characters."""
    return len(parts) > 1 and all(len(part) == 1 and not part.isascii() for part in parts)
