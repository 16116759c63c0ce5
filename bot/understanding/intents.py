"""What kind of request a message is, and whether it insults: heads over exemplars, calibrated.

The exemplars are data in `prompts/intents/`; `shopbot heads` fits the heads to them and to public
sets. Knows nothing about the catalogue or the dialogue so far.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from bot.understanding.heads import Encode, features_of, load

INSULT = 0.2  # from which a message counts as an insult: of a shop's everyday talk 1 in 250 does


@dataclass(frozen=True, slots=True)
class Exemplars:
    """Sentences and the intent of each; `{goods}` in them stands for any of `goods`. `insults` have
    no intent; `openers` may stand before any of them."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    goods: tuple[str, ...]
    insults: tuple[str, ...]
    openers: tuple[str, ...]


@cache
def exemplars(language: str) -> Exemplars:
    raw = files("prompts").joinpath("intents", f"{language}.toml").read_text(encoding="utf-8")
    data = tomllib.loads(raw)
    goods, insults, openers = (tuple(data.pop(key)) for key in ("goods", "insult", "openers"))
    pairs = [(text, intent) for intent, texts in data.items() for text in texts]
    return Exemplars(
        tuple(t for t, _ in pairs), tuple(i for _, i in pairs), goods, insults, openers
    )


class IntentClassifier:
    """Probabilities over intents for one message.

    `encode` is the encoder that the English head was fitted with: it maps n texts to float32
    (n, d), rows of length 1.
    """

    def __init__(self, encode: Encode) -> None:
        self._encode = encode

    def probabilities(self, text: str, language: str) -> dict[str, float]:
        """Returns intent → probability, highest first."""
        head = load(f"intents-{language}")
        encode = None if language == "zh" else self._encode
        values = head.probabilities(features_of([text], language, encode))[0]
        return {head.classes[i]: float(values[i]) for i in np.argsort(-values)}


def insult(text: str, language: str) -> float:
    """The probability that a message insults or abuses, 0 to 1."""
    head = load(f"abuse-{language}")
    return float(head.probabilities(features_of([text], language, None))[0][-1])
