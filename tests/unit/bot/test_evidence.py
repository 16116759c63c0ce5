"""Which evidence stands once a scorer read it with the question; the scorer is scripted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot.evidence import Evidence, best_read
from retrieval.answering import READ, Levels


class Scripted:
    """Gives each text the log-odds it was told, and keeps what it was asked to read."""

    levels = Levels(certain=2.0, doubtful=-1.0)

    def __init__(self, **odds: float) -> None:
        self.odds = odds
        self.read: list[str] = []

    def log_odds(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        self.read += texts
        return np.array([self.odds.get(text, -9.0) for text in texts], np.float32)


def chosen(scorer: Scripted, scores: dict[str, float], enough: Sequence[str]) -> str | None:
    found = [Evidence(text, score) for text, score in scores.items()]
    best = best_read("does it float?", found, scorer, enough=lambda e: e.text in enough)
    return best and best.text


def test_that_what_the_scorer_doubts_is_no_answer() -> None:
    assert chosen(Scripted(anchor=-1.5), {"anchor": 0.9}, ["anchor"]) is None


def test_that_what_words_let_through_stands_unless_doubted() -> None:
    assert chosen(Scripted(cork=-0.5), {"cork": 0.6}, ["cork"]) == "cork"


def test_that_what_words_did_not_let_through_stands_only_where_the_scorer_is_certain() -> None:
    assert chosen(Scripted(cork=1.9), {"cork": 0.3}, []) is None
    assert chosen(Scripted(cork=2.1), {"cork": 0.3}, []) == "cork"


def test_that_the_scorer_decides_between_texts_that_words_hold_alike() -> None:
    scores = {"boat": 0.61, "cork": 0.6}

    assert chosen(Scripted(boat=-0.9, cork=1.5), scores, ["boat", "cork"]) == "cork"
    assert chosen(Scripted(boat=1.5, cork=1.5), scores, ["boat", "cork"]) == "boat"


def test_that_only_the_best_by_words_are_read() -> None:
    scorer = Scripted(text0=5.0)
    scores = {f"text{at}": at / 100 for at in range(READ + 3)}

    assert chosen(scorer, scores, ["text0"]) is None
    assert sorted(scorer.read) == sorted(f"text{at}" for at in range(3, READ + 3))


def test_that_nothing_to_read_is_no_answer() -> None:
    assert chosen(Scripted(), {}, []) is None
