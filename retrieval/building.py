"""Products and passages to the arrays that are searched; vectors that are known are used again.

Knows nothing of SQL and nothing of where the arrays are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from db.records import Passage, Product
from retrieval.dense import DenseIndex, Vectors
from retrieval.embedders import Embedder
from retrieval.filters import ProductTable, table_row
from retrieval.hybrid import PassageIndex, ProductIndex
from retrieval.lexical import LexicalIndex
from retrieval.products import (
    NAME_WEIGHTS,
    TEXT_WEIGHTS,
    embedding_text,
    language_of,
    product_fields,
)
from retrieval.spelling import Lexicon

PASSAGE_WEIGHTS = {"heading": 2, "text": 1}
_BATCH = 1024

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Built:
    """A whole index in memory; `hashes` name the embedded texts, row by row, products first."""

    products: ProductIndex
    passages: PassageIndex
    lexicon: Lexicon
    product_hashes: tuple[str, ...]
    passage_hashes: tuple[str, ...]
    embedded: int


def content_hash(text: str) -> str:
    """What a text's vector is filed under."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def build(
    products: Sequence[Product],
    passages: Sequence[Passage],
    embedder: Embedder,
    *,
    known: Mapping[str, Vectors],
    progress: Progress,
) -> Built:
    """Indexes the products that are not withdrawn, and all passages.

    `known` maps content hashes to vectors of the same encoder. Texts in a language that the
    encoder does not read, and comments, get no vector. `progress(done, total)` counts the texts
    to embed.
    """
    offered = [product for product in products if not product.withdrawn]
    fields = [product_fields(product) for product in offered]
    told = [_passage_fields(passage) for passage in passages]
    product_texts = _readable(
        {at: embedding_text(product) for at, product in enumerate(offered)}, embedder
    )
    passage_texts = _readable(
        {
            at: f"{fields_['heading']}\n{fields_['text']}"
            for at, fields_ in enumerate(told)
            if passages[at].source != "comment"
        },
        embedder,
    )
    every = {
        content_hash(text): text for text in (*product_texts.values(), *passage_texts.values())
    }
    vectors = {name: known[name] for name in every if name in known}
    missing = [name for name in every if name not in vectors]
    progress(0, len(missing))
    for start in range(0, len(missing), _BATCH):
        batch = missing[start : start + _BATCH]
        encoded = embedder.encode([every[name] for name in batch])
        vectors.update(zip(batch, encoded, strict=True))
        progress(start + len(batch), len(missing))
    product_hashes = [content_hash(text) for text in product_texts.values()]
    passage_hashes = [content_hash(text) for text in passage_texts.values()]
    own_words = [
        text for passage, text in zip(passages, told, strict=True) if passage.source != "comment"
    ]
    return Built(
        products=ProductIndex(
            ProductTable([table_row(p, f) for p, f in zip(offered, fields, strict=True)]),
            LexicalIndex.build(fields, weights=NAME_WEIGHTS),
            LexicalIndex.build(fields, weights=TEXT_WEIGHTS),
            _dense(list(product_texts), product_hashes, vectors, embedder),
        ),
        passages=PassageIndex(
            tuple(passages),
            LexicalIndex.build(told, weights=PASSAGE_WEIGHTS),
            _dense(list(passage_texts), passage_hashes, vectors, embedder),
        ),
        lexicon=Lexicon.of("\n".join(texts.values()) for texts in (*fields, *own_words)),
        product_hashes=tuple(product_hashes),
        passage_hashes=tuple(passage_hashes),
        embedded=len(missing),
    )


def _passage_fields(passage: Passage) -> dict[str, str]:
    return {"heading": " / ".join(passage.heading), "text": passage.text}


def _readable(texts: Mapping[int, str], embedder: Embedder) -> dict[int, str]:
    return {at: text for at, text in texts.items() if language_of(text) in embedder.languages}


def _dense(
    rows: Sequence[int], hashes: Sequence[str], vectors: Mapping[str, Vectors], embedder: Embedder
) -> DenseIndex:
    stacked = np.zeros((len(rows), embedder.dimension), np.float32)
    for at, name in enumerate(hashes):
        stacked[at] = vectors[name]
    return DenseIndex(np.asarray(rows, np.int64), stacked)
