"""Turns one act into checked text: candidates, filling, verification, one retry, plain fallback.

Knows nothing about which generator speaks or why the act was chosen.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.errors import GeneratorError
from bot.generators.base import Generator, PhraseRequest
from bot.turn import Candidate, DialogAct, Fact, Language, Segment, Verdict
from bot.verifier import verify
from bot.verifier.lexicon import unfamiliar
from prompts.acts import MARKER, inventory, markers
from prompts.filling import Tone, fill
from prompts.meanings import says

log = logging.getLogger(__name__)

ATTEMPTS = 2
MAX_CHARS = 900
# what a candidate's rank is made of, in nats of its mean log-probability per token
REPEATS = 1.5  # times the share of its word pairs that one of the last replies had
SAME_OPENING = 0.5  # when it begins as one of the last replies did
ECHOES = 0.1  # when it takes up a word of the shopper's
ODD = 0.7  # … for each word between neighbours that no phrasing has: it may be no sentence
EQUALS = 0.6  # candidates this near to the best are as good; the seed chooses among them

_WORDS = re.compile(r"[a-z']+|[\u4e00-\u9fff]", re.IGNORECASE)


@dataclass(slots=True)
class _Record:
    """One act on its way to a segment: what was tried, and how long checking took."""

    act: DialogAct
    facts: Sequence[Fact]
    language: Language
    seen: list[dict[str, Any]] = field(default_factory=list)
    verify_seconds: float = 0.0

    def verify(self, text: str) -> Verdict:
        began = time.perf_counter()
        verdict = verify(text, self.facts, language=self.language, act=self.act.name)
        self.verify_seconds += time.perf_counter() - began
        return verdict

    def segment(self, marked: str, generator: Generator, attempts: int) -> Segment:
        text = fill(marked, self.act.values)
        return Segment(
            self.act,
            marked,
            text,
            generator.name,
            attempts,
            tuple(self.seen),
            self.verify_seconds,
        )


class Phraser:
    """Phrases acts with `generator`, and with `plain` where that fails."""

    def __init__(
        self, *, generator: Generator, plain: Generator, k: int = 4, tone: Tone = "neutral"
    ) -> None:
        self.generator = generator
        self.plain = plain
        self._k = k
        self._tone: Tone = tone

    def phrase(
        self,
        act: DialogAct,
        *,
        facts: Sequence[Fact],
        language: Language,
        message: str,
        recent: Sequence[str] = (),
        seed: int = 0,
        room: int = MAX_CHARS,
    ) -> Segment:
        """Returns verified text for the act, at most `room` characters where that is possible.

        `recent` holds slot-marked texts said before in this session; what repeats them ranks low.
        """
        record = _Record(act, facts, language)
        attempts = 0
        if self.generator is not self.plain:
            for attempt in range(ATTEMPTS):
                attempts += 1
                request = PhraseRequest(
                    language,
                    act.name,
                    tuple(act.values),
                    message,
                    self._k,
                    attempt,
                    seed + attempt,
                    self._tone,
                )
                try:
                    candidates = self.generator.phrase(request)
                except GeneratorError as error:
                    log.warning("generator failed", extra={"error": type(error).__name__})
                    break
                best = _choose(record, candidates, request, recent=recent, room=room)
                if best is not None:
                    return record.segment(best.marked, self.generator, attempts)
        return self._fallback(record, message, attempts)

    def _fallback(self, record: _Record, message: str, attempts: int) -> Segment:
        """The plain sentence; where even that does not verify, the values alone, each as it stands."""
        act = record.act
        request = PhraseRequest(record.language, act.name, tuple(act.values), message, 1)
        for candidate in self.plain.phrase(request):
            verdict = record.verify(fill(candidate.marked, act.values))
            if verdict.ok:
                return record.segment(candidate.marked, self.plain, attempts + 1)
            refused = {"refused": list(verdict.unsupported), "plain": True}
            record.seen.append({"marked": candidate.marked} | refused)
            log.error("plain sentence refused", extra={"act": act.name})
        marked = "\n".join(
            f"<{name}>" for name in inventory().act(act.name).slots if name in act.values
        )
        return record.segment(marked, self.plain, attempts + 1)


def _choose(
    record: _Record,
    candidates: Sequence[Candidate],
    request: PhraseRequest,
    *,
    recent: Sequence[str],
    room: int,
) -> Candidate | None:
    """Returns the best ranked candidate that says every slot once and no more than the facts."""
    wanted = sorted(record.act.values)
    sound: list[tuple[float, Candidate]] = []
    for candidate in candidates:
        note: dict[str, Any] = {"marked": candidate.marked, "logprob": round(candidate.logprob, 3)}
        record.seen.append(note)
        if sorted(markers(candidate.marked)) != wanted:
            note["refused"] = "slots"
            continue
        if not says(record.act.name, request.language, candidate.marked):
            note["refused"] = "meaning"
            continue
        text = fill(candidate.marked, record.act.values)
        if len(text) > room:
            note["refused"] = "length"
            continue
        verdict = record.verify(text)
        if not verdict.ok:
            note["refused"] = list(verdict.unsupported)
            continue
        rank = _rank(candidate, request.message, recent) - ODD * unfamiliar(
            candidate.marked, request.language
        )
        note["rank"] = round(rank, 3)
        sound.append((rank, candidate))
    if not sound:
        return None
    best = max(rank for rank, _ in sound)
    equals = [candidate for rank, candidate in sound if rank >= best - EQUALS]
    return random.Random(request.seed).choice(equals)


def _rank(candidate: Candidate, message: str, recent: Sequence[str]) -> float:
    """Returns log-probability less what repeats the session, plus what meets the shopper's words."""
    pairs = _pairs(candidate.marked)
    said = [_pairs(text) for text in recent]
    overlap = max((len(pairs & before) / len(pairs) for before in said if pairs), default=0.0)
    opening = _opening(candidate.marked)
    same = any(_opening(text) == opening for text in recent)
    own = {word.lower() for word in _WORDS.findall(MARKER.sub(" ", candidate.marked))}
    asked = {word.lower() for word in _WORDS.findall(message)}
    echoed = any(len(word) > 3 for word in own & asked)
    return candidate.logprob - REPEATS * overlap - SAME_OPENING * same + ECHOES * echoed


def _pairs(marked: str) -> set[tuple[str, str]]:
    words = [word.lower() for word in _WORDS.findall(marked)]
    return set(zip(words, words[1:], strict=False))


def _opening(marked: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORDS.findall(marked)[:3])
