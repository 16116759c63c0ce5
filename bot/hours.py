"""When people of the shop are on duty, as `shop.hours` says it.

    mon-fri = "09:00-17:00"
    sat = "10:00-12:00, 13:00-15:00"
    timezone = "Europe/Berlin"

Knows nothing about what happens at these times; the time is handed in.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import get_day_names, get_timezone_name

from bot.turn import Language

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOCALES = {"en": "en_US", "zh": "zh_CN"}
_SPAN = re.compile(r"(\d{1,2}):(\d\d)\s*[-–]\s*(\d{1,2}):(\d\d)")
_MIDNIGHT = 24 * 60

Span = tuple[int, int]  # minutes of a day from and to; one that ends no later than it begins ends
# on the day after


@dataclass(frozen=True, slots=True)
class Hours:
    """The spans of each day of the week, Monday first, in the shop's own time zone."""

    week: tuple[tuple[Span, ...], ...]
    zone: ZoneInfo

    def open_at(self, now: datetime) -> bool:
        """Whether somebody is on duty at `now`, which knows its time zone."""
        here = now.astimezone(self.zone)
        minute = here.hour * 60 + here.minute
        today, yesterday = self.week[here.weekday()], self.week[here.weekday() - 1]
        return any(
            begin <= minute < end if begin < end else begin <= minute for begin, end in today
        ) or any(minute < end <= begin for begin, end in yesterday)

    def in_words(self, language: Language) -> str:
        """The whole week in words: days with the same hours are told together."""
        locale = LOCALES[language]
        wide = language == "en"
        names = (
            get_day_names("wide", locale=locale)
            if wide
            else get_day_names("abbreviated", locale=locale)
        )
        told = []
        for spans, days in itertools.groupby(range(7), key=lambda day: self.week[day]):
            run = list(days)
            if not spans:
                continue
            first, last = names[run[0]], names[run[-1]]
            if wide:
                named = first if first == last else f"{first} to {last}"
                told.append(f"{named}, {' and '.join(_clock_en(*span) for span in spans)}")
            else:
                named = first if first == last else f"{first}至{last}"
                told.append(f"{named} {'、'.join(_clock_zh(*span) for span in spans)}")
        zone = get_timezone_name(self.zone, locale=locale)
        return f"{'; '.join(told)} ({zone})" if wide else f"{'，'.join(told)}（{zone}）"


def read_hours(table: Mapping[str, str]) -> Hours | None:
    """Reads the table of the settings; None where it is empty.

    Raises ValueError that names the entry and what it should look like.
    """
    if not table:
        return None
    zone = _zone(table.get("timezone", ""))
    week: dict[int, tuple[Span, ...]] = {}
    for key, value in table.items():
        if key == "timezone":
            continue
        spans = tuple(_spans(key, value))
        for day in _days(key):
            if day in week:
                raise ValueError(f"{DAYS[day]} stands twice; {key!r} is the second")
            week[day] = spans
    if not any(week.values()):
        raise ValueError('no day is open; write a line such as mon-fri = "09:00-17:00"')
    return Hours(tuple(week.get(day, ()) for day in range(7)), zone)


def _zone(name: str) -> ZoneInfo:
    if not name:
        raise ValueError('timezone is missing; write a line such as timezone = "Europe/Berlin"')
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"timezone {name!r} is not known; write an IANA name such as Europe/Berlin"
        ) from None


def _days(key: str) -> list[int]:
    """The days of `mon`, `mon-fri` or `sat,sun`; `fri-mon` goes over the end of the week."""
    found = []
    for part in key.lower().split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(f"{key!r} is no day; write mon, mon-fri or sat,sun, or timezone")
        begin = DAYS.index(first)
        length = (DAYS.index(last) - begin) % 7 if dash else 0
        found += [(begin + step) % 7 for step in range(length + 1)]
    return found


def _spans(key: str, value: str) -> Iterator[Span]:
    if not isinstance(value, str):
        raise ValueError(f'{key} should be text such as "09:00-17:00"')
    if value.strip().lower() in ("closed", ""):
        return
    for part in value.split(","):
        match = _SPAN.fullmatch(part.strip())
        if match is None:
            raise ValueError(f'{key} = {value!r} cannot be read; write "09:00-17:00" or "closed"')
        hours = [int(figure) for figure in match.groups()]
        begin, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
        if max(hours[1], hours[3]) > 59 or begin >= _MIDNIGHT or end > _MIDNIGHT or begin == end:
            raise ValueError(f"{key} = {value!r} is no time of day; hours go from 00:00 to 24:00")
        yield begin, end


def _clock_en(begin: int, end: int) -> str:
    return f"{_half_day(begin)} to {_half_day(end)}"


def _half_day(minutes: int) -> str:
    at = time(minutes // 60 % 24, minutes % 60)
    return f"{at.hour % 12 or 12}:{at.minute:02} {'am' if at.hour < 12 else 'pm'}"


def _clock_zh(begin: int, end: int) -> str:
    return f"{begin // 60}:{begin % 60:02}–{end // 60}:{end % 60:02}"
