from __future__ import annotations

from decimal import Decimal

import pytest

from db.records import Document, Money, Product, ProductId
from retrieval.building import build
from retrieval.chunking import passages_of
from retrieval.embedders import HashingEmbedder
from retrieval.hybrid import Searcher
from retrieval.values import Filters, Query

PRODUCTS = [
    Product(
        ProductId("1"),
        "TrailMaster X4 Tent",
        description="Room for four people.",
        category=("Tents",),
        price=Money(Decimal("250"), "USD"),
        brand="OutdoorLiving",
    ),
    Product(
        ProductId("2"),
        "SkyView 2-Person Tent",
        description="For two people.",
        category=("Tents",),
        price=Money(Decimal("200"), "USD"),
        brand="OutdoorLiving",
    ),
    Product(
        ProductId("3"),
        "TrekReady Hiking Boots",
        description="Waterproof boots.",
        category=("Footwear",),
        price=Money(Decimal("140"), "USD"),
        brand="TrekReady",
    ),
    Product(
        ProductId("4"),
        "Adventurer Pro Backpack",
        description="Fits a laptop.",
        category=("Backpacks",),
        price=Money(Decimal("90"), "USD"),
    ),
    Product(ProductId("5"), "北欧极简台灯", description="放在书桌上", category=("灯具",)),
    Product(ProductId("6"), "Old Tent", description="A tent no longer sold.", withdrawn=True),
]
DOCUMENTS = [
    Document("returns", "policy", "Returns", "## Window\nReturn a tent within 30 days."),
    Document("shipping", "policy", "Shipping", "# Shipping\n\n## Rates\nStandard costs $6.95."),
    Document("p1", "page", "X4 Tent", "Pitch the tent on flat ground.", ProductId("1")),
    Document("c1", "comment", "", "Pitch the tent twice, great tent tent tent", ProductId("1")),
    Document("c2", "comment", "", "boots boots boots everywhere", ProductId("4")),
]


class OnlyEnglish(HashingEmbedder):
    """Hashing that claims English alone, and counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(dimension=64)
        self.asked: list[str] = []

    @property
    def languages(self) -> frozenset[str]:
        return frozenset({"en"})

    def encode(self, texts):  # type: ignore[no-untyped-def]
        self.asked.extend(texts)
        return super().encode(texts)


def searcher_of(embedder: HashingEmbedder) -> Searcher:
    passages = [p for document in DOCUMENTS for p in passages_of(document)]
    built = build(PRODUCTS, passages, embedder, known={}, progress=lambda _done, _total: None)
    return Searcher(
        products=built.products,
        passages=built.passages,
        lexicon=built.lexicon,
        embedder=embedder,
    )


@pytest.fixture(scope="module")
def searcher() -> Searcher:
    return searcher_of(HashingEmbedder(dimension=256))


def ids(searcher: Searcher, text: str, **more) -> list[str]:  # type: ignore[no-untyped-def]
    return [hit.id for hit in searcher.products(Query(text, **more))]


def test_that_the_product_that_is_named_comes_first(searcher: Searcher) -> None:
    assert ids(searcher, "hiking boots")[0] == "3"
    assert ids(searcher, "台灯", language="zh")[0] == "5"


def test_that_ranks_count_from_one_and_scores_fall(searcher: Searcher) -> None:
    hits = searcher.products(Query("tent for four people"))
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_that_a_withdrawn_product_is_never_found(searcher: Searcher) -> None:
    assert "6" not in ids(searcher, "old tent", k=100)


def test_that_filters_hold_before_ranking(searcher: Searcher) -> None:
    filters = Filters(price_max=Decimal("100"))
    assert ids(searcher, "tent", k=1, filters=filters) == ["4"]


def test_that_no_product_is_left_when_filters_leave_none(searcher: Searcher) -> None:
    assert ids(searcher, "tent", filters=Filters(brands=("Nobody",))) == []


def test_that_a_query_without_content_lists_what_filters_leave(searcher: Searcher) -> None:
    hits = searcher.products(Query("show me something", filters=Filters(categories=("tents",))))
    assert [(hit.id, hit.score) for hit in hits] == [("1", 0.0), ("2", 0.0)]


def test_that_coverage_tells_sold_from_mentioned_from_unknown(searcher: Searcher) -> None:
    def best(text: str, part: str) -> float:
        return max(hit.parts[part] for hit in searcher.products(Query(text)))

    assert best("tent", "title_coverage") == pytest.approx(1.0)
    assert best("laptop", "title_coverage") == 0.0
    assert best("huge tent", "title_best") == pytest.approx(1.0)
    assert best("huge tent", "title_coverage") < 0.7
    assert best("laptop", "coverage") == pytest.approx(1.0)
    assert best("kayak", "coverage") == 0.0


def test_that_parts_explain_both_rankings(searcher: Searcher) -> None:
    (hit,) = searcher.products(Query("hiking boots", k=1))
    assert hit.parts["lexical_rank"] == hit.parts["dense_rank"] == 1.0
    assert 0 < hit.parts["dense"] <= 1
    assert hit.terms == ("hiking", "boots")


def test_that_a_mended_word_is_searched_and_told(searcher: Searcher) -> None:
    (hit,) = searcher.products(Query("hikking bootz", k=1))
    assert (hit.id, hit.terms) == ("3", ("hikking→hiking", "bootz→boots"))
    assert searcher.correct("hikking bootz") == (
        "hiking boots",
        {"hikking": "hiking", "bootz": "boots"},
    )


def test_that_chinese_never_reaches_an_english_encoder() -> None:
    embedder = OnlyEnglish()
    hits = searcher_of(embedder).products(Query("台灯", "zh")) + searcher_of(embedder).products(
        Query("台灯 lamp", "en")
    )
    assert hits
    assert all("dense" not in hit.parts for hit in hits)
    assert not any("台灯" in text for text in embedder.asked)


def test_that_comments_do_not_sell_products(searcher: Searcher) -> None:
    assert ids(searcher, "boots", k=1) == ["3"]
    assert searcher.products(Query("boots everywhere", k=1))[0].id == "3"


def test_that_a_policy_is_found_among_policies(searcher: Searcher) -> None:
    hit = searcher.passages("may I return a tent", "en", source="policy")[0]
    assert searcher.passage(hit.id).document_id == "returns"
    assert hit.parts["coverage"] > 0.5


def test_that_a_products_own_page_ranks_before_its_comments(searcher: Searcher) -> None:
    hits = searcher.passages("pitch the tent", "en", product_id="1")
    assert [searcher.passage(hit.id).source for hit in hits] == ["page", "comment"]
    assert [hit.parts.get("comment") for hit in hits] == [None, 1.0]


def test_that_comments_are_read_only_when_asked_for(searcher: Searcher) -> None:
    found = searcher.passages("boots everywhere", "en", k=50)
    assert all(searcher.passage(hit.id).source != "comment" for hit in found)
    (hit,) = searcher.passages("boots everywhere", "en", source="comment", k=1)
    assert searcher.passage(hit.id).document_id == "c2"


def test_that_at_most_k_are_told(searcher: Searcher) -> None:
    assert len(searcher.products(Query("tent", k=2))) == 2
    assert searcher.products(Query("tent", k=0)) == []
    assert len(searcher.passages("tent", "en", k=1)) == 1


def test_that_an_empty_shop_answers_nothing() -> None:
    embedder = HashingEmbedder(dimension=8)
    built = build([], [], embedder, known={}, progress=lambda _done, _total: None)
    searcher = Searcher(
        products=built.products, passages=built.passages, lexicon=built.lexicon, embedder=embedder
    )
    assert searcher.products(Query("tent")) == []
    assert searcher.passages("tent", "en") == []
