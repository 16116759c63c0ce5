"""The people who work at the desk: accounts, who is signed in, and who did what.

Keeps hashes of passwords and tokens as they are handed in; knows nothing about how they are made.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from db.engine import Database
from db.errors import LastAdmin, NameTaken, UnknownUser
from db.tables import audit, sign_ins, users

Role = Literal["agent", "lead", "admin"]


@dataclass(frozen=True, slots=True)
class User:
    """An account. A closed one (`active` false) cannot sign in, and its reviews stay."""

    id: int
    name: str
    role: Role
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`user_name` did `action` to `subject`; `details` holds nothing private."""

    id: int
    at: datetime
    user_name: str
    action: str
    subject: str
    details: dict[str, Any]


class AccountStore:
    """The accounts of one shop; a name is one whatever its capitals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- accounts ---------------------------------------------------------------------------------
    def add(self, name: str, *, role: Role, password_hash: str, now: datetime) -> User:
        """Open an account. Raises NameTaken."""
        row = {
            "name": name,
            "key": _key(name),
            "role": role,
            "password_hash": password_hash,
            "active": True,
            "created_at": now,
            "changed_at": now,
        }
        try:
            with self._database.write() as connection:
                return _user(connection.execute(insert(users).values(row).returning(users)).one())
        except IntegrityError as error:
            if self.find(name) is None:
                raise
            raise NameTaken(name) from error

    def find(self, name: str) -> User | None:
        with self._database.read() as connection:
            row = connection.execute(select(users).where(users.c.key == _key(name))).first()
        return None if row is None else _user(row)

    def password_hash(self, name: str) -> str | None:
        """What the password of an open account is checked against."""
        query = select(users.c.password_hash).where(users.c.key == _key(name), users.c.active)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def all(self) -> list[User]:
        """Every account, closed ones too, by name."""
        with self._database.read() as connection:
            return [_user(row) for row in connection.execute(select(users).order_by(users.c.key))]

    def set_password(self, name: str, password_hash: str, *, now: datetime) -> None:
        """Change the password and end every sign-in. Raises UnknownUser."""
        self._change(name, {"password_hash": password_hash}, now=now)

    def set_role(self, name: str, role: Role, *, now: datetime) -> None:
        """Change the role and end every sign-in. Raises UnknownUser, LastAdmin."""
        self._change(name, {"role": role}, now=now)

    def set_active(self, name: str, active: bool, *, now: datetime) -> None:
        """Close or open an account and end every sign-in. Raises UnknownUser, LastAdmin."""
        self._change(name, {"active": active}, now=now)

    def _change(self, name: str, values: dict[str, Any], *, now: datetime) -> None:
        with self._database.write() as connection:
            self._database.lock(connection)
            admins = _admins(connection)
            changed = connection.execute(
                update(users)
                .where(users.c.key == _key(name))
                .values(values | {"changed_at": now})
                .returning(users.c.id)
            ).scalar()
            if changed is None:
                raise UnknownUser(name)
            if admins and not _admins(connection):
                raise LastAdmin(name)
            connection.execute(delete(sign_ins).where(sign_ins.c.user_id == changed))

    # -- sign-ins ---------------------------------------------------------------------------------
    def sign_in(self, user_id: int, token: str, *, now: datetime, expires_at: datetime) -> None:
        """Keep that whoever holds `token` is this user until then; forget what has expired."""
        row = {
            "token_hash": _hash(token),
            "user_id": user_id,
            "created_at": now,
            "seen_at": now,
            "expires_at": expires_at,
        }
        with self._database.write() as connection:
            connection.execute(delete(sign_ins).where(sign_ins.c.expires_at <= now))
            connection.execute(insert(sign_ins).values(row))

    def signed_in(self, token: str, *, now: datetime, idle_since: datetime) -> User | None:
        """Whose token this is; None once it expired, was unused since `idle_since`, or ended."""
        query = (
            select(users, sign_ins.c.seen_at)
            .join(sign_ins, sign_ins.c.user_id == users.c.id)
            .where(
                sign_ins.c.token_hash == _hash(token),
                sign_ins.c.expires_at > now,
                sign_ins.c.seen_at > idle_since,
                users.c.active,
            )
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        if (now - row.seen_at).total_seconds() >= 60:  # a write per minute, not per click
            with self._database.write() as connection:
                connection.execute(
                    update(sign_ins)
                    .where(sign_ins.c.token_hash == _hash(token))
                    .values(seen_at=now)
                )
        return _user(row)

    def sign_out(self, token: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(sign_ins).where(sign_ins.c.token_hash == _hash(token)))

    # -- who did what -----------------------------------------------------------------------------
    def note(
        self,
        user: User | None,
        action: str,
        subject: str,
        *,
        now: datetime,
        details: dict[str, Any] | None = None,
    ) -> None:
        """Write into the audit log; None is the owner at the command line."""
        row = {
            "at": now,
            "user_id": user.id if user else None,
            "user_name": user.name if user else "command line",
            "action": action,
            "subject": subject,
            "details": details or {},
        }
        with self._database.write() as connection:
            connection.execute(insert(audit).values(row))

    def log(self, *, most: int = 100, before: int | None = None) -> list[AuditEntry]:
        """The audit log, the newest first, from before the entry of this id."""
        query = select(audit).order_by(audit.c.id.desc()).limit(most)
        if before is not None:
            query = query.where(audit.c.id < before)
        with self._database.read() as connection:
            return [
                AuditEntry(row.id, row.at, row.user_name, row.action, row.subject, row.details)
                for row in connection.execute(query)
            ]

    def forget_log(self, *, before: datetime) -> int:
        """Delete the entries of the audit log written before; returns how many there were."""
        with self._database.write() as connection:
            gone = connection.execute(delete(audit).where(audit.c.at < before))
        return int(gone.rowcount)


def _admins(connection: Connection) -> int:
    query = select(func.count()).where(users.c.role == "admin", users.c.active)
    return int(connection.execute(query).scalar_one())


def _key(name: str) -> str:
    return name.strip().casefold()


def _hash(token: str) -> str:
    """The token opens the console, so the database must not hold it."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _user(row: Row[Any]) -> User:
    return User(row.id, row.name, cast(Role, row.role), row.active, row.created_at)
