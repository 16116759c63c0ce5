"""What a driver's error is taken for, and what its line tells an owner."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from psycopg import errors

from db.engine import open_database
from db.errors import (
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseFull,
    DatabaseUnavailable,
)
from db.failures import failure


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("it did not work\nand here is more")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (sqlite_error(sqlite3.SQLITE_BUSY), DatabaseBusy),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), DatabaseBusy),
        (sqlite_error(sqlite3.SQLITE_LOCKED), DatabaseBusy),
        (sqlite_error(sqlite3.SQLITE_FULL), DatabaseFull),
        (sqlite_error(sqlite3.SQLITE_CORRUPT_INDEX), DatabaseDamaged),
        (sqlite_error(sqlite3.SQLITE_NOTADB), DatabaseDamaged),
        (sqlite_error(sqlite3.SQLITE_IOERR_WRITE), DatabaseUnavailable),
        (sqlite_error(sqlite3.SQLITE_READONLY), DatabaseUnavailable),
        (sqlite_error(sqlite3.SQLITE_CANTOPEN), DatabaseUnavailable),
        (errors.DiskFull("no space left"), DatabaseFull),
        (errors.LockNotAvailable("canceling statement due to lock timeout"), DatabaseBusy),
        (errors.DeadlockDetected("deadlock detected"), DatabaseBusy),
        (errors.TooManyConnections("sorry, too many clients already"), DatabaseBusy),
        (errors.DataCorrupted("invalid page"), DatabaseDamaged),
        (errors.AdminShutdown("terminating connection"), DatabaseUnavailable),
        (errors.CannotConnectNow("the database system is starting up"), DatabaseUnavailable),
        (errors.ReadOnlySqlTransaction("read-only"), DatabaseUnavailable),
        (psycopg.OperationalError("the connection is closed"), DatabaseUnavailable),
    ],
    ids=str,
)
def test_that_a_failure_of_the_database_is_named(
    error: BaseException, kind: type[DatabaseUnavailable]
) -> None:
    found = failure(error, "sqlite:///shop.db")
    assert type(found) is kind
    assert "sqlite:///shop.db" in str(found)
    assert "\n" not in str(found)


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.SQLITE_ERROR),
        sqlite_error(sqlite3.SQLITE_CONSTRAINT_UNIQUE),
        errors.UniqueViolation("duplicate key"),
        errors.UndefinedColumn("no such column"),
        psycopg.InterfaceError("wrong use"),
        ValueError("no error of a driver"),
    ],
    ids=str,
)
def test_that_an_error_of_the_programs_own_stays_what_it_is(error: BaseException) -> None:
    assert failure(error, "sqlite:///shop.db") is None


def test_that_a_lost_connection_is_a_failure_whatever_the_driver_calls_it() -> None:
    error = psycopg.InterfaceError("the connection is lost")
    assert type(failure(error, "postgresql://", lost=True)) is DatabaseUnavailable


def test_that_a_password_is_not_told() -> None:
    with pytest.raises(DatabaseUnavailable) as refusal:
        open_database("postgresql://user:pa55@127.0.0.1:1/shop?connect_timeout=2")
    assert "pa55" not in str(refusal.value)
    assert refusal.value.__cause__ is not None  # what the driver said is kept for the log


def test_that_no_free_connection_is_busy(sqlite_url: str) -> None:
    with open_database(sqlite_url) as database:
        pool = database.engine.pool
        pool._timeout = 0.01  # type: ignore[attr-defined]
        held = [database.engine.connect() for _ in range(40)]
        try:
            with pytest.raises(DatabaseBusy, match="taken"), database.read():
                pass
        finally:
            for connection in held:
                connection.close()
        with database.read() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
