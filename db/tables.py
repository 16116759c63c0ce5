"""The tables of a shop's database, as the newest migration leaves them.

Knows nothing about what is read from them; no table is created from here (see `migrations/`).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)

from db.columns import DecimalText, JsonText, MoneyText, RowNumber, SafeText, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# ---- what the shop sells and says ---------------------------------------------------------------

products = Table(
    "products",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("id", SafeText, nullable=False, unique=True),
    Column("title", SafeText, nullable=False),
    Column("description", SafeText, nullable=False),
    Column("brand", SafeText),
    Column("price", MoneyText),
    Column("price_to", MoneyText),
    Column("compare_at", MoneyText),
    Column("in_stock", Boolean),
    Column("stock", BigInteger),
    Column("rating", Double),
    Column("rating_count", BigInteger),
    Column("rating_computed", Boolean, nullable=False),
    Column("url", SafeText),
    Column("category", JsonText, nullable=False),
    Column("aliases", JsonText, nullable=False),
    Column("images", JsonText, nullable=False),
    Column("tags", JsonText, nullable=False),
    Column("variants", JsonText, nullable=False),
    Column("attributes", JsonText, nullable=False),
    Column("content_hash", SafeText, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

# Every name a product answers to, casefolded: its id (`is_id`) and its aliases.
product_keys = Table(
    "product_keys",
    metadata,
    Column("key", SafeText, primary_key=True),
    Column("product_number", ForeignKey(products.c.number, ondelete="CASCADE"), primary_key=True),
    Column("is_id", Boolean, nullable=False),
    Index(None, "product_number"),
)

documents = Table(
    "documents",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("source", SafeText, nullable=False),
    Column("id", SafeText, nullable=False),
    Column("title", SafeText, nullable=False),
    Column("markdown", SafeText, nullable=False),
    Column("product_id", SafeText),
    Column("content_hash", SafeText, nullable=False),
    UniqueConstraint("source", "id"),
    sqlite_autoincrement=True,
)

passages = Table(
    "passages",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("id", SafeText, nullable=False, unique=True),
    Column("document_id", SafeText, nullable=False),
    Column("source", SafeText, nullable=False),
    Column("heading", JsonText, nullable=False),
    Column("text", SafeText, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("product_id", SafeText, index=True),
    sqlite_autoincrement=True,
)

feed_mappings = Table(
    "feed_mappings",
    metadata,
    Column("feed", SafeText, primary_key=True),
    Column("mapping", JsonText, nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("kind", SafeText, nullable=False),
    Column("finished_at", UtcDateTime, nullable=False),
    Column("added", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("withdrawn", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Index(None, "kind", "finished_at"),
    sqlite_autoincrement=True,
)

orders = Table(
    "orders",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("key", SafeText, nullable=False, unique=True),
    Column("id", SafeText, nullable=False),
    Column("email", SafeText),
    Column("phone", SafeText),
    Column("ordered_on", Date),
    Column("items", JsonText, nullable=False),
    Column("shipping", DecimalText),
    Column("total", DecimalText),
    Column("currency", SafeText),
    Column("status", SafeText),
    Column("carrier", SafeText),
    Column("tracking", SafeText),
    Column("shipped_on", Date),
    Column("expected_on", Date),
    Column("delivered_on", Date),
    Column("extra", JsonText, nullable=False),
    Column("content_hash", SafeText, nullable=False),
    sqlite_autoincrement=True,
)

# ---- what was said ------------------------------------------------------------------------------

# Ids are never given twice (AUTOINCREMENT), so an erased turn's id cannot come to mean another.
conversations = Table(
    "conversations",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("session_hash", SafeText, nullable=False, unique=True),
    Column("language", SafeText, nullable=False),
    Column("customer_id", SafeText),
    Column("training_consent", Boolean, nullable=False),
    Column("state", JsonText, nullable=False),
    Column("handed_off", Boolean, nullable=False),
    Column("handoff", JsonText),  # what the agent is told of it; see bot/handoff.py
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False, index=True),
    sqlite_autoincrement=True,
)

turns = Table(
    "turns",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("conversation_id", ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False),
    Column("client_message_id", SafeText),
    Column("user_text", SafeText, nullable=False),
    Column("reply_text", SafeText, nullable=False),
    Column("language", SafeText, nullable=False),
    Column("intent", SafeText, nullable=False),
    Column("intents", JsonText, nullable=False),
    Column("acts", JsonText, nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("trace", JsonText, nullable=False),
    Column("generator_name", SafeText, nullable=False),
    Column("generator_version", SafeText, nullable=False),
    Column("prompt_version", SafeText, nullable=False),
    Column("fallback", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # Serves the transcript too: the conversation leads.
    UniqueConstraint("conversation_id", "client_message_id"),
    sqlite_autoincrement=True,
)

feedback = Table(
    "feedback",
    metadata,
    Column("turn_id", ForeignKey(turns.c.id, ondelete="CASCADE"), primary_key=True),
    Column("score", Integer, nullable=False),
    Column("reason", SafeText),
    Column("comment", SafeText),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("score IN (-1, 1)", name="score"),
)

requests = Table(
    "requests",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("kind", SafeText, nullable=False),
    Column("conversation_id", ForeignKey(conversations.c.id, ondelete="SET NULL"), index=True),
    Column("order_id", SafeText),
    Column("order_key", SafeText, index=True),
    Column("sealed_details", LargeBinary),
    Column("status", SafeText, nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    sqlite_autoincrement=True,
)

# Proofs of an order that failed, under a keyed hash of its number: whether there is such an order
# cannot be read from it.
failed_proofs = Table(
    "failed_proofs",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("order_hash", SafeText, nullable=False),
    Column("failed_at", UtcDateTime, nullable=False),
    Index(None, "order_hash", "failed_at"),
    sqlite_autoincrement=True,
)

# ---- what speaks --------------------------------------------------------------------------------

model_versions = Table(
    "model_versions",
    metadata,
    Column("number", RowNumber, primary_key=True, autoincrement=True),
    Column("kind", SafeText, nullable=False),
    Column("name", SafeText, nullable=False),
    Column("version", SafeText, nullable=False),
    Column("path", SafeText, nullable=False),
    Column("digest", SafeText, nullable=False),
    Column("metrics", JsonText, nullable=False),
    Column("parent", SafeText),
    Column("active", Boolean, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    UniqueConstraint("kind", "name", "version"),
    Index(
        "ix_model_versions_one_active_of_a_kind",
        "kind",
        unique=True,
        sqlite_where=text("active"),
        postgresql_where=text("active"),
    ),
    sqlite_autoincrement=True,
)
