"""What shoppers asked the shop to do: returns, cancellations, changes, exchanges, calls back.

Knows nothing about which requests are allowed, and cannot read the sealed details.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select, update

from db.engine import Database
from db.orders import order_key
from db.tables import requests

RECORDED = "recorded"
_FIRST_NUMBER = 1001


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request as it was recorded. `number` is what the shopper is told: `R-1001`."""

    number: str
    kind: str
    status: str
    conversation_id: int | None
    order_id: str | None
    sealed_details: bytes | None
    created_at: datetime
    closed_at: datetime | None = None


class RequestStore:
    """The requests of one shop. A request is open while its status is `recorded`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        kind: str,
        *,
        conversation_id: int | None,
        order_id: str | None,
        sealed_details: bytes | None,
        now: datetime,
    ) -> StoredRequest:
        """Keep a new request and number it. Ask `find` first, so that none is recorded twice."""
        row = {
            "kind": kind,
            "status": RECORDED,
            "conversation_id": conversation_id,
            "order_id": order_id,
            "order_key": None if order_id is None else order_key(order_id),
            "sealed_details": sealed_details,
            "created_at": now,
        }
        with self._database.write() as connection:
            return _request(
                connection.execute(insert(requests).values(row).returning(requests)).one()
            )

    def find(self, kind: str, order_id: str) -> StoredRequest | None:
        """The newest open request of this kind for this order."""
        query = _open().where(requests.c.kind == kind, requests.c.order_key == order_key(order_id))
        with self._database.read() as connection:
            row = connection.execute(query.order_by(requests.c.id.desc()).limit(1)).first()
        return None if row is None else _request(row)

    def find_in(self, kind: str, conversation_id: int) -> StoredRequest | None:
        """The newest open request of this kind and for no order that this conversation recorded."""
        query = _open().where(
            requests.c.kind == kind,
            requests.c.conversation_id == conversation_id,
            requests.c.order_key.is_(None),
        )
        with self._database.read() as connection:
            row = connection.execute(query.order_by(requests.c.id.desc()).limit(1)).first()
        return None if row is None else _request(row)

    def reseal(self, number: str, sealed_details: bytes) -> None:
        """Put these details in the place of those that an open request holds."""
        with self._database.write() as connection:
            connection.execute(
                update(requests)
                .where(requests.c.id == _row_id(number), requests.c.status == RECORDED)
                .values(sealed_details=sealed_details)
            )

    def open_requests(self) -> list[StoredRequest]:
        """All open requests, the oldest first."""
        with self._database.read() as connection:
            return [_request(row) for row in connection.execute(_open().order_by(requests.c.id))]

    def closed(self, *, most: int) -> list[StoredRequest]:
        """The requests that were closed, the last one first."""
        query = (
            select(requests)
            .where(requests.c.status != RECORDED)
            .order_by(requests.c.closed_at.desc(), requests.c.id.desc())
            .limit(most)
        )
        with self._database.read() as connection:
            return [_request(row) for row in connection.execute(query)]

    def get(self, number: str) -> StoredRequest | None:
        """The request of this number, open or closed."""
        query = select(requests).where(requests.c.id == _row_id(number))
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _request(row)

    def close(self, number: str, *, status: str, now: datetime) -> bool:
        """Give an open request its outcome (any word but `recorded`); False when none is open."""
        if status == RECORDED:
            raise ValueError("a closed request needs a status that says how it ended")
        with self._database.write() as connection:
            closed = connection.execute(
                update(requests)
                .where(requests.c.id == _row_id(number), requests.c.status == RECORDED)
                .values(status=status, closed_at=now)
            )
        return bool(closed.rowcount)

    def purge(self, *, before: datetime) -> int:
        """Delete the details of requests that were closed before; returns how many there were.

        The details are overwritten in the file, not only unlinked; the request itself stays.
        """
        with self._database.write() as connection:
            purged = connection.execute(
                update(requests)
                .where(
                    requests.c.status != RECORDED,
                    requests.c.closed_at < before,
                    requests.c.sealed_details.is_not(None),
                )
                .values(sealed_details=None)
            )
        if purged.rowcount:
            self._database.scrub()
        return int(purged.rowcount)


def _open() -> Select[Any]:
    return select(requests).where(requests.c.status == RECORDED)


def _row_id(number: str) -> int:
    """The row of `R-1001` is 1; 0, which no row has, for anything that is no number of ours."""
    digits = number.removeprefix("R-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        return 0
    return int(digits) - _FIRST_NUMBER + 1


def _request(row: Row[Any]) -> StoredRequest:
    return StoredRequest(
        number=f"R-{row.id + _FIRST_NUMBER - 1}",
        kind=row.kind,
        status=row.status,
        conversation_id=row.conversation_id,
        order_id=row.order_id,
        sealed_details=row.sealed_details,
        created_at=row.created_at,
        closed_at=row.closed_at,
    )
