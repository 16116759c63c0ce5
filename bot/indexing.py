"""From the catalogue to the served index: cut documents, embed what changed, swap.

Knows the catalogue store and the index store only by what it asks of them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from db.records import Document, Passage, Product
from retrieval.building import Progress, build, build_change
from retrieval.chunking import passages_of
from retrieval.embedders import Embedder
from retrieval.store import IndexStore, Manifest

logger = logging.getLogger(__name__)


class Catalogue(Protocol):
    """What indexing asks of the catalogue store."""

    def products(self) -> Iterable[Product]: ...

    def products_of(self, ids: Iterable[str]) -> Iterable[Product]: ...

    def records(self) -> Iterable[tuple[str, str]]: ...

    def documents(self) -> Iterable[Document]: ...

    def replace_passages(self, passages: Sequence[Passage]) -> object: ...

    def digest(self) -> str: ...


def build_index(
    catalog: Catalogue, store: IndexStore, embedder: Embedder, *, progress: Progress
) -> Manifest:
    """Brings the index up to the present catalogue and swaps it in; returns its manifest.

    A large index of which little has changed gets a delta; any other is built whole. Writes the
    passages back to the catalogue, so that a hit's id can be looked up there. Withdrawn products
    and their documents are left out. Only texts without a known vector are embedded, and a build
    that was stopped goes on with what it had embedded; `progress(done, total)` counts these.
    `embedder` must be the one `store` is for.
    """
    digest = catalog.digest()
    records = dict(catalog.records())
    passages = [
        passage
        for document in catalog.documents()
        if document.product_id is None or document.product_id in records
        for passage in passages_of(document)
    ]
    known = store.known_vectors()
    difference = store.difference(records.items())
    if difference is None:
        built = build(
            catalog.products(), passages, embedder,
            known=known, progress=progress, records=records, keep=store.keep_vectors,
        )  # fmt: skip
    else:
        built = build_change(
            difference.base, difference.lexicon, difference.change, difference.places,
            catalog.products_of(difference.places), passages, embedder,
            known=known, progress=progress, records=records, keep=store.keep_vectors,
        )  # fmt: skip
    catalog.replace_passages(passages)
    manifest = store.write(built, catalogue=digest)
    logger.info(
        "index built",
        extra={
            "products": manifest.products,
            "passages": manifest.passages,
            "embedded": manifest.embedded,
            "whole": difference is None,
        },
    )
    return manifest
