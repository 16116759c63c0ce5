"""Which texts hold which words how often, as sparse arrays that can be mapped from a file.

Knows nothing of scores or of where words come from.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.strings import StringTable

Rows = npt.NDArray[np.int32]


class Postings:
    """The words of `size` texts, for each word the rows that hold it, ascending, with counts.

    Word t stands in `rows[starts[t]:starts[t + 1]]`, as often as `counts` says there (uint8, or
    uint16 where a text repeats a word more often). `lengths`, shape (size,), counts all words of
    each text.
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
        if len(starts) != len(vocabulary) + 1 or not len(rows) == len(counts) == int(starts[-1]):
            raise ValueError("the arrays of the word index do not fit its vocabulary")
        self.vocabulary = vocabulary
        self.starts = starts
        self.rows = rows
        self.counts = counts
        self.lengths = lengths
        self.size = len(lengths)
        self.length = int(lengths.sum(dtype=np.int64))

    def of(self, word: int) -> tuple[Rows, npt.NDArray[Any]]:
        """Rows and counts of one word."""
        here = slice(int(self.starts[word]), int(self.starts[word + 1]))
        return self.rows[here], self.counts[here]

    def without(self, rows: npt.NDArray[np.int64]) -> Removed:
        """What these rows take with them when they no longer count; reads every posting."""
        gone = np.zeros(self.size, np.bool_)
        gone[rows] = True
        held = np.flatnonzero(gone[self.rows]) if len(rows) else np.zeros(0, np.int64)
        words = np.searchsorted(self.starts, held, side="right") - 1
        numbers, frequencies = np.unique(words, return_counts=True)
        return Removed(
            len(rows),
            int(self.lengths[rows].sum(dtype=np.int64)),
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
class Removed:
    """Texts that no longer count: how many, how long together, and how many held each word."""

    documents: int = 0
    length: int = 0
    frequencies: Mapping[str, int] = field(default_factory=dict)


class PostingsBuilder:
    """Takes texts one by one, each as word → count, and makes their postings."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._words = array("i")
        self._counts = array("H")
        self._distinct = array("i")
        self._lengths = array("i")

    def add(self, counts: Mapping[str, int]) -> None:
        """The next text."""
        numbers = self._numbers
        self._words.extend([numbers.setdefault(word, len(numbers)) for word in counts])
        self._counts.extend([min(count, 65_535) for count in counts.values()])
        self._distinct.append(len(counts))
        self._lengths.append(sum(counts.values()))

    def build(self) -> Postings:
        """The postings of all texts that were added."""
        words = np.array(self._words, np.int32)
        texts = np.repeat(
            np.arange(len(self._distinct), dtype=np.int32),
            np.array(self._distinct, np.int32),
        )
        order = np.argsort(words, kind="stable")  # so that rows ascend within each word
        counts = np.array(self._counts, np.uint16)[order]
        starts = np.zeros(len(self._numbers) + 1, np.int64)
        np.cumsum(np.bincount(words, minlength=len(self._numbers)), out=starts[1:])
        small = not len(counts) or counts.max() <= 255
        return Postings(
            StringTable.of(self._numbers),
            starts,
            texts[order],
            counts.astype(np.uint8) if small else counts,
            np.array(self._lengths, np.int32),
        )
