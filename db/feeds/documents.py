"""Texts of the shop that are no products: policies, and comments on products.

Knows nothing about databases; a comment names its product by whatever the file says.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from db.feeds.errors import FeedError
from db.feeds.fields import guess
from db.feeds.registry import COMMENT_TEXTS, REFERENCES, read_rows
from db.feeds.rows import Row
from db.feeds.source import read_markdown_pages
from db.feeds.text import clean_line, clean_text
from db.feeds.values import stated
from db.records import Document, ProductId, RejectedRow

_COMMENT_NAMES = {
    "reference": REFERENCES,
    "text": COMMENT_TEXTS,
    "title": ("goods", "producttitle", "productname", "goodsname", "商品名称"),
}
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)


def read_policies(folder: Path) -> Iterator[Document | RejectedRow]:
    """Each Markdown page of a folder (or the one file) as a policy; its id is the file's name.

    Raises FeedError when there is no Markdown page at all. A page that cannot be read, or is
    empty, is rejected alone.
    """
    found = False
    for page in read_markdown_pages(folder):
        found = True
        if isinstance(page, RejectedRow):
            yield page
            continue
        path, name, text = page
        yield Document(name, "policy", first_heading(text) or path.stem, text)
    if not found:
        raise FeedError(f"{folder} holds no Markdown page: policies are files that end in .md")


def first_heading(markdown: str) -> str:
    """The text of the first heading, without its marks; empty if there is none."""
    found = _HEADING.search(markdown)
    return clean_line(re.sub(r"[*_`]+", "", found[1])) if found else ""


def read_comments(path: Path) -> Iterator[Document | RejectedRow]:
    """The comments of a CSV, JSON or JSON lines file, in file order.

    `product_id` is the file's own reference to the product, still to be resolved. Only the text
    is read: neither the writer nor the stars, which no shop's rating may be made of.
    """
    counts: Counter[str] = Counter()
    for row in read_rows(path):
        if not isinstance(row, Row):
            yield row
            continue
        columns = guess(row.cells, _COMMENT_NAMES)

        def first(field: str, row: Row = row, columns: dict[str, tuple[str, ...]] = columns) -> str:
            found = (row.cells[c] for c in columns.get(field, ()) if stated(row.cells[c]))
            return str(next(found, ""))

        reference, text = clean_line(first("reference")), clean_text(first("text"))
        if not reference:
            yield RejectedRow(row.where, "names no product")
        elif not text:
            yield RejectedRow(row.where, "has no text")
        else:
            counts[reference] += 1
            yield Document(
                f"{reference}-comment-{counts[reference]}",
                "comment",
                clean_line(first("title")),
                text,
                ProductId(reference),
            )
