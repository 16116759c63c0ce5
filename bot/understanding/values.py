"""What was understood of one message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bot.catalogue import Link
from bot.state import DialogState
from bot.turn import Language
from bot.understanding.constraints import Constraints

Decision = tuple[str, str, str]  # the intent, the rule that decided it, and its goal
INSULTED = "an insult"  # why a message is anger: it is nothing but that


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a message.

    `text` is the clause as said, `query` what remains of it for a search. `references` are product
    ids of earlier replies it points at ("the second one"); `concepts` names what is asked of a
    product; `goal` tells more about the intent (an order change: cancel, return, …).
    """

    intent: str
    text: str
    query: str
    constraints: Constraints = Constraints()
    relative: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    references: tuple[str, ...] = ()
    concepts: tuple[str, ...] = ()
    goal: str = ""
    scores: tuple[tuple[str, float], ...] = ()
    why: str = ""

    @property
    def than_shown(self) -> str:
        """ "cheaper" or "dearer" where the measure is what was shown, and no figure was named."""
        if "cheaper" in self.relative and self.constraints.price_max is None:
            return "cheaper"
        named = self.constraints.price_min is not None
        return "dearer" if "dearer" in self.relative and not named else ""


@dataclass(frozen=True, slots=True)
class Context:
    """What was said before, and what redaction found in the message."""

    state: DialogState
    language: Language
    order_id: bool
    contact: bool
    card: bool
    foreign: bool


@dataclass(frozen=True, slots=True)
class Understanding:
    """A redacted message in its language, with its requests in order (never none).

    `contacts` are keyed hashes of the e-mail addresses and phone numbers it held; `abuse` is the
    probability that it insults. `given` is what was masked, as typed and with its kind: it lives for
    this turn, and no trace holds it.
    """

    text: str
    language: Language
    foreign: bool
    requests: tuple[Request, ...]
    order_ids: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    card: bool = False
    given: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    corrected: dict[str, str] = field(default_factory=dict)
    abuse: float = 0.0

    @property
    def intents(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(request.intent for request in self.requests))

    def as_dict(self) -> dict[str, Any]:
        return {
            "language": self.language,
            "foreign": self.foreign,
            "order_ids": list(self.order_ids),
            "contacts": len(self.contacts),
            "card": self.card,
            "corrected": self.corrected,
            "abuse": round(self.abuse, 3),
            "requests": [
                {
                    "intent": r.intent,
                    "why": r.why,
                    "text": r.text,
                    "query": r.query,
                    "constraints": r.constraints.as_dict(),
                    "relative": list(r.relative),
                    "links": [[link.product_id, round(link.share, 3)] for link in r.links],
                    "references": list(r.references),
                    "concepts": list(r.concepts),
                    "goal": r.goal,
                    "scores": [[name, round(p, 3)] for name, p in r.scores[:4]],
                }
                for r in self.requests
            ],
        }
