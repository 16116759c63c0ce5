"""Judged queries as a CSV file that a shop's owner can write: which products answer a query, and how well.

Knows nothing about searching or measuring.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import ConfigError
from retrieval.text import has_cjk

RATINGS = (0, 1, 2, 3)  # wrong, beside the point, good, exactly that
GOOD = 2  # the rating from which a product is one to find
QUERY, PRODUCT, RATING, LANGUAGE = "query", "product_id", "rating", "language"
_ALSO = {"docid": PRODUCT, "id": PRODUCT, "product": PRODUCT}
MAX_CHARS = 1000


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query in its language, and the rating (0 to 3) of each product that was judged for it.

    A query without a single product rated 2 or 3 asks for what is not there.
    """

    text: str
    language: str
    ratings: Mapping[str, int] = field(default_factory=dict)

    @property
    def good(self) -> frozenset[str]:
        return frozenset(id for id, rating in self.ratings.items() if rating >= GOOD)


def read(path: Path) -> list[JudgedQuery]:
    """Reads judged queries in the order of their first row.

    Columns `query`, `product_id` and `rating`, and, where the language cannot be told from the
    script, `language`. A row without a product states a query that nothing answers. Raises
    ConfigError that names the line where the file does not hold that.
    """
    ratings: dict[str, dict[str, int]] = {}
    languages: dict[str, str] = {}
    for line, row in _rows(path):
        query = (row.get(QUERY) or "").strip()
        product = (row.get(PRODUCT) or "").strip()
        if not query or len(query) > MAX_CHARS:
            raise ConfigError(f"{path}, line {line}: the query is missing or over {MAX_CHARS} characters")  # fmt: skip
        languages.setdefault(
            query, (row.get(LANGUAGE) or "").strip() or ("zh" if has_cjk(query) else "en")
        )
        rated = ratings.setdefault(query, {})
        if product:
            rated[product] = _rating(row.get(RATING), path, line)
    if not ratings:
        raise ConfigError(f"{path} holds no judged query: write {QUERY},{PRODUCT},{RATING} rows")
    return [JudgedQuery(query, languages[query], rated) for query, rated in ratings.items()]


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = [name.strip().casefold() for name in reader.fieldnames or ()]
            reader.fieldnames = [_ALSO.get(name, name) for name in names]
            if missing := [n for n in (QUERY, PRODUCT, RATING) if n not in reader.fieldnames]:
                raise ConfigError(f"{path} has no column {missing[0]!r}: it needs {QUERY}, {PRODUCT} and {RATING}")  # fmt: skip
            for row in reader:
                yield reader.line_num, row
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} is no CSV file in UTF-8: {error}") from None


def _rating(text: str | None, path: Path, line: int) -> int:
    try:
        rating = int((text or "").strip())
    except ValueError:
        rating = -1
    if rating not in RATINGS:
        raise ConfigError(
            f"{path}, line {line}: the rating is {text!r}; write 0 (wrong) to 3 (exactly that)"
        )
    return rating
