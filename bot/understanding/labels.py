"""Whether a value is named by the words beside it: "my phone number is …", "订单号：…".

Knows nothing of what the value is.
"""

from __future__ import annotations

import re
from functools import cache

from prompts.personal import pattern

REACH = 48  # characters before a value in which its label stands
# what may stand between a label and its value
_GAP = (
    r"(?:'s)?[\W_]{0,3}(?:\b(?:numbers?|num|nos?|nr|id|code|is|are|was|it|its|it's|my|the|me|us|him|"
    r"her|back|on|at|to|under|with|via|cell|mobile|called|are|be|should|ends?|ending|in|new|number's)"
    r"\b[\W_]{0,3}){0,5}"
)
_GAP_ZH = r"[\s:：,，#]{0,3}(?:是|为|号码?|就是|应该是|改成|改为|写|填|我)?[\s:：,，#]{0,3}"


@cache
def _before(name: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?:\b(?:{pattern('en', name)})\b{_GAP}|(?:{pattern('zh', name)}){_GAP_ZH})$",
        re.IGNORECASE,
    )


@cache
def _after(name: str) -> re.Pattern[str]:
    # and nothing of its own: "7510 7710 6-Cell Battery" is none
    return re.compile(
        rf"[ ,(-]{{0,3}}(?:{pattern('en', name)})\b(?=\s{{0,3}}(?:$|[\n,.;:!?)\\]))", re.IGNORECASE
    )


def labelled(text: str, start: int, name: str) -> bool:
    """Whether a label of the list `name` leads to the value that begins at `start`."""
    return _before(name).search(text, max(0, start - REACH), start) is not None


def labelled_behind(text: str, end: int, name: str) -> bool:
    """Whether a label of the list `name` follows the value that ends at `end`."""
    return _after(name).match(text, end) is not None
