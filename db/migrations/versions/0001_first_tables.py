"""The first tables: catalogue, orders, conversations, requests, model versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# SQLite numbers rows by itself only where the key is spelled INTEGER.
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("session_hash", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text()),
        sa.Column("training_consent", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("handed_off", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
        sa.UniqueConstraint("session_hash", name="uq_conversations_session_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_conversations_updated_at", "conversations", ["updated_at"])
    op.create_table(
        "documents",
        sa.Column("number", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("markdown", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text()),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_documents"),
        sa.UniqueConstraint("source", "id", name="uq_documents_source_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "feed_mappings",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("feed", name="pk_feed_mappings"),
    )
    op.create_table(
        "imports",
        sa.Column("number", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("withdrawn", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_imports"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_imports_kind_finished_at", "imports", ["kind", "finished_at"])
    op.create_table(
        "model_versions",
        sa.Column("number", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("metrics", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text()),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_model_versions"),
        sa.UniqueConstraint("kind", "name", "version", name="uq_model_versions_kind_name_version"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_model_versions_one_active_of_a_kind",
        "model_versions",
        ["kind"],
        unique=True,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )
    op.create_table(
        "orders",
        sa.Column("number", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("ordered_on", sa.Date()),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("shipping", sa.Text()),
        sa.Column("total", sa.Text()),
        sa.Column("currency", sa.Text()),
        sa.Column("status", sa.Text()),
        sa.Column("carrier", sa.Text()),
        sa.Column("tracking", sa.Text()),
        sa.Column("shipped_on", sa.Date()),
        sa.Column("expected_on", sa.Date()),
        sa.Column("delivered_on", sa.Date()),
        sa.Column("extra", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_orders"),
        sa.UniqueConstraint("key", name="uq_orders_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "passages",
        sa.Column("number", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Text()),
        sa.PrimaryKeyConstraint("number", name="pk_passages"),
        sa.UniqueConstraint("id", name="uq_passages_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_passages_product_id", "passages", ["product_id"])
    op.create_table(
        "products",
        sa.Column("number", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text()),
        sa.Column("price", sa.Text()),
        sa.Column("price_to", sa.Text()),
        sa.Column("compare_at", sa.Text()),
        sa.Column("in_stock", sa.Boolean()),
        sa.Column("stock", sa.BigInteger()),
        sa.Column("rating", sa.Double()),
        sa.Column("rating_count", sa.BigInteger()),
        sa.Column("rating_computed", sa.Boolean(), nullable=False),
        sa.Column("url", sa.Text()),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("aliases", sa.Text(), nullable=False),
        sa.Column("images", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("variants", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_products"),
        sa.UniqueConstraint("id", name="uq_products_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "product_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("product_number", ROW_NUMBER, nullable=False),
        sa.Column("is_id", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_number"],
            ["products.number"],
            name="fk_product_keys_product_number",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", "product_number", name="pk_product_keys"),
    )
    op.create_index("ix_product_keys_product_number", "product_keys", ["product_number"])
    op.create_table(
        "requests",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("conversation_id", ROW_NUMBER),
        sa.Column("order_id", sa.Text()),
        sa.Column("order_key", sa.Text()),
        sa.Column("sealed_details", sa.LargeBinary()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_requests_conversation_id",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_requests_conversation_id", "requests", ["conversation_id"])
    op.create_index("ix_requests_order_key", "requests", ["order_key"])
    op.create_index("ix_requests_status", "requests", ["status"])
    op.create_table(
        "turns",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("conversation_id", ROW_NUMBER, nullable=False),
        sa.Column("client_message_id", sa.Text()),
        sa.Column("user_text", sa.Text(), nullable=False),
        sa.Column("reply_text", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("intents", sa.Text(), nullable=False),
        sa.Column("acts", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("trace", sa.Text(), nullable=False),
        sa.Column("generator_name", sa.Text(), nullable=False),
        sa.Column("generator_version", sa.Text(), nullable=False),
        sa.Column("prompt_version", sa.Text(), nullable=False),
        sa.Column("fallback", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_turns_conversation_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.UniqueConstraint(
            "conversation_id",
            "client_message_id",
            name="uq_turns_conversation_id_client_message_id",
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "feedback",
        sa.Column("turn_id", ROW_NUMBER, nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("comment", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("score IN (-1, 1)", name="ck_feedback_score"),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name="fk_feedback_turn_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("turn_id", name="pk_feedback"),
    )
