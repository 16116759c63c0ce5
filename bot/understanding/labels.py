"""Whether a value is named by the words beside it: "my phone number is …", "订单号：…".

Knows nothing of what the value is.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache, lru_cache

from prompts.personal import pattern

REACH = 48  # characters before a value in which its label ends
NEAREST = 4  # labels before a value that are tried
# what may stand between a label and its value
_GAP = re.compile(
    r"(?:'s)?[\W_]{0,3}(?:\b(?:numbers?|num|nos?|nr|id|code|is|are|was|it|its|it's|my|the|me|us|him|"
    r"her|back|on|at|to|under|with|via|cell|mobile|called|be|should|ends?|ending|in|new|number's)"
    r"\b[\W_]{0,3}){0,5}",
    re.IGNORECASE,
)
_GAP_ZH = re.compile(
    r"[\s:：,，#]{0,3}(?:是|为|号码?|就是|应该是|改成|改为|写|填|我)?[\s:：,，#]{0,3}"
)


def labelled(text: str, start: int, name: str) -> bool:
    """Whether a label of the list `name` leads to the value that begins at `start`."""
    for language, gap in (("en", _GAP), ("zh", _GAP_ZH)):
        ends = _ends(text, language, name)
        last = bisect_right(ends, start)
        for end in reversed(ends[max(0, last - NEAREST) : last]):
            if start - end <= REACH and gap.fullmatch(text, end, start):
                return True
    return False


def is_labelling(text: str, name: str) -> bool:
    """Whether a label of the list `name` stands anywhere in the text."""
    return any(_ends(text, language, name) for language in ("en", "zh"))


def labelled_behind(text: str, end: int, name: str) -> bool:
    """Whether a label of the list `name` follows the value that ends at `end`."""
    return _after(name).match(text, end) is not None


# a text is asked about many of its numbers in a row, each time by the same few lists
@lru_cache(maxsize=32)
def _ends(text: str, language: str, name: str) -> tuple[int, ...]:
    """Where labels end, in order."""
    return tuple(match.end() for match in _label(language, name).finditer(text))


@cache
def _label(language: str, name: str) -> re.Pattern[str]:
    edge = r"\b" if language == "en" else ""
    return re.compile(rf"{edge}(?:{pattern(language, name)}){edge}", re.IGNORECASE)


@cache
def _after(name: str) -> re.Pattern[str]:
    # and nothing of its own: "7510 7710 6-Cell Battery" is none
    return re.compile(
        rf"[ ,(-]{{0,3}}(?:{pattern('en', name)})\b(?=\s{{0,3}}(?:$|[\n,.;:!?)\\]))", re.IGNORECASE
    )
