"""Rows of tables and of JSON, one after the other, with the place where each stood.

Knows nothing about what the columns mean. Files are never read into memory as a whole.
"""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import ijson

from db.feeds.source import MAX_FIELD, MAX_LINE, MAX_ROWS, FeedError, Head, open_text, open_utf8
from db.records import RejectedRow

_DELIMITERS = ",\t;|"
_MAX_RECORD_LINES = 5_000
_LIST_NAMES = (
    "products", "items", "goods", "orders", "data", "results", "rows", "list", "records",
    "catalog", "comments", "reviews", "商品", "商品列表",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `where` it stood, for the owner, and its cells by column name or key."""

    where: str
    cells: dict[str, Any]


def read_table(head: Head) -> Iterator[Row | RejectedRow]:
    """Rows of a CSV or TSV file whose first line names the columns.

    Quoted line breaks belong to their cell. A row whose quote is never closed is rejected alone:
    its following lines are read again as rows of their own. Raises FeedError for a file without
    a header or with too many rows.
    """
    delimiter = sniff_delimiter(head.text)
    csv.field_size_limit(MAX_FIELD)
    with open_text(head.path, head.encoding) as file:
        records = _records(iter(file), delimiter)
        header: list[str] | None = None
        for count, (line, cells, problem) in enumerate(records):
            where = f"{head.path.name} line {line}"
            if count > MAX_ROWS:
                raise FeedError(f"{head.path.name} has more than {MAX_ROWS:,} rows: split it")
            if header is None:
                if problem:
                    raise FeedError(f"{where}: {problem}")
                header = _column_names(cells)
            elif problem:
                yield RejectedRow(where, problem)
            elif len(cells) != len(header):
                yield RejectedRow(
                    where,
                    f"has {len(cells)} cells where the header has {len(header)}: "
                    "is a separator or line break unquoted?",
                )
            else:
                yield Row(where, {name: _cell(text) for name, text in zip(header, cells)})  # noqa: B905
        if header is None:
            raise FeedError(f"{head.path.name} is empty")


def _column_names(cells: list[str]) -> list[str]:
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = cell.strip().lstrip("\ufeff") or f"column {number}"
        names.append(name if name not in names else f"{name} ({number})")
    return names


def _cell(text: str) -> object:
    if text[:1] in "[{" and text[-1:] in "]}" and len(text) > 1:
        try:
            return json.loads(text, parse_float=Decimal)
        except ValueError:
            return text
    return text


def _records(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str], str | None]]:
    """(number of its first line, cells, problem or None) of each record that is not blank."""
    again: deque[str] = deque()
    taken: list[str] = []
    first = 1
    width = 0

    def pump() -> Iterator[str]:
        while len(taken) < _MAX_RECORD_LINES:
            line = again.popleft() if again else next(lines, None)
            if line is None:
                return
            taken.append(line)
            yield line

    while True:
        taken.clear()
        problem = None
        try:
            cells = next(csv.reader(pump(), delimiter=delimiter), None)
        except csv.Error as error:
            cells, problem = [], f"cannot be read: {error}"
        if cells is None and not taken:
            return
        cells = cells or []
        if len(taken) > 1 and width and (problem or len(cells) != width):
            again.extendleft(reversed(taken[1:]))
            del taken[1:]
            problem = "a quote is opened and never closed"
        if problem or any(cell.strip() for cell in cells):
            width = width or len(cells)
            yield first, cells, problem
        first += len(taken)


def sniff_delimiter(text: str) -> str:
    """The separator under which the first rows have most, and equally many, cells."""
    lines = text.splitlines(keepends=True)
    if len(text) >= 2_000 and len(lines) > 2:
        lines = lines[:-1]
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        widths = []
        try:
            for cells in csv.reader(iter(lines[:200]), delimiter=delimiter):
                if cells:
                    widths.append(len(cells))
                if len(widths) == 20:
                    break
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            score = widths[0] * sum(w == widths[0] for w in widths) / len(widths)
            if score > best_score:
                best, best_score = delimiter, score
    return best


def is_table(head: Head) -> bool:
    """Whether the text reads as separated columns under a header line."""
    text = head.text.lstrip("\ufeff \r\n\t")
    first = text.partition("\n")[0]
    if not first.strip() or text[0] in "[{<#" or len(first) > MAX_FIELD:
        return False
    return sniff_delimiter(text) in first


def read_json_lines(head: Head) -> Iterator[Row | RejectedRow]:
    """Objects of a file that holds one on each line; a line that is none is rejected alone."""
    with open_text(head.path, head.encoding) as file:
        number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            where = f"{head.path.name} line {number}"
            if number > MAX_ROWS:
                raise FeedError(f"{head.path.name} has more than {MAX_ROWS:,} rows: split it")
            if len(line) > MAX_LINE:
                while len(line) > MAX_LINE and not line.endswith("\n"):
                    line = file.readline(MAX_LINE + 1)  # noqa: PLW2901 - the rest of this line
                yield RejectedRow(where, "is longer than 4 MB")
            elif line.strip(" \t\r\n\ufeff"):
                yield _json_row(where, line)


def _json_row(where: str, line: str) -> Row | RejectedRow:
    try:
        value = json.loads(line.strip().lstrip("\ufeff"), parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
        return RejectedRow(where, f"is not JSON: {reason}")
    if not isinstance(value, dict):
        return RejectedRow(where, "is not a JSON object")
    return Row(where, value)


def is_json_lines(head: Head) -> bool:
    """Whether the first line is a whole JSON object and no other form of JSON fits better."""
    text = head.text.lstrip("\ufeff \r\n\t")
    if not text.startswith("{"):
        return False
    first, _, rest = text.partition("\n")
    try:
        value = json.loads(first)
    except ValueError:
        # an object over several lines begins with a bare brace; a broken or very long line of
        # JSON lines is followed by, or is, an object of its own
        following = rest.lstrip("\r\n")
        return len(first.strip()) > 1 and (following.startswith("{") or not rest)
    if rest.strip():
        return True
    is_keyed = bool(value) and all(isinstance(v, dict) for v in value.values())
    holds_list = any(isinstance(v, list) and v and isinstance(v[0], dict) for v in value.values())
    return _names_itself(list(value)) or not (is_keyed or holds_list)


def is_json(head: Head) -> bool:
    """Whether the text is one JSON array or object."""
    return head.text.lstrip("\ufeff \r\n\t")[:1] in ("[", "{")


def read_json(head: Head) -> Iterator[Row | RejectedRow]:
    """Objects of a JSON array, of a list inside an object, or of an object keyed by id; streamed.

    Raises FeedError where the JSON breaks off, so that a torn file never counts as a whole shop.
    """
    try:
        kind, prefix = _find_list(head)
        with open_utf8(head.path, head.encoding) as file:
            if kind == "keyed":
                pairs: Iterator[tuple[str | None, Any]] = ijson.kvitems(file, prefix)
            else:
                pairs = ((None, value) for value in ijson.items(file, prefix))
            for number, (key, value) in enumerate(pairs, 1):
                where = f"{head.path.name} item {number}"
                if number > MAX_ROWS:
                    raise FeedError(f"{head.path.name} has more than {MAX_ROWS:,} rows: split it")
                if not isinstance(value, dict):
                    yield RejectedRow(where, "is not a JSON object")
                elif key is not None and not any(k.casefold() == "id" for k in value):
                    yield Row(where, {"id": key, **value})
                else:
                    yield Row(where, value)
    except ijson.JSONError as error:
        reason = str(error).splitlines()[0][:120]
        raise FeedError(f"{head.path.name} is not whole JSON ({reason}): export it again") from None


def _find_list(head: Head) -> tuple[str, str]:
    """Where the rows are: ("list", ijson prefix of the items) or ("keyed", prefix of the map)."""
    fallback: tuple[str, str] | None = None
    root_keys: list[str] = []
    root_maps = 0
    previous = ("", "")
    with open_utf8(head.path, head.encoding) as file:
        for prefix, event, value in ijson.parse(file):
            if prefix == "" and event == "start_array":
                return "list", "item"
            if prefix == "" and event == "map_key":
                root_keys.append(str(value))
            if event == "start_map" and prefix in root_keys:
                root_maps += 1
            if event == "start_map" and previous == (prefix[: -len(".item")], "start_array"):
                name = previous[0].rpartition(".")[2]
                if previous[0].count(".") <= 1 and ".item." not in f".{previous[0]}.":
                    if name.casefold() in _LIST_NAMES:
                        return "list", prefix
                    fallback = fallback or ("list", prefix)
            previous = (prefix, event)
    if root_keys and root_maps == len(root_keys):
        return "keyed", ""
    if _names_itself(root_keys):
        return "list", ""
    if fallback:
        return fallback
    raise FeedError(f"{head.path.name} holds no list of records: export a list of products")


def _names_itself(keys: list[str]) -> bool:
    """Whether an object is one record, and its lists are its own, rather than a wrapper."""
    forms = {key.casefold().replace("_", "") for key in keys}
    if forms & {"orderid", "ordernumber", "订单号", "订单id"}:
        return True
    return bool(forms & {"id", "sku", "productid", "商品id"}) and bool(
        forms & {"name", "title", "商品名称"}
    )
