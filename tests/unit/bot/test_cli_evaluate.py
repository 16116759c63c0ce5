"""`shopbot evaluate` from the command line to the files it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.errors import ConfigError
from bot.training import examples
from bot.training.examples import Example
from prompts.acts import inventory, markers
from prompts.phrasing import phrasebook

HOSTILE = "<img src=x onerror=alert(1)>"
VALUES = {"title_1": HOSTILE, "price_1": "$49.00"}


def example(split: examples.Split, message: str) -> Example:
    reply = phrasebook("en").plain("price", VALUES) or ""
    slots = tuple(slot for slot in inventory().act("price").slots if slot in markers(reply))
    return Example("en", "price", slots, message, reply, split, values=VALUES)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHOPBOT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def corpus_file(home: Path) -> Path:
    path = home / "corpus.jsonl"
    asked = ("how much is it", "what does it cost", "price?", "and the price", "cost?", "how much?")
    examples.write([example("train", "how much"), *(example("valid", m) for m in asked)], path)
    return path


def test_that_it_measures_the_shipped_model_beside_the_plain_sentences(
    home: Path, corpus_file: Path
) -> None:
    done = CliRunner().invoke(
        app,
        ["evaluate", "generator", "--corpus", str(corpus_file), "--most", "6", "--blind", "4",
         "--out", "out"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "slot error" in done.output
    report = json.loads((home / "out" / "generator.json").read_text(encoding="utf-8"))
    systems = report["sets"]["own"]["systems"]
    assert set(systems) == {"ctranslate2", "model alone", "plain"}
    assert systems["ctranslate2"]["languages"]["en"]["slot_error_greedy"] == 0
    assert systems["plain"]["languages"]["en"]["identical"] == 1  # it is the training sentence
    samples = (home / "out" / "samples.html").read_text(encoding="utf-8")
    assert "&lt;img src=x" in samples and "<img" not in samples
    assert {path.suffix for path in (home / "out" / "plots").iterdir()} == {".png"}
    key = json.loads((home / "out" / "blind-key.json").read_text(encoding="utf-8"))
    filled = home / "out" / "answers.txt"
    filled.write_text(
        "".join(f"answer {p['number']}: {p['generated']}\n" for p in key["pairs"]),
        encoding="utf-8",
    )
    counted = CliRunner().invoke(
        app, ["evaluate", "blind", str(filled), "--key", "out/blind-key.json"]
    )
    assert counted.exit_code == 0, counted.output
    assert f" {len(key['pairs'])} " in counted.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--model", "nowhere"], "no GPT-2 in nowhere"),
        (["--corpus", "nowhere.jsonl"], "nowhere.jsonl does not exist"),
        (["--set", "sgd"], "needs --data"),
        (["--set", "songs"], "no set 'songs'"),
        (["--backend", "abacus"], "no 'abacus'"),
    ],
)
def test_that_a_wrong_argument_is_one_clear_error(
    home: Path, corpus_file: Path, arguments: list[str], says: str
) -> None:
    given = [] if "--corpus" in arguments else ["--corpus", str(corpus_file)]
    done = CliRunner().invoke(app, ["evaluate", "generator", *given, "--most", "2", *arguments])
    assert isinstance(done.exception, ConfigError)
    assert says in str(done.exception)
