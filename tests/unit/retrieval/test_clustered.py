from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import dense
from retrieval.dense import (
    FLAT_UP_TO,
    ClusteredIndex,
    Clustering,
    DenseIndex,
    SegmentedIndex,
    write_clustered,
)
from retrieval.embedders import unit_rows
from retrieval.vectorfile import VectorFile

COUNT, DIMENSION = 2_000, 16
IDS = np.sort(np.random.default_rng(3).permutation(3 * COUNT)[:COUNT])
# in groups, as products are: neighbours share a cell
CENTRES = np.random.default_rng(4).normal(size=(40, DIMENSION))
VECTORS = unit_rows(
    CENTRES[np.arange(COUNT) % 40] + 0.3 * np.random.default_rng(5).normal(size=(COUNT, DIMENSION))
).astype(np.float16)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> ClusteredIndex:
    folder = tmp_path_factory.mktemp("cells")
    np.save(folder / "vectors.npy", VECTORS)
    reader = VectorFile(folder / "vectors.npy")
    clustering = Clustering("ivf-sq8", 16, 4)
    write_clustered(folder / "cells.faiss", IDS, reader, clustering, batch=700)
    return ClusteredIndex.open(IDS, reader, folder / "cells.faiss", clustering)


def query(seed: int) -> np.ndarray:  # type: ignore[type-arg]
    return unit_rows(np.random.default_rng(seed).normal(size=(1, DIMENSION)))[0]


@pytest.mark.parametrize("direct", [0, 50])
@settings(max_examples=40, deadline=None)
@given(
    share=st.sampled_from([0.0005, 0.001, 0.01, 0.1, 0.5, 0.9, 1.0]),
    k=st.integers(1, 30),
    seed=st.integers(0, 9_999),
)
def test_that_a_condition_of_any_selectivity_is_exact(
    index: ClusteredIndex, direct: int, share: float, k: int, seed: int
) -> None:
    allowed = np.random.default_rng(seed).random(3 * COUNT + 5) < share
    vector = query(seed)
    inside = np.flatnonzero(allowed[IDS])
    cosines = np.asarray(VECTORS[inside], np.float32) @ vector
    best = np.sort(cosines)[::-1][:k]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "DIRECT_UP_TO", direct)
        patch.setattr(index, "_clustering", Clustering("ivf-sq8", 16, 16))  # every cell is read
        found = index.search(vector, k, allowed=allowed)
    assert all(allowed[at] for at, _ in found)
    np.testing.assert_allclose([score for _, score in found], best, atol=1e-4)


def test_that_few_allowed_in_far_cells_are_all_found(index: ClusteredIndex) -> None:
    vector = query(1)
    cosines = np.asarray(VECTORS, np.float32) @ vector
    allowed = np.zeros(3 * COUNT, np.bool_)
    allowed[IDS[np.argsort(cosines)[:300]]] = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "DIRECT_UP_TO", 10)
        assert len(index.search(vector, 250, allowed=allowed)) == 250


def test_that_nearly_all_true_neighbours_are_found_in_some_cells(index: ClusteredIndex) -> None:
    shares = []
    for seed in range(50):
        vector = unit_rows((VECTORS[seed] + 0.3 * query(seed)).reshape(1, -1))[0]
        cosines = np.asarray(VECTORS, np.float32) @ vector
        found = index.search(vector, 10)
        assert len(found) == 10
        shares.append(np.mean([score >= np.sort(cosines)[-10] - 1e-5 for _, score in found]))
    assert np.mean(shares) > 0.9


def test_that_cosines_are_those_of_the_vectors_kept(index: ClusteredIndex) -> None:
    vector = query(2)
    known = IDS[[5, 900, 17]].tolist()
    told = index.scores(vector, [*known, 3 * COUNT + 1])
    assert sorted(told) == sorted(known)
    for at in known:
        kept = np.asarray(VECTORS[np.searchsorted(IDS, at)], np.float32)
        assert told[at] == pytest.approx(float(kept @ vector), abs=1e-5)


def test_that_segments_answer_as_one(index: ClusteredIndex) -> None:
    more = DenseIndex(np.array([3 * COUNT + 2]), np.array([query(7)]))
    joined = SegmentedIndex([index, more])
    assert len(joined) == COUNT + 1
    assert joined.search(query(7), 3)[0] == (3 * COUNT + 2, pytest.approx(1.0))
    assert joined.search(query(7), 3)[1:] == index.search(query(7), 2)


def test_that_the_size_chooses_the_search() -> None:
    assert Clustering.for_size(FLAT_UP_TO).kind == "flat"
    large = Clustering.for_size(1_000_000)
    assert (large.kind, large.nlist) == ("ivf-sq8", 4096)
    assert Clustering.of_json(large.as_json()) == large


def test_that_a_file_that_is_no_inverted_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cells.faiss").write_bytes(b"nothing of the kind")
    np.save(tmp_path / "vectors.npy", VECTORS)
    with pytest.raises(ValueError, match="cannot be read"):
        ClusteredIndex.open(
            IDS, VectorFile(tmp_path / "vectors.npy"), tmp_path / "cells.faiss",
            Clustering("ivf-sq8", 16, 4),
        )  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(0, COUNT - 1), max_size=40))
def test_that_vectors_are_read_by_position(index: ClusteredIndex, positions: set[int]) -> None:
    wanted = np.array(sorted(positions), np.int64)
    np.testing.assert_array_equal(index._reader.read(wanted), VECTORS[wanted].astype(np.float32))
