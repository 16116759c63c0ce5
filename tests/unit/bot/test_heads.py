"""Heads: what is kept of one, what they tell of messages that stand in no exemplar."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.training.heads import Row, fit
from bot.understanding import heads
from bot.understanding.heads import Head, features_of, save
from bot.understanding.intents import INSULT, IntentClassifier, exemplars, insult
from retrieval.embedders import MiniLmEmbedder


@pytest.fixture(scope="module")
def classifier() -> IntentClassifier:
    return IntentClassifier(MiniLmEmbedder().encode)


@pytest.mark.parametrize(
    ("language", "text", "intent"),
    [
        ("en", "where is my pacakge", "order_status"),
        ("en", "please cancle my order", "order_change"),
        ("en", "I would rather speak with one of your people", "handoff"),
        ("en", "how warm will it be in Madrid on Sunday", "out_of_scope"),
        ("en", "hi, would you have any rain boots", "recommend"),
        ("en", "does the rug shed hair", "product_question"),
        ("zh", "麻烦帮我转接一下真人客服", "handoff"),
        ("zh", "后天会不会下雪", "out_of_scope"),
        ("zh", "有没有适合送长辈的茶具", "recommend"),
        ("zh", "我那个包裹现在到哪里了", "order_status"),
    ],
)
def test_that_a_message_in_new_words_and_with_typos_is_told(
    classifier: IntentClassifier, language: str, text: str, intent: str
) -> None:
    told = classifier.probabilities(text, language)
    assert next(iter(told)) == intent, told
    assert sum(told.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("language", "text"), [("en", "you are such an idiot"), ("zh", "你这个白痴机器人")]
)
def test_that_an_insult_is_told(language: str, text: str) -> None:
    assert insult(text, language) >= INSULT


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "the zip broke after two days, I want my money back"),
        ("en", "do you have a black dress"),
        ("zh", "收到的锅有划痕，我要退款"),
        ("zh", "有没有黑色的裙子"),
    ],
)
def test_that_displeasure_and_colours_are_no_insult(language: str, text: str) -> None:
    assert insult(text, language) < INSULT


@pytest.mark.parametrize("language", ["en", "zh"])
def test_that_the_shipped_heads_know_the_intents_of_the_exemplars(language: str) -> None:
    assert set(heads.load(f"intents-{language}").classes) == set(exemplars(language).labels)


def test_that_a_head_is_the_same_when_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        Row(f"{word} {n}", label) for n in range(6) for word, label in (("tea", "a"), ("mud", "b"))
    ]
    made = fit(found, "en", None)
    save(made, tmp_path / "tiny.npz")
    monkeypatch.setattr(heads, "FOLDER", tmp_path)
    read = heads.load("tiny")
    asked = features_of(["tea 9", "mud 9"], "en", None)
    assert read.classes == made.classes == ("a", "b")
    np.testing.assert_allclose(read.probabilities(asked), made.probabilities(asked), atol=1e-3)
    assert read.probabilities(asked).argmax(axis=1).tolist() == [0, 1]


def test_that_a_head_with_pickled_objects_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "bad.npz").open("wb") as file:
        np.savez(file, classes=np.array([{"a": 1}], dtype=object))
    monkeypatch.setattr(heads, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="pickle"):
        heads.load("bad")


def test_that_probabilities_soften_with_the_temperature() -> None:
    weights, bias = np.eye(2, dtype=np.float32), np.zeros(2, dtype=np.float32)
    sharp = Head(("a", "b"), weights, bias, 0.5).probabilities(np.array([[2.0, 0.0]]))
    soft = Head(("a", "b"), weights, bias, 2.0).probabilities(np.array([[2.0, 0.0]]))
    assert sharp[0, 0] > soft[0, 0] > 0.5
