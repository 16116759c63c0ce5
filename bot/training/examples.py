"""One pair for the generator: what the bot decided to say, and one good way to say it.

Knows nothing about where examples come from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from bot.turn import Language
from prompts.filling import Hint, Tone, hints_of, prompt_of

Split = Literal["train", "valid"]
HOUSE = "house"  # the source of what a shop's own people approved or corrected


@dataclass(frozen=True, slots=True)
class Example:
    """`source` is `phrasings`, HOUSE or the public set the reply came from; `values` fill its slots.

    The model reads `prompt`, which tells the grammar of the values and nothing else of them, and is
    to write `reply`, slot-marked.
    """

    language: Language
    act: str
    slots: tuple[str, ...]
    message: str
    reply: str
    split: Split
    source: str = "phrasings"
    tone: Tone = "neutral"
    values: dict[str, str] = field(default_factory=dict)

    @property
    def hints(self) -> dict[str, Hint]:
        return hints_of(self.language, self.values)

    @property
    def prompt(self) -> str:
        return prompt_of(
            self.language, self.act, self.slots, self.message, tone=self.tone, hints=self.hints
        )


def write(examples: Iterable[Example], path: Path) -> None:
    """Writes JSON lines, one example each; a reader never meets half of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as out:
        for example in examples:
            out.write(json.dumps(asdict(example), ensure_ascii=False) + "\n")
    os.replace(beside, path)


def read(path: Path) -> list[Example]:
    """Reads what `write` wrote."""
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [Example(**{**row, "slots": tuple(row["slots"])}) for row in rows]
