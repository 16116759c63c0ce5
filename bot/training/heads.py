"""Fits the heads of the understanding: intents and abuse, English and Chinese.

Own exemplars weigh most; public sets give breadth. Equal inputs give equal heads. Sources and
licences stand in the card beside the heads. Knows nothing of a dialogue.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.training.files import lines, rows
from bot.understanding.heads import Encode, Head, features_of
from bot.understanding.intents import exemplars

STRENGTH = 30.0  # inverse of the penalty on the weights
FOLDS = 5
OWN = 8.0  # weight of an own exemplar beside a row of a public set
FILLED = 8  # ways in which an exemplar with goods is filled
REPEATED = 4  # of one without, so that it stands with an opener and without
MISTYPED = 4
OPENED = 0.4  # share of exemplars that begin with "ok, " or the like
# the mapping of public intents onto ours; what is not named is a question on the shop's rules
BITEXT = {
    "track_order": "order_status", "cancel_order": "order_change", "change_order": "order_change",
    "change_shipping_address": "order_change", "get_refund": "order_change",
    "track_refund": "order_change", "complaint": "complaint", "contact_human_agent": "handoff",
    "contact_customer_service": "handoff", "review": "feedback",
}  # fmt: skip
CLINC = {
    "greeting": "greet", "goodbye": "goodbye", "thank_you": "feedback", "are_you_a_bot": "smalltalk",
    "what_is_your_name": "smalltalk", "who_made_you": "smalltalk", "tell_joke": "smalltalk",
    "what_can_i_ask_you": "greet", "order_status": "order_status",
}  # fmt: skip
# of these a shop may serve some, and some mean nothing without what was said before
CLINC_LEFT_OUT = frozenset(
    "order shopping_list shopping_list_update yes no maybe repeat cancel".split()
)


@dataclass(frozen=True, slots=True)
class Row:
    """A text, its class and how much it weighs."""

    text: str
    label: str
    weight: float = 1.0


def intent_rows(language: str, data: Path, *, seed: int = 0) -> list[Row]:
    """The rows that the intents of a language are learned from."""
    rng = random.Random(seed)
    own = list(_own(language, rng))
    public = list(_english(data, rng) if language == "en" else _chinese(data, rng))
    return own + public


def abuse_rows(language: str, data: Path, *, seed: int = 0) -> list[Row]:
    """Rows labelled `civil` or `insult`: posts, a list of words, and a shop's everyday messages."""
    found = [Row(text, "insult", OWN) for text in exemplars(language).insults]
    insulting = ("hate", "offensive")
    for row in rows(data / "safety-abuse" / f"offensive_{language}.csv"):
        found.append(Row(row["text"], "insult" if row["label"] in insulting else "civil"))
    words = (
        (data / "safety-abuse" / f"words_{language}.txt").read_text(encoding="utf-8").split("\n")
    )
    frames = ("{}", "you {}", "you are a {}") if language == "en" else ("{}", "你这个{}")
    found += [Row(f.format(w), "insult", 0.5) for w in words if w.strip() for f in frames]
    everyday = intent_rows(language, data, seed=seed)
    found += [Row(r.text, "civil", min(r.weight, 3.0)) for r in everyday]
    return found


def _own(language: str, rng: random.Random) -> Iterator[Row]:
    known = exemplars(language)
    for text, label in zip(known.texts, known.labels, strict=True):
        holes = text.count("{goods}")
        for _ in range(FILLED if holes else REPEATED):
            filled = text
            for word in rng.sample(known.goods, holes):
                filled = filled.replace("{goods}", word, 1)
            if rng.random() < OPENED:
                filled = rng.choice(known.openers) + filled
            yield Row(filled, label, OWN / (FILLED if holes else REPEATED))
        for _ in range(MISTYPED if language == "en" and len(filled) > 6 else 0):
            yield Row(_mistyped(filled, rng), label, OWN / MISTYPED)


def _mistyped(text: str, rng: random.Random) -> str:
    """`text` with two neighbouring letters swapped, or one left out."""
    at = rng.randrange(1, len(text) - 2)
    if rng.random() < 0.5:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :]


def _english(data: Path, rng: random.Random) -> Iterator[Row]:
    for row in rows(data / "intents-customer-service" / "train.csv"):
        yield Row(row["utterance"], BITEXT.get(row["intent"], "policy_question"))
    for part in ("train_sample", "val"):
        for row in rows(data / "intents-oos-clinc" / f"{part}.csv"):
            if row["intent"] not in CLINC_LEFT_OUT:
                label = CLINC.get(row["intent"], "out_of_scope")
                yield Row(row["text"], label, 1.0 if row["intent"] == "oos" else 0.5)
    asked = sorted({line["question"] for line in lines(data / "product-qa" / "epqa.jsonl.gz")})
    for question in _some(asked, 1500, rng):
        yield Row(question, "product_question")
    goals = lines(data / "shopping-goals" / "webshop_goals.jsonl")
    wishes = sorted({wish for line in goals for wish in (line["goal"], *line["queries"])})
    for wish in _some(wishes, 1200, rng):
        yield Row(wish, "recommend")
    for row in rows(data / "wands-queries" / "queries.csv"):
        yield Row(row["query"], "recommend")


def _chinese(data: Path, rng: random.Random) -> Iterator[Row]:
    turns = lines(data / "crosswoz-dialogue-acts" / "dialogues.jsonl.gz")
    tested = {row["dialogue"] for row in rows(data / "oos-travel-zh" / "utterances.csv")}
    travel = sorted(
        {
            turn["text"]
            for turn in turns
            if turn["speaker"] == "user"
            and turn["dialogue"] not in tested
            and not all(act[0] == "General" for act in turn["acts"])
        }
    )
    for text in _some(travel, 2500, rng):
        yield Row(text, "out_of_scope", 0.5)
    for row in rows(data / "litemall-zh" / "keywords.csv"):
        yield Row(row["keyword"], "recommend")
    for line in lines(data / "litemall-zh" / "faq.jsonl"):
        yield Row(line["question"], "policy_question", 2.0)


def _some(texts: Sequence[str], count: int, rng: random.Random) -> list[str]:
    return rng.sample(texts, min(count, len(texts)))


def fit(found: Sequence[Row], language: str, encode: Encode | None) -> Head:
    """Fits one head: weights on all rows, temperature on rows that the weights did not see."""
    features, labels, weights = _columns(found, language, encode)
    whole = _fitted(features, labels, weights)
    truth = np.array([whole.classes.index(label) for label in labels])
    scores = unseen_scores(found, language, encode)
    temperature = min(np.geomspace(0.3, 4.0, 40), key=lambda t: _loss(scores / t, truth, weights))
    return Head(whole.classes, whole.weights, whole.bias, float(temperature))


def unseen_scores(
    found: Sequence[Row], language: str, encode: Encode | None
) -> NDArray[np.float64]:
    """Returns each row's scores (n, classes) by weights that were fitted without its fifth."""
    from sklearn.model_selection import StratifiedKFold

    features, labels, weights = _columns(found, language, encode)
    scores = np.zeros((len(found), len(set(labels))))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for seen, unseen in folds.split(features, labels):
        part = _fitted(features[seen], labels[seen], weights[seen])
        scores[unseen] = features[unseen] @ part.weights + part.bias
    return scores


def _columns(found: Sequence[Row], language: str, encode: Encode | None) -> tuple[Any, Any, Any]:
    return (
        features_of([row.text for row in found], language, encode),
        np.array([row.label for row in found]),
        np.array([row.weight for row in found]),
    )


def _fitted(features: Any, labels: Any, row_weights: Any) -> Head:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, max_iter=500)
    model.fit(features, labels, sample_weight=row_weights)
    weights, bias = model.coef_.T, model.intercept_
    if weights.shape[1] == 1:  # of two classes only the second's score is kept
        weights, bias = np.hstack([0 * weights, weights]), np.array([0.0, bias[0]])
    classes = tuple(str(label) for label in model.classes_)
    return Head(classes, weights.astype(np.float32), bias.astype(np.float32), 1.0)


def _loss(scores: Any, truth: Any, weights: Any) -> float:
    """The weighted cross-entropy, in nats."""
    scores = scores - scores.max(axis=1, keepdims=True)
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return float(-(weights * logs[np.arange(len(truth)), truth]).sum() / weights.sum())


def fit_all(data: Path, encode: Encode, *, told: Callable[[str], None]) -> dict[str, Head]:
    """Fits the four heads; `told` hears of each with its number of rows."""
    made = {}
    for language in ("en", "zh"):
        found = intent_rows(language, data)
        told(f"intents-{language}: {len(found)} rows")
        made[f"intents-{language}"] = fit(found, language, encode if language == "en" else None)
        found = abuse_rows(language, data)
        told(f"abuse-{language}: {len(found)} rows")
        made[f"abuse-{language}"] = fit(found, language, None)
    return made
