"""What is here told from the nearest there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.presence import asked_of, evidence, is_here
from retrieval.values import Hit


def hit(**parts: float) -> Hit:
    return Hit("p", 1.0, 1, parts)


@pytest.mark.parametrize(
    ("parts", "here"),
    [
        ({"dense": 0.6, "title_coverage": 1.0, "coverage": 1.0}, True),
        ({"dense": 0.35, "title_coverage": 0.0, "coverage": 1.0}, False),
        ({"dense": 0.55, "title_coverage": 0.0, "coverage": 0.0}, True),  # meant, not named
        ({"title_coverage": 1.0, "coverage": 1.0}, True),  # no vector
        ({"title_coverage": 0.1, "coverage": 0.2}, False),
    ],
)
def test_that_a_find_is_told_from_a_neighbour(parts: dict[str, float], here: bool) -> None:
    assert is_here([hit(dense=0.1), hit(**parts)], 50) is here


def test_that_nothing_is_here_where_nothing_was_found() -> None:
    assert evidence([]) == 0.0
    assert not is_here([], 0)


@given(st.integers(0, 10_000_000), st.integers(0, 10_000_000))
def test_that_the_best_of_more_has_to_show_no_less(few: int, many: int) -> None:
    assert asked_of(min(few, many)) <= asked_of(max(few, many))
