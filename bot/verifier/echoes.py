"""The shopper's own words and figures, repeated as such and not said of a product.

Knows nothing about the shop's facts.
"""

from __future__ import annotations

import re
from typing import Protocol

from bot.verifier import money
from bot.verifier.factbook import Entry, bounded, has_cjk
from bot.verifier.polarity import denies
from bot.verifier.quantities import Quantity
from bot.verifier.reading import Reading

_ECHO_CUE = re.compile(
    r"\byou(?:'re|'d|r)?\s(?:\w+\s)?(?:asked|said|mentioned|named|want|wanted|need|are|gave|wrote|budget|limit|request|wish)"
    r"|\byour (?:budget|limit|wish|request|search|criteria|message)|looking for|您(?:说|要|想|提|的预算|的要求|问)|预算"
)


class Echo(Protocol):
    """A value of the text with the facts that hold it."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def entries(self) -> tuple[Entry, ...]: ...
    @property
    def quantity(self) -> Quantity | None: ...


def mask_echoes(reading: Reading) -> None:
    """Accounts for the shopper's wish where it is repeated letter for letter."""
    for entry in (*reading.book.echoes, *reading.book.absent):
        if entry.fact.field == "message" or entry.low.isdigit():
            continue
        if len(entry.low) < 2 and not has_cjk(entry.low):  # 锅 is a word
            continue
        for start, end in bounded(reading.low, entry.low):
            if not reading.free(start, end):
                continue
            if entry.kind != "absent" and _claimed(reading, start):
                continue
            if entry.kind != "absent" or _left_open(reading, start):
                reading.cover(start, end)
                reading.asides.append((start, end))


def _left_open(reading: Reading, at: int) -> bool:
    """What is absent may be named where a sentence denies, leaves open or asks."""
    assert reading.focus is not None
    sentence = reading.low[slice(*reading.focus.sentence(at))]
    return denies(reading.language, sentence) or sentence.rstrip().endswith("?")


def _claimed(reading: Reading, start: int) -> bool:
    """ "A costs under $300" would claim what the shopper wished."""
    return re.search(
        r"\b(?:costs?|is|are|priced|weighs|has|comes in)\s$|(?:售价|价格|标价)[是为:]?$",
        reading.low[:start],
    ) is not None and any(
        m.end <= start for m in (reading.focus.within(start) if reading.focus else [])
    )


def echoed(reading: Reading, value: Echo) -> bool:
    """A figure of the shopper's own, repeated as such and not said of a product."""
    echoes = [e for e in value.entries if e.kind in {"echo", "absent"}]
    if not echoes or (value.quantity and money.priced(reading, value.quantity)):
        return False
    if any(e.fact.field == "quantity" for e in echoes):
        behind = reading.low[value.end : value.end + 12]
        ahead = reading.low[: value.start]
        return (
            (value.quantity is not None and value.quantity.unit == "piece")
            or re.match(r"\s?(?:×|x\s|of\b|units?\b|items\b|copies\b)", behind) is not None
            or re.search(r"(?:\bquantity(?: of|:)?|\bfor)\s$|数量[:为是]?\s?$", ahead) is not None
            or any(value.end <= m.start <= value.end + 2 for m in reading.mentions)
        )
    assert reading.focus is not None
    start, end = reading.focus.sentence(value.start)
    if _ECHO_CUE.search(reading.low[start:end]):
        return True
    before = re.search(r"(\w+)\W*$", reading.low[start : value.start])
    after = re.match(r"\W*(\w+)", reading.low[value.end : end])
    for entry in echoes:
        for at in range(len(entry.low)):
            if not entry.low.startswith(reading.low[value.start : value.end], at):
                continue
            own_before = re.search(r"(\w+)\W*$", entry.low[:at])
            own_after = re.match(r"\W*(\w+)", entry.low[at + value.end - value.start :])
            if before and own_before and before.group(1) == own_before.group(1):
                return True
            if after and own_after and after.group(1) == own_after.group(1):
                return True
    return False
