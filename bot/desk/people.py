"""Who works at the desk and who did what, for admins. Accounts are made by `shopbot users add`.

Knows nothing about pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.desk.roles import needs
from bot.errors import DeskError
from db.accounts import AccountStore, AuditEntry, User

PAGE = 50  # entries of a page of the audit log


@dataclass(frozen=True, slots=True)
class Log:
    """A page of the audit log, the newest first. `older` is the entry the next page begins before."""

    entries: tuple[AuditEntry, ...]
    older: int | None


class People:
    """The accounts of one shop, and its audit log."""

    def __init__(self, accounts: AccountStore, clock: Callable[[], datetime]) -> None:
        self._accounts = accounts
        self._clock = clock

    @needs("admin")
    def all(self, user: User) -> tuple[User, ...]:
        """Returns every account, closed ones too, by name."""
        return tuple(self._accounts.all())

    @needs("admin")
    def set_active(self, user: User, name: str, active: bool) -> None:
        """Closes an account, which ends its sign-ins, or opens it again.

        Raises DeskError for one's own, UnknownUser.
        """
        found = self._accounts.find(name)
        if found is not None and found.id == user.id:
            raise DeskError(
                "this is your own account: another admin, or `shopbot users`, can do that"
            )
        self._accounts.set_active(name, active, now=self._clock())
        self._accounts.note(
            user, "account reopened" if active else "account closed", name, now=self._clock()
        )

    @needs("admin")
    def log(self, user: User, *, before: int | None = None) -> Log:
        """Returns a page of who did what."""
        found = self._accounts.log(most=PAGE + 1, before=before)
        return Log(tuple(found[:PAGE]), found[PAGE - 1].id if len(found) > PAGE else None)
