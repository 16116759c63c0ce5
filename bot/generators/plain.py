"""The plain generator: the first of our own phrasings that serves, and nothing else.

It is the fallback of every other generator. Knows nothing about values, models or verification.
"""

from __future__ import annotations

from bot.generators.base import PhraseRequest
from bot.turn import Candidate
from prompts.acts import inventory
from prompts.phrasing import phrasebook


class PlainGenerator:
    """Answers from the phrasebook; the same request always gets the same sentence."""

    name = "plain"

    def __init__(self) -> None:
        self.version = inventory().digest[:12]

    def phrase(self, request: PhraseRequest) -> list[Candidate]:
        """Returns one candidate, or none where no phrasing serves these slots.

        Raises UnknownActError.
        """
        inventory().act(request.act)
        marked = phrasebook(request.language).plain(request.act, request.slots)
        return [] if marked is None else [Candidate(marked)]
