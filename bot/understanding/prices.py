"""What a shopper wants to pay, read from words: bounds, and sums for several pieces.

Knows nothing about products; how prices are said is data (`prompts/prices.toml`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

import cn2an

from bot.understanding.numbers import digits
from prompts.prices import PriceRule, price_talk

AROUND = (Decimal("0.6"), Decimal("1.2"))  # "around 100" takes 60 to 120


@dataclass(frozen=True, slots=True)
class Price:
    """One price that was said: its bounds, where it stood (in the text given) and its words.

    `total`: the limit is for all pieces together.
    """

    low: Decimal | None
    high: Decimal | None
    start: int
    end: int
    said: str
    total: bool = False


def read_prices(text: str) -> list[Price]:
    """Lists the prices that `text` asks for, in its order. Figures in words must be digits already."""
    rest, found = text, []
    for rule in price_talk().rules:
        for match in list(rule.pattern.finditer(rest)):
            price = _price(rule, match, text)
            if price is None or rest[price.start : price.end] != text[price.start : price.end]:
                continue
            found.append(price)
            # read once: blanks of the same length keep the places of all else
            rest = rest[: price.start] + "\0" * (price.end - price.start) + rest[price.end :]
    return sorted(found, key=lambda price: price.start)


def _price(rule: PriceRule, match: re.Match[str], text: str) -> Price | None:
    talk = price_talk()
    groups = match.groupdict()
    marked = any(groups.get(f"{g}{n}") for g in "sc" for n in "12")
    if rule.marked and not marked or text[match.end() : match.end() + 2].lstrip()[:1] == "%":
        return None
    if not marked and _counts_else(match, text):
        return None
    told = marked or rule.money or talk.priced.search(match.group()) is not None
    if not told and not rule.loose and not talk.plain_end.match(text, match.end()):
        return None
    if talk.terms.search(text, _clause_start(text, match.start()), match.end()):
        return None
    amounts = [_amount(groups[f"a{n}"], groups[f"k{n}"]) for n in "12" if groups.get(f"a{n}")]
    low: Decimal | None = None
    high: Decimal | None = None
    if rule.kind == "between":
        if groups["k2"] and not groups["k1"] and amounts[0] < amounts[1] / 100:
            amounts[0] *= talk.scale[groups["k2"].casefold()]  # "1 to 2k" begins at a thousand
        low, high = sorted(amounts)
    elif rule.kind == "around":
        low, high = amounts[0] * AROUND[0], amounts[0] * AROUND[1]
    elif rule.kind == "max":
        high = amounts[0]
    else:
        low = amounts[0]
    near = text[max(0, match.start() - 24) : match.end() + 24]
    together = rule.kind == "max" and talk.together.search(near) is not None
    return Price(low, high, match.start(), match.end(), match.group().strip(), together)


def _counts_else(match: re.Match[str], text: str) -> bool:
    """Whether a figure without a currency is a size, an age or a year: "from 2011" is no price."""
    talk = price_talk()
    if talk.no_money.match(text, match.end()):
        return True
    before = text[max(0, match.start() - 24) : match.start("a1")]
    year = re.search(
        r"\b(?:from|after|before|over)\s+(?:19|20)\d\d\b", match.group(), re.IGNORECASE
    )
    return talk.no_money_before.search(before) is not None or (
        year is not None and not talk.priced.search(match.group())
    )


def _clause_start(text: str, at: int) -> int:
    return max((m.end() for m in re.finditer(r"[,.;:!?]\s|[\n，。；！？]", text[:at])), default=0)


def _amount(text: str, scale: str | None) -> Decimal:
    value = Decimal(text.replace(",", ""))
    return value * price_talk().scale[scale.casefold()] if scale else value


def currencies_said(text: str) -> frozenset[str]:
    """The ISO codes that the words of a price may mean; none where no currency is said."""
    low = text.casefold()
    talk = price_talk()
    own = {code for code, pattern in talk.currencies if pattern.search(low)}
    if own:
        return frozenset(own)
    return frozenset(
        code for pattern, codes in talk.shared if pattern.search(low) for code in codes
    )


def merged(prices: list[Price]) -> Price | None:
    """The one price of a request: the first, with the other bound where the next gives just that."""
    if not prices:
        return None
    first = prices[0]
    for other in prices[1:]:
        if first.high is None and other.low is None and other.high >= first.low:  # type: ignore[operator]
            return Price(first.low, other.high, first.start, other.end, first.said, other.total)
        if first.low is None and other.high is None and other.low <= first.high:  # type: ignore[operator]
            return Price(other.low, first.high, first.start, other.end, first.said, first.total)
    return first


def quantity_of(text: str) -> tuple[int, str] | None:
    """How many pieces are wanted and the words that say so, None where nothing does."""
    match = price_talk().quantity.search(digits(text))
    if match is None:
        return None
    figure = match["q"] or match["p"]
    return int(cn2an.cn2an(figure.replace("两", "二"), "smart")), figure
