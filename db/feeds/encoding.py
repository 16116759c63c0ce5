"""Which encoding a file is in, by what its bytes are or declare; never by what is likely.

Knows nothing about formats.
"""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from db.feeds.errors import FeedError
from db.feeds.packing import opened

_CHUNK = 1 << 20
# bytes that are no UTF-8, as `surrogateescape` keeps them, and NUL
DAMAGE = re.compile("[\udc80-\udcff\0]")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_MAX_NULS = 0.05  # share of a text; more is a binary file
_DECLARED = re.compile(
    rb"""<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)|<meta[^>]*?charset\s*=\s*["']?([\w.:-]+)""", re.I
)
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# what pages call by an old name and write in its extension
_EXTENDED = {"gb2312": "gb18030", "gbk": "gb18030"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec, and whether some bytes of the file are damage that `errors="surrogateescape"` keeps."""

    codec: str
    damaged: bool = False

    @property
    def errors(self) -> str:
        return "surrogateescape" if self.damaged else "strict"


def detect_encoding(path: Path) -> Encoding:
    """UTF-8 with or without mark, UTF-16, what an XML or HTML file declares, or GB18030.

    UTF-8 holds also where a few bytes are none, as long as more characters beyond ASCII are: the
    rows with those bytes are for their reader to reject. GB18030 accepts nearly any bytes, so it
    counts only when what it reads is ordinary Chinese (nine in ten characters of GB 2312). Raises
    FeedError for anything else: Latin-1 and its kin cannot be told from each other.
    """
    try:
        state = path.stat()
    except OSError:
        with opened(path):  # says what is wrong
            raise
    return _detected(path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=4_096)  # one import asks several times for each of its files
def _detected(path: Path, _size: int, _changed: int) -> Encoding:
    with opened(path) as file:
        start = file.read(2_048)
    codec = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    if codec is None and len(start) >= 4:
        if start[0] and not start[1] and start[2] and not start[3]:
            codec = "utf-16-le"
        elif not start[0] and start[1] and not start[2] and start[3]:
            codec = "utf-16-be"
    if codec in {"utf-16-le", "utf-16-be"}:
        if _decodes(path, codec):
            return Encoding(codec)
        raise FeedError(f"{path.name} is not whole UTF-16: save it as UTF-8 and try again")
    utf8 = _utf8(path)
    if isinstance(utf8, Encoding):
        return utf8
    declared = _DECLARED.search(start)
    if declared:
        name = (declared[1] or declared[2]).decode("ascii", "replace").casefold()
        name = _EXTENDED.get(name, name)
        if name not in {"utf-8", "utf8"} and _decodes(path, name):
            return Encoding(codecs.lookup(name).name)
    elif _decodes(path, "gb18030"):
        return Encoding("gb18030")
    raise FeedError(
        f"{path.name} is neither UTF-8, UTF-16 nor GB18030 text (line {utf8} is the first with "
        "other bytes; it may be Latin-1 or Windows-1252): save it as UTF-8 and try again"
    )


def _utf8(path: Path) -> Encoding | int:
    """The encoding where the file is UTF-8, else the line where it first is not."""
    wide = bad = nuls = length = lines = first = 0
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    with opened(path) as file:
        for chunk in _chunks(file):
            text = decoder.decode(chunk, final=not chunk)
            length += len(text)
            nuls += text.count("\0")
            if not text.isascii():
                found = [match.start() for match in _NOT_UTF8.finditer(text)]
                if found and not first:
                    first = lines + text.count("\n", 0, found[0]) + 1
                bad += len(found)
                wide += len(re.findall(r"[^\x00-\x7f]", text)) - len(found)
            lines += text.count("\n")
    if nuls > _MAX_NULS * length:
        raise FeedError(f"{path.name} is no text: export it and save it as UTF-8")
    if bad and bad >= wide:
        return first
    return Encoding("utf-8", damaged=bad > 0 or nuls > 0)


def _decodes(path: Path, codec: str) -> bool:
    wide = common = 0
    try:
        decoder = codecs.getincrementaldecoder(codec)()
        with opened(path) as file:
            for chunk in _chunks(file):
                text = decoder.decode(chunk, final=not chunk)
                if "\0" in text:
                    return False
                if codec == "gb18030":
                    foreign = "".join(c for c in text if c > "\x7f")
                    wide += len(foreign)
                    common += len(foreign.encode("gb2312", "ignore")) // 2
    except (UnicodeDecodeError, LookupError):
        return False
    return common >= 0.9 * wide


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """The file in pieces, and an empty one at its end."""
    while chunk := file.read(_CHUNK):
        yield chunk
    yield b""


def skip_marks(start: bytes, codec: str) -> int:
    """How many bytes at the beginning are byte order marks; some programs write two."""
    if not codec.startswith(("utf", "gb18030")):
        return 0
    mark = "\ufeff".encode(codec)
    length = 0
    while start.startswith(mark, length):
        length += len(mark)
    return length
