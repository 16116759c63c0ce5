"""When people are on duty: time zones, midnight, daylight saving, and the week in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.hours import Hours, read_hours


def hours(**days: str) -> Hours:
    found = read_hours({name.replace("_", "-"): value for name, value in days.items()})
    assert found is not None
    return found


OFFICE = hours(mon_fri="09:00-17:00", sat="10:00-12:00, 13:00-15:00", timezone="Europe/Berlin")
NIGHT = hours(fri_sat="22:00-02:00", sun="00:00-24:00", timezone="UTC")


@pytest.mark.parametrize(
    ("now", "on_duty"),
    [
        (datetime(2026, 3, 2, 7, 59, tzinfo=UTC), False),  # Monday, an hour ahead of UTC
        (datetime(2026, 3, 2, 8, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 2, 15, 59, tzinfo=UTC), True),
        (datetime(2026, 3, 2, 16, 0, tzinfo=UTC), False),
        (datetime(2026, 7, 6, 7, 0, tzinfo=UTC), True),  # in summer two hours ahead
        (datetime(2026, 3, 7, 11, 30, tzinfo=UTC), False),  # Saturday's break
        (datetime(2026, 3, 7, 12, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 8, 11, 0, tzinfo=UTC), False),
    ],
)
def test_that_the_clock_of_the_shop_decides(now: datetime, on_duty: bool) -> None:
    assert OFFICE.open_at(now) is on_duty


@pytest.mark.parametrize(
    ("day", "hour", "on_duty"),
    [
        (6, 21, False),
        (6, 23, True),
        (7, 1, True),
        (7, 2, False),
        (8, 1, True),
        (8, 23, True),
        (9, 0, False),
    ],
)
def test_that_hours_may_end_after_midnight(day: int, hour: int, on_duty: bool) -> None:
    assert NIGHT.open_at(datetime(2026, 3, day, hour, tzinfo=UTC)) is on_duty


def test_that_the_week_is_told_in_either_language() -> None:
    assert OFFICE.in_words("en") == (
        "Monday to Friday, 9:00 am to 5:00 pm; Saturday, 10:00 am to 12:00 pm and 1:00 pm to 3:00 pm "
        "(Central European Time)"
    )
    assert (
        OFFICE.in_words("zh") == "周一至周五 9:00–17:00，周六 10:00–12:00、13:00–15:00（中欧时间）"
    )
    assert NIGHT.in_words("zh").startswith("周五至周六 22:00–2:00，周日 0:00–24:00")


def test_that_days_may_be_named_one_by_one_and_over_the_end_of_the_week() -> None:
    found = read_hours({"mon,wed": "09:00-10:00", "fri-sun": "closed", "timezone": "UTC"})
    assert found is not None
    assert [bool(day) for day in found.week] == [True, False, True, False, False, False, False]
    over = read_hours({"sat-mon": "9:00-10:00", "timezone": "UTC"})
    assert over is not None
    assert [bool(day) for day in over.week] == [True, False, False, False, False, True, True]


def test_that_no_table_says_nothing() -> None:
    assert read_hours({}) is None


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"mon": "9-17", "timezone": "UTC"}, "mon = '9-17' cannot be read; write \"09:00-17:00\""),
        ({"mon": "09:00-25:00", "timezone": "UTC"}, "no time of day"),
        ({"mon": "09:00-09:00", "timezone": "UTC"}, "no time of day"),
        ({"mon": "09:00-17:61", "timezone": "UTC"}, "no time of day"),
        ({"monday": "09:00-17:00", "timezone": "UTC"}, "'monday' is no day"),
        ({"mon-fri": "09:00-17:00"}, "timezone is missing"),
        ({"mon": "09:00-17:00", "timezone": "Berlin"}, "'Berlin' is not known"),
        ({"mon": "09:00-17:00", "mon-fri": "closed", "timezone": "UTC"}, "mon stands twice"),
        ({"mon": "closed", "timezone": "UTC"}, "no day is open"),
    ],
)
def test_that_a_wrong_entry_is_named_with_its_remedy(table: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told.replace("(", r"\(")):
        read_hours(table)
