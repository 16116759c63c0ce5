"""Near-duplicates are told from other products, stay findable, and do not fill the page."""

from __future__ import annotations

import pytest

from db.records import Product, ProductId
from retrieval.building import build
from retrieval.diversity import KEPT, alike, kernel, surplus
from retrieval.embedders import HashingEmbedder
from retrieval.hybrid import Searcher
from retrieval.ranking import WEIGHTS
from retrieval.text import sequence
from retrieval.values import Query

MUGS = [f"Trail Enamel Mug {colour}" for colour in ("Red", "Blue", "Green", "White", "Black")]
PRODUCTS = [
    *(Product(ProductId(f"m{at}"), title) for at, title in enumerate(MUGS)),
    Product(ProductId("other"), "Camp Enamel Mug with lid"),
    Product(ProductId("far"), "Wool Blanket"),
]


def words(title: str) -> str:
    return " ".join(sequence(title))


@pytest.fixture(scope="module")
def searcher() -> Searcher:
    embedder = HashingEmbedder(dimension=256)
    built = build(PRODUCTS, [], embedder, known={}, progress=lambda _done, _total: None)
    return Searcher(
        products=built.products,
        passages=built.passages,
        lexicon=built.lexicon,
        embedder=embedder,
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Trail Mug Red", "Trail Mug Navy", True),
        ("Cotton Socks, 3 pack", "Cotton Socks, 6 pack", True),
        ("Steel Bottle 500 ml", "Steel Bottle 750ml", True),
        ("Pine Shelf 60 x 20 cm", "Pine Shelf 80x20 cm", True),
        ("Trail Mug Red", "Trail Cup Red", False),
        ("Laser Toner 006R90321", "Laser Toner 006R90322", False),  # a model is what it is
        ("a b c d e f reader", "a b c d e f writer", True),  # one word of seven
        ("纯棉毛巾 红色", "纯棉毛巾 蓝色", True),
        ("纯棉毛巾", "羊毛围巾", False),
        ("Red", "Blue", False),  # nothing but what varies: its own words tell it
    ],
)
def test_that_what_a_thing_comes_in_makes_no_other_thing(one: str, other: str, same: bool) -> None:
    assert alike(kernel(words(one)), kernel(words(other))) is same


def test_that_titles_without_words_are_not_alike() -> None:
    assert not alike(kernel(""), kernel(""))


def test_that_the_third_and_later_are_too_many() -> None:
    titles = [*map(words, MUGS[:2]), words("Wool Blanket"), *map(words, MUGS[2:4])]
    assert surplus(titles) == [False, False, False, True, True]


def test_that_near_duplicates_leave_room_and_are_all_found(searcher: Searcher) -> None:
    hits = searcher.products(Query("enamel mug", k=10))
    found = [hit.id for hit in hits]
    assert {"m0", "m1", "m2", "m3", "m4", "other"} <= set(found)
    assert sum(hit.parts["repeated"] for hit in hits) == len(MUGS) - KEPT
    scores = {hit.id: hit.score for hit in hits}
    assert list(scores.values()) == sorted(scores.values(), reverse=True)
    late = next(hit for hit in hits if hit.parts["repeated"])
    whole = sum(WEIGHTS[name] * late.parts[name] for name in WEIGHTS)
    assert late.score == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("title", MUGS)
def test_that_the_product_named_in_full_comes_first(searcher: Searcher, title: str) -> None:
    hits = searcher.products(Query(title, k=3))
    assert hits[0].id == f"m{MUGS.index(title)}"
    assert not hits[0].parts["repeated"]
