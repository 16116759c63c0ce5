"""Why a product was found: the words with their fields, and the summands of its score."""

from __future__ import annotations

import pytest

from db.records import Attribute, Product, ProductId
from retrieval.building import build
from retrieval.embedders import HashingEmbedder
from retrieval.explaining import score_parts
from retrieval.hybrid import Searcher
from retrieval.products import product_fields
from retrieval.values import Query

SHOP = [
    Product(
        ProductId("kettle"),
        "Copper kettle",
        description="Whistles when the water boils.",
        attributes=(Attribute("material", "copper"),),
    ),
    Product(ProductId("sofa"), "Grey sofa", description="For three."),
]
KETTLE, SOFA = SHOP


@pytest.fixture(scope="module")
def searcher() -> Searcher:
    embedder = HashingEmbedder(dimension=64)
    built = build(SHOP, [], embedder, known={}, progress=lambda _done, _total: None)
    return Searcher(
        products=built.products,
        passages=built.passages,
        lexicon=built.lexicon,
        embedder=embedder,
    )


def test_that_each_word_is_told_with_all_fields_that_hold_it(searcher: Searcher) -> None:
    words = searcher.words_found(
        Query("a copper kettle that whistles loudly"), KETTLE.id, product_fields(KETTLE)
    )
    assert {one.word: one.fields for one in words} == {
        "copper": ("title", "attributes"),
        "kettle": ("title",),
        "whistles": ("text",),
    }


def test_that_the_words_of_a_plain_query_make_its_bm25(searcher: Searcher) -> None:
    asked = Query("copper kettle")
    hit = searcher.products(asked)[0]
    words = searcher.words_found(asked, hit.id, product_fields(KETTLE))
    assert sum(one.score for one in words) == pytest.approx(hit.parts["lexical"], abs=1e-5)


def test_that_a_word_for_the_same_thing_is_found(searcher: Searcher) -> None:
    (word,) = searcher.words_found(Query("couch"), SOFA.id, product_fields(SOFA))
    assert (word.word, word.fields) == ("couch", ("title",))


def test_that_a_product_that_is_not_indexed_holds_nothing(searcher: Searcher) -> None:
    assert searcher.words_found(Query("kettle"), "gone", product_fields(KETTLE)) == ()


def test_that_the_summands_make_the_score(searcher: Searcher) -> None:
    hit = searcher.products(Query("copper kettle"))[0]
    parts = score_parts(hit.parts)
    assert sum(part.share for part in parts) == pytest.approx(hit.score, abs=1e-5)
    assert [abs(part.share) for part in parts] == sorted(
        (abs(part.share) for part in parts), reverse=True
    )
