"""Signs of what a sentence of the shop is good for, read from `answering.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Signs:
    """Verbs that begin instructions for use or tasks, patterns of what else tells them, and words that
    rules use for one another (`same`)."""

    instructing: frozenset[str]
    tasks: frozenset[str]
    instructs: re.Pattern[str]
    to_assistant: re.Pattern[str]
    tasks_zh: re.Pattern[str]
    reviews: re.Pattern[str]
    same: tuple[tuple[str, ...], ...]


@cache
def signs() -> Signs:
    """Returns the signs of both languages."""
    data = tomllib.loads(files("prompts").joinpath("answering.toml").read_text(encoding="utf-8"))

    def any_of(name: str) -> re.Pattern[str]:
        return re.compile("|".join(data[name].strip().splitlines()), re.IGNORECASE)

    return Signs(
        frozenset(data["instructing"].split()),
        frozenset(data["tasks"].split()),
        any_of("instructs"),
        any_of("to_assistant"),
        any_of("tasks_zh"),
        any_of("reviews"),
        tuple(tuple(line.split()) for line in data["same"].strip().splitlines()),
    )
