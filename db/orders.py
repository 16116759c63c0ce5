"""The orders of the shop, by number.

Knows nothing about who may see an order.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, select

from db import tables
from db.catalog_rows import read_attributes, write_attributes
from db.columns import storable
from db.engine import Database
from db.records import ImportReport, Order, OrderId, OrderItem, ProductId, RejectedRow
from db.staging import (
    content_hash,
    count_rows,
    insert_new,
    key_refusal,
    log_import,
    staged,
    update_changed,
)

_SAME = (
    "email", "phone", "ordered_on", "shipping", "total", "currency", "status", "carrier",
    "tracking", "shipped_on", "expected_on", "delivered_on",
)  # fmt: skip
_COLUMNS = ["key", "id", *_SAME, "items", "extra", "content_hash"]


def order_key(order_id: str) -> str:
    """What an order number is looked up by: case, spaces and character width do not count."""
    return "".join(unicodedata.normalize("NFKC", storable(order_id)).split()).casefold()


class OrderStore:
    """The orders of one shop. An import adds and changes orders and never removes one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def apply_orders(self, orders: Iterable[Order], *, now: datetime) -> ImportReport:
        """Take over `orders`, reading them in batches; the import is kept whole or not at all.

        Of several orders with one number the first is kept and the others are rejected.
        """
        rejected: list[RejectedRow] = []
        with (
            self._database.engine.connect() as connection,
            staged(
                connection, tables.orders, _rows(orders, rejected), columns=_COLUMNS, key=["key"]
            ) as incoming,
            self._database.writing(connection),
        ):
            self._database.lock(connection)
            changed = update_changed(connection, tables.orders, incoming, key=["key"])
            added = insert_new(connection, tables.orders, incoming, key=["key"])
            report = ImportReport(
                kind="orders",
                added=added,
                changed=changed,
                unchanged=count_rows(connection, incoming) - added - changed,
                rejected=tuple(rejected),
            )
            log_import(connection, report, now=now)
        return report

    def order(self, order_id: str) -> Order | None:
        """The order of this number, in whatever case and spacing."""
        query = select(tables.orders).where(tables.orders.c.key == order_key(order_id))
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _order(row)

    def count(self) -> int:
        with self._database.read() as connection:
            return count_rows(connection, tables.orders)

    def sample_ids(self, n: int) -> list[str]:
        """Up to `n` order numbers, the first imported; they show what a number looks like here."""
        with self._database.read() as connection:
            query = select(tables.orders.c.id).order_by(tables.orders.c.number).limit(n)
            return list(connection.execute(query).scalars())


def _rows(orders: Iterable[Order], rejected: list[RejectedRow]) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for order in orders:
        key = order_key(order.id)
        reason = key_refusal(key)
        if reason is None and key in seen:
            reason = "the number stands more than once in this import; the first one is kept"
        if reason is not None:
            rejected.append(RejectedRow(where=f"order {order.id[:80]}", reason=reason))
            continue
        seen.add(key)
        row = {
            "key": key,
            "id": order.id,
            **{name: getattr(order, name) for name in _SAME},
            "items": [_write_item(item) for item in order.items],
            "extra": write_attributes(order.extra),
        }
        yield row | {"content_hash": content_hash(row)}


def _order(row: Row[Any]) -> Order:
    return Order(
        id=OrderId(row.id),
        **{name: getattr(row, name) for name in _SAME},
        items=tuple(_read_item(item) for item in row._mapping["items"]),
        extra=read_attributes(row.extra),
    )


def _write_item(item: OrderItem) -> dict[str, Any]:
    return {
        "product_id": item.product_id,
        "title": item.title,
        "quantity": item.quantity,
        "unit_price": None if item.unit_price is None else str(item.unit_price),
    }


def _read_item(item: dict[str, Any]) -> OrderItem:
    product_id, price = item["product_id"], item["unit_price"]
    return OrderItem(
        product_id=None if product_id is None else ProductId(product_id),
        title=item["title"],
        quantity=item["quantity"],
        unit_price=None if price is None else Decimal(price),
    )
