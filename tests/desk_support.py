"""A desk over a small database, for tests of the console: three accounts and whoever needs a cookie."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fastapi.testclient import TestClient
from scripted_shop import ScriptedService
from shop_homes import settings_of

from bot.accounts import Accounts
from bot.desk.office import Office, office_of
from bot.web.app import create_app
from bot.web.console.sign_in import COOKIE
from bot.web.service import WebSettings
from db.accounts import Role, User
from db.engine import Database

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse"
PEOPLE: dict[str, Role] = {"Mia": "agent", "Lea": "lead", "Ada": "admin"}
LOCAL = ("127.0.0.1", 50000)
OWN = {"sec-fetch-site": "same-origin"}


def office_in(home: Path, database: Database) -> Office:
    """The desk over this database, its clock standing at AT."""
    return office_of(settings_of(home), database, clock=lambda: AT)


def open_accounts(accounts: Accounts) -> None:
    for name, role in PEOPLE.items():
        accounts.open(name, role, PASSWORD)


def person(office: Office, name: str) -> User:
    """The account of this name, made where it is not there yet; it has no password."""
    store = office.accounts.store
    return store.find(name) or store.add(name, role=PEOPLE[name], password_hash="x", now=AT)


def browser(office: Office) -> TestClient:
    """A browser on the own machine in front of a shop with this desk; nobody is signed in."""
    app = create_app(
        ScriptedService(), WebSettings(secret=b"secret", shop_name="Tea & <Things>"), office=office
    )
    client = TestClient(app, client=LOCAL, raise_server_exceptions=False, follow_redirects=False)
    client.headers.update(OWN)
    return client


def signed_in(office: Office, client: TestClient, name: str) -> TestClient:
    """Gives the browser a session of this account."""
    user = person(office, name)
    token = f"token-of-{name}"
    office.accounts.store.sign_in(user.id, token, now=AT, expires_at=AT.replace(year=2027))
    client.cookies.set(COOKIE, token, path="/console")
    return client
