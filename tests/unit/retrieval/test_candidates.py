from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.candidates import best_rows, find_candidates
from retrieval.dense import DenseIndex
from retrieval.embedders import HashingEmbedder
from retrieval.lexical import LexicalIndex, query_weights
from retrieval.text import units

WORDS = "tent green boots rain lamp desk chair warm".split()


@settings(max_examples=60, deadline=None)
@given(
    scores=st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=40),
    k=st.integers(1, 45),
    data=st.data(),
)
def test_that_the_best_rows_are_those_of_a_full_sort(
    scores: list[float], k: int, data: st.DataObject
) -> None:
    allowed = data.draw(
        st.none() | st.lists(st.booleans(), min_size=len(scores), max_size=len(scores))
    )
    may = allowed or [True] * len(scores)
    expected = sorted(
        (at for at in range(len(scores)) if scores[at] > 0 and may[at]),
        key=lambda at: (-scores[at], at),
    )[:k]
    mask = None if allowed is None else np.array(allowed)
    assert best_rows(np.array(scores, np.float32), k, allowed=mask).tolist() == expected


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(st.lists(st.sampled_from(WORDS), max_size=5), min_size=1, max_size=30),
    asked=st.lists(st.sampled_from(WORDS), min_size=1, max_size=4),
    depth=st.integers(1, 12),
    data=st.data(),
)
def test_that_candidates_are_the_best_of_both_rankings_with_both_scores(
    texts: list[list[str]], asked: list[str], depth: int, data: st.DataObject
) -> None:
    embedder = HashingEmbedder(dimension=64)
    lines = [" ".join(words) for words in texts]
    vectors = embedder.encode(lines)
    lexical = LexicalIndex.build([{"text": line} for line in lines], streams=[{"text": 1}])
    mask = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines))), np.bool_
    )
    weighted = query_weights(units(" ".join(asked)), lexical)
    vector = embedder.encode([" ".join(asked)])[0]
    found = find_candidates(
        lexical.scores(weighted),
        vector,
        dense=DenseIndex(np.arange(len(lines)), vectors),
        allowed=mask,
        depth=depth,
    )
    scores, cosines = lexical.scores(weighted), vectors @ vector
    assert mask[found.rows].all()
    np.testing.assert_array_equal(found.lexical, scores[found.rows])
    np.testing.assert_allclose(found.dense, cosines[found.rows], atol=1e-5)
    assert found.ranking(found.lexical_rank) == best_rows(scores, depth, allowed=mask).tolist()
    near = found.ranking(found.dense_rank)
    assert len(near) == min(depth, int(mask.sum()))
    best = np.sort(cosines[mask])[::-1][: len(near)]
    np.testing.assert_allclose(cosines[near], best, atol=1e-5)
    assert set(found.rows.tolist()) == {*near, *found.ranking(found.lexical_rank)}


def test_that_without_a_vector_no_cosine_is_told() -> None:
    lexical = LexicalIndex.build([{"text": "tent"}, {"text": "lamp"}], streams=[{"text": 1}])
    nothing = DenseIndex(np.zeros(0, np.int64), np.zeros((0, 4), np.float32))
    found = find_candidates(lexical.scores({"tent": 1.0}), None, dense=nothing)
    assert found.rows.tolist() == [0]
    assert np.isnan(found.dense).all()
    assert found.dense_rank.tolist() == [0]
