"""Opening, migrating and surviving: what the stores take for granted of the database."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from db.conversations import ConversationStore, NewTurn
from db.engine import Database, migrate, open_database
from db.errors import DatabaseTooNew, DatabaseUnavailable
from db.tables import metadata

NOW = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)

TURN = NewTurn(
    user_text="a very private message",
    reply_text="hello",
    language="en",
    intent="greet",
    intents=("greet",),
    acts=("greet",),
    payload={},
    trace={},
    generator_name="plain",
    generator_version="1",
    prompt_version="1",
    fallback=True,
)

# ---- the schema ----------------------------------------------------------------------------------


def test_that_an_empty_database_is_brought_to_the_schema_of_the_tables(
    empty_database_url: str,
) -> None:
    with open_database(empty_database_url) as database, database.read() as connection:
        options = {"target_metadata": metadata, "include_name": _of_sqlalchemy}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
        found = {name for name in inspect(connection).get_table_names() if not _of_words(name)}
        assert found == {*metadata.tables, "alembic_version"}


def _of_words(table: str | None) -> bool:
    """The search index over turns is of each engine's own kind; see db/words.py."""
    return table is not None and table.startswith("turn_words")


def _of_sqlalchemy(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and _of_words(name))


def test_that_migrating_twice_changes_nothing(database: Database) -> None:
    conversations = ConversationStore(database)
    conversations.open("s", language="en", customer_id=None, training_consent=False, now=NOW)
    migrate(database.engine)
    assert conversations.find("s") is not None


def test_that_migrating_leaves_the_loggers_of_the_program_alone(sqlite_url: str) -> None:
    logger = logging.getLogger("a.logger.of.the.program")
    open_database(sqlite_url).close()
    assert not logger.disabled


def test_that_a_database_of_a_newer_release_is_refused(database: Database) -> None:
    with database.write() as connection:
        own = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew, match=r"9999.*upgrade shopbot"):
        migrate(database.engine)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :own"), {"own": own})


def test_that_a_write_that_raises_is_undone(database: Database) -> None:
    insert = text("INSERT INTO feed_mappings (feed, mapping) VALUES ('a', '{}')")
    with pytest.raises(RuntimeError, match="halfway"), database.write() as connection:
        connection.execute(insert)
        raise RuntimeError("halfway")
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM feed_mappings")).scalar_one() == 0


# ---- URLs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("", "sqlite:///path"),
        ("shop.db", "sqlite:///path"),
        ("mysql://user@host/shop", "use sqlite:/// or postgresql://"),
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("sqlite:////dev/null/shop.db", "SHOPBOT_HOME"),
        ("postgresql://user:pa55@127.0.0.1:1/shop?connect_timeout=2", "SHOPBOT_DATABASE_URL"),
    ],
)
def test_that_a_url_that_cannot_be_used_is_answered_with_the_remedy(url: str, remedy: str) -> None:
    with pytest.raises(DatabaseUnavailable) as refusal:
        open_database(url)
    message = str(refusal.value)
    assert remedy in message
    assert "\n" not in message
    assert "pa55" not in message


def test_that_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    path.write_text("id,title\n" * 200)
    with pytest.raises(DatabaseUnavailable, match="not a database"):
        open_database(f"sqlite:///{path}")
    assert path.read_text() == "id,title\n" * 200


def test_that_postgresql_without_its_driver_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DatabaseUnavailable, match=r"pip install shopbot\[postgres\]"):
        open_database("postgresql://user@127.0.0.1:1/shop")


def test_that_a_new_file_and_its_folder_are_made_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "var" / "deep" / "shop.db"
    with open_database(f"sqlite:///{path}") as database:
        ConversationStore(database).open(
            "s", language="en", customer_id=None, training_consent=False, now=NOW
        )
        files = list(path.parent.iterdir())
        assert path in files
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


# ---- two programs, and sudden death --------------------------------------------------------------


def test_that_two_programs_on_one_file_see_each_others_turns(database_url: str) -> None:
    with open_database(database_url) as one, open_database(database_url) as two:
        first, second = ConversationStore(one), ConversationStore(two)
        conversation = first.open(
            "s", language="en", customer_id=None, training_consent=False, now=NOW
        )
        for number, store in enumerate((first, second, first, second)):
            store.add_turn(conversation.id, TURN, state={"n": number}, handed_off=False, now=NOW)
        assert first.turns(conversation.id) == second.turns(conversation.id)
        assert first.count_turns() == 4
        assert first.find("s") == second.find("s")


_TALK_AND_DIE = """
import os, signal, sys
sys.path.insert(0, {root!r})
from datetime import UTC, datetime
from db.conversations import ConversationStore, NewTurn
from db.engine import open_database

now = datetime.now(UTC)
store = ConversationStore(open_database(sys.argv[1]))
conversation = store.open("s", language="en", customer_id=None, training_consent=False, now=now)
for number in range(3):
    store.add_turn(
        conversation.id,
        NewTurn(
            user_text=f"message {{number}}", reply_text="hello", language="en", intent="greet",
            intents=("greet",), acts=("greet",), payload={{}}, trace={{}}, generator_name="plain",
            generator_version="1", prompt_version="1", fallback=True,
        ),
        state={{"n": number}}, handed_off=False, now=now,
    )
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_that_turns_survive_the_death_of_the_program_that_showed_them(database_url: str) -> None:
    root = str(Path(__file__).parents[3])
    ended = subprocess.run(
        [sys.executable, "-c", _TALK_AND_DIE.format(root=root), database_url], check=False
    )
    assert ended.returncode == -signal.SIGKILL
    with open_database(database_url) as database:
        store = ConversationStore(database)
        conversation = store.find("s")
        assert conversation is not None
        assert conversation.state == {"n": 2}
        said = [turn.user_text for turn in store.turns(conversation.id)]
        assert said == ["message 0", "message 1", "message 2"]


def test_that_erased_text_is_gone_from_the_files(tmp_path: Path, sqlite_url: str) -> None:
    with open_database(sqlite_url) as database:
        store = ConversationStore(database)
        conversation = store.open(
            "s", language="en", customer_id=None, training_consent=False, now=NOW
        )
        store.add_turn(conversation.id, TURN, state={}, handed_off=False, now=NOW)

        def found() -> bool:
            return any(b"very private" in file.read_bytes() for file in tmp_path.glob("shop.db*"))

        assert found()
        store.erase(conversation.id)
        assert not found()


def test_that_every_connection_to_sqlite_is_set_up_to_lose_nothing(
    sqlite_database: Database,
) -> None:
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 20000,
        "secure_delete": 1,
    }
    with sqlite_database.read() as one, sqlite_database.read() as two:
        for connection in (one, two):
            found = {
                name: connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in expected
            }
            assert found == expected
