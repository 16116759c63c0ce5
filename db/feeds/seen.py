"""Which ids a feed has had, and where each stood, in 24 bytes an id.

Knows nothing about products.
"""

from __future__ import annotations

import hashlib
from array import array

_START = 1 << 12


class Seen:
    """Ids by their 64-bit BLAKE2 hashes in an open-addressed table, at most half full.

    Two of a million different ids share a hash with a probability of 3e-8.
    """

    def __init__(self) -> None:
        self._hashes = array("Q", bytes(8 * _START))
        self._places = array("L", bytes(array("L").itemsize * _START))
        self._count = 0

    def add(self, key: str, place: int) -> int | None:
        """Keep where an id stands; the place that it stood at before, or None if it is new."""
        digest = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()
        found = int.from_bytes(digest, "little") or 1
        slot = self._slot(found)
        if self._hashes[slot]:
            return self._places[slot]
        self._hashes[slot], self._places[slot] = found, place
        self._count += 1
        if 2 * self._count > len(self._hashes):
            self._grow()
        return None

    def _slot(self, found: int) -> int:
        mask = len(self._hashes) - 1
        slot = found & mask
        while (held := self._hashes[slot]) and held != found:
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        hashes, places = self._hashes, self._places
        self._hashes = array("Q", bytes(16 * len(hashes)))
        self._places = array("L", bytes(2 * places.itemsize * len(places)))
        for found, place in zip(hashes, places, strict=True):
            if found:
                slot = self._slot(found)
                self._hashes[slot], self._places[slot] = found, place
