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
from retrieval.candidates import Candidates, find_candidates
from retrieval.dense import VectorSearch
from retrieval.diversity import LOOKED_AT, surplus
from retrieval.embedders import Embedder
from retrieval.explaining import WordFound, words_found
from retrieval.fusion import reciprocal_rank_fusion
from retrieval.lexical import LexicalIndex, query_scores
from retrieval.presence import is_here
from retrieval.ranking import Wish, parts_of
from retrieval.ranking import score as ranked
from retrieval.segments import PassageIndex, ProductIndex
from retrieval.spelling import Lexicon
from retrieval.synonyms import synonyms
from retrieval.text import Unit, has_cjk, stem, units
from retrieval.values import Hit, Query

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

COMPOUND_CREDIT = 0.6  # a smartphone is a phone, a headphone is not
SYNONYM_CREDIT = 0.7
COMMENT_SHARE = 0.5
_MIN_HELD = 0.3  # below this a word is not told as matched


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query as both retrievers get it."""

    text: str
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
        self._source = np.array([p.source for p in passages.passages], np.str_)
        self._comment: Mask = self._source == "comment"
        self._rows_of_product: dict[str, list[int]] = {}
        for at, passage in enumerate(passages.passages):
            if passage.product_id is not None:
                self._rows_of_product.setdefault(passage.product_id, []).append(at)

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
        `lexical_rank` and `dense_rank`, from 1; `repeated`, 1 for the third and later of
        near-duplicates. `terms` are the words that were found, a mended
        one as "wrong→right". A query without content words lists what the filters leave, as the
        shop orders it, with score 0.
        """
        index = self._products
        allowed = index.table.mask(query.filters, index.texts)
        asked = self._understand(query.text, query.language)
        if query.k < 1 or not allowed.any():
            return []
        if not asked.units:
            rows = index.table.first(allowed, query.k)
            return [Hit(index.table.ids[row], 0.0, rank) for rank, row in enumerate(rows, start=1)]
        found = self._candidates(asked, index.texts, index.dense, allowed)
        held = [index.texts.held(unit, found.rows) for unit in asked.units]
        named = [index.names.held(unit, found.rows) for unit in asked.units]
        evidence = {
            "title_coverage": _weighted(named, asked.units, index.texts),
            "title_best": _strongest(named, asked.units),
        }
        parts = parts_of(
            Wish.of(asked.text, asked.units),
            [index.table.title(row) for row in found.rows.tolist()],
            lexical=found.lexical,
            most=sum(index.texts.unit_weight(unit) for unit in asked.units),
            dense=found.dense,
            coverage=_weighted(held, asked.units, index.texts),
        )
        best, scores = self._ordered(found.rows, parts)
        return [
            Hit(
                index.table.ids[found.rows[at]],
                float(scores[at]),
                rank,
                _parts(found, at)
                | {name: float(of[at]) for name, of in (parts | evidence).items()},
                _terms(asked, held, at),
            )
            for rank, at in enumerate(best[: query.k], start=1)
        ]

    def _ordered(self, rows: Rows, parts: dict[str, Floats]) -> tuple[list[int], Floats]:
        """The places of the candidates, best first, and their scores; adds the part `repeated`."""
        scores = ranked(parts)
        best = np.lexsort((rows, -scores))[:LOOKED_AT]
        parts["repeated"] = np.zeros_like(scores)
        parts["repeated"][best] = surplus([self._products.table.title(rows[at]) for at in best])
        scores = ranked(parts)
        ordered: list[int] = np.lexsort((rows, -scores)).tolist()
        return ordered, scores

    def is_here(self, hits: Sequence[Hit]) -> bool:
        """Whether the best of these hits are what was asked and not just the nearest there is."""
        return is_here(hits, self._products.table.count)

    def words_found(
        self, query: Query, product_id: str, fields: Mapping[str, str]
    ) -> tuple[WordFound, ...]:
        """Which words of the query a product holds and where; `fields` as it was indexed.

        Empty for a product that this index does not have.
        """
        row = self._products.table.row_of(product_id)
        if row is None:
            return ()
        asked = self._understand(query.text, query.language)
        return words_found(asked.units, fields, self._products.texts, row)

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
        found = self._candidates(asked, index.texts, index.dense, allowed)
        held = [index.texts.held(unit, found.rows) for unit in asked.units]
        coverage = _weighted(held, asked.units, index.texts)
        comment = self._comment[found.rows]
        hits: list[Hit] = []
        for at, score in _fused(found, discounted=comment)[:k]:
            parts = _parts(found, at) | {"coverage": float(coverage[at])}
            if comment[at]:
                parts["comment"] = 1.0
            passage = index.passages[found.rows[at]]
            hits.append(Hit(passage.id, score, len(hits) + 1, parts, _terms(asked, held, at)))
        return hits

    def _passage_mask(self, source: DocumentSource | None, product_id: str | None) -> Mask:
        allowed: Mask
        if source is not None:
            allowed = self._source == source
        elif product_id is not None:
            allowed = np.ones(len(self._source), np.bool_)
        else:
            allowed = ~self._comment
        if product_id is not None:
            of_product = np.zeros(len(self._source), np.bool_)
            of_product[self._rows_of_product.get(product_id, [])] = True
            allowed &= of_product
        return allowed

    def _candidates(
        self, asked: _Asked, texts: LexicalIndex, dense: VectorSearch, allowed: Mask
    ) -> Candidates:
        return find_candidates(
            query_scores(asked.units, texts),
            asked.vector,
            dense=dense,
            allowed=None if allowed.all() else allowed,
        )

    def _understand(self, text: str, language: str) -> _Asked:
        mended, corrections = self._lexicon.correct(text)
        asked = []
        for unit in units(mended):
            compounds = self._lexicon.compounds(unit.text)
            more = tuple((COMPOUND_CREDIT, (compound,)) for compound in compounds)
            same = tuple((SYNONYM_CREDIT, (word,)) for word in synonyms(unit.text))
            asked.append(replace(unit, alternatives=unit.alternatives + more, instead=same))
        readable = language in self._embedder.languages and (
            "zh" in self._embedder.languages or not has_cjk(mended)
        )
        has_vectors = len(self._products.dense) or len(self._passages.dense)
        vector = self._embedder.encode([mended])[0] if asked and readable and has_vectors else None
        return _Asked(mended, tuple(asked), corrections, vector)


def _weighted(held: Sequence[Floats], asked: Sequence[Unit], index: LexicalIndex) -> Floats:
    """Share of what was asked that each candidate holds, 0 to 1, words weighed by their idf."""
    weights = [index.unit_weight(unit) for unit in asked]
    total = np.zeros_like(held[0])
    for share, weight in zip(held, weights, strict=True):
        total += np.float32(weight / (sum(weights) or 1.0)) * share
    return total


def _strongest(held: Sequence[Floats], asked: Sequence[Unit]) -> Floats:
    """How far each candidate holds the word it holds best; a count or one character is none."""
    shares = [share for share, unit in zip(held, asked, strict=True) if unit.weight >= 1.0]
    strongest: Floats = np.max(shares or [np.zeros_like(held[0])], axis=0)
    return strongest


def _fused(found: Candidates, *, discounted: Mask | None = None) -> list[tuple[int, float]]:
    """(place among the candidates, fused score), best first, equals in the order of rows."""
    fused = reciprocal_rank_fusion(
        {
            "lexical": found.ranking(found.lexical_rank),
            "dense": found.ranking(found.dense_rank),
        }
    )
    scored = []
    for at, row in enumerate(found.rows.tolist()):
        share = COMMENT_SHARE if discounted is not None and discounted[at] else 1.0
        scored.append((at, share * fused[row]))
    return sorted(scored, key=lambda place: (-place[1], place[0]))


def _parts(found: Candidates, at: int) -> dict[str, float]:
    """The scores and ranks of one candidate; what a retriever does not know of it is left out."""
    parts = {"lexical": float(found.lexical[at])}
    if not np.isnan(found.dense[at]):
        parts["dense"] = float(found.dense[at])
    for name, ranks in (("lexical", found.lexical_rank), ("dense", found.dense_rank)):
        if ranks[at]:
            parts[f"{name}_rank"] = float(ranks[at])
    return parts


def _terms(asked: _Asked, held: Sequence[Floats], at: int) -> tuple[str, ...]:
    mended = {stem(right): f"{wrong}→{right}" for wrong, right in asked.corrections.items()}
    return tuple(
        mended.get(stem(unit.text), unit.text)
        for unit, share in zip(asked.units, held, strict=True)
        if share[at] >= _MIN_HELD
    )
