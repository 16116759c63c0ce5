"""Sizes that stand in attribute values, made comparable. Knows nothing about products."""

from __future__ import annotations

import re

_SCORE = re.compile(r"\d+(?:\.\d+)?\s*/\s*\d+")  # "3.5/5" measures nothing that can be compared
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")


def magnitude(value: str) -> float | None:
    """The size of an attribute in a common unit: durations in days, areas as products, else the figure."""
    low = value.casefold()
    if _SCORE.fullmatch(low.strip()):
        return None
    figures = [float(n.replace(",", "")) for n in _NUMBER.findall(low)]
    if "lifetime" in low:
        return 1e9
    if re.search(r"\bno (?:warranty|return)|无保修", low):
        return 0.0
    if "overnight" in low:
        return 0.5
    if not figures:
        return None
    for unit, days in (("year", 365.0), ("年", 365.0), ("month", 30.0), ("月", 30.0), ("week", 7.0), ("周", 7.0), ("day", 1.0), ("天", 1.0)):  # fmt: skip
        if unit in low:
            return figures[-1] * days
    sizes = re.findall(
        r"(\d+(?:\.\d+)?)\s*(?:\"|in\b|inch|cm|mm|ft)?\s*[x×*]\s*(\d+(?:\.\d+)?)", low
    )
    if sizes:
        return float(sizes[0][0]) * float(sizes[0][1])
    for unit, grams in (
        ("kg", 1000.0),
        ("公斤", 1000.0),
        ("lb", 453.6),
        ("pound", 453.6),
        ("oz", 28.35),
    ):
        if unit in low:
            return figures[0] * grams
    return figures[0]
