"""Work beside the turns runs until the block ends, and no longer."""

from __future__ import annotations

import threading

import pytest

from bot.background import in_background


def test_that_the_work_is_told_when_the_block_ends() -> None:
    begun, seen = threading.Event(), threading.Event()

    def work(ended: threading.Event) -> None:
        begun.set()
        ended.wait(10)
        seen.set()

    with in_background(work, name="work"):
        assert begun.wait(10)
        assert not seen.is_set()
    assert seen.is_set()


def test_that_a_failure_of_the_block_ends_the_work() -> None:
    seen = threading.Event()

    def work(ended: threading.Event) -> None:
        ended.wait(10)
        seen.set()

    with pytest.raises(KeyError), in_background(work, name="work"):
        raise KeyError
    assert seen.is_set()
