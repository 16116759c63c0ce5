"""The closed list of dialogue acts and slots, read from `acts.toml`.

Knows nothing about how an act is phrased or filled.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

MARKER = re.compile(r"<([a-z]+(?:_[a-z]+)*(?:_\d)?)>")


class UnknownActError(ValueError):
    """An act or slot name that is not in the closed list; the message names it."""


@dataclass(frozen=True, slots=True)
class ActSpec:
    """What an act says and which slots it may carry, in canonical order."""

    name: str
    about: str
    required: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def slots(self) -> tuple[str, ...]:
        return self.required + self.optional


@dataclass(frozen=True, slots=True)
class Inventory:
    """The whole closed list; `digest` is the SHA-256 of its file, `version` its number, `notes`
    what the value of each slot is. `acts` are what a generator phrases; `notices` are said in one
    way, by the plain sentence alone."""

    version: int
    digest: str
    slots: tuple[str, ...]
    acts: dict[str, ActSpec]
    notes: dict[str, str]
    notices: dict[str, ActSpec]

    def act(self, name: str) -> ActSpec:
        """Returns the description of an act or notice. Raises UnknownActError."""
        try:
            return (self.acts | self.notices)[name]
        except KeyError:
            raise UnknownActError(f"no act {name!r}; acts.toml lists {sorted(self.acts)}") from None


@cache
def inventory() -> Inventory:
    """Returns the inventory that ships with this version. Raises UnknownActError if it contradicts itself."""
    raw = files("prompts").joinpath("acts.toml").read_bytes()
    data = tomllib.loads(raw.decode("utf-8"))
    slots = tuple(data["slots"])
    acts = {name: _spec(name, body, slots) for name, body in data["acts"].items()}
    notices = {name: _spec(name, body, slots) for name, body in data["notices"].items()}
    digest = hashlib.sha256(raw).hexdigest()
    return Inventory(data["version"], digest, slots, acts, _notes(data["slots"]), notices)


def _spec(name: str, body: dict[str, Any], slots: tuple[str, ...]) -> ActSpec:
    spec = ActSpec(
        name, body["about"], tuple(body.get("required", ())), tuple(body.get("optional", ()))
    )
    if unknown := set(spec.slots) - set(slots):
        raise UnknownActError(f"act {name!r} uses unknown slots {sorted(unknown)}")
    return spec


def _notes(slots: dict[str, str]) -> dict[str, str]:
    """What each slot's value is: one without words is as the slot `_1` of its name, of its label."""
    return {
        name: note or slots.get(f"{name[:-1]}1", "").replace("label_1", f"label_{name[-1]}")
        for name, note in slots.items()
    }


def markers(text: str) -> list[str]:
    """Lists the slot names marked in `text` (`<title_1>`), in order, repeats included."""
    return MARKER.findall(text)
