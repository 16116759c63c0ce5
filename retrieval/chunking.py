"""A document's Markdown cut into passages under their heading path.

A passage is verbatim text of the shop: marks of headings, tables and emphasis are left out, no
word is added, left out or moved. Knows nothing of how passages are searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from db.records import Document, Passage, PassageId
from retrieval.sentences import sentence_spans, sentences
from retrieval.text import CJK, normalise

__all__ = ["passages_of", "readable", "sentences"]

MAX_WORDS = 90
_CJK_WORDS = 0.45  # 200 Chinese characters fill a passage as 90 English words do
_ENTRY_FACTOR = 2.5  # how far a question with its answer may exceed the measure
_CHAR = re.compile(f"[{CJK}]")
_WORD = re.compile(rf"(?:(?![{CJK}])\w)+")
# An emphasis mark may go where white space, a colon or a Chinese character stands outside it;
# elsewhere ("**30 days**.") its going would join what the source keeps apart for a comparison.
_OUTSIDE = rf"[\s:：{CJK}，。！？；、“”（）]"
_MARKS = re.compile(
    rf"(?:(?<={_OUTSIDE})|^)(?:\*{{1,3}}|`+)(?=\S)|(?<=\S)(?:\*{{1,3}}|`+)(?={_OUTSIDE}|$)",
    re.MULTILINE,
)
_TAGS = re.compile(r"<[^>]*>")
_QUESTION = re.compile(r"[?？][*_`\"'”]*\s*$")
_LEADS_ON = re.compile(r"[?？:：][*_`\"'”]*\s*$")
_BOLD_LINE = re.compile(r"\s*(\*\*|__)[^\n]{1,120}\1\s*:?\s*$")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, list item or table row: where it stands, and whether it belongs to the next."""

    block: int
    start: int
    end: int
    words: float
    asks: bool = False
    leads_on: bool = False


@dataclass(frozen=True, slots=True)
class _Block:
    """A paragraph, list item, table row or line of code under its heading path."""

    heading: tuple[str, ...]
    text: str
    whole: bool
    asks: bool
    leads_on: bool


def readable(text: str) -> str:
    """A passage's text as it is shown: the Markdown marks that verbatim text keeps are removed."""
    text = re.sub(r"!?\[([^\]]+)\]\((?:[^)\s]+)[^)]*\)", r"\1", text)
    return re.sub(r"\*+|`+|(?<!\w)_{1,2}(?=\S)|(?<=\S)_{1,2}(?!\w)", "", text)


def passages_of(document: Document) -> list[Passage]:
    """Passages of a document in order, at most about 90 words or 200 Chinese characters each.

    A passage ends where a sentence, list item or table row ends, and never spans two headings.
    A question and its answer stay together, as do a line that ends in a colon and what follows
    it. The document's title leads every heading path.
    """
    blocks = list(_blocks(document))
    found: list[Passage] = []
    first = 0
    while first < len(blocks):
        last = first
        while last < len(blocks) and blocks[last].heading == blocks[first].heading:
            last += 1
        for text in _chunks(blocks[first:last]):
            ordinal = len(found)
            found.append(
                Passage(
                    PassageId(f"{document.id}#{ordinal}"),
                    document.id,
                    document.source,
                    blocks[first].heading,
                    text,
                    ordinal,
                    document.product_id,
                )
            )
        first = last
    return found


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")


def _without_marks(raw: str) -> str:
    return re.sub(r"[ \t]+$", "", _MARKS.sub("", raw), flags=re.MULTILINE).strip()


class _Walk:
    """Where the walk over the Markdown tokens stands: heading path, list items, table row."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._levels: list[tuple[int, str]] = []
        self._markers: list[str] = []
        self.row: list[str] | None = None

    @property
    def heading(self) -> tuple[str, ...]:
        path = tuple(text for _, text in self._levels)
        if self._title and (not path or normalise(path[0]) != normalise(self._title)):
            return (self._title, *path)
        return path

    def enter(self, token: Token, following: str) -> None:
        """Takes in a token that opens or closes something; `following` is the next one's text."""
        if token.type == "heading_open":
            level, text = int(token.tag[1]), _without_marks(readable(following))
            self._levels = [entry for entry in self._levels if entry[0] < level]
            if text:
                self._levels.append((level, text))
        elif token.type == "list_item_open":
            self._markers.append(_marker(token))
        elif token.type == "list_item_close":
            self._markers.pop()
        elif token.type == "tr_open":
            self.row = []

    @property
    def listed(self) -> bool:
        return bool(self._markers)

    def marker(self) -> str:
        """The marker of the present list item, for its first paragraph only."""
        if not self._markers:
            return ""
        marker, self._markers[-1] = self._markers[-1], ""
        return marker


def _blocks(document: Document) -> Iterator[_Block]:
    """Walks the Markdown tokens; texts are the source's own, not rendered."""
    walk = _Walk(_without_marks(document.title))
    parsed = _markdown().parse(document.markdown)
    for at, token in enumerate(parsed):
        walk.enter(token, parsed[at + 1].content if at + 1 < len(parsed) else "")
        if token.type == "tr_close" and walk.row is not None:
            if text := " | ".join(cell for cell in walk.row if cell):
                yield _Block(walk.heading, text, whole=True, asks=False, leads_on=False)
            walk.row = None
        elif token.type == "inline" and walk.row is not None:
            walk.row.append(_without_marks(token.content))
        elif token.type == "inline" and parsed[at - 1].type == "paragraph_open":
            listed = walk.listed
            yield from _paragraph(walk.heading, token.content, walk.marker(), listed=listed)
        elif token.type in {"fence", "code_block", "html_block"}:
            content = _TAGS.sub(" ", token.content) if token.type == "html_block" else token.content
            for line in filter(None, map(str.strip, content.splitlines())):
                yield _Block(walk.heading, line, whole=True, asks=False, leads_on=False)


def _marker(token: Token) -> str:
    return f"{token.info}{token.markup} " if token.info else f"{token.markup} "


def _paragraph(
    heading: tuple[str, ...], raw: str, marker: str, *, listed: bool
) -> Iterator[_Block]:
    text = _without_marks(_TAGS.sub(" ", raw))
    if not text:
        return
    bold = _BOLD_LINE.fullmatch(raw) is not None
    first_line = text.split("\n", 1)[0]
    asks = not listed and len(first_line) <= 200 and _QUESTION.search(first_line) is not None
    yield _Block(
        heading,
        marker + text,
        whole=listed and _measure(text) <= MAX_WORDS,
        asks=asks,
        leads_on=bold or _LEADS_ON.search(text) is not None,
    )


def _measure(text: str) -> float:
    """Length in English words; a Chinese character counts 0.45."""
    return len(_WORD.findall(text)) + _CJK_WORDS * len(_CHAR.findall(text))


def _pieces(blocks: list[_Block]) -> Iterator[_Piece]:
    for number, block in enumerate(blocks):
        spans = [(0, len(block.text))] if block.whole else sentence_spans(block.text)
        spans = [part for span in spans for part in _bounded(block.text, *span)]
        for at, (start, end) in enumerate(spans):
            yield _Piece(
                number,
                start,
                end,
                _measure(block.text[start:end]),
                asks=block.asks and at == 0,
                leads_on=(block.leads_on and at == len(spans) - 1) or (block.asks and at == 0),
            )


def _bounded(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cuts a span without any sentence end at spaces or commas, so that no passage is endless."""
    limit = 1200
    found = []
    while end - start > limit:
        window = text[start : start + limit]
        cut = max(window.rfind(" "), window.rfind("，"), window.rfind("\n"))
        cut = start + (cut + 1 if cut > limit // 2 else limit)
        found.append((start, cut))
        start = cut
    return [*found, (start, end)]


def _chunks(blocks: list[_Block]) -> Iterator[str]:
    """Texts of the passages of one section."""
    taken: list[_Piece] = []
    size = 0.0
    for piece in _pieces(blocks):
        entry = bool(taken) and taken[0].asks
        limit = MAX_WORDS * (_ENTRY_FACTOR if entry else 1.0)
        held = bool(taken) and taken[-1].leads_on
        late = piece.leads_on and size > limit * 0.6  # what it leads to would not fit
        full = (late or size + piece.words > limit) and not held
        if taken and (full or (piece.asks and not held)):
            yield _joined(blocks, taken)
            taken, size = [], 0.0
        taken.append(piece)
        size += piece.words
    if taken:
        yield _joined(blocks, taken)


def _joined(blocks: list[_Block], pieces: list[_Piece]) -> str:
    """The pieces as the source runs: cut from one block in one go, blocks on lines of their own."""
    lines: list[str] = []
    at = 0
    while at < len(pieces):
        last = at
        while last + 1 < len(pieces) and pieces[last + 1].block == pieces[at].block:
            last += 1
        lines.append(blocks[pieces[at].block].text[pieces[at].start : pieces[last].end].strip())
        at = last + 1
    return "\n".join(lines)
