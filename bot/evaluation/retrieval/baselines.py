"""What anyone would plug in, over the same products: words by BM25, meaning by the encoder, both fused.

Knows nothing about the shop's own search.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import bm25s
import numpy as np

from db.records import Product
from retrieval.embedders import Embedder
from retrieval.fusion import reciprocal_rank_fusion

Search = Callable[[str, str, int], list[str]]  # query, language, k → ids, best first

K1, B = 1.5, 0.75  # the defaults of bm25s
OPENING = 200  # characters of a description that the encoder reads
_WORD = re.compile(r"[^\W_\u3400-\u9fff]+|[\u3400-\u9fff]")


def baselines(products: Sequence[Product], embedder: Embedder) -> dict[str, Search]:
    """BM25 (Lucene's, no stemming) over all text; cosine over title, brand and the description's
    opening; their reciprocal-rank fusion. The vectors are computed here."""
    ids = [str(product.id) for product in products]
    words, meaning = _by_words(products), _by_meaning(products, embedder)

    def named(rank: Callable[[str, int], list[int]]) -> Search:
        return lambda query, _, k: [ids[row] for row in rank(query, k)]

    def fused(query: str, k: int) -> list[int]:
        scores = reciprocal_rank_fusion({"w": words(query, k), "m": meaning(query, k)})
        return sorted(scores, key=lambda row: -scores[row])[:k]

    return {"BM25": named(words), embedder.name: named(meaning), "their fusion": named(fused)}


def _by_words(products: Sequence[Product]) -> Callable[[str, int], list[int]]:
    vocabulary: dict[str, int] = {}
    corpus = [
        [vocabulary.setdefault(word, len(vocabulary)) for word in _words(_all_text(product))]
        for product in products
    ]
    engine: Any = bm25s.BM25(method="lucene", k1=K1, b=B)
    engine.index((corpus, vocabulary), create_empty_token=False, show_progress=False)

    def rank(query: str, k: int) -> list[int]:
        asked = [vocabulary[word] for word in _words(query) if word in vocabulary]
        if not asked:
            return []
        scores = engine.get_scores_from_ids(asked)
        order = np.argsort(-scores, kind="stable")[:k]
        return [int(row) for row in order if scores[row] > 0]

    return rank


def _by_meaning(products: Sequence[Product], embedder: Embedder) -> Callable[[str, int], list[int]]:
    vectors = embedder.encode(
        [f"{p.title} {p.brand or ''} {p.description[:OPENING]}" for p in products]
    )  # (n, d)

    def rank(query: str, k: int) -> list[int]:
        order = np.argsort(-(vectors @ embedder.encode([query])[0]), kind="stable")
        return [int(row) for row in order[:k]]

    return rank


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _all_text(product: Product) -> str:
    stated = (f"{a.name} {a.value}" for a in product.attributes)
    parts = (product.title, product.brand or "", *product.category, *product.tags, *stated)
    return " ".join((*parts, product.description))
