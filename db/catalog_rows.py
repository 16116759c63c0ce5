"""Catalogue records as rows of their tables, and back.

Knows nothing about connections or queries.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Row

from db.columns import money_text, read_money
from db.records import (
    Attribute,
    Document,
    DocumentSource,
    Passage,
    PassageId,
    Product,
    ProductId,
    RejectedRow,
    Variant,
)
from db.staging import content_hash, key_refusal

PRODUCT_COLUMNS = [
    "id", "title", "description", "brand", "price", "price_to", "compare_at", "in_stock", "stock",
    "rating", "rating_count", "rating_computed", "url", "category", "aliases", "images", "tags", "variants",
    "attributes", "content_hash",
]  # fmt: skip
DOCUMENT_COLUMNS = ["source", "id", "title", "markdown", "product_id", "content_hash"]
PASSAGE_COLUMNS = ["id", "document_id", "source", "heading", "text", "ordinal", "product_id"]

_LARGEST_INTEGER = 2**63 - 1


def product_rows(
    products: Iterable[Product], rejected: list[RejectedRow]
) -> Iterator[dict[str, Any]]:
    """One row for each product that can be stored; the others are added to `rejected`."""
    seen: set[str] = set()
    for product in products:
        reason = _refusal(product)
        if reason is None and product.id in seen:
            reason = "the id stands more than once in this import; the first one is kept"
        if reason is not None:
            rejected.append(RejectedRow(where=f"product {product.id[:80]}", reason=reason))
            continue
        seen.add(product.id)
        yield _product_row(product)


def document_rows(
    documents: Iterable[Document], source: DocumentSource, rejected: list[RejectedRow]
) -> Iterator[dict[str, Any]]:
    """One row for each document that can be stored; the others are added to `rejected`.

    Raises ValueError for a document of another source.
    """
    seen: set[str] = set()
    for document in documents:
        if document.source != source:
            raise ValueError(f"document {document.id} is a {document.source}, not a {source}")
        reason = key_refusal(document.id)
        if reason is None and document.id in seen:
            reason = "the id stands more than once in this import; the first one is kept"
        if reason is not None:
            rejected.append(RejectedRow(where=f"{source} {document.id[:80]}", reason=reason))
            continue
        seen.add(document.id)
        row = {
            "source": document.source,
            "id": document.id,
            "title": document.title,
            "markdown": document.markdown,
            "product_id": document.product_id,
        }
        yield row | {"content_hash": content_hash(row)}


def passage_row(passage: Passage) -> dict[str, Any]:
    return {
        "id": passage.id,
        "document_id": passage.document_id,
        "source": passage.source,
        "heading": list(passage.heading),
        "text": passage.text,
        "ordinal": passage.ordinal,
        "product_id": passage.product_id,
    }


def read_product(row: Row[Any]) -> Product:
    return Product(
        id=ProductId(row.id),
        title=row.title,
        aliases=tuple(row.aliases),
        description=row.description,
        price=row.price,
        price_to=row.price_to,
        compare_at=row.compare_at,
        in_stock=row.in_stock,
        stock=row.stock,
        brand=row.brand,
        category=tuple(row.category),
        images=tuple(row.images),
        url=row.url,
        rating=row.rating,
        rating_count=row.rating_count,
        rating_computed=row.rating_computed,
        tags=tuple(row.tags),
        variants=tuple(_read_variant(item) for item in row.variants),
        attributes=read_attributes(row.attributes),
        withdrawn=row.withdrawn,
    )


def read_document(row: Row[Any]) -> Document:
    return Document(
        id=row.id,
        source=row.source,
        title=row.title,
        markdown=row.markdown,
        product_id=None if row.product_id is None else ProductId(row.product_id),
    )


def read_passage(row: Row[Any]) -> Passage:
    return Passage(
        id=PassageId(row.id),
        document_id=row.document_id,
        source=row.source,
        heading=tuple(row.heading),
        text=row.text,
        ordinal=row.ordinal,
        product_id=None if row.product_id is None else ProductId(row.product_id),
    )


def write_attributes(attributes: Iterable[Attribute]) -> list[list[str]]:
    """Pairs of name and value; a list keeps their order and equal names apart."""
    return [[attribute.name, attribute.value] for attribute in attributes]


def read_attributes(pairs: Iterable[list[str]]) -> tuple[Attribute, ...]:
    return tuple(Attribute(name, value) for name, value in pairs)


def _product_row(product: Product) -> dict[str, Any]:
    row = {
        "id": product.id,
        "title": product.title,
        "description": product.description,
        "brand": product.brand,
        "price": product.price,
        "price_to": product.price_to,
        "compare_at": product.compare_at,
        "in_stock": product.in_stock,
        "stock": product.stock,
        "rating": product.rating,
        "rating_count": product.rating_count,
        "rating_computed": product.rating_computed,
        "url": product.url,
        "category": list(product.category),
        "aliases": list(product.aliases),
        "images": list(product.images),
        "tags": list(product.tags),
        "variants": [_write_variant(variant) for variant in product.variants],
        "attributes": write_attributes(product.attributes),
    }
    return row | {"content_hash": content_hash(row)}


def _write_variant(variant: Variant) -> dict[str, Any]:
    return {
        "id": variant.id,
        "sku": variant.sku,
        "options": write_attributes(variant.options),
        "price": None if variant.price is None else money_text(variant.price),
        "in_stock": variant.in_stock,
        "stock": variant.stock,
    }


def _read_variant(item: dict[str, Any]) -> Variant:
    return Variant(
        id=item["id"],
        sku=item["sku"],
        options=read_attributes(item["options"]),
        price=None if item["price"] is None else read_money(item["price"]),
        in_stock=item["in_stock"],
        stock=item["stock"],
    )


def _refusal(product: Product) -> str | None:
    """Why `product` cannot be stored; one such row must not cost the import."""
    for name, figure in (("stock", product.stock), ("rating count", product.rating_count)):
        if figure is not None and abs(figure) > _LARGEST_INTEGER:
            return f"the {name} {str(figure)[:20]}… is no number of things"
    if product.rating is not None and not math.isfinite(product.rating):
        return f"the rating {product.rating} is no number"
    return key_refusal(product.id)
