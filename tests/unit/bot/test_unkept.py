"""What readiness is told of turns that could not be kept."""

from __future__ import annotations

from contextlib import suppress

from bot.errors import MessageError
from bot.unkept import LATELY, Unkept
from db.errors import DatabaseBusy, DatabaseFull


def fail(unkept: Unkept, error: Exception) -> None:
    with suppress(type(error)), unkept.watched():
        raise error


def test_that_a_failure_is_told_until_a_turn_is_kept() -> None:
    unkept = Unkept(lambda: 0.0)
    assert unkept.lately() == ""
    fail(unkept, DatabaseBusy("locked"))
    assert unkept.lately() == DatabaseBusy.told
    fail(unkept, DatabaseFull("full"))
    assert unkept.lately() == DatabaseFull.told
    with unkept.watched():
        pass
    assert unkept.lately() == ""


def test_that_a_failure_is_taken_to_be_over_after_a_while() -> None:
    now = [0.0]
    unkept = Unkept(lambda: now[0])
    fail(unkept, DatabaseBusy("locked"))
    now[0] = LATELY - 1
    assert unkept.lately()
    now[0] = LATELY
    assert unkept.lately() == ""


def test_that_a_refused_message_says_nothing_of_the_database() -> None:
    unkept = Unkept(lambda: 0.0)
    fail(unkept, MessageError("blank"))
    assert unkept.lately() == ""
    fail(unkept, DatabaseBusy("locked"))
    fail(unkept, MessageError("blank"))
    assert unkept.lately() == DatabaseBusy.told
