"""Things that hold only letter for letter: quotes, links, addresses, telephone and order numbers.

Knows nothing about what they mean.
"""

from __future__ import annotations

import re

from bot.verifier.factbook import Entry, bounded
from bot.verifier.reading import Reading
from bot.verifier.surface import flat

_PAIRS = {"“": "”", "「": "」", "『": "』", "《": "》", "„": "“"}
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"”」）)]+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|cn|shop|store|io|co|example|de|uk|eu|info|biz|app|dev)\b(?:/[^\s<>\"”」）)]*)?"
)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(
    r"(?<![\w.,$€£¥])(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,5}\)[ .-]?|\d{2,5}[ .-])\d{2,5}"
    r"(?:[ -]\d{2,5})*(?![\w.,]?\d|\w)"
    r"|\+\d{7,15}(?!\d)"
)
_CODE = re.compile(
    r"#\w[\w-]*"
    r"|(?<![a-z0-9])(?=[a-z0-9-]*[a-z])(?=[a-z0-9-]*\d)[a-z0-9]+(?:-[a-z0-9]+)*(?![a-z0-9])"
    r"|(?<![\d.,$€£¥])\d{6,}(?![\d.,])"
    r"|(?:(?<=order )|(?<=order #)|(?<=订单)|(?<=订单号))\d{3,}(?!\d|[.,]\d)"
)
_MEASURE = re.compile(
    r"\d+(?:-?(?:[a-z]{2,}|[a-z]))(?:-[a-z]+)*|\d+(?:st|nd|rd|th)|\d+x\d+(?:x\d+)*[a-z]{0,3}"
    r"|\d+-(?:in|to|by)-\d+"
)
_NOT_BEFORE = re.compile(r"(?: (?:not|no|never|cannot|without|non|\w+n't)| [不没未无非勿别])\s$")
_CUES = (
    (re.compile(r"track|运单|快递单|物流单|(?<!订)单号:?\s?$"), "tracking"),
    (re.compile(r"request|reference|申请|编号"), "request"),
    (re.compile(r"order|订单"), "order"),
)


def quotes(low: str) -> list[tuple[int, int, int, int]]:
    """Lists (start, end, inner start, inner end) of quoted stretches, outermost only."""
    found, at = [], 0
    while at < len(low):
        mark = low[at]
        if mark in _PAIRS:
            end = _closing(low, at, mark, _PAIRS[mark])
        elif mark == '"' and not low[at - 1 : at].isdigit():
            end = _straight(low, at)
        else:
            at += 1
            continue
        if end < 0:
            at += 1
            continue
        found.append((at, end + 1, at + 1, end))
        at = end + 1
    return found


def _closing(low: str, at: int, opening: str, closing: str) -> int:
    depth = 0
    for i in range(at, len(low)):
        if low[i] == opening:
            depth += 1
        elif low[i] == closing:
            depth -= 1
            if not depth:
                return i
    return low.rfind(closing, at + 1)


def _straight(low: str, at: int) -> int:
    end = low.find('"', at + 1)
    while end >= 0 and low[end - 1].isdigit() and '"' in low[end + 1 :].partition("\n")[0]:
        end = low.find('"', end + 1)
    return end


def check_quotes(reading: Reading) -> None:
    """Masks verified quotes; names the others. A quoted title, and quotation marks within a title,
    are left for the mentions."""
    titles = [span for title in reading.book.titles for span in bounded(reading.low, title)]
    for start, end, first, last in quotes(reading.low):
        inner = reading.low[first:last].strip().strip(".,;。!? ")
        if not inner or inner in reading.book.titles:
            continue
        if any(s <= start and end <= e for s, e in titles):
            continue
        parts = [p for p in re.split(r"\.\.\.|…", inner) if p.strip()]
        sources = [_sources(reading, part) for part in parts]
        if not all(sources):
            reading.flag(start, end)
            continue
        # Which product it is said of is known later: note the subjects that hold it.
        reading.quoted[first:last] = b"\1" * (last - first)
        reading.cover(first, last)
        reading.values.append((first, last))
        reading.asides.append((first, last))


def check_quote_subjects(reading: Reading) -> None:
    """Names quotes from one product's page that stand under another product."""
    assert reading.focus is not None
    for start, end, first, last in quotes(reading.low):
        if not reading.quoted[first : first + 1] or not reading.quoted[first]:
            continue
        inner = reading.low[first:last].strip().strip(".,;。!? ")
        allowed = set(reading.focus.of_word(start).subjects)
        for part in (p for p in re.split(r"\.\.\.|…", inner) if p.strip()):
            subjects = {e.subject for e in _sources(reading, part)}
            if (
                "" not in subjects
                and allowed
                and not subjects & allowed
                or "" not in subjects
                and not allowed
                and len(reading.book.titles) > 1
            ):
                reading.flag(start, end)


def _sources(reading: Reading, inner: str) -> list[Entry]:
    needle = flat(inner)
    if not needle.strip():
        return []
    found = []
    for entry in reading.book.entries:
        at = entry.flat.find(needle)
        # A quote that begins right after "not" says the opposite of its source.
        if at >= 0 and not _NOT_BEFORE.search(entry.flat[: at + 1]):
            found.append(entry)
    return found


def check_codes(reading: Reading) -> None:
    """Masks links, addresses and numbers of things that stand in the facts; names the others."""
    for pattern in (_MAIL, _LINK, _PHONE, _CODE):
        for match in pattern.finditer(reading.low):
            start, end = match.span()
            if pattern is _LINK:
                end = start + len(match.group().rstrip(".,;:!?。"))
            if not reading.free(start, end):
                continue
            code = reading.low[start:end]
            if pattern is _CODE and _MEASURE.fullmatch(code):
                continue
            if pattern is _PHONE and (sum(c.isdigit() for c in code) < 7 or _is_date(code)):
                continue
            entries = _known(reading, code)
            if not entries or not _right_kind(reading, start, entries):
                reading.flag(start, end)
            reading.cover(start, end)
            reading.asides.append((start, end))


def _is_date(code: str) -> bool:
    return (
        re.fullmatch(
            r"(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d", code
        )
        is not None
    )


def _known(reading: Reading, code: str) -> list[Entry]:
    bare = code.lstrip("#")
    found = [e for e in reading.book.entries if any(True for _ in bounded(e.low, code))]
    return found or [e for e in reading.book.entries if any(True for _ in bounded(e.low, bare))]


def _right_kind(reading: Reading, start: int, entries: list[Entry]) -> bool:
    """After "tracking number" only a tracking number may stand, and so on."""
    before = re.split(r"[.,;。\n]", reading.low[max(0, start - 28) : start])[-1]
    cues = [
        (m.end(), kind)
        for pattern, kind in _CUES
        for m in pattern.finditer(before)
        if not any(c.isdigit() for c in before[m.end() :])
    ]
    if not cues:
        return True
    _, cue = max(cues)
    kinds = {_kind(e) for e in entries}
    known = {_kind(e) for e in reading.book.entries}
    return cue in kinds or cue not in known or bool(kinds & {"text", "echo"})


def _kind(entry: Entry) -> str:
    if entry.kind == "echo":
        return "echo"
    if "track" in entry.fact.field or "运单" in entry.label:
        return "tracking"
    if entry.fact.source == "request":
        return "request"
    if entry.fact.source == "order" and entry.fact.field in {"id", "order_id"}:
        return "order"
    return "text"
