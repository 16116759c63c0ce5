"""The shipped answer scorer: what it puts first, and what it does with odd input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.answering import (
    MOST_QUESTION,
    MOST_TEXT,
    AnswerScorer,
    Head,
    load_tokenizer,
    pair_ids,
)

PAGE = (
    "Put it on the top rack of the dishwasher.",
    "It weighs 1.2 pounds.",
    "The lid is made of bamboo.",
    "The cable is six feet long.",
    "Two AA batteries are included in the box.",
    "We think you will love this jar.",
)


@pytest.fixture(scope="module")
def scorer() -> AnswerScorer:
    return AnswerScorer()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("can i wash this in the dishwasher?", 0),
        ("how heavy is it?", 1),
        ("what is the lid made from?", 2),
        ("how long is the cord?", 3),
        ("does it come with batteries?", 4),
    ],
)
def test_that_the_sentence_that_answers_stands_first(
    scorer: AnswerScorer, question: str, answer: int
) -> None:
    assert int(np.argmax(scorer.log_odds(question, PAGE))) == answer


def test_that_an_answer_is_certain_and_another_matter_doubtful(scorer: AnswerScorer) -> None:
    answer, other = scorer.log_odds("what is the lid made from?", [PAGE[2], PAGE[1]])

    assert answer >= scorer.levels.certain
    assert other < scorer.levels.doubtful


def test_that_a_text_scores_alike_alone_and_among_others(scorer: AnswerScorer) -> None:
    question = "does it come with batteries?"
    alone = [float(scorer.log_odds(question, [text])[0]) for text in PAGE]

    assert scorer.log_odds(question, PAGE) == pytest.approx(alone, abs=0.05)


def test_that_no_text_gives_no_score(scorer: AnswerScorer) -> None:
    assert scorer.log_odds("how heavy is it?", []).shape == (0,)


def test_that_a_text_without_words_does_not_answer(scorer: AnswerScorer) -> None:
    odds = scorer.log_odds("how heavy is it?", ["", "item weight: 1.2 pounds"])

    assert np.isfinite(odds).all()
    assert odds[0] < odds[1]


def test_that_long_texts_are_cut_and_the_question_keeps_its_place() -> None:
    ((ids, first),) = pair_ids(load_tokenizer(), "why " * 500, ["because " * 500])

    assert first == MOST_QUESTION + 2
    assert len(ids) == first + MOST_TEXT + 1


def test_that_the_head_is_the_stated_formula() -> None:
    head = Head(np.array([1.0, 2.0], np.float32), np.array([1, 0, 0, 3], np.float32), 0.25, 2.0)
    odds = head(np.array([[3.0, 4.0]], np.float32), np.array([[0.0, 2.0]], np.float32))

    # 2 · (2 · 0.8 · 1 − 0.5) + 3 + 3 · 2 + 0.25
    assert odds == pytest.approx([11.45])


def test_that_a_folder_without_a_model_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shopbot answering"):
        AnswerScorer(tmp_path)
