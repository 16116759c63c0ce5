"""Products and passages to the arrays that are searched; vectors that are known are used again.

Knows nothing of SQL and nothing of where the arrays are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from db.records import Passage, Product
from retrieval.columns import ColumnsBuilder
from retrieval.dense import Clustering, DenseIndex
from retrieval.embedders import Embedder
from retrieval.lexical import counted
from retrieval.postings import PostingsBuilder
from retrieval.products import (
    NAME_STREAMS,
    TEXT_STREAMS,
    embedding_text,
    language_of,
    product_fields,
)
from retrieval.reuse import as_bytes, content_hash
from retrieval.segments import (
    Change,
    Embedded,
    PassageIndex,
    PassageSegment,
    ProductIndex,
    ProductSegment,
    Vectors,
    passage_index,
    product_index,
)
from retrieval.spelling import Lexicon, WordCounter

WORD_INDEXES = {"names": NAME_STREAMS, "texts": TEXT_STREAMS}
PASSAGE_STREAMS = ({"heading": 2, "text": 1},)
_BATCH = 1024

Progress = Callable[[int, int], None]
Keep = Callable[[Sequence[str], Vectors], None]


@dataclass(frozen=True, slots=True)
class Built:
    """What was built, in memory: a base, or with `change` the delta to the base that is served.

    Vectors align with the embedded rows of their segment, float16 where they are many. `embedded`
    counts the texts that had no known vector.
    """

    segment: ProductSegment
    vectors: Vectors
    passage_segment: PassageSegment
    passage_vectors: Vectors
    lexicon: Lexicon
    embedded: int
    change: Change | None = None

    @property
    def products(self) -> ProductIndex:
        """The products of this build alone, every vector compared."""
        return product_index([self.segment], _flat(self.segment.embedded, self.vectors))

    @property
    def passages(self) -> PassageIndex:
        """The passages, every vector compared."""
        return passage_index(
            self.passage_segment, _flat(self.passage_segment.embedded, self.passage_vectors)
        )


def build(
    products: Iterable[Product],
    passages: Sequence[Passage],
    embedder: Embedder,
    *,
    known: Mapping[str, Vectors],
    progress: Progress,
    records: Mapping[str, str] | None = None,
    keep: Keep = lambda _hashes, _vectors: None,
) -> Built:
    """Indexes the products that are not withdrawn, read one by one, and all passages.

    `known` maps content hashes to vectors of the same encoder. Texts in a language that the
    encoder does not read, and comments, get no vector. `progress(done, total)` counts the texts
    to embed, which grow while products are read; `keep` is given each batch with its hashes, so that a build that is stopped loses
    little. `records` maps product ids to what tells their records apart.
    """
    columns = ColumnsBuilder()
    words = {name: PostingsBuilder(len(streams)) for name, streams in WORD_INDEXES.items()}
    counter = WordCounter()
    texts = _Texts(embedder, known)
    stated: list[bytes] = []
    for product in products:
        if product.withdrawn:
            continue
        fields = product_fields(product)
        columns.add(product, fields)
        tokens = counted(fields)
        for name, streams in WORD_INDEXES.items():
            words[name].add(tokens.weighted(streams))
        counter.add("\n".join(fields.values()))
        texts.add(len(stated), embedding_text(product))
        stated.append(record_hash((records or {}).get(product.id)))
        if not len(stated) % _BATCH:
            progress(0, len(texts.missing))  # reading takes minutes where there are many
    told = PostingsBuilder()
    passage_texts = _Texts(embedder, known)
    for at, passage in enumerate(passages):
        fields = {"heading": " / ".join(passage.heading), "text": passage.text}
        told.add(counted(fields).weighted(PASSAGE_STREAMS))
        if passage.source != "comment":
            passage_texts.add(at, f"{fields['heading']}\n{fields['text']}")
            counter.add("\n".join(fields.values()))
    missing = texts.missing | passage_texts.missing
    fresh = _encoded(missing, embedder, progress=progress, keep=keep, halved=len(texts.rows))
    return Built(
        ProductSegment(
            columns.build(),
            {name: builder.build() for name, builder in words.items()},
            texts.embedded(),
            np.frombuffer(b"".join(stated), np.uint8).reshape(-1, 16),
        ),
        texts.vectors(fresh),
        PassageSegment(tuple(passages), told.build(), passage_texts.embedded()),
        passage_texts.vectors(fresh),
        counter.lexicon(),
        len(missing),
    )


def build_change(
    base: ProductSegment,
    lexicon: Lexicon,
    change: Change,
    places: Mapping[str, int],
    products: Iterable[Product],
    passages: Sequence[Passage],
    embedder: Embedder,
    *,
    known: Mapping[str, Vectors],
    progress: Progress,
    records: Mapping[str, str] | None = None,
    keep: Keep = lambda _hashes, _vectors: None,
) -> Built:
    """Indexes only `products`, the ones that came or changed since `base`, as its delta.

    `lexicon` is the base's; `places` are the products' in the catalogue. Words that left with a product stay known to it until the next whole
    build; every score is as that build would make it.
    """
    delta = build(
        products, passages, embedder, known=known, progress=progress, records=records, keep=keep
    )
    removed = {name: postings.without(change.gone) for name, postings in base.words.items()}
    own = [places[product_id] for product_id in delta.segment.columns.ids]
    order = np.concatenate([change.order, np.array(own, np.int32)])
    return replace(
        delta,
        lexicon=lexicon.joined(delta.lexicon),
        change=replace(change, order=order, removed=removed),
    )


def record_hash(stated: str | None) -> bytes:
    """Sixteen bytes for what tells a record apart; zeros, which equal no record's, for None."""
    return bytes(16) if stated is None else hashlib.sha256(stated.encode()).digest()[:16]


class _Texts:
    """The texts of rows that the encoder reads, by hash, and those of them without a vector."""

    def __init__(
        self,
        embedder: Embedder,
        known: Mapping[str, Vectors],
    ) -> None:
        self._languages = embedder.languages
        self._dimension = embedder.dimension
        self._known = known
        self.rows: list[int] = []
        self.hashes: list[str] = []
        self.missing: dict[str, str] = {}

    def add(self, row: int, text: str) -> None:
        if language_of(text) not in self._languages:
            return
        name = content_hash(text)
        self.rows.append(row)
        self.hashes.append(name)
        if name not in self._known:
            self.missing[name] = text

    def embedded(self) -> Embedded:
        return Embedded(np.array(self.rows, np.int64), as_bytes(self.hashes))

    def vectors(self, fresh: Mapping[str, Vectors]) -> Vectors:
        stacked = np.zeros((len(self.hashes), self._dimension), _precision(len(self.hashes)))
        for at, name in enumerate(self.hashes):
            stacked[at] = fresh[name] if name in fresh else self._known[name]
        return stacked


def _precision(count: int) -> type[np.float32] | type[np.float16]:
    return np.float32 if Clustering.for_size(count).kind == "flat" else np.float16


def _encoded(
    texts: Mapping[str, str], embedder: Embedder, *, progress: Progress, keep: Keep, halved: int
) -> dict[str, Vectors]:
    """Content hash → vector; in half precision where so many vectors are kept."""
    names = list(texts)
    vectors: dict[str, Vectors] = {}
    progress(0, len(names))
    for start in range(0, len(names), _BATCH):
        batch = names[start : start + _BATCH]
        encoded = embedder.encode([texts[name] for name in batch])
        keep(batch, encoded)
        vectors.update(zip(batch, encoded.astype(_precision(halved)), strict=True))
        progress(start + len(batch), len(names))
    return vectors


def _flat(embedded: Embedded, vectors: Vectors) -> DenseIndex:
    return DenseIndex(embedded.rows, np.asarray(vectors, np.float32))
