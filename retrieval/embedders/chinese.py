"""The Chinese encoder that is shipped: multilingual-e5-small with the Chinese part of its words.

Its vectors stand in the space of all-MiniLM-L6-v2, so that a Chinese text lies near an English one
that says the same. How the files were made stands in `bot/training/chinese_encoder.py` and in the
model card beside them. Knows nothing about English texts.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.embedders import bert, q4
from retrieval.embedders.base import Recent, Vectors, unit_rows
from retrieval.embedders.runtime import CompiledEncoder

FOLDER = Path(__file__).parent / "zh"
NAME = "multilingual-e5-small-zh"
PREFIX = "query: "  # what the model was trained to see before a text that is compared with its like
MOST = 256  # tokens of a text that are read, as MiniLM reads them
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")  # the first pieces of its tokenizer
NIBBLES, SCALES = ".nibbles", ".scales"


class ChineseEmbedder:
    """Reads Chinese, and the Latin letters and figures within it; 384 dimensions.

    A vector is the mean of the hidden states, scaled to length 1, less `mean`, which all Chinese
    texts share and which would bring any two of them to a cosine of 0.8, turned by `rotation`.
    Loaded at the first text; safe to share between threads.
    """

    def __init__(
        self, folder: Path = FOLDER, *, cache: Path | None = None, threads: int = 0
    ) -> None:
        """`cache` keeps the converted model; without one it is converted at each start.

        Raises ValueError where the folder holds no such model.
        """
        self._folder = folder
        self._cache = cache
        self._threads = threads
        self._weights = folder / "model.safetensors"
        if not self._weights.is_file():
            raise ValueError(f"{folder} holds no Chinese encoder (model.safetensors is missing)")
        self._config = json.loads((folder / "config.json").read_text("utf-8"))
        self._digest = _digest(self._weights, folder / "tokenizer.json")
        self._lock = threading.Lock()
        self._encoder: CompiledEncoder | None = None
        self._mean = self._rotation = np.zeros(0, np.float32)
        self._recent = Recent()

    @property
    def name(self) -> str:
        return f"{NAME}-{self._digest[:8]}"

    @property
    def dimension(self) -> int:
        return int(self._config["hidden_size"])

    @property
    def languages(self) -> frozenset[str]:
        return frozenset({"zh"})

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32; the first `MOST` tokens are read."""
        if len(texts) == 1:
            return self._recent.of(texts[0], lambda: self._computed(texts))
        return self._computed(texts)

    def _computed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        vectors = self._loaded().encode([PREFIX + text.strip() for text in texts])
        return unit_rows((vectors - self._mean) @ self._rotation)

    def _loaded(self) -> CompiledEncoder:
        with self._lock:
            if self._encoder is None:
                from safetensors.numpy import load_file
                from tokenizers import Tokenizer

                stored = load_file(str(self._weights))
                self._mean = stored["mean"].astype(np.float32)
                self._rotation = stored["rotation"].astype(np.float32)
                self._encoder = CompiledEncoder(
                    Tokenizer.from_file(str(self._folder / "tokenizer.json")),
                    bert.load(
                        self._digest,
                        self._config,
                        lambda: unpacked(stored),
                        cache=self._cache,
                        threads=self._threads,
                    ),
                    dimension=self.dimension,
                    most=MOST,
                )
            return self._encoder


def unpacked(stored: bert.Weights) -> dict[str, Any]:
    """The weights under the names of transformers, those in four bits as float32."""
    weights = {
        name: array
        for name, array in stored.items()
        if not name.endswith((NIBBLES, SCALES)) and name not in {"mean", "rotation"}
    }
    for name, nibbles in stored.items():
        if name.endswith(NIBBLES):
            whole = name.removesuffix(NIBBLES)
            weights[whole] = q4.unpack(nibbles, stored[whole + SCALES])
    return weights


def _digest(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
