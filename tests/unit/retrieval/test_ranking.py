"""The score of a product: what each part of it says, and that the parts decide the order."""

from __future__ import annotations

import numpy as np
import pytest

from db.records import Attribute, Product, ProductId
from retrieval.building import build
from retrieval.embedders import HashingEmbedder
from retrieval.hybrid import Searcher
from retrieval.ranking import LEAST_SHARE, WEIGHTS, Wish, parts_of, score
from retrieval.synonyms import synonyms
from retrieval.text import sequence, units
from retrieval.values import Query


def wish(text: str) -> Wish:
    return Wish.of(text, units(text))


def title(text: str) -> str:
    return f" {' '.join(sequence(text))} "


@pytest.mark.parametrize(
    ("asked", "called", "share"),
    [
        ("sleeping bag", "Warm Sleeping Bag", 1.0),
        ("sleeping bag", "Bag for sleeping", 0.0),
        ("external hard drive", "External SSD and hard drive", 0.5),
        ("a tent for four people", "Tent for people", 0.0),  # function words make no phrase
        ("tent", "Tent", 0.0),
        ("台灯", "北欧台灯", 0.0),
    ],
)
def test_that_a_phrase_is_neighbours_that_stay_neighbours(
    asked: str, called: str, share: float
) -> None:
    assert wish(asked).phrase(title(called)) == share


@pytest.mark.parametrize(
    ("asked", "called", "accessory"),
    [
        ("laptop", "Laptop sleeve, 15 inch", True),
        ("laptop", "Laptop and tablet stand", False),  # too far behind to be sure
        ("laptop", "Laptop, 15 inch", False),
        ("laptop stand", "Laptop stand", False),
        ("camera case", "Camera Case", False),
        ("手机", "手机壳", True),
        ("手机壳", "手机壳", False),
    ],
)
def test_that_an_accessory_is_told_from_the_thing(asked: str, called: str, accessory: bool) -> None:
    assert wish(asked).is_accessory(title(called)) is accessory


def test_that_the_score_is_the_weighted_sum_of_its_parts() -> None:
    parts = parts_of(
        wish("laptop"),
        [title("Laptop"), title("Laptop sleeve")],
        lexical=np.array([4.0, 2.0], np.float32),
        most=5.0,
        dense=np.array([0.5, np.nan], np.float32),
        coverage=np.array([1.0, 1.0], np.float32),
    )
    assert parts["words"].tolist() == pytest.approx([0.8, 0.4])
    assert parts["meaning"].tolist() == [0.5, 0.0]
    by_hand = [sum(WEIGHTS[name] * values[at] for name, values in parts.items()) for at in (0, 1)]
    assert score(parts).tolist() == pytest.approx(by_hand)


def test_that_a_long_message_leaves_its_words_a_say() -> None:
    parts = parts_of(
        wish("tent"),
        [title("Tent")],
        lexical=np.array([2.0], np.float32),
        most=100.0,
        dense=np.zeros(1, np.float32),
        coverage=np.zeros(1, np.float32),
    )
    assert parts["words"].tolist() == pytest.approx([LEAST_SHARE])


def test_that_one_thing_has_several_words_and_most_words_have_none() -> None:
    assert synonyms("Laptops".lower()) == ("notebook",)
    assert "sofa" in synonyms("couch")
    assert synonyms("tent") == ()


SHOP = [
    Product(ProductId("bag"), "Laptop bag", description="A bag for every laptop."),
    Product(ProductId("laptop"), "Aero 15 laptop", description="Sixteen gigabytes."),
    Product(ProductId("book"), "Aero 13 notebook", description="Eight gigabytes."),
    Product(
        ProductId("both"),
        "Aero 11 notebook",
        description="A laptop that is a notebook, a laptop and a notebook.",
        attributes=(Attribute("kind", "laptop"),),
    ),
    Product(ProductId("tent"), "Tent", description="For four people."),
    Product(ProductId("card"), "GeForce RTX™ 2060", description="A graphics card."),
]


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


def test_that_the_thing_stands_before_its_accessory(searcher: Searcher) -> None:
    ids = [hit.id for hit in searcher.products(Query("laptop"))]
    assert ids.index("laptop") < ids.index("bag")


def test_that_a_product_is_found_by_another_word_for_it(searcher: Searcher) -> None:
    hit = next(hit for hit in searcher.products(Query("laptop")) if hit.id == "book")
    assert hit.parts["lexical"] > 0
    assert 0 < hit.parts["title_coverage"] < 1


def test_that_two_words_for_one_thing_count_once(searcher: Searcher) -> None:
    scores = {hit.id: hit.parts["words"] for hit in searcher.products(Query("notebook"))}
    assert scores["both"] <= 1.0


def test_that_a_trade_mark_is_no_part_of_the_word(searcher: Searcher) -> None:
    (first, *_) = searcher.products(Query("rtx 2060"))
    assert (first.id, first.parts["title_coverage"]) == ("card", pytest.approx(1.0))


def test_that_every_hit_tells_the_parts_of_its_score(searcher: Searcher) -> None:
    for hit in searcher.products(Query("aero laptop")):
        told = sum(weight * hit.parts[name] for name, weight in WEIGHTS.items())
        assert hit.score == pytest.approx(told, abs=1e-5)
