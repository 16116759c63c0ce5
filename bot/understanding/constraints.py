"""Conditions on products that stand in a shopper's words: price, rating, stock, brand, properties.

Knows the catalogue only through the vocabulary it is given. Every condition keeps the words it
came from, so that a turn can be explained.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any, Protocol

from rapidfuzz import fuzz, process

from bot.understanding.numbers import digits
from bot.understanding.prices import Price, merged, quantity_of, read_prices
from prompts.facets import facet_kinds, services
from prompts.prices import price_talk

# what can be said again after a noun: "tents under $300", not "tents my budget is $300"
_REPEATABLE = re.compile(
    r"(?!.*\b(?:budget|limit)\b)(?:(?:under|below|less than|cheaper than|over|above|more than|between|from|around|about|up to|"
    r"at most|at least|within|for|not more than|no more than|max|costing)\b|[<>$€£¥￥\d])",
    re.IGNORECASE,
)
# "how long does it take" wishes for nothing long
_HOW_MUCH_OF = re.compile(
    r"\bhow (?:long|short|big|large|small|tall|wide|heavy|light|high|deep|thick|warm|soft)\b",
    re.IGNORECASE,
)
SAID_OTHERWISE = "price, in other words"

_RATING = re.compile(
    r"(?:(?:at least|min(?:imum)?|above|over|rated)\s+)?(?<![\d.])([0-5](?:\.\d)?)\+?\s*(?:stars?|星)(?:\s*(?:and up|or (?:more|better|above)|以上))?",
    re.IGNORECASE,
)
_IN_STOCK = re.compile(
    r"\b(?:actually |currently )?(?:have )?in stock\b|\bavailable (?:right )?now\b|有现货|现货|有货的",
    re.I,
)
_NEGATION = re.compile(
    r"(?:\bnothing (?:by|from|made (?:of|from)|in|with)\b|\bnothing\b|\bexcept(?: for)?\b|\bwithout\b|"
    r"\b(?:don['’]?t|do not) (?:want|like|need)\b|\b(?:hate|avoid)\b|"
    r"\ballergic to\b|\balready (?:ha(?:s|ve)|got|owns?)\b|\b(?:no[, ]+)?not\b|\bno\b|\bbut not\b|\bother than\b|\banything but\b|不要|不想要|不喜欢|讨厌|不含|别要|除了|非|不是)"
    r"\s*(?:the |any |anything |in |from |by |for (?!now\b|m[ey]\b|it\b|th|h[ei][rm]?\b|us\b|real\b|sure\b)|made of |a )*([^,.;!?，。；！？、]{1,40})",
    re.IGNORECASE,
)
_STOP_AFTER = re.compile(
    r"\b(?:tho|though|please|pls|had|because|since|but|and|i'?m|im|for|ones?|stuff|things?)\b.*$|(?:的|吧|哦|啊|就行).*$",
    re.I,
)
_IDLE_NEGATION = re.compile(
    r"^(?:more than|over|above|under|below|sure|too|so|very|really|that|much|know|problem|idea|less|later|have|what|heavy|expensive|matter|one|only|just|else|special|fancy|to|it|longer|i|you|yet|超过|太|多|想|知道|这|那)",
    re.I,
)
SORT_WORDS = re.compile(
    r"\b(?:not|nothing) (?:too|so|that|very) (?:pricey|expensive|dear|costly)\b|\b(?:the )?(?:cheapest|lowest price|most expensive|priciest|(?:best|highest|top)[- ]rated|best reviews?)\b"
    r"|最便宜的?|最贵的?|评分最高的?|评价最好的?",
    re.IGNORECASE,
)
_SORT = (
    ("price_asc", re.compile(r"\bcheapest\b|\blowest price\b|最便宜", re.I)),
    ("price_desc", re.compile(r"\bmost expensive\b|\bpriciest\b|最贵", re.I)),
    ("rating_desc", re.compile(r"\b(?:best|highest|top)[- ]rated\b|\bbest reviews?\b|评分最高|评价最好", re.I)),
    ("cheap", re.compile(r"\b(?:not|nothing) (?:too|so|that|very) (?:pricey|expensive|dear|costly)\b|\b(?:cheap|inexpensive|affordable|low[- ]cost|budget[- ]friendly)\b|便宜的|平价|实惠", re.I)),
)  # fmt: skip
_CHEAP = _SORT[-1][1]


@dataclass(frozen=True, slots=True)
class Facet:
    """A property that is wished: `kind` is general (colour) or a label of this shop's, `said` the
    words it came from. `strict`: nothing else will do; the others only put a product first."""

    kind: str
    value: str
    said: str
    strict: bool = True


class Vocabulary(Protocol):
    """The properties that a catalogue's goods have, as `bot.facets.Facets` reads them."""

    def read(self, text: str) -> tuple[Facet, ...]: ...


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a product must satisfy; `words` names the condition each word group gave.

    `total`, where it is set, is what `quantity` pieces may cost together; `price_max` is then the
    share of one. `categories` come from a choice that was offered. `services` are wished of the sale
    (free shipping); no feed states them of a product, so they are noted and filter nothing.
    """

    price_min: Decimal | None = None
    price_max: Decimal | None = None
    total: Decimal | None = None
    quantity: int | None = None
    rating_min: float | None = None
    in_stock: bool | None = None
    brands: tuple[str, ...] = ()
    exclude_brands: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    facets: tuple[Facet, ...] = ()
    services: tuple[str, ...] = ()
    words_none: tuple[str, ...] = ()
    sort: str = ""
    words: tuple[tuple[str, str], ...] = ()

    def updated(self, newer: Constraints) -> Constraints:
        """Returns these conditions revised by newer ones: what is said later wins, exclusions add up."""
        priced = newer.price_min is not None or newer.price_max is not None
        unwanted = tuple(dict.fromkeys(self.words_none + newer.words_none))
        named = {facet.value for facet in newer.facets}
        kinds = {facet.kind for facet in newer.facets}
        kept = tuple(
            f for f in self.facets if f.kind not in kinds and f.value not in newer.words_none
        )
        price = newer if priced else self
        replaced = {"price", SAID_OTHERWISE} if priced else set()
        replaced |= kinds
        if newer.brands:
            replaced.add("brand")
        return Constraints(
            price_min=price.price_min,
            price_max=price.price_max,
            total=price.total,
            quantity=newer.quantity or self.quantity,
            rating_min=newer.rating_min if newer.rating_min is not None else self.rating_min,
            in_stock=newer.in_stock if newer.in_stock is not None else self.in_stock,
            brands=newer.brands or tuple(b for b in self.brands if b not in newer.exclude_brands),
            exclude_brands=tuple(
                b
                for b in dict.fromkeys(self.exclude_brands + newer.exclude_brands)
                if b not in newer.brands
            ),
            categories=newer.categories or self.categories,
            facets=kept + newer.facets,
            services=tuple(dict.fromkeys(self.services + newer.services)),
            words_none=tuple(word for word in unwanted if word not in named),
            sort=newer.sort or self.sort,
            words=tuple(w for w in self.words if w[0] not in replaced) + newer.words,
        )

    @property
    def empty(self) -> bool:
        """Whether nothing is asked of a product; quantity and services are not."""
        return replace(self, words=(), quantity=None, services=()) == Constraints()

    @property
    def only_facets(self) -> bool:
        """Whether properties are all that is asked."""
        return replace(self, facets=()).empty

    def as_dict(self) -> dict[str, Any]:
        return {
            "price_min": None if self.price_min is None else str(self.price_min),
            "price_max": None if self.price_max is None else str(self.price_max),
            "total": None if self.total is None else str(self.total),
            "quantity": self.quantity,
            "rating_min": self.rating_min,
            "in_stock": self.in_stock,
            "brands": list(self.brands),
            "exclude_brands": list(self.exclude_brands),
            "categories": list(self.categories),
            "facets": [asdict(facet) for facet in self.facets],
            "services": list(self.services),
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
            total=money("total"),
            quantity=data.get("quantity"),
            rating_min=data.get("rating_min"),
            in_stock=data.get("in_stock"),
            brands=tuple(data.get("brands", ())),
            exclude_brands=tuple(data.get("exclude_brands", ())),
            categories=tuple(data.get("categories", ())),
            facets=tuple(Facet(**facet) for facet in data.get("facets", ())),
            services=tuple(data.get("services", ())),
            words_none=tuple(data.get("words_none", ())),
            sort=data.get("sort", ""),
            words=tuple((a, b) for a, b in data.get("words", ())),
        )


@dataclass(frozen=True, slots=True)
class Parsed:
    """Conditions found, and the text without the words that gave them.

    The words of properties stay, for they also tell what to search for. `relative` tells what is
    asked against what was shown: cheaper, dearer, another colour (`another:colour`).
    """

    constraints: Constraints
    rest: str
    relative: tuple[str, ...] = field(default=())


_RELATIVE = (
    ("cheaper", re.compile(r"\bcheaper\b|\bless expensive\b|\blower price\b|(?<!not )(?<!nothing )\btoo (?:expensive|pricey|dear)\b|便宜(?:一)?[点些](?!的?价)|更便宜|再便宜|(?:太|好|这么|有点儿?|挺|真|蛮)贵(?!一?[点些])", re.I)),
    ("dearer", re.compile(r"\bmore expensive\b|\bpricier\b|\bhigher[- ]end\b|\bfancier\b|再?贵(?:一)?[点些]|更贵|高档(?:一)?[点些]", re.I)),
)  # fmt: skip


def parse_constraints(
    text: str, *, brands: Mapping[str, str], facets: Vocabulary | None = None
) -> Parsed:
    """Reads conditions out of `text`. `brands` maps a casefolded brand to its spelling in the
    catalogue, `facets` reads the properties that its goods have."""
    rest = digits(text)
    words: list[tuple[str, str]] = []
    counted = quantity_of(rest)
    price, rest = _priced(text, rest, words)
    relative = tuple(name for name, pattern in _RELATIVE if pattern.search(rest))
    for kind in facet_kinds().values():
        if kind.another and (match := kind.another.search(rest)):
            relative += (f"another:{kind.name}",)
            rest = f"{rest[: match.start()]} {rest[match.end() :]}"
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
    wanted_services = []
    for name, pattern in services().items():
        if match := pattern.search(rest):
            wanted_services.append(name)
            words.append((name.replace("_", " "), match.group()))
    sort = next((name for name, pattern in _SORT if pattern.search(rest)), "")
    if sort == "cheap":
        words.append(("sort", _CHEAP.search(rest).group()))  # type: ignore[union-attr]
    excluded_brands, excluded_words, rest = _excluded(rest, brands, words)
    wanted = [b for b in brands_in(rest, brands) if b not in excluded_brands]
    words += [("brand", brand) for brand in wanted]
    named = {word for brand in wanted for word in brand.casefold().split()}
    found_facets = tuple(
        facet
        for facet in (facets.read(_HOW_MUCH_OF.sub(" ", rest)) if facets is not None else ())
        if facet.value not in named
    )
    words += [(facet.kind, facet.said) for facet in found_facets]
    quantity = counted[0] if counted else None
    if quantity is not None and price is not None and price.total:
        words.append(("quantity", str(quantity)))
    total = price.high if price is not None and price.total else None
    found = Constraints(
        price_min=price.low if price else None,
        price_max=_share(price, quantity),
        total=total,
        quantity=quantity,
        rating_min=rating,
        in_stock=in_stock,
        brands=tuple(wanted),
        exclude_brands=tuple(excluded_brands),
        facets=found_facets,
        services=tuple(wanted_services),
        words_none=tuple(excluded_words),
        sort=sort,
        words=tuple(words),
    )
    return Parsed(found, " ".join(rest.split()), relative)


def _share(price: Price | None, quantity: int | None) -> Decimal | None:
    """The most that one piece may cost."""
    if price is None or price.high is None:
        return None
    if not price.total or not quantity:
        return price.high
    return (price.high / quantity).quantize(Decimal("0.01"), rounding="ROUND_DOWN")


def _priced(text: str, rest: str, words: list[tuple[str, str]]) -> tuple[Price | None, str]:
    """Returns the price asked for, and the text without all prices."""
    prices = read_prices(rest)
    for one in reversed(prices):
        rest = f"{rest[: one.start]} {rest[one.end :]}"
    price = merged(prices)
    if price is not None and price.total:
        rest = price_talk().together.sub(" ", rest)
        rest = re.sub(r"\bfor\s*$|\bfor\s+(?=[,.;!?])", " ", rest.strip())
    if price is not None:
        # kept as said; whether it can be repeated after a noun is told by its name: a figure that
        # was written in words cannot, nor can "don't want to spend more than"
        told = price.said in text and _REPEATABLE.match(price.said)
        words.append(("price" if told else SAID_OTHERWISE, price.said))
    return price, rest


def _excluded(
    rest: str, brands: Mapping[str, str], words: list[tuple[str, str]]
) -> tuple[list[str], list[str], str]:
    """Returns the brands and the words that are not wanted, and the text without them."""
    excluded_brands: list[str] = []
    excluded_words: list[str] = []
    for match in list(_NEGATION.finditer(rest)):
        phrase = _STOP_AFTER.sub("", match.group(1)).strip(" 的")
        if not phrase or _IDLE_NEGATION.match(match.group(1)):
            continue
        alternatives = re.split(r"\s+(?:or|nor)\s+|或者?|和", phrase)
        if brand := find_brand(phrase, brands):
            excluded_brands.append(brand)
        elif all(len(part.split()) <= 3 and len(part) >= 2 for part in alternatives):
            excluded_words += [part.casefold() for part in alternatives]
        else:
            continue
        words.append(("not", phrase))
        rest = rest.replace(match.group(0)[: match.group(0).find(phrase) + len(phrase)], " ")
    return excluded_brands, excluded_words, rest


def brands_in(text: str, brands: Mapping[str, str]) -> list[str]:
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


def find_brand(phrase: str, brands: Mapping[str, str]) -> str | None:
    """Returns the brand that a short phrase is, allowing one typo."""
    low = phrase.casefold().strip()
    if low in brands:
        return brands[low]
    near = process.extractOne(low, list(brands), scorer=fuzz.ratio, score_cutoff=85)
    return brands[near[0]] if near and len(low) >= 4 else None


def _wide(text: str) -> bool:
    return any("\u2e80" <= char <= "\u9fff" for char in text)
