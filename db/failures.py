"""What a driver's error means for the shop: busy, full, damaged or gone, with the remedy in a line.

Knows nothing about tables or statements; an error that is the program's own fault stays as it is.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy import Engine, ExceptionContext, event

from db.errors import DatabaseBusy, DatabaseDamaged, DatabaseFull, DatabaseUnavailable

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_GONE = (
    sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM,
)  # fmt: skip
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRES_FULL = ("53100",)
_POSTGRES_BUSY = ("55P03", "57014", "40001", "40P01", "53300")
_POSTGRES_DAMAGED = ("XX001", "XX002")
_POSTGRES_GONE = ("08", "25006", "53", "57P", "58")


def translate_failures(engine: Engine) -> None:
    """Let every failure of the engine's database come out as one of ours, its cause behind it."""

    @event.listens_for(engine, "handle_error")
    def translated(context: ExceptionContext) -> DatabaseUnavailable | None:
        if context.is_pre_ping:  # the pool's own question whether a connection still lives
            return None
        where = engine.url.render_as_string()
        return failure(context.original_exception, where, lost=context.is_disconnect)


def failure(error: BaseException, where: str, *, lost: bool = False) -> DatabaseUnavailable | None:
    """What `error`, raised by a driver for the database at `where`, means; None for any other.

    `lost` says that the connection is gone.
    """
    said = str(error).strip().split("\n", 1)[0]
    if isinstance(error, sqlite3.Error):
        kind = _of_sqlite(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF)
    else:
        kind = _of_postgres(error)
    if kind is None and lost:
        kind = DatabaseUnavailable
    if kind is None:
        return None
    remedy = {
        DatabaseBusy: "end the program that locks it, or try again",
        DatabaseFull: "make room on its disk; nothing else needs mending",
        DatabaseDamaged: "check SHOPBOT_DATABASE_URL, or bring a backup back with `shopbot restore`",
    }.get(kind, "check SHOPBOT_DATABASE_URL and that it is up")
    return kind(f"the database {where} does not answer ({said}): {remedy}")


def _of_sqlite(code: int) -> type[DatabaseUnavailable] | None:
    if code in _BUSY:
        return DatabaseBusy
    if code == sqlite3.SQLITE_FULL:
        return DatabaseFull
    if code in _DAMAGED:
        return DatabaseDamaged
    return DatabaseUnavailable if code in _GONE else None


def _of_postgres(error: BaseException) -> type[DatabaseUnavailable] | None:
    try:
        from psycopg import OperationalError
    except ImportError:
        return None
    state = getattr(error, "sqlstate", None)
    if state is None:  # the server was not reached, or hung up
        return DatabaseUnavailable if isinstance(error, OperationalError) else None
    if state in _POSTGRES_FULL:
        return DatabaseFull
    if state in _POSTGRES_BUSY:
        return DatabaseBusy
    if state in _POSTGRES_DAMAGED:
        return DatabaseDamaged
    return DatabaseUnavailable if state.startswith(_POSTGRES_GONE) else None
