"""A product as texts: the fields that are indexed, and the one text that is embedded.

Knows nothing of indexes or scores.
"""

from __future__ import annotations

from db.records import Product
from retrieval.text import has_cjk

# How often a field's words count: what a product is called says more than what is said of it.
# Names, data and descriptions differ in length for reasons of their own, so each is a stream.
NAME_STREAMS = ({"title": 3, "category": 2, "brand": 1, "tags": 1},)
TEXT_STREAMS = (
    {"title": 4, "category": 3, "brand": 2, "tags": 2},
    {"attributes": 1},
    {"text": 2},
)
TEXT_K1 = 2.0

_DESCRIPTION_CHARS = 200
_SALIENT_ATTRIBUTES = 8
_SALIENT_CHARS = 40


def product_fields(product: Product) -> dict[str, str]:
    """Field name → text, a line for each part of a field; options count as attributes."""
    options = {
        f"{option.name}: {option.value}"
        for variant in product.variants
        for option in variant.options
    }
    labelled = [f"{attribute.name}: {attribute.value}" for attribute in product.attributes]
    return {
        "title": product.title,
        "category": "\n".join(product.category),
        "brand": product.brand or "",
        "tags": "\n".join(product.tags),
        "attributes": "\n".join([*labelled, *sorted(options)]),
        "text": product.description,
    }


def embedding_text(product: Product) -> str:
    """What the product is, in a few lines."""
    salient = [
        f"{attribute.name}: {attribute.value}"
        for attribute in product.attributes
        if len(attribute.value) <= _SALIENT_CHARS and any(map(str.isalpha, attribute.value))
    ]
    lines = [
        product.title,
        product.brand or "",
        " ".join(product.category),
        ", ".join(product.tags),
        product.description[:_DESCRIPTION_CHARS],
        "; ".join(salient[:_SALIENT_ATTRIBUTES]),
    ]
    return "\n".join(line for line in lines if line)


def language_of(text: str) -> str:
    """The language that decides which encoder can read a text: "zh" with any Chinese, else "en"."""
    return "zh" if has_cjk(text) else "en"
