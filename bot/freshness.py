"""How old the prices are: from some age on replies say of which day they are.

Knows nothing about where the feed comes from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class Freshness:
    """The feed's age against `max_age`; with None prices never count as old.

    `imported_at` tells the last good import at the time it is asked, None before the first.
    """

    imported_at: Callable[[], datetime | None]
    max_age: timedelta | None = None
    zone: tzinfo = UTC

    def prices_as_of(self, now: datetime) -> date | None:
        """The day of the prices, in the shop's time zone, if they are too old to go without it."""
        if self.max_age is None:
            return None
        imported = self.imported_at()
        if imported is None or now - imported <= self.max_age:
            return None
        return imported.astimezone(self.zone).date()


ALWAYS_FRESH = Freshness(lambda: None)
