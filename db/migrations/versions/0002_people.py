"""Failed proofs of an order over all sessions, when a request was closed, what an agent is told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# SQLite numbers rows by itself only where the key is spelled INTEGER.
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "failed_proofs",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("order_hash", sa.Text(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_failed_proofs"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_failed_proofs_order_hash_failed_at", "failed_proofs", ["order_hash", "failed_at"]
    )
    op.add_column("requests", sa.Column("closed_at", sa.DateTime(timezone=True)))
    op.add_column("conversations", sa.Column("handoff", sa.Text()))
