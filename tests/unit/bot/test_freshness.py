"""The age of prices: when it is told, in which words, and that a wrong day is not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from shop_homes import NOW, build_tiny, copy_of, settings_of, shop_in

from bot.app import Shop
from bot.dialog import MAX_CHARS
from bot.doctor import examine
from bot.freshness import Freshness
from bot.turn import ChatRequest, Fact
from bot.verifier import verify
from bot.web.metrics import Metrics
from db.records import Money, Product, ProductId
from prompts.acts import inventory

TWO_DAYS = timedelta(days=2)
LONG = " ".join(["remarkably"] * 20)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    price = Money(Decimal("49.00"), "USD")
    kettles = [
        Product(ProductId(f"k{n}"), f"Copper Kettle {n} {LONG}"[:230], price=price, category=("Kitchen",))
        for n in range(1, 5)
    ]  # fmt: skip
    return build_tiny(tmp_path_factory.mktemp("tiny") / "home", products=kettles)


def old(opened: Callable[..., Shop], days: int = 3) -> Shop:
    return opened(SHOPBOT_FEED__MAX_AGE="2d", SHOPBOT_NOW=(NOW + timedelta(days=days)).isoformat())


@pytest.mark.parametrize(
    ("imported", "most", "told"),
    [
        (NOW, TWO_DAYS, None),
        (NOW - TWO_DAYS, TWO_DAYS, None),
        (NOW - TWO_DAYS - timedelta(seconds=1), TWO_DAYS, date(2026, 2, 28)),
        (NOW - timedelta(days=900), None, None),
        (None, TWO_DAYS, None),
    ],
)
def test_that_only_prices_beyond_the_limit_are_old(
    imported: datetime | None, most: timedelta | None, told: date | None
) -> None:
    assert Freshness(lambda: imported, most).prices_as_of(NOW) == told


def test_that_the_day_is_that_of_the_shops_own_zone() -> None:
    evening = datetime(2026, 2, 1, 20, 0, tzinfo=UTC)
    fresh = Freshness(lambda: evening, TWO_DAYS, ZoneInfo("Asia/Shanghai"))
    assert fresh.prices_as_of(NOW) == date(2026, 2, 2)


@pytest.mark.parametrize(
    ("language", "text", "day"),
    [
        ("en", "Prices are as of March 2, 2026.", "March 2, 2026"),
        ("zh", "以上价格以2026年3月2日为准。", "2026年3月2日"),
    ],
)
def test_that_a_notice_with_another_day_has_no_source(language, text: str, day: str) -> None:  # type: ignore[no-untyped-def]
    facts = [Fact("F1", "shop", "feed", "imported", day)]
    assert verify(text, facts, language=language, act="prices_as_of").ok
    for wrong in (text.replace("2026", "2027"), text.replace("2,", "3,").replace("2日", "3日")):
        assert wrong != text
        assert not verify(wrong, facts, language=language, act="prices_as_of").ok
    assert not verify(text, [], language=language, act="prices_as_of").ok


def test_that_the_notice_is_traced_and_is_no_fallback(opened: Callable[..., Shop]) -> None:
    shop = old(opened)
    reply = shop.chat(ChatRequest("How much is the Copper Kettle 1?"))
    record = shop.conversations.turn(reply.turn_id)
    assert record is not None
    last = record.trace["segments"][-1]
    assert (last["act"], last["slots"]) == ("prices_as_of", {"date": "March 2, 2026"})
    assert "prices_as_of: older than feed.max_age" in record.trace["decisions"]
    assert "prices_as_of" not in inventory().acts  # no generator is asked for it


def test_that_a_full_reply_still_holds_the_notice(opened: Callable[..., Shop]) -> None:
    reply = old(opened).chat(ChatRequest("show me copper kettles"))
    assert len(reply.products) == 4
    assert reply.text.endswith("Prices are as of March 2, 2026.")
    assert len(reply.text) <= MAX_CHARS


def test_that_a_feed_that_is_looked_at_again_is_fresh_again(opened: Callable[..., Shop]) -> None:
    shop = old(opened)
    asked = ChatRequest("How much is the Copper Kettle 1?")
    assert "as of" in shop.chat(asked).text
    shop.catalog.confirm(now=NOW + timedelta(days=3))
    assert "as of" not in shop.chat(asked).text


def test_that_readiness_and_metrics_tell_the_age(tiny: Path, tmp_path: Path) -> None:
    later = (NOW + timedelta(days=3)).isoformat()
    for most, stale in (("2d", True), ("4d", False), ("", False)):
        home = copy_of(tiny, tmp_path / f"home{most}")
        more = {"SHOPBOT_FEED__MAX_AGE": most, "SHOPBOT_NOW": later}
        with closing(shop_in(home, more=more)) as shop:
            readiness = shop.readiness()
        assert readiness.ready  # old prices are told, and no reason to be silent
        assert readiness.feed_age_seconds == 3 * 86400
        assert readiness.feed_stale is stale
        text = Metrics().text(readiness).decode()
        assert "shopbot_feed_age_seconds 259200.0" in text
        assert f"shopbot_feed_stale {float(stale)}" in text


def test_that_the_doctor_tells_age_place_and_last_failure(tiny: Path, tmp_path: Path) -> None:
    home = copy_of(tiny, tmp_path / "home")
    later = (NOW + timedelta(days=3)).isoformat()

    def feed(**more: str) -> tuple[bool, str]:
        checks = {c.name: c for c in examine(settings_of(home, more={"SHOPBOT_NOW": later} | more))}
        return checks["feed"].ok, checks["feed"].text

    assert feed() == (True, "3 d old; imported by hand (feed.source)")
    ok, told = feed(SHOPBOT_FEED__MAX_AGE="2d")
    assert not ok and "older than 2 d" in told and "shopbot import FEED" in told
    web = {
        "SHOPBOT_FEED__SOURCE": "https://shop.example/f.csv?key=topsecret",
        "SHOPBOT_FEED__INTERVAL": "6h",
    }
    assert feed(**web) == (True, "3 d old; from https://shop.example/…, every 6 h")
    (home / "feed").mkdir()
    (home / "feed" / "state.json").write_text('{"failures": 4, "reason": "no route"}')
    ok, told = feed(**web)
    assert not ok and told.endswith("failed 4 times, last: no route")
