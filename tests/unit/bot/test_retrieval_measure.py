"""What search is measured by, what a file of judged queries may hold, and `shopbot evaluate retrieval`."""

from __future__ import annotations

import csv
import json
import math
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shop_homes import build_tiny
from typer.testing import CliRunner

from bot.cli import app
from bot.errors import ConfigError
from bot.evaluation.retrieval.baselines import baselines
from bot.evaluation.retrieval.judgments import JudgedQuery, read
from bot.evaluation.retrieval.metrics import interval, ndcg, percentile, recall, reciprocal_rank
from bot.evaluation.retrieval.run import FIGURES, OURS, as_json, losses, rank_all
from db.records import Money, Product, ProductId
from retrieval.embedders import HashingEmbedder

RATINGS = {"a": 3, "b": 2, "c": 0}


def product(pid: str, title: str, text: str = "") -> Product:
    return Product(ProductId(pid), title, description=text, price=Money(Decimal(9), "EUR"))


GOODS = [
    product("1", "Copper Kettle", "For the stove, with a wooden handle."),
    product("2", "Garden Hose", "Twenty metres, does not kink."),
    product("3", "Tea Towel", "Linen, for the kitchen. Dries a kettle, too."),
]


# ---- figures ---------------------------------------------------------------------------------------


def test_that_ndcg_is_gain_over_ideal_gain_by_hand() -> None:
    ideal = 7 + 3 / math.log2(3)
    assert ndcg(["a", "b"], RATINGS) == pytest.approx(1.0)
    assert ndcg(["b", "a"], RATINGS) == pytest.approx((3 + 7 / math.log2(3)) / ideal)
    assert ndcg(["x", "c", "a"], RATINGS) == pytest.approx((7 / math.log2(4)) / ideal)
    assert ndcg(["x", "a"], RATINGS, k=1) == 0.0
    assert ndcg(["c"], {"c": 0}) == 0.0


@given(st.permutations(list("abcxyz")))
def test_that_no_order_is_better_than_by_rating(ids: list[str]) -> None:
    assert 0.0 <= ndcg(ids, RATINGS) <= ndcg(["a", "b", "c"], RATINGS)


def test_that_recall_and_reciprocal_rank_count_good_ones_within_k() -> None:
    good = {"a", "b"}
    assert (recall(["x", "a"], good), recall(["x", "a"], good, k=1), recall([], ())) == (0.5, 0, 0)
    assert reciprocal_rank(["x", "b", "a"], good) == 0.5
    assert reciprocal_rank(["x", "b"], good, k=1) == 0.0


def test_that_the_interval_holds_the_mean_and_is_the_same_each_time() -> None:
    values = [0.1, 0.4, 0.5, 0.9, 1.0, 0.2, 0.7]
    low, high = interval(values)
    assert low < sum(values) / len(values) < high
    assert interval(values) == (low, high)
    assert interval([0.5, 0.5]) == (0.5, 0.5)
    with pytest.raises(ValueError, match="no values"):
        interval([])


def test_that_a_percentile_is_one_of_the_values() -> None:
    assert [percentile([4, 1, 3, 2], share) for share in (0.01, 0.5, 0.95)] == [1, 2, 4]


# ---- judged queries --------------------------------------------------------------------------------


def judged_file(folder: Path, *lines: str) -> Path:
    path = folder / "judged.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    return path


def test_that_judged_queries_are_read_with_their_language(tmp_path: Path) -> None:
    path = judged_file(
        tmp_path, "Query,docid,Rating", "kettle,1,3", "kettle,3,1", "水壶,1,2", "yacht,,",
    )  # fmt: skip
    assert read(path) == [
        JudgedQuery("kettle", "en", {"1": 3, "3": 1}),
        JudgedQuery("水壶", "zh", {"1": 2}),
        JudgedQuery("yacht", "en", {}),
    ]
    assert [bool(one.good) for one in read(path)] == [True, True, False]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["query,rating", "a,1"], "no column 'product_id'"),
        (["query,product_id,rating"], "no judged query"),
        (["query,product_id,rating", "a,1,3", "a,2,five"], "line 3: the rating is 'five'"),
        (["query,product_id,rating", "a,1,4"], "line 2: the rating is '4'"),
        (["query,product_id,rating", " ,1,3"], "line 2: the query is missing"),
    ],
)
def test_that_a_wrong_file_is_told_by_its_line(tmp_path: Path, lines: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read(judged_file(tmp_path, *lines))


def test_that_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path / "none.csv")
    path = tmp_path / "other.csv"
    path.write_bytes("query,product_id,rating\nd\xe9j\xe0,1,3\n".encode("latin-1"))
    with pytest.raises(ConfigError, match="no CSV file in UTF-8"):
        read(path)


# ---- rankings --------------------------------------------------------------------------------------


def test_that_the_baselines_find_by_words_and_by_likeness() -> None:
    by_words, by_meaning, fused = baselines(GOODS, HashingEmbedder()).values()
    assert by_words("kettle", "en", 10) == ["1", "3"]
    assert by_words("yacht", "en", 10) == []
    assert by_meaning("garden hoses", "en", 1) == ["2"]
    assert fused("kettle", "en", 2)[0] == "1"


def test_that_what_was_lost_stands_first() -> None:
    judged = [
        JudgedQuery("x", "en", {"1": 3}),
        JudgedQuery("y", "en", {"2": 3}),
        JudgedQuery("z", "en"),
    ]
    systems = {
        OURS: lambda query, language, k: ["1"],
        "theirs": lambda query, language, k: ["2", "1"],
    }
    found = rank_all(systems, judged)
    assert [row.query for row in found[OURS]] == ["x", "y"]  # nothing answers z
    lost = losses(found, "theirs")
    assert [(row["query"], row["difference"] < 0) for row in lost] == [("y", True), ("x", False)]
    report = as_json(found, judged, products=3)
    assert (report["queries"], report["answerable"]) == (3, 2)
    assert report["systems"][OURS][FIGURES[0]]["mean"] == 0.5
    assert report["systems"]["theirs"]["unjudged@10"] == 0.5


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = build_tiny(tmp_path / "home", products=GOODS)
    monkeypatch.setenv("SHOPBOT_HOME", str(home))
    monkeypatch.setenv("SHOPBOT_RETRIEVAL__ENCODER", "hashing")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_that_an_owner_measures_the_search_of_the_shop(home: Path) -> None:
    path = judged_file(home, "query,product_id,rating", "kettle,1,3", "kettle,3,1", "hose,2,3")
    done = CliRunner().invoke(
        app, ["evaluate", "retrieval", "--judgments", str(path), "--out", "o"]
    )
    assert done.exit_code == 0, done.output
    report = json.loads((home / "o" / "retrieval.json").read_text(encoding="utf-8"))
    assert list(report["systems"]) == [OURS, "BM25", "hashing-512", "their fusion"]
    assert report["systems"][OURS]["MRR"]["mean"] == 1.0
    assert "| this shop | 1.000" in (home / "o" / "retrieval.md").read_text(encoding="utf-8")
    with (home / "o" / "losses.csv").open(encoding="utf-8") as file:
        assert {row["query"] for row in csv.DictReader(file)} == {"kettle", "hose"}
    assert (home / "o" / "queries.png").stat().st_size > 0


@pytest.mark.parametrize(
    ("row", "told"), [("kettle,99,3", "not in this shop"), ("kettle,1,1", "no query has a product")]
)
def test_that_what_cannot_be_measured_is_told_before(home: Path, row: str, told: str) -> None:
    path = judged_file(home, "query,product_id,rating", row)
    done = CliRunner().invoke(app, ["evaluate", "retrieval", "--judgments", str(path)])
    assert isinstance(done.exception, ConfigError)
    assert told in str(done.exception)
