"""What is said about stock must be the stock fact of the product it is said of.

Knows nothing about figures beyond the count of what is left.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache

from bot.verifier.factbook import Entry
from bot.verifier.lexicon import data
from bot.verifier.polarity import hedge
from bot.verifier.quantities import quantities
from bot.verifier.reading import Reading

_LAST_ONE = re.compile(r"\blast (?:one|piece)$|最后一")


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    stock = data("claims.toml")["stock"]
    return tuple(
        (state, re.compile("|".join(stock[state]))) for state in ("out", "low", "plenty", "in")
    )


def state_of(low: str) -> str:
    """Reads the state a stock text claims: out, low, in, or "" for none."""
    return next((state for state, pattern in _patterns() if pattern.search(low)), "")


def check_stock(reading: Reading) -> None:
    """Masks stock words that are true and names those that are not."""
    assert reading.focus is not None
    for state, pattern in _patterns():
        for match in pattern.finditer(reading.low):
            start, end = match.span()
            if not reading.free(start, end):
                continue
            if _true(reading, state, start, end):
                reading.cover(start, end)
                if not hedge(reading.language).search(
                    reading.low[slice(*reading.focus.sentence(start))]
                ):
                    reading.values.append((start, end))
            else:
                reading.flag(start, end)
                reading.cover(start, end)


def _true(reading: Reading, state: str, start: int, end: int) -> bool:
    assert reading.focus is not None
    first, last = reading.focus.sentence(start)
    sentence = reading.low[first:last]
    words = reading.low[start:end]
    binding = reading.focus.of_word(start)
    facts = [e for s in binding.subjects for e in reading.book.field(s, "stock")]
    if _only_wording(reading, words, start, end):
        return True
    if hedge(reading.language).search(sentence):
        return not facts and state == "in" and _unstated(reading)
    if facts and (not binding.every or len(facts) >= len(binding.subjects)):
        return all(_agrees(e, state, words) for e in (facts if binding.every else facts[:1]))
    return any(
        words in e.low for e in reading.book.about("") if e.fact.source in {"policy", "shop"}
    )


def _only_wording(reading: Reading, words: str, start: int, end: int) -> bool:
    """The shop's own phrasings use words such as "available" without claiming stock."""
    inside = [t for t in reading.tokens if start <= t.start < end]
    acts = reading.phrased_as()
    return bool(inside) and all(
        any(
            reading.window(t.start, reading.words.reach) in reading.words.grams.get(a, ())
            for a in acts
        )
        for t in inside
    )


def _unstated(reading: Reading) -> bool:
    return bool(reading.book.absent)


def _agrees(entry: Entry, state: str, words: str) -> bool:
    own = state_of(entry.low)
    if state == "in":
        return own in {"in", "low", "plenty"}
    if state != own:
        return False
    if state == "low":
        claimed = {q.value for q in quantities(words)}
        if _LAST_ONE.search(words):
            claimed.add(Decimal(1))
        return claimed <= {q.value for q in entry.quantities}
    return True
