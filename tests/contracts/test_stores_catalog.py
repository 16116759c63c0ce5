"""The catalogue store keeps its word on every engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.exc import IntegrityError

from db.catalog import CatalogStore
from db.engine import Database
from db.errors import EmptyImport, WithdrawalTooLarge
from db.records import (
    Attribute,
    Document,
    ImportReport,
    Money,
    Passage,
    PassageId,
    Product,
    ProductId,
    Variant,
)

NOW = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)

FULL = Product(
    id=ProductId("T-100"),
    title="山行 Tent “Aurora” 🏕",
    aliases=("SKU-Straße", "t100-red"),
    description="Two lines\nof text, 100 % dry.",
    price=Money(Decimal("129.00"), "USD"),
    price_to=Money(Decimal("149.50"), "USD"),
    compare_at=Money(Decimal("0.1"), "CNY"),
    in_stock=False,
    stock=0,
    brand="OutdoorLiving",
    category=("Camping", "Tents"),
    images=("https://example.test/a.jpg",),
    url="https://example.test/t",
    rating=4.4,
    rating_count=12,
    tags=("new",),
    variants=(
        Variant(
            id="v1",
            sku="t100-red",
            options=(Attribute("Colour", "Red"), Attribute("Size", "L")),
            price=Money(Decimal("129.00"), "USD"),
            in_stock=True,
            stock=3,
        ),
        Variant(id="v2"),
    ),
    attributes=(Attribute("Weight", "2.5 kg"), Attribute("Weight", "5.5 lb")),
)
BARE = Product(id=ProductId("bare"), title="")


@pytest.fixture
def store(database: Database) -> CatalogStore:
    return CatalogStore(database)


def some(count: int, *, start: int = 0) -> Iterator[Product]:
    for number in range(start, start + count):
        yield Product(id=ProductId(f"p{number}"), title=f"Product {number}")


def load(
    store: CatalogStore,
    *products: Product,
    partial: bool = False,
    may_withdraw_many: bool = False,
    now: datetime = NOW,
) -> ImportReport:
    return store.apply_products(
        iter(products), partial=partial, may_withdraw_many=may_withdraw_many, now=now
    )


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return (
        report.added,
        report.changed,
        report.unchanged,
        report.withdrawn,
        len(report.rejected),
    )


def test_that_a_product_comes_back_as_it_was_given(store: CatalogStore) -> None:
    report = load(store, FULL, BARE)
    assert report.kind == "products"
    assert counts(report) == (2, 0, 0, 0, 0)
    assert store.product("T-100") == FULL
    assert store.product("bare") == BARE
    assert list(store.products()) == [FULL, BARE]
    assert store.product("t-100") is None


def test_that_an_amount_keeps_every_digit_and_trailing_zero(store: CatalogStore) -> None:
    amount = Decimal("12345678901234567890.1234567890")
    load(store, replace(BARE, price=Money(amount, "USD")))
    product = store.product("bare")
    assert product is not None
    assert product.price is not None
    assert str(product.price.amount) == str(amount)


def test_that_an_unchanged_import_changes_nothing(store: CatalogStore) -> None:
    load(store, FULL, BARE)
    before = store.digest()
    assert counts(load(store, FULL, BARE)) == (0, 0, 2, 0, 0)
    assert store.digest() == before


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Tent"},
        {"price": Money(Decimal("129.0"), "USD")},
        {"price": None},
        {"in_stock": None},
        {"rating": 4.5},
        {"aliases": ()},
        {"variants": ()},
        {"attributes": (Attribute("Weight", "5.5 lb"), Attribute("Weight", "2.5 kg"))},
    ],
    ids=lambda change: next(iter(change)),
)
def test_that_any_changed_field_is_taken_over_and_changes_the_digest(
    store: CatalogStore, change: dict[str, object]
) -> None:
    load(store, FULL, BARE)
    before = store.digest()
    changed = replace(FULL, **change)  # type: ignore[arg-type]
    assert counts(load(store, changed, BARE)) == (0, 1, 1, 0, 0)
    assert store.product("T-100") == changed
    assert store.digest() != before


def test_that_a_missing_product_is_withdrawn_and_kept(store: CatalogStore) -> None:
    load(store, *some(10))
    before = store.digest()
    assert counts(load(store, *some(9))) == (0, 0, 9, 1, 0)
    gone = store.product("p9")
    assert gone is not None
    assert gone.withdrawn
    assert store.count() == 9
    assert "p9" not in {product.id for product in store.products()}
    assert gone in list(store.products(include_withdrawn=True))
    assert store.digest() != before


def test_that_a_withdrawn_product_is_not_withdrawn_again(store: CatalogStore) -> None:
    load(store, *some(10))
    load(store, *some(9))
    assert counts(load(store, *some(9))) == (0, 0, 9, 0, 0)


def test_that_a_returning_product_is_active_again(store: CatalogStore) -> None:
    load(store, *some(10))
    before = store.digest()
    load(store, *some(9))
    assert counts(load(store, *some(10))) == (0, 1, 9, 0, 0)
    back = store.product("p9")
    assert back is not None
    assert not back.withdrawn
    assert store.digest() == before


def test_that_a_partial_import_withdraws_nothing(store: CatalogStore) -> None:
    load(store, *some(10))
    assert counts(load(store, FULL, partial=True)) == (1, 0, 0, 0, 0)
    assert store.count() == 11


def test_that_withdrawing_more_than_three_in_ten_is_refused_and_undone(
    store: CatalogStore,
) -> None:
    load(store, *some(10))
    before = list(store.products())
    with pytest.raises(WithdrawalTooLarge, match=r"4 of 10 .*--yes") as refusal:
        load(store, *some(6), FULL, now=NOW + timedelta(days=1))
    assert (refusal.value.withdrawn, refusal.value.active) == (4, 10)
    assert list(store.products()) == before
    assert store.product("T-100") is None
    assert store.resolve("t-100") is None
    assert store.imported_at() == NOW


def test_that_three_in_ten_may_be_withdrawn_unasked(store: CatalogStore) -> None:
    load(store, *some(10))
    assert load(store, *some(7)).withdrawn == 3


def test_that_a_large_withdrawal_happens_when_it_is_meant(store: CatalogStore) -> None:
    load(store, *some(10))
    assert load(store, *some(1), may_withdraw_many=True).withdrawn == 9
    assert store.count() == 1


def test_that_an_empty_complete_import_is_refused(store: CatalogStore) -> None:
    load(store, *some(3))
    with pytest.raises(EmptyImport, match="--partial"):
        load(store, may_withdraw_many=True)
    assert store.count() == 3


def test_that_an_empty_partial_import_does_nothing(store: CatalogStore) -> None:
    load(store, *some(3))
    assert counts(load(store, partial=True)) == (0, 0, 0, 0, 0)
    assert store.count() == 3


def test_that_the_first_of_equal_ids_is_kept_and_the_others_are_rejected(
    store: CatalogStore,
) -> None:
    first, second = replace(BARE, title="first"), replace(BARE, title="second")
    report = load(store, first, second, FULL)
    assert counts(report) == (2, 0, 0, 0, 1)
    assert "bare" in report.rejected[0].where
    assert "more than once" in report.rejected[0].reason
    assert store.product("bare") == first


@pytest.mark.parametrize(
    "bad",
    [
        replace(BARE, id=ProductId(" ")),
        replace(BARE, id=ProductId("\x00")),
        replace(BARE, id=ProductId("长" * 700)),
        replace(BARE, stock=10**30),
        replace(BARE, rating=float("nan")),
    ],
    ids=["blank id", "NUL id", "long id", "huge stock", "no rating"],
)
def test_that_a_product_that_cannot_be_stored_never_loses_a_good_one(
    store: CatalogStore, bad: Product
) -> None:
    report = load(store, bad, FULL)
    assert counts(report) == (1, 0, 0, 0, 1)
    assert list(store.products()) == [FULL]


def test_that_odd_characters_in_a_feed_are_kept_or_made_harmless(store: CatalogStore) -> None:
    load(store, replace(BARE, title="a\x00b\ud800", attributes=(Attribute("x", "\x00y\udfff"),)))
    product = store.product("bare")
    assert product is not None
    assert product.title == "ab?"
    assert product.attributes[0].value.endswith("y?")


def test_that_a_feed_that_breaks_halfway_changes_nothing(store: CatalogStore) -> None:
    load(store, *some(3))

    def broken() -> Iterator[Product]:
        yield from some(1200, start=100)
        raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        store.apply_products(broken(), partial=True, may_withdraw_many=False, now=NOW)
    assert store.count() == 3
    assert counts(load(store, *some(3))) == (0, 0, 3, 0, 0)


def test_that_products_are_not_held_while_a_feed_is_read(store: CatalogStore) -> None:
    alive: list[int] = []

    class Counted(Product):
        __slots__ = ()

        def __del__(self) -> None:
            alive[-1] -= 1

    peak = 0

    def feed() -> Iterator[Product]:
        nonlocal peak
        alive.append(0)
        for number in range(3000):
            alive[-1] += 1
            peak = max(peak, alive[-1])
            yield Counted(id=ProductId(f"p{number}"), title="x")

    store.apply_products(feed(), partial=False, may_withdraw_many=False, now=NOW)
    assert store.count() == 3000
    assert peak <= 10


def test_that_the_shop_can_be_written_to_while_a_feed_is_read(
    store: CatalogStore, database: Database
) -> None:
    def feed() -> Iterator[Product]:
        yield from some(600)
        CatalogStore(database).remember_mapping("feed.csv", {"title": "name"})
        yield from some(600, start=600)

    store.apply_products(feed(), partial=False, may_withdraw_many=False, now=NOW)
    assert store.count() == 1200
    assert store.mapping("feed.csv") == {"title": "name"}


def test_that_a_product_is_found_by_id_and_alias_whatever_their_case(store: CatalogStore) -> None:
    load(store, FULL, BARE)
    for key in ("T-100", "t-100", " t-100 ", "sku-STRASSE", "T100-RED"):
        assert store.resolve(key) == FULL, key
    for key in ("", "t-10", "v1"):
        assert store.resolve(key) is None, key


def test_that_an_id_goes_before_an_alias_and_an_active_product_before_a_withdrawn(
    store: CatalogStore,
) -> None:
    by_alias = Product(id=ProductId("a"), title="", aliases=("X1", "shared"))
    by_id = Product(id=ProductId("x1"), title="", aliases=("shared",))
    exact = Product(id=ProductId("X1"), title="")
    load(store, by_alias, by_id, exact)
    assert store.resolve("x1") == by_id
    assert store.resolve("X1") == exact
    assert store.resolve("shared") == by_alias
    load(store, by_id, exact, may_withdraw_many=True)
    assert store.resolve("shared") == by_id
    assert store.resolve("a") == replace(by_alias, withdrawn=True)


def test_that_an_alias_that_was_taken_away_is_found_no_more(store: CatalogStore) -> None:
    load(store, FULL)
    load(store, replace(FULL, aliases=("new-sku", "a" * 5000)), now=NOW + timedelta(days=1))
    assert store.resolve("t100-red") is None
    assert store.resolve("NEW-SKU") is not None


def test_that_records_tell_what_changed_in_the_order_of_the_products(store: CatalogStore) -> None:
    load(store, *some(4))
    before = list(store.records())
    assert [id for id, _ in before] == [product.id for product in store.products()]
    changed = Product(id=ProductId("p1"), title="Another")
    load(store, *(changed if one.id == "p1" else one for one in some(3)))
    after = list(store.records())
    assert [id for id, _ in after] == ["p0", "p1", "p2"]
    assert [old == new for old, new in zip(before, after, strict=False)] == [True, False, True]


def test_that_some_products_are_read_in_the_order_asked_for(store: CatalogStore) -> None:
    load(store, *some(700))
    wanted = [f"p{number}" for number in (*range(650, 20, -1), 699)]
    assert [product.id for product in store.products_of([*wanted, "gone"])] == wanted


def test_that_the_digest_does_not_depend_on_the_order_of_the_feed(store: CatalogStore) -> None:
    assert store.digest() == store.digest()
    load(store, *some(3))
    before = store.digest()
    load(store, *reversed(list(some(3))))
    assert store.digest() == before
    assert len(before) == 64


def test_that_the_time_of_the_last_product_import_is_known(store: CatalogStore) -> None:
    assert store.imported_at() is None
    store.apply_documents([], source="policy", partial=False, now=NOW)
    assert store.imported_at() is None
    load(store, BARE)
    load(store, BARE, now=NOW + timedelta(hours=2))
    assert store.imported_at() == NOW + timedelta(hours=2)


def test_that_a_mapping_is_remembered_per_feed_and_replaced(store: CatalogStore) -> None:
    assert store.mapping("a.csv") == {}
    store.remember_mapping("a.csv", {"price": "price_cents/100", "title": "名称"})
    store.remember_mapping("b.csv", {"title": "name"})
    store.remember_mapping("a.csv", {"price": "cost"})
    assert store.mapping("a.csv") == {"price": "cost"}
    assert store.mapping("b.csv") == {"title": "name"}


# ---- documents and passages ----------------------------------------------------------------------

RETURNS = Document(id="returns", source="policy", title="Returns", markdown="# Returns\n30 days.")
SHIPPING = Document(id="shipping", source="policy", title="Shipping", markdown="# Shipping")
PAGE = Document(
    id="returns", source="page", title="手册", markdown="…", product_id=ProductId("T-100")
)


def test_that_documents_are_added_changed_and_deleted_within_their_source(
    store: CatalogStore,
) -> None:
    report = store.apply_documents([RETURNS, SHIPPING], source="policy", partial=False, now=NOW)
    assert (report.kind, counts(report)) == ("policies", (2, 0, 0, 0, 0))
    report = store.apply_documents([PAGE], source="page", partial=False, now=NOW)
    assert (report.kind, counts(report)) == ("pages", (1, 0, 0, 0, 0))
    changed = replace(RETURNS, markdown="# Returns\n14 days.")
    report = store.apply_documents([changed], source="policy", partial=False, now=NOW)
    assert counts(report) == (0, 1, 0, 1, 0)
    assert list(store.documents()) == [changed, PAGE]
    assert list(store.documents("policy")) == [changed]
    assert list(store.documents("comment")) == []


def test_that_a_partial_import_of_documents_deletes_none(store: CatalogStore) -> None:
    store.apply_documents([RETURNS], source="policy", partial=False, now=NOW)
    report = store.apply_documents([SHIPPING], source="policy", partial=True, now=NOW)
    assert counts(report) == (1, 0, 0, 0, 0)
    assert list(store.documents()) == [RETURNS, SHIPPING]


def test_that_a_document_given_twice_is_kept_once(store: CatalogStore) -> None:
    second = replace(RETURNS, markdown="other")
    report = store.apply_documents([RETURNS, second], source="policy", partial=False, now=NOW)
    assert counts(report) == (1, 0, 0, 0, 1)
    assert list(store.documents()) == [RETURNS]


def test_that_a_document_of_another_source_is_refused(store: CatalogStore) -> None:
    with pytest.raises(ValueError, match="is a page, not a policy"):
        store.apply_documents([RETURNS, PAGE], source="policy", partial=False, now=NOW)
    assert list(store.documents()) == []


def test_that_the_digest_follows_the_documents(store: CatalogStore) -> None:
    digests = [store.digest()]
    for documents in ([RETURNS], [RETURNS, SHIPPING], [SHIPPING], []):
        store.apply_documents(documents, source="policy", partial=False, now=NOW)
        digests.append(store.digest())
    assert len(set(digests)) == 4
    assert digests[0] == digests[-1]


def passage(number: int, *, product: str | None = None) -> Passage:
    return Passage(
        id=PassageId(f"returns#{number}"),
        document_id="returns",
        source="policy" if product is None else "page",
        heading=("Returns", "期限"),
        text=f"Passage {number}",
        ordinal=number,
        product_id=None if product is None else ProductId(product),
    )


def test_that_passages_are_replaced_as_a_whole_and_keep_their_order(store: CatalogStore) -> None:
    store.replace_passages(passage(number) for number in range(5))
    second = [passage(7), passage(3, product="T-100"), passage(1, product="T-100")]
    store.replace_passages(iter(second))
    assert list(store.passages()) == second
    assert store.passages_of("T-100") == second[1:]
    assert store.passage("returns#7") == second[0]
    assert store.passage("returns#0") is None


def test_that_passages_may_be_cut_from_documents_while_those_are_read(store: CatalogStore) -> None:
    store.apply_documents([RETURNS, SHIPPING], source="policy", partial=False, now=NOW)
    store.replace_passages(
        replace(passage(0), id=PassageId(document.id)) for document in store.documents()
    )
    assert [found.id for found in store.passages()] == ["returns", "shipping"]


def test_that_two_passages_of_one_id_are_refused_and_the_old_ones_stay(
    store: CatalogStore,
) -> None:
    store.replace_passages([passage(1)])
    with pytest.raises(IntegrityError):
        store.replace_passages([passage(2), passage(2)])
    assert list(store.passages()) == [passage(1)]


def test_that_an_unchanged_feed_renews_its_date_and_is_no_import(store: CatalogStore) -> None:
    load(store, FULL)
    number = store.last_import()
    assert number > 0
    for hours in (1, 2):
        store.confirm(now=NOW + timedelta(hours=hours))
        assert store.imported_at() == NOW + timedelta(hours=hours)
    assert store.last_import() == number
