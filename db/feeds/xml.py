"""XML feeds as rows: RSS and Atom (Google Merchant, Facebook), and plain lists of products.

Read event by event, so a feed of any size is held one item at a time. A document type is refused
unread, and with it every entity that a feed could define. Knows nothing about products.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from db.feeds.encoding import DAMAGE
from db.feeds.errors import FeedError
from db.feeds.rows import Row
from db.feeds.source import MAX_FIELD, MAX_ROWS, Head, open_text
from db.records import RejectedRow

_PIECE = 1 << 16
_MAX_DEPTH = 50
_DAMAGED = "\ufffd"
_ITEMS = frozenset((
    "item", "entry", "product", "offer", "good", "goods", "shopitem", "article", "artikel",
    "produkt", "producto", "produit", "商品",
))  # fmt: skip
# the shop's own answers to a feed's address, and no feed
_PAGES = frozenset({"html", "svg"})


def is_xml(head: Head) -> bool:
    """Whether the text is an XML document other than a web page."""
    text = head.text.lstrip()
    if not text.startswith("<") or is_page(head):
        return False
    return text.startswith("<?xml") or "xmlns" in text or "</" in text


def is_page(head: Head) -> bool:
    """Whether the text is a web page."""
    start = head.text[:4_000].lstrip().casefold()
    return start.startswith("<!doctype html") or (start.startswith("<") and "<html" in start)


@dataclass(slots=True)
class _Element:
    name: str
    own: bool  # named in a namespace of its own, like g:title, which outweighs title
    children: dict[str, Any] = field(default_factory=dict)
    owned: set[str] = field(default_factory=set)
    text: list[str] = field(default_factory=list)
    length: int = 0

    def value(self) -> Any:
        text = "".join(self.text).strip()
        if not self.children:
            return text
        return self.children | ({"value": text} if text else {})

    def add(self, child: _Element) -> None:
        held, name = child.value(), child.name
        if name in self.children and child.own != (name in self.owned):
            if not child.own:
                return
            del self.children[name]
        if child.own:
            self.owned.add(name)
        if name in self.children:
            before = self.children[name]
            self.children[name] = [*(before if isinstance(before, list) else [before]), held]
        else:
            self.children[name] = held


class _Items:
    """The handlers of one parse: collects each item and what is wrong with it."""

    def __init__(self, head: Head) -> None:
        self._name = head.path.name
        self._damaged = head.encoding.damaged
        self._path: list[_Element] = []  # from the item down; empty between items
        self._depth = 0
        self._line = 0
        self._fault: str | None = None
        self.ready: list[Row | RejectedRow] = []
        self.parser = parser = expat.ParserCreate(
            "utf-8"
        )  # whatever it declares, it is decoded here
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def _doctype(self, *_: object) -> None:
        raise FeedError(
            f"{self._name} has a document type, which could define entities: "
            "export it without <!DOCTYPE"
        )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise FeedError(
                f"{self._name} is nested deeper than {_MAX_DEPTH} elements: it is no feed"
            )
        prefix, _, name = tag.rpartition(":")
        if self._depth == 1 and name.casefold() in _PAGES:
            raise FeedError(f"{self._name} is a web page and no feed: export the feed again")
        if not self._path:
            if self._depth == 1 or name.casefold() not in _ITEMS:
                return
            self._line = self.parser.CurrentLineNumber
            self._fault = None
        element = _Element(name, bool(prefix))
        for key, value in attributes.items():
            label = key.rpartition(":")[2]
            if name == "link" and label == "href":
                element.text.append(value)
            elif name != "link" and not key.startswith("xmlns"):
                element.children[label] = value
        self._path.append(element)

    def _text(self, text: str) -> None:
        if not self._path:
            return
        element = self._path[-1]
        element.length += len(text)
        if element.length <= MAX_FIELD:
            element.text.append(text)
        else:
            self._fault = f"{element.name} is longer than {MAX_FIELD:,} characters: shorten it"

    def _end(self, _: str) -> None:
        self._depth -= 1
        if not self._path:
            return
        element = self._path.pop()
        if self._path:
            self._path[-1].add(element)
            return
        where = f"{self._name} line {self._line}"
        cells = element.children
        if self._fault is None and self._damaged and _DAMAGED in str(cells):
            self._fault = "holds bytes that are no UTF-8: save the file as UTF-8"
        if self._fault:
            self.ready.append(RejectedRow(where, self._fault))
        elif cells:
            self.ready.append(Row(where, cells))


def read_xml(head: Head) -> Iterator[Row | RejectedRow]:
    """Each item of a feed: its elements by their names without prefix; repeated ones are lists.

    An element that holds others is an object; one of a namespace (g:title) outweighs one without.
    Raises FeedError for a document type, for XML that is not well-formed or breaks off, so that a
    torn file never counts as a whole shop, and for a feed without items.
    """
    items = _Items(head)
    count = 0
    with open_text(head) as file:
        try:
            while piece := file.read(_PIECE):
                items.parser.Parse(DAMAGE.sub(_DAMAGED, piece).encode(), False)
                count += len(items.ready)
                yield from items.ready
                items.ready.clear()
                if count > MAX_ROWS:
                    raise FeedError(f"{head.path.name} has more than {MAX_ROWS:,} items: split it")
            items.parser.Parse(b"", True)
            count += len(items.ready)
            yield from items.ready
        except expat.ExpatError as error:
            raise FeedError(
                f"{head.path.name} line {error.lineno} is not well-formed XML "
                f"({expat.ErrorString(error.code)}): export it again"
            ) from None
    if not count:
        raise FeedError(
            f"{head.path.name} holds no product: products stand in <item>, <entry> or <product>"
        )
