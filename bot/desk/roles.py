"""Who may do what at the desk: each handler names the role it needs, and checks it itself.

A lead may do what an agent may, an admin what a lead may. Knows nothing about passwords or pages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from bot.errors import NotAllowedError
from db.accounts import Role, User

ROLES: tuple[Role, ...] = ("agent", "lead", "admin")

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")


def may(user: User | None, role: Role) -> bool:
    """Whether this account may do what needs `role`; nobody and closed accounts may do nothing."""
    return user is not None and user.active and ROLES.index(user.role) >= ROLES.index(role)


def needs(
    role: Role,
) -> Callable[[Callable[Concatenate[S, User, P], R]], Callable[Concatenate[S, User | None, P], R]]:
    """Makes a handler refuse whoever may not: its first argument is the account that asks.

    The handler then raises NotAllowedError and does nothing; `needs` of it names the role.
    """

    def guarded(
        handler: Callable[Concatenate[S, User, P], R],
    ) -> Callable[Concatenate[S, User | None, P], R]:
        @wraps(handler)
        def checked(self: S, user: User | None, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if user is None or not may(user, role):
                raise NotAllowedError(f"this needs an account of the role {role}")
            return handler(self, user, *args, **kwargs)

        checked.needs = role  # type: ignore[attr-defined]
        return checked

    return guarded
