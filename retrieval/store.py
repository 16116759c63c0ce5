"""The built index on disk: written beside the old one, checked, swapped in by one rename.

    FOLDER/current            name of the build that is served
    FOLDER/build-…/           manifest.json, *.npy, *.json; never changed once it is named

A reader holds its build in memory, so an old one may be removed at once. Arrays and JSON only:
loading runs no code. Knows nothing of SQL or of how texts are made.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from db.records import Passage, PassageId, ProductId
from retrieval.building import Built
from retrieval.dense import DenseIndex, Vectors
from retrieval.embedders import Embedder
from retrieval.filters import ProductTable
from retrieval.hybrid import PassageIndex, ProductIndex, Searcher
from retrieval.lexical import LexicalIndex
from retrieval.spelling import Lexicon

T = TypeVar("T")

FORMAT = 1

_CURRENT = "current"
_MANIFEST = "manifest.json"
_REMEDY = "run `shopbot index`"
_WORD_INDEXES = ("names", "texts", "passages")
_ARRAYS = ("starts", "rows", "values")


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
    """What a build is made of. `built_at` is ISO 8601; `files` maps names to SHA-256."""

    format: int
    encoder: str
    dimension: int
    catalogue: str
    products: int
    passages: int
    vectors: int
    embedded: int
    built_at: str
    files: Mapping[str, str]


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
        """Loads the served build into memory.

        `expected_digest` is the catalogue's present digest; None accepts any. Raises NoIndex,
        StaleIndex, ForeignIndex or CorruptIndex.
        """

        def load(build: Path) -> Searcher:
            manifest = _read_manifest(build)
            self._check_encoder(manifest)
            if expected_digest is not None and manifest.catalogue != expected_digest:
                raise StaleIndex(f"the catalogue has changed since the index was built: {_REMEDY}")
            return _load(build, manifest, self._embedder)

        return self._read(load)

    def known_vectors(self) -> dict[str, Vectors]:
        """Content hash → vector of the served build, empty where there is none to use again."""
        try:
            return self._read(self._load_vectors)
        except IndexUnusable:
            return {}

    def write(self, built: Built, *, catalogue: str) -> Manifest:
        """Writes a build beside the served one and swaps it in; a crash leaves the old one served.

        `catalogue` is the digest of the catalogue that was indexed.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"build-{uuid.uuid4().hex}"
        draft = self._folder / f"draft-{name}"
        draft.mkdir()
        try:
            _save(draft, built)
            manifest = Manifest(
                FORMAT,
                self._embedder.name,
                self._embedder.dimension,
                catalogue,
                len(built.products.table),
                len(built.passages.passages),
                len(built.products.dense) + len(built.passages.dense),
                built.embedded,
                self._clock().isoformat(timespec="seconds"),
                {path.name: _digest(path) for path in sorted(draft.iterdir())},
            )
            _write_json(draft / _MANIFEST, asdict(manifest))
            draft.rename(self._folder / name)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        pointer = self._folder / f"{_CURRENT}-{name}"
        with pointer.open("w", encoding="utf-8") as file:
            file.write(name)
            file.flush()
            os.fsync(file.fileno())
        before = self.version()
        pointer.replace(self._folder / _CURRENT)
        if before is not None and before != name:
            shutil.rmtree(self._folder / before, ignore_errors=True)
        return manifest

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

    def _check_encoder(self, manifest: Manifest) -> None:
        ours = (self._embedder.name, self._embedder.dimension)
        if (manifest.encoder, manifest.dimension) != ours:
            raise ForeignIndex(
                f"the index was built with the encoder {manifest.encoder} "
                f"({manifest.dimension} dimensions), not {ours[0]} ({ours[1]}): {_REMEDY}"
            )

    def _load_vectors(self, build: Path) -> dict[str, Vectors]:
        manifest = _read_manifest(build)
        self._check_encoder(manifest)
        files = _Files(build, manifest)
        hashes = files.json("hashes")
        known: dict[str, Vectors] = {}
        for kind in ("product", "passage"):
            known.update(zip(hashes[kind], files.array(f"{kind}-vectors"), strict=True))
        return known


class _Files:
    """The files of one build, each compared with the manifest before it is used."""

    def __init__(self, build: Path, manifest: Manifest) -> None:
        self._build = build
        self._manifest = manifest

    def _checked(self, name: str) -> Path:
        path = self._build / name
        try:
            sound = _digest(path) == self._manifest.files.get(name)
        except OSError:
            sound = False
        if not sound:
            raise CorruptIndex(f"the index file {name} is missing or damaged: {_REMEDY}")
        return path

    def array(self, name: str) -> npt.NDArray[Any]:
        loaded: npt.NDArray[Any] = np.load(self._checked(f"{name}.npy"), allow_pickle=False)
        return loaded

    def json(self, name: str) -> Any:
        return json.loads(self._checked(f"{name}.json").read_text("utf-8"))


def _save(folder: Path, built: Built) -> None:
    word_indexes = (built.products.names, built.products.texts, built.passages.texts)
    for name, index in zip(_WORD_INDEXES, word_indexes, strict=True):
        _write_json(folder / f"{name}-vocabulary.json", index.vocabulary)
        for part, array in index.arrays().items():
            np.save(folder / f"{name}-{part}.npy", array, allow_pickle=False)
    for kind, dense in (("product", built.products.dense), ("passage", built.passages.dense)):
        for part, array in dense.arrays().items():
            np.save(folder / f"{kind}-{part}.npy", array, allow_pickle=False)
    _write_json(folder / "products.json", built.products.table.rows)
    _write_json(folder / "passages.json", [asdict(p) for p in built.passages.passages])
    lexicon = {"counts": built.lexicon.counts, "pairs": sorted(built.lexicon.pairs)}
    _write_json(folder / "lexicon.json", lexicon)
    hashes = {"product": built.product_hashes, "passage": built.passage_hashes}
    _write_json(folder / "hashes.json", hashes)


def _load(build: Path, manifest: Manifest, embedder: Embedder) -> Searcher:
    files = _Files(build, manifest)
    try:
        table = ProductTable(files.json("products"))
        passages = tuple(_passage(row) for row in files.json("passages"))
        sizes = (len(table), len(table), len(passages))
        names, texts, told = (
            LexicalIndex.restore(
                size,
                files.json(f"{name}-vocabulary"),
                {part: files.array(f"{name}-{part}") for part in _ARRAYS},
            )
            for name, size in zip(_WORD_INDEXES, sizes, strict=True)
        )
        near_products, near_passages = (
            DenseIndex(files.array(f"{kind}-ids"), files.array(f"{kind}-vectors"))
            for kind in ("product", "passage")
        )
        lexicon = files.json("lexicon")
        return Searcher(
            products=ProductIndex(table, names, texts, near_products),
            passages=PassageIndex(passages, told, near_passages),
            lexicon=Lexicon(lexicon["counts"], pairs=lexicon["pairs"]),
            embedder=embedder,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptIndex(f"the index cannot be read: {_REMEDY}") from error


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


def _read_manifest(build: Path) -> Manifest:
    try:
        stated = json.loads((build / _MANIFEST).read_text("utf-8"))
        found = stated["format"]
        if found == FORMAT:
            return Manifest(**stated)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptIndex(f"the index manifest is missing or damaged: {_REMEDY}") from error
    raise ForeignIndex(f"the index has format {found}, this program reads {FORMAT}: {_REMEDY}")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), "utf-8")
