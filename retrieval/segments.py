"""What a build is made of: products and passages as arrays, in segments that are never changed.

An index of products is one base and, after changes, one delta: the products that came or changed
since, with a note of the rows of the base that no longer count. Knows nothing of files or texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from db.records import Passage
from retrieval.columns import ProductColumns, within
from retrieval.dense import VectorSearch
from retrieval.filters import ProductTable
from retrieval.lexical import K1, LexicalIndex
from retrieval.postings import Postings, Removed
from retrieval.products import TEXT_K1

Hashes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]
Vectors = npt.NDArray[Any]  # float32, or float16 where they are many


@dataclass(frozen=True, slots=True)
class Embedded:
    """The rows that have a vector, ascending, with the hashes of the texts they stand for.

    `rows` int64 of shape (v,), `hashes` uint8 of shape (v, 16).
    """

    rows: Rows
    hashes: Hashes


@dataclass(frozen=True, slots=True)
class ProductSegment:
    """Products in the order of the catalogue: columns, word indexes by name, embedded rows.

    `records`, uint8 of shape (n, 16), tells whether the catalogue still states a product so.
    """

    columns: ProductColumns
    words: Mapping[str, Postings]
    embedded: Embedded
    records: Hashes

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything as plain arrays."""
        found = self.columns.arrays()
        for name, postings in self.words.items():
            found |= {f"{name}-{part}": array for part, array in postings.arrays().items()}
        own: dict[str, npt.NDArray[Any]] = {
            "rows": self.embedded.rows,
            "hashes": self.embedded.hashes,
            "records": self.records,
        }
        return found | own

    @classmethod
    def restore(
        cls, arrays: Mapping[str, npt.NDArray[Any]], names: Sequence[str]
    ) -> ProductSegment:
        """The segment of `arrays()` with word indexes `names`. Raises ValueError or KeyError."""
        return cls(
            ProductColumns.restore(arrays),
            {name: Postings.restore(within(arrays, name)) for name in names},
            Embedded(arrays["rows"], arrays["hashes"]),
            arrays["records"],
        )


@dataclass(frozen=True, slots=True)
class PassageSegment:
    """The passages of policies, pages and comments, row by row, with words and embedded rows."""

    passages: tuple[Passage, ...]
    words: Postings
    embedded: Embedded

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All but the passages as plain arrays."""
        words = {f"words-{part}": array for part, array in self.words.arrays().items()}
        return words | {"rows": self.embedded.rows, "hashes": self.embedded.hashes}

    @classmethod
    def restore(
        cls, passages: Sequence[Passage], arrays: Mapping[str, npt.NDArray[Any]]
    ) -> PassageSegment:
        """The segment of `arrays()`. Raises ValueError or KeyError when they do not fit."""
        return cls(
            tuple(passages),
            Postings.restore(within(arrays, "words")),
            Embedded(arrays["rows"], arrays["hashes"]),
        )


@dataclass(frozen=True, slots=True)
class Change:
    """How a delta stands to its base.

    `gone` are the rows of the base that no longer count, ascending; `order`, int32, is the place
    in the catalogue of every row of base and delta; `base` tells that base from any other;
    `removed` is what the rows took with them, by word index.
    """

    gone: Rows
    order: npt.NDArray[np.int32]
    base: str
    removed: Mapping[str, Removed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProductIndex:
    """Everything known of products: columns, words of names, words of all fields, vectors.

    Row numbers agree in all four; `dense` has vectors of some rows only.
    """

    table: ProductTable
    names: LexicalIndex
    texts: LexicalIndex
    dense: VectorSearch


@dataclass(frozen=True, slots=True)
class PassageIndex:
    """The passages of policies, pages and comments, row by row, with words and vectors."""

    passages: tuple[Passage, ...]
    texts: LexicalIndex
    dense: VectorSearch


def product_index(
    segments: Sequence[ProductSegment], dense: VectorSearch, change: Change | None = None
) -> ProductIndex:
    """The segments as one index; with a change they are a base and its delta."""
    gone = None
    if change is not None:
        gone = np.zeros(sum(len(segment.columns) for segment in segments), np.bool_)
        gone[change.gone] = True

    def words(name: str, k1: float = K1) -> LexicalIndex:
        removed = None if change is None else change.removed.get(name)
        return LexicalIndex([segment.words[name] for segment in segments], removed, k1=k1)

    table = ProductTable(
        [segment.columns for segment in segments],
        gone=gone,
        order=None if change is None else change.order,
    )
    return ProductIndex(table, words("names"), words("texts", TEXT_K1), dense)


def passage_index(segment: PassageSegment, dense: VectorSearch) -> PassageIndex:
    """The segment as an index."""
    return PassageIndex(segment.passages, LexicalIndex([segment.words]), dense)
