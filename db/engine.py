"""The database of one shop: URL → engine, transactions, and the schema's migrations.

Knows nothing about what the tables hold.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db.errors import DatabaseBusy, DatabaseTooNew, DatabaseUnavailable
from db.failures import translate_failures

# WAL lets readers work beside the one writer. With synchronous=FULL every commit is flushed to the
# disk, so a reply that was shown survives a power cut as well as a kill; a turn is one commit,
# which takes 4.0 ms so, and 1.6 ms with NORMAL, which survives the kill alone.
# An import of 10,000 products holds the write lock for half a second of computing; on a machine
# busy with training that became more than five seconds, and no turn may be lost for it.
# secure_delete overwrites what is erased; without it an erased message stays legible in the file.
_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
)
LOCK_SECONDS = 20.0
# A server that vanished is noticed within seconds; what the URL itself says wins.
_POSTGRES_LIMITS = {"connect_timeout": "5", "tcp_user_timeout": "20000"}
# Any number that no other program uses on the same server: it serialises migrations and imports.
_ADVISORY_LOCK = 7_246_726


class Database:
    """One shop's database. Safe to share between threads: every call takes its own connection."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sqlite = engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the shop and changes nothing."""
        with self._connected() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is kept when the block ends, and undone when it raises.

        SQLite has one writer at a time; the next one waits up to 20 seconds for its turn.
        """
        with self._connected() as connection, self.writing(connection):
            yield connection

    def _connected(self) -> Connection:
        try:
            return self.engine.connect()
        except PoolTimeout:
            raise DatabaseBusy("every connection to the database is taken: try again") from None

    @contextmanager
    def writing(self, connection: Connection) -> Iterator[None]:
        """`write` on a connection that is open already and in no transaction."""
        connection.info["begin_immediately"] = True
        try:
            with connection.begin():
                yield
        finally:
            connection.info.pop("begin_immediately", None)

    def lock(self, connection: Connection) -> None:
        """Until the transaction ends, let no other process migrate or import.

        On SQLite a writing transaction is that already.
        """
        if not self._sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")

    def scrub(self) -> None:
        """Move SQLite's write-ahead log into the file, so that it keeps no erased text.

        Does what it can: pages that a reader still needs stay until the next call.
        """
        if self._sqlite:
            with self.engine.connect() as connection:
                connection.info["no_begin"] = True
                try:
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    connection.info.pop("no_begin", None)

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def database_file(url: str) -> Path | None:
    """The file of a SQLite URL, None for any other."""
    read = make_url(url)
    return Path(str(read.database)) if read.get_backend_name() == "sqlite" else None


def open_database(url: str, *, migrated: bool = True) -> Database:
    """The database at `url`, created where it is missing and brought to the newest schema, if
    `migrated`.

    `sqlite:///path/to/file.db`, or `postgresql://user@host/name` (needs `shopbot[postgres]`).
    Raises DatabaseUnavailable and DatabaseTooNew.
    """
    database = Database(_engine(url))
    try:
        if migrated:
            migrate(database.engine)
    except BaseException:
        database.close()
        raise
    return database


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision, in one transaction; does nothing when it is there.

    Raises DatabaseTooNew for a revision that this release does not know.
    """
    config = _alembic()
    scripts = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    if present == scripts.get_current_head():
        return
    if present is not None and present not in {
        script.revision for script in scripts.walk_revisions()
    }:
        raise DatabaseTooNew(present)
    database = Database(engine)
    with database.write() as connection:
        database.lock(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def migrate_to(connection: Connection, revision: str) -> None:
    """Bring the schema to a known revision, or to `head`, in the transaction of `connection`."""
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def revisions() -> frozenset[str]:
    """The schema revisions that this release knows."""
    scripts = ScriptDirectory.from_config(_alembic())
    return frozenset(script.revision for script in scripts.walk_revisions())


def _alembic() -> Config:
    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).parent / "migrations").replace("%", "%%")
    )
    return config


def _engine(text: str) -> Engine:
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise DatabaseUnavailable(
            "the database URL cannot be read: "
            "write sqlite:///path/to/file.db or postgresql://user@host/name"
        ) from error
    kind = url.get_backend_name()
    if kind == "sqlite":
        return _sqlite_engine(url)
    if kind in {"postgresql", "postgres"}:
        return _postgres_engine(url)
    raise DatabaseUnavailable(f"{kind} is not supported: use sqlite:/// or postgresql://")


def _sqlite_engine(url: URL) -> Engine:
    if url.database in {None, "", ":memory:"}:
        raise DatabaseUnavailable("a database in memory loses every turn: name a file")
    path = Path(str(url.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Conversations and orders are nobody else's; SQLite gives its side files the same mode.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise DatabaseUnavailable(
            f"the database file {path} cannot be opened ({error.strerror}): "
            "check SHOPBOT_HOME and its permissions"
        ) from error
    limits = {"timeout": str(LOCK_SECONDS)}
    engine = create_engine(_limited(url, limits), pool_size=10, max_overflow=30)
    translate_failures(engine)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        # The driver's own BEGIN comes too late (at the first change), see `begin`.
        connection.isolation_level = None
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later fails at once when another one wrote in
        # between; one that asks for the write lock at its start waits for it.
        if not connection.info.get("no_begin"):
            immediately = connection.info.get("begin_immediately")
            connection.exec_driver_sql("BEGIN IMMEDIATE" if immediately else "BEGIN")

    return engine


def _postgres_engine(url: URL) -> Engine:
    try:
        engine = create_engine(
            _limited(url, _POSTGRES_LIMITS).set(drivername="postgresql+psycopg"),
            pool_size=10,
            max_overflow=30,
            pool_pre_ping=True,  # a restart of the server costs no turn
        )
    except ImportError as error:
        raise DatabaseUnavailable(
            "PostgreSQL needs its driver: pip install shopbot[postgres]"
        ) from error
    translate_failures(engine)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        # Not in the URL's options: not every pooler between shop and server passes those on.
        connection.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        connection.commit()

    return engine


def _limited(url: URL, limits: Mapping[str, str]) -> URL:
    return url.update_query_dict({k: v for k, v in limits.items() if k not in url.query})
