"""`kill -9` in the middle of an export, of a training and of a promotion: the shop answers, what is in use stays, nothing
half-written is met, and the same command runs again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from reviewed_shop import build, opened
from shop_homes import copy_of, settings_of
from tiny_gpt2 import write_tiny

from bot.app import Shop
from bot.training import dataset
from bot.turn import ChatRequest
from bot.versions import register
from db.exports import ExportStore
from db.models import ModelVersion, ModelVersionStore

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 3, 2, tzinfo=UTC)
PRICE = "How much is the Copper Kettle?"
HOUSE = "Our price for the Copper Kettle is $49.00."

# replaces a function by one that ends the process as a power cut would, at its call of this number
KILL = """
import importlib, os, signal
module, _, kind = "{module}".partition(":")
place, name, call = importlib.import_module(module), "{name}", {call}
place = getattr(place, kind) if kind else place
calls, real = [], getattr(place, name)
def killed(*given, **how):
    calls.append(1)
    if len(calls) == call:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given, **how)
setattr(place, name, killed)
"""


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with 32 corrections, a model folder, and a version of it in use."""
    home = build(tmp_path_factory.mktemp("tiny") / "home")
    desk = opened(home)
    for number in range(32):
        desk.correct(f"How much is the Copper Kettle for {number} people?", HOUSE)
    write_tiny(home / "tiny", tied=True)
    store = ModelVersionStore(desk.shop._database)
    store.register(kind="generator", name="tiny", version="one", path="tiny", digest="0", metrics={},
                   parent=None, active=True, now=NOW)  # fmt: skip
    desk.shop.close()
    return home


TRAINED = ("finetune", "--export", "latest", "--replay", "0", "--passes", "1", "--threads", "1")


@pytest.fixture
def home(reviewed: Path, tmp_path: Path) -> Path:
    return copy_of(reviewed, tmp_path / "home")


def run(
    home: Path, *arguments: str, kill: tuple[str, str, int] | None = None, speaks: str = "plain"
) -> int:
    """Runs a command in a process of its own; returns how it ended. `speaks` is generator.kind."""
    module, name, call = kill or ("", "", 0)
    before = KILL.format(module=module, name=name, call=call) if kill else ""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SHOPBOT_")},
        "PYTHONPATH": str(ROOT), "SHOPBOT_HOME": str(home), "SHOPBOT_GENERATOR__KIND": speaks,
        "SHOPBOT_GENERATOR__MODEL": str(home / "tiny"),
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", f"{before}\nfrom bot.cli import main; main()", *arguments],
        env=environment, cwd=home, capture_output=True, check=False, timeout=300,
    ).returncode  # fmt: skip


def learned(home: Path) -> list[ModelVersion]:
    """The versions beside the one in use, which is still in use while the shop answers."""
    desk = opened(home)
    try:
        assert "49.00" in desk.ask(PRICE).text
        versions = ModelVersionStore(desk.shop._database).all()
        assert [one.version for one in versions if one.active] == ["one"]
        return [one for one in versions if not one.active]
    finally:
        desk.shop.close()


def sets(home: Path) -> list[Path]:
    """The sets that a person or a command would find."""
    folder = home / "exports"
    return [path for path in folder.glob("*") if not path.name.startswith(".")] if folder.exists() else []  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    "kill",
    [
        ("os", "fsync", 3),  # some files are there
        ("pathlib:Path", "rename", 1),  # and the shop knows of the set
    ],
)
def test_that_an_export_that_was_killed_leaves_no_half_set_and_runs_again(
    home: Path, kill: tuple[str, str, int]
) -> None:
    assert run(home, "export", kill=kill) == -signal.SIGKILL
    assert sets(home) == []
    assert learned(home) == []
    assert run(home, *TRAINED) == 1  # there is no set yet
    assert run(home, "export") == 0
    (written,) = sets(home)
    assert dataset.read(written).pairs
    desk = opened(home)
    assert Path(ExportStore(desk.shop._database).all()[0].path) == written
    desk.shop.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "kill",
    [
        ("bot.training.trainer", "save_state", 3),  # after some reports
        ("bot.training.candidate", "register", 1),  # the folder is there, and nobody knows it
    ],
)
def test_that_a_training_that_was_killed_changes_nothing_in_use_and_runs_again(
    home: Path, kill: tuple[str, str, int]
) -> None:
    assert run(home, "export") == 0
    assert run(home, *TRAINED, kill=kill) == -signal.SIGKILL
    assert learned(home) == []
    assert run(home, *TRAINED) == 0
    (version,) = learned(home)
    assert (home / version.path / "model.safetensors").is_file()
    assert list((home / "training").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kill", "promoted"),
    [
        (("db.models", "_put_in_use", 1), False),  # in the transaction, before anything
        (("db.models", "_note", 1), False),  # in it, with another version marked already
        (("bot.promotion:Versions", "_note", 1), True),  # behind it
    ],
)
def test_that_a_promotion_that_was_killed_is_done_or_not_and_runs_again(
    home: Path, kill: tuple[str, str, int], promoted: bool
) -> None:
    better = passed(home)
    command = ("models", "promote", better.version)
    assert run(home, *command, kill=kill, speaks="gpt2") == -signal.SIGKILL
    assert in_use(home) == (better.version if promoted else "one")
    assert run(home, *command, speaks="gpt2") == (1 if promoted else 0)  # it is in use already
    assert in_use(home) == better.version
    assert run(home, "models", "rollback", speaks="gpt2") == 0
    assert in_use(home) == "one"


def passed(home: Path) -> ModelVersion:
    """Another version that the gate would let pass."""
    folder = write_tiny(home / "models" / "better", seed=1)
    desk = opened(home)
    store = ModelVersionStore(desk.shop._database)
    version = register(store, folder, home=home, now=NOW)
    candidate = {"name": version.name, "version": version.version, "digest": version.digest}
    report = {
        "passed": True,
        "candidate": candidate,
        "incumbent": {"name": "tiny", "version": "one"},
    }
    store.note("generator", version.name, version.version, {"gate": report})
    desk.shop.close()
    return version


def in_use(home: Path) -> str:
    """The version that a shop speaks by, which answers."""
    speaking = {"SHOPBOT_GENERATOR__KIND": "gpt2", "SHOPBOT_GENERATOR__MODEL": str(home / "tiny")}
    shop = Shop(settings_of(home, more=speaking))
    try:
        assert "49.00" in shop.chat(ChatRequest(PRICE)).text
        active = ModelVersionStore(shop._database).active("generator")
        assert active is not None
        assert shop._speaker.generator().name == ("tiny" if active.version == "one" else "better")
        return active.version
    finally:
        shop.close()
