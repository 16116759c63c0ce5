"""Which language a message is in."""

from __future__ import annotations

import pytest

from bot.understanding.intents import exemplars
from bot.understanding.language import language_of


def of(text: str, *, before: str | None = None, locale: str | None = None) -> tuple[str, bool]:
    return language_of(text, before=before, locale=locale)


@pytest.mark.parametrize("text", exemplars("en").texts)
def test_that_english_is_english(text: str) -> None:
    assert of(text, locale="zh") == ("en", False)


@pytest.mark.parametrize(
    "text", ["有没有水壶", "iPhone 有货吗", "订单 FK-20519 到哪了", "你好 hello"]
)
def test_that_chinese_with_foreign_names_is_chinese(text: str) -> None:
    assert of(text, locale="en") == ("zh", False)


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour, je voudrais acheter une tente pour quatre personnes",
        "Wo ist meine Bestellung und wann kommt sie an?",
        "quiero una tienda de campaña",
        "posso restituire questo articolo",
        "Где мой заказ",
        "Привет",
        "مرحبا كيف حالك",
        "こんにちは",
        "안녕하세요",
    ],
)
def test_that_another_language_is_told_and_answered_in_english(text: str) -> None:
    assert of(text, before="zh") == ("en", True)


@pytest.mark.parametrize(
    "text",
    [
        "I want to cancel FK-20519, [email]",
        "FK-20528 [email] [phone]",
        "is it machine washable",
        "Le Creuset dutch oven",
        "Lemon espresso machine de luxe",
    ],
)
def test_that_names_numbers_and_redactions_make_nothing_foreign(text: str) -> None:
    assert of(text) == ("en", False)


@pytest.mark.parametrize("text", ["123", "👍", "?", "", "[email]", "FK-20519"])
def test_that_a_message_without_words_keeps_the_language_before(text: str) -> None:
    assert of(text, before="zh", locale="en") == ("zh", False)
    assert of(text, before=None, locale="zh") == ("zh", False)
    assert of(text) == ("en", False)
