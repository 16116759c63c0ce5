"""Accounts and the audit log, for admins."""

from __future__ import annotations

from bot.desk.office import Office
from bot.web.console.page import Address, Asked, Page, Shown


def draw(office: Office, asked: Asked) -> Shown:
    before = Address("", asked.address.query.get("before", "")).number
    log = office.people.log(asked.user, before=before)
    return Shown(
        {
            "people": office.people.all(asked.user),
            "log": log,
            "older": log.older and Address("people", "", {"before": str(log.older)}),
            "newest": Address("people") if before else None,
        }
    )


def close(office: Office, asked: Asked) -> Shown:
    name = asked.text("name")
    office.people.set_active(asked.user, name, False)
    return Shown(said=f"{name} is closed and signed out; what they reviewed stays.", done=True)


def reopen(office: Office, asked: Asked) -> Shown:
    name = asked.text("name")
    office.people.set_active(asked.user, name, True)
    return Shown(said=f"{name} may sign in again.", done=True)


PAGE = Page(
    path="people",
    title="People",
    label="People",
    role="admin",
    template="people.html",
    draw=draw,
    acts={"close": close, "reopen": reopen},
)
