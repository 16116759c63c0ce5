"""Why a product was found: which words stand in which of its fields, and what made its score.

Knows nothing of how a query is answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrieval.lexical import LexicalIndex, query_scores
from retrieval.ranking import WEIGHTS
from retrieval.text import Unit, tokens


@dataclass(frozen=True, slots=True)
class WordFound:
    """A word of the query: its BM25 score in the product, and the fields that hold it or its parts."""

    word: str
    score: float
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScorePart:
    """One summand of a score: `value` times `weight`."""

    name: str
    value: float
    weight: float

    @property
    def share(self) -> float:
        """What the part adds to the score."""
        return self.value * self.weight


def words_found(
    units: Sequence[Unit], fields: Mapping[str, str], index: LexicalIndex, row: int
) -> tuple[WordFound, ...]:
    """The words of a query that the product in `row` holds, as its fields are told."""
    held = {name: frozenset(tokens(text)) for name, text in fields.items()}
    found = []
    for unit in units:
        sought = {part for _, parts in unit.alternatives + unit.instead for part in parts}
        names = tuple(name for name, words in held.items() if sought & words)
        if names:
            found.append(WordFound(unit.text, float(query_scores([unit], index)[row]), names))
    return tuple(found)


def score_parts(parts: Mapping[str, float]) -> tuple[ScorePart, ...]:
    """The summands of a hit's score, the greatest first; those that add nothing are left out."""
    told = [
        ScorePart(name, parts[name], weight) for name, weight in WEIGHTS.items() if parts.get(name)
    ]
    return tuple(sorted(told, key=lambda part: -abs(part.share)))
