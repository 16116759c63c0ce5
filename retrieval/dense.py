"""Nearest vectors by cosine, exactly; the only importer of faiss.

Knows nothing of texts or encoders: rows in, rows out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class DenseIndex:
    """Unit vectors under integer ids; the inner product of unit vectors is their cosine."""

    def __init__(self, ids: Ids, vectors: Vectors) -> None:
        """`ids` of shape (n,), each once, `vectors` of shape (n, d); else raises ValueError."""
        if vectors.ndim != 2 or ids.shape != (len(vectors),):
            raise ValueError("dense index: one id for each row of a two-dimensional array")
        if len(np.unique(ids)) != len(ids):
            raise ValueError("dense index: an id stands twice")
        self.ids = np.ascontiguousarray(ids, np.int64)
        self._vectors = np.ascontiguousarray(vectors, np.float32)
        self._row = {int(at): row for row, at in enumerate(self.ids)}
        self._index: Any = faiss.IndexIDMap(faiss.IndexFlatIP(vectors.shape[1]))
        if len(self.ids):
            self._index.add_with_ids(self._vectors, self.ids)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dimension(self) -> int:
        return int(self._vectors.shape[1])

    def search(
        self, vector: Vectors, k: int, *, allowed: Mask | None = None
    ) -> list[tuple[int, float]]:
        """The k nearest (id, cosine), best first; with `allowed`, among the ids where it is true.

        `allowed` is longer than the highest id. The condition holds before ranking, so k hits
        come back whenever k ids are allowed.
        """
        if not len(self.ids) or k < 1 or (allowed is not None and not allowed.any()):
            return []
        query = np.ascontiguousarray(vector, np.float32).reshape(1, -1)
        parameters = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")  # must outlive the selector
            parameters = faiss.SearchParameters()
            parameters.sel = _bitmap(bits)
        scores, ids = self._index.search(query, min(k, len(self.ids)), params=parameters)
        return [
            (int(at), float(score)) for at, score in zip(ids[0], scores[0], strict=True) if at != -1
        ]

    def scores(self, vector: Vectors, ids: Sequence[int]) -> dict[int, float]:
        """Cosine of each of the ids that has a vector."""
        known = [at for at in ids if at in self._row]
        if not known:
            return {}
        rows = [self._row[at] for at in known]
        cosines = self._vectors[rows] @ np.asarray(vector, np.float32).reshape(-1)
        return dict(zip(known, map(float, cosines), strict=True))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Ids and vectors, to be saved as plain arrays; `DenseIndex(**arrays)` is the way back."""
        return {"ids": self.ids, "vectors": self._vectors}


def _bitmap(bits: npt.NDArray[np.uint8]) -> Any:
    """The selector of the ids whose bit is set; `bits` must outlive it."""
    make: Any = faiss.IDSelectorBitmap  # its Python wrapper takes the array alone
    return make(bits)
