"""The verbs of `shopbot users`: who may work at the desk.

Knows nothing but how to read arguments and print results; heavy imports stand in the verbs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bot.errors import AccountError
from bot.settings import load_settings

if TYPE_CHECKING:
    from bot.accounts import Accounts

users_app = typer.Typer(help="Who may work at the desk.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="the account's name")]
FromInput = Annotated[
    bool, typer.Option("--password-stdin", help="read the password from the first line of input")
]


class RoleName(StrEnum):
    """agent: reviews and talks; lead: also exports, trains and promotes; admin: also accounts."""

    agent = "agent"
    lead = "lead"
    admin = "admin"


@users_app.command("add")
def add(
    name: Name,
    role: Annotated[RoleName, typer.Option(help="what the account may do")] = RoleName.agent,
    password_stdin: FromInput = False,
) -> None:
    """Open an account; asks for its password."""
    with _accounts() as accounts:
        user = accounts.open(name, role.value, _password(password_stdin))
        _note(accounts, "open account", user.name, role=user.role)
    typer.echo(f"{user.name} may sign in at /console as {user.role}")


@users_app.command("list")
def list_() -> None:
    """Every account with its role."""
    with _accounts() as accounts:
        for user in accounts.store.all():
            typer.echo(f"{user.name}\t{user.role}{'' if user.active else chr(9) + 'closed'}")


@users_app.command("password")
def password(name: Name, password_stdin: FromInput = False) -> None:
    """Change a password; whoever is signed in with the old one is signed out."""
    with _accounts() as accounts:
        accounts.set_password(name, _password(password_stdin))
        _note(accounts, "change password", name)
    typer.echo(f"the password of {name} is changed")


@users_app.command("role")
def role(name: Name, role: Annotated[RoleName, typer.Argument()]) -> None:
    """Change what an account may do."""
    with _accounts() as accounts:
        accounts.store.set_role(name, role.value, now=_now())
        _note(accounts, "change role", name, role=role.value)
    typer.echo(f"{name} is now {role.value}")


@users_app.command("close")
def close(name: Name) -> None:
    """Close an account; what it reviewed stays."""
    _set_active(name, False)


@users_app.command("reopen")
def reopen(name: Name) -> None:
    """Open a closed account again."""
    _set_active(name, True)


def _set_active(name: str, active: bool) -> None:
    done = "reopened" if active else "closed"
    with _accounts() as accounts:
        accounts.store.set_active(name, active, now=_now())
        _note(accounts, f"account {done}", name)
    typer.echo(f"{name} is {done}")


@contextmanager
def _accounts() -> Iterator[Accounts]:
    from bot.accounts import Accounts
    from bot.app import open_store
    from db.accounts import AccountStore

    with open_store(load_settings()) as database:
        yield Accounts(AccountStore(database), _now)


def _note(accounts: Accounts, action: str, subject: str, **details: str) -> None:
    accounts.store.note(None, action, subject, now=_now(), details=details)


def _now() -> datetime:
    """The system's time: SHOPBOT_NOW stops the dialogue's clock, and sign-ins must still expire."""
    return datetime.now(UTC)


def _password(from_input: bool) -> str:
    if from_input:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise AccountError("no terminal to ask for a password: pass --password-stdin")
    return str(typer.prompt("password", hide_input=True, confirmation_prompt=True))
