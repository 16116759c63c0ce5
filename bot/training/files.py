"""Reads the files of public data sets; a file that is not there has no lines.

Knows nothing about what is in them.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the objects of a JSON-lines file, gzipped or not."""
    if not path.exists():
        return
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8") as text
    ):
        for line in text:
            yield json.loads(line)


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Yields the rows of a CSV file with a header."""
    if path.exists():
        yield from csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))


def document(path: Path) -> Any:
    """Returns what a JSON file holds, gzipped or not; an empty object where there is none."""
    if not path.exists():
        return {}
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return json.loads(raw)
