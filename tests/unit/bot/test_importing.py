"""A whole import, into a real store."""

from __future__ import annotations

import gzip
import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bot.importing import ImportFailed, import_shop
from db.catalog import CatalogStore
from db.engine import open_database
from db.orders import OrderStore
from db.records import RejectedRow

FEEDS = Path(__file__).parents[2] / "fixtures" / "feeds"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path):
    with open_database(f"sqlite:///{tmp_path / 'shop.db'}") as database:
        yield Shop(CatalogStore(database), OrderStore(database))


class Shop:
    def __init__(self, catalog, orders):
        self.catalog = catalog
        self.orders = orders

    def load(self, *paths, **options):
        reports = import_shop(
            [Path(path) for path in paths],
            catalog=self.catalog,
            order_store=self.orders,
            now=NOW,
            **{"currency": "USD", **options},
        )
        return {report.kind: report for report in reports}

    def ids(self):
        return [product.id for product in self.catalog.products()]


def attributes(product):
    return {attribute.name: attribute.value for attribute in product.attributes}


def test_that_a_shop_of_several_paths_is_loaded_whole_and_again_unchanged(shop):
    named = {"policies": FEEDS / "policies", "orders": FEEDS / "orders.csv"}
    paths = (FEEDS / "lamps.csv", FEEDS / "pages", FEEDS / "comments.jsonl")
    reports = shop.load(*paths, **named)
    assert {kind: report.added for kind, report in reports.items()} == {
        "products": 2, "pages": 2, "comments": 2, "policies": 1, "orders": 1,
    }  # fmt: skip
    assert {kind: len(report.rejected) for kind, report in reports.items()} == {
        "products": 2, "pages": 1, "comments": 2, "policies": 1, "orders": 2,
    }  # fmt: skip
    assert reports["pages"].rejected == (
        RejectedRow("nobody.md", "joins no product: put the product's id in the file's name"),
    )
    clip, desk = shop.catalog.product("L1"), shop.catalog.product("L2")
    assert clip.rating == 4.25
    assert attributes(clip)["Weight"] == "1.2 lbs"
    assert attributes(desk)["高度"] == "40厘米"
    assert [d.title for d in shop.catalog.documents("comment")] == [clip.title, desk.title]

    again = shop.load(*paths, **named)
    assert [(r.added, r.changed, r.withdrawn) for r in again.values()] == [(0, 0, 0)] * 5


def test_that_only_the_named_options_are_loaded_without_a_path(shop):
    assert list(shop.load(policies=FEEDS / "policies")) == ["policies"]
    assert shop.ids() == []


def test_that_a_feed_alone_keeps_what_the_pages_told(shop):
    shop.load(FEEDS / "lamps.csv", FEEDS / "pages")
    assert shop.load(FEEDS / "lamps.csv")["products"].unchanged == 2
    assert attributes(shop.catalog.product("L1"))["Weight"] == "1.2 lbs"
    assert len(list(shop.catalog.documents("page"))) == 2


def test_that_a_newer_page_alone_replaces_what_the_older_told(shop, tmp_path):
    shop.load(FEEDS / "lamps.csv", FEEDS / "pages")
    pages = tmp_path / "pages"
    shutil.copytree(FEEDS / "pages", pages)
    page = pages / "lamp_1.md"
    page.write_text(page.read_text().replace("1.2 lbs", "2 lbs").replace("4.5", "2"))
    reports = shop.load(pages)
    assert (reports["products"].changed, reports["products"].withdrawn) == (1, 0)
    clip = shop.catalog.product("L1")
    assert (attributes(clip)["Weight"], clip.rating) == ("2 lbs", 3.0)
    assert attributes(clip)["material"] == "Steel"


def test_that_a_page_of_an_ambiguous_title_is_rejected(shop, tmp_path):
    (tmp_path / "feed.csv").write_text("id,name\nX1,Moon\nX2,Moon\n")
    (tmp_path / "moon.md").write_text("# Moon\n")
    report = shop.load(tmp_path)["pages"]
    assert "title belongs to 2 products" in report.rejected[0].reason


def test_that_a_missing_product_is_withdrawn_unless_partial(shop, tmp_path):
    feed = tmp_path / "feed.csv"
    feed.write_text("id,name,price\n" + "".join(f"{n},Lamp {n},5\n" for n in range(10)))
    shop.load(feed)
    feed.write_text("id,name,price\n1,Lamp 1,6\n")
    assert shop.load(feed, partial=True)["products"].changed == 1
    with pytest.raises(ImportFailed, match="--yes"):
        shop.load(feed)
    assert len(shop.ids()) == 10
    assert shop.load(feed, yes=True)["products"].withdrawn == 9


def test_that_a_map_is_remembered_for_its_feed(shop, tmp_path):
    feed = tmp_path / "feed.csv"
    feed.write_text("id,name,price_cents\n1,Lamp,4995\n")
    shop.load(feed, mapping={"price": "price_cents/100"})
    assert shop.load(feed)["products"].unchanged == 1
    assert shop.catalog.product("1").price.amount == Decimal("49.95")


def test_that_a_map_goes_to_the_feed_that_has_the_column(shop, tmp_path):
    (tmp_path / "a.csv").write_text("id,name,cents\n1,Lamp,4995\n")
    (tmp_path / "b.csv").write_text("id,name,price\n2,Bulb,3\n")
    shop.load(tmp_path, mapping={"price": "cents/100"})
    assert [p.price.amount for p in shop.catalog.products()] == [Decimal("49.95"), Decimal(3)]
    with pytest.raises(ImportFailed, match="no feed has the column 'pence'"):
        shop.load(tmp_path, mapping={"price": "pence/100"})


def test_that_nothing_is_applied_when_a_named_path_is_missing(shop, tmp_path):
    with pytest.raises(ImportFailed, match="does not exist"):
        shop.load(FEEDS / "lamps.csv", policies=tmp_path / "none")
    assert shop.ids() == []


def test_that_a_torn_file_changes_nothing(shop, tmp_path):
    shop.load(FEEDS / "store.json", yes=True)
    torn = tmp_path / "store.json"
    torn.write_text((FEEDS / "store.json").read_text()[:-60])
    with pytest.raises(ImportFailed, match="not whole JSON"):
        shop.load(torn, yes=True)
    assert shop.ids() == ["7", "8"]


def test_that_an_import_of_bad_rows_alone_names_the_first_reason(shop):
    with pytest.raises(ImportFailed, match=r"lamps\.csv line 2: .*--currency"):
        shop.load(FEEDS / "lamps.csv", currency=None)


@pytest.mark.parametrize(
    ("path", "options", "reason"),
    [
        ("orders.csv", {}, "--orders"),
        ("lamps.csv", {"currency": "dollars"}, "--currency"),
        ("pages", {"mapping": {"price": "x"}}, "--map belongs to a feed"),
    ],
)
def test_that_a_wrong_call_names_its_remedy(shop, path, options, reason):
    with pytest.raises(ImportFailed, match=reason):
        shop.load(FEEDS / path, **options)


def test_that_other_files_of_a_folder_are_named_and_left(shop, tmp_path):
    shutil.copy(FEEDS / "lamps.csv", tmp_path)
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\0")
    (tmp_path / ".hidden.csv").write_text("x")
    report = shop.load(tmp_path)["products"]
    assert report.added == 2
    assert report.rejected[0].where == "logo.png"


def test_that_a_folder_gives_its_feeds_whatever_they_are_called_and_tells_how_far_it_is(
    shop, tmp_path
):
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "a.csv.gz").write_bytes(gzip.compress(b"id,title,price\n1,Lamp,5\n"))
    (folder / "b.html").write_text(
        '<html><script type="application/ld+json">{"@context": "https://schema.org", '
        '"@type": "Product", "sku": "2", "name": "Kettle"}</script></html>'
    )
    (folder / "c").write_text("<list><product><id>3</id><name>Rug</name></product></list>")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\xff\xff")
    told = []
    reports = shop.load(folder, progress=lambda done, total: told.append((done, total)))
    assert shop.ids() == ["1", "2", "3"]
    (refused,) = reports["products"].rejected
    assert (refused.where, refused.reason[:24]) == ("picture.png", "is no feed and no page: ")
    assert told == sorted(told)
    assert (
        told[-1][0]
        == told[-1][1]
        == sum((folder / name).stat().st_size for name in ("a.csv.gz", "b.html", "c"))
    )


def test_that_a_torn_feed_in_a_folder_refuses_the_whole(shop, tmp_path):
    shop.load(FEEDS / "lamps.csv")
    before = shop.ids()
    (tmp_path / "a.csv").write_text("id,title\n1,Lamp\n")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"id,title\n2,Rug\n" * 99)[:-9])
    with pytest.raises(ImportFailed, match=r"b\.csv\.gz is no whole gzip file"):
        shop.load(tmp_path, yes=True)
    assert shop.ids() == before
