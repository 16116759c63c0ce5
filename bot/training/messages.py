"""Shoppers' messages for training prompts: our own templates, and public data where it is at hand.

Messages are context only; no loss is taken on them. Knows nothing about replies or models.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from prompts.phrasing import Phrasing, parse

EMPTY = 0.12  # share of prompts without a message
FOREIGN = 0.12  # share with a message of some other situation: the act decides, not the message
PUBLIC = 0.4  # share from public data where a family has any

Public = Mapping[tuple[str, str], Sequence[str]]  # (language, family) → messages


def situations() -> dict[str, list[str]]:
    """Returns for each act the families of messages it may answer."""
    return {str(act): list(families) for act, families in _data()["situations"].items()}


def families(language: str) -> dict[str, tuple[Phrasing, ...]]:
    """Returns the message templates of a language by family."""
    return dict(_families(language))


def message_for(language: str, act: str, rng: random.Random, public: Public | None = None) -> str:
    """Draws a message that `act` may answer; sometimes none, sometimes one of another situation."""
    roll = rng.random()
    if roll < EMPTY:
        return ""
    known = _families(language)
    family = rng.choice(list(known) if roll < EMPTY + FOREIGN else _data()["situations"][act])
    real = (public or {}).get((language, family), ())
    if real and rng.random() < PUBLIC:
        return rng.choice(real)
    text = rng.choice(known[family]).expand(frozenset(), rng) or ""
    return text.replace("⟦", "[").replace("⟧", "]").strip()


@cache
def _data() -> dict[str, dict[str, list[str]]]:
    raw = files("bot.training").joinpath("messages.toml").read_text(encoding="utf-8")
    return tomllib.loads(raw)


@cache
def _families(language: str) -> dict[str, tuple[Phrasing, ...]]:
    data = tomllib.loads(
        files("bot.training").joinpath("messages.toml").read_text(encoding="utf-8")
    )
    macros = data["macros"][language]
    return {
        family: tuple(parse(source, macros) for source in sources)
        for family, sources in data["families"][language].items()
    }
