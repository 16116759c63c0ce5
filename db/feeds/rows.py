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
from typing import Any, TextIO

import ijson

from db.feeds.encoding import DAMAGE
from db.feeds.errors import FeedError
from db.feeds.source import MAX_FIELD, MAX_LINE, MAX_ROWS, Head, open_text, open_utf8
from db.records import RejectedRow

_DELIMITERS = ",\t;|"
_MAX_RECORD_LINES = 5_000
_MAX_DEPTH = 3  # objects around the list of records: {"data": {"products": {"edges": […]}}}
_LONG_CELL = f"has a cell longer than {MAX_FIELD:,} characters: shorten it"
_RESOURCE = frozenset({"id", "type", "attributes", "relationships", "links", "meta"})
_LIST_NAMES = (
    "products", "items", "goods", "orders", "data", "results", "rows", "list", "records",
    "edges", "nodes", "catalog", "comments", "reviews", "商品", "商品列表",
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
    stated = _stated_delimiter(head.text)
    delimiter = stated or sniff_delimiter(head.text)
    csv.field_size_limit(MAX_FIELD)
    with open_text(head) as file:
        records = _records(_lines(file), delimiter)
        names: list[str] | None = None
        header: list[str] = []
        prefix = f"{head.path.name} line "
        if stated:
            next(records)
        for count, (line, cells, problem) in enumerate(records):
            if count > MAX_ROWS:
                raise FeedError(f"{head.path.name} has more than {MAX_ROWS:,} rows: split it")
            where = f"{prefix}{line}"
            if names is None:
                if problem:
                    raise FeedError(f"{where}: {problem}")
                header, names = cells, _column_names(cells)
            elif problem:
                yield RejectedRow(where, problem)
            elif len(cells) != len(header):
                yield RejectedRow(
                    where,
                    f"has {len(cells)} cells where the header has {len(header)}: "
                    "is a separator or line break unquoted?",
                )
            elif head.encoding.damaged and (reason := damage_of("".join(cells))):
                yield RejectedRow(where, reason)
            elif cells == header:
                yield RejectedRow(where, "repeats the header: leave this line out")
            else:
                yield Row(where, {name: _cell(text) for name, text in zip(names, cells)})  # noqa: B905
        if names is None:
            raise FeedError(f"{head.path.name} is empty: export it again")


def damage_of(text: str) -> str | None:
    """What is wrong with the bytes that a text was read from, in words for the owner."""
    found = DAMAGE.search(text)
    if found is None:
        return None
    if found[0] == "\0":
        return "holds NUL bytes: export it again"
    return "holds bytes that are no UTF-8: save the file as UTF-8"


def _lines(file: TextIO) -> Iterator[str]:
    """The lines of a file; one longer than MAX_LINE comes cut, as a cell that no reader accepts."""
    while line := file.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE and not line.endswith("\n"):
            while rest := file.readline(MAX_LINE + 1):
                if rest.endswith("\n"):
                    break
            yield "x" * (MAX_FIELD + 1) + "\n"
        else:
            yield line


def _stated_delimiter(text: str) -> str | None:
    """The separator that the first line of a spreadsheet's export states: "sep=;"."""
    first = text.partition("\n")[0].strip()
    return first[4:] if first.startswith("sep=") and first[4:] in tuple(_DELIMITERS) else None


def _column_names(cells: list[str]) -> list[str]:
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = cell.strip().lstrip("\ufeff") or f"column {number}"
        names.append(name if name not in names else f"{name} ({number})")
    return names


def _cell(text: str) -> object:
    if text.startswith('="') and text.endswith('"') and '"' not in text[2:-1]:
        return text[2:-1]  # how spreadsheets are made to keep the zeros of "007"
    if text[:1] in "[{" and text[-1:] in "]}" and len(text) > 1:
        try:
            return json.loads(text, parse_float=Decimal)
        except (ValueError, RecursionError):
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
            long = "field larger" in str(error)
            cells, problem = [], _LONG_CELL if long else f"cannot be read: {error}"
        if cells is None and not taken:
            return
        cells = cells or []
        if len(taken) > 1 and width and (problem or len(cells) != width):
            again.extendleft(reversed(taken[1:]))
            del taken[1:]
            problem = "a quote is opened and never closed: close it, or write it twice"
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
    if not first.strip() or text[0] in "[{<#":
        return False
    if _stated_delimiter(text):
        return True
    return sniff_delimiter(text) in first


def read_json_lines(head: Head) -> Iterator[Row | RejectedRow]:
    """Objects of a file that holds one on each line; a line that is none is rejected alone."""
    with open_text(head) as file:
        number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            where = f"{head.path.name} line {number}"
            if number > MAX_ROWS:
                raise FeedError(f"{head.path.name} has more than {MAX_ROWS:,} rows: split it")
            if len(line) > MAX_LINE:
                while len(line) > MAX_LINE and not line.endswith("\n"):
                    line = file.readline(MAX_LINE + 1)  # noqa: PLW2901 - the rest of this line
                yield RejectedRow(where, "is longer than 4 MB: shorten it")
            elif head.encoding.damaged and (reason := damage_of(line)):
                yield RejectedRow(where, reason)
            elif line.strip(" \t\r\n\ufeff"):
                yield _json_row(where, line)


def _json_row(where: str, line: str) -> Row | RejectedRow:
    try:
        value = json.loads(line.strip().lstrip("\ufeff"), parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else _json_fault(error)
        return RejectedRow(where, f"is not JSON: {reason}")
    if not isinstance(value, dict):
        return RejectedRow(where, "is not a JSON object")
    return Row(where, unwrapped(value))


def _json_fault(error: ValueError) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)[:80]


def unwrapped(value: dict[str, Any]) -> dict[str, Any]:
    """The record itself of what some interfaces wrap: GraphQL's `node`, JSON:API's `attributes`."""
    if isinstance(value.get("node"), dict) and value.keys() <= {"node", "cursor", "__typename"}:
        return {key: _connection(held) for key, held in value["node"].items()}
    held = value.get("attributes")
    if isinstance(held, dict) and value.keys() <= _RESOURCE and {"id", "type"} <= value.keys():
        return {"id": value["id"], **held}
    return value


def _connection(value: Any) -> Any:
    """GraphQL's `{"edges": [{"node": …}]}` or `{"nodes": […]}` as the list that it means."""
    if isinstance(value, dict) and value.keys() & {"edges", "nodes"}:
        if isinstance(nodes := value.get("nodes"), list):
            return nodes
        if isinstance(edges := value.get("edges"), list):
            return [edge.get("node", edge) if isinstance(edge, dict) else edge for edge in edges]
    return value


def is_json_lines(head: Head) -> bool:
    """Whether the first line is a whole JSON object and no other form of JSON fits better."""
    text = head.text.lstrip("\ufeff \r\n\t")
    if not text.startswith("{"):
        return False
    first, _, rest = text.partition("\n")
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
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
        with open_utf8(head) as file:
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
                    yield Row(where, unwrapped(value))
    except (ijson.JSONError, ValueError) as error:
        reason = str(error).splitlines()[0][:120]
        raise FeedError(f"{head.path.name} is not whole JSON ({reason}): export it again") from None


def _find_list(head: Head) -> tuple[str, str]:
    """Where the rows are: ("list", ijson prefix of the items) or ("keyed", prefix of the map)."""
    fallback: tuple[str, str] | None = None
    root_keys: list[str] = []
    root_maps = 0
    previous = ("", "")
    with open_utf8(head) as file:
        for prefix, event, value in ijson.parse(file):
            if prefix == "" and event == "start_array":
                return "list", "item"
            if prefix == "" and event == "map_key":
                root_keys.append(str(value))
            if event == "start_map" and prefix in root_keys:
                root_maps += 1
            if event == "start_map" and previous == (prefix[: -len(".item")], "start_array"):
                name = previous[0].rpartition(".")[2]
                depth = previous[0].count(".")
                if ".item." not in f".{previous[0]}.":
                    if depth <= _MAX_DEPTH and name.casefold() in _LIST_NAMES:
                        return "list", prefix
                    if depth <= 1:
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
