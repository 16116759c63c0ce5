"""How well a product fits a query: one calibrated score from words, meaning and the title's phrase.

The score is a sum, so that it can be told part by part. Words and meaning are combined by their
values instead of their ranks, each on a scale that does not depend on the other hits (Bruch, Gai,
Ingber: "An Analysis of Fusion Functions for Hybrid Retrieval", TOIS 42, 2023). Knows nothing of
indexes, files or encoders: arrays and words in, scores out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.text import Unit, has_cjk, sequence

Floats = npt.NDArray[np.float32]

# What each part of the score weighs: BM25 as a share of the most that the query's words can give
# weighs 1. Chosen on the judged electronics queries; `benchmarks/ranking.py` tells how they do
# under cross-validation.
WEIGHTS: Mapping[str, float] = {
    "words": 1.0,
    "meaning": 1.0,
    "phrase": 0.4,
    "coverage": 0.2,
    "accessory": -0.2,
    "repeated": -0.02,  # the third and later of near-duplicates; see `retrieval.diversity`
}

LEAST_SHARE = 0.25  # of `words` for the product that holds most of them

# Things that are bought for another thing: behind its name they say that the title is of them.
_ACCESSORIES = frozenset(
    sequence(
        """accessory adapter arm backpack bag battery bracket cable cart carrying case charger
        cleaner cleaning cooler cooling cover dock docking filter folio holder housing hub kit lamp
        lock mount mounting pad part pouch protector rack refill remote replacement shelf skin
        sleeve spare stand strap stylus tray"""
    )
) | frozenset("壳套包袋架膜罩座")
_NEAR = 2  # words behind the name of a thing that may make an accessory of it


@dataclass(frozen=True, slots=True)
class Wish:
    """What of a query a title is compared with, as words of `text.sequence`.

    `pairs` are neighbouring content words; `head` are the words of the last one, which in English
    and in Chinese names the thing itself.
    """

    pairs: tuple[str, ...]
    head: tuple[str, ...]
    words: frozenset[str]

    @classmethod
    def of(cls, text: str, units: Sequence[Unit]) -> Wish:
        words = sequence(text)
        content = {part for unit in units for part in sequence(unit.text)}
        pairs = tuple(
            f" {left} {right} "
            for left, right in zip(words, words[1:], strict=False)
            if left in content and right in content and not has_cjk(left + right)
        )
        head = tuple(sequence(units[-1].text)) if units else ()
        return cls(pairs, head, frozenset(words))

    def phrase(self, title: str) -> float:
        """Share of the neighbouring words that are neighbours in the title too, 0 to 1.

        `title` has one space around each of its words; so in `is_accessory`.
        """
        return sum(pair in title for pair in self.pairs) / len(self.pairs) if self.pairs else 0.0

    def is_accessory(self, title: str) -> bool:
        """Whether the title names something for the thing that is wished, and not the thing."""
        name = f" {' '.join(self.head)} "
        at = title.find(name)
        if not self.head or at < 0:
            return False
        behind = title[at + len(name) :].split(" ", _NEAR)[:_NEAR]
        return any(word in _ACCESSORIES and word not in self.words for word in behind)


def parts_of(
    wish: Wish,
    titles: Sequence[str],
    *,
    lexical: Floats,
    most: float,
    dense: Floats,
    coverage: Floats,
) -> dict[str, Floats]:
    """What each part of the score is for each of n candidates, by the names of `WEIGHTS`; all but
    `repeated`, which only their order can tell.

    `lexical` is BM25 and `most` the greatest it can be for the query; `dense` is the cosine, NaN
    where none was compared; `coverage` the share of the query that the product holds. All of
    shape (n,).
    """
    return {
        "words": np.asarray(lexical / np.float32(_scale(lexical, most)), np.float32),
        "meaning": np.nan_to_num(dense, nan=0.0),
        "phrase": np.array([wish.phrase(title) for title in titles], np.float32),
        "coverage": coverage,
        "accessory": np.array([wish.is_accessory(title) for title in titles], np.float32),
    }


def _scale(lexical: Floats, most: float) -> float:
    """What BM25 is a share of: `most`, unless a long message says much that no product holds."""
    best = float(lexical.max(initial=0.0))
    return min(most, best / LEAST_SHARE) or 1.0


def score(parts: Mapping[str, Floats]) -> Floats:
    """The weighted sum of the parts, shape (n,)."""
    total = sum(np.float32(WEIGHTS[name]) * values for name, values in parts.items())
    return np.asarray(total, np.float32)
