"""The measure of conditions read, over goals of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.evaluation.understanding.constraints import FOLDER, measure

GOALS = [
    {
        "id": "g1", "kind": "product", "query": "a teal bucket over 20 dollars with free delivery",
        "targets": [{"product_id": "1", "title": ["Bucket"], "sku_options": [{"color": "teal"}],
                     "service": ["freeShipping"], "price": [{"greater than": [20, None]}]}],
    },
    {
        "id": "g2", "kind": "voucher", "query": "a wicker tray. My budget is only `90`.",
        "targets": [{"product_id": "2", "title": ["Tray"], "attributes": [{"material": ["wicker"]}]}],
        "voucher": {"threshold": 40, "budget": 90},
    },
    {
        "id": "g3", "kind": "product", "query": "a stool, somewhere near the hundred mark",
        "targets": [{"product_id": "3", "title": ["Stool"], "price": [{"less than": [None, 100]}]}],
    },
]  # fmt: skip
TYPED = [{"goal": "a mop", "queries": ["mop up to 30 dollars", "mop", "mop under 40"]}]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / FOLDER
    folder.mkdir()
    for name, rows in (("shoppingbench_queries", GOALS), ("webshop_goals", TYPED)):
        text = "\n".join(json.dumps(row) for row in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return tmp_path


def test_that_hits_and_misses_are_counted_by_kind(data: Path) -> None:
    found = measure(data)
    kinds = found["kinds"]
    assert (kinds["price"]["gold"], kinds["price"]["precision"], kinds["price"]["recall"]) == (2, 1.0, 0.5)  # fmt: skip
    assert kinds["budget"]["f1"] == kinds["colour"]["f1"] == kinds["material"]["f1"] == 1.0
    assert kinds["service free_shipping"]["f1"] == 1.0
    assert kinds["voucher"]["recall"] == 0.0
    assert found["webshop"]["price"] == {"gold": 1, "precision": 1.0, "recall": 1.0, "f1": 1.0}


def test_that_what_was_lost_is_told_price_first(data: Path) -> None:
    losses = measure(data)["losses"]
    assert losses[0] == {"kind": "price", "id": "g3", "false": [], "missed": ["–100"]}


def test_that_a_missing_set_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        measure(tmp_path)
