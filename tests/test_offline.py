"""A whole shop without a network: import, index and a conversation, with every socket refused."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bot.app import Shop, make_embedder, open_store
from bot.example_shop import materialise
from bot.importing import import_shop
from bot.indexing import build_index
from bot.settings import Settings, load_settings
from bot.turn import ChatRequest, Reply
from db.catalog import CatalogStore
from db.conversations import ConversationStore
from db.orders import OrderStore
from retrieval.store import IndexStore

NOW = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)
ORDER, EMAIL = "FK-20519", "jamal.whitaker@example.com"
CONVERSATION = (
    "I am looking for an electric kettle under $60",
    "Does the Gooseneck Electric Kettle switch itself off?",
    "What is your return policy?",
    f"Where is my order {ORDER}? My e-mail address is {EMAIL}",
    "How are you today?",
    "你好",
)


class SocketRefused(RuntimeError):
    """Something asked for a socket or a name where nothing may."""


class _Guard:
    """Sees every socket that Python makes or uses, whoever asks for it; see PEP 578."""

    closed = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.closed and event.startswith("socket.") and event != "socket.gethostname":
            raise SocketRefused(f"{event}{arguments}")


_guard = _Guard()
sys.addaudithook(_guard)  # a hook cannot be taken away again, so it is opened and closed


@pytest.fixture(scope="module")
def no_sockets() -> Iterator[None]:
    _guard.closed = True
    yield
    _guard.closed = False


@dataclass(frozen=True)
class Talk:
    settings: Settings
    replies: tuple[Reply, ...]

    def __getitem__(self, number: int) -> Reply:
        """The reply to the message of this number, from 1."""
        return self.replies[number - 1]


@pytest.fixture(scope="module")
def talk(no_sockets: None, tmp_path_factory: pytest.TempPathFactory) -> Talk:
    """The example shop from its files to the last reply."""
    chosen = {
        name: value for name, value in os.environ.items() if name.startswith("SHOPBOT_GENERATOR__")
    }
    settings = load_settings(
        chosen | {"SHOPBOT_NOW": NOW.isoformat()}, home=tmp_path_factory.mktemp("home")
    )
    folder = materialise(settings.home / "shop", settings.media_folder, today=NOW.date())
    with open_store(settings) as database:
        import_shop(
            [folder / "products.jsonl", folder / "comments.jsonl"],
            policies=folder / "policies",
            orders=folder / "orders.jsonl",
            catalog=CatalogStore(database),
            order_store=OrderStore(database),
            now=NOW,
        )
        embedder = make_embedder(settings)
        build_index(
            CatalogStore(database),
            IndexStore(settings.index_folder, embedder),
            embedder,
            progress=lambda done, total: None,
        )
    replies: list[Reply] = []
    with closing(Shop(settings)) as shop:
        for message in CONVERSATION:
            session = replies[-1].session_id if replies else None
            replies.append(shop.chat(ChatRequest(message, session_id=session)))
    return Talk(settings, tuple(replies))


@pytest.mark.usefixtures("no_sockets")
def test_that_no_socket_can_be_had_not_even_to_this_machine() -> None:
    with pytest.raises(SocketRefused):
        socket.create_connection(("127.0.0.1", 9))
    with pytest.raises(SocketRefused):
        socket.getaddrinfo("localhost", 80)


def test_that_a_wish_is_answered_with_products_within_its_price(talk: Talk) -> None:
    assert talk[1].intents[0] == "recommend"
    assert talk[1].products
    for card in talk[1].products:
        assert card.price is not None
        assert Decimal(card.price) <= 60
        assert "kettle" in card.title.lower()


def test_that_a_question_on_a_product_is_answered_from_its_text(talk: Talk) -> None:
    quotes = [cited.quote for cited in talk[2].citations if cited.source == "product"]

    assert any("switches itself off" in quote for quote in quotes)


def test_that_a_question_on_a_rule_is_answered_from_the_policy(talk: Talk) -> None:
    quotes = [cited.quote for cited in talk[3].citations if cited.source == "policy"]

    assert any("30 days" in quote for quote in quotes)


def test_that_an_order_is_told_to_who_proves_it(talk: Talk) -> None:
    assert talk[4].intents[0] == "order_status"
    assert ORDER in talk[4].text
    assert "shipped" in talk[4].text.lower()
    assert ("order", ORDER) in {(cited.source, cited.id) for cited in talk[4].citations}


def test_that_small_talk_is_answered_without_products(talk: Talk) -> None:
    assert talk[5].intents == ("smalltalk",)
    assert talk[5].text
    assert talk[5].products == ()


def test_that_a_greeting_in_chinese_is_answered_in_chinese(talk: Talk) -> None:
    assert talk[6].language == "zh"
    assert any("\u4e00" <= character <= "\u9fff" for character in talk[6].text)


def test_that_every_turn_is_on_disk_with_what_explains_it(talk: Talk) -> None:
    with open_store(talk.settings) as database:
        store = ConversationStore(database)
        conversation = store.find(talk[1].session_id)
        assert conversation is not None
        turns = store.turns(conversation.id)

    assert [turn.reply_text for turn in turns] == [reply.text for reply in talk.replies]
    assert [turn.id for turn in turns] == [reply.turn_id for reply in talk.replies]
    for turn in turns:
        assert turn.trace.keys() >= {
            "understanding", "decisions", "state", "hits", "facts", "segments", "timings_ms",
        }  # fmt: skip
        assert all(part["act"] and part["marked"] for part in turn.trace["segments"])
        assert turn.prompt_version and turn.generator_version
    assert EMAIL not in "".join(turn.user_text for turn in turns)
