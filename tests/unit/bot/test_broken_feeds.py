"""Feeds broken by hand: what the owner is told, and that no good row is lost.

Each is imported into a shop that holds one product. Either the good rows arrive, exactly these,
and every bad one is named with its place, its fault and the remedy; or the feed is refused as a
whole with one line, and the shop stands as it stood.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from bot.importing import ImportFailed, import_shop
from db.catalog import CatalogStore
from db.engine import open_database
from db.orders import OrderStore

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OLD = "id,title,price\nOLD,Old lamp,5.00\n"
GOOD = "id,title,price\n1,Lamp,10.00\n2,Stove,20.00\n"
GOOGLE_HEAD = '<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0"><channel>'
SHOPIFY_HEAD = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n"


def xml(*items: str, head: str = GOOGLE_HEAD, end: str = "</channel></rss>") -> str:
    return head + "".join(items) + end


def item(id: str, *, price: str = "5.00 USD", more: str = "") -> str:
    return f"<item><g:id>{id}</g:id><g:title>Lamp {id}</g:title><g:price>{price}</g:price>{more}</item>\n"


def zipped(text: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("feed.csv", text)
    return held.getvalue()


def gzip_bomb() -> bytes:
    """64 MB of zeros behind a header, made of one packed block that is repeated."""
    megabyte = gzip.compress(b"0" * (1 << 20))
    return gzip.compress(GOOD.encode()) + megabyte * 64


@dataclass(frozen=True)
class Case:
    name: str
    feed: str | bytes | Callable[[], bytes]
    kept: tuple[str, ...] = ()
    said: tuple[str, ...] = ()  # patterns, one for each rejected row, in order
    refused: str = ""  # pattern of the one line, where nothing is imported
    file: str = "feed.csv"
    options: dict[str, object] = field(default_factory=dict)


def rows(name: str, feed: str | bytes, kept: str, *said: str, **options: object) -> Case:
    file = str(options.pop("file", "feed.csv"))
    return Case(name, feed, tuple(kept.split()), said, file=file, options=options)


def whole(
    name: str, feed: str | bytes | Callable[[], bytes], refused: str, **options: object
) -> Case:
    file = str(options.pop("file", "feed.csv"))
    return Case(name, feed, refused=refused, file=file, options=options)


DEEP = "[" * 5_000 + "]" * 5_000
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><rss><channel><item><id>1</id><title>&c;</title>'
    "</item></channel></rss>"
)

CASES = [
    # ---- rows of a table ------------------------------------------------------------------------
    rows("torn off within a row", GOOD + "3,Te", "1 2", r"line 4: has 2 cells where the header has 3.*separator"),
    rows("too many cells", GOOD + "3,Tent, large,5\n4,Rug,1\n", "1 2 4", r"line 4: has 4 cells.*unquoted"),
    rows("unclosed quote in the middle", 'id,title,price\n1,Lamp,10\n2,"Stove,20\n3,Tent,5\n4,Rug,1\n', "1 3 4", r"line 3: a quote is opened and never closed: close it"),
    rows("unclosed quote in the last row", GOOD + '3,"Tent,5', "1 2", r"line 4: (a quote is opened|has 2 cells).*"),
    rows("stray quote within a cell", GOOD + '3,Tent 5" high,5\n', "1 2 3"),
    rows("mixed line ends", "id,title,price\r\n1,Lamp,10\n2,Stove,20\r3,Tent,5\r\n", "1 2 3"),
    rows("blank lines between", "\n\nid,title,price\n\n1,Lamp,10\n\n\n2,Stove,20\n\n", "1 2"),
    rows("header repeated", GOOD + "id,title,price\n3,Tent,5\n", "1 2 3", r"line 4: repeats the header: leave this line out"),
    rows("ids that stand twice", GOOD + "1,Other lamp,3\n", "1 2", r"line 4: id 1 already stands at feed.csv line 2: give each product an id"),
    rows("empty id", GOOD + ",Tent,5\n", "1 2", r"line 4: has no id: give it one"),
    rows("id of blanks", GOOD + '"  ",Tent,5\n', "1 2", r"line 4: has no id: give it one"),
    rows("missing title", GOOD + "3,,5\n", "1 2", r"line 4: has no title: give it one"),
    rows("title of invisible characters", GOOD + "3,\u200b\u202e,5\n", "1 2", r"line 4: has no title: give it one"),
    rows("id of 1,001 characters", GOOD + f"{'9' * 1_001},Tent,5\n", "1 2", r"line 4: id is longer than 1000 characters: shorten it"),
    rows("id of too many bytes", GOOD + f"{'帐' * 900},Tent,5\n", "1 2", r"the id is longer than 2000 bytes"),
    rows("title of 1,001 characters", GOOD + f"3,{'T' * 1_001},5\n", "1 2", r"line 4: title is longer than 1000 characters: shorten it"),
    rows("cell of 10 MB", GOOD + f"3,{'x' * 10_000_000},5\n4,Rug,1\n", "1 2 4", r"line 4: has a cell longer than 1,000,000 characters: shorten it"),
    rows("quoted cell of 10 MB", GOOD + f'3,"{"x" * 10_000_000}",5\n4,Rug,1\n', "1 2 4", r"line 4: has a cell longer than 1,000,000 characters: shorten it"),
    rows("cell of 2 MB", GOOD + f"3,{'x' * 2_000_000},5\n4,Rug,1\n", "1 2 4", r"line 4: has a cell longer than 1,000,000 characters: shorten it"),
    rows("control characters", GOOD + "3,Te\x01n\x1bt\x7f,5\n", "1 2 3"),
    rows("a NUL byte", "id,title,price\n" + "".join(f"{n},Lamp number {n},10.00\n" for n in range(1, 5)) + "5,La\0mp,5\n", "1 2 3 4", r"line 6: holds NUL bytes: export it again"),
    rows("one row in Latin-1 among UTF-8", "id,title,price\n1,Café,1\n2,Thé,2\n3,Kräuter,3\n".encode() + b"4,Gel\xe9e,4\n", "1 2 3", r"line 5: holds bytes that are no UTF-8: save the file as UTF-8"),
    rows("two byte order marks", ("\ufeff\ufeff" + GOOD).encode(), "1 2"),
    rows("two byte order marks in UTF-16", ("\ufeff\ufeff" + GOOD).encode("utf-16-le"), "1 2"),
    rows("two byte order marks before a quoted header", ("\ufeff\ufeff" + GOOD.replace("id", '"id"', 1)).encode(), "1 2"),
    rows("a separator stated on the first line", "sep=;\nid;title;price\n1;Lamp;10,00\n2;Stove;20,00\n", "1 2"),
    rows("rows with another separator than the header", GOOD + "3;Tent;5\n", "1 2", r"line 4: has 1 cells where the header has 3"),
    rows("a column named twice", "id,title,price,title\n1,Lamp,10,Second\n", "1"),
    rows("a column without a name", "id,title,price,\n1,Lamp,10,x\n", "1"),
    rows("deep nesting in a cell", GOOD.replace("price", "price,specs").replace(".00\n", ".00,x\n") + f'3,Tent,5,"{DEEP}"\n', "1 2 3"),
    # ---- formulas -------------------------------------------------------------------------------
    rows("a formula as title", GOOD + '3,"=HYPERLINK(""http://x.example"",""Tent"")",5\n', "1 2", r"line 4: title is a spreadsheet formula .*write its value"),
    rows("a command as title", GOOD + "3,=cmd|' /C calc'!A0,5\n", "1 2", r"line 4: title is a spreadsheet formula .*write its value"),
    rows("a sum as title", GOOD + "3,@SUM(A1:A9),5\n", "1 2", r"line 4: title is a spreadsheet formula .*write its value"),
    rows("a formula as id", GOOD + "=A2+1,Tent,5\n", "1 2", r"line 4: id is a spreadsheet formula .*write its value"),
    rows("a formula as price", GOOD + "3,Tent,=B2*2\n", "1 2", r"line 4: price cannot be read: =B2\*2 .*write one number"),
    rows("a formula that came to an error", GOOD + "3,#REF!,5\n4,Rug,#N/A\n", "1 2", r"line 4: title is the spreadsheet error #REF!: mend the formula", r"line 5: price cannot be read: #N/A"),
    rows("an id kept as text by a formula", GOOD + '"=""007""",Tent,5\n', "1 2 007"),
    rows("a title that begins with a sign", GOOD + "3,@home mug,5\n4,-20 degree bag,6\n5,+1 dice,7\n", "1 2 3 4 5"),
    # ---- prices ---------------------------------------------------------------------------------
    rows("a negative price", GOOD + "3,Tent,-5.00\n", "1 2", r"line 4: price is negative: -5.00 \(write one number"),
    rows("a negative price in brackets", GOOD + "3,Tent,(5.00)\n", "1 2", r"line 4: price cannot be read: \(5.00\)"),
    rows("a price beyond reason", GOOD + "3,Tent,99999999999999\n", "1 2", r"line 4: price cannot be read: 9999.*write one number"),
    rows("a price with an exponent", GOOD + "3,Tent,1e300\n", "1 2", r"line 4: price cannot be read: 1e300"),
    rows("infinity as price", GOOD + "3,Tent,inf\n", "1 2", r"line 4: price cannot be read: inf"),
    rows("NaN as price states none", GOOD + "3,Tent,NaN\n", "1 2 3"),
    rows("price on request", GOOD + "3,Tent,on request\n4,Rug,POA\n", "1 2", r"line 4: price cannot be read: on request .*leave it empty", r"line 5: price cannot be read: POA"),
    rows("two prices in a cell", GOOD + "3,Tent,10 - 20\n4,Rug,5 / 6\n", "1 2", r"line 4: price cannot be read: 10 - 20", r"line 5: price cannot be read: 5 / 6"),
    rows("two currencies in a cell", GOOD + "3,Tent,10 USD / 9 EUR\n", "1 2", r"line 4: price cannot be read: 10 USD / 9 EUR"),
    rows("a currency that contradicts its column", "id,title,price,currency\n1,Lamp,10,USD\n2,Stove,€20,USD\n3,Tent,$5,EUR\n", "1", r"line 3: price €20 and the currency USD contradict", r"line 4: price \$5 and the currency EUR contradict"),
    rows("a currency that nobody knows", "id,title,price,currency\n1,Lamp,10,USD\n2,Stove,20,shells\n", "1", r"line 3: currency is not known: shells .write a code"),
    rows("no currency at all", "id,title,price\n1,Lamp,10 EUR\n2,Stove,20\n", "1", r"line 3: price has no currency: import with --currency CODE", currency=None),
    rows("thousands or decimals", "id;title;price\n1;Lamp;10,00\n2;Stove;1.299\n3;Tent;1.299,00\n", "1 3", r"line 3: price 1.299 could be 1299 or 1.299: write it with two decimals"),
    rows("a price torn by a space", GOOD + "3,Tent,12 50\n", "1 2", r"line 4: price cannot be read: 12 50"),
    rows("a date as price", GOOD + "3,Tent,2026-11-22\n", "1 2", r"line 4: price cannot be read: 2026-11-22"),
    rows("true as price", '{"id": 1, "title": "Lamp", "price": true}\n{"id": 2, "title": "Stove", "price": 2}\n', "2", r"line 1: price cannot be read: true"),
    # ---- JSON -----------------------------------------------------------------------------------
    rows("a line of JSON cut off", '{"id": 1, "title": "Lamp"}\n{"id": 2, "tit\n{"id": 3, "title": "Tent"}\n', "1 3", r"line 2: is not JSON: Unterminated string"),
    rows("the last line of JSON cut off", '{"id": 1, "title": "Lamp"}\n{"id": 2, "title"', "1", r"line 2: is not JSON"),
    rows("a line of JSON nested deeply", '{"id": 1, "title": "Lamp"}\n{"id": 2, "title": "Deep", "specs": ' + DEEP * 20 + "}\n", "1", r"line 2: is (not JSON: )?nested too deeply"),
    rows("a list of JSON nested deeply", json.dumps([{"id": 1, "title": "Lamp"}])[:-1] + ', {"id": 2, "title": "Deep", "specs": ' + DEEP + "}]", "1", r"item 2: is nested too deeply: export it again"),
    rows("NaN in a line of JSON", '{"id": 1, "title": "Lamp", "price": NaN}\n{"id": 2, "title": "Tent", "price": 5}\n', "2", r"line 1: price cannot be read: nan"),
    rows("a number of 10,000 digits", '{"id": 1, "title": "Lamp", "stock": ' + "9" * 10_000 + '}\n{"id": 2, "title": "Tent"}\n', "2", r"line 1: is not JSON"),
    rows("things that are no objects", '[{"id": 1, "title": "Lamp"}, 7, null, "x", {"id": 2, "title": "Tent"}]', "1 2", r"item 2: is not a JSON object", r"item 3: is not a JSON object", r"item 4: is not a JSON object"),
    rows("an id that is a list", '[{"id": [1], "title": "Lamp"}, {"id": 2, "title": "Tent"}]', "2", r"item 1: has no id: give it one"),
    rows("variants in two currencies", json.dumps([{"id": 1, "title": "Lamp", "variants": [{"sku": "A", "price": "5 USD"}, {"sku": "B", "price": "5 EUR"}]}, {"id": 2, "title": "Tent"}]), "2", r"item 1: variants are priced in several currencies: export one"),
    whole("a list of JSON cut off", '[{"id": 1, "title": "Lamp"}, {"id": 2, "ti', r"feed.csv is not whole JSON .*export it again"),
    whole("a list of JSON with a comma too many", '[{"id": 1, "title": "Lamp"},]', r"is not whole JSON .*export it again"),
    whole("NaN in a list of JSON", '[{"id": 1, "title": "Lamp", "price": NaN}]', r"is not whole JSON .*export it again"),
    whole("an answer with an error in JSON", '{"error": "unauthorised", "code": 401}', r"holds no list of records|no row could be read|no column for a product's id"),
    # ---- XML ------------------------------------------------------------------------------------
    whole("an entity bomb", BOMB, r"has a document type, which could define entities: export it without <!DOCTYPE"),
    whole("an external entity", '<?xml version="1.0"?><!DOCTYPE r SYSTEM "file:///etc/passwd"><r><item><id>1</id></item></r>', r"has a document type"),
    whole("XML cut off", xml(item("1"), "<item><g:id>2</g:id>", end=""), r"feed.csv line \d+ is not well-formed XML .*export it again"),
    whole("XML with a bare ampersand", xml(item("1"), "<item><g:id>2</g:id><g:title>A & B</g:title></item>"), r"line 2 is not well-formed XML .*export it again"),
    whole("XML nested deeply", xml("<item>" + "<a>" * 1_000 + "</a>" * 1_000 + "</item>"), r"is nested deeper than 50 elements"),
    whole("XML without products", "<?xml version='1.0'?><rss><channel><title>News</title></channel></rss>", r"holds no product: products stand in <item>"),
    rows("an item of XML without an id", xml(item("1"), "<item><g:title>Tent</g:title></item>\n", item("3")), "1 3", r"line 2: has no id: give it one"),
    rows("an item of XML with a bad price", xml(item("1"), item("2", price="free"), item("3")), "1 3", r"line 2: price cannot be read: free"),
    rows("an element of XML of 10 MB", xml(item("1"), item("2", more="<g:description>" + "x" * 10_000_000 + "</g:description>"), item("3")), "1 3", r"line 2: description is longer than 1,000,000 characters: shorten it"),
    rows("one variant of a group with a bad price", xml(item("1", more="<g:item_group_id>G</g:item_group_id>"), item("2", price="-1 USD", more="<g:item_group_id>G</g:item_group_id>")), "G", r"line 2: price is negative: -1 USD"),
    rows("a group whose variants are all bad", xml(item("1", price="?", more="<g:item_group_id>G</g:item_group_id>"), item("2")), "2", r"line 1: price cannot be read: \?"),
    # ---- systems --------------------------------------------------------------------------------
    rows("a Shopify variant with a bad price", SHOPIFY_HEAD + "tee,Tee,Size,S,A,ask\ntee,,,M,B,5.00\nmug,Mug,Title,Default Title,C,3.00\n", "tee mug", r"line 2: price cannot be read: ask"),
    rows("a Shopify row without a handle", SHOPIFY_HEAD + ",Tee,Size,S,A,5.00\nmug,Mug,Title,Default Title,C,3.00\n", "mug", r"line 2: has no id: give it one"),
    rows("a Shopify product without a title", SHOPIFY_HEAD + "tee,,Size,S,A,5.00\nmug,Mug,Title,Default Title,C,3.00\n", "mug", r"line 2: has no title: give it one"),
    # ---- whole files ----------------------------------------------------------------------------
    whole("an empty file", "", r"feed.csv is empty: export it again"),
    whole("only blanks", " \n\n \t\n", r"feed.csv is empty: export it again"),
    whole("only a header", "id,title,price\n", r"holds no usable product and nothing was changed: check the feed's path and format"),
    whole("only a byte order mark", b"\xef\xbb\xbf", r"feed.csv is empty: export it again"),
    whole("only bad rows", "id,title,price\n1,,5\n2,,6\n", r"no row could be read and nothing was changed; feed.csv line 2: has no title"),
    whole("columns that nobody knows", "alpha,beta\n1,2\n", r"has no column for a product's id or title .*--map id=… --map title=…"),
    whole("a missing id column", "title,price\nLamp,5\n", r"line 2: has no id: give it one, or name its column with --map id=COLUMN"),
    whole("a separator that nobody uses", "id^title^price\n1^Lamp^5\n", r"is in no known format: export it as CSV"),
    whole("a log-in page instead of a feed", "<!DOCTYPE html><html><head><title>Sign in</title></head><body>…</body></html>", r"is a web page without a schema.org Product: .*sign in to the shop and export it again"),
    whole("a page without a document type", "\n<html lang=en><body>502 Bad Gateway</body></html>", r"is a web page without a schema.org Product"),
    whole("Latin-1 throughout", "id,title,price\n1,Café,5\n2,Thé,6\n".encode("latin-1"), r"neither UTF-8, UTF-16 nor GB18030 text \(line 2 .*Latin-1.*save it as UTF-8"),
    whole("Big5", "id,title,price\n1,臺灣烏龍茶葉禮盒,5\n2,鹽酥雞調味粉,6\n".encode("big5"), r"neither UTF-8, UTF-16 nor GB18030 text"),
    whole("UTF-16 cut within a character", GOOD.encode("utf-16")[:-1], r"is not whole UTF-16: save it as UTF-8"),
    whole("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, r"neither UTF-8|is no text"),
    whole("bytes that are mostly NUL", b"id,title\n" + b"\0" * 500, r"is no text: export it and save it as UTF-8"),
    whole("a zip archive", zipped(GOOD), r"is a zip archive or a spreadsheet: unpack it, or save the sheet as CSV"),
    whole("a zip bomb", lambda: zipped("0" * 50_000_000), r"is a zip archive or a spreadsheet: unpack it"),
    whole("an old spreadsheet", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), r"is an old Excel file: save the sheet as CSV"),
    whole("a PDF", b"%PDF-1.7\n1 0 obj\n", r"is a PDF: export the catalogue"),
    whole("a gzip file cut off", gzip.compress(GOOD.encode() * 50)[:-12], r"feed.csv.gz is no whole gzip file .*fetch it again", file="feed.csv.gz"),
    whole("a gzip file with a wrong sum", gzip.compress(GOOD.encode())[:-8] + b"\0" * 8, r"is no whole gzip file .*fetch it again", file="feed.csv.gz"),
    whole("a gzip file in a gzip file", gzip.compress(gzip.compress(GOOD.encode())), r"is gzipped twice: unpack it once", file="feed.csv.gz"),
    whole("a zip archive in a gzip file", gzip.compress(zipped(GOOD)), r"is a zip archive or a spreadsheet", file="feed.csv.gz"),
    whole("a gzip bomb", gzip_bomb, r"unpacks to more than \d+ MB from [\d,]+ bytes, which no feed does", file="feed.csv.gz"),
    rows("bad rows in a gzip file that has no suffix", gzip.compress((GOOD + "3,,5\n").encode()), "1 2", r"line 4: has no title: give it one", file="feed"),
    whole("orders instead of products", "order_id,email,total\n1,a@example.com,5\n", r"holds orders: give it as --orders"),
    whole("a map to a column that is not there", GOOD, r"--map: feed.csv has no column 'cost'; it has id, title, price", mapping={"price": "cost"}),
    whole("a currency that is none", GOOD, r"--currency: write a three-letter code", currency="dollars"),
]  # fmt: skip


@pytest.fixture(scope="module")
def shop_with_one_product(tmp_path_factory):
    folder = tmp_path_factory.mktemp("old")
    (folder / "old.csv").write_text(OLD, encoding="utf-8")
    with open_database(f"sqlite:///{folder / 'shop.db'}") as database:
        import_shop(
            [folder / "old.csv"],
            catalog=CatalogStore(database),
            order_store=OrderStore(database),
            currency="USD",
            now=NOW,
        )
    return folder / "shop.db"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_that_a_broken_feed_is_reported_and_costs_no_good_row(
    case, shop_with_one_product, tmp_path
):
    base = tmp_path / "shop.db"
    shutil.copy(shop_with_one_product, base)
    feed = case.feed() if callable(case.feed) else case.feed
    path = tmp_path / case.file
    path.write_bytes(feed.encode() if isinstance(feed, str) else feed)
    with open_database(f"sqlite:///{base}") as database:
        catalog = CatalogStore(database)

        def load():
            return import_shop(
                [path],
                catalog=catalog,
                order_store=OrderStore(database),
                now=NOW,
                **{"currency": "USD", "yes": True, **case.options},
            )

        if case.refused:
            with pytest.raises(ImportFailed, match=case.refused) as refusal:
                load()
            assert "\n" not in str(refusal.value)
            assert [product.title for product in catalog.products()] == ["Old lamp"]
            return
        (report,) = [found for found in load() if found.kind == "products"]
        told = [f"{row.where}: {row.reason}" for row in report.rejected]
        assert sorted(product.id for product in catalog.products()) == sorted(case.kept)
        assert len(told) == len(case.said), told
        for line, pattern in zip(told, case.said, strict=True):
            assert re.search(pattern, line), line


def test_that_there_are_sixty_kinds_of_breakage_with_names_of_their_own():
    assert len({case.name for case in CASES}) == len(CASES) >= 60
