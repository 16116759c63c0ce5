"""The protocol every generator keeps: an act with slots in, candidates with markers or values out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.turn import Candidate, Language
from prompts.filling import Hint, Tone, hints_of


@dataclass(frozen=True, slots=True)
class PhraseRequest:
    """What to phrase: `slots` are names in canonical order, `message` the shopper's redacted words.

    `attempt` counts from 0; a retry asks for other candidates. `seed` makes sampling repeatable.
    `values` are what will fill the slots: the small generator is told their grammar alone
    (`hints`), one that can copy may write them out.
    """

    language: Language
    act: str
    slots: tuple[str, ...]
    message: str = ""
    k: int = 4
    attempt: int = 0
    seed: int = 0
    tone: Tone = "neutral"
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def hints(self) -> dict[str, Hint]:
        return hints_of(self.language, self.values)


class Generator(Protocol):
    """Phrases dialogue acts. `name` and `version` are logged with every turn."""

    name: str
    version: str

    def phrase(self, request: PhraseRequest) -> list[Candidate]:
        """Returns up to `request.k` candidates, best first; may return fewer, or none.

        Raises GeneratorError when the model cannot answer at all.
        """
        ...
