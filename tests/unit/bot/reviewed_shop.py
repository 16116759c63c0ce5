"""A tiny shop whose shoppers agreed to training, and an agent who reviews what it said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from shop_homes import NOW, build_tiny, shop_in

from bot.app import Shop
from bot.turn import ChatRequest, Reply
from db.records import Attribute, Document, Money, Order, OrderId, Product, ProductId
from db.reviews import ReviewStore, Verdict

EMAIL = "ann@example.org"
PRODUCTS = [
    Product(
        ProductId("k1"), "Copper Kettle", price=Money(Decimal("49.00"), "USD"), in_stock=True,
        category=("Kitchen",), attributes=(Attribute("Capacity", "1.5 l"),),
    ),
    Product(
        ProductId("l1"), "Desk Lamp", price=Money(Decimal("25.00"), "USD"), in_stock=False,
        category=("Lighting",),
    ),
]  # fmt: skip
ORDERS = [
    Order(
        OrderId("TS-1001"), email=EMAIL, status="shipped", tracking="ZZ99887766",
        shipped_on=date(2026, 2, 27), expected_on=date(2026, 3, 5),
    )
]  # fmt: skip
RETURNS = Document("returns", "policy", "Returns", "# Returns\n\nWithin 30 days of delivery.\n")


def build(home: Path) -> Path:
    return build_tiny(home, products=PRODUCTS, documents=[RETURNS], orders=ORDERS)


@dataclass
class Desk:
    """Talks as a shopper and reviews as an agent."""

    shop: Shop
    consent: bool = True
    replies: list[Reply] = field(default_factory=list)

    @property
    def reviews(self) -> ReviewStore:
        return ReviewStore(self.shop._database)

    def ask(self, *messages: str) -> Reply:
        """Says the messages in a new conversation; returns the last reply."""
        session = None
        for message in messages:
            reply = self.shop.chat(
                ChatRequest(message, session_id=session, training_consent=self.consent)
            )
            session = reply.session_id
        self.replies.append(reply)
        return reply

    def review(self, reply: Reply, verdict: Verdict = "good", correction: str | None = None) -> int:
        self.reviews.add(reply.turn_id, user=None, verdict=verdict, correction=correction, now=NOW)
        return reply.turn_id

    def correct(self, message: str, correct: str | Callable[[Reply], str]) -> int:
        """Asks in a new conversation and puts other words in the place of the reply."""
        reply = self.ask(message)
        text = correct if isinstance(correct, str) else correct(reply)
        return self.review(reply, "bad", text)


def opened(home: Path) -> Desk:
    return Desk(shop_in(home))
