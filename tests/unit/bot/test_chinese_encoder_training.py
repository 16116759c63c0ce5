"""What the making of the Chinese encoder decides: which pieces stay, and how it is turned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.errors import ConfigError
from bot.training.chinese_encoder import kept_rows, read_source, rotation, tokenizer_of
from retrieval.embedders import unit_rows
from retrieval.embedders.chinese import SPECIAL

PIECES = (
    *((name, 0.0) for name in SPECIAL),
    ("▁", -1.0),
    ("枕头", -2.0),
    ("подушка", -2.5),
    ("▁rare", -9.0),
    ("▁the", -3.0),
    ("，", -4.0),
    ("枕", -5.0),
)


def test_that_chinese_signs_and_frequent_latin_stay() -> None:
    kept = [PIECES[row][0] for row in kept_rows(PIECES, latin=6)]  # the special ones count
    assert kept[: len(SPECIAL)] == list(SPECIAL)
    assert {"枕头", "枕", "，", "▁the"} <= set(kept)
    assert not {"подушка", "▁rare"} & set(kept)


def test_that_the_tokenizer_prefers_whole_words() -> None:
    assert "枕头" in tokenizer_of(PIECES).encode("枕头").tokens


def test_that_a_turn_is_found_and_leaves_every_cosine() -> None:
    dice = np.random.default_rng(0)
    vectors = unit_rows(dice.normal(size=(200, 8)))
    turn, _ = np.linalg.qr(dice.normal(size=(8, 8)))
    found = rotation(vectors, np.asarray(vectors @ turn, np.float32))
    np.testing.assert_allclose(found, turn, atol=1e-4)
    turned = vectors @ found
    np.testing.assert_allclose(turned @ turned.T, vectors @ vectors.T, atol=1e-4)


def test_that_another_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "model.bin"
    other.write_bytes(b"GGUF rest")
    with pytest.raises(ConfigError, match="is no packed model"):
        read_source(other)
