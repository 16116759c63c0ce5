"""The words by which personal data is told, read from `privacy/en.toml` and `privacy/zh.toml`.

Knows nothing about how they are looked for.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


@cache
def word_set(language: str, name: str) -> frozenset[str]:
    """The words of a list, case-folded. Raises KeyError for an unknown list."""
    return frozenset(word.casefold() for word in _lists(language)[name].split())


@cache
def phrases(language: str, name: str) -> tuple[str, ...]:
    """The phrases of a list, one a line, as written."""
    lines = _lists(language)[name].splitlines()
    return tuple(line.strip() for line in lines if line.strip())


@cache
def pattern(language: str, *names: str) -> str:
    """Phrases and words of lists as one alternation for a regular expression."""
    found = [phrase for name in names for phrase in phrases(language, name)]
    return "|".join(sorted(found, key=len, reverse=True))


@cache
def _lists(language: str) -> dict[str, str]:
    path = files("prompts").joinpath("privacy", f"{language}.toml")
    data: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8"))
    return data
