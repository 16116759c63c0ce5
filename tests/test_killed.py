"""A served shop is killed under talk and loses nothing; `benchmarks/kill9.py` does it fifty times."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.kill9 import measure
from benchmarks.kill9_parts import ServedShop


@pytest.mark.slow
def test_that_every_reply_received_before_a_kill_is_on_disk_and_the_next_start_needs_nothing(
    tmp_path: Path,
) -> None:
    shop = ServedShop(tmp_path, "")
    shop.prepare()
    try:
        outcome = measure(shop, None, kills=3, shoppers=4, seed=1)
    finally:
        shop.kill()
    assert outcome.while_starting == 1
    assert outcome.received > 12
    assert outcome.sound(), outcome
