"""Fixed expressions that decide what a message does, read from `cues.toml`."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files


@cache
def _cues() -> dict[str, re.Pattern[str]]:
    data = tomllib.loads(files("prompts").joinpath("cues.toml").read_text(encoding="utf-8"))
    return {name: re.compile("|".join(patterns), re.IGNORECASE) for name, patterns in data.items()}


def cue(name: str, text: str) -> bool:
    """Whether the text holds the named cue. Raises KeyError for an unknown name."""
    return _cues()[name].search(text.replace("’", "'")) is not None


def without_cue(name: str, text: str) -> str:
    """The text without the named cue. Raises KeyError for an unknown name."""
    return " ".join(_cues()[name].sub(" ", text.replace("’", "'")).split())
