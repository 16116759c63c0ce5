"""What every test stands on: no network, a fresh database, and no silent skip.

SHOPBOT_TEST_POSTGRES   URL of a PostgreSQL server whose user may create databases; without it a
                        throw-away server is started where one is installed
SHOPBOT_TEST_REQUIRE    comma list of `browser`, `postgres`, `acceptance`: tests so marked fail
                        where they would be skipped
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

# Before anything that reads them is imported.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import pytest
from sqlalchemy import create_engine, make_url

from db.engine import Database, open_database
from db.tables import metadata

REQUIRED = {
    word.strip() for word in os.environ.get("SHOPBOT_TEST_REQUIRE", "").split(",") if word.strip()
}

# ---- network and skips ---------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-socket refuse every connection that leaves the machine."""
    config.option.allow_hosts = "127.0.0.1,::1,localhost"
    config.option.allow_unix_socket = True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test that is required into a failure."""
    report = yield
    required = sorted(REQUIRED & {mark.name for mark in item.iter_markers()})
    if report.skipped and required and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{', '.join(required)} is required, but: {_reason(report)}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what did not run, and why, in words at the end of the run."""
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", []))
    for reason, number in sorted(reasons.items()):
        terminalreporter.write_line(f"not run: {number} test(s): {reason}", yellow=True)


def _reason(report: pytest.TestReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


# ---- databases -----------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table, of each engine in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'shop.db'}"
    else:
        with _created(request.getfixturevalue("postgres_server")) as url:
            yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh database with the newest schema, of each engine in turn."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
    else:
        url = request.getfixturevalue("migrated_postgres")
        yield url
        _empty(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database of each engine in turn."""
    with open_database(database_url) as database:
        yield database


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_sqlite: Path) -> str:
    """The URL of a fresh SQLite database with the newest schema; for tests above the stores."""
    return f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'shop.db')}"


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """A fresh SQLite database; for tests above the stores."""
    with open_database(sqlite_url) as database:
        yield database


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "shop.db"
    open_database(f"sqlite:///{path}").close()  # closing folds the write-ahead log into the file
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """The URL of a PostgreSQL database with the newest schema; it is emptied after each test."""
    with _created(postgres_server) as url:
        open_database(url).close()
        yield url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server; skips with the reason where there is none."""
    given = os.environ.get("SHOPBOT_TEST_POSTGRES")
    if given:
        yield given
        return
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found = shutil.which("initdb")
    home = Path(found).parent if found else programs[-1] if programs else None
    if home is None:
        pytest.skip("no PostgreSQL: set SHOPBOT_TEST_POSTGRES or install postgresql")
    if os.geteuid() == 0 and not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root and there is no runuser")
    with _server(home) as url:
        yield url


@contextmanager
def _server(home: Path) -> Iterator[str]:
    """A throw-away server that listens on a Unix socket in a folder of its own, nowhere else."""
    # Not under tmp_path: a socket's path has at most 107 characters, and root's folders are closed
    # to the user that the server has to run as.
    folder = Path(tempfile.mkdtemp(prefix="shopbot-pg-"))
    become = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        become = ["runuser", "-u", "postgres", "--"]

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [*become, str(home / program), "-D", str(folder / "data"), *arguments],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )

    options = (
        f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off "
        "-c full_page_writes=off -c synchronous_commit=off -c shared_buffers=16MB"
    )
    run("initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8")
    run("pg_ctl", "start", "--wait", f"--log={folder / 'log'}", f"--options={options}")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run("pg_ctl", "stop", "--wait", "--mode=immediate")
        shutil.rmtree(folder)


@contextmanager
def _created(server: str) -> Iterator[str]:
    """The URL of a new database on `server`, which is dropped at the end."""
    url = make_url(server).set(drivername="postgresql+psycopg")
    name = f"shopbot_test_{uuid.uuid4().hex}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE template0')
        yield url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        engine.dispose()


def _empty(url: str) -> None:
    """Remove every row, and let numbers begin at 1 again; ten times faster than a new database."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    names = ", ".join(metadata.tables)
    try:
        with engine.begin() as connection:
            # A connection that a test left open would keep its tables locked.
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
    finally:
        engine.dispose()
