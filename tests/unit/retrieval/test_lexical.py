from __future__ import annotations

import numpy as np
import pytest
from rank_bm25 import BM25

from retrieval.lexical import K1, B, LexicalIndex, query_weights
from retrieval.postings import Postings
from retrieval.text import Unit, tokens, units

TEXTS = [
    {"title": "Tent", "text": "A green tent for four people in the rain"},
    {"title": "Boots", "text": "Waterproof boots for rain and snow, boots for people"},
    {"title": "Table", "text": "A folding table"},
    {"title": "台灯", "text": "北欧极简台灯，放在书桌上"},
    {"title": "Phone case", "text": "For a phone"},
    {"title": "Smartphone", "text": "A smartphone"},
]


class Lucene(BM25):  # type: ignore[misc]
    """Lucene's BM25 written out over the term counts that rank-bm25 gathers."""

    def _calc_idf(self, nd: dict[str, int]) -> None:
        for word, df in nd.items():
            self.idf[word] = np.log(1 + (self.corpus_size - df + 0.5) / (df + 0.5))

    def get_scores(self, query: list[str]) -> np.ndarray:  # type: ignore[type-arg]
        lengths = np.array(self.doc_len)
        score = np.zeros(self.corpus_size)
        for word in query:
            tf = np.array([doc.get(word, 0) for doc in self.doc_freqs])
            norm = K1 * (1 - B + B * lengths / self.avgdl)
            score += self.idf.get(word, 0.0) * tf / (tf + norm)
        return score


@pytest.fixture
def index() -> LexicalIndex:
    return LexicalIndex.build(TEXTS, streams=[{"title": 2, "text": 1}])


@pytest.mark.parametrize("query", ["boots rain", "green tent people", "台灯", "folding unknown"])
def test_that_scores_equal_an_independent_lucene_bm25(index: LexicalIndex, query: str) -> None:
    corpus = [tokens(t["title"]) * 2 + tokens(t["text"]) for t in TEXTS]
    asked = tokens(query)
    np.testing.assert_allclose(
        index.scores(dict.fromkeys(asked, 1.0)), Lucene(corpus).get_scores(asked), rtol=1e-5
    )


def test_that_a_field_without_weight_is_not_searched() -> None:
    index = LexicalIndex.build(TEXTS, streams=[{"title": 1}])
    assert index.scores({"rain": 1.0}).max() == 0


def test_that_arrays_restore_the_same_index(index: LexicalIndex) -> None:
    (segment,) = index.segments
    again = LexicalIndex([Postings.restore(segment.arrays())])
    np.testing.assert_array_equal(again.scores({"boot": 1.0}), index.scores({"boot": 1.0}))


@pytest.mark.parametrize("part", ["starts", "rows", "counts", "words-ends", "words-text"])
def test_that_arrays_that_do_not_fit_are_refused(index: LexicalIndex, part: str) -> None:
    arrays = index.segments[0].arrays()
    with pytest.raises(ValueError, match="the arrays of the"):
        Postings.restore(arrays | {part: arrays[part][:-1]})


@pytest.mark.parametrize("texts", [[], [{"title": ""}]])
def test_that_an_index_without_words_scores_nothing(texts: list[dict[str, str]]) -> None:
    index = LexicalIndex.build(texts, streams=[{"title": 1}])
    assert index.scores({"tent": 1.0}).tolist() == [0.0] * len(texts)


def test_that_a_rarer_word_says_more_and_an_unknown_one_most(index: LexicalIndex) -> None:
    assert index.idf("peopl") < index.idf("green") < index.idf("kayak")


def test_that_a_word_is_held_fully_in_part_or_not(index: LexicalIndex) -> None:
    held = [
        index.held(unit, np.array([3]))[0]
        for text in ("台灯", "吊灯", "帐篷")
        for unit in units(text)
    ]
    assert held[0] == 1.0
    assert 0 < held[1] < 0.3
    assert held[2] == 0


def test_that_words_for_the_same_thing_share_the_idf_of_the_commoner() -> None:
    unit = Unit("phone", ((1.0, ("phone",)), (0.5, ("smartphon",))))
    common = [{"title": "Smartphone"}] * 8 + [{"title": "Phone case"}, {"title": "Tent"}]
    index = LexicalIndex.build(common, streams=[{"title": 1}])
    weights = query_weights([unit], index)
    assert weights["smartphon"] == 0.5
    assert weights["phone"] == pytest.approx(index.idf("smartphon") / index.idf("phone"))


def test_that_each_stream_is_judged_by_its_own_length() -> None:
    streams = [{"title": 1}, {"text": 1}]
    texts = [
        {"title": "tent", "text": "rain " * 50},
        {"title": "tent " + "rain " * 50, "text": "snow"},
    ]
    short_title, long_title = LexicalIndex.build(texts, streams=streams).scores({"tent": 1.0})
    assert short_title > long_title
    alike = LexicalIndex.build(texts[:1] + [{"title": "tent", "text": "snow"}], streams=streams)
    first, second = alike.scores({"tent": 1.0})
    assert first == pytest.approx(second)


def test_that_a_missing_stream_shortens_no_other() -> None:
    texts = [{"title": "tent", "text": "dry"}, {"title": "lamp"}, {"title": "boots"}]
    index = LexicalIndex.build(texts, streams=[{"title": 1}, {"text": 1}])
    expected = index.idf("dri") * 1 / (K1 + 1)  # of average length among those that have a text
    assert index.scores({"dri": 1.0})[0] == pytest.approx(expected)
