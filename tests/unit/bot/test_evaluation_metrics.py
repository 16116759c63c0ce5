"""Figures of the evaluation on cases counted by hand; the blind page gives nothing away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.evaluation import blind, metrics
from bot.training.validation import SlotErrors


def test_that_words_are_markers_words_and_single_chinese_characters() -> None:
    assert metrics.words("It's <title_1> — 5 kg，你好") == [
        "it's",
        "<title_1>",
        "5",
        "kg",
        "你",
        "好",
    ]


def test_that_slot_error_is_all_errors_over_all_slots_given() -> None:
    assert metrics.slot_error([SlotErrors(1, 0, 0), SlotErrors(0, 1, 1)], 6) == pytest.approx(0.5)
    assert metrics.slot_error([SlotErrors(0, 2, 0)], 0) == 2


def test_that_distinct_n_counts_different_runs_over_all_runs() -> None:
    assert metrics.distinct(["a b a", "a b"], 1) == pytest.approx(2 / 5)
    assert metrics.distinct(["a b a", "a b"], 2) == pytest.approx(2 / 3)


def test_that_equal_texts_repeat_each_other_and_unlike_ones_do_not() -> None:
    same = metrics.self_bleu([["one two three four five"] * 2])
    other = metrics.self_bleu([["one two three four five", "six seven eight nine ten"]])
    assert same == pytest.approx(100)
    assert other is not None and other < 10
    assert metrics.self_bleu([["alone"]]) is None


def test_that_chrf_is_full_for_the_reference_and_nothing_without_texts() -> None:
    assert metrics.chrf(["a red kettle"], ["a red kettle"]) == pytest.approx(100)
    assert metrics.chrf([], []) is None


def test_that_identical_counts_texts_that_training_holds() -> None:
    assert metrics.identical(["a", "b", "c", "a"], {"a"}) == 0.5


def test_that_percentiles_are_values_that_were_measured() -> None:
    assert metrics.percentile([5, 1, 3, 2, 4], 0.5) == 3
    assert metrics.percentile(list(range(1, 101)), 0.95) == 95
    assert metrics.percentile([], 0.5) is None


def test_that_an_even_preference_says_nothing_and_an_uneven_one_much() -> None:
    assert metrics.sign_test(5, 5) == 1
    assert metrics.sign_test(10, 0) == pytest.approx(2 / 1024)


def test_that_the_blind_page_escapes_what_it_quotes_and_keeps_the_key_apart(
    tmp_path: Path,
) -> None:
    hostile = "<script>alert(1)</script>"
    found = [blind.Pair(1, "en", "greet", "say hello", hostile, hostile, "Hello.", "A")]
    blind.write(found, tmp_path, name="my-secret-model", version="v9", seed=3)
    page = (tmp_path / blind.PAGE).read_text(encoding="utf-8")
    text = (tmp_path / blind.TEXT).read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "my-secret-model" not in page + text
    key = json.loads((tmp_path / blind.KEY).read_text(encoding="utf-8"))
    assert key["pairs"] == [{"number": 1, "language": "en", "act": "greet", "generated": "A"}]
