"""Nearest vectors by cosine: exactly while they are few, over clusters when many; alone in faiss.

Knows nothing of texts or encoders: rows in, rows out.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

logger = logging.getLogger(__name__)

FLAT_UP_TO = 25_000  # of 384 numbers each are compared in about 3 ms
DIRECT_UP_TO = 2_000  # so few allowed vectors are read and compared one by one
TRAINED_ON = 64  # vectors for each centroid
_OVERFETCH = 50  # quantised scores are near enough that the true best stand so far down at most


class VectorReader(Protocol):
    """Vectors by position. `read(positions)`, ascending, gives float32 of shape (n, d)."""

    def read(self, positions: Ids) -> Vectors: ...


class VectorSearch(Protocol):
    """What a search asks of vectors, however they are kept; ids are row numbers."""

    def __len__(self) -> int: ...

    def search(
        self, vector: Vectors, k: int, *, allowed: Mask | None = None
    ) -> list[tuple[int, float]]:
        """The k nearest (id, cosine), best first; with `allowed`, among the ids where it is true.

        `vector` is a unit vector of shape (d,); `allowed` is longer than the highest id. The
        condition holds before ranking, so k hits come back whenever k ids are allowed.
        """
        ...

    def scores(self, vector: Vectors, ids: Sequence[int]) -> dict[int, float]:
        """Cosine of each of the ids that has a vector."""
        ...


class DenseIndex:
    """Unit vectors under integer ids, each compared; their inner product is the cosine."""

    def __init__(self, ids: Ids, vectors: Vectors) -> None:
        """`ids` of shape (n,), each once, `vectors` of shape (n, d); else raises ValueError."""
        if vectors.ndim != 2 or ids.shape != (len(vectors),):
            raise ValueError("dense index: one id for each row of a two-dimensional array")
        if len(np.unique(ids)) != len(ids):
            raise ValueError("dense index: an id stands twice")
        self.ids = np.ascontiguousarray(ids, np.int64)
        self.vectors = np.ascontiguousarray(vectors, np.float32)
        self._row = {int(at): row for row, at in enumerate(self.ids)}
        self._index: Any = faiss.IndexIDMap(faiss.IndexFlatIP(vectors.shape[1]))
        if len(self.ids):
            self._index.add_with_ids(self.vectors, self.ids)

    def __len__(self) -> int:
        return len(self.ids)

    def search(
        self, vector: Vectors, k: int, *, allowed: Mask | None = None
    ) -> list[tuple[int, float]]:
        """As VectorSearch; exact."""
        if not len(self.ids) or k < 1 or (allowed is not None and not allowed.any()):
            return []
        parameters = faiss.SearchParameters()
        bits = _bits(allowed)
        if bits is not None:
            parameters.sel = _bitmap(bits)
        return _hits(self._index, vector, min(k, len(self.ids)), parameters)

    def scores(self, vector: Vectors, ids: Sequence[int]) -> dict[int, float]:
        """As VectorSearch."""
        known = [at for at in ids if at in self._row]
        if not known:
            return {}
        rows = [self._row[at] for at in known]
        cosines = self.vectors[rows] @ np.asarray(vector, np.float32).reshape(-1)
        return dict(zip(known, map(float, cosines), strict=True))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Ids and vectors, to be saved as plain arrays; `DenseIndex(**arrays)` is the way back."""
        return {"ids": self.ids, "vectors": self.vectors}


@dataclass(frozen=True, slots=True)
class Clustering:
    """How many vectors are kept: `kind` "flat", or "ivf-sq8" with its parameters.

    An inverted file of `nlist` cells holds each number in eight bits; a search without conditions
    reads the `nprobe` nearest cells.
    """

    kind: str
    nlist: int = 0
    nprobe: int = 0

    @classmethod
    def for_size(cls, count: int) -> Clustering:
        """Flat up to FLAT_UP_TO; else about four times the root of `count` cells."""
        if count <= FLAT_UP_TO:
            return cls("flat")
        nlist = min(2 ** round(math.log2(4 * math.sqrt(count))), count)
        return cls("ivf-sq8", nlist, max(nlist // 24, 16))

    def as_json(self) -> dict[str, Any]:
        """Plain values for the manifest."""
        return asdict(self)

    @classmethod
    def of_json(cls, stated: Mapping[str, Any]) -> Clustering:
        """The way back. Raises TypeError for other keys."""
        return cls(**stated)


class ClusteredIndex:
    """Unit vectors in an inverted file, scored in eight bits and then exactly.

    What the inverted file puts first is read from `reader` and compared again, so every cosine
    that leaves is that of the vector kept. A condition is a bitmap over the ids: the fewer it
    allows, the more cells are read, so that about as many vectors are compared at any
    selectivity; up to DIRECT_UP_TO allowed are not searched at all but compared one by one.
    """

    def __init__(self, ids: Ids, reader: VectorReader, index: Any, clustering: Clustering) -> None:
        """`ids` ascending, shape (n,), one for each vector of `reader` and `index`."""
        if index.ntotal != len(ids):
            raise ValueError("dense index: the inverted file has another number of vectors")
        self.ids = ids
        self._reader = reader
        self._index = index
        self._clustering = clustering

    @classmethod
    def open(
        cls, ids: Ids, reader: VectorReader, path: Path, clustering: Clustering
    ) -> ClusteredIndex:
        """Maps the inverted file at `path` into memory. Raises ValueError when it is none."""
        try:
            index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
        except RuntimeError as error:
            raise ValueError("dense index: the inverted file cannot be read") from error
        lists = faiss.downcast_InvertedLists(index.invlists)
        if hasattr(lists, "prefetch_nthread"):
            lists.prefetch_nthread = 0  # else every search starts threads that touch its pages
        return cls(ids, reader, index, clustering)

    def __len__(self) -> int:
        return len(self.ids)

    def search(
        self, vector: Vectors, k: int, *, allowed: Mask | None = None
    ) -> list[tuple[int, float]]:
        """As VectorSearch; the cosines are exact, the hits nearly always."""
        most = len(self.ids) if allowed is None else int(np.count_nonzero(allowed))
        if k < 1 or not most:
            return []
        if allowed is not None and most <= max(DIRECT_UP_TO, k):
            return _best(self.scores(vector, np.flatnonzero(allowed).tolist()), k)
        clustering = self._clustering
        total = most if allowed is None else len(allowed)
        probes = math.ceil(clustering.nprobe * total / most)
        parameters: Any = faiss.SearchParametersIVF()
        parameters.nprobe = min(probes, clustering.nlist)
        bits = _bits(allowed)
        if bits is not None:
            parameters.sel = _bitmap(bits)
        near = _hits(self._index, vector, min(k + _OVERFETCH, len(self.ids)), parameters)
        if len(near) < min(k, most) and parameters.nprobe < clustering.nlist:
            parameters.nprobe = clustering.nlist  # the allowed ones stand in far cells
            near = _hits(self._index, vector, min(k + _OVERFETCH, len(self.ids)), parameters)
        return _best(self.scores(vector, [row for row, _ in near]), k)

    def scores(self, vector: Vectors, ids: Sequence[int]) -> dict[int, float]:
        """As VectorSearch."""
        wanted = np.sort(np.asarray(ids, np.int64))
        if not len(wanted) or not len(self.ids):
            return {}
        positions = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        known = self.ids[positions] == wanted
        cosines = self._reader.read(positions[known]) @ np.asarray(vector, np.float32).reshape(-1)
        return dict(zip(wanted[known].tolist(), cosines.tolist(), strict=True))


class SegmentedIndex:
    """Several indexes with ids of their own as one."""

    def __init__(self, segments: Sequence[VectorSearch]) -> None:
        self._segments = tuple(segments)

    def __len__(self) -> int:
        return sum(map(len, self._segments))

    def search(
        self, vector: Vectors, k: int, *, allowed: Mask | None = None
    ) -> list[tuple[int, float]]:
        """As VectorSearch."""
        found: dict[int, float] = {}
        for segment in self._segments:
            found |= segment.search(vector, k, allowed=allowed)
        return _best(found, k)

    def scores(self, vector: Vectors, ids: Sequence[int]) -> dict[int, float]:
        """As VectorSearch."""
        found: dict[int, float] = {}
        for segment in self._segments:
            found |= segment.scores(vector, ids)
        return found


def write_clustered(
    path: Path,
    ids: Ids,
    reader: VectorReader,
    clustering: Clustering,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    batch: int = 65_536,
) -> None:
    """Trains an inverted file on a sample of the vectors, adds all and writes it to `path`.

    The sample is drawn by a fixed seed, so the same vectors give the same cells.
    """
    count = len(ids)
    wanted = min(count, TRAINED_ON * clustering.nlist)
    sample = np.sort(np.random.default_rng(0).choice(count, wanted, replace=False))
    trained = reader.read(sample)
    dimension = trained.shape[1]
    coarse = faiss.IndexFlatIP(dimension)
    index = faiss.IndexIVFScalarQuantizer(
        coarse, dimension, clustering.nlist, faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
    )  # fmt: skip
    index.cp.niter = 8
    index.cp.max_points_per_centroid = TRAINED_ON
    index.cp.min_points_per_centroid = 1  # few vectors are no reason to warn on standard error
    train: Any = index.train
    train(trained)
    logger.info("cells trained", extra={"nlist": clustering.nlist, "sample": len(trained)})
    for start in range(0, count, batch):
        stop = min(start + batch, count)
        index.add_with_ids(reader.read(np.arange(start, stop)), ids[start:stop])
        progress(stop, count)
    faiss.write_index(index, str(path))


def _hits(index: Any, vector: Vectors, k: int, parameters: Any) -> list[tuple[int, float]]:
    query = np.ascontiguousarray(vector, np.float32).reshape(1, -1)
    scores, ids = index.search(query, k, params=parameters)
    return [
        (at, score)
        for at, score in zip(ids[0].tolist(), scores[0].tolist(), strict=True)
        if at != -1
    ]


def _best(scores: Mapping[int, float], k: int) -> list[tuple[int, float]]:
    return sorted(scores.items(), key=lambda hit: (-hit[1], hit[0]))[:k]


def _bits(allowed: Mask | None) -> npt.NDArray[np.uint8] | None:
    return None if allowed is None else np.packbits(allowed, bitorder="little")


def _bitmap(bits: npt.NDArray[np.uint8]) -> Any:
    """The selector of the ids whose bit is set; `bits` must outlive it."""
    make: Any = faiss.IDSelectorBitmap  # its Python wrapper takes the array alone
    return make(bits)
