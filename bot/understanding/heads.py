"""Linear heads over a text's features: how a text becomes numbers, how a head is kept and asked.

English is read by the sentence encoder beside words and character sequences, so that typos and bare
keywords count; Chinese, which the encoder cannot read, by words and character sequences alone.
Knows nothing about what the classes mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.text import tokens

Vectors = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]

FOLDER = Path(__file__).resolve().parents[1] / "checkpoints" / "heads"
BINS = 2**13  # of each kind of sequence; a head of 14 classes stays under half a megabyte
READ = 1000  # characters of a text that are read


@dataclass(frozen=True, slots=True)
class Head:
    """A fitted head: `weights` (features, classes), `bias` (classes,), in the order of `classes`.

    `temperature` divides the scores, so that of the texts rated 0.8 four in five are right.
    """

    classes: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    temperature: float

    def probabilities(self, features: Any) -> NDArray[np.float64]:
        """Returns (n, classes) probabilities for sparse `features` (n, features)."""
        scores = (features @ self.weights + self.bias).astype(np.float64) / self.temperature
        scores -= scores.max(axis=1, keepdims=True)
        powers = np.exp(scores)
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def features_of(texts: Sequence[str], language: str, encode: Encode | None) -> Any:
    """Returns sparse (n, features) rows: with `encode` the encoder's (n, d) first, then sequences.

    `encode` maps n texts to float32 (n, d), rows of length 1; None leaves it out.
    """
    from scipy import sparse

    lowered = [text[:READ].casefold() for text in texts]
    parts = [vectorizer.transform(lowered) for vectorizer in _vectorizers(language)]
    if encode is not None:
        parts.insert(0, sparse.csr_matrix(encode(lowered)))
    return sparse.hstack(parts).tocsr()


@cache
def _vectorizers(language: str) -> tuple[Any, ...]:
    from sklearn.feature_extraction.text import HashingVectorizer

    options = {"n_features": BINS, "alternate_sign": False, "norm": "l2", "lowercase": False}
    if language == "zh":
        return (
            HashingVectorizer(analyzer="char", ngram_range=(1, 3), **options),
            HashingVectorizer(analyzer=tokens, **options),
        )
    return (
        HashingVectorizer(analyzer="char_wb", ngram_range=(3, 4), **options),
        HashingVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)[\w']+", **options),
    )


def save(head: Head, path: Path) -> None:
    """Writes a head as plain arrays (half precision)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        classes=np.array(head.classes),
        weights=head.weights.astype(np.float16),
        bias=head.bias.astype(np.float32),
        temperature=np.array(head.temperature),
    )


@cache
def load(name: str) -> Head:
    """Reads a head that ships with this version; pickled objects are refused."""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as stored:
        return Head(
            classes=tuple(str(label) for label in stored["classes"]),
            weights=stored["weights"].astype(np.float32),
            bias=stored["bias"],
            temperature=float(stored["temperature"]),
        )
