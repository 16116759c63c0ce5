"""Conversations that read like a transcript, played over the example shop, or with `shop: zh` over
a small Chinese one (`goods_zh.json`).

Each `*.yaml` beside this file is a list of stories: `id`, optionally `fails` (why it is expected
to, and that nobody may forget it when it no longer does), optionally `shop` or `settings` (environment
variables of a shop of its own), and `turns`. A turn is what the shopper says and what must come back:

    intent     one, or a list of which one must come first
    shows      exactly these product ids are on the cards, in any order; `[]` for none
    first      the id of the first card
    costs      {under: N} or {over: N}: every card's price
    offers     words of the suggestion chips
    has, lacks words in the reply, whatever their case (with `|` between words, one of them)
    hides      words that nothing of the reply holds: text, cards, quotes, suggestions
    cites      [source, words of the quote]
    request    the kind of the request that was recorded; `none` where none may be
    handoff, language

The fallback's plain sentences speak, so a story is about what is decided, not how it is phrased.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from shop_homes import build_example, build_tiny, copy_of, shop_in

from bot.app import Shop
from bot.turn import ChatRequest, Reply
from bot.web.payload import reply_payload
from db.records import Attribute, Money, Product, ProductId, Variant

HERE = Path(__file__).parent
KEYS = {
    "intent", "shows", "first", "costs", "has", "lacks", "hides", "cites", "request", "handoff",
    "language", "offers",
}  # fmt: skip


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
        wrong = [told for key, value in expected.items() if (told := _wrong(key, value, reply))]
        assert not wrong, f"to {turn['say']!r} came {reply.text!r}: {'; '.join(wrong)}"
        assert "plain sentence refused" not in caplog.text, f"bare values: {reply.text!r}"


def _wrong(key: str, value: Any, reply: Reply) -> str:
    """What is wrong with the reply, "" where nothing is."""
    shown = [card.id for card in reply.products]
    text = reply.text.casefold()
    holds = {
        "intent": lambda: reply.intents[0] in ([value] if isinstance(value, str) else value),
        "shows": lambda: sorted(shown) == sorted(map(str, value)),
        "first": lambda: shown[:1] == [str(value)],
        "costs": lambda: _costs(value, reply),
        "offers": lambda: all(
            _any_of(words, " ".join(reply.suggestions)) for words in _list(value)
        ),
        "has": lambda: all(_any_of(words, text) for words in _list(value)),
        "lacks": lambda: not any(_any_of(words, text) for words in _list(value)),
        "hides": lambda: not any(_any_of(words, _all_of(reply)) for words in _list(value)),
        "cites": lambda: any(
            c.source == value[0] and value[1].casefold() in c.quote.casefold()
            for c in reply.citations
        ),
        "request": lambda: _recorded(value, reply),
        "handoff": lambda: reply.handoff is value,
        "language": lambda: reply.language == value,
    }[key]()
    if holds:
        return ""
    return f"{key} {value} (intents {reply.intents}, cards {shown}, {reply.citations})"


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


def _any_of(words: str, text: str) -> bool:
    return any(word.casefold() in text.casefold() for word in words.split("|"))


def _all_of(reply: Reply) -> str:
    return repr(reply_payload(reply)).casefold()


def _costs(limits: dict[str, float], reply: Reply) -> bool:
    prices = [Decimal(card.price) for card in reply.products if card.price]
    low, high = Decimal(str(limits.get("over", 0))), Decimal(str(limits.get("under", 10**9)))
    return bool(prices) and all(low < price < high for price in prices)


def _recorded(kind: str, reply: Reply) -> bool:
    if kind == "none" or reply.request is None:
        return kind == "none" and reply.request is None
    number = reply.request.id
    return (
        reply.request.kind == kind
        and re.fullmatch(r"R-\d+", number) is not None
        and number in reply.text
    )
