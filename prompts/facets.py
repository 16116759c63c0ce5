"""Kinds of properties and the words that mark them, read from `facets.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class FacetKind:
    """A kind of property; `same` maps a way to say a value to all ways to say it."""

    name: str
    concept: str
    basic: re.Pattern[str] | None
    marked: tuple[re.Pattern[str], ...]
    sure: tuple[re.Pattern[str], ...]
    another: re.Pattern[str] | None
    same: dict[str, tuple[str, ...]]

    def ways(self, value: str) -> tuple[str, ...]:
        """Every way to say this value, the given one first."""
        others = self.same.get(value.casefold(), ())
        return (value, *(way for way in others if way != value.casefold()))


@cache
def facet_kinds() -> dict[str, FacetKind]:
    """Returns the kinds that every shop may have, by name."""
    found = {}
    for name, body in _data().items():
        if "concept" not in body:
            continue
        found[name] = FacetKind(
            name,
            body["concept"],
            _compiled(body.get("basic")),
            tuple(re.compile(p, re.IGNORECASE) for p in body.get("marked", ())),
            tuple(re.compile(p, re.IGNORECASE) for p in body.get("sure", ())),
            _compiled(body.get("another")),
            {way: tuple(group) for group in body.get("same", ()) for way in group},
        )
    return found


@cache
def idle_value() -> re.Pattern[str]:
    """What stands where a value would, and is none: "in stock"."""
    return re.compile(_data()["idle"], re.IGNORECASE)


@cache
def services() -> dict[str, re.Pattern[str]]:
    """What a shopper may want of the sale, by name: free shipping, cash on delivery."""
    return {name: re.compile(p, re.IGNORECASE) for name, p in _data()["services"].items()}


@cache
def vague_word() -> re.Pattern[str]:
    """A word that praises or counts, and says nothing that a record could hold."""
    return re.compile(_data()["vague"], re.IGNORECASE)


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    return re.compile(pattern, re.IGNORECASE) if pattern else None


@cache
def _data() -> dict:  # type: ignore[type-arg]
    return tomllib.loads(files("prompts").joinpath("facets.toml").read_text(encoding="utf-8"))
