"""Turns one act into checked text: candidates, filling, verification, one retry, plain fallback.

A candidate may hold markers, the values themselves, or both; it is judged the same. Knows nothing about which generator speaks or why the act was chosen.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.errors import GeneratorError, UntaughtError
from bot.generators.base import Generator, PhraseRequest
from bot.promises import Never
from bot.surface_text import mark
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
LEADS = 0.45  # when a sentence that says nothing of the facts stands before the one that does …
LEADS_AGAIN = 0.9  # … as it did in one of the last replies
WORDY: dict[Language, float] = {"en": 0.03, "zh": 0.015}  # for each word (or character) of its own
ECHOES = 0.1  # when it takes up a word of the shopper's
APPROVED = 1.0  # … where people of the shop have taught it word for word, and it is then never odd
ODD = 0.7  # … for each word between neighbours that no phrasing has: it may be no sentence
EQUALS = 0.6  # candidates this near to the best are as good; the seed chooses among them

NOTHING = Never()
NO_WORDS = "…"  # where the shop never says any of it
_VERBATIM = frozenset({"product", "policy", "order", "shop"})
_WORDS = re.compile(r"[a-z']+|[\u4e00-\u9fff]", re.IGNORECASE)
_LEAD = re.compile(r"[^<]*?(?:[.!?](?=\s)|[。！？])[^<]*<")


@dataclass(slots=True)
class _Record:
    """One act on its way to a segment: what was tried, and how long checking took."""

    act: DialogAct
    facts: Sequence[Fact]
    language: Language
    never: Never
    seen: list[dict[str, Any]] = field(default_factory=list)  # a note on every candidate; see _note
    verify_seconds: float = 0.0

    def verify(self, text: str) -> Verdict:
        began = time.perf_counter()
        verdict = verify(text, self.facts, language=self.language, act=self.act.name)
        self.verify_seconds += time.perf_counter() - began
        return verdict

    def promises(self, marked: str) -> str:
        """The phrase that the shop never says and this text does, "" where there is none.

        Titles, quotes and whatever else the shop wrote itself are verbatim and not meant.
        """
        own = {s.name: "_" if s.fact.source in _VERBATIM else s.value for s in self.act.slots}
        return self.never.held(fill(marked, own))

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
        self,
        *,
        generator: Generator,
        plain: Generator,
        k: int = 4,
        tone: Tone = "neutral",
        never: Never = NOTHING,
    ) -> None:
        self.generator = generator
        self.plain = plain
        self._k = k
        self._tone: Tone = tone
        self._never = never

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
        record = _Record(act, facts, language, self._never)
        attempts = 0
        if self.generator is not self.plain and act.name in inventory().acts:
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
                    act.values,
                )
                try:
                    candidates = self.generator.phrase(request)
                except UntaughtError:
                    break  # until it is trained anew the plain sentence speaks; doctor tells
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
        request = PhraseRequest(
            record.language, act.name, tuple(act.values), message, 1, values=act.values
        )
        for candidate in self.plain.phrase(request):
            verdict = record.verify(fill(candidate.marked, act.values))
            unsupported = list(verdict.unsupported)
            note = {"marked": candidate.marked, "plain": True, "verdict": unsupported}
            record.seen.append(note)
            promised = record.promises(candidate.marked)
            if verdict.ok and not promised:
                note["chosen"] = True
                return record.segment(candidate.marked, self.plain, attempts + 1)
            note["refused"] = unsupported or f"promised: {promised}"
            if verdict.ok:
                continue  # the owner's word, and no fault of the sentence
            log.error("plain sentence refused", extra={"act": act.name})
        markers = [f"<{name}>" for name in inventory().act(act.name).slots if name in act.values]
        sound = [marker for marker in markers if not record.promises(marker)]
        return record.segment("\n".join(sound) or NO_WORDS, self.plain, attempts + 1)


def _choose(
    record: _Record,
    candidates: Sequence[Candidate],
    request: PhraseRequest,
    *,
    recent: Sequence[str],
    room: int,
) -> Candidate | None:
    """Returns the best ranked candidate that says every slot once and no more than the facts."""
    sound: list[tuple[float, Candidate, dict[str, Any]]] = []
    for candidate in candidates:
        text = replace(candidate, marked=mark(candidate.marked, request.values))
        parts = _parts(text, request, recent)
        rank = sum(parts.values())
        note = _note(candidate, text, request, parts)
        record.seen.append(note)
        refused = _refusal(record, text, note, request, room=room)
        if refused is None:
            sound.append((rank, text, note))
        else:
            note["refused"] = refused
    if not sound:
        return None
    best = max(rank for rank, _, _ in sound)
    equals = [(text, note) for rank, text, note in sound if rank >= best - EQUALS]
    chosen, note = random.Random(request.seed).choice(equals)
    note["chosen"] = True
    return chosen


def _note(
    candidate: Candidate, text: Candidate, request: PhraseRequest, parts: dict[str, float]
) -> dict[str, Any]:
    """Begins what the trace keeps of a candidate.

    `marked` is what was judged and `written` what the generator wrote, where that differs;
    `coverage` names the slots that are missing, added or repeated; `rank` is the sum of `parts`.
    Judging adds `verdict`, the words without a source, None where it came to no verdict; `refused`,
    the reason; and `chosen` on the one that is said.
    """
    said = Counter(markers(text.marked))
    wanted = request.values.keys()
    note: dict[str, Any] = {"marked": text.marked}
    if candidate.marked != text.marked:
        note["written"] = candidate.marked
    return note | {
        "attempt": request.attempt,
        "logprob": round(candidate.logprob, 3),
        "coverage": {
            "missing": [name for name in wanted if name not in said],
            "added": [name for name in said if name not in wanted],
            "repeated": [name for name, times in said.items() if times > 1],
        },
        "rank": round(sum(parts.values()), 3),
        "parts": {name: round(value, 3) for name, value in parts.items()},
        "verdict": None,
    }


def _refusal(
    record: _Record,
    candidate: Candidate,
    note: dict[str, Any],
    request: PhraseRequest,
    *,
    room: int,
) -> str | list[str] | None:
    """Returns why the candidate may not be said, or None; notes the verdict if it comes to one."""
    if any(note["coverage"].values()):
        return "slots"
    if not says(record.act.name, request.language, candidate.marked):
        return "meaning"
    if promised := record.promises(candidate.marked):
        return f"promised: {promised}"
    text = fill(candidate.marked, request.values)
    if len(text) > room:
        return "length"
    verdict = record.verify(text)
    note["verdict"] = list(verdict.unsupported)
    return None if verdict.ok else list(verdict.unsupported)


def _parts(candidate: Candidate, request: PhraseRequest, recent: Sequence[str]) -> dict[str, float]:
    """Returns what the rank is the sum of: likelihood, less what repeats the session, reads oddly or
    delays the answer, plus what meets the shopper's words."""
    pairs = _pairs(candidate.marked)
    said = [_pairs(text) for text in recent]
    overlap = max((len(pairs & before) / len(pairs) for before in said if pairs), default=0.0)
    opening = _opening(candidate.marked)
    same = any(_opening(text) == opening for text in recent)
    words = [word.lower() for word in _WORDS.findall(MARKER.sub(" ", candidate.marked))]
    leads = _leads(candidate.marked)
    again = leads and any(map(_leads, recent))
    asked = {word.lower() for word in _WORDS.findall(request.message)}
    echoed = any(len(word) > 3 for word in asked.intersection(words))
    return {
        "logprob": candidate.logprob,
        "repeats": -REPEATS * overlap,
        "opening": -SAME_OPENING * same,
        "leads": -LEADS_AGAIN if again else -LEADS * leads,
        "words": -WORDY[request.language] * len(words),
        "echo": ECHOES * echoed,
        "odd": 0.0 if candidate.approved else -ODD * unfamiliar(candidate.marked, request.language),
        "approved": APPROVED * candidate.approved,
    }


def _pairs(marked: str) -> set[tuple[str, str]]:
    words = [word.lower() for word in _WORDS.findall(marked)]
    return set(zip(words, words[1:], strict=False))


def _leads(marked: str) -> bool:
    """Whether it begins with a sentence that says nothing of the facts: "Let me see."."""
    return _LEAD.match(marked) is not None


def _opening(marked: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORDS.findall(marked)[:3])
