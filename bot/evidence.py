"""Spans that may answer a question, and which of them stands once each was read with the question.

A span that words and meaning let through stands unless the scorer doubts it; one that they did not
stands only where the scorer is certain. Knows nothing of where spans come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bot.spans import in_place
from db.records import Attribute, Passage
from retrieval.answering import READ, Levels

ANSWERS = 0.5  # weight of the scorer's probability beside words and meaning


class Scorer(Protocol):
    """Tells how likely each text answers a question; see `retrieval.answering.AnswerScorer`."""

    @property
    def levels(self) -> Levels: ...

    def log_odds(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Log-odds (n,) that each of n texts answers."""
        ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of shop text that may answer, with its score; `passage` or `attribute` says where.

    `covered` is the share of the question's words it holds, `meaning` its cosine, `odds` the
    log-odds that it answers (None where nothing read it).
    """

    text: str
    score: float
    passage: Passage | None = None
    attribute: Attribute | None = None
    covered: float = 0.0
    meaning: float = 0.0
    odds: float | None = None


def best_read(
    question: str,
    found: Sequence[Evidence],
    scorer: Scorer,
    *,
    enough: Callable[[Evidence], bool],
) -> Evidence | None:
    """The evidence that answers best, None where none does; `enough` is what words and meaning say.

    Only the READ best by score are read, so that a turn stays fast.
    """
    first = sorted(found, key=lambda e: -e.score)[:READ]
    if not first:
        return None
    odds = scorer.log_odds(question, [in_place(e.text, e.passage) for e in first])
    levels = scorer.levels
    read = [
        replace(e, odds=float(o), score=e.score + ANSWERS / (1.0 + float(np.exp(-o))))
        for e, o in zip(first, odds, strict=True)
        if o >= (levels.doubtful if enough(e) else levels.certain)
    ]
    return max(read, key=lambda e: e.score, default=None)
