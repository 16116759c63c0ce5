"""A shop with people at its desk, served for browsers: who sits there, and what they see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from browser_support import Visitor, served
from desk_support import PASSWORD, open_accounts
from playwright.sync_api import Page
from shop_homes import build_tiny, shop_in

from bot.app import Shop
from bot.desk.office import Office
from bot.turn import ChatRequest, Reply
from db.records import Attribute, Document, Money, Order, OrderId, Product, ProductId

PRODUCTS = [
    Product(
        ProductId("k1"), "Copper Kettle", price=Money(Decimal("49.00"), "USD"), in_stock=True,
        category=("Kitchen",), url="https://shop.example/p/k1",
        attributes=(Attribute("Capacity", "1.5 l"),),
    ),
    Product(
        ProductId("l1"), "Desk Lamp", price=Money(Decimal("25.00"), "USD"), in_stock=False,
        category=("Lighting",),
    ),
]  # fmt: skip
RETURNS = Document("returns", "policy", "Returns", "# Returns\n\nWithin 30 days of delivery.\n")
ORDER = Order(
    OrderId("TS-1001"), email="ann@example.org", status="delivered", delivered_on=date(2026, 2, 27)
)
READY = "#desk[aria-busy=false] .dk-main h1"


@dataclass
class Counter:
    """A served shop: shoppers talk to it here, people sign in at `address`."""

    shop: Shop
    office: Office
    address: str
    sessions: list[str] = field(default_factory=list)

    def ask(self, *messages: str, consent: bool = True) -> Reply:
        """Says the messages in a new conversation; returns the last reply."""
        session = None
        for message in messages:
            reply = self.shop.chat(
                ChatRequest(message, session_id=session, training_consent=consent)
            )
            session = reply.session_id
        self.sessions.append(reply.session_id)
        return reply


@contextmanager
def opened(home: Path) -> Iterator[Counter]:
    """A tiny shop at work, with Mia (agent), Lea (lead) and Ada (admin)."""
    shop = shop_in(build_tiny(home, products=PRODUCTS, documents=[RETURNS], orders=[ORDER]))
    office = shop.office()
    open_accounts(office.accounts)
    try:
        with served(shop, office=office) as address:
            yield Counter(shop, office, address)
    finally:
        shop.close()


class Seat:
    """Somebody's browser at the desk."""

    def __init__(self, visitor: Visitor, address: str) -> None:
        self._visitor = visitor
        self._address = address
        self.page: Page = visitor.page

    def sign_in(self, name: str, to: str = "") -> Seat:
        self.page.goto(f"{self._address}/console#/{to}")
        self.fill_in(name, PASSWORD)
        self.settled()
        self.forgive("status of 401")
        return self

    def fill_in(self, name: str, password: str) -> None:
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.keyboard.press("Enter")

    def go(self, to: str) -> Page:
        """Follows an address of the console."""
        self.page.evaluate("to => { location.hash = to }", f"#/{to}")
        self.page.wait_for_function(
            "to => document.querySelector('#desk')?.getAttribute('aria-busy') === 'false'"
            " && location.hash.startsWith(to)",
            arg=f"#/{to.split('?', maxsplit=1)[0]}",
        )
        self.settled()
        return self.page

    def settled(self) -> None:
        self.page.wait_for_selector(READY)

    def forgive(self, line: str) -> None:
        """Takes a line of the browser's log that belongs to what is tested out of its errors."""
        self._visitor.errors[:] = [one for one in self._visitor.errors if line not in one]
