"""What a ranking is measured by: pure functions of ids and ratings, higher is better in each.

Products that nobody judged gain nothing. Knows nothing about searching.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Collection, Mapping, Sequence

RESAMPLES = 2000


def ndcg(ids: Sequence[str], ratings: Mapping[str, int], k: int = 10) -> float:
    """nDCG at k with gain 2^rating − 1 and discount log2(rank + 1), 0 where nothing gains.

    Järvelin, Kekäläinen, TOIS 20, 2002, with the exponential gain of Burges et al., ICML 2005.
    """
    gained = sum(
        (2.0 ** ratings.get(id, 0) - 1) / math.log2(at + 2) for at, id in enumerate(ids[:k])
    )
    best = sorted((2.0**rating - 1 for rating in ratings.values()), reverse=True)[:k]
    ideal = sum(gain / math.log2(at + 2) for at, gain in enumerate(best))
    return gained / ideal if ideal else 0.0


def recall(ids: Sequence[str], good: Collection[str], k: int = 100) -> float:
    """Share of the good ones among the first k; 0 where there are none."""
    return len(set(good).intersection(ids[:k])) / len(good) if good else 0.0


def reciprocal_rank(ids: Sequence[str], good: Collection[str], k: int = 100) -> float:
    """1 / rank of the first good one among the first k, else 0."""
    return next((1.0 / rank for rank, id in enumerate(ids[:k], start=1) if id in good), 0.0)


def interval(values: Sequence[float], *, share: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """The interval of the mean by the percentile bootstrap over queries (Efron, 1979).

    Raises ValueError where there is no value.
    """
    if not values:
        raise ValueError("no values to resample")
    dice = random.Random(seed)
    means = sorted(statistics.fmean(dice.choices(values, k=len(values))) for _ in range(RESAMPLES))
    tail = (1.0 - share) / 2.0
    return means[int(tail * RESAMPLES)], means[min(RESAMPLES - 1, int((1.0 - tail) * RESAMPLES))]


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile. Raises ValueError where there is no value."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
