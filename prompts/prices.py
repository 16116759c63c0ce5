"""How prices are said, read from `prices.toml`: compiled rules over figures. Knows no products."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class PriceRule:
    """One way to say a price. `pattern` holds the groups a1, a2 (figures), k1, k2 (their scales) and
    c1, c2 (currencies said). `ends` must match behind a figure whose currency is not said, and
    `never` must not match behind any. `marked`: only with a currency."""

    kind: str
    pattern: re.Pattern[str]
    money: bool
    marked: bool
    loose: bool


@dataclass(frozen=True, slots=True)
class PriceTalk:
    """All of `prices.toml`, compiled; `currencies` are ISO codes with their words, `shared` the words that
    several of them share."""

    rules: tuple[PriceRule, ...]
    scale: dict[str, int]
    priced: re.Pattern[str]
    plain_end: re.Pattern[str]
    no_money: re.Pattern[str]
    no_money_before: re.Pattern[str]
    together: re.Pattern[str]
    terms: re.Pattern[str]
    quantity: re.Pattern[str]
    currencies: tuple[tuple[str, re.Pattern[str]], ...]
    shared: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]


@cache
def price_talk() -> PriceTalk:
    """Returns the rules by which prices are read."""
    data = _toml("prices.toml")
    unit = rf"(?:{'|'.join(_units())})(?![a-z])"
    symbol, currency = "|".join(data["symbol"]), "|".join(data["currency"])
    scale = "|".join(re.escape(word) for word in data["scale"])
    priced = rf"(?:(?:{'|'.join(data['priced'])})[^\d.,;!?，。；！？]{{0,20}}?)?"

    def compiled(pattern: str) -> re.Pattern[str]:
        count = iter(range(1, 9))

        def amount(_: re.Match[str]) -> str:
            n = next(count)
            # possessive: a figure is read whole, or "30 days" would be 3 and a zero
            return (
                rf"(?P<s{n}>(?<![a-z])(?:{symbol})\s?)?[`'\"“]?(?<![\d.])(?<!\d,)"
                rf"(?P<a{n}>\d{{1,3}}(?:,\d{{3}})++(?:\.\d++)?+|\d++(?:\.\d++)?+)\s?"
                rf"(?P<k{n}>(?:{scale})(?![a-z]))?[`'\"”]?(?P<c{n}>\s?(?:{currency})(?![a-z]))?"
            )

        text = re.sub("AMOUNT", amount, pattern.replace("PRICED", priced))
        text = text.replace("UNIT", unit).replace("CURRENCY", rf"(?:{currency})(?![a-z])")
        return re.compile(text, re.IGNORECASE)

    rules = tuple(
        PriceRule(
            rule["kind"],
            compiled(rule["pattern"]),
            rule.get("money", False),
            rule.get("marked", False),
            rule.get("loose", False),
        )
        for rule in data["rule"]
    )
    currencies = dict(data["currencies"])
    shared = currencies.pop("shared")
    return PriceTalk(
        rules,
        data["scale"],
        re.compile("|".join(data["priced"]), re.IGNORECASE),
        re.compile(data["plain_end"], re.IGNORECASE),
        compiled(data["no_money"]),
        re.compile(data["no_money_before"], re.IGNORECASE),
        compiled(data["sums"]["together"]),
        compiled(data["sums"]["terms"]),
        compiled(data["sums"]["quantity"]),
        tuple((code, re.compile("|".join(words))) for code, words in currencies.items()),
        tuple((re.compile(word), tuple(codes)) for word, codes in shared.items()),
    )


def _units() -> list[str]:
    """The surface forms of every unit of measure, the longest first; "in" is more often a word."""
    forms = {form for row in _toml("vocabulary/units.toml")["unit"].values() for form in row}
    return [re.escape(form) for form in sorted(forms - {"in", "a"}, key=len, reverse=True)]


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads(files("prompts").joinpath(name).read_text(encoding="utf-8"))
