"""The shop's feed taken over by itself: what changes the shop, and what never does."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from https_server import HOST, PUBLIC, Internet, internet, send
from shop_homes import NOW, settings_of

from bot import syncing
from bot.app import Shop, make_embedder, make_sync, open_store
from bot.errors import ConfigError
from bot.outbound import Outbound
from bot.syncing import Sync, SyncFailed, by_interval, due, pause, read_memory
from bot.turn import ChatRequest
from db.catalog import CatalogStore
from db.engine import Database
from db.orders import OrderStore

HEAD = "id,title,price\n"
ROWS = [f"p{n},Kettle number {n},{n}9.00 USD\n" for n in range(1, 11)]
FEED = HEAD + "".join(ROWS)
URL = f"https://{HOST}/feed.csv?key=topsecret"


class Home:
    """A home with a feed, and what its catalogue is asked for."""

    def __init__(self, home: Path, source: str, outbound: Outbound | None, **more: str) -> None:
        self.settings = settings_of(home, more={"SHOPBOT_FEED__SOURCE": source} | more)
        self.database: Database = open_store(self.settings)
        self.catalog = CatalogStore(self.database)
        self.refreshed = 0
        self.outbound = outbound

    def sync(self, *, later: int = 0, yes: bool = False) -> syncing.Synced:
        """A run so many hours after NOW; the index is counted and not built."""

        def refresh() -> bool:
            self.refreshed += 1
            return False

        now = NOW + timedelta(hours=later)
        return Sync(
            self.settings.model_copy(update={"now": now}),
            catalog=self.catalog,
            order_store=OrderStore(self.database),
            refresh=refresh,
            outbound=self.outbound,
        ).run(yes=yes)

    def titles(self) -> list[str]:
        return [product.title for product in self.catalog.products()]

    @property
    def memory(self) -> syncing.Memory:
        return read_memory(self.settings.feed_folder)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Home]]:
    homes: list[Home] = []

    def make(source: str, outbound: Outbound | None = None, **more: str) -> Home:
        homes.append(Home(tmp_path / "home", source, outbound, **more))
        return homes[-1]

    yield make
    for home in homes:
        home.database.close()


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    path = tmp_path / "goods.csv"
    path.write_text(FEED)
    return path


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Internet]:
    with internet(tmp_path) as found:
        yield found


def serve(net: Internet, body: str) -> None:
    """Serves the feed under an ETag of its length."""

    def page(handler: BaseHTTPRequestHandler) -> None:
        tag = f'"{len(body)}"'
        same = handler.headers["If-None-Match"] == tag
        send(handler, b"" if same else body.encode(), status=304 if same else 200, ETag=tag)

    net.pages[f"{HOST}/feed.csv"] = page


# ---- a path --------------------------------------------------------------------------------------


def test_that_without_a_feed_nothing_is_done(tmp_path: Path, opened: Callable[..., Home]) -> None:
    home = opened("")
    with pytest.raises(ConfigError, match=r"set feed\.source"):
        home.sync()
    assert not home.settings.feed_folder.exists()


def test_that_an_unchanged_file_is_not_imported_again(
    feed: Path, opened: Callable[..., Home]
) -> None:
    home = opened(str(feed))
    (report,) = home.sync().reports
    assert (report.kind, report.added) == ("products", 10)
    number = home.catalog.last_import()
    assert home.sync(later=3).reports == ()
    assert home.catalog.last_import() == number
    assert home.catalog.imported_at() == NOW + timedelta(hours=3)  # it was looked at
    feed.write_text(FEED.replace("number 3", "of copper"))
    (report,) = home.sync(later=4).reports
    assert (report.changed, report.unchanged) == (1, 9)
    assert home.refreshed == 3  # an index that was not finished is, even if nothing changed


def test_that_a_feed_is_taken_over_again_after_another_import_or_other_settings(
    feed: Path, opened: Callable[..., Home], tmp_path: Path
) -> None:
    home = opened(str(feed))
    home.sync()
    home.catalog.apply_products([], partial=True, may_withdraw_many=False, now=NOW)
    assert home.sync().reports
    assert not home.sync().reports
    assert opened(str(feed), SHOPBOT_FEED__CURRENCY="EUR").sync().reports


def test_that_options_are_those_of_an_import(tmp_path: Path, opened: Callable[..., Home]) -> None:
    path = tmp_path / "goods.csv"
    path.write_text("id,headline,cents\n1,Kettle,1999\n2,Pot,2500\n")
    home = opened(
        str(path),
        SHOPBOT_FEED__MAP="title=headline; price=cents/100",
        SHOPBOT_FEED__CURRENCY="EUR",
        SHOPBOT_FEED__PARTIAL="true",
    )
    home.sync()
    assert home.titles() == ["Kettle", "Pot"]
    prices = [product.price for product in home.catalog.products()]
    assert [str(price and price.amount) for price in prices] == ["19.99", "25.00"]
    path.write_text("id,headline,cents\n2,Pot,2500\n")
    home.sync()
    assert home.titles() == ["Kettle", "Pot"]


def test_that_a_broken_file_leaves_the_shop_as_it_is(
    feed: Path, opened: Callable[..., Home]
) -> None:
    home = opened(str(feed))
    home.sync()
    for broken in ("", "<html>Sorry</html>", HEAD, HEAD + "1,,\n", '{"error": "maintenance"}'):
        feed.write_text(broken)
        with pytest.raises(SyncFailed):
            home.sync()
        assert len(home.titles()) == 10
    assert home.memory.failures == 5
    feed.unlink()
    with pytest.raises(SyncFailed, match="does not exist"):
        home.sync()
    assert home.refreshed == 1
    assert home.catalog.imported_at() == NOW
    feed.write_text(FEED)
    assert home.sync(later=1).reports == ()  # it is what was taken over before
    assert (home.memory.failures, home.memory.reason) == (0, "")


def test_that_an_absurd_share_is_not_withdrawn_unless_it_is_meant(
    feed: Path, opened: Callable[..., Home]
) -> None:
    home = opened(str(feed))
    home.sync()
    feed.write_text(HEAD + "".join(ROWS[:6]))
    with pytest.raises(SyncFailed, match=r"4 of 10 .*shopbot sync --yes"):
        home.sync()
    assert len(home.titles()) == 10
    home.sync(yes=True)
    assert len(home.titles()) == 6
    feed.write_text(HEAD + "".join(ROWS[:5]))
    strict = opened(str(feed), SHOPBOT_FEED__MAX_WITHDRAWN="0.1")
    with pytest.raises(SyncFailed, match="1 of 6"):
        strict.sync()
    generous = opened(str(feed), SHOPBOT_FEED__MAX_WITHDRAWN="0.2")
    (report,) = generous.sync().reports
    assert report.withdrawn == 1


def test_that_two_do_not_take_the_feed_over_at_once(
    feed: Path, opened: Callable[..., Home]
) -> None:
    home = opened(str(feed))
    inside: list[str] = []
    first = Sync(
        home.settings,
        catalog=home.catalog,
        order_store=OrderStore(home.database),
        refresh=lambda: bool(inside.append(_failure(home))),
    )
    first.run()
    assert inside == ["the feed is being taken over already; wait for that"]


def _failure(home: Home) -> str:
    with pytest.raises(SyncFailed) as error:
        home.sync()
    return str(error.value)


# ---- the web -------------------------------------------------------------------------------------


def test_that_a_feed_of_the_web_is_fetched_when_it_changed(
    net: Internet, opened: Callable[..., Home]
) -> None:
    serve(net, FEED)
    home = opened(URL, net.outbound)
    assert home.sync().reports[0].added == 10
    assert home.sync().reports == ()
    serve(net, FEED + "p11,Kettle number 11,119.00 USD\n")
    assert home.sync().reports[0].added == 1
    told = [headers.get("If-None-Match") for _, headers in net.asked]
    assert told == [None, f'"{len(FEED)}"', f'"{len(FEED)}"']
    assert [path.name for path in home.settings.feed_folder.iterdir() if path.is_dir()] == []


def test_that_a_feed_without_an_etag_is_compared_by_what_it_holds(
    net: Internet, opened: Callable[..., Home]
) -> None:
    net.pages[f"{HOST}/feed.csv"] = lambda handler: send(handler, FEED.encode())
    home = opened(URL, net.outbound)
    assert home.sync().reports
    assert not home.sync().reports


def test_that_a_failed_fetch_leaves_the_shop_as_it_is_and_keeps_what_it_knew(
    net: Internet, opened: Callable[..., Home]
) -> None:
    serve(net, FEED)
    home = opened(URL, net.outbound)
    home.sync()
    pages = dict(net.pages)
    net.pages.clear()
    for _ in range(2):
        with pytest.raises(SyncFailed, match="answered 404") as error:
            home.sync()
        assert "topsecret" not in str(error.value)
    assert len(home.titles()) == 10
    assert home.memory.failures == 2
    net.addresses[HOST] = [["127.0.0.1"]]
    with pytest.raises(SyncFailed, match="private network"):
        home.sync()
    net.addresses[HOST] = [[PUBLIC]]
    net.pages.update(pages)
    assert home.sync().reports == ()
    assert home.memory.failures == 0


def test_that_what_is_remembered_holds_no_address_or_password(
    net: Internet, opened: Callable[..., Home]
) -> None:
    serve(net, FEED)
    home = opened(URL, net.outbound, SHOPBOT_FEED__USER="me", SHOPBOT_FEED__PASSWORD="hush-hush")
    home.sync()
    kept = (home.settings.feed_folder / "state.json").read_text()
    assert "topsecret" not in kept and "hush" not in kept
    assert syncing.place_of(home.settings.feed) == f"https://{HOST}/…"
    assert "hush" not in repr(home.settings)


def test_that_a_damaged_memory_costs_one_import(feed: Path, opened: Callable[..., Home]) -> None:
    home = opened(str(feed))
    home.sync()
    for text in ("", "[]", "{", json.dumps({"other": 1})):
        (home.settings.feed_folder / "state.json").write_text(text)
        assert home.sync().reports[0].unchanged == 10


# ---- the index and the running shop --------------------------------------------------------------


def test_that_a_running_shop_answers_from_the_new_feed(feed: Path, tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "home", more={"SHOPBOT_FEED__SOURCE": str(feed)})
    with open_store(settings) as database:
        assert make_sync(settings, database, make_embedder(settings)).run().indexed
        assert not make_sync(settings, database, make_embedder(settings)).run().indexed
    with closing(Shop(settings)) as shop:
        asked = ChatRequest("What does Kettle number 3 cost?")
        assert "$39.00" in shop.chat(asked).text
        feed.write_text(FEED.replace("39.00", "41.50"))
        shop.sync()
        assert "$41.50" in shop.chat(asked).text
        feed.write_text("nonsense")
        with pytest.raises(SyncFailed):
            shop.sync()
        assert "$41.50" in shop.chat(asked).text


# ---- by interval ---------------------------------------------------------------------------------


def test_that_failures_are_tried_again_ever_later_up_to_the_interval() -> None:
    day = timedelta(days=1)
    waits = [pause(n, interval=day) for n in range(1, 6)]
    assert waits == [timedelta(minutes=m) for m in (1, 2, 4, 8, 16)]
    assert pause(5000, interval=day) == day
    assert pause(3, interval=timedelta(minutes=3)) == timedelta(minutes=3)


def test_that_a_server_that_starts_waits_for_what_is_left_of_the_interval() -> None:
    six = timedelta(hours=6)
    assert due(None, now=NOW, interval=six) == timedelta(0)
    assert due(NOW - timedelta(hours=2), now=NOW, interval=six) == timedelta(hours=4)
    assert due(NOW - timedelta(days=2), now=NOW, interval=six) == timedelta(0)
    assert due(NOW + timedelta(days=2), now=NOW, interval=six) == six


def test_that_each_reason_is_logged_once_and_that_it_goes_well_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(syncing, "FIRST_RETRY", timedelta(milliseconds=1))
    outcomes: list[Exception | None] = [
        SyncFailed("no route"), SyncFailed("no route"), SyncFailed("no feed"),
        ValueError("holds topsecret"), None, SyncFailed("no route"),
    ]  # fmt: skip
    done = threading.Event()

    def task() -> None:
        if not outcomes:
            done.set()
            return
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome

    with (
        caplog.at_level(logging.INFO, "bot.syncing"),
        by_interval(task, interval=timedelta(milliseconds=1), first=timedelta(0)),
    ):
        assert done.wait(10)
    assert [record.getMessage() for record in caplog.records] == [
        "feed not taken over: no route",
        "feed not taken over: no feed",
        "feed not taken over: an unforeseen ValueError",
        "feed taken over again",
        "feed not taken over: no route",
        "feed taken over again",
    ]
