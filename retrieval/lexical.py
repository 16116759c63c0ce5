"""BM25F over weighted fields, with the evidence of which words of a query a text holds.

A text is told in streams, as its title and its description. In each a word's count is made
comparable by the stream's length, and the sum over the streams saturates once (Robertson, Zaragoza:
"The Probabilistic Relevance Framework: BM25 and Beyond", 2009): idf · tf / (k1 + tf),
tf = Σ count / (1 − b + b·|d|/avgdl), idf = ln(1 + (N − df + ½)/(df + ½)); with one stream it is
Lucene's variant of BM25 (Kamphuis et al., "Which BM25 Do You Mean?", ECIR 2020). A field's weight
is how often its words are counted; a text without a stream is no text of average length there.
Counts are kept and not scores, so texts that come or go change the scores of all others as a build
from nothing would. Knows nothing of products, vectors or files.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.postings import Postings, PostingsBuilder, Removed
from retrieval.text import Unit, tokens

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int32]

K1 = 1.2
B = 0.75
# A part of a word ("电风" of 电风扇, a single character) ranks, but far behind the word itself.
PART_WEIGHT = 0.25
_RECENT = 2048


class LexicalIndex:
    """A BM25 index of `size` rows: the texts of one or several segments, one after the other.

    `removed` tells what rows that no longer count took with them. They keep their numbers and may
    still be named by `rows_with` and scored: whoever searches leaves them out by a condition.
    """

    def __init__(
        self, segments: Sequence[Postings], removed: Removed | None = None, *, k1: float = K1
    ) -> None:
        self.segments = tuple(segments)
        self.removed = removed or Removed()
        self.size = sum(segment.size for segment in segments)
        self._documents = self.size - self.removed.documents
        self._k1 = k1
        means = self._means()
        self._norms = [
            [
                np.asarray(1 / (1 - B + B * stream / mean), np.float32)
                for stream, mean in zip(segment.lengths, means, strict=True)
            ]
            for segment in segments
        ]
        self._starts = np.cumsum([0, *(segment.size for segment in segments)]).tolist()
        # a query asks for each of its words many times
        self._postings = lru_cache(_RECENT)(self._find)
        self._frequency = lru_cache(_RECENT)(self._count)

    @classmethod
    def build(
        cls,
        texts: Sequence[Mapping[str, str]],
        *,
        streams: Sequence[Mapping[str, int]],
        k1: float = K1,
    ) -> LexicalIndex:
        """Indexes texts given as field → text; each stream is field → weight.

        Fields that no stream names are left out.
        """
        builder = PostingsBuilder(len(streams))
        for fields in texts:
            builder.add(counted(fields).weighted(streams))
        return cls([builder.build()], k1=k1)

    def _means(self) -> list[float]:
        """The average length of each stream over the texts that have it."""
        told = [segment.told for segment in self.segments]
        gone = self.removed.lengths
        means = []
        for stream in range(max(map(len, told), default=0)):
            words = sum(lengths[stream].words for lengths in told)
            texts = sum(lengths[stream].texts for lengths in told)
            if gone:
                words, texts = words - gone[stream].words, texts - gone[stream].texts
            means.append(words / texts if texts and words else 1.0)
        return means

    def _find(self, token: str) -> list[tuple[int, Rows, npt.NDArray[Any]]]:
        """(segment, rows within it, counts) of the segments that hold the token."""
        found = []
        for at, segment in enumerate(self.segments):
            number = segment.vocabulary.find(token)
            if number is not None:
                found.append((at, *segment.of(number)))
        return found

    def __contains__(self, token: object) -> bool:
        return isinstance(token, str) and self.frequency(token) > 0

    def frequency(self, token: str) -> int:
        """How many texts hold the token."""
        return self._frequency(token)

    def _count(self, token: str) -> int:
        held = sum(len(rows) for _, rows, _ in self._postings(token))
        return held - self.removed.frequencies.get(token, 0)

    def idf(self, token: str) -> float:
        """Inverse document frequency, highest for a token that no text holds."""
        df = self.frequency(token)
        return math.log(1 + (self._documents - df + 0.5) / (df + 0.5))

    def rows_with(self, token: str) -> Rows:
        """Rows of the texts that hold the token, ascending."""
        found = [rows + self._starts[at] if at else rows for at, rows, _ in self._postings(token)]
        if len(found) == 1:
            return found[0]
        joined: Rows = np.concatenate([np.zeros(0, np.int32), *found])
        return joined

    def scores(self, weighted: Mapping[str, float]) -> Floats:
        """BM25 of every text, shape (size,), for query tokens with their weights."""
        total = np.zeros(self.size, np.float32)
        for token, weight in weighted.items():
            factor = np.float32(weight * self.idf(token))
            for at, rows, counts in self._postings(token):
                impact = self._frequencies(at, rows, counts)
                impact /= impact + np.float32(self._k1)
                impact *= factor
                total[self._starts[at] : self._starts[at + 1]][rows] += impact
        return total

    def _frequencies(self, segment: int, rows: Rows, counts: npt.NDArray[Any]) -> Floats:
        """How often rows of a segment hold a word, made comparable and summed over the streams."""
        total = np.zeros(len(rows), np.float32)
        for stream, norm in zip(counts, self._norms[segment], strict=True):
            held = np.flatnonzero(stream)
            if len(held) == len(rows):
                total += stream * norm[rows]
            else:
                total[held] += stream[held] * norm[rows[held]]
        return total

    def held(self, unit: Unit, rows: npt.NDArray[np.int64]) -> Floats:
        """How far each of the texts in `rows` holds a query word, 0 to 1, shape (len(rows),).

        Parts of the word count by their idf.
        """
        best = np.zeros(len(rows), np.float32)
        for credit, parts in unit.alternatives + unit.instead:
            idfs = [self.idf(part) for part in parts]
            share = np.zeros(len(rows), np.float32)
            for part, idf in zip(parts, idfs, strict=True):
                share[self.holding(part, rows)] += np.float32(credit * idf / (sum(idfs) or 1.0))
            np.maximum(best, share, out=best)
        return best

    def holding(self, token: str, rows: npt.NDArray[np.int64]) -> Mask:
        """Which of the texts in `rows` hold the token, shape (len(rows),)."""
        posting = self.rows_with(token)
        if not len(posting):
            return np.zeros(len(rows), np.bool_)
        sought = np.asarray(rows, np.int32)  # the type of the posting, which is then not copied
        at = np.minimum(np.searchsorted(posting, sought), len(posting) - 1)
        held: Mask = posting[at] == sought
        return held

    def unit_weight(self, unit: Unit) -> float:
        """How much a query word says: its own weight times the idf of its commonest full form.

        Where no text holds the word itself, the words that name the same thing stand for it.
        """
        known = [
            max(map(self.idf, parts))
            for credit, parts in unit.alternatives
            if credit >= 0.5 and all(part in self for part in parts)
        ] or [max(map(self.idf, parts)) for _, parts in unit.instead if parts[0] in self]
        return unit.weight * (min(known) if known else self.idf(""))


@dataclass(frozen=True, slots=True)
class Counted:
    """How often each field of a text holds each token; the fields are read once for all indexes."""

    fields: Mapping[str, Mapping[str, int]]

    def weighted(self, streams: Sequence[Mapping[str, int]]) -> list[dict[str, int]]:
        """For each stream token → count over the fields that it names, each times its weight."""
        told = []
        for weights in streams:
            total: dict[str, int] = {}
            for name, weight in weights.items():
                for token, count in self.fields.get(name, {}).items():
                    total[token] = total.get(token, 0) + count * weight
            told.append(total)
        return told


def counted(fields: Mapping[str, str]) -> Counted:
    """The tokens of a text given as field → text."""
    return Counted({name: Counter(tokens(text)) for name, text in fields.items()})


def query_scores(units: Sequence[Unit], index: LexicalIndex) -> Floats:
    """BM25 of every text for the words of a query, shape (size,); of words for one thing, the best."""
    plain = [unit for unit in units if not unit.instead]
    total = index.scores(query_weights(plain, index))
    for unit in units:
        if unit.instead:
            ways = (unit.alternatives, unit.instead)
            scores = (
                index.scores(query_weights([replace(unit, alternatives=way)], index))
                for way in ways
            )
            total += np.maximum(*scores)
    return total


def query_weights(units: Sequence[Unit], index: LexicalIndex) -> dict[str, float]:
    """Tokens of query words with the weights they rank by.

    The single tokens that may stand for one word share the idf of the commonest, as synonyms do:
    otherwise the rare "phone" of a phone case would outrank every smartphone.
    """
    weighted: dict[str, float] = {}
    for unit in units:
        singles = [parts[0] for _, parts in unit.alternatives if len(parts) == 1]
        shared = min((index.idf(token) for token in singles if token in index), default=0.0)
        for credit, parts in unit.alternatives:
            for part in parts:
                weight = unit.weight * credit * (PART_WEIGHT if _characters(parts) else 1.0)
                if len(parts) == 1 and part in index:
                    weight *= shared / index.idf(part)
                weighted[part] = max(weighted.get(part, 0.0), weight)
    return weighted


def _characters(parts: Sequence[str]) -> bool:
    """Whether a word is matched by its single Chinese characters."""
    return len(parts) > 1 and all(len(part) == 1 and not part.isascii() for part in parts)
