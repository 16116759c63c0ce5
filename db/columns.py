"""Column types that read and write the same on SQLite and PostgreSQL.

Knows nothing about any table.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Text, TypeDecorator

from db.records import Money

# SQLite numbers rows by itself only where the key is spelled INTEGER.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")


def storable(text: str) -> str:
    """`text` as both engines can hold it: without NUL, and with "?" for a lone surrogate."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


class SafeText(TypeDecorator[str]):
    """Text of any origin: one odd character in a message or a feed never loses the row."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class JsonText(TypeDecorator[Any]):
    """A JSON value as text. Not the engines' own JSON types, which disagree on what they accept."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return storable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class DecimalText(TypeDecorator[Decimal]):
    """An exact decimal figure as it was written; SQLite has no type that keeps one."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


def money_text(money: Money) -> str:
    """ "129.00 USD"; `read_money` is the way back."""
    return f"{money.amount} {money.currency}"


def read_money(text: str) -> Money:
    amount, currency = text.split(" ", 1)
    return Money(Decimal(amount), currency)


class MoneyText(TypeDecorator[Money]):
    """An exact amount with its currency: `129.00 USD`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: Dialect) -> str | None:
        return None if value is None else money_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Money | None:
        return None if value is None else read_money(value)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always aware and always UTC; a naive one is refused, it could mean several."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a time zone: pass datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
