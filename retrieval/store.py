"""The built index on disk: written beside the old one, checked, swapped in by one rename.

    FOLDER/current            name of the build that is served
    FOLDER/build-…/           manifest.json and the files of its segments; never changed once named
    FOLDER/encoded/           vectors of a build that was stopped, until one is written

A build after a change links the files of the unchanged base and writes the delta alone. A reader
maps its files, which live on for it when a build is removed. Arrays and JSON only: loading runs no
code. Knows nothing of SQL or of how texts are made.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np

from retrieval.building import Built, record_hash
from retrieval.dense import Vectors
from retrieval.embedders import Embedder
from retrieval.files import BuildFiles, Damaged, Listing, Stated, listed
from retrieval.hybrid import Searcher
from retrieval.layout import (
    BASE,
    VectorPart,
    link_base,
    load_base,
    load_lexicon,
    load_searcher,
    save_built,
    vector_parts,
)
from retrieval.reuse import KnownVectors, VectorJournal
from retrieval.segments import Change, ProductSegment
from retrieval.spelling import Lexicon

T = TypeVar("T")

FORMAT = 2
INCREMENTAL_FROM = 20_000  # products; up to here a whole build takes seconds beside encoding
DELTA_SHARE = 0.1  # a larger delta, or more rows gone, is merged by building the whole anew

_CURRENT = "current"
_MANIFEST = "manifest.json"
_ENCODED = "encoded"
_ABANDONED = 24 * 3600  # seconds; no build writes for so long
_REMEDY = "run `shopbot index`"


class IndexUnusable(Exception):
    """The index cannot be searched; the message is one line and names the remedy."""


class NoIndex(IndexUnusable):
    """Nothing has been built yet."""


class StaleIndex(IndexUnusable):
    """The catalogue has changed since the index was built."""


class ForeignIndex(IndexUnusable):
    """The index was built with another encoder or by another version of the program."""


class CorruptIndex(IndexUnusable):
    """A file of the index is missing or altered."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a build is made of. `built_at` is ISO 8601.

    `segments` names the segments of products with the rows of each and how its vectors are
    searched; `products` counts those that are found. `files` maps names to bytes and SHA-256.
    """

    format: int
    encoder: str
    dimension: int
    catalogue: str
    products: int
    passages: int
    vectors: int
    embedded: int
    built_at: str
    segments: Stated
    files: Listing


@dataclass(frozen=True, slots=True)
class Difference:
    """How the catalogue stands to the base that is served.

    `places` are the ids of the products that came or changed since, with their places in the
    catalogue; the order that `change` states is that of the base alone.
    """

    base: ProductSegment
    lexicon: Lexicon
    change: Change
    places: Mapping[str, int]


class IndexStore:
    """The index of one shop under `folder`, read and written for one encoder."""

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder = Path(folder)
        self._embedder = embedder
        self._clock = clock

    def version(self) -> str | None:
        """Name of the build that is served, None before the first; cheap, so a server may poll."""
        try:
            name = (self._folder / _CURRENT).read_text("utf-8").strip()
        except FileNotFoundError:
            return None
        return name or None

    def manifest(self) -> Manifest:
        """The manifest of the served build. Raises NoIndex, CorruptIndex or ForeignIndex."""
        return self._read(_read_manifest)

    def open(self, expected_digest: str | None = None) -> Searcher:
        """Opens the served build; large files are mapped, not read.

        `expected_digest` is the catalogue's present digest; None accepts any. Raises NoIndex,
        StaleIndex, ForeignIndex or CorruptIndex.
        """

        def load(build: Path) -> Searcher:
            manifest = _read_manifest(build)
            self._check_encoder(manifest)
            if expected_digest is not None and manifest.catalogue != expected_digest:
                raise StaleIndex(f"the catalogue has changed since the index was built: {_REMEDY}")
            return load_searcher(
                BuildFiles(build, manifest.files), manifest.segments, self._embedder
            )

        return self._read(load)

    def verify(self) -> None:
        """Compares every file of the served build with its digest; reads all of it.

        `open` compares the size of every file and the digest of the small ones only. Raises
        NoIndex, ForeignIndex or CorruptIndex.
        """
        self._read(lambda build: BuildFiles(build, _read_manifest(build).files).verify())

    def known_vectors(self) -> KnownVectors:
        """Content hash → vector of the served build and of one that was stopped."""
        parts = self._journal().parts()
        with suppress(IndexUnusable):
            parts += self._read(self._load_vectors)
        return KnownVectors(parts)

    def keep_vectors(self, hashes: Sequence[str], vectors: Vectors) -> None:
        """Keeps what a build has encoded, so that the next goes on there if this one stops."""
        self._journal().keep(hashes, vectors)

    def difference(self, records: Iterable[tuple[str, str]]) -> Difference | None:
        """What came, changed or went since the base was built; None when a whole build is due.

        `records` are the products of the catalogue in its order: id, and what tells their records
        apart. A whole build is due without a sound base, for a small one, and when more than
        DELTA_SHARE of it has changed.
        """
        try:
            base, lexicon, name = self._read(self._load_base)
        except IndexUnusable:
            return None
        size = len(base.columns)
        if size < INCREMENTAL_FROM:
            return None
        row_of = {product_id: row for row, product_id in enumerate(base.columns.ids)}
        kept = base.records.tobytes()
        place = np.full(size, -1, np.int32)
        places: dict[str, int] = {}
        for at, (product_id, stated) in enumerate(records):
            row = row_of.get(product_id)
            if row is not None and kept[16 * row : 16 * row + 16] == record_hash(stated):
                place[row] = at
            else:
                places[product_id] = at
        gone = np.flatnonzero(place < 0)
        if max(len(gone), len(places)) > DELTA_SHARE * size:
            return None
        return Difference(base, lexicon, Change(gone, place, name), places)

    def write(self, built: Built, *, catalogue: str) -> Manifest:
        """Writes a build beside the served one and swaps it in; a crash leaves the old one served.

        `catalogue` is the digest of the catalogue that was indexed. Raises StaleIndex or another
        IndexUnusable for a delta whose base is no longer served.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._remove_abandoned()
        before = self.version()
        name = f"build-{uuid.uuid4().hex}"
        draft = self._folder / f"draft-{name}"
        draft.mkdir()
        try:
            segments: dict[str, dict[str, object]] = {}
            files: dict[str, dict[str, object]] = {}
            if built.change is not None:
                served = self.manifest()
                if _base_name(served) != built.change.base:
                    raise StaleIndex(f"another build was swapped in meanwhile: {_REMEDY}")
                files |= link_base(self._folder / Path(before or "").name, draft, served.files)
                segments[BASE] = dict(served.segments[BASE])
            segments |= save_built(draft, built)
            rows = sum(int(str(stated["rows"])) for stated in segments.values())
            gone = 0 if built.change is None else len(built.change.gone)
            manifest = Manifest(
                FORMAT,
                self._embedder.name,
                self._embedder.dimension,
                catalogue,
                rows - gone,
                len(built.passage_segment.passages),
                sum(int(str(stated["vectors"])) for stated in segments.values())
                + len(built.passage_vectors),
                built.embedded,
                self._clock().isoformat(timespec="seconds"),
                segments,
                files | listed(draft, known=files),
            )
            (draft / _MANIFEST).write_text(
                json.dumps(asdict(manifest), ensure_ascii=False), "utf-8"
            )
            draft.rename(self._folder / name)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        pointer = self._folder / f"{_CURRENT}-{name}"
        with pointer.open("w", encoding="utf-8") as file:
            file.write(name)
            file.flush()
            os.fsync(file.fileno())
        pointer.replace(self._folder / _CURRENT)
        if before is not None and before != name:
            shutil.rmtree(self._folder / before, ignore_errors=True)
        self._journal().clear()
        return manifest

    def _remove_abandoned(self) -> None:
        """Removes what builds that were killed while they wrote have left."""
        for draft in self._folder.glob("draft-*"):
            if time.time() - draft.stat().st_mtime > _ABANDONED:
                shutil.rmtree(draft, ignore_errors=True)

    def _journal(self) -> VectorJournal:
        return VectorJournal(self._folder / _ENCODED, self._embedder.name, self._embedder.dimension)

    def _read(self, load: Callable[[Path], T]) -> T:
        """Reads the served build; when it is swapped away meanwhile, reads the new one."""
        while True:
            version = self.version()
            if version is None:
                raise NoIndex(f"no index yet: {_REMEDY}")
            try:
                return load(self._folder / Path(version).name)
            except CorruptIndex:
                if self.version() == version:
                    raise
            except Damaged as error:
                if self.version() == version:
                    raise CorruptIndex(f"{error}: {_REMEDY}") from error

    def _check_encoder(self, manifest: Manifest) -> None:
        ours = (self._embedder.name, self._embedder.dimension)
        if (manifest.encoder, manifest.dimension) != ours:
            raise ForeignIndex(
                f"the index was built with the encoder {manifest.encoder} "
                f"({manifest.dimension} dimensions), not {ours[0]} ({ours[1]}): {_REMEDY}"
            )

    def _load_vectors(self, build: Path) -> list[VectorPart]:
        manifest = _read_manifest(build)
        self._check_encoder(manifest)
        return vector_parts(BuildFiles(build, manifest.files), manifest.segments)

    def _load_base(self, build: Path) -> tuple[ProductSegment, Lexicon, str]:
        manifest = _read_manifest(build)
        self._check_encoder(manifest)
        files = BuildFiles(build, manifest.files)
        return load_base(files), load_lexicon(files, BASE), _base_name(manifest)


def _base_name(manifest: Manifest) -> str:
    """What tells a base from others: the digest of the records it was built of."""
    return str(manifest.files[f"{BASE}-records.npy"]["sha256"])


def _read_manifest(build: Path) -> Manifest:
    try:
        stated = json.loads((build / _MANIFEST).read_text("utf-8"))
        found = stated["format"]
        if found == FORMAT:
            return Manifest(**stated)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptIndex(f"the index manifest is missing or damaged: {_REMEDY}") from error
    raise ForeignIndex(f"the index has format {found}, this program reads {FORMAT}: {_REMEDY}")
