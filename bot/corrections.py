"""A reply as an agent would have put it: held to the facts of its turn, and read back into acts and slots.

A correction may say less or otherwise, never what the turn had no source for; a wrong fact is
mended where it comes from. Knows nothing about who corrects or what is learned from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from bot.surface_text import mark
from bot.turn import Fact, Language
from bot.verifier import verify
from db.conversations import TurnRecord
from prompts.acts import MARKER, markers
from retrieval.text import tokens

MAX_CHARS = 900
VALUE = 3.0  # what a slot's value is worth beside the share of common words, where a text is cut
_ENDS = re.compile(r"(?:[.!?](?=\s)|[。！？]|\n)\s*")
# what may stand in a text without a marker: the shopper's own words, the shop's name and contact
_FREE = frozenset({"shopper", "shop"})
_FIGURES = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Part:
    """What the corrected text says for one act: `marked` is `text` with its values as markers."""

    act: str
    values: dict[str, str]
    marked: str
    text: str


@dataclass(frozen=True, slots=True)
class Checked:
    """`unsupported` are the words without a source; `parts` what can be learned from; `unaligned`
    says of each act that cannot, why."""

    unsupported: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    unaligned: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the text may be said."""
        return not self.unsupported


def check(turn: TurnRecord, text: str) -> Checked:
    """Judges `text` as the reply of `turn`, by the facts that the turn had.

    A text that is blank or longer than a reply may be has no words to blame and aligns to nothing.
    """
    text = text.strip()
    if not text or len(text) > MAX_CHARS:
        return Checked(
            unaligned=(f"a reply has 1 to {MAX_CHARS} characters, this has {len(text)}",)
        )
    if not turn.trace:
        return Checked(unaligned=("what the turn knew was deleted by age (privacy.traces_days)",))
    language = cast(Language, turn.language)
    facts = [Fact(**fact) for fact in turn.trace["facts"]]
    segments = turn.trace["segments"]
    verdict = verify(text, facts, language=language, act=[one["act"] for one in segments])
    if not verdict.ok:
        return Checked(unsupported=tuple(verdict.unsupported))
    parts, unaligned = [], []
    for segment, said in zip(segments, cut(text, segments), strict=True):
        part = Part(segment["act"], dict(segment["slots"]), mark(said, segment["slots"]), said)
        own = set(segment["slot_facts"].values())
        known = [f for f in facts if f.id in own or f.source in _FREE or f.field == "absent"]
        if why := _unlike(part, known, language):
            unaligned.append(f"{part.act}: {why}")
        else:
            parts.append(part)
    return Checked(parts=tuple(parts), unaligned=tuple(unaligned))


def cut(text: str, segments: Sequence[Mapping[str, Any]]) -> list[str]:
    """Cuts a text into what it says for each segment, in their order; "" where it says nothing.

    It is cut where sentences or lines end, so that the pieces hold most of their segments' values
    and have most words in common with what was said for them before.
    """
    if len(segments) < 2:
        return [text] * len(segments)
    units = _units(text, [value for one in segments for value in one["slots"].values()])
    fits = [[_fit(unit, segment) for segment in segments] for unit in units]
    # best[i][j]: the first i units are given to the first j + 1 segments, the last to segment j
    best = [[0.0] * len(segments)]
    came: list[list[int]] = []
    for row in fits:
        before, here, origin = best[-1], [], []
        for at, fit in enumerate(row):
            source = max(range(at + 1), key=lambda k: (before[k], k))
            here.append(before[source] + fit)
            origin.append(source)
        best.append(here)
        came.append(origin)
    at = max(range(len(segments)), key=lambda k: best[-1][k])
    said = [""] * len(segments)
    for unit, origin in zip(reversed(units), reversed(came), strict=True):
        said[at] = unit + said[at]
        at = origin[at]
    return [piece.strip() for piece in said]


def _units(text: str, values: Sequence[str]) -> list[str]:
    """Sentences and lines with what follows them; no value is cut."""
    kept = [
        found.span() for value in values if value for found in re.finditer(re.escape(value), text)
    ]
    ends = [
        found.end()
        for found in _ENDS.finditer(text)
        if not any(start < found.start() + 1 < end for start, end in kept)
    ]
    edges = sorted({0, *ends, len(text)})
    return [text[start:end] for start, end in zip(edges, edges[1:], strict=False)]


def _fit(unit: str, segment: Mapping[str, Any]) -> float:
    values = sum(value in unit for value in segment["slots"].values() if value)
    words, before = set(tokens(unit)), set(tokens(segment["text"]))
    return VALUE * values + (len(words & before) / len(words) if words else 0.0)


def _unlike(part: Part, facts: Sequence[Fact], language: Language) -> str | None:
    """Why nothing can be learned from a part: it has to say each value once, and nothing that is not
    true of other products and orders too. `facts` are those of its slots and those free to all."""
    if not part.text:
        return "nothing of it is said"
    said = markers(part.marked)
    missing = [value for slot, value in part.values.items() if slot not in said]
    if missing:
        return "it has to say " + ", ".join(map(repr, missing))
    if len(said) > len(set(said)):
        return "it says a value twice"
    verdict = verify(part.text, facts, language=language, act=part.act)
    free = {figure for f in facts if f.source in _FREE for figure in _FIGURES.findall(f.text)}
    figures = [f for f in _FIGURES.findall(MARKER.sub(" ", part.marked)) if f not in free]
    if foreign := [*verdict.unsupported, *figures]:
        return "it says what is no slot of it: " + ", ".join(map(repr, foreign))
    return None
