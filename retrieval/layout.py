"""Which file of a build holds which part of the index, on the way out and on the way back.

    base-*, delta-*      the segments of products: columns, words, embedded rows and their vectors
    *-cells.faiss        the inverted file of a segment with many vectors
    passages-*           the passages
    *-lexicon.json       the words of a segment's texts, those of passages among them

Knows nothing of which build is served.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from db.records import Passage, PassageId, ProductId
from retrieval.building import WORD_INDEXES, Built
from retrieval.dense import (
    ClusteredIndex,
    Clustering,
    DenseIndex,
    SegmentedIndex,
    VectorReader,
    VectorSearch,
    write_clustered,
)
from retrieval.embedders import Embedder
from retrieval.files import BuildFiles, Damaged, Listing, Stated, write_arrays, write_json
from retrieval.hybrid import Searcher
from retrieval.postings import Lengths, Removed
from retrieval.segments import (
    Change,
    Embedded,
    PassageSegment,
    ProductSegment,
    Vectors,
    passage_index,
    product_index,
)
from retrieval.spelling import Lexicon
from retrieval.vectorfile import VectorArray, VectorFile

BASE, DELTA, PASSAGES = "base", "delta", "passages"

VectorPart = tuple[npt.NDArray[np.uint8], VectorReader]


def save_built(folder: Path, built: Built) -> dict[str, dict[str, Any]]:
    """Writes what was built; returns for its segment of products what the manifest states."""
    name = BASE if built.change is None else DELTA
    write_arrays(folder, name, built.segment.arrays())
    clustering = _save_vectors(folder, name, built.segment.embedded, built.vectors)
    _save_lexicon(folder, name, built.lexicon)
    write_arrays(folder, PASSAGES, built.passage_segment.arrays())
    told = _save_vectors(folder, PASSAGES, built.passage_segment.embedded, built.passage_vectors)
    write_json(folder / f"{PASSAGES}.json", [asdict(p) for p in built.passage_segment.passages])
    write_json(folder / f"{PASSAGES}-clustering.json", told.as_json())
    if built.change is not None:
        write_json(folder / "change.json", {"base": built.change.base})
        np.save(folder / "change-gone.npy", built.change.gone, allow_pickle=False)
        np.save(folder / "change-order.npy", built.change.order, allow_pickle=False)
        removed = {word: asdict(gone) for word, gone in built.change.removed.items()}
        write_json(folder / "change-removed.json", removed)
    return {
        name: {
            "rows": len(built.segment.columns),
            "vectors": len(built.vectors),
            "clustering": clustering.as_json(),
        }
    }


def link_base(served: Path, draft: Path, listing: Listing) -> dict[str, dict[str, Any]]:
    """Links the files of the base into a draft; returns what the manifest lists of them."""
    found = {name: dict(stated) for name, stated in listing.items() if name.startswith(f"{BASE}-")}
    for name in found:
        try:
            os.link(served / name, draft / name)
        except OSError:  # not every file system has links
            shutil.copy2(served / name, draft / name)
    return found


def load_searcher(files: BuildFiles, segments: Stated, embedder: Embedder) -> Searcher:
    """Everything that answers. Raises Damaged when a file is missing or not what it should be."""
    try:
        change = _load_change(files) if DELTA in segments else None
        names = [name for name in (BASE, DELTA) if name in segments]
        products = [_load_segment(files, name) for name in names]
        starts = np.cumsum([0, *(len(segment.columns) for segment in products)]).tolist()
        dense: list[VectorSearch] = [
            _load_vectors(files, name, segment.embedded, segments[name]["clustering"], start=start)
            for name, segment, start in zip(names, products, starts, strict=False)
        ]
        passages = PassageSegment.restore(
            [_passage(row) for row in files.json(PASSAGES)], files.arrays(PASSAGES)
        )
        told = _load_vectors(
            files, PASSAGES, passages.embedded, files.json(f"{PASSAGES}-clustering"), start=0
        )
        joined = dense[0] if len(dense) == 1 else SegmentedIndex(dense)
        return Searcher(
            products=product_index(products, joined, change),
            passages=passage_index(passages, told),
            lexicon=load_lexicon(files, names[-1]),
            embedder=embedder,
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Damaged("the index cannot be read") from error


def load_base(files: BuildFiles) -> ProductSegment:
    """The base of the products. Raises Damaged."""
    try:
        return _load_segment(files, BASE)
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged("the index cannot be read") from error


def load_lexicon(files: BuildFiles, segment: str) -> Lexicon:
    """The words that were known when a segment was written. Raises Damaged."""
    stated = files.json(f"{segment}-lexicon")
    try:
        return Lexicon(stated["counts"], pairs=stated["pairs"])
    except (KeyError, TypeError) as error:
        raise Damaged("the words of the index cannot be read") from error


def vector_parts(files: BuildFiles, segments: Stated) -> list[VectorPart]:
    """Content hashes and vectors of all segments, for use in another build. Raises Damaged."""
    return [(files.array(f"{name}-hashes"), _reader(files, name)) for name in (*segments, PASSAGES)]


def _load_segment(files: BuildFiles, name: str) -> ProductSegment:
    return ProductSegment.restore(files.arrays(name), tuple(WORD_INDEXES))


def _load_change(files: BuildFiles) -> Change:
    removed = {
        word: Removed(
            gone["documents"],
            tuple(Lengths(**lengths) for lengths in gone["lengths"]),
            gone["frequencies"],
        )
        for word, gone in files.json("change-removed").items()
    }
    gone, order = files.array("change-gone"), files.array("change-order")
    return Change(gone, order, files.json("change")["base"], removed)


def _save_vectors(folder: Path, name: str, embedded: Embedded, vectors: Vectors) -> Clustering:
    clustering = Clustering.for_size(len(vectors))
    np.save(folder / f"{name}-vectors.npy", vectors, allow_pickle=False)
    if clustering.kind != "flat":
        write_clustered(
            folder / f"{name}-cells.faiss", embedded.rows, VectorArray(vectors), clustering
        )
    return clustering


def _load_vectors(
    files: BuildFiles, name: str, embedded: Embedded, stated: Mapping[str, Any], *, start: int
) -> VectorSearch:
    clustering = Clustering.of_json(stated)
    rows = embedded.rows + start
    if clustering.kind == "flat":
        return DenseIndex(rows, np.asarray(files.array(f"{name}-vectors"), np.float32))
    cells = files.path(f"{name}-cells.faiss")
    return ClusteredIndex.open(rows, _reader(files, name), cells, clustering)


def _reader(files: BuildFiles, name: str) -> VectorReader:
    path = files.path(f"{name}-vectors.npy")
    try:
        return VectorFile(path)
    except ValueError:
        return VectorArray(files.array(f"{name}-vectors"))


def _save_lexicon(folder: Path, name: str, lexicon: Lexicon) -> None:
    stated = {"counts": lexicon.counts, "pairs": sorted(lexicon.pairs)}
    write_json(folder / f"{name}-lexicon.json", stated)


def _passage(row: Mapping[str, Any]) -> Passage:
    product_id = row["product_id"]
    return Passage(
        id=PassageId(row["id"]),
        document_id=row["document_id"],
        source=row["source"],
        heading=tuple(row["heading"]),
        text=row["text"],
        ordinal=row["ordinal"],
        product_id=None if product_id is None else ProductId(product_id),
    )
