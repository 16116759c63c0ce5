"""The desk of one shop: what its pages are made of. The pages know nothing but this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.accounts import Accounts
from bot.desk.conversations import Conversations
from bot.desk.live import Live
from bot.desk.people import People
from bot.desk.queue import Queue
from bot.desk.requests import Requests
from bot.desk.reviews import Reviews
from bot.desk.traces import Traces
from bot.promises import Never
from bot.settings import Settings
from db.accounts import AccountStore
from db.catalog import CatalogStore
from db.conversations import ConversationStore
from db.desk import DeskStore
from db.engine import Database
from db.queue import QueueStore
from db.requests import RequestStore
from db.reviews import ReviewStore


@dataclass(frozen=True, slots=True)
class Office:
    """Who may come in, and what is done there; every method may be called from several threads."""

    shop_name: str
    accounts: Accounts
    queue: Queue
    conversations: Conversations
    traces: Traces
    reviews: Reviews
    live: Live
    requests: Requests
    people: People


def office_of(
    settings: Settings,
    database: Database,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Office:
    """Returns the desk over a shop's database. Its clock is the system's: SHOPBOT_NOW stops the
    dialogue's alone, and a sign-in must still expire."""
    accounts, catalog = AccountStore(database), CatalogStore(database)
    conversations, desk = ConversationStore(database), DeskStore(database)
    reviews = ReviewStore(database)
    return Office(
        shop_name=settings.shop.name or "Shop",
        accounts=Accounts(accounts, clock),
        queue=Queue(QueueStore(database), accounts, catalog),
        conversations=Conversations(conversations, desk, reviews, accounts, clock),
        traces=Traces(conversations, catalog),
        reviews=Reviews(
            reviews, conversations, accounts, clock, never=Never(settings.chat.promise_never)
        ),
        live=Live(desk, conversations, accounts, clock),
        requests=Requests(RequestStore(database), desk, accounts, clock, secret=settings.secret),
        people=People(accounts, clock),
    )
