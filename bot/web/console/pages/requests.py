"""What shoppers asked the shop to do, and what became of it."""

from __future__ import annotations

from bot.desk.office import Office
from bot.desk.requests import STATUSES
from bot.web.console.page import Asked, Page, Shown


def draw(office: Office, asked: Asked) -> Shown:
    found = office.requests.all(asked.user)
    return Shown({"found": found, "statuses": STATUSES, "opened": "", "details": {}})


def open_details(office: Office, asked: Asked) -> Shown:
    number = asked.text("number")
    details = office.requests.details(asked.user, number)
    told = f"The details of {number} are shown; that you saw them is in the audit log."
    return Shown({"opened": number, "details": details}, said=told)


def close(office: Office, asked: Asked) -> Shown:
    number, status = asked.text("number"), asked.text("status")
    office.requests.close(asked.user, number, status)
    return Shown(said=f"{number} is {status}.", done=True)


PAGE = Page(
    path="requests",
    title="Requests",
    label="Requests",
    role="agent",
    template="requests.html",
    draw=draw,
    acts={"open": open_details, "close": close},
)
