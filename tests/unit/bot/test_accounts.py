"""Signing in at the desk: who is let in, for how long, and how often one may guess."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import accounts as module
from bot import cli
from bot.accounts import GUESSES, LASTS, RESTS, WITHIN, Accounts
from bot.errors import AccountError
from db.accounts import AccountStore
from db.engine import Database, open_database
from db.errors import NameTaken

PASSWORD = "a long enough one"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(sqlite_url: str, clock: Clock) -> Accounts:
    database: Database = open_database(sqlite_url)
    return Accounts(AccountStore(database), clock)


def signed(accounts: Accounts, name: str = "Mia", password: str = PASSWORD) -> str:
    found = accounts.sign_in(name, password)
    assert found is not None
    return found[1]


def test_that_the_right_password_opens_the_desk(accounts: Accounts) -> None:
    accounts.open("  Mia   Wu ", "lead", PASSWORD)
    found = accounts.signed_in(signed(accounts, "mia wu"))
    assert found is not None
    assert (found.name, found.role) == ("Mia Wu", "lead")


@pytest.mark.parametrize(
    ("name", "password"), [("Mia", "another long one"), ("Tom", PASSWORD), ("", ""), ("Mia", "")]
)
def test_that_a_wrong_name_or_password_opens_nothing(
    accounts: Accounts, name: str, password: str
) -> None:
    accounts.open("Mia", "agent", PASSWORD)
    assert accounts.sign_in(name, password) is None


@pytest.mark.parametrize("token", ["", None, "no such token"])
def test_that_a_wrong_token_opens_nothing(accounts: Accounts, token: str | None) -> None:
    assert accounts.signed_in(token) is None


def test_that_a_sign_in_ends_by_itself_and_on_demand(accounts: Accounts, clock: Clock) -> None:
    accounts.open("Mia", "agent", PASSWORD)
    token = signed(accounts)
    clock.now += RESTS - timedelta(minutes=1)
    assert accounts.signed_in(token)
    clock.now += RESTS
    assert accounts.signed_in(token) is None
    token = signed(accounts)
    until = clock.now + LASTS
    while clock.now + RESTS / 2 < until:
        assert accounts.signed_in(token)
        clock.now += RESTS / 2
    clock.now = until
    assert accounts.signed_in(token) is None
    token = signed(accounts)
    accounts.sign_out(token)
    assert accounts.signed_in(token) is None


def test_that_guessing_is_stopped_for_a_while(accounts: Accounts, clock: Clock) -> None:
    accounts.open("Mia", "agent", PASSWORD)
    accounts.open("Tom", "agent", PASSWORD)
    for _ in range(GUESSES):
        assert accounts.sign_in("MIA", "another long one") is None
    with pytest.raises(AccountError, match="15 minutes"):
        accounts.sign_in("mia", PASSWORD)
    assert accounts.sign_in("Tom", PASSWORD)
    clock.now += WITHIN
    assert accounts.sign_in("mia", PASSWORD)


def test_that_a_right_password_forgets_the_wrong_ones(accounts: Accounts) -> None:
    accounts.open("Mia", "agent", PASSWORD)
    for _ in range(3):
        for _ in range(GUESSES - 1):
            accounts.sign_in("Mia", "another long one")
        assert accounts.sign_in("Mia", PASSWORD)


def test_that_an_unknown_name_costs_as_much_as_a_wrong_password(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = module._matches

    def matches(kept: str, password: str) -> bool:
        asked.append(kept)
        return real(kept, password)

    monkeypatch.setattr(module, "_matches", matches)
    accounts.open("Mia", "agent", PASSWORD)
    accounts.sign_in("Mia", "another long one")
    accounts.sign_in("Tom", "another long one")
    assert len(asked) == 2
    assert all(kept.startswith("$argon2id$") for kept in asked)


@pytest.mark.parametrize(
    ("name", "password", "told"),
    [
        ("Mia", "short", "10 to 200 characters"),
        ("Mia", "x" * 201, "10 to 200 characters"),
        ("Mia", "aaaaaaaaaaaa", "guessed at once"),
        ("Mia Wu-Miller", "mia wu-miller", "guessed at once"),
        ("", PASSWORD, "1 to 60 printable"),
        ("x" * 61, PASSWORD, "1 to 60 printable"),
        ("Mia\x07", PASSWORD, "1 to 60 printable"),
    ],
)
def test_that_a_bad_account_is_refused_with_what_would_do(
    accounts: Accounts, name: str, password: str, told: str
) -> None:
    with pytest.raises(AccountError, match=told):
        accounts.open(name, "agent", password)
    assert accounts.store.all() == []


def test_that_neither_password_nor_token_is_in_the_database(
    accounts: Accounts, sqlite_url: str
) -> None:
    accounts.open("Mia", "agent", PASSWORD)
    token = signed(accounts)
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    stored = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert b"Mia" in stored
    assert PASSWORD.encode() not in stored
    assert token.encode() not in stored


def test_that_a_name_is_taken_once(accounts: Accounts) -> None:
    accounts.open("Mia", "agent", PASSWORD)
    with pytest.raises(NameTaken):
        accounts.open("mia", "agent", PASSWORD)


# ---- the command ---------------------------------------------------------------------------------


@pytest.fixture
def command(  # type: ignore[no-untyped-def]
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("SHOPBOT_HOME", str(tmp_path))

    def run(*arguments: str, given: str = "") -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["shopbot", "users", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        with pytest.raises(SystemExit) as ended:
            cli.main()
            raise SystemExit(0)
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out + printed.err

    return run


def test_that_the_command_opens_changes_and_closes_accounts(command) -> None:  # type: ignore[no-untyped-def]
    given = f"{PASSWORD}\n"
    status, told = command("add", "Ada", "--role", "admin", "--password-stdin", given=given)
    assert (status, "may sign in at /console as admin" in told) == (0, True)
    command("add", "Mia", "--password-stdin", given=given)
    command("role", "mia", "lead")
    command("close", "mia")
    assert command("list")[1].splitlines() == ["Ada\tadmin", "Mia\tlead\tclosed"]
    command("reopen", "mia")
    assert command("password", "mia", "--password-stdin", given="quite another one\n")[0] == 0
    assert command("list")[1].splitlines() == ["Ada\tadmin", "Mia\tlead"]


@pytest.mark.parametrize(
    ("arguments", "given", "told"),
    [
        (("add", "Mia"), "", "pass --password-stdin"),
        (("add", "Mia", "--password-stdin"), "short\n", "10 to 200 characters"),
        (("role", "Mia", "lead"), "", "users list"),
        (("close", "Mia"), "", "users list"),
    ],
)
def test_that_the_command_tells_what_is_wrong_in_one_line(  # type: ignore[no-untyped-def]
    command, arguments: tuple[str, ...], given: str, told: str
) -> None:
    status, printed = command(*arguments, given=given)
    assert status == 1
    assert told in printed
    assert printed.count("\n") == 1
