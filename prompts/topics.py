"""What shoppers ask about a shop's rules: topics with their patterns, read from `topics.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Topic:
    """`wording` holds how such a rule is usually put, by language."""

    name: str
    ask: re.Pattern[str]
    wording: dict[str, str]


@cache
def _topics() -> tuple[Topic, ...]:
    data = tomllib.loads(files("prompts").joinpath("topics.toml").read_text(encoding="utf-8"))
    return tuple(
        Topic(
            name,
            re.compile("|".join(body["ask"]), re.IGNORECASE),
            {"en": body["en"], "zh": body["zh"]},
        )
        for name, body in data.items()
    )


def topics_of(question: str) -> list[Topic]:
    """Lists the topics that a question is about, in file order."""
    return [topic for topic in _topics() if topic.ask.search(question)]
