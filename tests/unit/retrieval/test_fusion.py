from __future__ import annotations

import pytest

from retrieval.fusion import reciprocal_rank_fusion


def test_that_ranks_add_up_over_rankings() -> None:
    fused = reciprocal_rank_fusion({"a": [7, 8], "b": [8]})
    assert fused == {7: pytest.approx(1 / 61), 8: pytest.approx(1 / 62 + 1 / 61)}


def test_that_a_weight_scales_its_ranking() -> None:
    fused = reciprocal_rank_fusion({"a": [1], "b": [2]}, weights={"a": 0.5})
    assert fused[2] == pytest.approx(2 * fused[1])


def test_that_agreement_beats_one_first_place() -> None:
    fused = reciprocal_rank_fusion({"a": [1, 3], "b": [2, 3]})
    assert max(fused, key=fused.__getitem__) == 3


def test_that_no_rankings_fuse_to_nothing() -> None:
    assert reciprocal_rank_fusion({}) == {}
