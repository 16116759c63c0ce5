"""Files as text: encodings, limits and errors of everything that is read from a shop.

Knows nothing about formats, columns or products.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, TextIO

from db.records import RejectedRow

MAX_FIELD = 1_000_000  # characters in one cell, line of JSON or Markdown page times four
MAX_LINE = 4 * MAX_FIELD
MAX_ROWS = 1_000_000
_HEAD_BYTES = 65_536
_CHUNK = 1 << 20

MARKDOWN_SUFFIXES = frozenset({".md", ".markdown", ".mdown"})


class FeedError(Exception):
    """A file cannot be read as a whole; the message names the file and the remedy in one line."""


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file, decoded, for formats to recognise themselves by.

    `text` holds at most 64 KB; `columns` are the column names (CSV) or keys (JSON) of the first
    rows, filled in by whoever has read them.
    """

    path: Path
    encoding: str
    text: str


def detect_encoding(path: Path) -> str:
    """The codec of a text file: UTF-8 with or without mark, UTF-16, or GB18030.

    Raises FeedError when none of them reads the whole file. GB18030 accepts nearly any bytes, so
    it counts only when what it reads is ordinary Chinese (nine in ten characters of GB 2312).
    """
    with _opened(path) as file:
        start = file.read(4)
        if start.startswith(codecs.BOM_UTF8):
            encoding = "utf-8-sig"
        elif start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            encoding = "utf-16"
        elif len(start) == 4 and start[0] and not start[1] and start[2] and not start[3]:
            encoding = "utf-16-le"
        elif len(start) == 4 and not start[0] and start[1] and not start[2] and start[3]:
            encoding = "utf-16-be"
        else:
            encoding = "utf-8"
        file.seek(0)
        if _decodes(file, encoding):
            return encoding
        file.seek(0)
        if encoding == "utf-8" and _decodes(file, "gb18030"):
            return "gb18030"
    raise FeedError(
        f"{path.name} is neither UTF-8, UTF-16 nor GB18030 text: save it as UTF-8 and try again"
    )


def _decodes(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    wide = common = 0
    try:
        while chunk := file.read(_CHUNK):
            text = decoder.decode(chunk)
            if "\0" in text:
                return False
            if encoding == "gb18030":
                foreign = "".join(c for c in text if c > "\x7f")
                wide += len(foreign)
                common += len(foreign.encode("gb2312", "ignore")) // 2
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return encoding != "gb18030" or common >= 0.9 * wide


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise FeedError(f"{path} does not exist: check the path") from None
    except OSError as error:
        raise FeedError(f"{path} cannot be read: {error.strerror}") from error
    with file:
        yield file


def read_head(path: Path) -> Head:
    """Decode the first 64 KB of a file. Raises FeedError for what is no text."""
    encoding = detect_encoding(path)
    with _opened(path) as file:
        text = codecs.getincrementaldecoder(encoding)().decode(file.read(_HEAD_BYTES))
    return Head(path, encoding, text)


@contextmanager
def open_text(path: Path, encoding: str) -> Iterator[TextIO]:
    """A text stream that keeps line ends inside quotes as they are (`newline=""`)."""
    with _opened(path) as file, io.TextIOWrapper(file, encoding=encoding, newline="") as text:
        yield text


class ReadsBytes(Protocol):
    """All that ijson asks of a file."""

    def read(self, size: int = -1, /) -> bytes: ...


class _Recoded:
    """A text file as its bytes in UTF-8."""

    def __init__(self, text: TextIO) -> None:
        self._text = text

    def read(self, size: int = -1, /) -> bytes:
        return self._text.read(size).encode()


@contextmanager
def open_utf8(path: Path, encoding: str) -> Iterator[ReadsBytes]:
    """A byte stream of the file in UTF-8 without mark, whatever its own encoding, for ijson."""
    with _opened(path) as file:
        if encoding == "utf-8":
            yield file
        elif encoding == "utf-8-sig":
            file.seek(len(codecs.BOM_UTF8))
            yield file
        else:
            yield _Recoded(io.TextIOWrapper(file, encoding=encoding, newline=""))


def read_markdown(path: Path) -> str:
    """The whole text of one Markdown page with `\\n` line ends.

    Raises FeedError when the page is larger than four megabytes or is no text.
    """
    encoding = detect_encoding(path)
    if path.stat().st_size > MAX_LINE:
        raise FeedError(f"{path.name} is larger than 4 MB: split it into several pages")
    with open_text(path, encoding) as file:
        return file.read().replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")


def files_of(path: Path) -> list[Path]:
    """The path itself, or the files under a folder in a stable order; hidden files are left out."""
    if not path.exists():
        raise FeedError(f"{path} does not exist: check the path")
    if path.is_file():
        return [path]
    return sorted(
        p
        for p in path.rglob("*")
        if p.is_file() and not any(part.startswith(".") for part in p.relative_to(path).parts)
    )


def read_markdown_pages(folder: Path) -> Iterator[tuple[Path, str, str] | RejectedRow]:
    """Each Markdown page of a folder (or the one file), in the order of their names.

    Yields (path, name below the folder without suffix, text); a page that cannot be read, or is
    empty, is rejected alone.
    """
    for page in files_of(folder):
        if page.suffix.lower() not in MARKDOWN_SUFFIXES:
            continue
        try:
            text = read_markdown(page)
        except FeedError as error:
            yield RejectedRow(page.name, str(error))
            continue
        if not text.strip():
            yield RejectedRow(page.name, "is empty")
            continue
        stem = page.relative_to(folder).with_suffix("") if folder.is_dir() else Path(page.stem)
        yield page, stem.as_posix(), text
