"""Every handler of the desk names the role it needs and refuses whoever has less."""

from __future__ import annotations

import inspect
from dataclasses import fields, replace
from pathlib import Path

import pytest
from desk_support import AT, office_in, person

from bot.desk.office import Office
from bot.desk.roles import ROLES, may, needs
from bot.errors import NotAllowedError
from bot.web.console.pages import PAGES
from db.accounts import User
from db.engine import Database

NOT_SERVICES = {"shop_name", "accounts"}


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    return office_in(tmp_path / "home", sqlite_database)


def handlers(office: Office) -> list[tuple[str, object]]:
    return [
        (f"{field.name}.{name}", handler)
        for field in fields(office)
        if field.name not in NOT_SERVICES
        for name, handler in inspect.getmembers(getattr(office, field.name), inspect.ismethod)
        if not name.startswith("_")
    ]


def test_that_every_handler_checks_the_role_itself(office: Office) -> None:
    found = handlers(office)

    assert found
    for name, handler in found:
        role = getattr(handler, "needs", None)
        assert role in ROLES, f"{name} names no role"
        below = [person(office, one) for one in ("Mia", "Lea", "Ada")][: ROLES.index(role)]
        closed = replace(person(office, "Ada"), active=False)
        for user in (None, closed, *below):
            with pytest.raises(NotAllowedError, match=role):
                handler(user)  # type: ignore[operator]  # refused before its arguments are missed


def test_that_a_role_may_what_the_lower_ones_may() -> None:
    told = {
        role: [one for one in ROLES if may(User(1, "x", role, True, AT), one)] for role in ROLES
    }

    assert told == {
        "agent": ["agent"],
        "lead": ["agent", "lead"],
        "admin": ["agent", "lead", "admin"],
    }


def test_that_what_may_be_done_is_given_who_asks() -> None:
    class Room:
        @needs("lead")
        def enter(self, user: User, how: str) -> tuple[str, str]:
            return user.name, how

    assert Room().enter(User(1, "Lea", "lead", True, AT), "on foot") == ("Lea", "on foot")


def test_that_every_page_names_a_role_that_there_is() -> None:
    assert {page.role for page in PAGES} <= set(ROLES)
    assert len({page.path for page in PAGES}) == len(PAGES)
