"""Signing in at the desk: passwords, tokens, how long they open it, and how often one may guess.

Knows nothing of pages; the store keeps what is made here.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from bot.errors import AccountError
from db.accounts import AccountStore, Role, User

SHORTEST, LONGEST = 10, 200  # characters of a password
NAME_LONGEST = 60
LASTS = timedelta(hours=12)  # a sign-in, at work or not
RESTS = timedelta(hours=2)  # … without a click
GUESSES, WITHIN = 5, timedelta(minutes=15)  # wrong passwords of one name, from anywhere
NAMES_KEPT = 4096


class Accounts:
    """Opens accounts and lets people in. Safe to call from several threads."""

    def __init__(self, store: AccountStore, clock: Callable[[], datetime]) -> None:
        self.store = store
        self._clock = clock
        self._failed: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._guard = threading.Lock()

    def open(self, name: str, role: Role, password: str) -> User:
        """Opens an account. Raises AccountError, NameTaken."""
        name = _name(name)
        hashed = _hashed(name, password)
        return self.store.add(name, role=role, password_hash=hashed, now=self._clock())

    def set_password(self, name: str, password: str) -> None:
        """Changes a password and ends every sign-in. Raises AccountError, UnknownUser."""
        self.store.set_password(name, _hashed(name, password), now=self._clock())

    def sign_in(self, name: str, password: str) -> tuple[User, str] | None:
        """Returns who that is and a token that opens the desk; None for a wrong name or password.

        Takes as long for a name that is not there. Raises AccountError after too many wrong ones.
        """
        now = self._clock()
        key = name.strip().casefold()[:NAME_LONGEST]
        if self._guesses(key, now) >= GUESSES:
            minutes = int(WITHIN.total_seconds() // 60)
            raise AccountError(f"too many wrong passwords: try again in {minutes} minutes")
        kept = self.store.password_hash(name)
        right = _matches(kept or _nobodys(), password[:LONGEST]) and kept is not None
        user = self.store.find(name) if right else None
        if user is None:
            self._fail(key, now)
            return None
        with self._guard:
            self._failed.pop(key, None)
        if kept and _hasher().check_needs_rehash(kept):
            self.store.set_password(name, _hasher().hash(password), now=now)
        token = secrets.token_urlsafe(32)
        self.store.sign_in(user.id, token, now=now, expires_at=now + LASTS)
        return user, token

    def signed_in(self, token: str | None) -> User | None:
        """Returns whose token this is, if it still opens the desk."""
        if not token:
            return None
        now = self._clock()
        return self.store.signed_in(token, now=now, idle_since=now - RESTS)

    def sign_out(self, token: str) -> None:
        """Ends a sign-in; an unknown token is none."""
        self.store.sign_out(token)

    def _guesses(self, key: str, now: datetime) -> int:
        with self._guard:
            failed = self._failed.get(key, deque())
            return sum(at > now - WITHIN for at in failed)

    def _fail(self, key: str, now: datetime) -> None:
        with self._guard:
            self._failed.setdefault(key, deque(maxlen=GUESSES)).append(now)
            self._failed.move_to_end(key)
            while len(self._failed) > NAMES_KEPT:
                self._failed.popitem(last=False)


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > NAME_LONGEST or not name.isprintable():
        raise AccountError(f"an account's name has 1 to {NAME_LONGEST} printable characters")
    return name


def _hashed(name: str, password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccountError(f"a password has {SHORTEST} to {LONGEST} characters")
    if password.casefold().strip() == name.casefold() or len(set(password)) < 4:
        raise AccountError("this password is guessed at once: choose another one")
    return _hasher().hash(password)


def _matches(kept: str, password: str) -> bool:
    try:
        return _hasher().verify(kept, password)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


@cache
def _hasher() -> PasswordHasher:
    """Argon2id with the second recommended parameters of RFC 9106 (64 MiB, 3 passes, 4 lanes)."""
    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_urlsafe(32))
