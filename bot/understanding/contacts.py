"""Finds e-mail addresses and telephone numbers in a text.

A telephone number is told by its shape where that is certain, else by what it is called: figures
alone may be a size, a part number or an order. Knows nothing about who they belong to.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from bot.understanding.labels import labelled, labelled_behind
from prompts.personal import pattern, word_set

Span = tuple[int, int]

# letters of any alphabet but the East Asian ones, which stand beside an address without a space
_L = r"[^\W\u2e80-\ud7ff]"
EMAIL = re.compile(
    rf"(?<!{_L})(?<![.+%-])(?<!\w')(?:{_L}|[.+%-]|(?<=\w)'(?=\w))+\s?@\s?"
    rf"(?:{_L}|-)+(?:\.(?:{_L}|-)+)*\.[^\W\d_\u2e80-\ud7ff]{{2,}}"
)
EMAIL_WIDE = re.compile(
    r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"
)  # what is left: addresses in Chinese
CHINESE_MOBILE = re.compile(
    r"(?<![A-Za-z\d])(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?![A-Za-z\d])"
)
# telephone numbers of a shape that nothing else has
CERTAIN = re.compile(
    r"(?<![A-Za-z\d_.$€£¥￥#/+-])(?<!\d\d )"
    r"(?:(?:\+?1[ .-]?)?(?:\([2-9]\d\d\)[ .-]?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]?\d{4}"
    r"|1?[2-9]\d\d[2-9]\d{6}"  # North American, written together
    r"|\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,5}(?:[ .-]?\d{2,8}){1,4}(?![ .-]?\d))"
    r"(?![A-Za-z\d_/]|[.,-]\d)"
)
CANDIDATE = re.compile(
    r"(?<![A-Za-z\d_.$€£¥￥#/+-])[+(]{0,2}\d(?:[ .()/-]{0,3}\d){4,16}(?![A-Za-z\d_]|[.,]\d)"
)
FEWEST, MOST = 7, 15  # figures of a number (ITU-T E.164); of one that is called so, fewer do
FEWEST_CALLED = 5
TALK_REACH = 72  # characters before a number in which it is spoken of
_ALTERNATIVES = "<alternatives>"
_DATE = re.compile(r"\d{4}([-./])\d{1,2}\1\d{1,2}|\d{1,2}([-./])\d{1,2}\2(?:19|20)\d\d")
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_MEASURE = re.compile(r"[ -]?([^\W\d_]+|[×x*%°\"″])")
_FIGURE_BEFORE = re.compile(r"\d[ -]$")
_CJK = re.compile(r"[\u4e00-\u9fff]")


def find_emails(text: str) -> Iterator[Span]:
    yield from (m.span() for m in EMAIL.finditer(text))


def find_wide_emails(text: str) -> Iterator[Span]:
    yield from (m.span() for m in EMAIL_WIDE.finditer(text))


def find_certain_phones(text: str) -> Iterator[Span]:
    """Numbers told by their shape, unless they are called something else."""
    for shape in (CHINESE_MOBILE, CERTAIN):
        for match in shape.finditer(text):
            digits = _digits(match.group())
            if FEWEST <= len(digits) <= MOST and not labelled(text, match.start(), "thing_label"):
                yield match.span()


def find_likely_phones(text: str) -> Iterator[Span]:
    """Numbers told by what they are called, and by weaker shapes."""
    for match in CANDIDATE.finditer(text):
        start, end = match.span()
        if labelled(text, start, "thing_label") or _DATE.search(match.group()):
            continue
        digits = _digits(match.group())
        called = labelled(text, start, "phone_label") or (
            len(digits) >= FEWEST
            and (
                labelled(text, start, "number_label")
                or labelled_behind(text, end, "phone_label_after")
                or _spoken_of(match, text)
            )
        )
        if called:
            likely = len(digits) >= FEWEST_CALLED and not _is_size(text, end)
        else:
            likely = len(digits) >= FEWEST and _looks_dialled(match, text)
        if likely and len(digits) <= MOST:
            yield start, end


def _looks_dialled(match: re.Match[str], text: str) -> bool:
    """Whether figures that nothing calls a number are grouped as one is."""
    said = match.group()
    groups = re.findall(r"\d+", said)
    digits = "".join(groups)
    if _FIGURE_BEFORE.search(text, max(0, match.start() - 2), match.start()):
        return False  # of a longer number: "AB12 3456 7890 1234"
    if "/" in said or _IP.fullmatch(said) or _is_size(text, match.end()):
        return False
    if len(groups) == 1:  # a Chinese mobile number with a figure wrong, which no one else reads so
        return len(digits) == 11 and digits[0] == "1" and _CJK.search(text) is not None
    if re.match(r"\(\d{1,5}\)[ .-]?\d{2,}", said):
        return True
    if said.startswith("00"):
        return len(digits) >= 10
    alone = _line_around(text, match).strip(" \t,.;:>") == said.strip()
    if said.startswith("0"):
        return len(digits) >= (9 if len(groups) > 2 else 10) or alone
    if alone:
        return len(groups) <= 5 and len(set(groups)) > 1
    sizes = [int(group) for group in groups]
    return (
        9 <= len(digits) <= 13
        and 3 <= len(groups) <= 5
        and all(2 <= len(group) <= 4 for group in groups)
        and len(set(re.findall(r"\D+", said.strip("()+")))) == 1
        and sizes != sorted(sizes)
        and sizes != sorted(sizes, reverse=True)
        and not all(size % 10 == 0 for size in sizes)
    )


def _spoken_of(match: re.Match[str], text: str) -> bool:
    """Whether a telephone number is spoken of: in words behind, or before if it is in groups."""
    start, end = match.span()
    if _talk("phone_talk_after", rf"[ ,]{{0,2}}(?:{_ALTERNATIVES})\b").match(text, end):
        return True
    grouped = not match.group().lstrip("+(").isdigit()
    return grouped and bool(
        _talk("phone_talk", rf"\b(?:{_ALTERNATIVES})\b[^.!?\n]{{0,44}}$").search(
            text, max(0, start - TALK_REACH), start
        )
    )


@cache
def _talk(name: str, shape: str) -> re.Pattern[str]:
    return re.compile(shape.replace(_ALTERNATIVES, pattern("en", name)), re.IGNORECASE)


def _is_size(text: str, end: int) -> bool:
    after = _MEASURE.match(text, end)
    return after is not None and (
        after.group(1).casefold() in word_set("en", "measures") or not after.group(1).isalpha()
    )


def _line_around(text: str, match: re.Match[str]) -> str:
    before = text.rfind("\n", 0, match.start()) + 1
    after = text.find("\n", match.end())
    return text[before : after if after >= 0 else len(text)]


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def normal_email(text: str) -> str:
    return unicodedata.normalize("NFKC", re.sub(r"\s", "", text)).casefold()


def normal_phone(text: str) -> str:
    """The last ten digits: a number is the same with and without the prefix of its country."""
    return _digits(text)[-10:]
