"""Dates in the forms people write them, weekdays and relative days. Knows nothing about facts."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from bot.verifier import numerals


@dataclass(frozen=True, slots=True)
class DateMention:
    """What a text says of a day; None where it does not say. `relative` holds words like today."""

    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    relative: str = ""

    def agrees(self, other: DateMention) -> bool:
        """True when `other` states at least what this states, and the same."""
        if self.relative:
            return self.relative == other.relative
        own = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        if any(mine is not None and mine != its for mine, its in own):
            return False
        return self.weekday is None or self.weekday == other.known_weekday

    @property
    def known_weekday(self) -> int | None:
        if self.weekday is None and self.year and self.month and self.day:
            try:
                return dt.date(self.year, self.month, self.day).weekday()
            except ValueError:
                return None
        return self.weekday


@dataclass(frozen=True, slots=True)
class _Calendar:
    months: dict[str, int]
    weekdays: dict[str, int]
    chinese: str
    patterns: tuple[tuple[str, re.Pattern[str]], ...]


@cache
def _calendar() -> _Calendar:
    data = tomllib.loads(
        files("prompts").joinpath("vocabulary", "calendar.toml").read_text(encoding="utf-8")
    )
    months = {name[:n]: i for i, name in enumerate(data["months"]["names"], 1)
              for n in (3, len(name))} | {"sept": 9}  # fmt: skip
    weekdays = {name[:n]: i for i, name in enumerate(data["weekdays"]["names"])
                for n in (3, len(name))} | {"tues": 1, "thur": 3, "thurs": 3}  # fmt: skip
    names = "|".join(sorted(months, key=len, reverse=True))
    days = "|".join(sorted(weekdays, key=len, reverse=True))
    relative = "|".join(sorted(data["relative"]["words"], key=len, reverse=True))
    figure = r"\d{1,2}|[一二三四五六七八九十]{1,3}"
    patterns = (
        ("ymd", r"(?<!\d)((?:19|20)\d\d)[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)"),
        ("ymd", rf"(?:((?:19|20)\d\d)年\s?)?({figure})月\s?({figure})[日号]"),
        ("ym", rf"((?:19|20)\d\d)年\s?({figure})月"),
        ("dmy", rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+({names})\b(?:\.?,?\s*((?:19|20)\d\d))?"),
        ("mdy", rf"\b({names})\b\.?\s+(?:the\s+)?(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s*((?:19|20)\d\d))?"),
        ("my", rf"\b({names})\s+((?:19|20)\d\d)\b"),
        ("slash", r"(?<![\d/.])(\d{1,2})[/.](\d{1,2})[/.]((?:19|20)\d\d)(?!\d)"),
        ("month", r"\b(january|february|april|june|july|august|september|october|november|december)\b"),
        ("weekday", rf"\b(?:{days})s?\b"),
        ("zhweekday", r"(?:星期|周|礼拜)([一二三四五六日天])"),
        ("relative", rf"(?<![a-z])(?:{relative})(?![a-z])"),
    )  # fmt: skip
    return _Calendar(
        months, weekdays, "".join(data["weekdays"]["chinese"]),
        tuple((kind, re.compile(pattern)) for kind, pattern in patterns),
    )  # fmt: skip


def _int(text: str) -> int:
    return int(text) if text.isdigit() else int(numerals.chinese(text))


def _read(kind: str, match: re.Match[str]) -> list[DateMention]:
    calendar, (start, end) = _calendar(), match.span()
    groups = match.groups()
    if kind == "ymd":
        year = int(groups[0]) if groups[0] else None
        return [DateMention(start, end, year, _int(groups[1]), _int(groups[2]))]
    if kind == "ym":
        return [DateMention(start, end, int(groups[0]), _int(groups[1]))]
    if kind == "dmy":
        year = int(groups[2]) if groups[2] else None
        return [DateMention(start, end, year, calendar.months[groups[1]], int(groups[0]))]
    if kind == "mdy":
        year = int(groups[2]) if groups[2] else None
        return [DateMention(start, end, year, calendar.months[groups[0]], int(groups[1]))]
    if kind == "my":
        return [DateMention(start, end, int(groups[1]), calendar.months[groups[0]])]
    if kind == "slash":
        first, second, year = (int(g) for g in groups)
        if first > 12:
            first, second = second, first
        return [DateMention(start, end, year, first, second)]
    if kind == "month":
        return [DateMention(start, end, month=calendar.months[groups[0]])]
    if kind == "weekday":
        name = match.group()
        return [
            DateMention(
                start, end, weekday=calendar.weekdays.get(name, calendar.weekdays.get(name[:-1], 0))
            )
        ]
    if kind == "zhweekday":
        return [
            DateMention(start, end, weekday=calendar.chinese.index(groups[0].replace("天", "日")))
        ]
    return [DateMention(start, end, relative=match.group())]


@lru_cache(maxsize=8192)
def dates(low: str) -> tuple[DateMention, ...]:
    """Lists the days that lower-cased, normalised text names, longest reading first, in order."""
    found: list[DateMention] = []
    taken = bytearray(len(low) + 1)
    for kind, pattern in _calendar().patterns:
        for match in pattern.finditer(low):
            if any(taken[match.start() : match.end()]):
                continue
            if kind == "weekday" and match.group() in {"sun", "sat", "wed", "mon"}:
                continue  # also ordinary words; "Sun" alone is no date people rely on
            found.extend(_read(kind, match))
            taken[match.start() : match.end()] = b"\1" * (match.end() - match.start())
    return tuple(sorted(found, key=lambda d: d.start))
