"""Whole shops through the front door: load, index, serve, converse; every reply held to the truth.

SHOPBOT_TEST_ACCEPTANCE   folder of `run.py` and `shops/`; default `../shared/acceptance`, seen from
                          the checkout
SHOPBOT_GENERATOR__MODEL  another model folder than the one that comes with the package
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from benchmarks.acceptance import BESIDE, Home, Outcome, copied, load, play, shops_of
from bot.settings import DEFAULT_CHECKPOINT
from db.catalog import CatalogStore
from db.conversations import ConversationStore, TurnRecord
from db.engine import open_database
from prompts.filling import fill

ACCEPTANCE = Path(os.environ.get("SHOPBOT_TEST_ACCEPTANCE") or BESIDE).resolve()
RUNNER = ACCEPTANCE / "run.py"
MODEL = Path(os.environ.get("SHOPBOT_GENERATOR__MODEL") or DEFAULT_CHECKPOINT)
SHOPS = {shop.name: shop for shop in shops_of(ACCEPTANCE)}
FLOORS = tomllib.loads(
    (Path(__file__).parent / "acceptance_floors.toml").read_text(encoding="utf-8")
)

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.slow,
    pytest.mark.skipif(
        not RUNNER.is_file(), reason="no development shops: set SHOPBOT_TEST_ACCEPTANCE"
    ),
]
each_shop = pytest.mark.parametrize("shop", sorted(SHOPS) or ["none"])


@dataclass(frozen=True)
class Played:
    home: Home
    outcome: Outcome


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Home]:
    """Loads and indexes a shop, once."""
    homes: dict[str, Home] = {}

    def of(shop: str) -> Home:
        if shop not in homes:
            homes[shop] = load(SHOPS[shop], tmp_path_factory.mktemp("homes") / shop)
        return homes[shop]

    return of


@pytest.fixture(scope="module")
def played(
    loaded: Callable[[str], Home], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Played]:
    """Plays all conversations of a shop, once."""
    done: dict[str, Played] = {}

    def of(shop: str) -> Played:
        if shop not in done:
            home = copied(loaded(shop), tmp_path_factory.mktemp("played") / shop)
            done[shop] = Played(home, play(home, RUNNER))
        return done[shop]

    return of


@each_shop
def test_that_a_loaded_shop_holds_every_product_at_its_price(
    shop: str, loaded: Callable[[str], Home]
) -> None:
    lines = (SHOPS[shop] / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    truth = {str(row["id"]): row for row in map(json.loads, filter(str.strip, lines))}

    with open_database(loaded(shop).database_url) as database:
        products = {str(product.id): product for product in CatalogStore(database).products()}

    assert products.keys() == truth.keys()
    assert {
        id: (product.price.amount, product.price.currency)
        for id, product in products.items()
        if product.price is not None and truth[id]["price"] is not None
    } == {
        id: (Decimal(row["price"]), row["currency"])
        for id, row in truth.items()
        if row["price"] is not None
    }


@each_shop
def test_that_conversations_reach_the_floor_and_nothing_untrue_is_said(
    shop: str, played: Callable[[str], Played], capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = played(shop).outcome
    with capsys.disabled():
        print(f"\n{outcome.line}")

    floor = FLOORS.get(shop, {"passed": 0, "generated_share": 0.0})
    assert outcome.untrue == []
    assert outcome.summary["passed"] >= floor["passed"], sorted(outcome.failed)
    assert outcome.summary["generated_share"] >= floor["generated_share"]


@each_shop
def test_that_a_stored_turn_tells_how_its_reply_came_about(
    shop: str, played: Callable[[str], Played]
) -> None:
    kept = played(shop)
    turns = stored_turns(kept.home)

    assert len(turns) == kept.outcome.summary["turns"]
    assert sum(not turn.fallback for turn in turns) == round(
        kept.outcome.summary["generated_share"] * len(turns)
    )
    for turn in turns:
        if not turn.fallback:
            segments = turn.trace["segments"]
            again = "\n\n".join(fill(part["marked"], part["slots"]) for part in segments)
            assert again == turn.reply_text
            assert {part["generator"] for part in segments} == {turn.generator_name}


def test_that_a_model_of_random_weights_is_not_heard_and_nothing_untrue_is_said(
    loaded: Callable[[str], Home], tmp_path: Path
) -> None:
    model = randomised(MODEL, tmp_path / "random-gpt2")
    home = copied(loaded(min(SHOPS)), tmp_path / "home")

    outcome = play(home, RUNNER, {"SHOPBOT_GENERATOR__MODEL": str(model)})

    assert outcome.untrue == []
    assert outcome.summary["generated_share"] <= 0.05


def stored_turns(home: Home) -> list[TurnRecord]:
    with open_database(home.database_url) as database:
        store = ConversationStore(database)
        # the home was never served before, so its turns are numbered from 1 without a gap
        found = [store.turn(number) for number in range(1, store.count_turns() + 1)]
    assert all(found)
    return [turn for turn in found if turn is not None]


def randomised(model: Path, folder: Path) -> Path:
    """A copy of the model folder with weights drawn as for a training that has yet to begin."""
    copytree(model, folder)
    dice = np.random.default_rng(0)
    fresh = {}
    for name, weights in load_file(folder / "model.safetensors").items():
        if name.endswith("bias"):
            drawn = np.zeros(weights.shape)
        elif ".ln_" in name:
            drawn = np.ones(weights.shape)
        else:
            drawn = dice.normal(0.0, 0.02, weights.shape)
        fresh[name] = drawn.astype(weights.dtype)
    save_file(fresh, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
