"""The frozen values of a shop: products, documents, passages, orders.

Knows nothing about SQL, files or dialogue; every other package may import it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, NewType

ProductId = NewType("ProductId", str)
OrderId = NewType("OrderId", str)
PassageId = NewType("PassageId", str)

DocumentSource = Literal["policy", "page", "comment"]


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency: `amount` exact, `currency` an ISO 4217 code."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """One named property as the feed labels it."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Variant:
    """One buyable form of a product; `options` are its choices (Colour: Red). None is "not stated"."""

    id: str
    sku: str | None = None
    options: tuple[Attribute, ...] = ()
    price: Money | None = None
    in_stock: bool | None = None
    stock: int | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """A product as the feed states it; None always means "the feed does not say".

    `price` is the parent's own, or with variants the lowest; `price_to` the highest where it
    differs. `description` is clean text. `category` is the path from the root. `attributes` holds
    every further field of the feed as label and value, in feed order. `rating_computed` marks a
    rating that no feed states but that is the mean of a page's reviews: it ranks, but is not shown.
    """

    id: ProductId
    title: str
    aliases: tuple[str, ...] = ()
    description: str = ""
    price: Money | None = None
    price_to: Money | None = None
    compare_at: Money | None = None
    in_stock: bool | None = None
    stock: int | None = None
    brand: str | None = None
    category: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    url: str | None = None
    rating: float | None = None
    rating_count: int | None = None
    rating_computed: bool = False
    tags: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A text of the shop as Markdown: a policy page, a product's long page, or a comment on a product.

    `id` is stable over imports (file stem, or product id plus number); `product_id` names the
    product of a page or comment, and is None for a policy.
    """

    id: str
    source: DocumentSource
    title: str
    markdown: str
    product_id: ProductId | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrievable span of a document under its heading path; `text` is verbatim shop text.

    `ordinal` orders the passages of one document from 0.
    """

    id: PassageId
    document_id: str
    source: DocumentSource
    heading: tuple[str, ...]
    text: str
    ordinal: int
    product_id: ProductId | None = None


@dataclass(frozen=True, slots=True)
class OrderItem:
    product_id: ProductId | None
    title: str
    quantity: int
    unit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the shop system exports it. `status` is verbatim; `extra` holds further fields."""

    id: OrderId
    email: str | None = None
    phone: str | None = None
    ordered_on: date | None = None
    items: tuple[OrderItem, ...] = ()
    shipping: Decimal | None = None
    total: Decimal | None = None
    currency: str | None = None
    status: str | None = None
    carrier: str | None = None
    tracking: str | None = None
    shipped_on: date | None = None
    expected_on: date | None = None
    delivered_on: date | None = None
    extra: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A feed row that could not be read: where it stood and why, in words for the owner."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What one import did to one kind of record; counts, and the rejected rows with reasons."""

    kind: str
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    rejected: tuple[RejectedRow, ...] = ()
