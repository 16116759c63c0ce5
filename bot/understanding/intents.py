"""What kind of request a message is: small heads over exemplars, with an honest "unclear".

English goes through the sentence encoder, Chinese (which the encoder cannot read) through
character n-grams. Knows nothing about the catalogue or the dialogue so far.
"""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class Exemplars:
    """Sentences and the intent of each."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]


@cache
def exemplars(language: str) -> Exemplars:
    raw = files("prompts").joinpath("intents", f"{language}.toml").read_text(encoding="utf-8")
    pairs = [(text, intent) for intent, texts in tomllib.loads(raw).items() for text in texts]
    return Exemplars(tuple(t for t, _ in pairs), tuple(i for _, i in pairs))


class IntentClassifier:
    """Probabilities over intents for one message.

    `encode` maps n texts to float32 (n, d), rows of length 1; it is used for English only. The
    heads are fitted from the exemplars on first use, in well under a second.
    """

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._heads: dict[str, Any] = {}
        self._lock = threading.Lock()

    def probabilities(self, text: str, language: str) -> dict[str, float]:
        """Returns intent → probability, highest first."""
        head, features = self._head(language)
        values = head.predict_proba(features([text]))[0]
        order = np.argsort(-values)
        return {str(head.classes_[i]): float(values[i]) for i in order}

    def _head(self, language: str) -> tuple[Any, Callable[[Sequence[str]], Any]]:
        with self._lock:
            if language not in self._heads:
                self._heads[language] = self._fit(language)
            head: tuple[Any, Callable[[Sequence[str]], Any]] = self._heads[language]
            return head

    def _fit(self, language: str) -> tuple[Any, Callable[[Sequence[str]], Any]]:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        data = exemplars(language)
        lowered = [text.casefold() for text in data.texts]
        features: Callable[[Sequence[str]], Any]
        if language == "zh":
            grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True)
            matrix = grams.fit_transform(lowered)
            features = lambda texts: grams.transform([t.casefold() for t in texts])  # noqa: E731
            strength = 12.0
        else:
            matrix = self._encode(lowered)
            features = lambda texts: self._encode([t.casefold() for t in texts])  # noqa: E731
            strength = 10.0
        head = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
        head.fit(matrix, data.labels)
        return head, features
