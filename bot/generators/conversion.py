"""GPT-2 folders in the form that CTranslate2 reads, made once and kept in a cache.

Weights are read with numpy: serving needs no torch. A model is written beside its place and then
renamed, so that a reader never meets half a one. Knows nothing about prompts or decoding.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bot.errors import ConfigError
from bot.generators.folder import END, Gpt2Folder

Compute = Literal["int8", "float32"]
VERSION = 1  # of what `_spec` makes; another makes every cached model anew
FILES = ("model.bin", "config.json", "vocabulary.json")
ACTIVATIONS = {"gelu_new": "GELUTanh", "gelu_pytorch_tanh": "GELUTanh", "gelu": "GELU"}
REMEDY = "set generator.runtime to transformers, which can serve it"


def place_of(folder: Gpt2Folder, cache: Path, compute: Compute) -> Path:
    """Returns where the converted model belongs: the name, and a hash of all that it is made of."""
    made_of = hashlib.sha256(folder.digest.encode())
    made_of.update((folder.path / "config.json").read_bytes())
    made_of.update(json.dumps(folder.rows).encode())
    made_of.update(f"{compute}/{VERSION}/{version('ctranslate2')}".encode())
    return cache / f"{folder.name}-{made_of.hexdigest()[:16]}"


def is_whole(place: Path) -> bool:
    """Whether a converted model is there; that its bytes are sound, loading it shows."""
    return all((place / name).is_file() for name in FILES)


def convert(folder: Gpt2Folder, cache: Path, compute: Compute) -> Path:
    """Writes the model to its place, even if one is there, and removes those of earlier weights.

    Raises ConfigError for a model that CTranslate2 cannot compute, and OSError.
    """
    place = place_of(folder, cache, compute)
    spec = _spec(folder)
    try:
        spec.validate()
    except ValueError as error:
        raise ConfigError(f"the model in {folder.path} cannot be read: {error}") from error
    spec.optimize(compute)
    cache.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".new-", dir=cache))
    try:
        spec.save(str(beside))
        shutil.rmtree(place, ignore_errors=True)
        try:
            beside.rename(place)
        except OSError:
            if not is_whole(place):  # else another process was first; its model equals ours
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    for other in cache.iterdir():
        # who serves one of these holds it in memory, and makes it again where it is asked for again
        if other != place and re.fullmatch(re.escape(folder.name) + "-[0-9a-f]{16}", other.name):
            shutil.rmtree(other, ignore_errors=True)
    return place


def _spec(folder: Gpt2Folder) -> Any:
    """Returns the model as CTranslate2 describes one.

    Its own converter trusts the tokenizer's count of words, which is not the number of rows here.
    """
    from ctranslate2.specs import TransformerDecoderModelSpec
    from ctranslate2.specs.common_spec import Activation

    config = folder.config
    activation = config.get("activation_function", "gelu_new")
    if activation not in ACTIVATIONS:
        raise ConfigError(
            f"CTranslate2 computes {', '.join(ACTIVATIONS)}, and {folder.path} has the activation "
            f"{activation}: {REMEDY}"
        )
    if config.get("add_cross_attention"):
        raise ConfigError(f"{folder.path} reads a second text (add_cross_attention): {REMEDY}")
    layers, heads = int(config.get("n_layer", 12)), int(config.get("n_head", 12))
    spec = TransformerDecoderModelSpec.from_config(
        layers, heads, pre_norm=True, activation=getattr(Activation, ACTIVATIONS[activation])
    )
    spec.config.layer_norm_epsilon = float(config.get("layer_norm_epsilon", 1e-5))
    spec.config.bos_token = spec.config.eos_token = spec.config.unk_token = END
    weights = _Weights(folder)
    embeddings = weights.rows("wte.weight", len(folder.rows))  # (V, C)
    decoder = spec.decoder
    decoder.scale_embeddings = False
    decoder.embeddings.weight = embeddings
    decoder.position_encodings.encodings = weights["wpe.weight"]  # (P, C)
    # as transformers has it: a head that is in the file is not tied, whatever the configuration says
    tied = config.get("tie_word_embeddings", True) and "lm_head.weight" not in weights
    head = embeddings if tied else weights.rows("lm_head.weight", len(folder.rows))  # (V, C)
    decoder.projection.weight = head
    weights.norm(decoder.layer_norm, "ln_f")
    for number, layer in enumerate(decoder.layer):
        attention, feed = layer.self_attention, layer.ffn
        weights.norm(attention.layer_norm, f"h.{number}.ln_1")
        scale = _scale(config, number, embeddings.shape[1] // heads)
        weights.linear(attention.linear[0], f"h.{number}.attn.c_attn", scale=scale)
        weights.linear(attention.linear[1], f"h.{number}.attn.c_proj")
        weights.norm(feed.layer_norm, f"h.{number}.ln_2")
        weights.linear(feed.linear_0, f"h.{number}.mlp.c_fc")
        weights.linear(feed.linear_1, f"h.{number}.mlp.c_proj")
    spec.register_vocabulary(folder.rows)
    return spec


def _scale(config: Mapping[str, Any], layer: int, size: int) -> float:
    """What the queries of a layer have to be multiplied by; CTranslate2 knows the usual case alone."""
    scale = 1.0 if config.get("scale_attn_weights", True) else float(size) ** 0.5
    return scale / (layer + 1) if config.get("scale_attn_by_inverse_layer_idx") else scale


class _Weights:
    """The tensors of a folder as float32, under their names without `transformer.`."""

    def __init__(self, folder: Gpt2Folder) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        self._path = folder.path
        try:
            read = load_file(str(folder.weights))
        # numpy has no bfloat16, and safetensors then says TypeError or KeyError
        except (OSError, SafetensorError, TypeError, KeyError) as error:
            raise ConfigError(f"the model in {folder.path} cannot be read: {error}") from error
        self._tensors = {name.removeprefix("transformer."): tensor for name, tensor in read.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def __getitem__(self, name: str) -> Any:
        if name not in self._tensors:
            raise ConfigError(f"the model in {self._path} is no GPT-2: it has no {name}")
        return np.ascontiguousarray(self._tensors[name], dtype=np.float32)

    def rows(self, name: str, size: int) -> Any:
        """A matrix of `size` rows; those that are missing are the mean of the others.

        A row of zeros would not do: GPT-2's logits are far below 0, and it would be the likeliest.
        """
        given = self[name]
        more = np.repeat(given.mean(axis=0, keepdims=True), max(0, size - len(given)), axis=0)
        return np.concatenate([given, more])

    def norm(self, spec: Any, name: str) -> None:
        spec.gamma, spec.beta = self[f"{name}.weight"], self[f"{name}.bias"]

    def linear(self, spec: Any, name: str, *, scale: float = 1.0) -> None:
        """Sets a layer; GPT-2 holds its matrices as (in, out). `scale` is for the queries, which
        are the first third of an attention's outputs."""
        weight, bias = self[f"{name}.weight"], self[f"{name}.bias"]
        if scale != 1.0:
            third = weight.shape[1] // 3
            weight[:, :third] *= scale
            bias[:third] *= scale
        spec.weight, spec.bias = np.ascontiguousarray(weight.T), bias
