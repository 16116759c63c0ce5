"""Near-duplicates among the hits: products whose titles differ by a colour, a size, a count or little else.

They stay products of their own and can all be found. Of those that stand close together the third
and later ones lose a little of their score, so that what fits nearly as well comes before them and
they do not fill the page. Knows nothing of indexes or of what was asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from retrieval.text import sequence

LOOKED_AT = 30  # best hits among which near-duplicates are sought
KEPT = 2  # of one likeness that keep their score
ALIKE = (
    0.85  # what two titles have in common (Dice), what only varies left out: all but one of 7 words
)

# 13.3, 128gb, 2x4: figures with or without a measure; a model number (dv7, 1211ea) is none
_FIGURE = re.compile(
    r"[\d.,/]+(?:x[\d.,/]+)*(?:mm|cm|m|km|in|ft|mg|g|kg|ml|cl|l|oz|lb|w|kw|v|mah|hz|mb|gb|tb|pc|pk|ct|x)?"
)
# what a thing comes in: colours, sizes, measures and counts, as `text.sequence` gives them
_VARYING = frozenset(
    sequence(
        """black white gray red blue green yellow orange pink purple brown silver gold beige navy
        teal turquoise cream ivory violet magenta bronze copper charcoal multicolor
        small medium large mini extra big xs s m l xl xxl xxxl size
        mm cm km in inch inches ft feet g kg mg lb lbs oz ml cl liter gal w kw v mah gb tb mb hz
        pc pcs piece pieces pack packs set sets count ct pair pairs of x
        one two three four five six eight ten twelve"""
    )
) | frozenset("黑白灰红蓝绿黄橙粉紫棕金银深浅色大中小号码加件个只条套装张片包盒瓶双对寸")


def kernel(title: str) -> frozenset[str]:
    """The words of a title that tell what it is of; all of them where nothing else is left.

    `title` are words as `text.sequence` gives them, a space between.
    """
    words = title.split()
    kept = [word for word in words if word not in _VARYING and not _FIGURE.fullmatch(word)]
    return frozenset(kept or words)


def alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two kernels are those of near-duplicates."""
    least = ALIKE * (len(one) + len(other)) / 2
    return 0 < least <= min(len(one), len(other)) and len(one & other) >= least


def surplus(titles: Sequence[str]) -> list[bool]:
    """For each title, the best hit first, whether `KEPT` near-duplicates of it stand before it."""
    kernels = [kernel(title) for title in titles]
    return [
        sum(alike(one, other) for other in kernels[:at]) >= KEPT for at, one in enumerate(kernels)
    ]
