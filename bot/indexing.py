"""From the catalogue to the served index: cut documents, embed what changed, swap.

Knows the catalogue store and the index store only by what it asks of them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from db.records import Document, Passage, Product
from retrieval.building import Progress, build
from retrieval.chunking import passages_of
from retrieval.embedders import Embedder
from retrieval.store import IndexStore, Manifest

logger = logging.getLogger(__name__)


class Catalogue(Protocol):
    """What indexing asks of the catalogue store."""

    def products(self) -> Iterable[Product]: ...

    def documents(self) -> Iterable[Document]: ...

    def replace_passages(self, passages: Sequence[Passage]) -> object: ...

    def digest(self) -> str: ...


def build_index(
    catalog: Catalogue, store: IndexStore, embedder: Embedder, *, progress: Progress
) -> Manifest:
    """Builds the index of the present catalogue and swaps it in; returns its manifest.

    Writes the passages back to the catalogue, so that a hit's id can be looked up there.
    Withdrawn products and their documents are left out. Only texts without a known vector are
    embedded; `progress(done, total)` counts these. `embedder` must be the one `store` is for.
    """
    digest = catalog.digest()
    products = [product for product in catalog.products() if not product.withdrawn]
    offered = {product.id for product in products}
    passages = [
        passage
        for document in catalog.documents()
        if document.product_id is None or document.product_id in offered
        for passage in passages_of(document)
    ]
    built = build(products, passages, embedder, known=store.known_vectors(), progress=progress)
    catalog.replace_passages(passages)
    manifest = store.write(built, catalogue=digest)
    logger.info(
        "index built",
        extra={
            "products": manifest.products,
            "passages": manifest.passages,
            "embedded": manifest.embedded,
        },
    )
    return manifest
