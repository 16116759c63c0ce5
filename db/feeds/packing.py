"""A file's bytes, unpacked where it is gzipped; archives, spreadsheets and bombs are refused.

Told by the first bytes, never by the name. Knows nothing about text.
"""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from db.feeds.errors import FeedError

Progress = Callable[[int], None]
"""Told the number of bytes of the file, as it lies on the disk, that were read since the last call."""

MAX_UNPACKED = 20 << 30  # bytes that one file may unpack to
# Deflate packs at most 1,032 to 1; the most repetitive real export seen packs 40 to 1.
_MAX_RATIO = 250
_RATIO_FROM = 32 << 20  # bytes unpacked before the ratio is judged
_BUFFER = 1 << 16
_GZIP = b"\x1f\x8b"
_NO_FEED = {
    b"PK\x03\x04": "is a zip archive or a spreadsheet: unpack it, or save the sheet as CSV",
    b"PK\x05\x06": "is an empty zip archive: export the feed again",
    b"\xd0\xcf\x11\xe0": "is an old Excel file: save the sheet as CSV",
    b"%PDF": "is a PDF: export the catalogue as CSV, JSON or XML",
    b"BZh": "is packed with bzip2: unpack it, or pack it with gzip",
    b"\xfd7zXZ": "is packed with xz: unpack it, or pack it with gzip",
    b"\x28\xb5\x2f\xfd": "is packed with zstd: unpack it, or pack it with gzip",
    b"7z\xbc\xaf": "is a 7z archive: unpack it, or pack the feed with gzip",
    b"Rar!": "is a RAR archive: unpack it, or pack the feed with gzip",
}


class _Counted(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._file = file
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        count = int(self._file.readinto(buffer))  # type: ignore[attr-defined]
        self._progress(count)
        return count


class _Unpacked(io.RawIOBase):
    """The bytes of a gzipped file, bounded; a torn or swollen one raises FeedError."""

    def __init__(self, packed: BinaryIO, path: Path) -> None:
        self._file = gzip.GzipFile(fileobj=packed, mode="rb")
        self._path = path
        self._size = path.stat().st_size
        self._unpacked = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        name = self._path.name
        try:
            count = int(self._file.readinto(buffer))  # type: ignore[arg-type]
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FeedError(f"{name} is no whole gzip file ({error}): fetch it again") from None
        self._unpacked += count
        swollen = self._unpacked > _RATIO_FROM and self._unpacked > _MAX_RATIO * self._size
        if swollen or self._unpacked > MAX_UNPACKED:
            raise FeedError(
                f"{name} unpacks to more than {self._unpacked >> 20:,} MB from {self._size:,} "
                "bytes, which no feed does: unpack it by hand and look at it"
            )
        return count


@contextmanager
def opened(path: Path, progress: Progress | None = None) -> Iterator[BinaryIO]:
    """The unpacked bytes of a file from their beginning; they cannot be sought in.

    Raises FeedError for a file that cannot be opened, and while it is read for one that is torn.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise FeedError(f"{path} does not exist: check the path") from None
    except OSError as error:
        raise FeedError(f"{path} cannot be read: {error.strerror}") from error
    with file:
        start = file.read(8)
        file.seek(0, os.SEEK_SET)
        _refuse(start, path.name)
        raw = cast(BinaryIO, file)
        if progress is not None:
            raw = cast(BinaryIO, io.BufferedReader(_Counted(file, progress), _BUFFER))
        if start[:2] != _GZIP:
            yield raw
            return
        unpacked = io.BufferedReader(_Unpacked(raw, path), _BUFFER)
        inner = unpacked.peek(8)[:8]
        if inner[:2] == _GZIP:
            raise FeedError(f"{path.name} is gzipped twice: unpack it once")
        _refuse(inner, path.name)
        yield unpacked


def _refuse(start: bytes, name: str) -> None:
    for magic, reason in _NO_FEED.items():
        if start.startswith(magic):
            raise FeedError(f"{name} {reason}")
