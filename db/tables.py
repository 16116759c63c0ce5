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
    Column("best_score", Double),  # of what was retrieved; None where nothing was looked for
    Column("created_at", UtcDateTime, nullable=False),
    # Serves the transcript too: the conversation leads.
    UniqueConstraint("conversation_id", "client_message_id"),
    Index(None, "conversation_id", "id"),
    # All that the queue asks of a turn: a row is ten thousand characters, most of them its trace.
    Index(
        "ix_turns_queue",
        "id",
        "conversation_id",
        "intent",
        "language",
        "fallback",
        "best_score",
        "created_at",
    ),
    sqlite_autoincrement=True,
)

# The products a reply showed. The words of turns are searched in `turn_words`, which is of each
# engine's own kind and no table of SQLAlchemy's; see db/words.py.
turn_products = Table(
    "turn_products",
    metadata,
    Column("turn_id", ForeignKey(turns.c.id, ondelete="CASCADE"), primary_key=True),
    Column("product_id", SafeText, primary_key=True),
    Index(None, "product_id", "turn_id"),
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

# ---- the desk: people who work here, what they judge and say --------------------------------------

users = Table(
    "users",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("name", SafeText, nullable=False),
    Column("key", SafeText, nullable=False, unique=True),  # the name casefolded
    Column("role", SafeText, nullable=False),
    Column("password_hash", SafeText, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    CheckConstraint("role IN ('agent', 'lead', 'admin')", name="role"),
    sqlite_autoincrement=True,
)

# The token opens the console, so only its hash is kept.
sign_ins = Table(
    "sign_ins",
    metadata,
    Column("token_hash", SafeText, primary_key=True),
    Column("user_id", ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

# Who did what. The name is kept beside the number, so that it stays when a user is removed.
audit = Table(
    "audit",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("user_id", ForeignKey(users.c.id, ondelete="SET NULL")),
    Column("user_name", SafeText, nullable=False),
    Column("action", SafeText, nullable=False),
    Column("subject", SafeText, nullable=False),
    Column("details", JsonText, nullable=False),
    sqlite_autoincrement=True,
)

# Every review stays; the newest of a turn counts. `seen_id` is the one its author had before them.
reviews = Table(
    "reviews",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("turn_id", ForeignKey(turns.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("user_id", ForeignKey(users.c.id, ondelete="SET NULL")),
    Column("user_name", SafeText, nullable=False),
    Column("verdict", SafeText, nullable=False),
    Column("reason", SafeText),
    Column("correction", SafeText),
    Column("seen_id", BigInteger),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    CheckConstraint("verdict IN ('good', 'bad')", name="verdict"),
    sqlite_autoincrement=True,
)

# What the desk knows of a conversation beside what was said in it; no row means nothing yet.
desk = Table(
    "desk",
    metadata,
    Column("conversation_id", ForeignKey(conversations.c.id, ondelete="CASCADE"), primary_key=True),
    Column("assigned_to", ForeignKey(users.c.id, ondelete="SET NULL"), index=True),
    Column("tags", JsonText, nullable=False),
    Column("outcome", SafeText, index=True),
    Column("outcome_reason", SafeText),
    Column("outcome_at", UtcDateTime),
    Column("waiting_since", UtcDateTime, index=True),
    Column("taken_by", ForeignKey(users.c.id, ondelete="SET NULL"), index=True),
    Column("taken_at", UtcDateTime),
)

notes = Table(
    "notes",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column(
        "conversation_id",
        ForeignKey(conversations.c.id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("user_id", ForeignKey(users.c.id, ondelete="SET NULL")),
    Column("user_name", SafeText, nullable=False),
    Column("text", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

# What agents wrote to the shopper; it stands behind the turn that was the last one then.
agent_messages = Table(
    "agent_messages",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("conversation_id", ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False),
    Column("after_turn", BigInteger),
    Column("user_id", ForeignKey(users.c.id, ondelete="SET NULL")),
    Column("user_name", SafeText, nullable=False),
    Column("text", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "conversation_id", "id"),
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
    Column(
        "learned", JsonText
    ),  # settings, code version, exports by digest; None for a shipped one
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

# Which version took which one's place, when, and on whose word; the newest of a kind is in use.
promotions = Table(
    "promotions",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("kind", SafeText, nullable=False),
    Column("name", SafeText),  # None: what the settings name
    Column("version", SafeText),
    Column("before_name", SafeText),
    Column("before_version", SafeText),
    Column("action", SafeText, nullable=False),
    Column("user_name", SafeText, nullable=False),
    Column("report", JsonText, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    CheckConstraint("action IN ('promote', 'rollback')", name="action"),
    Index(None, "kind", "id"),
    sqlite_autoincrement=True,
)

# A training set that was written to a folder, and the turns in it. The turns are no foreign keys:
# an erased conversation must still tell which sets held it.
exports = Table(
    "exports",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("path", SafeText, nullable=False),
    Column("digest", SafeText, nullable=False, index=True),
    Column("counts", JsonText, nullable=False),
    Column("erased_turns", Integer, nullable=False),
    Column("user_name", SafeText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

export_turns = Table(
    "export_turns",
    metadata,
    Column("export_id", ForeignKey(exports.c.id, ondelete="CASCADE"), primary_key=True),
    Column("turn_id", BigInteger, primary_key=True),
    Column("conversation_id", BigInteger, nullable=False, index=True),
)
