"""What shoppers ask about a shop's rules: topics with their patterns, read from `topics.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Topic:
    """`wording` holds how such a rule is usually put, by language; an `exact` topic is answered only
    by a rule that holds the words of the question themselves; a `rule` topic is about rules even
    where a product is named; what answers must match `needs`, where there is one. A `reworded` topic is
    asked in words that no rule has ("what if she doesn't like it"): only its wording is searched."""

    name: str
    ask: re.Pattern[str]
    wording: dict[str, str]
    exact: bool
    rule: bool
    needs: re.Pattern[str] | None = None
    reworded: bool = False


@cache
def all_topics() -> tuple[Topic, ...]:
    """Returns every topic, in file order."""
    data = tomllib.loads(files("prompts").joinpath("topics.toml").read_text(encoding="utf-8"))
    return tuple(
        Topic(
            name,
            re.compile("|".join(body["ask"]), re.IGNORECASE),
            {"en": body["en"], "zh": body["zh"]},
            body.get("exact", False),
            body.get("rule", False),
            re.compile("|".join(body["needs"]), re.IGNORECASE) if "needs" in body else None,
            body.get("reworded", False),
        )
        for name, body in data.items()
    )


def topics_of(question: str) -> list[Topic]:
    """Lists the topics that a question is about, in file order."""
    return [topic for topic in all_topics() if topic.ask.search(question)]
