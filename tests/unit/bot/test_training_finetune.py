"""A set of `shopbot export` becomes a version that is not in use: what it sees, what it keeps, what is
refused, and how a killed training goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from reviewed_shop import Desk, build, opened
from safetensors import safe_open
from shop_homes import copy_of
from tiny_gpt2 import write_tiny
from typer.testing import CliRunner

from bot.cli import app
from bot.errors import ConfigError
from bot.generators.base import PhraseRequest
from bot.generators.gpt2 import Gpt2Generator
from bot.promises import Never
from bot.training import dataset, finetuning, learning
from bot.training.examples import HOUSE
from bot.training.finetuning import Options, learn
from bot.training.harvest import Pair, harvest
from bot.training.learning import mixed, settled, taken_out
from bot.training.lora import adapt, weights_of
from bot.training.trainer import train
from db.exports import ExportStore
from db.models import ModelVersionStore

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 3, 2, tzinfo=UTC)
HOUSE_PRICE = "Our price for the Copper Kettle is $49.00."
SHORT = Options(replay=0, steps=3, threads=1)


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with 40 corrections and a set of them."""
    home = build(tmp_path_factory.mktemp("tiny") / "home")
    desk = opened(home)
    for number in range(40):
        desk.correct(f"How much is the Copper Kettle for {number} people?", HOUSE_PRICE)
    found = harvest(desk.shop.conversations, desk.reviews.standing(), secret=b"s" * 32,
                    tone="neutral", never=Never())  # fmt: skip
    dataset.write(found, home / "exports", shop="Fern & Kettle", settings={}, now=NOW)
    desk.shop.close()
    return home


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("models") / "tiny", tied=True)


@pytest.fixture
def home(reviewed: Path, tmp_path: Path) -> Path:
    return copy_of(reviewed, tmp_path / "home")


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    desk = opened(home)
    folder = next((home / "exports").iterdir())
    exported = dataset.read(folder)
    turns = [(pair.turn_id, _conversation(desk, pair)) for pair in exported.pairs]
    ExportStore(desk.shop._database).add(
        path=str(folder), digest=exported.digest, counts=exported.about["counts"], turns=turns,
        user_name="Mia", now=NOW,
    )  # fmt: skip
    yield desk
    desk.shop.close()


def _conversation(desk: Desk, pair: Pair) -> int:
    turn = desk.shop.conversations.turn(pair.turn_id)
    assert turn is not None
    return turn.conversation_id


def learned(desk: Desk, tiny: Path, options: Options = SHORT, **how: Any) -> Any:
    """The version; Any, for a process that only helps has none."""
    return learn(desk.shop.settings, desk.shop._database, Path("latest"), options=options, now=NOW,
                 model=tiny, told=lambda share, loss: None, **how)  # fmt: skip


def pair(number: int, marked: str, *, shown: str = "Hello!", split: str = "train") -> Pair:
    return Pair(
        turn_id=number, conversation=f"c{number}", split="train" if split == "train" else "held_back",
        language="en", act="greet", slots=("shop",), values={"shop": "Fern"}, tone="neutral",
        message=f"hello {number}", marked=marked, shown=shown, source="corrected",
    )  # fmt: skip


# ---- what is trained on --------------------------------------------------------------------------


def test_that_held_back_pairs_are_never_trained_on_nor_watched() -> None:
    pairs = [pair(n, f"Welcome to <shop>, guest {n}.") for n in range(20)]
    pairs += [pair(n, f"Secret of <shop> {n}.", split="held_back") for n in range(20, 30)]
    examples = mixed(pairs, replay=0)
    assert not [e for e in examples if "Secret" in e.reply]
    assert {e.split for e in examples} == {"train", "valid"}
    watched = {e.reply for e in examples if e.split == "valid"}
    assert not watched & {e.reply for e in examples if e.split == "train"}


def test_that_equal_seeds_give_equal_mixtures_and_what_agents_settled_is_not_replayed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(learning, "LEAST_REPLAY", 600)
    pairs = [pair(n, "Welcome to <shop>.") for n in range(10)]
    examples = mixed(pairs, replay=1.0, seed=3)
    assert examples == mixed(pairs, replay=1.0, seed=3)
    base = [e for e in examples if e.source != HOUSE]
    assert len(base) > 300
    assert ("en", "greet") not in {(e.language, e.act) for e in base}
    assert ("zh", "greet") in {(e.language, e.act) for e in base}
    assert not any("!" in e.reply or "！" in e.reply for e in base if e.act == "recommend")


def test_that_a_manner_is_settled_by_its_share_and_a_mark_by_its_absence() -> None:
    same = [pair(n, "Welcome to <shop>.") for n in range(6)]
    assert list(settled(same).values()) == ["Welcome to <shop>."]
    mixed_ways = [pair(n, f"Welcome to <shop>, {n}.") for n in range(6)]
    assert settled(mixed_ways) == {}
    assert taken_out(same) == frozenset("!")
    assert taken_out([*same, pair(9, "Hi <shop>!")]) == frozenset()


# ---- what comes of it ----------------------------------------------------------------------------


def test_that_a_training_on_corrections_is_a_version_that_is_not_in_use(
    desk: Desk, tiny: Path, home: Path
) -> None:
    kept = learned(desk, tiny)
    store = ModelVersionStore(desk.shop._database)
    assert store.active("generator") is None
    place = home / kept.path
    assert place == home / "models" / kept.version
    about = json.loads((place / "learned.json").read_text())
    digest = ExportStore(desk.shop._database).all()[0].digest
    assert (about["exports"], about["version"], about["kind"]) == (
        [digest],
        kept.version,
        "generator",
    )
    assert (about["name"], about["parent_path"]) == ("tiny", str(tiny.resolve()))
    assert about["metrics"]["steps"] == 3
    assert [one.version for one in store.learned_from([digest])] == [kept.version]
    assert (place / "log.jsonl").is_file()
    assert list((home / "training").iterdir()) == []  # it held what shoppers wrote


def test_that_the_texts_of_the_shops_people_are_known_as_approved_by_the_model(
    desk: Desk, tiny: Path
) -> None:
    kept = learned(desk, tiny)
    approved = "Our price for the <title_1> is <price_1>."
    assert json.loads((desk.shop.settings.home / kept.path / "approved.json").read_text()) == [
        approved
    ]
    folder = Gpt2Generator(desk.shop.settings.home / kept.path)._folder
    tokens = folder.tokenizer.encode(approved).ids
    other = folder.tokenizer.encode("<title_1>: <price_1>").ids
    found = folder.candidates([(tokens, -1.0), (other, -1.0)], ("title_1", "price_1"))
    assert {one.marked: one.approved for one in found} == {
        approved: True,
        "<title_1>: <price_1>": False,
    }


def test_that_equal_seeds_train_equal_models(desk: Desk, tiny: Path, tmp_path: Path) -> None:
    one = learned(desk, tiny, out=tmp_path / "one")
    other = learned(desk, tiny, out=tmp_path / "other")
    assert one.version == other.version
    assert learned(desk, tiny, replace(SHORT, seed=1)).version != one.version


def test_that_the_next_training_begins_with_the_version_in_use(desk: Desk, tiny: Path) -> None:
    first = learned(desk, tiny)
    store = ModelVersionStore(desk.shop._database)
    store.promote("generator", first.name, first.version, user_name="Mia", report={}, now=NOW)
    second: Any = learn(desk.shop.settings, desk.shop._database, Path("latest"), options=SHORT, now=NOW,
                   told=lambda share, loss: None)  # fmt: skip
    assert second.parent == first.version
    assert second.name == first.name == "tiny"
    assert store.active("generator").version == first.version  # type: ignore[union-attr]


def test_that_adapters_are_added_into_the_weights_and_the_folder_is_served(
    desk: Desk, tiny: Path
) -> None:
    kept = learned(desk, tiny, replace(SHORT, lora=2, steps=6, peak=0.05))
    generator = Gpt2Generator(desk.shop.settings.home / kept.path)
    with safe_open(
        str(desk.shop.settings.home / kept.path / "model.safetensors"), framework="np"
    ) as weights:
        assert not [name for name in weights.keys() if "lora" in name or "base_layer" in name]  # noqa: SIM118
    generator.phrase(PhraseRequest("en", "price", ("title_1", "price_1"), "how much?"))
    assert kept.version != Gpt2Generator(tiny).version


def test_that_merged_weights_say_what_the_adapted_model_says(tiny: Path) -> None:
    import torch
    from transformers import GPT2LMHeadModel

    torch.set_num_threads(1)
    adapted: Any = GPT2LMHeadModel.from_pretrained(tiny, local_files_only=True, dtype=torch.float32)
    adapt(adapted, rank=2)
    with torch.no_grad():
        for name, value in adapted.named_parameters():
            if "lora_B" in name:
                value.normal_()
    merged: Any = GPT2LMHeadModel.from_pretrained(tiny, local_files_only=True, dtype=torch.float32)
    before = merged(torch.tensor([[5, 6, 7]])).logits
    merged.load_state_dict(weights_of(adapted))
    adapted.eval()
    merged.eval()
    ids = torch.tensor([[5, 6, 7]])
    assert torch.allclose(adapted(ids).logits, merged(ids).logits, atol=1e-4)
    assert not torch.allclose(before, merged(ids).logits, atol=1e-2)


# ---- going on after a kill -----------------------------------------------------------------------


class Killed(BaseException):
    pass


def test_that_a_training_that_was_killed_goes_on_and_ends_as_if_it_had_not_been(
    desk: Desk, tiny: Path, home: Path, tmp_path: Path
) -> None:
    options = replace(SHORT, steps=None, passes=2.0)
    whole = learned(desk, tiny, options, out=tmp_path / "whole")

    def kill(share: float, loss: float) -> None:
        if share >= 0.7:
            raise Killed

    with pytest.raises(Killed):
        learn(desk.shop.settings, desk.shop._database, Path("latest"), options=options, now=NOW,
              model=tiny, told=kill)  # fmt: skip
    (training,) = (home / "training").iterdir()
    with (training / "log.jsonl").open("a") as log:
        log.write('{"event": "rep')  # torn
    again = learned(desk, tiny, options, out=tmp_path / "again")
    assert again.version == whole.version
    steps = [
        json.loads(line) for line in (tmp_path / "again" / "log.jsonl").read_text().splitlines()
    ]
    assert [one["step"] > 0 for one in steps if one["event"] == "start"] == [False, True]


def test_that_a_training_whose_best_model_was_lost_in_a_kill_writes_it_again(
    desk: Desk, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: Any, **how: Any) -> None:
        train(*args, **how)
        raise Killed

    monkeypatch.setattr(finetuning, "train", killed)
    with pytest.raises(Killed):
        learned(desk, tiny)
    monkeypatch.undo()
    (training,) = (desk.shop.settings.training_folder).iterdir()
    (training / "best").rename(tmp_path / "gone")
    assert (desk.shop.settings.home / learned(desk, tiny).path).is_dir()


@pytest.mark.slow
def test_that_several_processes_train_one_model(
    desk: Desk, tiny: Path, home: Path, tmp_path: Path
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SHOPBOT_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python",
         sys.executable, "-c", "from bot.cli import main; main()", "finetune", "--export", "latest",
         "--model", str(tiny), "--replay", "0", "--passes", "1", "--threads", "1"],
        env=environment, cwd=home, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("is not in use yet") == 1
    alone = learned(desk, tiny, replace(SHORT, steps=None, passes=1.0), out=tmp_path / "alone")
    (together,) = (
        one for one in ModelVersionStore(desk.shop._database).all() if one.version != alone.version
    )
    steps = alone.metrics["steps"]
    assert steps / 2 <= together.metrics["steps"] <= steps / 2 + 1


# ---- what is refused -----------------------------------------------------------------------------


def test_that_a_set_of_which_something_was_erased_is_refused(desk: Desk, tiny: Path) -> None:
    exported = dataset.read(next((desk.shop.settings.exports_folder).iterdir()))
    desk.shop.conversations.erase(_conversation(desk, exported.pairs[0]))
    with pytest.raises(ConfigError, match="1 turns of .* were erased since: run `shopbot export`"):
        learned(desk, tiny)


def test_that_a_set_of_another_home_and_no_set_are_refused(
    desk: Desk, tiny: Path, tmp_path: Path
) -> None:
    exported = next((desk.shop.settings.exports_folder).iterdir())
    other = opened(build(tmp_path / "other"))
    for folder, why in (
        (exported, "no set of this home"),
        (tmp_path, "no set of `shopbot export`"),
        (Path("latest"), "there is no set yet"),
    ):
        with pytest.raises(ConfigError, match=why):
            learn(other.shop.settings, other.shop._database, folder, options=SHORT, now=NOW,
                  model=tiny)  # fmt: skip
    other.shop.close()


def test_that_a_set_of_few_pairs_is_refused(
    desk: Desk, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetuning, "FEWEST", 50)
    with pytest.raises(ConfigError, match="are too few, 50 is the least"):
        learned(desk, tiny)


def test_that_a_folder_that_holds_something_else_is_not_overwritten(
    desk: Desk, tiny: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(ConfigError, match="holds something else"):
        learned(desk, tiny, out=tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "all of it"


def test_that_the_command_trains_and_says_what_came_of_it(
    desk: Desk, tiny: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPBOT_HOME", str(home))
    done = CliRunner().invoke(
        app, ["finetune", "--export", "latest", "--model", str(tiny), "--replay", "0", "--steps", "2",
              "--threads", "1"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "is not in use yet" in done.output
    both = CliRunner().invoke(app, ["finetune", "--export", "latest", "--from-scratch"])
    assert isinstance(both.exception, ConfigError)
    assert isinstance(CliRunner().invoke(app, ["finetune"]).exception, ConfigError)
