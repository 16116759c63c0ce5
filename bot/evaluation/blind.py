"""Pairs of texts for a person to judge without knowing which is whose, and the count of verdicts.

One of each pair is the generator's, the other the plain fallback's for the same act and values. The
page and its text version say nothing of either; the key is a file of its own. Knows nothing about
how texts were made.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.errors import ConfigError
from bot.evaluation.generator import Said
from bot.evaluation.metrics import sign_test
from bot.evaluation.pages import render
from bot.evaluation.report import LANGUAGES
from prompts.acts import inventory

PAGE, TEXT, KEY = "blind.html", "blind.txt", "blind-key.json"
Side = Literal["A", "B"]
_LINE = re.compile(r"^answer (\d+):[ \t]*(a|b|=|)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(r"\bp(\d+)=(a|b|equal)\b")


@dataclass(frozen=True, slots=True)
class Pair:
    """`about` says what the reply is to do; `message` is what a real shopper had said, if any."""

    number: int
    language: str
    act: str
    about: str
    message: str
    a: str
    b: str
    generated: Side


@dataclass(frozen=True, slots=True)
class Verdicts:
    """How often the generator's text, the fallback's, or neither was found better."""

    generated: int
    fallback: int
    equal: int

    @property
    def chance(self) -> float:
        """How likely so uneven a preference is by chance alone."""
        return sign_test(self.generated, self.fallback)


def pairs(generated: Sequence[Said], plain: Sequence[Said], *, count: int, seed: int) -> list[Pair]:
    """Draws at most `count` pairs that differ, English ones first; sides are shuffled by `seed`.

    Prompts on which the fallback spoke for the generator give no pair.
    """
    rng = random.Random(f"blind {seed}")
    differing = [
        (one, other)
        for one, other in zip(generated, plain, strict=True)
        if one.own and other.own and one.text.split() != other.text.split()
    ]
    drawn = rng.sample(differing, min(count, len(differing)))
    drawn.sort(key=lambda pair: pair[0].prompt.example.language)
    sides: list[Side] = ["A" if at % 2 else "B" for at in range(len(drawn))]
    rng.shuffle(sides)
    return [
        _pair(number, *pair, side)
        for number, (pair, side) in enumerate(zip(drawn, sides, strict=True), 1)
    ]


def _pair(number: int, one: Said, other: Said, side: Side) -> Pair:
    example = one.prompt.example
    texts = (one.text, other.text) if side == "A" else (other.text, one.text)
    # messages of made-up prompts have nothing to do with the values
    message = "" if example.source == "phrasings" else example.message
    about = _about(example.act, example.values)
    return Pair(number, example.language, example.act, about, message, *texts, side)


def _about(act: str, values: Mapping[str, str]) -> str:
    """What the act is for, with the values of the slots that its description names."""

    def value(match: re.Match[str]) -> str:
        return f"“{values[match[1]]}”" if match[1] in values else match[0]

    return re.sub(r"`?\b([a-z]+_\d)\b`?", value, inventory().act(act).about)


def write(found: Sequence[Pair], folder: Path, *, name: str, version: str, seed: int) -> None:
    """Writes the page, its text version and the key into `folder`."""
    sections = [
        (words, language, [pair for pair in found if pair.language == language])
        for language, words in LANGUAGES.items()
    ]
    sections = [section for section in sections if section[2]]
    for file in (PAGE, TEXT):
        text = render(file, sections=sections, count=len(found))
        (folder / file).write_text(text, encoding="utf-8", errors="replace")
    key = {
        "generator": {"name": name, "version": version},
        "seed": seed,
        "pairs": [
            {"number": p.number, "language": p.language, "act": p.act, "generated": p.generated}
            for p in found
        ],
    }
    (folder / KEY).write_text(json.dumps(key, indent=1) + "\n", encoding="utf-8")


def answers(text: str) -> dict[int, str]:
    """Reads answers, `A`, `B` or `=` by number, from a filled-in text or the address of a sent page.

    A text is known by its answer lines, so that nothing it quotes is taken for an answer.
    """
    lines = _LINE.findall(text)
    found = lines or [(n, "=" if word == "equal" else word) for n, word in _FIELD.findall(text)]
    return {int(number): word.upper() for number, word in found if word}


def judged(file: Path, key: Path) -> dict[str, Verdicts]:
    """Counts the verdicts of a file of answers, of all pairs and by language.

    Raises ConfigError where a file is missing or holds no answer.
    """
    for path in (file, key):
        if not path.is_file():
            raise ConfigError(f"{path} does not exist")
    said = answers(file.read_text(encoding="utf-8"))
    if not said:
        raise ConfigError(
            f"{file} holds no answers: fill in the lines `answer 1:` of {TEXT}, or save the address "
            f"that {PAGE} shows once it is sent"
        )
    try:
        known = json.loads(key.read_text(encoding="utf-8"))["pairs"]
        counted = [(p["language"], _verdict(said[p["number"]], p["generated"]))
                   for p in known if p["number"] in said]  # fmt: skip
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{key} is no key as `shopbot evaluate generator` writes it") from error
    languages: dict[str, list[str]] = {}
    for language, verdict in counted:
        languages.setdefault(language, []).append(verdict)
    every = {"all": [verdict for _, verdict in counted], **languages}
    return {name: _count(verdicts) for name, verdicts in every.items()}


def _verdict(answer: str, generated: str) -> str:
    return "equal" if answer == "=" else "generated" if answer == generated else "fallback"


def _count(verdicts: Sequence[str]) -> Verdicts:
    return Verdicts(*(verdicts.count(name) for name in ("generated", "fallback", "equal")))
