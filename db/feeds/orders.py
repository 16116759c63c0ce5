"""Orders as a shop system exports them, from JSON lines, JSON or CSV.

Knows nothing about databases or about who may see an order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from db.feeds.fields import guess
from db.feeds.registry import ORDER_IDS, read_rows
from db.feeds.rows import Row
from db.feeds.text import clean_line, plain_value
from db.feeds.values import Unreadable, currency_code, day, money_amount, stated, whole_number
from db.records import Attribute, Order, OrderId, OrderItem, ProductId, RejectedRow

_NAMES = {
    "order_id": (*ORDER_IDS, "id"),
    "email": ("email", "customeremail", "邮箱", "电子邮箱"),
    "phone": ("phone", "telephone", "mobile", "customerphone", "电话", "手机", "手机号"),
    "ordered_on": ("orderedon", "date", "orderdate", "下单日期", "下单时间"),
    "items": ("items", "lineitems", "products", "商品", "订单商品列表"),
    "shipping": ("shipping", "shippingfee", "deliveryfee", "运费"),
    "total": ("total", "totalprice", "ordertotal", "订单总金额", "总价", "总金额"),
    "currency": ("currency", "币种"),
    "status": ("status", "orderstatus", "订单状态", "状态"),
    "carrier": ("carrier", "快递公司", "承运商"),
    "tracking": ("tracking", "trackingnumber", "快递单号", "运单号"),
    "shipped_on": ("shippedon", "发货日期"),
    "expected_on": ("expectedon", "预计送达日期"),
    "delivered_on": ("deliveredon", "送达日期", "签收日期"),
}
_ITEM_NAMES = {
    "product_id": ("productid", "sku", "id", "goodsid", "itemid", "商品id"),
    "title": ("title", "name", "producttitle", "productname", "商品名称"),
    "quantity": ("quantity", "qty", "count", "数量"),
    "unit_price": ("unitprice", "price", "单价"),
}
_SECRETS = ("card", "cvv", "password", "iban", "密码", "银行卡")


def read_orders(path: Path) -> Iterator[Order | RejectedRow]:
    """Stream the orders of a file; an order that cannot be read for certain is rejected alone.

    A CSV may hold the items as JSON in one cell, or one line for each item: following lines of
    the same order number are then one order. Raises FeedError for a file in no known format.
    """
    held: Order | None = None
    held_where = ""
    seen: dict[str, str] = {}
    for row in read_rows(path):
        try:
            if not isinstance(row, Row):
                yield row
                continue
            order, is_line = _order(row.cells)
        except Unreadable as error:
            yield RejectedRow(row.where, str(error))
            continue
        if held is not None and is_line and order.id == held.id:
            held = replace(held, items=held.items + order.items)
            continue
        if held is not None:
            yield held
            held = None
        if order.id in seen:
            yield RejectedRow(row.where, f"order {order.id} already stands at {seen[order.id]}")
            continue
        held, held_where = order, row.where
        seen[order.id] = held_where
    if held is not None:
        yield held


def _order(cells: Mapping[str, Any]) -> tuple[Order, bool]:
    """The order of one row, and whether the row holds a single item of it in its own columns."""
    columns = guess(cells, _NAMES)
    used: set[str] = set()

    def take(field: str) -> Any:
        for column in columns.get(field, ()):
            if stated(cells[column]):
                used.add(column)
                return cells[column]
        used.update(columns.get(field, ()))
        return None

    def words(field: str) -> str | None:
        value = take(field)
        return clean_line(plain_value(value)) or None if value is not None else None

    order_id = words("order_id")
    if order_id is None:
        raise Unreadable("has no order_id")
    email, phone = words("email"), words("phone")
    if email is None and phone is None:
        raise Unreadable("has neither email nor phone, so nobody could show that it is theirs")
    currency = take("currency")
    code = currency_code(currency) if currency is not None else None
    if currency is not None and code is None:
        raise Unreadable(f"currency is not known: {str(currency)[:20]}")
    listed = take("items")
    is_line = listed is None
    items = _line_item(cells, used) if is_line else _items(listed)
    order = Order(
        id=OrderId(order_id),
        email=email,
        phone=phone,
        ordered_on=day(take("ordered_on")),
        items=items,
        shipping=_amount(take("shipping")),
        total=_amount(take("total")),
        currency=code,
        status=words("status"),
        carrier=words("carrier"),
        tracking=words("tracking"),
        shipped_on=day(take("shipped_on")),
        expected_on=day(take("expected_on")),
        delivered_on=day(take("delivered_on")),
    )
    extra = tuple(
        Attribute(clean_line(name), text)
        for name, value in cells.items()
        if name not in used and stated(value) and (text := plain_value(value))
        if not any(secret in name.casefold() for secret in _SECRETS)
    )
    return replace(order, extra=extra), is_line


def _items(listed: object) -> tuple[OrderItem, ...]:
    if isinstance(listed, dict):
        listed = [listed]
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise Unreadable("items cannot be read: write a JSON list of objects")
    return tuple(_item(item) for item in listed)


def _line_item(cells: Mapping[str, Any], used: set[str]) -> tuple[OrderItem, ...]:
    names = {**_ITEM_NAMES, "product_id": tuple(n for n in _ITEM_NAMES["product_id"] if n != "id")}
    columns = guess([c for c in cells if c not in used], names)
    if not columns.keys() & {"product_id", "title"}:
        return ()
    item = {c: cells[c] for hits in columns.values() for c in hits}
    used.update(item)
    return (_item(item),)


def _item(cells: Mapping[str, Any]) -> OrderItem:
    columns = guess(cells, _ITEM_NAMES)

    def cell(field: str) -> Any:
        return next((cells[c] for c in columns.get(field, ()) if stated(cells[c])), None)

    reference, title, quantity = cell("product_id"), cell("title"), cell("quantity")
    if reference is None and title is None:
        raise Unreadable("an item names no product")
    pieces = 1 if quantity is None else whole_number(quantity)
    if pieces is None or pieces < 1:
        raise Unreadable(f"quantity cannot be read: {str(quantity)[:20]}")
    return OrderItem(
        product_id=ProductId(clean_line(str(reference))) if reference is not None else None,
        title=clean_line(str(title)) if title is not None else "",
        quantity=pieces,
        unit_price=_amount(cell("unit_price")),
    )


def _amount(value: object) -> Decimal | None:
    return money_amount(value)[0] if value is not None else None
