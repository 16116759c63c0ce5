from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.strings import Joined, StringTable


@given(st.lists(st.text(max_size=6), max_size=20), st.text(max_size=6))
def test_that_a_string_is_found_by_number_and_by_itself(strings: list[str], other: str) -> None:
    table = StringTable.restore(StringTable.of(strings).arrays())
    assert list(table) == strings
    for sought in (*strings, other):
        at = table.find(sought)
        assert (at is not None) == (sought in strings)
        assert at is None or strings[at] == sought


def test_that_joined_tables_count_on() -> None:
    joined = Joined([StringTable.of(["a", "台灯"]), StringTable.of([]), StringTable.of(["b", "a"])])
    assert list(joined) == ["a", "台灯", "b", "a"]
    assert joined.find("a") == [0, 3]
    assert joined.find("c") == []
    with pytest.raises(IndexError):
        joined[4]


def test_that_arrays_that_do_not_fit_are_refused() -> None:
    arrays = StringTable.of(["a", "b"]).arrays()
    with pytest.raises(ValueError, match="do not belong together"):
        StringTable.restore(arrays | {"ends": np.array([1, 9], np.int64)})
