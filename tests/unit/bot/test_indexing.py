from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.indexing import build_index
from db.records import Document, Passage, Product, ProductId
from retrieval.embedders import HashingEmbedder
from retrieval.store import IndexStore, StaleIndex
from retrieval.values import Query


class Catalogue:
    """A catalogue in memory."""

    def __init__(self, products: Sequence[Product], documents: Sequence[Document]) -> None:
        self.kept = list(products)
        self.papers = list(documents)
        self.written: list[Passage] = []

    def products(self) -> list[Product]:
        return list(self.kept)

    def products_of(self, ids: Iterable[str]) -> list[Product]:
        by_id = {product.id: product for product in self.kept}
        return [by_id[ProductId(id)] for id in ids]

    def records(self) -> list[tuple[str, str]]:
        return [(product.id, repr(product)) for product in self.kept if not product.withdrawn]

    def documents(self) -> list[Document]:
        return list(self.papers)

    def replace_passages(self, passages: Sequence[Passage]) -> None:
        self.written = list(passages)

    def digest(self) -> str:
        return str(hash((tuple(self.kept), tuple(self.papers))))


class Counting(HashingEmbedder):
    """Remembers what it was asked to encode."""

    def __init__(self) -> None:
        super().__init__(dimension=32)
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:  # type: ignore[type-arg]
        self.texts.extend(texts)
        return super().encode(texts)


TENT = Product(ProductId("1"), "Tent")
BOOTS = Product(ProductId("2"), "Boots")
GONE = Product(ProductId("3"), "Kayak", withdrawn=True)
POLICY = Document("returns", "policy", "Returns", "Return it within 30 days.")
GONE_PAGE = Document("p3", "page", "Kayak", "Paddle the kayak.", ProductId("3"))
COMMENT = Document("c1", "comment", "", "Love this tent", ProductId("1"))


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([TENT, BOOTS, GONE], [POLICY, GONE_PAGE, COMMENT])


@pytest.fixture
def embedder() -> Counting:
    return Counting()


@pytest.fixture
def store(tmp_path: Path, embedder: Counting) -> IndexStore:
    return IndexStore(tmp_path, embedder)


def quiet(_done: int, _total: int) -> None:
    pass


def test_that_an_indexed_catalogue_can_be_searched(
    catalogue: Catalogue, store: IndexStore, embedder: Counting
) -> None:
    manifest = build_index(catalogue, store, embedder, progress=quiet)
    searcher = store.open(catalogue.digest())
    assert searcher.products(Query("boots"))[0].id == "2"
    assert (manifest.products, manifest.passages) == (2, 2)


def test_that_passages_are_written_back_with_the_ids_of_hits(
    catalogue: Catalogue, store: IndexStore, embedder: Counting
) -> None:
    build_index(catalogue, store, embedder, progress=quiet)
    (hit,) = store.open().passages("return", "en", source="policy", k=1)
    assert hit.id in {passage.id for passage in catalogue.written}


def test_that_withdrawn_products_and_their_pages_are_left_out(
    catalogue: Catalogue, store: IndexStore, embedder: Counting
) -> None:
    build_index(catalogue, store, embedder, progress=quiet)
    assert {passage.document_id for passage in catalogue.written} == {"returns", "c1"}
    assert all(hit.parts["coverage"] == 0 for hit in store.open().products(Query("kayak")))


def test_that_only_what_changed_is_embedded_again(
    catalogue: Catalogue, store: IndexStore, embedder: Counting
) -> None:
    build_index(catalogue, store, embedder, progress=quiet)
    assert len(embedder.texts) == 3  # two products and a policy; a comment has no vector
    embedder.texts.clear()
    catalogue.kept[1] = replace(BOOTS, title="Hiking Boots")
    manifest = build_index(catalogue, store, embedder, progress=quiet)
    assert embedder.texts == ["Hiking Boots"]
    assert (manifest.embedded, manifest.vectors) == (1, 3)


def test_that_progress_counts_the_texts_to_embed(
    catalogue: Catalogue, store: IndexStore, embedder: Counting
) -> None:
    told: list[tuple[int, int]] = []
    build_index(catalogue, store, embedder, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (3, 3)]


def test_that_a_later_change_of_the_catalogue_makes_the_index_stale(
    catalogue: Catalogue, store: IndexStore, embedder: Counting
) -> None:
    build_index(catalogue, store, embedder, progress=quiet)
    catalogue.kept.pop(0)
    with pytest.raises(StaleIndex):
        store.open(catalogue.digest())
