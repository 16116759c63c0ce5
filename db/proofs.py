"""Proofs of orders that failed, counted over all sessions of a shop.

Knows orders by a hash of their number alone, and nothing about whether there is such an order.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert

from db.engine import Database
from db.staging import count_rows
from db.tables import failed_proofs


class ProofStore:
    """Failed proofs; those before the window that is counted are forgotten as new ones come."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def failures(self, order_hash: str, *, since: datetime) -> int:
        """How many proofs of this order have failed after `since`."""
        with self._database.read() as connection:
            return count_rows(
                connection,
                failed_proofs,
                (failed_proofs.c.order_hash == order_hash) & (failed_proofs.c.failed_at > since),
            )

    def fail(self, order_hash: str, *, now: datetime, since: datetime) -> None:
        """Count a failed proof, and forget every order's from `since` and before."""
        with self._database.write() as connection:
            connection.execute(delete(failed_proofs).where(failed_proofs.c.failed_at <= since))
            connection.execute(insert(failed_proofs).values(order_hash=order_hash, failed_at=now))
