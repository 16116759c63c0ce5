"""The few rows that either retriever found, each with both of its scores.

All that ranks looks at these rows alone, so that a search costs what its words and its vector
cost and not what the catalogue does. Knows nothing of products, of words or of how ranks are fused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.dense import VectorSearch

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Ranks = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

DEPTH = 200  # how far each ranking is read before they are fused


@dataclass(frozen=True, slots=True)
class Candidates:
    """`rows` ascending, each once, shape (n,), n at most twice the depth; the others align with it.

    `lexical` is the BM25 score, 0 where no word is shared. `dense` is the cosine, NaN where none
    was compared. The ranks count from 1 and are 0 where that retriever did not put the row among
    its best: such a row still has its score.
    """

    rows: Rows
    lexical: Floats
    dense: Floats
    lexical_rank: Ranks
    dense_rank: Ranks

    def __len__(self) -> int:
        return len(self.rows)

    def ranking(self, ranks: Ranks) -> list[int]:
        """The rows that a retriever ranked, best first; `ranks` is one of the two columns."""
        ranked = np.flatnonzero(ranks)
        best: list[int] = self.rows[ranked[np.argsort(ranks[ranked])]].tolist()
        return best


def find_candidates(
    scores: Floats,
    vector: Floats | None,
    *,
    dense: VectorSearch,
    allowed: Mask | None = None,
    depth: int = DEPTH,
) -> Candidates:
    """The `depth` best rows by words and the `depth` nearest by vector, among those allowed.

    `scores` are BM25 of every row, shape (n,), `vector` the query's of shape (d,) or None;
    `allowed` has shape (n,), None allowing every row. The condition holds before ranking.
    """
    by_words = best_rows(scores, depth, allowed=allowed)
    near: list[tuple[int, float]] = []
    if vector is not None:
        near = dense.search(vector, depth, allowed=allowed)
    by_vector = np.array([row for row, _ in near], np.int64)
    rows = np.union1d(by_words, by_vector)
    cosines = dict(near)
    if vector is not None:
        cosines |= dense.scores(vector, [row for row in by_words.tolist() if row not in cosines])
    return Candidates(
        rows,
        scores[rows],
        np.array([cosines.get(row, np.nan) for row in rows.tolist()], np.float32),
        _ranks(rows, by_words),
        _ranks(rows, by_vector),
    )


def best_rows(scores: Floats, k: int, *, allowed: Mask | None = None) -> Rows:
    """The k rows with the highest scores above 0, best first, equals in the order of rows."""
    found = np.flatnonzero(scores > 0 if allowed is None else (scores > 0) & allowed)
    values = scores[found]
    if len(found) > k:
        least = np.partition(values, len(values) - k)[len(values) - k]
        above, equal = values > least, np.flatnonzero(values == least)
        above[equal[: k - np.count_nonzero(above)]] = True
        found, values = found[above], values[above]
    ordered: Rows = found[np.argsort(-values, kind="stable")]
    return ordered


def _ranks(rows: Rows, ranking: Rows) -> Ranks:
    ranks = np.zeros(len(rows), np.int32)
    ranks[np.searchsorted(rows, ranking)] = np.arange(1, len(ranking) + 1)
    return ranks
