"""What a turn will say and show, as it is decided: acts over facts, cards, citations, next state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from bot.answers import Answerer
from bot.catalogue import Catalogue
from bot.freshness import ALWAYS_FRESH, Freshness
from bot.grounding import FactBook, card
from bot.handoff import Summary
from bot.hours import Hours
from bot.orders import Attempts, Orders
from bot.recommend import Recommender
from bot.state import DialogState
from bot.turn import Card, Citation, Comparison, DialogAct, Language, RequestNote
from bot.understanding.constraints import Facet
from bot.understanding.values import Understanding
from bot.variants import named_variant
from db.records import Product
from retrieval.values import Hit


class Requests(Protocol):
    """Records what a shopper asks the team to do, its details sealed."""

    def record(
        self, kind: str, *, order_id: str | None, details: Mapping[str, str]
    ) -> RequestNote: ...


PERSON = {"en": "Talk to a person", "zh": "转人工"}  # the chip that asks for one


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a decision may look at: one snapshot of the shop.

    `hours` is None where the shop does not tell them; `topics` are left to people.
    """

    shop_name: str
    contact: str
    catalogue: Catalogue
    recommender: Recommender
    answerer: Answerer
    orders: Orders
    attempts: Attempts
    secret: bytes
    most_products: int = 4
    hours: Hours | None = None
    topics: tuple[str, ...] = ()
    languages: tuple[Language, ...] = ("en", "zh")
    freshness: Freshness = ALWAYS_FRESH


@dataclass(slots=True)
class Plan:
    """The turn as decided so far. The only value between stages that is filled step by step."""

    understood: Understanding
    state: DialogState
    book: FactBook
    now: datetime
    requests: Requests
    acts: list[DialogAct] = field(default_factory=list)
    notices: list[DialogAct] = field(
        default_factory=list
    )  # said below the acts, whatever these are
    cards: list[Card] = field(default_factory=list)
    comparison: Comparison | None = None
    citations: list[Citation] = field(default_factory=list)
    request: RequestNote | None = None
    suggestions: list[str] = field(default_factory=list)
    handoff: bool = False
    summary: Summary | None = None
    hits: list[Hit] = field(default_factory=list)
    why: list[str] = field(default_factory=list)

    @property
    def language(self) -> Language:
        return self.understood.language

    def say(self, act: DialogAct, why: str) -> None:
        self.acts.append(act)
        self.why.append(f"{act.name}: {why}")

    def notice(self, act: DialogAct, why: str) -> None:
        self.notices.append(act)
        self.why.append(f"{act.name}: {why}")

    def note(self, request: RequestNote) -> None:
        """Names a recorded request in the reply, and remembers it for whoever takes over."""
        self.request = request
        recorded = dict.fromkeys((*self.state.recorded, request.id))
        self.state = replace(self.state, recorded=tuple(recorded))

    def choose(self, products: Iterable[Product], text: str, facets: Sequence[Facet]) -> None:
        """Tells from here on of the forms of these products that the words name, where they do."""
        for product in products:
            if named := named_variant(product, text, facets):
                self.book.variants[str(product.id)] = named

    def card(self, product: Product, reason: str = "") -> Card:
        """The card of a product, with the forms of it that were named."""
        return card(product, reason, self.book.variant(product))

    def show(self, cards: list[Card]) -> None:
        """Shows cards that are not shown already."""
        known = {card.id for card in self.cards}
        self.cards += [card for card in cards if card.id not in known]
