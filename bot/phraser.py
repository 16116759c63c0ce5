"""Turns one act into checked text: candidates, filling, verification, one retry, plain fallback.

Knows nothing about which generator speaks or why the act was chosen.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from bot.errors import GeneratorError
from bot.generators.base import Generator, PhraseRequest
from bot.turn import Candidate, DialogAct, Fact, Language, Segment
from bot.verifier import verify
from prompts.acts import inventory, markers
from prompts.filling import fill
from prompts.meanings import says

log = logging.getLogger(__name__)

ATTEMPTS = 2
MAX_CHARS = 900


class Phraser:
    """Phrases acts with `generator`, and with `plain` where that fails."""

    def __init__(self, *, generator: Generator, plain: Generator, k: int = 4) -> None:
        self.generator = generator
        self.plain = plain
        self._k = k

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

        `recent` holds slot-marked texts said before in this session; a repeat is chosen last.
        """
        seen: list[dict[str, Any]] = []
        attempts = 0
        if self.generator is not self.plain:
            for attempt in range(ATTEMPTS):
                attempts += 1
                request = PhraseRequest(
                    language, act.name, tuple(act.values), message, self._k, attempt, seed + attempt
                )
                try:
                    candidates = self.generator.phrase(request)
                except GeneratorError as error:
                    log.warning("generator failed", extra={"error": type(error).__name__})
                    break
                best = self._choose(act, candidates, facts, language, recent, room, seen)
                if best is not None:
                    text = fill(best.marked, act.values)
                    return Segment(
                        act, best.marked, text, self.generator.name, attempts, tuple(seen)
                    )
        return self._fallback(act, facts, language, message, attempts, seen)

    def _choose(
        self,
        act: DialogAct,
        candidates: Sequence[Candidate],
        facts: Sequence[Fact],
        language: Language,
        recent: Sequence[str],
        room: int,
        seen: list[dict[str, Any]],
    ) -> Candidate | None:
        """Returns the likeliest candidate that says every slot once and no more than the facts."""
        wanted = sorted(act.values)
        sound = []
        for candidate in candidates:
            note: dict[str, Any] = {
                "marked": candidate.marked,
                "logprob": round(candidate.logprob, 3),
            }
            seen.append(note)
            if sorted(markers(candidate.marked)) != wanted:
                note["refused"] = "slots"
                continue
            if not says(act.name, language, candidate.marked):
                note["refused"] = "meaning"
                continue
            text = fill(candidate.marked, act.values)
            if len(text) > room:
                note["refused"] = "length"
                continue
            verdict = verify(text, facts, language=language, act=act.name)
            if not verdict.ok:
                note["refused"] = list(verdict.unsupported)
                continue
            sound.append(candidate)
        fresh = [c for c in sound if c.marked not in recent]
        return max(fresh or sound, key=lambda c: c.logprob, default=None)

    def _fallback(
        self,
        act: DialogAct,
        facts: Sequence[Fact],
        language: Language,
        message: str,
        attempts: int,
        seen: list[dict[str, Any]],
    ) -> Segment:
        """The plain sentence; where even that does not verify, the values alone, each as it stands."""
        request = PhraseRequest(language, act.name, tuple(act.values), message, 1)
        for candidate in self.plain.phrase(request):
            text = fill(candidate.marked, act.values)
            verdict = verify(text, facts, language=language, act=act.name)
            if verdict.ok:
                return Segment(
                    act, candidate.marked, text, self.plain.name, attempts + 1, tuple(seen)
                )
            seen.append(
                {"marked": candidate.marked, "refused": list(verdict.unsupported), "plain": True}
            )
            log.error("plain sentence refused", extra={"act": act.name})
        marked = "\n".join(
            f"<{name}>" for name in inventory().act(act.name).slots if name in act.values
        )
        return Segment(
            act, marked, fill(marked, act.values), self.plain.name, attempts + 1, tuple(seen)
        )
