"""The values that flow through one turn, each typed and frozen.

message → Understanding → DialogAct (slots over facts) → Candidate → Verdict → Reply.
Knows nothing about how any of them is computed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from db.records import Attribute

Language = Literal["en", "zh"]
FactSource = Literal["product", "policy", "order", "shopper", "shop", "derived", "request"]

INTENTS = (
    "greet", "recommend", "refine", "compare", "product_question", "policy_question",
    "order_status", "order_change", "complaint", "handoff", "feedback", "smalltalk",
    "out_of_scope", "goodbye", "unclear",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that may be said, and where it stands.

    `field` says what it is: `title`, `price`, `stock`, `rating`, `brand`, `category`, `url`,
    `attribute:LABEL`, `text` (a verbatim span), `name`, `id`, `status`, `date`, `message` (the
    shopper's own words), `absent` (something the shop does not have or does not state; only such
    a fact, or a verbatim quote, licenses a negation). `subject` is the title of the product that
    the fact is about, empty for facts about no product.
    """

    id: str
    source: FactSource
    source_id: str
    field: str
    text: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Derived:
    """A figure that code computed from facts, with its working (`op` as in the HTTP contract)."""

    value: str
    op: Literal["difference", "sum", "product", "percent", "count", "days_after", "convert"]
    of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot of an act: its name from the closed list, the text that fills it, the fact behind it."""

    name: str
    value: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class DialogAct:
    """What the bot has decided to say: an act of the closed list over slots."""

    name: str
    slots: tuple[Slot, ...] = ()

    @property
    def values(self) -> dict[str, str]:
        return {slot.name: slot.value for slot in self.slots}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Text a generator proposes; `logprob` is the mean per token, 0 where unknown.

    `marked` holds a marker for each slot, or the slot's value where a generator wrote that.
    `approved`: people of the shop taught the generator this very text.
    """

    marked: str
    logprob: float = 0.0
    approved: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether every claim of a text has a source; `unsupported` holds the offending words."""

    unsupported: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.unsupported


@dataclass(frozen=True, slots=True)
class Segment:
    """One phrased act of a reply: `fill(marked, act.values)` is its text."""

    act: DialogAct
    marked: str
    text: str
    generator: str
    attempts: int
    candidates: tuple[dict[str, Any], ...] = ()
    verify_seconds: float = 0.0  # of the time it took to phrase


@dataclass(frozen=True, slots=True)
class VariantCard:
    """The forms of a product that were named: `label` and `options` are the values said, `ids` the
    forms that have them all; price (from, to) and stock are their own. None: the feed does not say.
    """

    label: str
    options: tuple[Attribute, ...]
    ids: tuple[str, ...]
    price: str | None = None
    price_to: str | None = None
    currency: str | None = None
    in_stock: bool | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A product card as the HTTP contract draws it; None where the feed does not say.

    `variant` is None where no form of the product was named.
    """

    id: str
    title: str
    price: str | None = None
    price_to: str | None = None
    currency: str | None = None
    url: str | None = None
    image_url: str | None = None
    in_stock: bool | None = None
    rating: float | None = None
    reason: str = ""
    variant: VariantCard | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    source: Literal["policy", "product", "order"]
    id: str
    title: str
    quote: str


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    columns: tuple[str, ...]
    rows: tuple[ComparisonRow, ...]


@dataclass(frozen=True, slots=True)
class RequestNote:
    """A recorded request, as the reply names it."""

    id: str
    kind: Literal["return", "cancel", "change", "exchange", "callback"]
    status: str = "recorded"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the shopper is shown and what other programs read (the body of `POST /api/chat`)."""

    session_id: str
    turn_id: int
    text: str
    language: Language
    intents: tuple[str, ...]
    products: tuple[Card, ...] = ()
    comparison: Comparison | None = None
    citations: tuple[Citation, ...] = ()
    derived: tuple[Derived, ...] = ()
    request: RequestNote | None = None
    suggestions: tuple[str, ...] = ()
    handoff: bool = False
    attempts: int = 1
    fallback: bool = False
    generator_name: str = "plain"
    generator_version: str = ""
    timings_ms: dict[str, float] = field(default_factory=dict)
    speaker: str | None = None  # the person of the shop who speaks instead of the bot


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One message as a face of the shop hands it over.

    `session_id` None starts a conversation. `training_consent` None leaves it as stored, or at
    the shop's default. A repeated `client_message_id` is answered with the stored reply.
    """

    message: str
    session_id: str | None = None
    customer_id: str | None = None
    locale: str | None = None
    training_consent: bool | None = None
    client_message_id: str | None = None
