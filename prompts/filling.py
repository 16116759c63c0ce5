"""Fills slot-marked text with values, and writes the prompt a generator reads.

The language of facts: `<title_1>` stands for the value of slot `title_1`. Knows nothing about
models or where values come from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from prompts.acts import MARKER

FORMAT_VERSION = 2  # version 1 knew no tone; its prompts are version 2's neutral ones

Tone = Literal["neutral", "warm", "brief"]
TONES: tuple[Tone, ...] = get_args(Tone)
MESSAGE_WORDS = 16  # of the shopper's last message; more costs time and taught nothing

_ARTICLE = re.compile(r"\b([Aa])n? (?=<([a-z_]+(?:_\d)?)>)")
_VOWEL = re.compile(r"(?:[aeio]|u(?!ni|se|su|ti)|8|11\b|18\b|hour|honest|heir)", re.IGNORECASE)


def prompt_of(
    language: str, act: str, slots: Sequence[str], message: str, *, tone: Tone = "neutral"
) -> str:
    """Serialises what the generator is to say: language, tone, act, slot names in canonical order,
    message.

    The neutral tone has no word of its own. Every control word is one token of the trained
    tokenizer; see `special_tokens`.
    """
    words = message.replace("<", " ").replace(">", " ").split()[:MESSAGE_WORDS]
    marked = "".join(f"<{slot}>" for slot in slots)
    manner = "" if tone == "neutral" else f"<|{tone}|>"
    return f"<|{language}|>{manner}<|{act}|>{marked}<|user|>{' '.join(words)[:120]}<|bot|>"


def special_tokens(acts: Sequence[str], slots: Sequence[str]) -> list[str]:
    """Lists every control word of the format, so that a tokenizer keeps each one whole."""
    control = ["<|pad|>", "<|end|>", "<|en|>", "<|zh|>", "<|user|>", "<|bot|>"]
    control += [f"<|{act}|>" for act in acts] + [f"<{slot}>" for slot in slots]
    return control + [f"<|{tone}|>" for tone in TONES if tone != "neutral"]


def fill(marked: str, values: Mapping[str, str]) -> str:
    """Replaces each marker by its value; "a"/"an" before a marker agrees with the value.

    Raises KeyError when a marker has no value.
    """

    def article(match: re.Match[str]) -> str:
        an = _VOWEL.match(values[match.group(2)]) is not None
        return f"{match.group(1)}{'n' if an else ''} "

    return MARKER.sub(lambda m: values[m.group(1)], _ARTICLE.sub(article, marked))
