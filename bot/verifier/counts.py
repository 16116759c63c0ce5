"""Small counts that claim nothing: "one", "two options" beside two titles, list numbers.

Knows nothing about figures with a unit.
"""

from __future__ import annotations

import re

from bot.verifier.factbook import stem
from bot.verifier.quantities import ORDINAL, Quantity
from bot.verifier.reading import Reading

_LIST_NUMBER = re.compile(r"(?:^|\n)\s*(\d{1,2})[.)]\s")
MAX_COUNT = 10


def harmless_count(reading: Reading, quantity: Quantity) -> str:
    """Small counts that claim nothing: "one", "two options" beside two titles, list numbers.

    "alone" when the figure itself is settled, "inside" when it is part of a neutral phrase.
    """
    low = reading.low
    if quantity.written and any(quantity.start == m.start(1) for m in _LIST_NUMBER.finditer(low)):
        return "alone" if quantity.value <= MAX_COUNT else ""
    if quantity.money or quantity.value > MAX_COUNT or quantity.value != int(quantity.value):
        return ""
    text = low[quantity.start : quantity.end]
    if not quantity.written or quantity.unit == ORDINAL:
        for token in reading.tokens:
            if quantity.start <= token.start < quantity.end:
                window = reading.window(token.start, reading.words.reach)
                if any(window in reading.words.grams.get(a, ()) for a in reading.phrased_as()):
                    return "alone" if reading.language == "en" else "inside"
    for phrase in reading.words.phrases:
        if len(phrase) >= len(text) and text[0] in phrase:
            at = low.find(
                phrase, max(0, quantity.start - len(phrase)), quantity.start + len(phrase)
            )
            if at >= 0 and at <= quantity.start < at + len(phrase) and not phrase.startswith("第"):
                return "inside"
    if _out_of(reading, quantity):
        return "alone"
    kinds = reading.book.lowercase_words
    bare = not quantity.noun or reading.words.neutral(quantity.noun) or stem(quantity.noun) in kinds
    neutral_unit = quantity.unit in {"", "kind", ORDINAL} or (
        quantity.unit == "piece" and text[-1:] in set("款个")
    )
    if not (bare and neutral_unit):
        return ""
    named = len(reading.said())
    if quantity.unit == ORDINAL:
        fine = quantity.value == 1 or quantity.value <= named
    elif quantity.value == 1:
        fine = not quantity.written
    else:
        fine = quantity.value in (named, len(reading.book.titles))
    return "alone" if fine else ""


def _out_of(reading: Reading, quantity: Quantity) -> bool:
    """The scale behind a rating ("4.4 out of 5")."""
    scale = re.search(r"\d\s?(?:out of|of|/)\s?$|满分\s?$", reading.low[: quantity.start])
    return (
        scale is not None
        and quantity.value in (5, 10)
        and quantity.unit in {"", "star", "point"}
        and any(e.fact.field == "rating" for e in reading.book.claims)
    )
