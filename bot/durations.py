"""Spans of time as settings write them: `90s`, `30m`, `6h`, `2d`. Knows nothing about clocks."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SPAN = re.compile(r"(\d{1,6})\s?([smhd])")


def read_duration(text: Any) -> Any:
    """The span that a text names, None for an empty text; what is no text is passed on.

    Raises ValueError for what is no span, and for one of no length.
    """
    if not isinstance(text, str):
        return text
    if not text.strip():
        return None
    read = _SPAN.fullmatch(text.strip().lower())
    if read is None or not int(read[1]):
        raise ValueError("write a span such as 30m, 6h or 2d")
    return timedelta(**{_UNITS[read[2]]: int(read[1])})


def in_words(span: timedelta) -> str:
    """A span for people who run the shop: `3 d 4 h`, `5 h 12 min`, `40 s`."""
    seconds = max(0, int(span.total_seconds()))
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds % 60, "s")]
    first = next((at for at, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count) or "0 s"
