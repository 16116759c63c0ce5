"""Search over products and passages: conditions first, then words and vectors, fused.

Every hit carries what it rests on, so that a caller can tell a find from the nearest thing there
is. Knows nothing of SQL, of files or of what is said about a hit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from db.records import DocumentSource, Passage
from retrieval.dense import DenseIndex
from retrieval.embedders import Embedder
from retrieval.filters import ProductTable
from retrieval.fusion import reciprocal_rank_fusion
from retrieval.lexical import LexicalIndex, query_weights
from retrieval.spelling import Lexicon
from retrieval.text import Unit, has_cjk, stem, units
from retrieval.values import Hit, Query

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

DEPTH = 200  # how far each ranking is read before they are fused
COMPOUND_CREDIT = 0.6  # a smartphone is a phone, a headphone is not
COMMENT_SHARE = 0.5
_MIN_HELD = 0.3  # below this a word is not told as matched


@dataclass(frozen=True, slots=True)
class ProductIndex:
    """Everything known of products: columns, words of names, words of all fields, vectors.

    Row numbers agree in all four; `dense` has vectors of some rows only.
    """

    table: ProductTable
    names: LexicalIndex
    texts: LexicalIndex
    dense: DenseIndex


@dataclass(frozen=True, slots=True)
class PassageIndex:
    """The passages of policies, pages and comments, row by row, with words and vectors."""

    passages: tuple[Passage, ...]
    texts: LexicalIndex
    dense: DenseIndex


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query as both retrievers get it."""

    units: tuple[Unit, ...]
    corrections: Mapping[str, str]
    vector: Floats | None


class Searcher:
    """Answers queries over one built index; immutable, and safe to share between threads."""

    def __init__(
        self,
        *,
        products: ProductIndex,
        passages: PassageIndex,
        lexicon: Lexicon,
        embedder: Embedder,
    ) -> None:
        self._products = products
        self._passages = passages
        self._lexicon = lexicon
        self._embedder = embedder
        self._passage_rows = {passage.id: at for at, passage in enumerate(passages.passages)}
        self._comment = np.array([p.source == "comment" for p in passages.passages], np.bool_)

    def correct(self, text: str) -> tuple[str, dict[str, str]]:
        """The text with mistyped words mended by the shop's words, and what was mended by what."""
        return self._lexicon.correct(text)

    def passage(self, passage_id: str) -> Passage:
        """The passage of a hit. Raises KeyError when this index has no such passage."""
        return self._passages.passages[self._passage_rows[passage_id]]  # type: ignore[index]

    def all_passages(self) -> tuple[Passage, ...]:
        """Every passage of the index: rules, pages and comments."""
        return self._passages.passages

    def products(self, query: Query) -> list[Hit]:
        """At most `query.k` products that satisfy the filters, best first.

        Each hit's `parts`: `coverage`, the idf-weighted share of the query's content words that
        the product holds; `title_coverage`, the same within title, category, brand and tags;
        `title_best`, how far the best-held single word stands there (1 for the word itself);
        `dense`, the cosine (absent where no vector was compared); `lexical`, the BM25 score;
        `lexical_rank` and `dense_rank`, from 1. `terms` are the words that were found, a mended
        one as "wrong→right". A query without content words lists what the filters leave, as the
        shop orders it, with score 0.
        """
        index = self._products
        allowed = index.table.mask(query.filters, index.texts)
        rows = np.flatnonzero(allowed)
        asked = self._understand(query.text, query.language)
        if query.k < 1 or not len(rows):
            return []
        if not asked.units:
            return [
                Hit(index.table.ids[row], 0.0, rank)
                for rank, row in enumerate(rows[: query.k].tolist(), start=1)
            ]
        lexical = index.texts.scores(query_weights(asked.units, index.texts))
        held = [index.texts.held(unit) for unit in asked.units]
        named = [index.names.held(unit) for unit in asked.units]
        coverage = {
            "coverage": _weighted(held, asked.units, index.texts),
            "title_coverage": _weighted(named, asked.units, index.texts),
            "title_best": _strongest(named, asked.units),
        }
        ranked = _fused(asked, lexical, allowed, index.dense)
        return [
            Hit(
                index.table.ids[row],
                score,
                rank,
                parts | {name: float(values[row]) for name, values in coverage.items()},
                _terms(asked, held, row),
            )
            for rank, (row, score, parts) in enumerate(ranked[: query.k], start=1)
        ]

    def passages(
        self,
        text: str,
        language: str,
        *,
        source: DocumentSource | None = None,
        product_id: str | None = None,
        k: int = 5,
    ) -> list[Hit]:
        """At most `k` passages of the source and product, best first; parts as for products.

        Without a source, comments are read only for a product, and rank behind what the shop
        itself says (`parts["comment"]` is 1). A passage that shares no word and has no vector is
        no hit.
        """
        index = self._passages
        allowed = self._passage_mask(source, product_id)
        asked = self._understand(text, language)
        if k < 1 or not allowed.any() or not asked.units:
            return []
        lexical = index.texts.scores(query_weights(asked.units, index.texts))
        held = [index.texts.held(unit) for unit in asked.units]
        coverage = _weighted(held, asked.units, index.texts)
        ranked = _fused(asked, lexical, allowed, index.dense, discounted=self._comment)
        hits: list[Hit] = []
        for row, score, parts in ranked[:k]:
            told = parts | {"coverage": float(coverage[row])}
            if self._comment[row]:
                told["comment"] = 1.0
            passage = index.passages[row]
            hits.append(Hit(passage.id, score, len(hits) + 1, told, _terms(asked, held, row)))
        return hits

    def _passage_mask(self, source: DocumentSource | None, product_id: str | None) -> Mask:
        passages = self._passages.passages
        if source is None:
            allowed = np.ones(len(passages), np.bool_) if product_id else ~self._comment
        else:
            allowed = np.array([passage.source == source for passage in passages], np.bool_)
        if product_id is not None:
            allowed &= np.array(
                [passage.product_id == product_id for passage in passages], np.bool_
            )
        return allowed

    def _understand(self, text: str, language: str) -> _Asked:
        mended, corrections = self._lexicon.correct(text)
        asked = []
        for unit in units(mended):
            compounds = self._lexicon.compounds(unit.text)
            more = tuple((COMPOUND_CREDIT, (compound,)) for compound in compounds)
            asked.append(replace(unit, alternatives=unit.alternatives + more))
        readable = language in self._embedder.languages and (
            "zh" in self._embedder.languages or not has_cjk(mended)
        )
        has_vectors = len(self._products.dense) or len(self._passages.dense)
        vector = self._embedder.encode([mended])[0] if asked and readable and has_vectors else None
        return _Asked(tuple(asked), corrections, vector)


def _weighted(held: Sequence[Floats], asked: Sequence[Unit], index: LexicalIndex) -> Floats:
    """Share of what was asked that each text holds, 0 to 1, words weighed by their idf."""
    weights = [index.unit_weight(unit) for unit in asked]
    total = np.zeros(index.size, np.float32)
    for share, weight in zip(held, weights, strict=True):
        total += np.float32(weight / (sum(weights) or 1.0)) * share
    return total


def _strongest(held: Sequence[Floats], asked: Sequence[Unit]) -> Floats:
    """How far each text holds the word it holds best; a count or single character is none."""
    shares = [share for share, unit in zip(held, asked, strict=True) if unit.weight >= 1.0]
    strongest: Floats = np.max(shares or [np.zeros_like(held[0])], axis=0)
    return strongest


def _fused(
    asked: _Asked,
    lexical: Floats,
    allowed: Mask,
    dense: DenseIndex,
    *,
    discounted: Mask | None = None,
) -> list[tuple[int, float, dict[str, float]]]:
    """(row, score, parts) of the allowed rows that either ranking found, best first."""
    scores = np.where(allowed, lexical, np.float32(0))
    found = np.flatnonzero(scores > 0)
    by_words = found[np.argsort(-scores[found], kind="stable")][:DEPTH].tolist()
    rankings: dict[str, list[int]] = {"lexical": by_words}
    cosines: dict[int, float] = {}
    if asked.vector is not None:
        nearest = dense.search(asked.vector, DEPTH, allowed=np.flatnonzero(allowed))
        cosines = dict(nearest) | dense.scores(asked.vector, by_words)
        rankings["dense"] = [row for row, _ in nearest]
    fused = reciprocal_rank_fusion(rankings)
    if discounted is not None:
        fused = {row: s * (COMMENT_SHARE if discounted[row] else 1.0) for row, s in fused.items()}
    ranks = {
        name: {row: rank for rank, row in enumerate(ranking, start=1)}
        for name, ranking in rankings.items()
    }
    told = []
    for row in sorted(fused, key=lambda row: (-fused[row], row)):
        parts = {"lexical": float(scores[row])}
        if row in cosines:
            parts["dense"] = cosines[row]
        parts |= {f"{name}_rank": float(of[row]) for name, of in ranks.items() if row in of}
        told.append((row, fused[row], parts))
    return told


def _terms(asked: _Asked, held: Sequence[Floats], row: int) -> tuple[str, ...]:
    mended = {stem(right): f"{wrong}→{right}" for wrong, right in asked.corrections.items()}
    return tuple(
        mended.get(stem(unit.text), unit.text)
        for unit, share in zip(asked.units, held, strict=True)
        if share[row] >= _MIN_HELD
    )
