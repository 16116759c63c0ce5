"""Figures with their units, read from text: `$250.00`, `12 lbs`, `two years`, `三百元`.

Knows nothing about facts, products or which figures are true. Dates are read elsewhere.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files

from bot.verifier import numerals
from bot.verifier.surface import CJK

ORDINAL = "ordinal"
COUNT_UNITS = frozenset({"piece", "kind", "person", "occasion"})


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value with its canonical unit ("" when it has none) and where it stands.

    `money` is true when the unit is a currency. `written` is false for numbers in words.
    `noun` is the word after a figure without a unit.
    """

    value: Decimal
    unit: str
    start: int
    end: int
    money: bool = False
    written: bool = True
    noun: str = ""


@dataclass(frozen=True, slots=True)
class _Units:
    canonical: dict[str, str]
    currencies: frozenset[str]
    before: re.Pattern[str]
    after: re.Pattern[str]


@cache
def _units() -> _Units:
    raw = files("prompts").joinpath("vocabulary", "units.toml").read_text(encoding="utf-8")
    data = tomllib.loads(raw)
    canonical = {form: name for group in data.values() for name, forms in group.items()
                 for form in forms}  # fmt: skip
    money = [f for forms in data["currency"].values() for f in forms]
    every = sorted(canonical, key=len, reverse=True)

    def alternatives(forms: list[str]) -> str:
        # A Latin unit must not run on into another letter; Chinese and signs may.
        latin = [re.escape(f) for f in forms if f[-1].isascii() and f[-1].isalpha()]
        other = [re.escape(f) for f in forms if not (f[-1].isascii() and f[-1].isalpha())]
        # "90-$110": a sign before a figure is that figure's.
        return rf"(?:(?:{'|'.join(latin)})(?![a-z])|(?:{'|'.join(other)})(?!(?<=[$€£¥₹₩])\s?\d))"

    signs = sorted((f for f in money if not re.match(rf"[{CJK}]", f)), key=len, reverse=True)
    return _Units(
        canonical,
        frozenset(data["currency"]),
        re.compile(rf"(?:(?<![a-z])(?:{'|'.join(map(re.escape, signs))}))\s?$"),
        re.compile(rf" ?-? ?({alternatives(every)})"),
    )


def currencies() -> frozenset[str]:
    return _units().currencies


_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|(?<![\w.])\.\d+"
_NUMBER = re.compile(rf"(?<![a-z\d])(?P<digits>{_DIGITS})(?P<slash>/\d+(?![\d/.]))?")
_ORDINAL_DIGITS = re.compile(r"(\d+)(?:st|nd|rd|th)\b")
_ORDINAL_WORDS = re.compile(rf"\b(?:{'|'.join(numerals.ORDINALS)})\b")
_ORDINAL_CHINESE = re.compile(r"第\s?(\d+|[一二三四五六七八九十]+)")
_RANGE = re.compile(r"\s?(?:-|~|to|through|至|到|and|or|x|×|\*|/|—)\s?")
_NOUN = re.compile(r" ?-? ?([a-z]+)")
_A_PERIOD = re.compile(r"\ban? (year|month|week|day|hour)\b")


def _unit_at(low: str, end: int) -> tuple[str, int]:
    match = _units().after.match(low, end)
    if not match:
        return "", end
    form = match.group(1)
    # "in" and "a" are mostly words: "12 in stock", "3 a day"
    if form in {"in", "a", "m", "g", "l", "v", "w", "点", "时"} and not _tight(low, match, form):
        return "", end
    return _units().canonical[form], match.end()


def _tight(low: str, match: re.Match[str], form: str) -> bool:
    if form in {"in", "a"}:
        rest = low[match.end() : match.end() + 2]
        return (form == "in" and not re.match(r"\s[a-z]", rest)) or match.start(1) == match.start()
    return True


def _money_before(low: str, start: int) -> tuple[str, int]:
    match = _units().before.search(low, max(0, start - 5), start)
    if not match:
        return "", start
    return _units().canonical[match.group().strip()], match.start()


def _noun_after(low: str, end: int) -> str:
    match = _NOUN.match(low, end)
    return match.group(1) if match else ""


def _quantity(low: str, value: Decimal, start: int, end: int, *, written: bool) -> Quantity:
    currency, first = _money_before(low, start)
    unit, last = _unit_at(low, end)
    if currency:
        after_is_money = unit in _units().currencies
        return Quantity(value, currency, first, last if after_is_money else end, True, written)
    noun = "" if unit else _noun_after(low, end)
    return Quantity(value, unit, start, last, unit in _units().currencies, written, noun)


@lru_cache(maxsize=8192)
def quantities(low: str) -> tuple[Quantity, ...]:
    """Lists the figures of lower-cased, normalised text in order; units are shared in ranges."""
    found: list[Quantity] = []
    taken = bytearray(len(low) + 1)

    def add(quantity: Quantity) -> None:
        found.append(quantity)
        taken[quantity.start : quantity.end] = b"\1" * (quantity.end - quantity.start)

    for pattern in (_ORDINAL_DIGITS, _ORDINAL_WORDS, _ORDINAL_CHINESE):
        for match in pattern.finditer(low):
            if taken[match.start()]:
                continue
            text = match.group(1) if match.groups() else match.group()
            value = (
                Decimal(text) if text.isdigit()
                else Decimal(numerals.ORDINALS[text]) if text in numerals.ORDINALS
                else numerals.chinese(text)
            )  # fmt: skip
            add(
                Quantity(
                    value, ORDINAL, match.start(), match.end(), noun=_noun_after(low, match.end())
                )
            )
    for match in _NUMBER.finditer(low):
        if not taken[match.start()]:
            for quantity in _digits(low, match):
                add(quantity)
    for match in numerals.ENGLISH.finditer(low):
        if not taken[match.start()]:
            values = numerals.english(match.group())
            spans = _split(match, len(values))
            for value, (start, end) in zip(values, spans, strict=True):
                add(_quantity(low, value, start, end, written=False))
    for match in _A_PERIOD.finditer(low):
        if not taken[match.start()]:
            add(_quantity(low, Decimal(1), match.start(), match.start(1) - 1, written=False))
    for match in numerals.CHINESE.finditer(low):
        if not taken[match.start()]:
            add(_quantity(low, numerals.chinese(match.group()), *match.span(), written=False))
    found.sort(key=lambda q: q.start)
    return tuple(_share_units(low, found))


def _digits(low: str, match: re.Match[str]) -> list[Quantity]:
    value = Decimal(match.group("digits").replace(",", ""))
    end = match.end("digits")
    slash = match.group("slash")
    if (
        slash
        and "." not in match.group("digits")
        and 0 < int(slash[1:]) <= 16
        and value < int(slash[1:])
    ):
        value, end, slash = (
            (value / int(slash[1:])).quantize(Decimal("0.0001")).normalize(),
            match.end(),
            None,
        )
    if low[end : end + 1] in "万千亿" and low[end : end + 1]:
        value *= {"万": 10_000, "千": 1000, "亿": 100_000_000}[low[end]]
        end += 1
    first = _quantity(low, value, match.start(), end, written=True)
    if slash and first.end < match.end():
        second = _quantity(
            low, Decimal(slash[1:]), match.end() - len(slash) + 1, match.end(), written=True
        )
        return [first, second]
    return [first]


def _split(match: re.Match[str], parts: int) -> list[tuple[int, int]]:
    """Cuts the span of several number words ("two and five") evenly enough to name each."""
    if parts == 1:
        return [match.span()]
    words = [(m.start() + match.start(), m.end() + match.start())
             for m in re.finditer(r"[a-z]+", match.group())
             if m.group() not in {"and", "a", "an"}]  # fmt: skip
    step = max(1, len(words) // parts)
    cuts = [words[i * step : (i + 1) * step if i < parts - 1 else len(words)] for i in range(parts)]
    return [(cut[0][0], cut[-1][1]) if cut else match.span() for cut in cuts]


def _share_units(low: str, found: list[Quantity]) -> list[Quantity]:
    """Gives the unit of "3 to 5 days" or "200 x 230 cm" to the figure that lacks it."""
    out = list(found)
    for i in range(len(out) - 2, -1, -1):
        left, right = out[i], out[i + 1]
        between = low[left.end : right.start]
        if left.noun in {"to", "and", "or", "x", "through"}:
            left = out[i] = replace(left, noun="")
        if not _RANGE.fullmatch(between):
            continue
        if not left.unit and right.unit and right.unit != ORDINAL:
            if right.money and between.strip() in {"and", "or"}:
                continue
            out[i] = replace(left, unit=right.unit, money=right.money, noun="")
        elif not left.unit and not right.unit:
            out[i] = replace(left, noun=right.noun)
    for i in range(1, len(out)):
        left, right = out[i - 1], out[i]
        if (
            left.money
            and not right.unit
            and low[left.end : right.start].strip() in {"-", "~", "to", "至", "到"}
        ):
            out[i] = replace(right, unit=left.unit, money=True, noun="")
    return out


@cache
def unit_forms(unit: str) -> tuple[str, ...]:
    """Every way to write a canonical unit."""
    return tuple(form for form, name in _units().canonical.items() if name == unit)
