from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.records import Document, Product, ProductId
from retrieval.building import Built, build
from retrieval.chunking import passages_of
from retrieval.embedders import HashingEmbedder
from retrieval.store import CorruptIndex, ForeignIndex, IndexStore, NoIndex, StaleIndex
from retrieval.values import Query

EMBEDDER = HashingEmbedder(dimension=32)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def built(*titles: str) -> Built:
    products = [Product(ProductId(str(at)), title) for at, title in enumerate(titles)]
    passages = passages_of(Document("returns", "policy", "Returns", "Return it within 30 days."))
    return build(products, passages, EMBEDDER, known={}, progress=lambda _done, _total: None)


@pytest.fixture
def store(tmp_path: Path) -> IndexStore:
    return IndexStore(tmp_path / "index", EMBEDDER, clock=lambda: NOW)


def served(store: IndexStore, tmp_path: Path) -> Path:
    return tmp_path / "index" / str(store.version())


def test_that_an_index_answers_alike_before_and_after_the_disk(store: IndexStore) -> None:
    one = built("Green Tent", "Boots", "北欧台灯")
    store.write(one, catalogue="c1")
    searcher = store.open("c1")
    for text, language in (("tnet", "en"), ("green tent", "en"), ("台灯", "zh")):
        again = searcher.products(Query(text, language))
        assert again
        assert again[0].parts.keys() >= {"coverage", "title_coverage", "dense"}
    (hit,) = searcher.passages("return days", "en", k=1)
    assert searcher.passage(hit.id) == one.passages.passages[0]


def test_that_the_manifest_says_what_was_built(store: IndexStore) -> None:
    manifest = store.write(built("Tent", "Boots"), catalogue="c1")
    assert store.manifest() == manifest
    assert (manifest.encoder, manifest.dimension, manifest.catalogue) == ("hashing-32", 32, "c1")
    assert (manifest.products, manifest.passages, manifest.vectors) == (2, 1, 3)
    assert manifest.built_at == "2026-11-22T12:00:00+00:00"


def test_that_without_an_index_the_command_is_named(store: IndexStore) -> None:
    assert store.version() is None
    with pytest.raises(NoIndex, match="run `shopbot index`"):
        store.open()


def test_that_another_catalogue_makes_it_stale(store: IndexStore) -> None:
    store.write(built("Tent"), catalogue="c1")
    with pytest.raises(StaleIndex, match="run `shopbot index`"):
        store.open("c2")


@pytest.mark.parametrize("dimension", [16, 64])
def test_that_another_encoder_makes_it_foreign(
    store: IndexStore, tmp_path: Path, dimension: int
) -> None:
    store.write(built("Tent"), catalogue="c1")
    other = IndexStore(tmp_path / "index", HashingEmbedder(dimension=dimension))
    with pytest.raises(ForeignIndex, match=f"hashing-32.*not hashing-{dimension}.*shopbot index"):
        other.open("c1")
    assert other.known_vectors() == {}


def test_that_another_format_makes_it_foreign(store: IndexStore, tmp_path: Path) -> None:
    store.write(built("Tent"), catalogue="c1")
    path = served(store, tmp_path) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    with pytest.raises(ForeignIndex, match="format 99"):
        store.open()


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


@pytest.mark.parametrize("damage", [truncate, Path.unlink])
@pytest.mark.parametrize(
    "name", ["manifest.json", "base-price.npy", "base-vectors.npy", "base-texts-rows.npy"]
)
def test_that_damage_is_told_with_its_remedy(
    store: IndexStore, tmp_path: Path, damage: Callable[[Path], None], name: str
) -> None:
    store.write(built("Tent"), catalogue="c1")
    damage(served(store, tmp_path) / name)
    with pytest.raises(CorruptIndex, match=r"(missing or damaged).*shopbot index"):
        store.open()


def test_that_a_swap_changes_the_version_and_keeps_an_open_reader(store: IndexStore) -> None:
    store.write(built("Tent"), catalogue="c1")
    before, reader = store.version(), store.open()
    store.write(built("Boots"), catalogue="c2")
    assert store.version() != before
    assert reader.products(Query("tent"))[0].parts["coverage"] == pytest.approx(1.0)
    assert store.open("c2").products(Query("tent"))[0].parts["coverage"] == 0.0


def test_that_only_the_served_build_stays_on_disk(store: IndexStore, tmp_path: Path) -> None:
    for title in ("Tent", "Boots", "Table"):
        store.write(built(title), catalogue=title)
    assert {path.name for path in (tmp_path / "index").iterdir()} == {"current", store.version()}


def test_that_a_failed_write_leaves_the_old_index_served(
    store: IndexStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(built("Tent"), catalogue="c1")
    before = store.version()

    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("retrieval.layout.write_json", full)
    with pytest.raises(OSError, match="disk full"):
        store.write(built("Boots"), catalogue="c2")
    monkeypatch.undo()
    assert store.version() == before
    assert store.open("c1").products(Query("tent"))
    assert {path.name for path in (tmp_path / "index").iterdir()} == {"current", before}


def test_that_a_build_swapped_away_while_it_is_read_is_read_anew(
    store: IndexStore, tmp_path: Path
) -> None:
    store.write(built("Tent"), catalogue="c1")
    stale = store.version()
    store.write(built("Boots"), catalogue="c2")
    answers = iter([stale, store.version(), store.version()])
    store.version = lambda: next(answers)  # type: ignore[method-assign]
    assert store.open("c2").products(Query("boots"))


def test_that_no_file_needs_pickle(store: IndexStore, tmp_path: Path) -> None:
    store.write(built("Tent"), catalogue="c1")
    suffixes = {path.suffix for path in served(store, tmp_path).iterdir()}
    assert suffixes == {".json", ".npy"}
