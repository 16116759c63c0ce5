"""Questions of shoppers with the texts of a product that answer them, and those that do not.

From the contextual product QA sets (ePQA, hetPQA, semiPQA), whose specification fields are told as
a shop would show them. Knows nothing of models. Licence: docs/data.md.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.training.files import lines

HELPS = 0.35  # how far a text answers that "helps but does not fully answer"
OWN_OTHERS = 4  # other texts of the same product beside an answering one
FAR_OTHERS = 2  # texts of other products beside it
_FIELD = re.compile(r"^([a-z0-9_#]+(?: [a-z0-9_#]+)*):\s*(?=\{)(.*)$", re.DOTALL)
_REPEATED = re.compile(r"normalized_value:\s*\{[^{}]*\},?|standardized_values:\s*\[[^\]]*\],?")
_UNIT = re.compile(r"\bunit:\s*([a-z_]+)\s*,\s*value:\s*([\d.]+)")


@dataclass(frozen=True, slots=True)
class Judged:
    """One question with its candidate texts and how each was judged.

    `labels`: 2 answers fully, 1 helps, 0 neither; where the source knows two classes, 2 and 0.
    `product` is the source's number of the product; "" where it names none. `source` is the set.
    """

    question: str
    texts: tuple[str, ...]
    labels: tuple[int, ...]
    product: str
    source: str

    @property
    def shares(self) -> list[float]:
        """How far each text answers, 0 to 1."""
        return [{2: 1.0, 1: HELPS, 0: 0.0}[label] for label in self.labels]


def told(text: str) -> str:
    """A specification field as a shop shows it ("item weight: 13 pounds"); other text as it is."""
    field = _FIELD.match(text.strip())
    if field is None:
        return text.strip()
    name, body = field.groups()
    body = _UNIT.sub(r"value: \2 \1", _REPEATED.sub("", body))
    body = re.sub(r"\bvalue:\s*", "", body)
    body = re.sub(r"\s*;\s*", ", ", re.sub(r"[{}\[\]\"]", " ", body))
    body = re.sub(r"(\d+)\.(?!\d)", r"\1", re.sub(r"\s+", " ", body).strip(" ,"))
    return f"{name.replace('_', ' ')}: {body.replace(' ,', ',').replace('_', ' ')}"


def judged(data: Path, name: str) -> list[Judged]:
    """The questions of `epqa`, `hetpqa_evidence` or `semipqa_attributes`, in the source's order.

    Raises FileNotFoundError where `data` has no product-qa.
    """
    top = {"epqa": 2, "hetpqa_evidence": 1, "semipqa_attributes": 1}[name]
    found = []
    for row in lines(data / "product-qa" / f"{name}.jsonl.gz"):
        texts = tuple(told(c["text"]) for c in row["candidates"])
        labels = tuple(2 if c["label"] == top else int(c["label"]) for c in row["candidates"])
        found.append(Judged(row["question"], texts, labels, row.get("asin") or "", name))
    return found


def unjudged_products(data: Path, *, without: Collection[Judged], seed: int = 0) -> list[Judged]:
    """Questions on products and in words that none of `without` has, to learn from beforehand.

    Fields of semiPQA as judged; of hetPQA's answers the evidence they were written from, beside
    other evidence of the same product and of others, which is taken not to answer.
    """
    asked = {question.question for question in without}
    products = {question.product for question in without}
    found = [q for q in judged(data, "semipqa_attributes") if q.question not in asked]
    evidence: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in _answers(data / "product-qa"):
        if row["asin"] not in products and row["question"] not in asked:
            evidence[row["asin"]][row["question"]].append(told(row["evidence"]))
    rng = random.Random(seed)
    everything = [t for texts in evidence.values() for some in texts.values() for t in some]
    for product, questions in evidence.items():
        own = [t for some in questions.values() for t in some]
        for question, answering in questions.items():
            right = sorted(set(answering))
            wrong = sorted(set(own) - set(right))
            rng.shuffle(wrong)
            wrong = wrong[:OWN_OTHERS] + rng.sample(everything, FAR_OTHERS)
            right = right[:3]
            labels = (*(2 for _ in right), *(0 for _ in wrong))
            found.append(Judged(question, (*right, *wrong), labels, product, "hetpqa_answers"))
    return found


def folds(questions: Sequence[Judged], count: int, *, seed: int = 0) -> dict[str, int]:
    """The fold of each product, so that no product is in two."""
    products = sorted({question.product for question in questions})
    random.Random(seed).shuffle(products)
    return {product: at % count for at, product in enumerate(products)}


def _answers(folder: Path) -> Iterator[dict[str, Any]]:
    for name in ("hetpqa_answers.jsonl", "hetpqa_answers_train.jsonl.gz"):
        yield from lines(folder / name)
