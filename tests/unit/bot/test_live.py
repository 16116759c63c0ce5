"""While a person speaks: every message is kept, the bot is silent, both sides read one transcript."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from shop_homes import NOW, build_tiny, copy_of, shop_in

from bot.app import Shop
from bot.turn import ChatRequest, Reply
from db.accounts import AccountStore, User
from db.records import Money, Product, ProductId

KETTLE = Product(ProductId("k1"), "Copper Kettle", price=Money(Decimal("49.00"), "USD"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny(tmp_path_factory.mktemp("live") / "home", products=[KETTLE])


@pytest.fixture
def shop(tiny: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    shop = shop_in(copy_of(tiny, tmp_path / "home"))
    yield shop
    shop.close()


def agent(shop: Shop, name: str = "Mia") -> User:
    return AccountStore(shop._database).add(name, role="agent", password_hash="x", now=NOW)


class Talk:
    def __init__(self, shop: Shop) -> None:
        self._shop, self.session = shop, ""

    def say(self, message: str, **more: str) -> Reply:
        reply = self._shop.chat(ChatRequest(message, session_id=self.session or None, **more))  # type: ignore[arg-type]
        self.session = reply.session_id
        return reply

    @property
    def number(self) -> int:
        found = self._shop.conversations.find(self.session)
        assert found is not None
        return found.id

    def read(self) -> list[tuple[str, str]]:
        """The transcript as a reader tells it: who, and the words."""
        entries = self._shop.transcript(self.session)
        return [(entry.speaker or entry.role, entry.text) for entry in entries]


def test_that_a_conversation_waits_once_it_was_handed_over(shop: Shop) -> None:
    talk = Talk(shop)
    talk.say("how much is the copper kettle?")
    assert shop.desk.waiting() == []
    assert talk.say("I want to talk to a person").handoff
    assert [case.conversation_id for case in shop.desk.waiting()] == [talk.number]
    talk.say("please, a person")
    assert [case.waiting_since for case in shop.desk.waiting()] == [NOW]


def test_that_a_person_speaks_until_they_hand_back(shop: Shop) -> None:
    mia, talk = agent(shop), Talk(shop)
    before = talk.say("how much is the copper kettle?").text
    assert "$49.00" in before
    shop.desk.take(talk.number, mia, now=NOW)
    shop.desk.say(talk.number, "Hello, Mia here.", user=mia, now=NOW)
    told = talk.say("how much is the copper kettle?")
    assert told.text == "Mia has joined the conversation and answers you here."
    assert (told.speaker, told.handoff, told.generator_name) == ("Mia", True, "person")
    assert told.intents == ("handoff",)
    assert talk.say("hello?").text == ""
    shop.desk.say(talk.number, "It is $49.00.", user=mia, now=NOW)
    shop.desk.hand_back(talk.number)
    after = talk.say("how much is the copper kettle?")
    assert "$49.00" in after.text
    assert after.speaker is None
    assert talk.read() == [
        ("shopper", "how much is the copper kettle?"),
        ("bot", before),
        ("Mia", "Hello, Mia here."),
        ("shopper", "how much is the copper kettle?"),
        ("bot", "Mia has joined the conversation and answers you here."),
        ("shopper", "hello?"),
        ("Mia", "It is $49.00."),
        ("shopper", "how much is the copper kettle?"),
        ("bot", after.text),
    ]


def test_that_another_person_is_told_of_too(shop: Shop) -> None:
    mia, tom, talk = agent(shop), agent(shop, "Tom"), Talk(shop)
    talk.say("hello")
    shop.desk.take(talk.number, mia, now=NOW)
    assert "Mia" in talk.say("hello?").text
    shop.desk.hand_back(talk.number)
    shop.desk.take(talk.number, tom, now=NOW)
    assert "Tom" in talk.say("hello?").text


def test_that_a_repeated_message_is_kept_once(shop: Shop) -> None:
    mia, talk = agent(shop), Talk(shop)
    talk.say("hello")
    shop.desk.take(talk.number, mia, now=NOW)
    first = talk.say("are you there?", client_message_id="m1")
    again = talk.say("are you there?", client_message_id="m1")
    assert (again.turn_id, again.text, again.speaker) == (first.turn_id, first.text, "Mia")
    assert len(shop.conversations.turns(talk.number)) == 2


def test_that_what_is_private_is_not_kept_in_clear_for_the_person_either(shop: Shop) -> None:
    mia, talk = agent(shop), Talk(shop)
    talk.say("hello")
    shop.desk.take(talk.number, mia, now=NOW)
    talk.say("write to ann@example.com, card 4111 1111 1111 1111")
    kept = shop.conversations.turns(talk.number)[-1]
    assert "ann@example.com" not in kept.user_text
    assert "4111" not in kept.user_text


def test_that_a_chinese_shopper_is_told_in_chinese(shop: Shop) -> None:
    mia, talk = agent(shop), Talk(shop)
    talk.say("你好")
    shop.desk.take(talk.number, mia, now=NOW)
    reply = talk.say("有人吗？")
    assert (reply.language, reply.text) == ("zh", "Mia已加入对话，会在这里回复您。")


def test_that_a_turn_of_a_person_can_be_explained(shop: Shop) -> None:
    from bot.terminal import trace_as_text

    mia, talk = agent(shop), Talk(shop)
    talk.say("hello")
    shop.desk.take(talk.number, mia, now=NOW)
    turn = shop.conversations.turn(talk.say("hello?").turn_id)
    assert "decided Mia speaks in this conversation" in trace_as_text(turn)
