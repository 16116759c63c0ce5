"""Where a sentence ends, in English and Chinese; knows nothing of documents or ranking."""

from __future__ import annotations

import re

from retrieval.text import CJK

_ABBREVIATIONS = frozenset(
    """e.g i.e cf vs mr mrs ms dr prof st no nos fig approx dept est max min incl excl tel ext
    vol pp jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun""".split()
)
# These end a sentence as well when the next word has a capital ("…until 5 p.m. We answer …").
_MAYBE_LAST = frozenset("etc inc ltd co corp a.m p.m u.s u.k e.u oz lb lbs ft in hr hrs".split())
_CLOSERS = "\"'”’)\\]）】」』*_`"
_END = re.compile(
    rf"[。！？]+[{_CLOSERS}]*"
    rf"|(?P<mark>[.!?…]+)[{_CLOSERS}]*(?=\s+\S|[{CJK}])"
)
_LAST_WORD = re.compile(r"([^\W\d_](?:[\w.]*\w)?)$")
_BULLET = re.compile(r"^\s*(?:[-*+•·▪◦]\s+|\d{1,3}[.)、]\s*(?=\D))")
_CLOSED = re.compile(rf"[.!?。！？:：;；…][{_CLOSERS}]*\s*$")
_LONG_ITEM = 280


def _ends_here(text: str, end: re.Match[str]) -> bool:
    mark = end.group("mark")
    if mark is None or set(mark) != {"."}:
        return True
    following = text[end.end() :].lstrip().lstrip("\"'“‘(*_`")
    if following[:1].islower():
        return False
    if any(quote in end.group() for quote in '"”'):
        return True
    word = _LAST_WORD.search(text[: end.start()])
    last = word.group(1).casefold() if word else ""
    if last in _MAYBE_LAST:
        return following[:1].isupper()
    initial = len(last) == 1 and last not in {"i", "a"}
    listed = re.fullmatch(r"\s*\d{1,2}", text[: end.start()]) is not None  # "1." begins an item
    return not (last in _ABBREVIATIONS or initial or listed)


def _lines(text: str) -> list[tuple[int, int]]:
    """Spans of the lines that stand alone; a line that merely wraps is joined to the next."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in re.finditer(r"\n|\Z", text):
        line = text[start : match.start()]
        rest = text[match.end() :]
        wraps = (
            len(line) - (line.rfind("\n") + 1) >= 50
            and " | " not in line
            and not _CLOSED.search(line)
            and rest[:1].islower()
        )
        if not wraps:
            spans.append((start, match.start()))
            start = match.end()
    return spans


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of every sentence, without the white space around it.

    A line, a list item and a table row (cells joined by " | ") end a sentence; abbreviations,
    decimals and initials do not.
    """
    found: list[tuple[int, int]] = []
    for first, last in _lines(text):
        line = text[first:last]
        whole = " | " in line or (_BULLET.match(line) and len(line) <= _LONG_ITEM)
        cuts = [] if whole else [end.end() for end in _END.finditer(line) if _ends_here(line, end)]
        at = 0
        for cut in [*cuts, len(line)]:
            piece = line[at:cut]
            if piece.strip():
                lead = len(piece) - len(piece.lstrip())
                found.append((first + at + lead, first + at + len(piece.rstrip())))
            at = cut
    return found


def sentences(text: str) -> list[str]:
    """The sentences of a text in order, each verbatim; list markers at the front are left out."""
    found = (_BULLET.sub("", text[start:end]).strip() for start, end in sentence_spans(text))
    return [sentence for sentence in found if sentence]
