"""Messages said to an evaluated shop, and what it made of the last of them; nothing is stored.

Knows nothing of what is measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.app import Shop
from bot.errors import ConfigError
from bot.state import DialogState
from bot.turn import Citation, RequestNote


@dataclass(frozen=True, slots=True)
class Told:
    """One reply with what stands behind it: `acts` in order, `values` of all their slots, and as
    text those `facts` of the turn that the shop itself states."""

    text: str
    acts: tuple[str, ...]
    values: tuple[tuple[str, str], ...]
    citations: tuple[Citation, ...]
    facts: tuple[str, ...]


class _Unrecorded:
    """Takes requests that nobody will carry out."""

    def record(self, kind: str, *, order_id: str | None, details: Mapping[str, str]) -> RequestNote:
        return RequestNote("R-1", kind)  # type: ignore[arg-type]


def say(shop: Shop, *messages: str) -> Told:
    """Says the messages in one conversation of their own; returns the reply to the last."""
    state, answer = DialogState(), None
    for message in messages:
        answer = shop.dialog.answer(
            message,
            state=state,
            locale=None,
            session_id="",
            now=shop.settings.clock()(),
            requests=_Unrecorded(),
        )
        state = answer.state
    assert answer is not None
    segments = answer.trace["segments"]
    facts = answer.trace["facts"]
    return Told(
        answer.reply.text,
        tuple(segment["act"] for segment in segments),
        tuple(pair for segment in segments for pair in segment["slots"].items()),
        answer.reply.citations,
        tuple(fact["text"] for fact in facts if fact["source"] != "shopper"),
    )


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON lines of a set. Raises ConfigError where the file is missing."""
    if not path.is_file():
        raise ConfigError(f"--data: {path} is missing; hand over the folder that holds the sets")
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)
