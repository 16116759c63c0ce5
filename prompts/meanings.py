"""Whether a phrasing says its act at all: the words each act cannot do without (`meanings.toml`)."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

from prompts.acts import UnknownActError, inventory


@cache
def _signs() -> dict[tuple[str, str], re.Pattern[str]]:
    data = tomllib.loads(files("prompts").joinpath("meanings.toml").read_text(encoding="utf-8"))
    signs = {}
    for language, acts in data.items():
        if unknown := sorted(set(acts) - set(inventory().acts)):
            raise UnknownActError(f"meanings.toml [{language}] names unknown acts {unknown}")
        for act, pattern in acts.items():
            signs[language, act] = re.compile(pattern, re.IGNORECASE)
    return signs


def says(act: str, language: str, marked: str) -> bool:
    """Whether the slot-marked text holds what makes it this act; acts of facts alone always do."""
    sign = _signs().get((language, act))
    return sign is None or sign.search(marked.replace("’", "'")) is not None
