"""Mends how a message is written: chat shorthand, and typos towards the words of shop and service.

What is a word stays, whoever may have meant another. Knows nothing about what is asked for.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from functools import cache
from importlib.resources import files

from rapidfuzz.distance import OSA

from bot.understanding.intents import exemplars
from retrieval.english import is_common_word, is_english

LEAST = 5  # letters of a word that is mended towards one of service
LONG = 8  # letters from which two slips may be in it
_WORD = re.compile(r"(?<![\w@.-])[a-z0-9]+(?![\w@-])", re.IGNORECASE)


def without_shorthand(text: str, *, knows: Callable[[str], bool]) -> str:
    """The text with chat shorthand ("smth", "pls") written out; `knows` tells the shop's own words."""

    def written_out(match: re.Match[str]) -> str:
        word = match.group().casefold()
        return match.group() if word not in _shorthand() or knows(word) else _shorthand()[word]

    return _WORD.sub(written_out, text)


def service_typos(text: str, *, knows: Callable[[str], bool]) -> dict[str, str]:
    """Mistyped words and the one word of service talk that each must be: pacakge, package."""
    found = {}
    for word in _WORD.findall(text):
        low = word.casefold()
        if len(low) < LEAST or not low.isalpha() or is_english(low) or knows(low):
            continue
        most = 2 if len(low) >= LONG else 1
        near = [(OSA.distance(low, known, score_cutoff=most), known) for known in _service_words()]
        near = sorted(pair for pair in near if pair[0] <= most and pair[1][0] == low[0])
        if near and (len(near) == 1 or near[0][0] < near[1][0]):
            found[word] = near[0][1]
    return found


@cache
def _shorthand() -> dict[str, str]:
    data = tomllib.loads(files("prompts").joinpath("shorthand.toml").read_text(encoding="utf-8"))
    return {short: str(word) for short, word in data.items()}


@cache
def _service_words() -> frozenset[str]:
    """The words in which service is asked for, of the exemplars of intents."""
    known = exemplars("en")
    words = {word.casefold() for text in known.texts for word in re.findall(r"[A-Za-z]+", text)}
    return frozenset(word for word in words if len(word) >= LEAST and is_common_word(word))
