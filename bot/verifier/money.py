"""Amounts of money by the part they play: a price, a difference, a total.

Knows nothing about other figures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from bot.verifier.factbook import Entry, operation
from bot.verifier.mentions import Binding, Mention
from bot.verifier.quantities import Quantity
from bot.verifier.reading import Reading


class Spanned(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


LESS = re.compile(
    r"\b(?:less(?! than (?:[$€£¥]|\d))|cheaper|cheapest|lower|lowest|least expensive|less expensive|saves?|saving|save)\b"
    r"|(?:priced|listed|price is|costs?|\d) (?:well |far |just )?below\b"
    r"|便宜|低于|低(?!调)|少花|更省|省下|节省|少付"
)
MORE = re.compile(
    r"(?<!or )(?<!no )\b(?:more(?= than| for| if| with|[.,;!]|$| expensive)|more expensive|most expensive|dearer|dearest|pricier|priciest|higher|highest|costlier)\b"
    r"|(?:priced|listed|price is|costs?|\d) (?:well |far |just )?above\b"
    r"|更贵|最贵|贵|高于|高(?=\s?[\d¥$])|多花"
)
DIFFERENCE = re.compile(
    r"\bdifference\b|\bapart\b|\bgap\b|\bdiffer\b|差价|相差|差额|差(?=\s?[\d¥$])"
)
TOTAL = re.compile(
    r"\btotal(?:s|ling|ing)?\b|\btogether\b|\bin all\b|\baltogether\b|\badds? up\b|\bcombined\b|\bfor (?:both|all)\b|\bsum\b"
    r"|合计|一共|总共|共计|总价|总额|共(?=\s?[\d¥$])|加起来"
)
EACH = re.compile(
    r"\b(?:each|apiece|per (?:piece|item|unit)|a piece|unit price|single)\b|单价|每[件个只条套张]"
)
_AMOUNT_NEXT = 42
_PRICE_GAP = re.compile(
    r"(?:[\s,:(\-—]|\b(?:is|are|at|for|costs?|price[ds]?|listed|selling|sells|goes|comes|to|it|its|the|just|now|currently|a|of|as"
    r"|would|be|that|which|with|from|retails|has|and|shown|marked|stands|runs|starts?|around|about|you|pay|can|have|get|yours)\b"
    r"|售价|价格|标价|卖|现价|定价|价钱|单价|每件|是|为|的|要|目前|现在|只|仅|需|这款|写|标|页面|商品页|店里|在|方面|资料|卖到)*"
)


def priced(reading: Reading, quantity: Quantity) -> bool:
    """True when the amount stands where a product's price would: right after its title."""
    assert reading.focus is not None
    if not quantity.money:
        return False
    before = [m for m in reading.focus.within(quantity.start) if m.end <= quantity.start]
    if before and _PRICE_GAP.fullmatch(reading.low[before[-1].end : quantity.start]):
        return True
    sentence, _ = reading.focus.sentence(quantity.start)
    lead = reading.low[sentence : quantity.start]
    return (
        not before
        and re.search(
            r"\b(?:it|this one|they|this|that) (?:\w+ )?(?:costs?|is|comes|goes|sells|retails)\b|\bprice (?:is|of)|(?:它|这款|售价|价格|标价)",
            lead,
        )
        is not None
    )


def judge(
    reading: Reading,
    quantity: Quantity,
    binding: Binding,
    entries: Sequence[Entry],
    claims: Sequence[Entry],
    group: Sequence[Spanned],
) -> bool | None:
    """True or False where the part the amount plays decides, None where any fact will do."""
    low = reading.low
    assert reading.focus is not None
    start, end = _clause(low, quantity, reading.focus.sentence(quantity.start), group)
    clause = reading.bare(start, end)
    each = _beside(EACH, low, quantity.start, _end_of(quantity, group))
    if not each and (LESS.search(clause) or MORE.search(clause) or DIFFERENCE.search(clause)):
        nearby = reading.bare(
            max(start, quantity.start - _AMOUNT_NEXT), quantity.end + _AMOUNT_NEXT
        )
        if _comparative(nearby, reading.bare(quantity.end, end)):
            return any(_is_difference(e) for e in claims) and direction_holds(reading, quantity)
    computed = [e for e in claims if e.fact.source == "derived"]
    plain = [e for e in entries if e.fact.source != "derived"]
    if TOTAL.search(clause) and not each:
        return bool(computed) or any(e.fact.source in {"order", "policy"} for e in plain)
    if each:
        return (
            any(e.subject in binding.subjects or not binding.subjects for e in plain)
            or not binding.subjects
        )
    if _multiplied(quantity, reading) and not re.search(
        r"(?:\bat|@|\bof|,|\()\s?$", low[: quantity.start]
    ):
        return any(operation(e.fact) not in {"difference", "percent"} for e in computed)
    if priced(reading, quantity) and binding.subjects:
        return any(e.subject in binding.subjects for e in plain)
    if plain or not computed:
        return None if entries else False
    return (
        TOTAL.search(low) is not None
        or _multiplied(quantity, reading)
        or all(not operation(e.fact) for e in computed)
    )


def _comparative(nearby: str, after: str) -> bool:
    return bool(
        LESS.search(nearby)
        or MORE.search(nearby)
        or DIFFERENCE.search(nearby)
        or LESS.search(after)
        or MORE.search(after)
    )


def _clause(
    low: str, quantity: Quantity, sentence: tuple[int, int], group: Sequence[Spanned]
) -> tuple[int, int]:
    """The stretch around an amount up to the neighbouring amounts of its sentence."""
    start, end = sentence
    for other in group:
        if getattr(other, "quantity", None) is None or not other.quantity.money:  # type: ignore[attr-defined]
            continue
        if other.end <= quantity.start:
            start = max(start, other.end)
        elif other.start >= quantity.end:
            end = min(end, other.start)
    return start, end


def _end_of(quantity: Quantity, group: Sequence[Spanned]) -> int:
    """Where the amount ends, the upper end of a range included."""
    return max((v.end for v in group if v.start == quantity.start), default=quantity.end)


def _beside(pattern: re.Pattern[str], low: str, start: int, end: int) -> bool:
    return bool(
        re.match(rf"\s?(?:{pattern.pattern})", low[end:])
        or re.search(rf"(?:{pattern.pattern})\s?(?:是|为|:|of|is|:)?\s?$", low[:start])
    )


_TIMES = re.compile(
    r"\d\s?[×x]\s?_|_\s?[×x]\s?\d|\b(?:\d+|two|three|four|five|six|seven|eight|nine|ten|twelve|dozen)"
    r"\s(?:pieces|of|units|copies|items)\b|quantity"
    r"|[\d两三四五六七八九十]\s?[件个只条套张双台瓶盒](?!月|小时|工作|自然|星期|礼拜|人)"
)


def _multiplied(quantity: Quantity, reading: Reading) -> bool:
    """True when the sentence speaks of several pieces."""
    assert reading.focus is not None
    return _TIMES.search(reading.bare(*reading.focus.sentence(quantity.start))) is not None


def _is_difference(entry: Entry) -> bool:
    return (
        entry.fact.source == "derived"
        and operation(entry.fact) in {"difference", ""}
        or entry.fact.source == "policy"
    )


def prices(reading: Reading, subject: str) -> list[Decimal]:
    """The prices of a product in its facts, lowest first."""
    found = [q.value for e in reading.book.field(subject, "price") for q in e.quantities]
    return sorted(found)


def direction_holds(reading: Reading, quantity: Quantity | None = None, at: int = 0) -> bool:
    """Whether the product said to be cheaper (or dearer) is."""
    assert reading.focus is not None
    place = quantity.start if quantity else at
    start, end = reading.focus.sentence(place)
    low = reading.low[start:end]
    mentions = reading.focus.within(place)
    cues = [(m.start() + start, m.end() + start, True) for m in LESS.finditer(low)]
    cues += [(m.start() + start, m.end() + start, False) for m in MORE.finditer(low)]
    cues = [c for c in cues if reading.free(c[0], c[0] + 1)]
    carried = reading.focus.carried(place)
    if not cues:
        return True
    for first, last, less in cues:
        lower_one = _subject_of(reading, first, last, mentions, carried)
        if lower_one is None:
            return False
        others = (
            {m.subject for m in mentions} | set(carried)
            if len({m.subject for m in mentions}) < 2
            else {m.subject for m in mentions}
        )
        others -= {lower_one}
        if not others:
            others = set(reading.book.titles) - {lower_one}
        if not others or not all(
            _is_below(reading, lower_one, o) if less else _is_below(reading, o, lower_one)
            for o in others
        ):
            return False
    return True


def _subject_of(
    reading: Reading, first: int, last: int, mentions: Sequence[Mention], carried: tuple[str, ...]
) -> str | None:
    """Which product the comparative at [first, last) is said of."""
    low = reading.low
    after = [m for m in mentions if m.start >= last]
    before = [m for m in mentions if m.end <= first]
    if after and re.fullmatch(
        r"(?:\s?(?:one|of (?:the two|these|them|both))?\s?(?:here\s)?(?:is|:|would be|—)\s?(?:the\s)?|的?(?:一款|那款)?(?:的?是|:|就是)\s?)",
        low[last : after[0].start],
    ):
        return after[0].subject
    if len(before) >= 2 and re.fullmatch(
        r"\s?(?:,?\s?(?:over|instead of|rather than|versus|and not)|(?:的价格|的售价|的标价)?(?:的话)?,?(?:可以|会|能|要)?比起?|(?:的价格|的售价|的标价)?比(?:选|买)|而不是|较)\s?(?:the\s)?(?:选|买)?",
        low[before[-2].end : before[-1].start],
    ):
        return before[-2].subject
    if before:
        return before[-1].subject
    if carried and (not after or re.match(r"\s*(?:\w+\s){0,3}than", low[last:])):
        return carried[0] if len(carried) == 1 else None
    # "With $50 less you get A" and the like
    return (
        after[0].subject
        if after and not re.search(r"\bthan\b|于", low[last : after[0].start])
        else None
    )


def _is_below(reading: Reading, lower_one: str, other: str) -> bool:
    mine, its = prices(reading, lower_one), prices(reading, other)
    if mine and its:
        return mine[0] < its[0]
    return any(
        e.fact.source == "derived"
        and operation(e.fact) in {"difference", ""}
        and e.subject == lower_one
        for e in reading.book.claims
    )


_PRICE_COMPARATIVE = re.compile(
    r"\b(?:cheaper|cheapest|least expensive|less expensive|more expensive|most expensive|dearer|dearest|pricier|priciest|costlier"
    r"|costs? less|costs? more|priced (?:below|above)|listed (?:below|above)|lower[- ]priced|higher[- ]priced|lower price|higher price)\b"
    r"|更?便宜|最便宜|更贵|最贵|价格[更较]?[低高]|低于|高于"
)


def check_comparatives(reading: Reading) -> None:
    """Names "A is cheaper than B" and the like where the prices do not bear it out."""
    assert reading.focus is not None
    for match in _PRICE_COMPARATIVE.finditer(reading.low):
        start, end = match.span()
        if not reading.free(start, start + 1) or _of_absent(reading, start, end):
            continue
        sentence = reading.low[slice(*reading.focus.sentence(start))]
        if sentence.rstrip().endswith("?"):
            continue
        if len(reading.book.titles) < 2 or not direction_holds(reading, at=start):
            reading.flag(start, end)
        reading.cover(start, end)


def _of_absent(reading: Reading, start: int, end: int) -> bool:
    """Whether the words belong to what the shop does not have: "no cheaper kettle".

    That it is denied, and not affirmed, is for `polarity` and `affirmed` to see to.
    """
    texts = (entry.low for entry in reading.book.absent if entry.low)
    return any(
        found.start() <= start and end <= found.end()
        for text in texts
        for found in re.finditer(re.escape(text), reading.low)
    )
