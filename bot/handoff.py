"""What the person who takes over is told: a summary of the conversation, made by code.

Knows nothing about how it is delivered, and holds no contact or address of a shopper.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from bot.state import DialogState
from bot.understanding.language import WIDE
from retrieval.text import tokens

# why a person is needed: the shopper asked, was not understood, failed to prove an order, is angry,
# named a topic that the shop keeps for people, or has a complaint that no rule settles
Reason = Literal[
    "asked", "not understood", "proof failed", "angry", "topic", "complaint", "callback"
]


@dataclass(frozen=True, slots=True)
class Summary:
    """`question` and `wish` are the shopper's words as redacted; the rest code has made.

    `tried` are the latest acts, oldest first; `requests` the numbers of what was recorded.
    """

    reason: Reason
    language: str
    intents: tuple[str, ...]
    topic: str
    question: str
    wish: str
    products: tuple[str, ...]
    order_id: str
    order_proven: bool
    tried: tuple[str, ...]
    requests: tuple[str, ...]
    on_duty: bool

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def notice(summary: Mapping[str, Any], conversation: int) -> dict[str, Any]:
    """What leaves the machine to wake a person: nothing that the shopper wrote, and no order number.

    The conversation's number leads to the rest.
    """
    kept = ("reason", "language", "intents", "topic", "products", "requests", "on_duty")
    return {
        "conversation": conversation,
        **{name: summary[name] for name in kept},
        "about_an_order": bool(summary["order_id"]),
    }


def named_topic(text: str, topics: Sequence[str]) -> str:
    """The first of the shop's own topics that the text names, "" where it names none.

    The words of a topic must stand beside each other, in whatever form of the word; of a topic in
    Chinese the characters.
    """
    said = tokens(text)
    spread = re.sub(r"\s+", "", text).casefold()
    for topic in topics:
        if WIDE.search(topic):
            if re.sub(r"\s+", "", topic).casefold() in spread:
                return topic
            continue
        words = tokens(topic)
        runs = (said[start : start + len(words)] for start in range(len(said)))
        if words and any(run == words for run in runs):
            return topic
    return ""


def summary_of(
    state: DialogState,
    *,
    reason: Reason,
    intents: tuple[str, ...],
    products: tuple[str, ...],
    order_proven: bool,
    on_duty: bool,
    topic: str = "",
) -> Summary:
    """Puts together what the state remembers; `products` are titles, `topic` one of the shop's."""
    return Summary(
        reason=reason,
        language=state.language,
        intents=intents,
        topic=topic or state.topic,
        question=state.question,
        wish=state.wish,
        products=products,
        order_id=state.order_id,
        order_proven=order_proven,
        tried=state.tried,
        requests=state.recorded,
        on_duty=on_duty,
    )
