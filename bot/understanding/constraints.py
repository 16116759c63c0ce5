"""Conditions on products that stand in a shopper's words: price, rating, stock, brand, exclusions.

Knows the catalogue only through the vocabulary it is given. Every condition keeps the words it
came from, so that a turn can be explained.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from rapidfuzz import fuzz, process

from bot.understanding.numbers import digits

COLOUR = re.compile(
    r"\b(?:black|white|gr[ae]y|red|blue|green|yellow|orange|pink|purple|brown|beige|navy|silver|gold)\b"
    r"|[黑白灰红蓝绿黄橙粉紫棕金银]色",
    re.IGNORECASE,
)
# possessive: a figure is read whole, or "30 days" would be 3 and a zero
_AMOUNT = r"(?:[$€£¥￥]\s?)?(?<!\d)(?<!\d,)(\d[\d,]*+(?:\.\d++)?+)\s?(k\b)?"
# a number with one of these behind it is a size or a count, not an amount of money
_NOT_MONEY = (
    r"(?!\s?(?:%|-?\s?(?:person|people|man|guests|kids|adults|inch|in\b|cm|mm|m\b|ft|feet|yards?|yd|"
    r"miles?|km|lbs?|pounds? (?:of|in|heavy)|kg|g\b|grams?|oz|fl\b|ounces?|cups?|pints?|quarts?|qt|"
    r"gal|ml|litre|liter|l\b|minutes?|mins?\b|days?|weeks?|months?|years?|hours?|hrs?\b|seconds?|"
    r"stars?|mah|gb|tb|w\b|watts?|v\b|volts?|lumens|db|hz|psi|mph|pieces?|pcs|pages|degrees|°)|"
    r"[寸米厘克斤天年月号个件人岁星]|公斤|小时))"
)
_SPENDING = r"(?: (?:want|going|like|wish|able|willing|to|spend|pay|go|be|costs?|costing|priced|anything|it))*"
_MAX_EN = (
    r"(?:under|below|less than|cheaper than|up to|at most|(?:at or |stay (?:at or )?)under|within|"
    r"max(?:imum)?(?: of)?|budget(?: is| of)?|spend(?: up to)?|for less than|<=?|"
    rf"\b(?:not?|nothing|never|cannot|\w+n['’]t){_SPENDING} (?:over|above|beyond|more than))"
)
_MIN_EN = r"(?:over|above|more than|at least|from|starting at|min(?:imum)?(?: of)?|>=?)"
PRICE_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("between", re.compile(rf"between\s+{_AMOUNT}\s*(?:and|to|-|–)\s*{_AMOUNT}{_NOT_MONEY}", re.I)),
    ("between", re.compile(rf"{_AMOUNT}\s*(?:元|块)?\s*(?:-|–|~|到|至)\s*{_AMOUNT}\s?(?:元|块|之间)", re.I)),
    ("between", re.compile(rf"[$€£¥￥]\s?(\d[\d,]*+(?:\.\d++)?+)()\s*(?:-|–|to)\s*{_AMOUNT}", re.I)),
    ("between", re.compile(rf"\bfrom\s+{_AMOUNT}\s*(?:-|–|to)\s*{_AMOUNT}{_NOT_MONEY}", re.I)),
    ("between", re.compile(rf"{_AMOUNT}\s*(?:-|–|to)\s*{_AMOUNT}\s?(?:dollars|bucks|usd|euros?|pounds)", re.I)),
    ("around", re.compile(rf"(?:around|about|roughly|approximately|circa|~|ish)\s+{_AMOUNT}{_NOT_MONEY}", re.I)),
    ("around", re.compile(rf"{_AMOUNT}\s?(?:元|块)?(?:钱)?左右(?!不要超)", re.I)),
    ("max", re.compile(rf"(?<!not ){_MAX_EN}[\s:]*(?:a\s+)?{_AMOUNT}{_NOT_MONEY}", re.I)),
    ("max", re.compile(rf"{_AMOUNT}\s?(?:dollars|bucks|usd)?\s?(?:max\b|or less|tops|at most|or under|or below|maximum|budget\b|to spend)", re.I)),
    ("max", re.compile(rf"{_AMOUNT}\s?(?:元|块)?(?:钱)?(?:左右)?(?:以内|以下|之内|封顶|不要超|不超)", re.I)),
    ("max", re.compile(rf"(?:不超过|不要超过|低于|少于|预算(?:是|在|只有)?|最多)\s?{_AMOUNT}", re.I)),
    ("min", re.compile(rf"{_MIN_EN}\s+{_AMOUNT}{_NOT_MONEY}", re.I)),
    ("min", re.compile(rf"{_AMOUNT}\s?(?:元|块)?(?:钱)?(?:以上|起)", re.I)),
    ("min", re.compile(rf"(?:高于|超过|不低于|至少)\s?{_AMOUNT}{_NOT_MONEY}", re.I)),
    ("around", re.compile(r"for\s+[$€£]\s?(\d[\d,]*(?:\.\d+)?)()", re.I)),
)  # fmt: skip
AROUND = (Decimal("0.6"), Decimal("1.2"))  # "around 100" takes 60 to 120

_NEGATED = re.compile(r"no\b|nothing|never|cannot|\w+n['’]t", re.IGNORECASE)
_CURRENCY = re.compile(
    r"^\s*(?:dollars?|bucks|usd|euros?|pounds?|元|块钱?)?(?:\s*(?:max(?:imum)?|tops))?(?!\w)",
    re.IGNORECASE,
)

_RATING = re.compile(
    r"(?:(?:at least|min(?:imum)?|above|over|rated)\s+)?(?<![\d.])([0-5](?:\.\d)?)\+?\s*(?:stars?|星)(?:\s*(?:and up|or (?:more|better|above)|以上))?",
    re.IGNORECASE,
)
_IN_STOCK = re.compile(
    r"\b(?:actually |currently )?(?:have )?in stock\b|\bavailable (?:right )?now\b|有现货|现货|有货的",
    re.I,
)
_NEGATION = re.compile(
    r"(?:\bnothing (?:by|from)|\bexcept(?: for)?|\bwithout\b|\bno\b|\bbut not\b|\bnot\b|\bother than|\banything but|不要|不含|别要|除了|非|不是)"
    r"\s*(?:the |any |in |from |by |a )?([^,.;!?，。；！？、]{1,40})",
    re.IGNORECASE,
)
_STOP_AFTER = re.compile(
    r"\b(?:tho|though|please|pls|had|because|since|but|and|i'?m|im|for|ones?|stuff|things?)\b.*$|(?:的|吧|哦|啊|就行).*$",
    re.I,
)
_IDLE_NEGATION = re.compile(
    r"^(?:more than|over|above|sure|too|so|very|really|that|much|know|problem|idea|less|later|have|what|heavy|expensive|matter|one|only|just|超过|太|多|想|知道)",
    re.I,
)
SORT_WORDS = re.compile(
    r"\b(?:the )?(?:cheapest|lowest price|most expensive|priciest|(?:best|highest|top)[- ]rated|best reviews?)\b"
    r"|最便宜的?|最贵的?|评分最高的?|评价最好的?",
    re.IGNORECASE,
)
_SORT = (
    ("price_asc", re.compile(r"\bcheapest\b|\blowest price\b|最便宜", re.I)),
    ("price_desc", re.compile(r"\bmost expensive\b|\bpriciest\b|最贵", re.I)),
    ("rating_desc", re.compile(r"\b(?:best|highest|top)[- ]rated\b|\bbest reviews?\b|评分最高|评价最好", re.I)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a product must satisfy; `words` names the condition each word group gave."""

    price_min: Decimal | None = None
    price_max: Decimal | None = None
    rating_min: float | None = None
    in_stock: bool | None = None
    brands: tuple[str, ...] = ()
    exclude_brands: tuple[str, ...] = ()
    words_none: tuple[str, ...] = ()
    sort: str = ""
    words: tuple[tuple[str, str], ...] = ()

    def updated(self, newer: Constraints) -> Constraints:
        """Returns these conditions revised by newer ones: what is said later wins, exclusions add up."""
        priced = newer.price_min is not None or newer.price_max is not None
        return Constraints(
            price_min=newer.price_min if priced else self.price_min,
            price_max=newer.price_max if priced else self.price_max,
            rating_min=newer.rating_min if newer.rating_min is not None else self.rating_min,
            in_stock=newer.in_stock if newer.in_stock is not None else self.in_stock,
            brands=newer.brands or tuple(b for b in self.brands if b not in newer.exclude_brands),
            exclude_brands=tuple(dict.fromkeys(self.exclude_brands + newer.exclude_brands)),
            words_none=tuple(dict.fromkeys(self.words_none + newer.words_none)),
            sort=newer.sort or self.sort,
            words=self.words + newer.words,
        )

    @property
    def empty(self) -> bool:
        return replace(self, words=()) == Constraints()

    def as_dict(self) -> dict[str, Any]:
        return {
            "price_min": None if self.price_min is None else str(self.price_min),
            "price_max": None if self.price_max is None else str(self.price_max),
            "rating_min": self.rating_min,
            "in_stock": self.in_stock,
            "brands": list(self.brands),
            "exclude_brands": list(self.exclude_brands),
            "words_none": list(self.words_none),
            "sort": self.sort,
            "words": [list(pair) for pair in self.words],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Constraints:
        def money(key: str) -> Decimal | None:
            return None if data.get(key) is None else Decimal(data[key])

        return cls(
            price_min=money("price_min"),
            price_max=money("price_max"),
            rating_min=data.get("rating_min"),
            in_stock=data.get("in_stock"),
            brands=tuple(data.get("brands", ())),
            exclude_brands=tuple(data.get("exclude_brands", ())),
            words_none=tuple(data.get("words_none", ())),
            sort=data.get("sort", ""),
            words=tuple((a, b) for a, b in data.get("words", ())),
        )


@dataclass(frozen=True, slots=True)
class Parsed:
    """Conditions found, and the text without the words that gave them."""

    constraints: Constraints
    rest: str
    relative: tuple[str, ...] = field(default=())


_RELATIVE = (
    ("cheaper", re.compile(r"\bcheaper\b|\bless expensive\b|\blower price\b|便宜(?:一)?点|更便宜|再便宜|太贵", re.I)),
    ("dearer", re.compile(r"\bmore expensive\b|\bpricier\b|\bhigher[- ]end\b|再?贵(?:一)?点|更贵", re.I)),
)  # fmt: skip


def parse_constraints(text: str, *, brands: dict[str, str]) -> Parsed:
    """Reads conditions out of `text`. `brands` maps a casefolded brand to its spelling in the catalogue."""
    rest = digits(text)
    words: list[tuple[str, str]] = []
    low, high, rest = _prices(text, rest, words)
    relative = tuple(name for name, pattern in _RELATIVE if pattern.search(rest))
    rating = None
    if match := _RATING.search(rest):
        rating = float(match.group(1))
        words.append(("rating", match.group().strip()))
        rest = f"{rest[: match.start()]} {rest[match.end() :]}"
    in_stock = None
    asked_stock = _IN_STOCK.search(rest)
    if asked_stock and re.search(r"\bonly\b|\bjust what\b|有现货的|现货的|只要", rest, re.I):
        in_stock = True
        words.append(("stock", asked_stock.group()))
        rest = _IN_STOCK.sub(" ", rest)
    sort = next((name for name, pattern in _SORT if pattern.search(rest)), "")
    excluded_brands, excluded_words = [], []
    for match in list(_NEGATION.finditer(rest)):
        phrase = _STOP_AFTER.sub("", match.group(1)).strip(" 的")
        if not phrase or _IDLE_NEGATION.match(match.group(1)):
            continue
        if brand := find_brand(phrase, brands):
            excluded_brands.append(brand)
        elif len(phrase.split()) <= 3 and len(phrase) >= 2:
            excluded_words.append(phrase.casefold())
        else:
            continue
        words.append(("not", phrase))
        rest = rest.replace(match.group(0)[: match.group(0).find(phrase) + len(phrase)], " ")
    wanted = [b for b in brands_in(rest, brands) if b not in excluded_brands]
    words += [("brand", brand) for brand in wanted]
    found = Constraints(
        price_min=low,
        price_max=high,
        rating_min=rating,
        in_stock=in_stock,
        brands=tuple(wanted),
        exclude_brands=tuple(excluded_brands),
        words_none=tuple(excluded_words),
        sort=sort,
        words=tuple(words),
    )
    return Parsed(found, " ".join(rest.split()), relative)


def _prices(
    text: str, rest: str, words: list[tuple[str, str]]
) -> tuple[Decimal | None, Decimal | None, str]:
    """Returns the lowest and the highest price asked for, and the text without these conditions."""
    low: Decimal | None = None
    high: Decimal | None = None
    for kind, pattern in PRICE_RULES:
        taken = (kind != "min" and high is not None) or (kind != "max" and low is not None)
        match = None if taken else pattern.search(rest)
        if not match:
            continue
        first = _amount(match.group(1), match.group(2))
        if kind == "between":
            low, high = sorted((first, _amount(match.group(3), match.group(4))))
        elif kind == "around":
            low, high = first * AROUND[0], first * AROUND[1]
        elif kind == "max":
            high = first
        else:
            low = first
        # kept as said, so that it can be repeated after a noun; a figure that was written in words
        # cannot, nor can "don't want to spend more than"
        said = match.group().strip()
        told = said in text and not _NEGATED.match(said)
        words.append(("price", said if told else ""))
        rest = f"{rest[: match.start()]} {_CURRENCY.sub('', rest[match.end() :], count=1)}"
    return low, high, rest


def _amount(text: str, thousand: str | None) -> Decimal:
    value = Decimal(text.replace(",", ""))
    return value * 1000 if thousand else value


def brands_in(text: str, brands: dict[str, str]) -> list[str]:
    """Lists the catalogue's brands that `text` names, spelled as the catalogue does."""
    low = text.casefold()
    found = [
        spelled
        for key, spelled in brands.items()
        if (key in low if _wide(key) else re.search(rf"(?<!\w){re.escape(key)}(?!\w)", low))
    ]
    if found:
        return found
    for match in re.finditer(r"\b(?:from|by|of|brand)\s+([a-z]{4,})\b", low):
        near = process.extractOne(match.group(1), list(brands), scorer=fuzz.ratio, score_cutoff=80)
        if near:
            return [brands[near[0]]]
    return []


def find_brand(phrase: str, brands: dict[str, str]) -> str | None:
    """Returns the brand that a short phrase is, allowing one typo."""
    low = phrase.casefold().strip()
    if low in brands:
        return brands[low]
    near = process.extractOne(low, list(brands), scorer=fuzz.ratio, score_cutoff=85)
    return brands[near[0]] if near and len(low) >= 4 else None


def _wide(text: str) -> bool:
    return any("\u2e80" <= char <= "\u9fff" for char in text)
