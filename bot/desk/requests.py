"""What shoppers asked the shop to do, and what became of it; sealed details for those who may see them.

A lead sees the details of every request, an agent those of a conversation that is assigned to them or
that they speak in. Each look at them is in the audit log. Knows nothing about pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.desk.roles import may, needs
from bot.errors import DeskError, NotAllowedError
from bot.sealing import open_details
from db.accounts import AccountStore, User
from db.desk import DeskStore
from db.requests import RequestStore, StoredRequest

STATUSES = ("done", "declined", "withdrawn")
CLOSED_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """A request; `may_open` tells whether whoever asked may see its details, where it has some."""

    request: StoredRequest
    may_open: bool


@dataclass(frozen=True, slots=True)
class Requested:
    """The open requests, the oldest first, and those that were closed last."""

    open: tuple[Listed, ...]
    closed: tuple[Listed, ...]


class Requests:
    """The requests of one shop."""

    def __init__(
        self,
        store: RequestStore,
        desk: DeskStore,
        accounts: AccountStore,
        clock: Callable[[], datetime],
        *,
        secret: Callable[[], bytes],
    ) -> None:
        self._store = store
        self._desk = desk
        self._accounts = accounts
        self._clock = clock
        self._secret = secret

    @needs("agent")
    def all(self, user: User) -> Requested:
        """Returns the requests, with which of them the account may open."""
        return Requested(
            tuple(self._listed(user, one) for one in self._store.open_requests()),
            tuple(self._listed(user, one) for one in self._store.closed(most=CLOSED_SHOWN)),
        )

    @needs("agent")
    def details(self, user: User, number: str) -> dict[str, str]:
        """Returns what a request holds of the shopper, {} where it holds nothing.

        Raises DeskError, NotAllowedError, SealError.
        """
        request = self._store.get(number)
        if request is None:
            raise DeskError(f"there is no request {number}")
        if not self._may_open(user, request):
            raise NotAllowedError(
                "the details are for a lead, or for whom the conversation is assigned to"
            )
        details = open_details(request, self._secret())
        self._note(user, "open details", request.number)
        return details

    @needs("agent")
    def close(self, user: User, number: str, status: str) -> None:
        """Gives an open request its outcome, one of STATUSES. Raises DeskError."""
        if status not in STATUSES:
            raise DeskError(f"a request ends as one of {', '.join(STATUSES)}")
        if not self._store.close(number, status=status, now=self._clock()):
            raise DeskError(f"{number} is not open")
        self._note(user, "close request", number, status=status)

    def _listed(self, user: User, request: StoredRequest) -> Listed:
        return Listed(request, bool(request.sealed_details) and self._may_open(user, request))

    def _may_open(self, user: User, request: StoredRequest) -> bool:
        if may(user, "lead"):
            return True
        if request.conversation_id is None:
            return False
        case = self._desk.case(request.conversation_id)
        return user.name in (case.assigned_to, case.taken_by)

    def _note(self, user: User, action: str, subject: str, **details: str) -> None:
        self._accounts.note(user, action, subject, now=self._clock(), details=details)
