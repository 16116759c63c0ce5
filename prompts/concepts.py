"""What shoppers ask of a product: concepts with their patterns, read from `concepts.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Concept:
    """`card` names the product field that holds the fact, empty where an attribute does. `wording`
    is how a page usually puts it."""

    name: str
    card: str
    ask: re.Pattern[str] | None
    label: re.Pattern[str] | None
    least: re.Pattern[str] | None
    most: re.Pattern[str] | None
    wording: str

    def asked(self, text: str) -> bool:
        """Whether the text asks for this, or for the least or most of it."""
        return any(p.search(text) for p in (self.ask, self.least, self.most) if p)

    def direction(self, text: str) -> int:
        """-1 where the text asks for the least, 1 for the most, 0 for neither."""
        if self.least and self.least.search(text):
            return -1
        return 1 if self.most and self.most.search(text) else 0


@cache
def concepts() -> dict[str, Concept]:
    """Returns every concept by name, in file order."""
    data = tomllib.loads(files("prompts").joinpath("concepts.toml").read_text(encoding="utf-8"))

    def joined(patterns: list[str] | None) -> re.Pattern[str] | None:
        return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None

    return {
        name: Concept(
            name,
            body.get("card", ""),
            joined(body.get("ask")),
            joined(body.get("label")),
            joined(body.get("least")),
            joined(body.get("most")),
            body.get("wording", ""),
        )
        for name, body in data.items()
    }
