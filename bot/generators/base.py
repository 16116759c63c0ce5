"""The protocol every generator keeps: an act with slots in, slot-marked candidates out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.turn import Candidate, Language
from prompts.filling import Tone


@dataclass(frozen=True, slots=True)
class PhraseRequest:
    """What to phrase: `slots` are names in canonical order, `message` the shopper's redacted words.

    `attempt` counts from 0; a retry asks for other candidates. `seed` makes sampling repeatable.
    """

    language: Language
    act: str
    slots: tuple[str, ...]
    message: str = ""
    k: int = 4
    attempt: int = 0
    seed: int = 0
    tone: Tone = "neutral"


class Generator(Protocol):
    """Phrases dialogue acts. `name` and `version` are logged with every turn."""

    name: str
    version: str

    def phrase(self, request: PhraseRequest) -> list[Candidate]:
        """Returns up to `request.k` candidates, best first; may return fewer, or none.

        Raises GeneratorError when the model cannot answer at all.
        """
        ...
