"""Numbers as words: English ("two and a half", "a dozen") and Chinese (三百二十, 两, 半).

Knows nothing about units or facts.
"""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {
    w: n
    for n, w in enumerate(
        ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
         "fifteen sixteen seventeen eighteen nineteen").split()
    )
}  # fmt: skip
_TENS = {w: 10 * n for n, w in enumerate(
    "twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}  # fmt: skip
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 1_000_000}
_PARTS = {"half": Decimal("0.5"), "quarter": Decimal("0.25")}
ORDINALS = {
    w: n
    for n, w in enumerate(
        ("first second third fourth fifth sixth seventh eighth ninth tenth eleventh "
         "twelfth").split(), 1
    )
}  # fmt: skip
_WORD = "|".join([*_UNITS, *_TENS, *_SCALES, *_PARTS])
ENGLISH = re.compile(
    rf"\b(?:(?:an?\s+)(?=(?:dozen|hundred|thousand|million)\b))?(?:{_WORD})s?"
    rf"(?:(?:\s+|-)(?:and\s+(?:an?\s+)?)?(?:{_WORD})s?)*\b(?!')"
)
CHINESE = re.compile(r"[零〇一二两三四五六七八九十百千万亿半]+")
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}


def english(words: str) -> list[Decimal]:
    """Reads number words; two numbers joined by "and" are two ("two and five": [2, 5])."""
    found: list[Decimal] = []
    total, current, last = Decimal(0), Decimal(0), ""
    for word in re.findall(r"[a-z]+", words):
        stem = word if word in _UNITS or word in _TENS else word.rstrip("s")
        if stem in _UNITS or stem in _TENS:
            value = _UNITS.get(stem, _TENS.get(stem, 0))
            if last == "unit" or (last == "ten" and (value >= 10 or value == 0)):
                found.append(total + current)
                total, current = Decimal(0), Decimal(0)
            current += value
            last = "unit" if stem in _UNITS else "ten"
        elif stem in _SCALES:
            scale = _SCALES[stem]
            current = (current or Decimal(1)) * scale
            if scale >= 1000:
                total, current = total + current, Decimal(0)
            last = "scale"
        elif stem in _PARTS:
            current += _PARTS[stem]
            last = "unit"
    found.append(total + current)
    return found


def chinese(numeral: str) -> Decimal:
    """Reads a Chinese numeral; 一百二 is 120, 三五 (an enumeration) is read digit by digit."""
    if numeral == "半":
        return Decimal("0.5")
    half = numeral.endswith("半")
    body = numeral[:-1] if half else numeral
    if not any(c in _PLACES for c in body):
        value = Decimal(int("".join(str(_DIGITS[c]) for c in body if c in _DIGITS) or "0"))
        return value + (Decimal("0.5") if half else 0)
    total, section, digit, place = 0, 0, 0, 1
    for c in body:
        if c in _DIGITS:
            digit = _DIGITS[c]
            place = 1 if c in "零〇" else place
        elif c in "万亿":
            total = (total + section + digit) * _PLACES[c]
            section, digit, place = 0, 0, _PLACES[c]
        elif c in _PLACES:
            section += (digit or 1) * _PLACES[c]
            digit, place = 0, _PLACES[c]
    if digit and place >= 100 and body[-1] in _DIGITS and body[-2:-1] in _PLACES:
        digit *= place // 10
    return Decimal(total + section + digit) + (Decimal("0.5") if half else 0)
