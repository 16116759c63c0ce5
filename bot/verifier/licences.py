"""What an act or a fact allows a text to say beyond the words of the facts.

The tables are `sensitive.toml`; the shop's phrasings of an act license the places of words in them.
"""

from __future__ import annotations

from functools import cache

from bot.verifier.factbook import stem
from bot.verifier.lexicon import data
from bot.verifier.reading import Reading
from bot.verifier.surface import Token


@cache
def _licences() -> dict[str, dict[str, frozenset[str]]]:
    table = data("sensitive.toml")["licences"]
    return {
        kind: {name: frozenset(words) for name, words in table[kind].items()}
        for kind in ("act", "field", "source")
    }


def licensed(reading: Reading) -> frozenset[str]:
    """Words that the acts and the fields of the facts carry."""
    table = _licences()
    found: set[str] = set()
    for act in reading.acts:
        found |= table["act"].get(act, frozenset())
    for entry in reading.book.claims:
        found |= table["field"].get(entry.fact.field, frozenset())
        found |= table["source"].get(entry.fact.source, frozenset())
    return frozenset(found | {stem(w) for w in found if w.isascii()})


def in_window(reading: Reading, token: Token) -> bool:
    """The word stands between the same neighbours as in a phrasing of the act."""
    reach = reading.words.reach
    window = reading.window(token.start, reach)
    return any(window in reading.words.grams.get(act, ()) for act in reading.phrased_as())
