"""How well the text that answers a question on a product is found, and that none does told.

    python benchmarks/passages.py --data FOLDER [--model FOLDER] [--out FILE]

`--data` holds `product-qa`. Questions are those of `epqa` and `hetpqa_evidence`, each with its own
candidate texts alone.

Precision@1 and MRR are of the questions that a candidate answers: label 2 of ePQA's three, label 1
of hetPQA's two (`… or helps`: label 1 counts too). Equal scores share: precision@1 is the mean over
the candidates at the top. BM25 is Lucene's (k1 1.5, b 0.75) over word characters, its word
frequencies counted in the question's candidates; `stemmed` in this project's tokens over all
candidates of the set.

The abstention is judged by the best score of a question. A threshold keeps nine in ten of the
questions that a candidate answers, and `rejected` is the share below it of those that nothing
answers: label 0 throughout, or `nothing full`: no label 2. The threshold is fitted to these
questions, so `rejected` is also told cross-validated in five folds by product, with the share that
was kept. `taken away` are the answered questions once more without their answering candidates.

`bot` is what the bot's own choice makes of the same: each question's candidates are the record of one
product, fields as attributes and the rest as sentences of its description, and `Answerer` chooses
one or none, with the scorer and without. `certain` and `doubtful` are read off these questions, so
with the scorer they are read off four folds for the fifth.

The scorer was trained on other products, its threshold apart; nothing else is fitted here.
Intervals are of 1,000 bootstrap samples of the products. Latency is of one question with eight texts.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bot.answers import Answerer
from bot.catalogue import Catalogue
from bot.training.answer_pairs import Judged, folds, judged
from bot.training.answering import levels
from db.records import Attribute, Product, ProductId
from retrieval.answering import READ, SHIPPED, AnswerScorer, Levels
from retrieval.embedders import Embedder, MiniLmEmbedder
from retrieval.fusion import RRF_K
from retrieval.hybrid import Searcher
from retrieval.text import tokens

Scores = NDArray[np.float64]
Tokens = Callable[[str], list[str]]

KEPT = 0.9
FOLDS = 5
SAMPLES = 1000
K1, B = 1.5, 0.75


def plain(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def bm25(question: str, texts: Sequence[list[str]], seen: Counter[str], size: int, mean: float, split: Tokens) -> Scores:  # fmt: skip
    """Lucene's BM25 of each text; Kamphuis et al., "Which BM25 Do You Mean?", ECIR 2020."""
    scores = np.zeros(len(texts))
    for at, text in enumerate(texts):
        counts = Counter(text)
        for word in set(split(question)) & set(counts):
            idf = math.log(1 + (size - seen[word] + 0.5) / (seen[word] + 0.5))
            scores[at] += idf * counts[word] / (counts[word] + K1 * (1 - B + B * len(text) / mean))
    return scores


def by_words(questions: Sequence[Judged], split: Tokens, *, whole_set: bool) -> list[Scores]:
    told = [[split(text) for text in question.texts] for question in questions]
    everything = [text for texts in told for text in texts]
    found = []
    for question, texts in zip(questions, told, strict=True):
        counted = everything if whole_set else texts
        if not whole_set or not found:
            seen = Counter(word for text in counted for word in set(text))
            mean = sum(map(len, counted)) / len(counted) or 1.0
        found.append(bm25(question.question, texts, seen, len(counted), mean, split))
    return found


def by_meaning(questions: Sequence[Judged], embedder: Embedder) -> list[Scores]:
    texts = list(dict.fromkeys(t for q in questions for t in (q.question, *q.texts)))
    row = dict(zip(texts, embedder.encode(texts), strict=True))
    return [np.array([row[t] @ row[q.question] for t in q.texts], np.float64) for q in questions]


def fused(first: Sequence[Scores], second: Sequence[Scores]) -> list[Scores]:
    """Reciprocal rank fusion; equal scores have the mean of their ranks."""
    return [1 / (RRF_K + _ranks(a)) + 1 / (RRF_K + _ranks(b)) for a, b in zip(first, second, strict=True)]  # fmt: skip


def _ranks(scores: Scores) -> Scores:
    above = (scores[None, :] > scores[:, None]).sum(axis=1)
    equal = (scores[None, :] == scores[:, None]).sum(axis=1)
    return np.asarray(1 + above + (equal - 1) / 2, np.float64)


def first_right(question: Judged, scores: Scores, least: int) -> float:
    right = np.array(question.labels) >= least
    return float(right[scores >= scores.max() - 1e-9].mean())


def reciprocal(question: Judged, scores: Scores, least: int) -> float:
    return float(1 / _ranks(scores)[np.array(question.labels) >= least].min())


def measure(questions: Sequence[Judged], scores: Sequence[Scores]) -> dict[str, Any]:
    """Precision@1 and MRR with intervals, greater is better, and the abstention."""
    pairs = list(zip(questions, scores, strict=True))
    figures: dict[str, Any] = {}
    for name, least in (("answers", 2), ("answers or helps", 1)):
        some = [(q, s) for q, s in pairs if max(q.labels) >= least]
        if least == 1 and len(some) == sum(max(q.labels) == 2 for q in questions):
            continue  # two classes
        products = [q.product for q, _ in some]
        figures[name] = {
            "questions": len(some),
            "precision@1": _interval([first_right(q, s, least) for q, s in some], products),
            "mrr": _interval([reciprocal(q, s, least) for q, s in some], products),
        }
    best = np.array([s.max() for s in scores])
    top = np.array([max(q.labels) for q in questions])
    fold_of = folds(questions, FOLDS)
    fold = np.array([fold_of[q.product] for q in questions])
    figures["abstention"] = {
        "nothing": abstention(best, fold, top == 2, top == 0),
        "nothing full": abstention(best, fold, top == 2, top < 2),
    }
    without = np.array(
        [
            max((s for s, label in zip(scored, q.labels, strict=True) if label == 0), default=-1e9)
            for q, scored in pairs
        ]
    )
    twice = np.concatenate([best[top == 2], without[top == 2]])
    answered = np.arange(len(twice)) < len(twice) // 2
    figures["abstention"]["taken away"] = abstention(
        twice, np.concatenate([fold[top == 2]] * 2), answered, ~answered
    )
    return figures


def abstention(
    best: Scores, fold: NDArray[np.int_], answered: NDArray[np.bool_], nothing: NDArray[np.bool_]
) -> dict[str, float]:
    """The share of `nothing` below the threshold that keeps nine in ten of `answered`."""
    kept, rejected = [], []
    for at in range(FOLDS):
        threshold = np.quantile(best[answered & (fold != at)], 1 - KEPT)
        kept.append(best[answered & (fold == at)] >= threshold)
        rejected.append(best[nothing & (fold == at)] < threshold)
    threshold = np.quantile(best[answered], 1 - KEPT)
    above = best[answered][:, None] - best[nothing][None, :]
    return {
        "questions": int(nothing.sum()),
        "rejected": round(float((best[nothing] < threshold).mean()), 3),
        "rejected, cross-validated": round(float(np.concatenate(rejected).mean()), 3),
        "kept, cross-validated": round(float(np.concatenate(kept).mean()), 3),
        "auc": round(float(((above > 0) + 0.5 * (above == 0)).mean()), 3),
    }


def _interval(values: Sequence[float], products: Sequence[str]) -> dict[str, float]:
    """Mean and 95 % interval, whole products drawn."""
    names, group = np.unique(products, return_inverse=True)
    sums = np.bincount(group, weights=values)
    counts = np.bincount(group)
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(names), (SAMPLES, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return {name: round(float(v), 4) for name, v in (("mean", np.mean(values)), ("low", low), ("high", high))}  # fmt: skip


def chosen_by_bot(
    questions: Sequence[Judged],
    scorer: AnswerScorer,
    embedder: Embedder,
    read: Sequence[tuple[Judged, Scores]],
) -> dict[str, Any]:
    """Shares of what the bot answers: of questions that a candidate answers, and of the others.

    The levels are those of `read`, the questions of both sets as the scorer read them.
    """
    products = [_product(at, question) for at, question in enumerate(questions)]
    catalogue, fold_of = Catalogue(products), folds([q for q, _ in read], FOLDS)
    known: dict[str, NDArray[np.float32]] = {}

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, embedder.encode(new), strict=True))
        return np.stack([known[text] for text in texts])

    figures = {}
    for name in ("without scorer", "with scorer"):
        counts: Counter[tuple[int, int]] = Counter()
        for fold in range(FOLDS):
            rest = [(q, np.float32(s)) for q, s in read if fold_of[q.product] != fold]
            fitted = levels([q for q, _ in rest], [s for _, s in rest])
            answerer = Answerer(
                catalogue=catalogue,
                searcher=cast(Searcher, _NoPages()),
                encode=encode,
                scorer=_AtLevels(scorer, Levels(*fitted)) if name == "with scorer" else None,
            )
            for at, question in enumerate(questions):
                if fold_of[question.product] == fold:
                    told = answerer.about_product(products[at], question.question, "en")
                    label = -1 if told is None else _label(question, told.text)
                    counts[max(question.labels), label] += 1
        answered = sum(count for (top, _), count in counts.items() if top == 2)
        silent = sum(count for (top, _), count in counts.items() if top == 0)
        shares = {"right": 2, "in part": 1, "wrong": 0, "not said": -1}
        figures[name] = {
            f"{kind}, of answered": round(counts[2, label] / answered, 3)
            for kind, label in shares.items()
        } | {"not said, where nothing answers": round(counts[0, -1] / silent, 3)}
    return figures


class _NoPages:
    def passages(self, *_: Any, **__: Any) -> list[Any]:
        return []


@dataclass(frozen=True)
class _AtLevels:
    """The scorer with other levels."""

    scorer: AnswerScorer
    levels: Levels

    def log_odds(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.scorer.log_odds(question, texts)


def _product(at: int, question: Judged) -> Product:
    fields, lines = [], []
    for text in question.texts:
        said = text.split(" Question:")[0].strip()
        if field := re.fullmatch(r"([a-z0-9 #]{2,40}): (.+)", said, re.DOTALL):
            fields.append(Attribute(field[1], field[2]))
        else:
            lines.append(said if said.endswith((".", "!", "?")) else f"{said}.")
    return Product(
        ProductId(str(at)), "the product", description="\n".join(lines), attributes=tuple(fields)
    )


def _label(question: Judged, told: str) -> int:
    """The best label of the candidates that hold what was told."""
    held = [label for t, label in zip(question.texts, question.labels, strict=True) if _letters(told) in _letters(t)]  # fmt: skip
    return max(held, default=0)


def _letters(text: str) -> str:
    return re.sub(r"\W", "", text.lower())


def latency(scorer: AnswerScorer, questions: Sequence[Judged]) -> dict[str, float]:
    """Milliseconds of one question with READ texts, one thread."""
    times = []
    for question in [q for q in questions if len(q.texts) >= READ][:200]:
        some = replace(question, texts=question.texts[:READ])
        begun = time.perf_counter()
        scorer.log_odds(some.question, some.texts)
        times.append(1000 * (time.perf_counter() - begun))
    p50, p95 = np.quantile(times, (0.5, 0.95))
    return {"p50_ms": round(float(p50), 1), "p95_ms": round(float(p95), 1), "texts": READ}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--out", type=Path, default=Path("var/benchmarks/passages.json"))
    args = parser.parse_args()
    scorer, embedder = AnswerScorer(args.model), MiniLmEmbedder()
    report: dict[str, Any] = {
        "machine": {
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "load": os.getloadavg()[0],
            "python": platform.python_version(),
        },
        "versions": {n: version(n) for n in ("ctranslate2", "numpy", "sentence-transformers")},
        "levels": {"certain": scorer.levels.certain, "doubtful": scorer.levels.doubtful},
    }
    pooled: list[tuple[Judged, Scores]] = []
    for name in ("epqa", "hetpqa_evidence"):
        questions = judged(args.data, name)
        words = by_words(questions, plain, whole_set=False)
        stemmed = by_words(questions, tokens, whole_set=True)
        meaning = by_meaning(questions, embedder)
        read = [scorer.log_odds(q.question, q.texts).astype(np.float64) for q in questions]
        rankings = {
            "BM25": words,
            "BM25, stemmed": stemmed,
            "MiniLM": meaning,
            "RRF of BM25 and MiniLM": fused(words, meaning),
            "RRF of BM25, stemmed, and MiniLM": fused(stemmed, meaning),
            "scorer": read,
        }
        report[name] = {n: measure(questions, scores) for n, scores in rankings.items()}
        pooled += zip(questions, read, strict=True)
        if name == "epqa":
            report["latency"] = latency(scorer, questions)
    for name in ("epqa", "hetpqa_evidence"):
        questions = judged(args.data, name)
        report[f"{name}, bot"] = chosen_by_bot(questions, scorer, embedder, pooled)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    print(json.dumps(report, indent=1))
    for name in ("epqa", "hetpqa_evidence"):
        for choice, shares in report[f"{name}, bot"].items():
            print(f"{name:16} bot {choice:29} {shares}")
        for ranking, figures in report[name].items():
            first, nothing = figures["answers"], figures["abstention"]["nothing"]
            print(
                f"{name:16} {ranking:33} P@1 {first['precision@1']['mean']:.3f}"
                f" MRR {first['mrr']['mean']:.3f} rejected {nothing['rejected, cross-validated']:.2f}"
                f" at {nothing['kept, cross-validated']:.2f} kept, AUC {nothing['auc']:.2f}"
            )


if __name__ == "__main__":
    main()
