"""What a message takes up again: an earlier wish, a product of it, or a choice that was offered.

Knows what was wished and offered, and nothing of products.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from bot.understanding.constraints import Constraints
from prompts.cues import cue
from retrieval.text import tokens, units

CHOSEN = 80  # rapidfuzz ratio from which an answer is one of the options offered
_BACK_ZH = re.compile(
    r"(?:刚才|刚刚|之前|前面|最开始|一开始)(?:看|说|聊|推荐|问)?(?:过|到)?的?(?:那[个款些顶张把件条种])?"
)
_FIRST = re.compile(r"^\W*(?:the )?(?:first|former|1|第一个?)(?: one)?\W*$", re.IGNORECASE)
_SECOND = re.compile(r"^\W*(?:the )?(?:second|latter|2|第二个?)(?: one)?\W*$", re.IGNORECASE)
_NEITHER = re.compile(
    r"^\W*(?:both|either|any(?: of them)?|whatever|(?:i )?(?:don['’]?t|do not) (?:care|mind)|all(?: of them)?|"
    r"都行|都可以|随便|无所谓|都看看)\W*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A wish that was talked about: its words, its conditions and the products last shown for it."""

    wish: str
    constraints: Constraints = Constraints()
    products: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "wish": self.wish,
            "constraints": self.constraints.as_dict(),
            "products": list(self.products),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Topic:
        constraints = Constraints.from_dict(data.get("constraints", {}))
        return cls(data["wish"], constraints, tuple(data.get("products", ())))


def earlier_topic(text: str, topics: Sequence[Topic]) -> int | None:
    """Returns which of the earlier topics (oldest first) "back to the tents" means, None for none.

    Where the text names no kind, it is the latest one.
    """
    if not topics or not cue("back", text):
        return None
    said = set(_words(_BACK_ZH.sub(" ", text)))
    shared = [len(said & set(_words(topic.wish))) for topic in topics]
    best = max(shared)
    if best:
        return max(at for at, count in enumerate(shared) if count == best)
    return len(topics) - 1 if cue("back_alone", text) else None


def earlier_product(text: str, topics: Sequence[Topic], named: Callable[[str, str], bool]) -> str:
    """Returns the product of an earlier topic that "that tent from before" means, "" for none.

    `named(product id, word)` tells whether a product is such a thing.
    """
    at = earlier_topic(text, topics)
    if at is None or not topics[at].products:
        return ""
    said = _words(text)
    own = [pid for pid in topics[at].products if any(named(pid, word) for word in said)]
    return own[0] if own else topics[at].products[0]


def chosen_option(text: str, offered: Sequence[str]) -> str | None:
    """Returns which option a message picks, "" for any of them, None where it picks none."""
    if not offered:
        return None
    if len(offered) == 1 and cue("yes", text):
        return offered[0]
    if _NEITHER.search(text):
        return ""
    for pattern, at in ((_FIRST, 0), (_SECOND, 1)):
        if pattern.search(text) and at < len(offered):
            return offered[at]
    bare = re.sub(r"[^\w\s&]", " ", text).casefold().strip()
    rated = [(fuzz.ratio(bare, option.casefold()), option) for option in offered]
    best = max(rated)
    if best[0] >= CHOSEN:
        return best[1]
    said = set(_words(text))
    held = [option for option in offered if said and said & _own(option, offered)]
    return held[0] if len(held) == 1 and len(said) <= 4 else None


def _own(option: str, offered: Sequence[str]) -> set[str]:
    """The words by which an option differs from the others."""
    others = {word for other in offered if other != option for word in _words(other)}
    return set(_words(option)) - others


def _words(text: str) -> list[str]:
    """Content words: stems, and Chinese words as a dictionary tells them."""
    found = [word for word in tokens(text) if word.isascii()]
    return found + [
        unit.text for unit in units(text) if not unit.text.isascii() and unit.weight >= 1
    ]
