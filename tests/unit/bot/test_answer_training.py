"""What the answer scorer learns from, and that what is served is what was trained."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from bot.training.answer_pairs import Judged, folds, judged, told, unjudged_products
from retrieval.answering import AnswerScorer

TORCH_NOISE = "ignore::DeprecationWarning"


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "product-qa"
    texts = [{"text": "lid: { value:true }", "label": 1}, {"text": "it is red.", "label": 0}]
    row = {"question": "has it a lid?", "asin": "A", "candidates": texts}
    _write(folder / "hetpqa_evidence.jsonl.gz", [row])
    three = [{"text": str(label), "label": label} for label in (0, 1, 2)]
    _write(folder / "epqa.jsonl.gz", [{"question": "why?", "asin": "E", "candidates": three}])
    _write(
        folder / "semipqa_attributes.jsonl.gz",
        [{"question": "has it a lid?", "candidates": texts}, {"question": "a cap?", "candidates": texts}],
    )  # fmt: skip
    answers = [
        {"asin": asin, "question": f"{asin} {at}?", "evidence": f"{asin} says {at}."}
        for asin in ("A", "B", "C")
        for at in range(3)
    ]
    _write(folder / "hetpqa_answers.jsonl", answers)
    return tmp_path / "data"


def test_that_a_field_is_told_as_a_shop_shows_it() -> None:
    field = "item_weight:  { unit:pounds, normalized_value:{ unit:pounds, value:13. }, value:13. }"

    assert told(field) == "item weight: 13 pounds"
    assert told('color:  { standardized_values:[ "pink" ], value:"hot_pink" }') == "color: hot pink"
    assert told("note: it is {red}.") == "note: it is {red}."


def test_that_two_classes_are_the_ends_of_three(data: Path) -> None:
    assert judged(data, "hetpqa_evidence")[0].labels == (2, 0)
    assert judged(data, "epqa")[0].labels == (0, 1, 2)
    assert judged(data, "epqa")[0].shares == [0.0, 0.35, 1.0]


def test_that_nothing_of_a_judged_product_or_question_is_learned_from(data: Path) -> None:
    measured = [*judged(data, "epqa"), *judged(data, "hetpqa_evidence")]
    learned = unjudged_products(data, without=measured)

    assert {q.question for q in learned} == {
        "a cap?",
        *(f"{p} {n}?" for p in "BC" for n in range(3)),
    }
    assert not any("A says" in text for q in learned for text in q.texts)


def test_that_of_a_question_its_own_evidence_alone_answers(data: Path) -> None:
    learned = {q.question: q for q in unjudged_products(data, without=judged(data, "epqa"))}
    question = learned["B 1?"]

    assert [t for t, label in zip(question.texts, question.labels, strict=True) if label] == [
        "B says 1."
    ]
    assert {"B says 0.", "B says 2."} <= set(question.texts)


def test_that_no_product_is_in_two_folds() -> None:
    questions = [Judged(f"{at}?", ("x",), (2,), f"P{at % 7}", "made") for at in range(30)]
    fold_of = folds(questions, 3)

    assert set(fold_of) == {f"P{at}" for at in range(7)}
    assert sorted(np.bincount(list(fold_of.values()))) == [2, 2, 3]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", TORCH_NOISE)
def test_that_what_is_served_is_what_was_trained(tmp_path: Path) -> None:
    import torch

    from bot.training import answering

    texts = ("it weighs two pounds.", "it is green.")
    question = Judged("how heavy is it?", texts, (2, 0), "P", "made")
    lines: list[str] = []
    model = answering.train([question] * 16, epochs=3, told=lines.append)
    answering.export(model, tmp_path / "model", certain=1.0, doubtful=-1.0)
    served = AnswerScorer(tmp_path / "model")
    model.eval()
    with torch.inference_mode():
        trained = model(*answering._tensors(answering.load_tokenizer(), [question])).numpy()

    assert served.log_odds(question.question, texts) == pytest.approx(trained, abs=0.3)
    assert served.levels.certain == 1.0
    losses = [float(line.split("loss ")[1].split(",")[0]) for line in lines]
    assert losses[-1] < losses[0]


def test_that_levels_are_what_the_best_texts_of_answered_questions_reach() -> None:
    from bot.training.answering import levels

    questions = [Judged("?", ("a", "b"), (2, 0), "P", "made")] * 101
    questions += [Judged("?", ("a", "b"), (1, 0), "P", "made")]
    odds = [np.array([at, -5], np.float32) for at in range(101)] + [np.array([1e6, 0], np.float32)]

    assert levels(questions, odds) == pytest.approx((40.0, 3.0))
