"""Many strings in three arrays, so that a million of them can be mapped from a file.

Knows nothing of what the strings mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


class StringTable:
    """Strings by number, and numbers by string.

    `text` is all strings in UTF-8 one after the other, `ends` where each stops, `order` the
    numbers in the byte order of the strings, by which one is found (empty: none can be).
    """

    def __init__(
        self,
        text: npt.NDArray[np.uint8],
        ends: npt.NDArray[np.int64],
        order: npt.NDArray[np.int32],
    ) -> None:
        """Raises ValueError when the arrays do not belong together."""
        if len(order) not in (0, len(ends)) or (int(ends[-1]) if len(ends) else 0) != len(text):
            raise ValueError("the arrays of the strings do not belong together")
        self._text = text
        self._ends = ends
        self._order = order

    @classmethod
    def of(cls, strings: Iterable[str]) -> StringTable:
        """Keeps strings in their order."""
        return cls.of_bytes([string.encode() for string in strings])

    @classmethod
    def of_bytes(cls, encoded: Sequence[bytes], *, findable: bool = True) -> StringTable:
        """Keeps strings that are UTF-8 already; what is never sought needs no order of its own."""
        ends = np.cumsum([len(one) for one in encoded], dtype=np.int64)
        order = sorted(range(len(encoded)), key=encoded.__getitem__) if findable else []
        text = np.frombuffer(b"".join(encoded), np.uint8)
        return cls(text, ends, np.array(order, np.int32))

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, at: int) -> str:
        return self.bytes_of(at).decode()

    def __iter__(self) -> Iterator[str]:
        return map(self.__getitem__, range(len(self)))

    def bytes_of(self, at: int) -> bytes:
        """One string in UTF-8."""
        start = int(self._ends[at - 1]) if at else 0
        return self._text[start : int(self._ends[at])].tobytes()

    def find(self, string: str) -> int | None:
        """The number of a string (of one that stands several times, any), None without it."""
        sought = string.encode()
        low, high = 0, len(self._order)
        while low < high:
            middle = (low + high) // 2
            if self.bytes_of(int(self._order[middle])) < sought:
                low = middle + 1
            else:
                high = middle
        if low < len(self._order):
            at = int(self._order[low])
            if self.bytes_of(at) == sought:
                return at
        return None

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The table as plain arrays."""
        return {"text": self._text, "ends": self._ends, "order": self._order}

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> StringTable:
        """The table of `arrays()`. Raises ValueError or KeyError when they do not fit."""
        return cls(arrays["text"], arrays["ends"], arrays["order"])


class Joined(Sequence[str]):
    """Several tables as one sequence, numbers counted on."""

    def __init__(self, tables: Sequence[StringTable]) -> None:
        self._tables = tuple(tables)
        self._starts = np.cumsum([0, *map(len, tables)]).tolist()

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, at: Any) -> Any:
        for table, start in zip(self._tables, self._starts, strict=False):
            if at < start + len(table):
                return table[at - start]
        raise IndexError(at)

    def bytes_of(self, at: int) -> bytes:
        """One string in UTF-8."""
        for table, start in zip(self._tables, self._starts, strict=False):
            if at < start + len(table):
                return table.bytes_of(at - start)
        raise IndexError(at)

    def find(self, string: str) -> list[int]:
        """The numbers of a string, one in each table that has it."""
        found = (
            (table.find(string), start)
            for table, start in zip(self._tables, self._starts, strict=False)
        )
        return [at + start for at, start in found if at is not None]
