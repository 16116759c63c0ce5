"""Conversations that read like a transcript, played over the example shop, or with `shop: zh` over
a small Chinese one (`goods_zh.json`).

Each `*.yaml` beside this file is a list of stories: `id`, optionally `fails` (why it is expected
to, and that nobody may forget it when it no longer does), optionally `shop` or `settings` (environment
variables of a shop of its own), and `turns`, as `bot/evaluation/tasks.py` reads them.

The fallback's plain sentences speak, so a story is about what is decided, not how it is phrased.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from shop_homes import build_example, build_tiny, copy_of, shop_in

from bot.app import Shop
from bot.evaluation.tasks import KEYS, wrong
from bot.turn import ChatRequest
from db.records import Attribute, Money, Product, ProductId, Variant

HERE = Path(__file__).parent


def stories() -> Iterator[Any]:
    for path in sorted(HERE.glob("*.yaml")):
        for story in yaml.safe_load(path.read_text(encoding="utf-8")):
            reason = story.get("fails")
            marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
            yield pytest.param(story, id=f"{path.stem}-{story['id']}", marks=marks)


@pytest.fixture(scope="session")
def example_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_example(tmp_path_factory.mktemp("example") / "home", encoder="bilingual")


@pytest.fixture(scope="module")
def shop(example_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = shop_in(
        copy_of(example_home, tmp_path_factory.mktemp("told") / "home"), encoder="bilingual"
    )
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def chinese_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    home = build_tiny(tmp_path_factory.mktemp("zh") / "home", products=_goods())
    shop = shop_in(home, more={"SHOPBOT_SHOP__NAME": "山禾家居"})
    yield shop
    shop.close()


def _goods() -> Iterator[Product]:
    for row in json.loads((HERE / "goods_zh.json").read_text(encoding="utf-8")):
        price = Money(Decimal(row["price"]), "CNY")
        yield Product(
            id=ProductId(row["id"]),
            title=row["title"],
            price=price,
            in_stock=row["in_stock"],
            brand=row["brand"],
            category=tuple(row["category"]),
            variants=tuple(
                Variant(f"{row['id']}-{n}", options=(Attribute("颜色", colour),), price=price)
                for n, colour in enumerate(row["colours"])
            ),
            attributes=tuple(Attribute(name, value) for name, value in row["attributes"].items()),
        )


def test_that_every_story_has_a_name_of_its_own() -> None:
    names = [param.id for param in stories()]
    assert len(names) == len(set(names)) >= 15


@pytest.mark.parametrize("story", list(stories()))
def test_that_the_story_goes_as_told(
    request: pytest.FixtureRequest, story: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with _shop_of(story, request) as shop:
        _play(shop, story, caplog)


@contextmanager
def _shop_of(story: dict[str, Any], request: pytest.FixtureRequest) -> Iterator[Shop]:
    """The shop of all stories or the Chinese one, or one of its own for a story that sets something."""
    settings = story.get("settings")
    if settings is None:
        yield request.getfixturevalue("chinese_shop" if story.get("shop") == "zh" else "shop")
        return
    home = request.getfixturevalue("example_home")
    own = copy_of(home, request.getfixturevalue("tmp_path") / "home")
    with closing(shop_in(own, encoder="bilingual", more=settings)) as shop:
        yield shop


def _play(shop: Shop, story: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    session = None
    for turn in story["turns"]:
        reply = shop.chat(ChatRequest(turn["say"], session_id=session))
        session = reply.session_id
        expected = {key: value for key, value in turn.items() if key != "say"}
        assert set(expected) <= KEYS, f"unknown keys {sorted(set(expected) - KEYS)}"
        faults = [told for key, value in expected.items() if (told := wrong(key, value, reply))]
        assert not faults, f"to {turn['say']!r} came {reply.text!r}: {'; '.join(faults)}"
        assert "plain sentence refused" not in caplog.text, f"bare values: {reply.text!r}"
