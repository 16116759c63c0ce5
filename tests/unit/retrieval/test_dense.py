from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.dense import DenseIndex
from retrieval.embedders import unit_rows


def vectors(count: int, dimension: int = 16, seed: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    return unit_rows(np.random.default_rng(seed).normal(size=(count, dimension)))


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 60), k=st.integers(1, 70), seed=st.integers(0, 999), data=st.data())
def test_that_search_equals_brute_force(count: int, k: int, seed: int, data: st.DataObject) -> None:
    rows = vectors(count, seed=seed)
    ids = np.arange(count) * 3 + 1
    allowed = data.draw(st.none() | st.sets(st.sampled_from(ids.tolist())))
    query = vectors(1, seed=seed + 1)[0]
    cosines = dict(zip(ids.tolist(), (rows @ query).tolist(), strict=True))
    among = ids.tolist() if allowed is None else sorted(allowed)
    expected = sorted((cosines[at] for at in among), reverse=True)[:k]
    mask = None if allowed is None else np.isin(np.arange(ids.max() + 1), among)
    found = DenseIndex(ids, rows).search(query, k, allowed=mask)
    np.testing.assert_allclose([score for _, score in found], expected, atol=1e-5)
    assert all(at in among and abs(cosines[at] - score) < 1e-5 for at, score in found)


def test_that_a_condition_is_applied_before_ranking() -> None:
    rows = vectors(100)
    far = int(np.argmin(rows @ rows[0]))
    assert (
        DenseIndex(np.arange(100), rows).search(rows[0], 1, allowed=np.arange(100) == far)[0][0]
        == far
    )


def test_that_scores_are_told_of_known_ids_only() -> None:
    rows = vectors(3)
    scores = DenseIndex(np.array([5, 6, 7]), rows).scores(rows[1], [6, 99])
    assert scores == {6: pytest.approx(1.0)}


def test_that_an_empty_index_finds_nothing() -> None:
    index = DenseIndex(np.zeros(0, np.int64), np.zeros((0, 4), np.float32))
    assert index.search(np.ones(4, np.float32), 5) == []
    assert index.scores(np.ones(4, np.float32), [1]) == {}


def test_that_arrays_make_the_same_index_again() -> None:
    index = DenseIndex(np.array([4, 2]), vectors(2))
    query = vectors(1, seed=9)[0]
    assert DenseIndex(**index.arrays()).search(query, 2) == index.search(query, 2)


@pytest.mark.parametrize(
    ("ids", "message"), [([1], "one id for each row"), ([1, 1], "an id stands twice")]
)
def test_that_ids_that_do_not_fit_are_refused(ids: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DenseIndex(np.array(ids), vectors(2))
