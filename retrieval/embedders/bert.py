"""BERT encoders in the form that CTranslate2 reads, made once and kept in a cache.

Weights are numpy arrays under the names that transformers gives them: serving needs no torch. A
model is written beside its place and then renamed, so that a reader never meets half a one. Knows
nothing about tokens, or of how hidden states become a vector.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

log = logging.getLogger(__name__)

Weights = Mapping[str, npt.NDArray[Any]]

VERSION = 1  # of what `_spec` makes; another makes every cached model anew
FILES = ("model.bin", "config.json", "vocabulary.json")
COMPUTE = "int8"  # rows of weights, and tokens as they come, each with its own scale
ACTIVATIONS = {"gelu": "GELU", "gelu_new": "GELUTanh", "relu": "RELU"}


class Unconvertible(ValueError):
    """The model is no BERT that CTranslate2 computes: it is served by PyTorch instead."""


def load(
    fingerprint: str,
    config: Mapping[str, Any],
    weights: Callable[[], Weights],
    *,
    cache: Path | None = None,
    threads: int = 0,
) -> Any:
    """Returns the `ctranslate2.Encoder` of a model, converted at its first use.

    `fingerprint` stands for the weights and the configuration, which are read where the cache does
    not hold the model; `threads` 0 leaves their number to CTranslate2. Without a cache, and where
    it cannot be written, the model is converted for this process alone. Raises Unconvertible.
    """
    import ctranslate2

    check(config)

    def opened(model: Path) -> Any:
        return ctranslate2.Encoder(str(model), compute_type=COMPUTE, intra_threads=threads)

    place = None if cache is None else cache / _name(fingerprint)
    if place is not None and _is_whole(place):
        try:
            return opened(place)
        except (RuntimeError, ValueError):
            log.warning("a converted encoder is damaged and made anew", extra={"place": str(place)})
    spec = _spec(config, weights())
    if place is not None:
        try:
            return opened(_written(spec, place))
        except OSError as error:
            log.warning("the encoder cache cannot be written", extra={"reason": str(error)})
    with tempfile.TemporaryDirectory(prefix="shopbot-encoder-") as own:
        spec.save(own)
        return opened(Path(own))  # read whole, so that its folder may go


def _name(fingerprint: str) -> str:
    made_of = f"{fingerprint}/{COMPUTE}/{VERSION}/{version('ctranslate2')}"
    return hashlib.sha256(made_of.encode()).hexdigest()[:24]


def _is_whole(place: Path) -> bool:
    """Whether a converted model is there; that its bytes are sound, loading it shows."""
    return all((place / name).is_file() for name in FILES)


def check(config: Mapping[str, Any]) -> None:
    """Raises Unconvertible where the configuration asks for what `_spec` does not describe."""
    if config.get("model_type") != "bert":
        raise Unconvertible(f"the model is a {config.get('model_type')}, not a bert")
    if config.get("hidden_act", "gelu") not in ACTIVATIONS:
        raise Unconvertible(f"its activation is {config['hidden_act']}")
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise Unconvertible("its positions are not absolute")
    if config.get("is_decoder"):
        raise Unconvertible("it is a decoder")


def _written(spec: Any, place: Path) -> Path:
    """Writes the model to its place, over a damaged one. Raises OSError."""
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".new-", dir=place.parent))
    try:
        spec.save(str(beside))
        shutil.rmtree(place, ignore_errors=True)
        try:
            beside.rename(place)
        except OSError:
            if not _is_whole(place):
                raise  # else another process was first; its model equals ours
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return place


def _spec(config: Mapping[str, Any], weights: Weights) -> Any:
    """Returns the model as CTranslate2 describes one (Devlin et al., arXiv 1810.04805).

    Every text is of one segment, whose embedding is therefore added to the positions' here.
    """
    from ctranslate2.specs import TransformerEncoderModelSpec, TransformerEncoderSpec
    from ctranslate2.specs.common_spec import Activation

    def array(name: str) -> npt.NDArray[np.float32]:
        if name not in weights:
            raise Unconvertible(f"it has no {name}")
        return np.ascontiguousarray(weights[name], dtype=np.float32)

    def norm(layer: Any, name: str) -> None:
        layer.gamma, layer.beta = array(f"{name}.weight"), array(f"{name}.bias")

    def linear(layer: Any, *names: str) -> None:
        layer.weight = np.concatenate([array(f"{name}.weight") for name in names])
        layer.bias = np.concatenate([array(f"{name}.bias") for name in names])

    encoder = TransformerEncoderSpec(
        int(config["num_hidden_layers"]),
        int(config["num_attention_heads"]),
        pre_norm=False,
        activation=getattr(Activation, ACTIVATIONS[config.get("hidden_act", "gelu")]),
        layernorm_embedding=True,
    )
    encoder.scale_embeddings = False
    words = array("embeddings.word_embeddings.weight")  # (V, C)
    encoder.embeddings[0].weight = words
    encoder.position_encodings.encodings = (
        array("embeddings.position_embeddings.weight")
        + array("embeddings.token_type_embeddings.weight")[0]
    )  # (P, C)
    norm(encoder.layernorm_embedding, "embeddings.LayerNorm")
    for number, layer in enumerate(encoder.layer):
        name = f"encoder.layer.{number}"
        attention, feed = layer.self_attention, layer.ffn
        self_ = f"{name}.attention.self"
        linear(attention.linear[0], f"{self_}.query", f"{self_}.key", f"{self_}.value")
        linear(attention.linear[1], f"{name}.attention.output.dense")
        norm(attention.layer_norm, f"{name}.attention.output.LayerNorm")
        linear(feed.linear_0, f"{name}.intermediate.dense")
        linear(feed.linear_1, f"{name}.output.dense")
        norm(feed.layer_norm, f"{name}.output.LayerNorm")
    spec = TransformerEncoderModelSpec(encoder)
    spec.config.layer_norm_epsilon = float(config.get("layer_norm_eps", 1e-12))
    spec.config.unk_token = "0"
    spec.register_vocabulary([str(row) for row in range(len(words))])  # texts come as numbers
    try:
        spec.validate()
    except ValueError as error:
        raise Unconvertible(str(error)) from error
    spec.optimize(COMPUTE)
    return spec
