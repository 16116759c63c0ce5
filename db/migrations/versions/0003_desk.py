"""The desk: accounts, reviews, live talk, what was exported, what was promoted; words to search turns by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# SQLite numbers rows by itself only where the key is spelled INTEGER.
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "exports",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("erased_turns", sa.Integer(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_exports"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_exports_digest", "exports", ["digest"])
    op.create_table(
        "promotions",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("version", sa.Text()),
        sa.Column("before_name", sa.Text()),
        sa.Column("before_version", sa.Text()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("action IN ('promote', 'rollback')", name="ck_promotions_action"),
        sa.PrimaryKeyConstraint("id", name="pk_promotions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_promotions_kind_id", "promotions", ["kind", "id"])
    op.create_table(
        "users",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('agent', 'lead', 'admin')", name="ck_users_role"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("key", name="uq_users_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "agent_messages",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("conversation_id", ROW_NUMBER, nullable=False),
        sa.Column("after_turn", sa.BigInteger()),
        sa.Column("user_id", ROW_NUMBER),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_agent_messages_conversation_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_agent_messages_user_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_agent_messages"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_agent_messages_conversation_id_id", "agent_messages", ["conversation_id", "id"]
    )
    op.create_table(
        "audit",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", ROW_NUMBER),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_audit_user_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "desk",
        sa.Column("conversation_id", ROW_NUMBER, nullable=False),
        sa.Column("assigned_to", ROW_NUMBER),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("outcome_reason", sa.Text()),
        sa.Column("outcome_at", sa.DateTime(timezone=True)),
        sa.Column("waiting_since", sa.DateTime(timezone=True)),
        sa.Column("taken_by", ROW_NUMBER),
        sa.Column("taken_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["assigned_to"], ["users.id"], name="fk_desk_assigned_to", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_desk_conversation_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["taken_by"], ["users.id"], name="fk_desk_taken_by", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_desk"),
    )
    op.create_index("ix_desk_assigned_to", "desk", ["assigned_to"])
    op.create_index("ix_desk_outcome", "desk", ["outcome"])
    op.create_index("ix_desk_taken_by", "desk", ["taken_by"])
    op.create_index("ix_desk_waiting_since", "desk", ["waiting_since"])
    op.create_table(
        "export_turns",
        sa.Column("export_id", ROW_NUMBER, nullable=False),
        sa.Column("turn_id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["export_id"], ["exports.id"], name="fk_export_turns_export_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("export_id", "turn_id", name="pk_export_turns"),
    )
    op.create_index("ix_export_turns_conversation_id", "export_turns", ["conversation_id"])
    op.create_table(
        "notes",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("conversation_id", ROW_NUMBER, nullable=False),
        sa.Column("user_id", ROW_NUMBER),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_notes_conversation_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_notes_user_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notes_conversation_id", "notes", ["conversation_id"])
    op.create_table(
        "sign_ins",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("user_id", ROW_NUMBER, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_sign_ins_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sign_ins"),
    )
    op.create_index("ix_sign_ins_expires_at", "sign_ins", ["expires_at"])
    op.create_index("ix_sign_ins_user_id", "sign_ins", ["user_id"])
    op.create_table(
        "reviews",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("turn_id", ROW_NUMBER, nullable=False),
        sa.Column("user_id", ROW_NUMBER),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("correction", sa.Text()),
        sa.Column("seen_id", sa.BigInteger()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("verdict IN ('good', 'bad')", name="ck_reviews_verdict"),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name="fk_reviews_turn_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_reviews_user_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reviews_created_at", "reviews", ["created_at"])
    op.create_index("ix_reviews_turn_id", "reviews", ["turn_id"])
    op.create_table(
        "turn_products",
        sa.Column("turn_id", ROW_NUMBER, nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name="fk_turn_products_turn_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("turn_id", "product_id", name="pk_turn_products"),
    )
    op.create_index(
        "ix_turn_products_product_id_turn_id", "turn_products", ["product_id", "turn_id"]
    )
    op.add_column("model_versions", sa.Column("learned", sa.Text()))
    op.add_column("turns", sa.Column("best_score", sa.Double()))
    op.create_index("ix_turns_conversation_id_id", "turns", ["conversation_id", "id"])
    op.create_index(
        "ix_turns_queue",
        "turns",
        ["id", "conversation_id", "intent", "language", "fallback", "best_score", "created_at"],
    )

    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE turn_words "
            "USING fts5(words, tokenize = 'unicode61 remove_diacritics 0')"
        )
        # FTS5 has no foreign keys
        op.execute(
            "CREATE TRIGGER turn_words_of_erased AFTER DELETE ON turns BEGIN "
            "DELETE FROM turn_words WHERE rowid = old.id; END"
        )
    else:
        op.execute(
            "CREATE TABLE turn_words ("
            "turn_id BIGINT PRIMARY KEY REFERENCES turns (id) ON DELETE CASCADE, "
            "words TSVECTOR NOT NULL)"
        )
        op.execute("CREATE INDEX ix_turn_words_words ON turn_words USING gin (words)")
