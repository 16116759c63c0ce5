"""Vectors that were encoded before, by the hash of their text, so that no text is encoded twice.

Those of an index that is served, and those of a build that was stopped: they are kept on disk
batch by batch and used by the next build. Knows nothing of products.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.dense import VectorReader
from retrieval.vectorfile import VectorArray

Hashes = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]

_OWNER = "encoder.json"


def content_hash(text: str) -> str:
    """What a text's vector is filed under: 32 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def as_bytes(hashes: Sequence[str]) -> Hashes:
    """Content hashes as uint8 of shape (n, 16)."""
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(-1, 16)


def _heads(hashes: Hashes) -> npt.NDArray[np.uint64]:
    """The first eight bytes of each hash as a number, by which it is sought."""
    heads = np.ascontiguousarray(hashes.reshape(-1, 16)[:, :8]).view(np.uint64)
    return np.asarray(heads.ravel())


class KnownVectors(Mapping[str, Vectors]):
    """Content hash → vector, of several readers; only the hashes are held in memory."""

    def __init__(self, parts: Sequence[tuple[Hashes, VectorReader]]) -> None:
        """`parts`: hashes of shape (n, 16) with what gives the vector at each of them."""
        self._parts = []
        for hashes, reader in parts:
            order = np.argsort(_heads(hashes), kind="stable")
            self._parts.append((_heads(hashes)[order], order, hashes, reader))

    def _find(self, name: object) -> tuple[VectorReader, int] | None:
        sought = as_bytes([str(name)])
        (head,) = _heads(sought)
        for heads, order, hashes, reader in self._parts:
            at = int(np.searchsorted(heads, head))
            while at < len(heads) and heads[at] == head:
                if np.array_equal(hashes[order[at]], sought[0]):
                    return reader, int(order[at])
                at += 1
        return None

    def __contains__(self, name: object) -> bool:
        return self._find(name) is not None

    def __getitem__(self, name: str) -> Vectors:
        found = self._find(name)
        if found is None:
            raise KeyError(name)
        reader, at = found
        vector: Vectors = reader.read(np.array([at]))[0]
        return vector

    def __iter__(self) -> Iterator[str]:
        for _, _, hashes, _ in self._parts:
            for row in hashes:
                yield row.tobytes().hex()

    def __len__(self) -> int:
        return sum(len(heads) for heads, _, _, _ in self._parts)


class VectorJournal:
    """The batches that a build has encoded so far, in a folder of their own.

    A batch is written beside and named at once, so a build that is killed leaves whole batches.
    """

    def __init__(self, folder: Path, encoder: str, dimension: int) -> None:
        self._folder = folder
        self._owner = {"encoder": encoder, "dimension": dimension}

    def keep(self, hashes: Sequence[str], vectors: Vectors) -> None:
        """Keeps the vectors, shape (n, d), of the texts with these hashes."""
        if not self._ours():
            self.clear()
            self._folder.mkdir(parents=True)
            (self._folder / _OWNER).write_text(json.dumps(self._owner), "utf-8")
        name = uuid.uuid4().hex
        draft = self._folder / f"{name}.draft"
        batch = np.concatenate(
            [as_bytes(hashes), np.ascontiguousarray(vectors, np.float32).view(np.uint8)], axis=1
        )
        with draft.open("wb") as file:
            np.save(file, batch, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self._folder / f"{name}.npy")

    def parts(self) -> list[tuple[Hashes, VectorReader]]:
        """What was kept, for `KnownVectors`; nothing when another encoder made it."""
        if not self._ours():
            return []
        width = 16 + 4 * int(str(self._owner["dimension"]))
        found: list[tuple[Hashes, VectorReader]] = []
        for path in sorted(self._folder.glob("*.npy")):
            batch = np.load(path, allow_pickle=False)
            if batch.dtype == np.uint8 and batch.ndim == 2 and batch.shape[1] == width:
                vectors = np.ascontiguousarray(batch[:, 16:]).view(np.float32)
                found.append((batch[:, :16], VectorArray(vectors)))
        return found

    def clear(self) -> None:
        """Forgets all batches; the index that was written has them."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ours(self) -> bool:
        try:
            stated = json.loads((self._folder / _OWNER).read_text("utf-8"))
        except (OSError, ValueError):
            return False
        return bool(stated == self._owner)
