"""A database that is locked, full, gone or lost in the middle of a turn: what everybody is told.

Nothing is shown that is not stored, the shop says that it cannot, and goes on by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from shop_homes import build_tiny, shop_in
from sqlalchemy import Engine, create_engine, event, make_url

from bot.app import Shop, web_settings
from bot.web.app import create_app
from bot.web.chat_page import ChatPage, sign
from bot.web.limits import Client, Limiter
from bot.web.metrics import Metrics
from bot.web.service import Limits
from bot.web.turns import Desk
from db import engine as db_engine
from db.records import Product, ProductId
from db.tables import metadata

SELF = Client("127.0.0.1", limited=False)
PRODUCTS = [Product(ProductId("k1"), "Copper Kettle"), Product(ProductId("l1"), "Desk Lamp")]
OUT_OF_ORDER = {"en": "nothing was kept", "zh": "未被保存"}
UNREAD = {"en": "Your conversation is kept", "zh": "您的对话仍然保留"}


@contextmanager
def _aside(url: str) -> Iterator[Engine]:
    """Another program at the same database."""
    made = make_url(url)
    if made.get_backend_name() == "postgresql":
        made = made.set(drivername="postgresql+psycopg")
    engine = create_engine(made, isolation_level="AUTOCOMMIT")
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def locked(shop: Shop, url: str) -> Iterator[None]:
    with _aside(url) as engine, engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
        else:
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql("LOCK TABLE turns IN EXCLUSIVE MODE")
        try:
            yield
        finally:
            connection.exec_driver_sql("ROLLBACK")


@contextmanager
def full(shop: Shop, url: str) -> Iterator[None]:
    """No page may be added to the file, as where its disk has no room."""

    def limit(connection: Any, _record: object, _proxy: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # no less than there are

    engine = shop.conversations._database.engine
    event.listen(engine, "checkout", limit)
    try:
        yield
    finally:
        event.remove(engine, "checkout", limit)
        engine.dispose()


@contextmanager
def gone(shop: Shop, url: str) -> Iterator[None]:
    """The server ends every connection and takes no new one."""
    name = make_url(url).database
    server = make_url(url).set(database="postgres").render_as_string(hide_password=False)
    with _aside(server) as engine, engine.connect() as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        connection.exec_driver_sql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        try:
            yield
        finally:
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


@contextmanager
def lost(shop: Shop, url: str) -> Iterator[None]:
    """The server ends the connection that is about to keep a turn."""
    with _aside(url) as aside:

        def end(connection: Any, _cursor: object, statement: str, *_more: object) -> None:
            if statement.startswith("INSERT INTO turns"):
                own = connection.connection.dbapi_connection.info.backend_pid
                with aside.connect() as other:
                    # waits until it has ended
                    other.exec_driver_sql(f"SELECT pg_terminate_backend({own}, 5000)")

        engine = shop.conversations._database.engine
        event.listen(engine, "before_cursor_execute", end)
        try:
            yield
        finally:
            event.remove(engine, "before_cursor_execute", end)


@dataclass(frozen=True)
class Fall:
    """What befalls the database, what a client is told of it, and what still works meanwhile."""

    begins: Callable[[Shop, str], AbstractContextManager[None]]
    kind: str
    retry_after: str
    readable: bool = True
    erases: bool = False  # what is deleted needs no new page, and inserts no turn


FALLS = {
    "locked": Fall(locked, "database-busy", "5"),
    "full": Fall(full, "disk-full", "60", erases=True),
    "gone": Fall(gone, "database-unavailable", "10", readable=False),
    "lost": Fall(lost, "database-unavailable", "10", erases=True),
}


@dataclass(frozen=True)
class Falling:
    """A shop, its faces, and what will befall it."""

    shop: Shop
    client: TestClient
    page: ChatPage
    fall: Fall
    url: str

    def begins(self) -> AbstractContextManager[None]:
        return self.fall.begins(self.shop, self.url)

    def say(self, message: str, session: str | None = None, **more: Any) -> Any:
        return self.client.post(
            "/api/chat", json={"message": message, "session_id": session} | more
        )


@pytest.fixture(
    params=[
        ("locked", "sqlite_url"),
        ("full", "sqlite_url"),
        pytest.param(("locked", "migrated_postgres"), marks=pytest.mark.postgres),
        pytest.param(("gone", "migrated_postgres"), marks=pytest.mark.postgres),
        pytest.param(("lost", "migrated_postgres"), marks=pytest.mark.postgres),
    ],
    ids=lambda given: f"{given[0]}-{given[1].removeprefix('migrated_').removesuffix('_url')}",
)
def falling(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Falling]:
    name, where = request.param
    monkeypatch.setattr(db_engine, "LOCK_SECONDS", 0.05)
    url = request.getfixturevalue(where)
    with ExitStack() as ends:
        if where == "migrated_postgres":
            ends.callback(_emptied, url)
        more = {"SHOPBOT_DATABASE_URL": url}
        home = build_tiny(tmp_path / "home", products=PRODUCTS, more=more)
        shop = ends.enter_context(closing(shop_in(home, more=more)))
        settings = web_settings(shop.settings)
        limiter = Limiter(Limits(), clock=time.monotonic)
        desk = Desk(shop, limiter=limiter, metrics=Metrics())
        page = ChatPage(desk, settings, pause=lambda seconds: None)
        client = TestClient(create_app(shop, settings), raise_server_exceptions=False)
        yield Falling(shop, client, page, FALLS[name], url)


def _emptied(url: str) -> None:
    with _aside(url) as engine, engine.connect() as connection:
        names = ", ".join(metadata.tables)
        connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")


# ---- what a client is told -----------------------------------------------------------------------


def test_that_a_turn_that_cannot_be_kept_is_a_503_and_the_same_message_is_answered_later(
    falling: Falling,
) -> None:
    first = falling.say("hello").json()
    session, message = first["session_id"], {"client_message_id": "m-2"}
    with falling.begins():
        refused = falling.say("I need a kettle", session, **message)
    after = falling.say("I need a kettle", session, **message)

    assert refused.status_code == 503
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"].endswith(falling.fall.kind)
    assert refused.headers["retry-after"] == falling.fall.retry_after
    assert make_url(falling.url).database not in refused.text  # where it is, is nobody's business
    assert after.status_code == 200
    assert [card["id"] for card in after.json()["products"]] == ["k1"]
    shown = falling.client.get(
        "/api/conversations/current", headers={"x-shopbot-session": session}
    ).json()
    said = [entry["text"] for entry in shown["entries"]]
    assert said == ["hello", first["reply"], "I need a kettle", after.json()["reply"]]


def test_that_a_stream_ends_with_the_error_and_no_word_of_the_reply(falling: Falling) -> None:
    session = falling.say("hello").json()["session_id"]
    with falling.begins():
        body = {"message": "I need a kettle", "session_id": session}
        response = falling.client.post("/api/chat/stream", json=body)

    assert falling.fall.kind in response.text
    assert "event: token" not in response.text and "event: done" not in response.text
    assert falling.shop.conversations.count_turns() == 1


def test_that_readiness_says_so_while_it_lasts_and_recovers_with_the_next_turn(
    falling: Falling,
) -> None:
    session = falling.say("hello").json()["session_id"]
    assert falling.client.get("/health/ready").status_code == 200
    with falling.begins():
        falling.say("I need a kettle", session)
        unready = falling.client.get("/health/ready")
        counted = falling.client.get("/metrics").text
    falling.say("I need a kettle", session)

    assert unready.status_code == 503
    assert "records" in unready.text or "room" in unready.text
    assert f'shopbot_failures_total{{kind="{falling.fall.kind}"}} 1.0' in counted
    assert "shopbot_ready 0.0" in counted
    assert falling.client.get("/health/ready").status_code == 200


# ---- what a shopper sees -------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
def test_that_the_page_says_in_the_shoppers_language_that_nothing_was_kept(
    falling: Falling, language: str
) -> None:
    def ask(token: str, key: str) -> list[dict[str, Any]]:
        data = {"message": "a kettle", "key": key, "token": token, "language": language}
        return list(falling.page.send(data, SELF))

    token = ask("", "k1")[-1]["token"]
    with falling.begins():
        updates = ask(token, "k2")
    again = ask(token, "k2")

    assert updates[-1]["state"] == "failed"
    assert OUT_OF_ORDER[language] in updates[-1]["html"]
    assert {update["state"] for update in updates} == {"stage", "failed"}  # no word of a reply
    assert all("Copper" not in update["html"] for update in updates)
    assert updates[-1].get("token", token) == token
    assert again[-1]["state"] == "done"
    assert falling.shop.conversations.count_turns() == 2


def test_that_only_a_conversation_that_was_erased_is_said_to_be(falling: Falling) -> None:
    session = falling.say("hello").json()["session_id"]
    token = sign(session, secret=falling.shop.settings.secret())
    with falling.begins():
        wiped = falling.page.wipe({"token": token, "language": "en"}, SELF)
        answered = falling.client.delete(
            "/api/conversations/current", headers={"x-shopbot-session": session}
        )
    erased = falling.fall.erases
    assert ("has been erased" in wiped["spoken"]) == erased
    assert ("was not erased" in wiped["spoken"]) == (not erased)
    assert wiped["token"] == ("" if erased else token)
    assert answered.status_code == (404 if erased else 503)
    assert falling.shop.conversations.count_turns() == (0 if erased else 1)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_that_a_page_opened_meanwhile_keeps_its_token(falling: Falling, language: str) -> None:
    session = falling.say("hello").json()["session_id"]
    data = {"token": sign(session, secret=falling.shop.settings.secret()), "language": language}
    with falling.begins():
        meanwhile = falling.page.open(data)
    later = falling.page.open(data)

    assert meanwhile["token"] == later["token"] == data["token"]
    keys = [turn["key"] for turn in meanwhile["turns"]]
    if falling.fall.readable:
        assert keys == ["1-shopper-0", "1-bot-1"]
    else:
        assert keys == ["unread"]
        assert UNREAD[language] in meanwhile["turns"][0]["html"]
        assert 'data-act="reopen"' in meanwhile["turns"][0]["html"]
    assert [turn["key"] for turn in later["turns"]] == ["1-shopper-0", "1-bot-1"]


# ---- what is no fall -----------------------------------------------------------------------------


@pytest.mark.postgres
def test_that_a_restart_of_the_server_between_turns_costs_no_turn(
    migrated_postgres: str, tmp_path: Path
) -> None:
    more = {"SHOPBOT_DATABASE_URL": migrated_postgres}
    home = build_tiny(tmp_path / "home", products=PRODUCTS, more=more)
    with ExitStack() as ends:
        ends.callback(_emptied, migrated_postgres)
        shop = ends.enter_context(closing(shop_in(home, more=more)))
        client = TestClient(create_app(shop, web_settings(shop.settings)))
        session = client.post("/api/chat", json={"message": "hello"}).json()["session_id"]
        with gone(shop, migrated_postgres):
            pass
        answer = client.post("/api/chat", json={"message": "a kettle", "session_id": session})
        assert answer.status_code == 200
