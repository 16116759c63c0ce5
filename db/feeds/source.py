"""Files as text, and the limits of everything that is read from a shop.

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

from db.feeds.encoding import Encoding, detect_encoding, skip_marks
from db.feeds.errors import FeedError
from db.feeds.packing import Progress, opened
from db.records import RejectedRow

__all__ = ["FeedError", "Head", "Progress"]

MAX_FIELD = 1_000_000  # characters in one cell, line of JSON or Markdown page times four
MAX_LINE = 4 * MAX_FIELD
MAX_ROWS = 5_000_000
_HEAD_BYTES = 65_536

MARKDOWN_SUFFIXES = frozenset({".md", ".markdown", ".mdown"})


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file, decoded, for formats to recognise themselves by.

    `text` holds at most 64 KB. `progress` is told of the bytes that are read from it later.
    """

    path: Path
    encoding: Encoding
    text: str
    progress: Progress | None = None


def read_head(path: Path, progress: Progress | None = None) -> Head:
    """Decode the first 64 KB of a file. Raises FeedError for what is no text."""
    encoding = detect_encoding(path)
    with _from_first_character(path, encoding) as file:
        decoder = codecs.getincrementaldecoder(encoding.codec)(encoding.errors)
        text = decoder.decode(file.read(_HEAD_BYTES))
    return Head(path, encoding, text, progress)


@contextmanager
def _from_first_character(
    path: Path, encoding: Encoding, progress: Progress | None = None
) -> Iterator[BinaryIO]:
    with opened(path, progress) as file:
        buffered = file if isinstance(file, io.BufferedReader) else io.BufferedReader(file)  # type: ignore[type-var]
        buffered.read(skip_marks(buffered.peek(64)[:64], encoding.codec))
        yield buffered


@contextmanager
def open_text(head: Head) -> Iterator[TextIO]:
    """A text stream without byte order marks that keeps line ends as they are (`newline=""`)."""
    encoding = head.encoding
    with (
        _from_first_character(head.path, encoding, head.progress) as file,
        io.TextIOWrapper(file, encoding.codec, encoding.errors, newline="") as text,
    ):
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
def open_utf8(head: Head) -> Iterator[ReadsBytes]:
    """A byte stream of the file in UTF-8 without mark, whatever its own encoding, for ijson."""
    if head.encoding.codec == "utf-8":
        with _from_first_character(head.path, head.encoding, head.progress) as file:
            yield file
    else:
        with open_text(head) as text:
            yield _Recoded(text)


def read_markdown(path: Path) -> str:
    """The whole text of one Markdown page with `\\n` line ends.

    Raises FeedError when the page is larger than four megabytes or is no text.
    """
    head = read_head(path)
    with open_text(head) as file:
        text = file.read(MAX_LINE + 1)
    if len(text) > MAX_LINE:
        raise FeedError(f"{path.name} is larger than 4 MB: split it into several pages")
    if head.encoding.damaged:
        raise FeedError(f"{path.name} holds bytes that are no UTF-8: save it as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


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
