"""Product pages in Markdown: which product a page may be about, and the facts it states.

Knows nothing about the catalogue: a page offers its keys, and whoever holds the products joins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from db.feeds.documents import first_heading
from db.feeds.source import read_markdown_pages
from db.feeds.text import clean_line, match_key
from db.feeds.values import rating_value
from db.records import Attribute, Document, Product, RejectedRow

_OPENING_LINES = 15
_MAX_LABEL = 60
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_ID_LINE = re.compile(
    r"(?:product|item|goods|商品)?[\s_-]*(?:id|number|no\.?|sku|编号|货号)[*\s]*[:：#=][*\s]*([^\s,;|*]+)",
    re.IGNORECASE,
)
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\s*\n", re.DOTALL)
_SPEC_HEADING = re.compile(
    r"\bspecs?\b|specification|technical|\bdetails\b|规格|参数", re.IGNORECASE
)
_TOLD_BY_HEADING = {"brand": "brand", "品牌": "brand", "category": "category", "分类": "category"}
_REVIEW_HEADING = re.compile(r"\breviews?\b|评价|评论", re.IGNORECASE)
_SPEC_LINE = re.compile(
    r"^\s*(?:[-*+]\s+|\d+[.)]\s+)?"
    r"(?:\*\*\s*(?P<bold>[^*|]+?)\s*[:：]?\s*\*\*\s*[:：]?|(?P<plain>[^*|:：#]+?)\s*[:：])"
    r"\s*(?P<value>\S.*?)\s*$"
)
_RATING_LINE = re.compile(
    r"(?:rating|评分|星级)[*\s]*[:：][*\s]*(\d(?:\.\d+)?)(?:\s*/\s*5)?(?![\d.])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the `document`, the keys of its product (best first) and the facts it states.

    `ids` come from an id line, the number in the file's name, and the name itself; `titles` from
    the heading and the first lines, in the form of `match_key`. `rating` is the mean of the
    page's own reviews and `rating_count` their number.
    """

    where: str
    document: Document
    ids: tuple[str, ...]
    titles: tuple[str, ...]
    attributes: tuple[Attribute, ...] = ()
    brand: str | None = None
    category: str | None = None
    rating: float | None = None
    rating_count: int | None = None

    def joined(self, product: Product) -> tuple[Product, Document]:
        """The product with the page's facts where the feed states none, and its document."""
        named = {attribute.name for attribute in product.attributes}
        added = tuple(a for a in self.attributes if a.name not in named)
        rated = product.rating is None and self.rating is not None
        merged = replace(
            product,
            attributes=product.attributes + added,
            brand=product.brand or self.brand,
            category=product.category or ((self.category,) if self.category else ()),
            rating=self.rating if rated else product.rating,
            rating_count=self.rating_count if rated else product.rating_count,
            rating_computed=rated,
        )
        return merged, replace(self.document, title=product.title, product_id=product.id)

    def parted(self, product: Product) -> Product:
        """The product without what this page told of it, for a newer page to be joined."""
        rated = product.rating_computed
        return replace(
            product,
            attributes=tuple(a for a in product.attributes if a not in self.attributes),
            rating=None if rated else product.rating,
            rating_count=None if rated else product.rating_count,
            rating_computed=False,
        )


def read_pages(folder: Path) -> Iterator[Page | RejectedRow]:
    """Each Markdown page of a folder (or the one file), in the order of their names."""
    for page in read_markdown_pages(folder):
        if isinstance(page, RejectedRow):
            yield page
            continue
        path, name, text = page
        yield parse_page(text, name=name, where=path.name)


def parse_page(markdown: str, *, name: str, where: str) -> Page:
    """The keys and facts of one page's text; `name` is its file name without the suffix."""
    sections = list(_sections(markdown))
    specs: dict[str, str] = {}
    told: dict[str, str] = {}
    ratings: list[float] = []
    for headings, lines in sections:
        heading = headings[-1] if headings else ""
        if any(_REVIEW_HEADING.search(h) for h in headings):
            ratings += _ratings(lines)
        elif any(_SPEC_HEADING.search(h) for h in headings) and not re.search(
            r"warranty|contact|保修|联系", heading, re.IGNORECASE
        ):
            for label, value in _spec_lines(lines):
                specs.setdefault(label, value)
        elif key := {
            "brand": "brand",
            "品牌": "brand",
            "category": "category",
            "分类": "category",
        }.get(heading.casefold().strip(" :：")):
            said = next((clean_line(line) for line in lines if line.strip()), "")
            told.setdefault(key, said)
    return Page(
        where=where,
        document=Document(name, "page", first_heading(markdown) or name, markdown),
        ids=_ids(markdown, name),
        titles=_titles(markdown),
        attributes=tuple(Attribute(label, value) for label, value in specs.items()),
        brand=told.get("brand") or specs.get("Brand") or specs.get("品牌"),
        category=told.get("category") or specs.get("Category") or specs.get("分类"),
        rating=round(sum(ratings) / len(ratings), 2) if ratings else None,
        rating_count=len(ratings) or None,
    )


def _sections(markdown: str) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """(path of headings, lines below) for each heading, in order."""
    path: list[tuple[int, str]] = []
    lines: list[str] = []
    for line in markdown.splitlines():
        if found := _HEADING.match(line):
            yield tuple(text for _, text in path), lines
            level = len(found[1])
            path = [entry for entry in path if entry[0] < level]
            path.append((level, re.sub(r"[*_`]+", "", found[2])))
            lines = []
        else:
            lines.append(line)
    yield tuple(text for _, text in path), lines


def _spec_lines(lines: list[str]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines):
        if line.lstrip().startswith("|"):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            below = lines[number + 1] if number + 1 < len(lines) else ""
            is_rule = not re.sub(r"[\s|:\-]", "", line)
            is_header = bool(below.strip()) and not re.sub(r"[\s|:\-]", "", below)
            if len(cells) == 2 and all(cells) and not is_rule and not is_header:
                yield _bare(cells[0]), _bare(cells[1])
        elif found := _SPEC_LINE.match(line):
            label = _bare(found["bold"] or found["plain"])
            value = _bare(found["value"].lstrip(":： "))
            if label and value and len(label) <= _MAX_LABEL:
                yield label, value


def _bare(text: str) -> str:
    return clean_line(re.sub(r"\*\*|__|`", "", text)).strip(" :：")


def _ratings(lines: list[str]) -> Iterator[float]:
    for line in lines:
        if (found := _RATING_LINE.search(line)) and (stars := rating_value(found[1])) is not None:
            yield stars


def _ids(markdown: str, name: str) -> tuple[str, ...]:
    found: list[str] = []
    opening = _opening(markdown)
    for line in opening:
        if hit := _ID_LINE.search(line):
            found.append(hit[1].strip("\"'`"))
            break
    stem = name.rpartition("/")[2]
    found.append(stem)
    for number in reversed(re.findall(r"\d+", stem)):
        found += [number, number.lstrip("0") or "0"]
    return tuple(dict.fromkeys(found))


def _opening(markdown: str) -> list[str]:
    lines = (line.strip() for line in markdown.splitlines())
    return [line for line in lines if line and line != "---"][:_OPENING_LINES]


def _titles(markdown: str) -> tuple[str, ...]:
    """The first lines as possible titles: whole, and up to a comma, a bar or a colon."""
    front = _FRONT_MATTER.match(markdown)
    lines = _opening(markdown[front.end() :] if front else markdown)[:4]
    if front and (hit := re.search(r"^(?:title|name)\s*:\s*(.+)$", front[1], re.MULTILINE)):
        lines.insert(0, hit[1].strip("\"' "))
    found: list[str] = []
    for line in lines:
        text = _bare(re.sub(r"^#+\s*", "", line))
        found += [text, re.split(r",|，|\||\s[-–—]\s", text)[0], *text.split(":")[1:2]]
    return tuple(dict.fromkeys(filter(None, map(match_key, found))))
