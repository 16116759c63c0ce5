"""Any GPT-2 folder is converted once, computes what it did, or is refused with a remedy."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_gpt2 import write_tiny

from bot.errors import ConfigError
from bot.generators.base import PhraseRequest
from bot.generators.conversion import convert, is_whole, place_of
from bot.generators.ctranslate import CTranslateGenerator
from bot.generators.folder import Gpt2Folder

REQUEST = PhraseRequest("en", "price", ("title_1", "price_1"), "how much is it", k=4, seed=1)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"prefix": ""},
        {"tied": True},
        {"tie_word_embeddings": True},  # but another head is in the file
        {"layer_norm_epsilon": 0.01},
        {"activation_function": "gelu_new"},
        {"activation_function": "gelu"},
        {"scale_attn_by_inverse_layer_idx": True},
        {"scale_attn_weights": False},
    ],
)
def test_that_a_variant_of_gpt2_computes_what_transformers_does(
    tmp_path: Path, variant: dict[str, Any]
) -> None:
    import ctranslate2
    import torch
    from transformers import GPT2LMHeadModel

    path = write_tiny(tmp_path / "variant", **variant)
    model = GPT2LMHeadModel.from_pretrained(path, dtype=torch.float32).eval()
    ids = [5, 300, 41, 7, 330, 12, 99, 260]
    with torch.inference_mode():
        wanted = model(torch.tensor([ids])).logits[0].numpy()
    folder = Gpt2Folder(path)
    fast = ctranslate2.Generator(
        str(convert(folder, tmp_path / "cache", "float32")), compute_type="float32", intra_threads=1
    )
    found = np.array(fast.forward_batch([ids]))[0]
    assert np.ptp(wanted) > 0.5
    assert np.allclose(found, wanted, atol=1e-4)


def inode(place: Path) -> int:
    return (place / "model.bin").stat().st_ino


def test_that_a_converted_model_is_used_again(tmp_path: Path, tiny: Path) -> None:
    place = place_of(Gpt2Folder(tiny), tmp_path, "int8")
    CTranslateGenerator(tiny, cache=tmp_path)
    before = inode(place)
    CTranslateGenerator(tiny, cache=tmp_path)
    assert inode(place) == before
    assert list(tmp_path.iterdir()) == [place]


def test_that_other_weights_are_converted_anew_and_the_old_go(tmp_path: Path) -> None:
    cache, path = tmp_path / "cache", write_tiny(tmp_path / "model")
    other = CTranslateGenerator(write_tiny(tmp_path / "model-2"), cache=cache)
    first = CTranslateGenerator(path, cache=cache)
    old = place_of(Gpt2Folder(path), cache, "int8")
    shutil.rmtree(path)
    second = CTranslateGenerator(write_tiny(path, seed=1), cache=cache)
    assert first.version != second.version
    assert not old.exists()
    assert is_whole(place_of(Gpt2Folder(path), cache, "int8"))
    assert is_whole(place_of(Gpt2Folder(tmp_path / "model-2"), cache, "int8"))
    assert other.phrase(REQUEST) is not None


@pytest.mark.parametrize("left", ["nothing", "a part", "half the bytes"])
def test_that_a_half_written_model_is_not_used(
    tmp_path: Path, tiny: Path, left: str, caplog: pytest.LogCaptureFixture
) -> None:
    place = convert(Gpt2Folder(tiny), tmp_path, "int8")
    whole = (place / "model.bin").read_bytes()
    (tmp_path / ".new-crashed").mkdir()
    if left == "half the bytes":
        (place / "model.bin").write_bytes(whole[: len(whole) // 2])
    else:
        (place / "config.json").unlink()
        if left == "nothing":
            shutil.rmtree(place)
    CTranslateGenerator(tiny, cache=tmp_path)
    assert (place / "model.bin").read_bytes() == whole
    assert ("made anew" in caplog.text) == (left == "half the bytes")


def test_that_a_model_it_cannot_compute_is_refused_with_a_remedy(tmp_path: Path) -> None:
    odd = write_tiny(tmp_path / "odd", activation_function="relu")
    with pytest.raises(ConfigError, match=r"activation relu: set generator\.runtime"):
        CTranslateGenerator(odd, cache=tmp_path / "cache")
    crossed = write_tiny(tmp_path / "crossed", add_cross_attention=True)
    with pytest.raises(ConfigError, match=r"generator\.runtime"):
        CTranslateGenerator(crossed, cache=tmp_path / "cache")
    lacking = write_tiny(tmp_path / "lacking", n_layer=3)
    with pytest.raises(ConfigError, match=r"it has no h\.2\.ln_1\.weight"):
        CTranslateGenerator(lacking, cache=tmp_path / "cache")
    broken = write_tiny(tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ConfigError, match="cannot be read"):
        CTranslateGenerator(broken, cache=tmp_path / "cache")
    pickled = write_tiny(tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(ConfigError, match="save the model as safetensors"):
        CTranslateGenerator(pickled, cache=tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*"))
