"""Which texts hold which words how often, as sparse arrays that can be mapped from a file.

Knows nothing of scores or of where words come from.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.strings import StringTable

Rows = npt.NDArray[np.int32]


class Postings:
    """The words of `size` texts, for each word the rows that hold it, ascending, with counts.

    A text may be told in several streams, as title and description. Word t stands in
    `rows[starts[t]:starts[t + 1]]`, in stream s as often as `counts[s]` says there (uint8, or
    uint16 where a text repeats a word more often). `lengths`, shape (streams, size), counts all
    words of each stream of each text.
    """

    def __init__(
        self,
        vocabulary: StringTable,
        starts: npt.NDArray[np.int64],
        rows: Rows,
        counts: npt.NDArray[Any],
        lengths: Rows,
    ) -> None:
        """Raises ValueError when the arrays do not belong together."""
        fit = len(starts) == len(vocabulary) + 1 and len(rows) == int(starts[-1])
        if not fit or counts.shape != (len(lengths), len(rows)):
            raise ValueError("the arrays of the word index do not fit its vocabulary")
        self.vocabulary = vocabulary
        self.starts = starts
        self.rows = rows
        self.counts = counts
        self.lengths = lengths
        self.size = lengths.shape[1]

    @property
    def told(self) -> tuple[Lengths, ...]:
        """How long each stream is in all, and in how many texts it stands."""
        return tuple(Lengths.of(stream) for stream in self.lengths)

    def of(self, word: int) -> tuple[Rows, npt.NDArray[Any]]:
        """Rows and counts of one word, shapes (m,) and (streams, m)."""
        here = slice(int(self.starts[word]), int(self.starts[word + 1]))
        return self.rows[here], self.counts[:, here]

    def without(self, rows: npt.NDArray[np.int64]) -> Removed:
        """What these rows take with them when they no longer count; reads every posting."""
        gone = np.zeros(self.size, np.bool_)
        gone[rows] = True
        held = np.flatnonzero(gone[self.rows]) if len(rows) else np.zeros(0, np.int64)
        words = np.searchsorted(self.starts, held, side="right") - 1
        numbers, frequencies = np.unique(words, return_counts=True)
        return Removed(
            len(rows),
            tuple(Lengths.of(stream[rows]) for stream in self.lengths),
            {
                self.vocabulary[number]: frequency
                for number, frequency in zip(numbers.tolist(), frequencies.tolist(), strict=True)
            },
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything as plain arrays."""
        own: dict[str, npt.NDArray[Any]] = {
            "starts": self.starts,
            "rows": self.rows,
            "counts": self.counts,
        }
        words = {f"words-{name}": part for name, part in self.vocabulary.arrays().items()}
        return own | {"lengths": self.lengths} | words

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Postings:
        """The postings of `arrays()`. Raises ValueError or KeyError when they do not fit."""
        words = {name: arrays[f"words-{name}"] for name in ("text", "ends", "order")}
        return cls(
            StringTable.restore(words),
            *(arrays[name] for name in ("starts", "rows", "counts", "lengths")),
        )


PARTS = ("starts", "rows", "counts", "lengths", "words-text", "words-ends", "words-order")


@dataclass(frozen=True, slots=True)
class Lengths:
    """The words of one stream, and the texts that have any there."""

    words: int = 0
    texts: int = 0

    @classmethod
    def of(cls, lengths: Rows) -> Lengths:
        return cls(int(lengths.sum(dtype=np.int64)), int(np.count_nonzero(lengths)))


@dataclass(frozen=True, slots=True)
class Removed:
    """Texts that no longer count: how many, how long by stream, and how many held each word."""

    documents: int = 0
    lengths: tuple[Lengths, ...] = ()
    frequencies: Mapping[str, int] = field(default_factory=dict)


class PostingsBuilder:
    """Takes texts one by one, each as word → count in each of its streams, and makes their postings."""

    def __init__(self, streams: int = 1) -> None:
        self._numbers: dict[str, int] = {}
        self._words = array("i")
        self._counts = [array("H") for _ in range(streams)]
        self._distinct = array("i")
        self._lengths = [array("i") for _ in range(streams)]

    def add(self, counts: Sequence[Mapping[str, int]]) -> None:
        """The next text, a mapping for each stream."""
        numbers = self._numbers
        words = counts[0] if len(counts) == 1 else dict.fromkeys(chain(*counts))
        self._words.extend([numbers.setdefault(word, len(numbers)) for word in words])
        self._distinct.append(len(words))
        for kept, lengths, stream in zip(self._counts, self._lengths, counts, strict=True):
            kept.extend([min(stream.get(word, 0), 65_535) for word in words])
            lengths.append(sum(stream.values()))

    def build(self) -> Postings:
        """The postings of all texts that were added."""
        words = np.array(self._words, np.int32)
        texts = np.repeat(
            np.arange(len(self._distinct), dtype=np.int32),
            np.array(self._distinct, np.int32),
        )
        order = np.argsort(words, kind="stable")  # so that rows ascend within each word
        counts = np.stack([np.array(stream, np.uint16)[order] for stream in self._counts])
        starts = np.zeros(len(self._numbers) + 1, np.int64)
        np.cumsum(np.bincount(words, minlength=len(self._numbers)), out=starts[1:])
        small = not counts.size or counts.max() <= 255
        return Postings(
            StringTable.of(self._numbers),
            starts,
            texts[order],
            counts.astype(np.uint8) if small else counts,
            np.stack([np.array(stream, np.int32) for stream in self._lengths]),
        )
