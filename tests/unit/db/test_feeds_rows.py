"""Files as rows: encodings, dialects, streaming, and bad rows that lose no good one."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from db.feeds.registry import kind_of, read_rows
from db.feeds.rows import Row
from db.feeds.source import FeedError
from db.records import RejectedRow


def rows_of(path):
    return [row.cells if isinstance(row, Row) else row for row in read_rows(path)]


@pytest.fixture
def write(tmp_path):
    def write(name, content, encoding="utf-8"):
        path = tmp_path / name
        data = content if isinstance(content, bytes) else content.encode(encoding)
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
@pytest.mark.parametrize(
    "text",
    [
        "编号,名称\n1,棉麻抱枕\n",
        '[{"编号": "1", "名称": "棉麻抱枕"}]',
        '{"编号": "1", "名称": "棉麻抱枕"}\n',
    ],
)
def test_that_text_in_each_encoding_gives_the_same_rows(write, encoding, text):
    if encoding == "utf-16-le":  # recognised without a mark only where it begins with ASCII
        text = text.replace("编号", "id").replace("名称", "name")
    path = write("goods", text, encoding)
    assert list(rows_of(path)[0].values()) == ["1", "棉麻抱枕"]


@pytest.mark.parametrize(
    "data", [b"name,price\nCaf\xe9s,5\n", b"\x89PNG\r\n\x1a\n\0\0\xff\xff", b"a\0b,c\n"]
)
def test_that_other_encodings_are_refused_with_the_remedy(write, data):
    with pytest.raises(FeedError, match="save it as UTF-8"):
        rows_of(write("old.csv", data))


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_that_the_separator_is_found_beside_commas_in_prices(write, separator):
    lines = [["id", "name", "price"], ["1", "Tent", '"1,50"'], ["2", "Stove", '"2,50"']]
    path = write("feed.csv", "\n".join(separator.join(line) for line in lines))
    assert rows_of(path)[1] == {"id": "2", "name": "Stove", "price": "2,50"}


def test_that_a_quoted_line_break_belongs_to_its_cell(write):
    path = write("feed.csv", 'id,text\r\n1,"two\r\nlines, ""quoted"""\r\n2,b\r\n')
    assert rows_of(path) == [
        {"id": "1", "text": 'two\r\nlines, "quoted"'},
        {"id": "2", "text": "b"},
    ]


def test_that_an_unclosed_quote_costs_one_row(write):
    path = write("feed.csv", 'id,name,price\n1,A,1\n2,"B,2\n3,C,3\n4,"D\nd",4\n5,E,5\n')
    rows = rows_of(path)
    assert [row["id"] for row in rows if isinstance(row, dict)] == ["1", "3", "4", "5"]
    assert [row for row in rows if isinstance(row, RejectedRow)] == [
        RejectedRow(
            "feed.csv line 3", "a quote is opened and never closed: close it, or write it twice"
        )
    ]


def test_that_a_row_of_the_wrong_width_is_rejected_with_its_line(write):
    rejected = rows_of(write("feed.csv", "id,name\n1,A\n\n2,B,C\n3,D\n"))[1]
    assert rejected.where == "feed.csv line 4"
    assert "3 cells where the header has 2" in rejected.reason


def test_that_json_in_a_cell_is_read_as_json(write):
    path = write("feed.csv", 'id,tags,note\n1,"[""a"", ""b""]",[sic]\n')
    assert rows_of(path) == [{"id": "1", "tags": ["a", "b"], "note": "[sic]"}]


def test_that_a_broken_line_of_json_lines_is_rejected_alone(write):
    path = write("feed.jsonl", '{"id": 1}\n{"id": 2\n\n[3]\n{"id": 4, "price": 899.0}\n')
    first, broken, no_object, last = rows_of(path)
    assert (first, last) == ({"id": 1}, {"id": 4, "price": Decimal("899.0")})
    assert broken.where == "feed.jsonl line 2" and "not JSON" in broken.reason
    assert no_object.where == "feed.jsonl line 4"


@pytest.mark.parametrize(
    "value",
    [
        [{"id": "1", "name": "A"}, {"id": "2", "name": "B"}],
        {"total": 2, "products": [{"id": "1", "name": "A"}, {"id": "2", "name": "B"}]},
        {
            "facets": [{"n": 1}],
            "data": {"products": [{"id": "1", "name": "A"}, {"id": "2", "name": "B"}]},
        },
        {"1": {"name": "A"}, "2": {"name": "B"}},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_that_the_records_of_a_json_file_are_found_where_they_are(write, value, indent):
    path = write("feed.json", json.dumps(value, indent=indent))
    assert rows_of(path) == [{"id": "1", "name": "A"}, {"id": "2", "name": "B"}]


def test_that_a_single_product_is_one_row(write):
    product = {"id": 1, "name": "A", "images": [{"src": "x"}]}
    assert rows_of(write("feed.json", json.dumps(product, indent=1))) == [product]


def test_that_json_which_breaks_off_is_no_whole_shop(write):
    with pytest.raises(FeedError, match="not whole JSON"):
        rows_of(write("feed.json", '[{"id": 1}, {"id": 2}, {"id"'))


@pytest.mark.parametrize("text", ["", "just some words\nand more\n", "<rss></rss>", "# Heading\n"])
def test_that_a_file_in_no_format_is_refused(write, text):
    with pytest.raises(FeedError, match=r"empty|no known format"):
        rows_of(write("feed.txt", text))


def test_that_a_missing_file_is_named(tmp_path):
    with pytest.raises(FeedError, match=r"nothing\.csv does not exist"):
        rows_of(tmp_path / "nothing.csv")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("id,name,price\n1,A,2\n", "products"),
        ("product_id,brand,model,description,price\n1,A,B,C,2\n", "products"),
        ('{"goods_id": "1", "goods": "A", "text": "nice", "star": 1}\n', "comments"),
        ("sku,review\nA,nice\n", "comments"),
        ("product_id,page,text\n1,1,Chapter one\n", "products"),
        ('{"order_id": "1", "email": "a@example.com", "items": []}\n', "orders"),
    ],
)
def test_that_a_file_is_told_by_its_columns(write, text, kind):
    assert kind_of(write("file", text)) == kind
