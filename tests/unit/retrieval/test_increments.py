"""An index that was changed step by step answers as one that is built anew."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.records import Attribute, Money, Product, ProductId
from retrieval import dense, store
from retrieval.building import build, build_change
from retrieval.embedders import HashingEmbedder
from retrieval.hybrid import Searcher
from retrieval.store import CorruptIndex, IndexStore, Manifest, StaleIndex
from retrieval.values import Filters, Query

EMBEDDER = HashingEmbedder(dimension=64)
WORDS = "green tent lamp desk chair warm phone case boots rain 台灯 椅子".split()
QUERIES = (
    Query("green tent", k=100),
    Query("phone case for rain", k=100),
    Query("台灯", "zh", k=100),
    Query("warm chair", k=100, filters=Filters(price_max=Decimal(50))),
    Query("lamp", k=100, filters=Filters(brands=("b1",), words_none=("green lamp",))),
    Query("", k=100, filters=Filters(categories=("c1",))),
    Query("", k=100),
)


def quiet(_done: int, _total: int) -> None:
    pass


def product(number: int, words: Sequence[str], version: int = 0) -> Product:
    return Product(
        ProductId(f"p{number}"),
        f"{' '.join(words)} n{number}v{version}",
        price=Money(Decimal(10 * (number % 9) + version), "USD"),
        brand=f"B{number % 3}",
        category=(f"c{number % 2}",),
        attributes=(Attribute("Size", f"{number % 5} cm"),),
    )


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes at which a few products are many."""
    monkeypatch.setattr(store, "INCREMENTAL_FROM", 5)
    monkeypatch.setattr(store, "DELTA_SHARE", 0.9)


def brought_up(
    kept: IndexStore, catalogue: Mapping[str, Product], *, whole: bool = False
) -> Manifest:
    """What indexing does, on a catalogue in memory."""
    records = {number: repr(one) for number, one in catalogue.items()}
    difference = None if whole else kept.difference(records.items())
    known = kept.known_vectors()
    if difference is None:
        built = build(
            catalogue.values(), [], EMBEDDER, known=known, progress=quiet, records=records
        )
    else:
        built = build_change(
            difference.base, difference.lexicon, difference.change, difference.places,
            [catalogue[at] for at in difference.places], [], EMBEDDER,
            known=known, progress=quiet, records=records,
        )  # fmt: skip
    return kept.write(built, catalogue=str(records))


def answers(searcher: Searcher) -> list[object]:
    """What the queries find, with every score; ranks among equals are left out."""
    found: list[object] = []
    for query in QUERIES:
        hits = searcher.products(query)
        if not query.text:
            found.append([hit.id for hit in hits])
            continue
        told = {
            hit.id: {
                name: pytest.approx(value, abs=2e-3)
                for name, value in hit.parts.items()
                if not name.endswith("_rank")
            }
            for hit in hits
        }
        found.append((told, {hit.id: hit.terms for hit in hits}))
    return found


CATALOGUE = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4), min_size=6, max_size=16
)
STEP = st.lists(
    st.tuples(st.sampled_from(["add", "change", "remove"]), st.integers(0, 15),
              st.lists(st.sampled_from(WORDS), min_size=1, max_size=4)),
    max_size=4,
)  # fmt: skip


@pytest.mark.parametrize("many", [25_000, 3])
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=CATALOGUE, steps=st.lists(STEP, min_size=1, max_size=3))
def test_that_changes_answer_as_a_build_from_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    many: int,
    first: list[list[str]],
    steps: list[list[tuple[str, int, list[str]]]],
) -> None:
    folder = tmp_path_factory.mktemp("index")
    kept, anew = IndexStore(folder / "kept", EMBEDDER), IndexStore(folder / "anew", EMBEDDER)
    catalogue = {f"p{at}": product(at, words) for at, words in enumerate(first)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "FLAT_UP_TO", many)
        patch.setattr(dense, "DIRECT_UP_TO", 0)
        brought_up(kept, catalogue)
        for version, step in enumerate(steps, start=1):
            for deed, at, words in step:
                number = at + 20 if deed == "add" else at
                if deed == "remove":
                    catalogue.pop(f"p{number}", None)
                elif deed == "add" or f"p{number}" in catalogue:
                    catalogue[f"p{number}"] = product(number, words, version)
            manifest = brought_up(kept, catalogue)
            assert manifest.products == len(catalogue)
            brought_up(anew, catalogue, whole=True)
            assert answers(kept.open()) == answers(anew.open())


def shop(count: int = 12) -> dict[str, Product]:
    return {f"p{at}": product(at, [WORDS[at % len(WORDS)]]) for at in range(count)}


def test_that_a_change_writes_a_delta_beside_the_same_base(tmp_path: Path) -> None:
    kept = IndexStore(tmp_path, EMBEDDER)
    catalogue = shop()
    before = brought_up(kept, catalogue)
    base = tmp_path / str(kept.version()) / "base-texts-rows.npy"
    inode = base.stat().st_ino
    catalogue["p90"] = product(90, ["kayak"])
    after = brought_up(kept, catalogue)
    assert set(after.segments) == {"base", "delta"}
    assert after.embedded == 1
    assert after.files["base-texts-rows.npy"] == before.files["base-texts-rows.npy"]
    assert (tmp_path / str(kept.version()) / "base-texts-rows.npy").stat().st_ino == inode
    assert kept.open().products(Query("kayak", k=1))[0].id == "p90"
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [kept.version()]


def test_that_a_large_change_is_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = IndexStore(tmp_path, EMBEDDER)
    brought_up(kept, shop())
    monkeypatch.setattr(store, "DELTA_SHARE", 0.1)
    manifest = brought_up(kept, shop(15))
    assert (set(manifest.segments), manifest.embedded, manifest.products) == ({"base"}, 3, 15)


def test_that_a_small_index_is_built_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = IndexStore(tmp_path, EMBEDDER)
    brought_up(kept, shop())
    monkeypatch.setattr(store, "INCREMENTAL_FROM", 13)
    assert set(brought_up(kept, shop(13)).segments) == {"base"}


def test_that_a_failed_change_leaves_the_old_index_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = IndexStore(tmp_path, EMBEDDER)
    brought_up(kept, shop())
    before = kept.version()

    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("retrieval.layout.write_json", full)
    with pytest.raises(OSError, match="disk full"):
        brought_up(kept, shop(13))
    assert kept.version() == before
    kept.verify()
    assert kept.open().products(Query("tent"))


def test_that_a_delta_to_a_base_that_was_replaced_is_refused(tmp_path: Path) -> None:
    kept = IndexStore(tmp_path, EMBEDDER)
    brought_up(kept, shop())
    difference = kept.difference([(number, repr(one)) for number, one in shop(13).items()])
    assert difference is not None
    built = build_change(
        difference.base, difference.lexicon, difference.change, difference.places,
        [shop(13)["p12"]], [], EMBEDDER, known={}, progress=quiet,
    )  # fmt: skip
    brought_up(kept, shop(14), whole=True)
    with pytest.raises(StaleIndex, match="meanwhile: run `shopbot index`"):
        kept.write(built, catalogue="c")
    assert kept.manifest().products == 14


def test_that_what_a_killed_build_left_is_removed_a_day_later(tmp_path: Path) -> None:
    kept = IndexStore(tmp_path, EMBEDDER)
    for name, age in (("draft-old", 2 * 86_400), ("draft-new", 60)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    brought_up(kept, shop())
    assert {path.name for path in tmp_path.iterdir()} == {"current", "draft-new", kept.version()}


def test_that_damage_inside_a_large_file_is_found_by_verify(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.files.CHECKED_UP_TO", 100)
    kept = IndexStore(tmp_path, EMBEDDER)
    brought_up(kept, shop())
    kept.verify()
    path = tmp_path / str(kept.version()) / "base-vectors.npy"
    held = bytearray(path.read_bytes())
    held[-1] ^= 1
    path.write_bytes(held)
    assert kept.open()  # the size is right, and a large file is not read when it is opened
    with pytest.raises(CorruptIndex, match=r"base-vectors\.npy.*run `shopbot index`"):
        kept.verify()


def test_that_a_build_that_was_stopped_goes_on(tmp_path: Path) -> None:
    kept = IndexStore(tmp_path, EMBEDDER)
    catalogue = list(shop(3_000).values())

    def stopped(done: int, _total: int) -> None:
        if done >= 1024:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(catalogue, [], EMBEDDER, known=kept.known_vectors(), progress=stopped,
              keep=kept.keep_vectors)  # fmt: skip
    known = kept.known_vectors()
    assert len(known) == 1024
    built = build(catalogue, [], EMBEDDER, known=known, progress=quiet, keep=kept.keep_vectors)
    whole = build(catalogue, [], EMBEDDER, known={}, progress=quiet)
    assert built.embedded == whole.embedded - 1024
    np.testing.assert_array_equal(built.vectors, whole.vectors)
    kept.write(built, catalogue="c")
    assert {path.name for path in tmp_path.iterdir()} == {"current", kept.version()}


def test_that_vectors_of_another_encoder_are_not_used(tmp_path: Path) -> None:
    IndexStore(tmp_path, EMBEDDER).keep_vectors(["0" * 32], EMBEDDER.encode(["tent"]))
    other = IndexStore(tmp_path, HashingEmbedder(dimension=32))
    assert other.known_vectors() == {}
    other.keep_vectors(["1" * 32], HashingEmbedder(dimension=32).encode(["tent"]))
    assert list(other.known_vectors()) == ["1" * 32]
