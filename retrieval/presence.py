"""Whether what was asked is here at all, told from the nearest there is.

A find is told from a neighbour by its cosine and by how much of the query its name holds. The best of
many products comes nearer by chance than the best of few, so what is asked of it grows with the
logarithm of their number. `benchmarks/ranking.py` tells how often that is right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from retrieval.values import Hit

NAMED = 0.5  # what a name that holds the whole query counts beside the cosine
LEAST = 0.49  # evidence asked of the best of `FEW` products, or of fewer
GROWTH = 0.17  # and how much more for ten times as many
FEW = 100
READ = 10  # hits that are looked at


def evidence(hits: Sequence[Hit]) -> float:
    """The most that a hit has to show, 0 to about 1.5; 0 where nothing was found."""
    return max(
        (
            hit.parts.get("dense", NAMED * hit.parts.get("coverage", 0.0))
            + NAMED * hit.parts.get("title_coverage", 0.0)
            for hit in hits[:READ]
        ),
        default=0.0,
    )


def asked_of(products: int) -> float:
    """The evidence from which something is here, among so many products."""
    return LEAST + GROWTH * max(0.0, math.log10(max(products, 1) / FEW))


def is_here(hits: Sequence[Hit], products: int) -> bool:
    """Whether one of the best hits is what was asked and not the nearest to it."""
    return evidence(hits) >= asked_of(products)
