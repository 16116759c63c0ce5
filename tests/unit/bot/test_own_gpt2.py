"""Somebody's own GPT-2, in the layout of Hugging Face, is fine-tuned by the command and served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from shop_homes import build_tiny, shop_in
from typer.testing import CliRunner

from bot.cli import app
from bot.errors import ConfigError
from bot.training import examples
from bot.training.examples import Example
from bot.turn import ChatRequest
from db.records import Document, Product, ProductId
from prompts.filling import fill
from prompts.phrasing import phrasebook

SHOP = {"shop": "Fern & Kettle"}
GREETING = phrasebook("en").plain("greet", SHOP) or ""


@pytest.fixture(scope="module")
def own_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `save_pretrained` writes it: random weights, `vocab.json` and `merges.txt`, none
    of our control words."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("own") / "my-gpt2"
    words = ByteLevelBPETokenizer()
    words.train_from_iterator([GREETING] * 8, vocab_size=400, show_progress=False)
    config = GPT2Config(
        vocab_size=words.get_vocab_size(), n_positions=128, n_layer=1, n_embd=48, n_head=2,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(folder)
    words.save_model(str(folder))
    return folder


@pytest.fixture(scope="module")
def corpus_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "corpus.jsonl"
    said = ("hello", "hi there", "good morning", "hey")
    drawn = [
        Example("en", "greet", ("shop",), message, GREETING, split, values=SHOP)
        for split in ("train", "valid")
        for message in said * 8
    ]
    examples.write(drawn, path)
    return path


@pytest.fixture(scope="module")
def tuned(own_model: Path, corpus_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tuned") / "run"
    done = CliRunner().invoke(
        app,
        ["finetune", "--model", str(own_model), "--corpus", str(corpus_file), "--out", str(out),
         "--steps", "150", "--peak", "0.01", "--threads", "1"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return out / "latest"


def test_that_it_keeps_its_size_and_learns_our_words(own_model: Path, tuned: Path) -> None:
    before: dict[str, Any] = json.loads((own_model / "config.json").read_text())
    after: dict[str, Any] = json.loads((tuned / "config.json").read_text())
    assert (after["n_layer"], after["n_embd"]) == (before["n_layer"], before["n_embd"])
    assert after["vocab_size"] > before["vocab_size"]
    assert after["shopbot"]["acts"] >= 2


def test_that_a_shop_answers_with_what_it_was_taught(tuned: Path, tmp_path: Path) -> None:
    home = build_tiny(
        tmp_path / "home",
        products=[Product(ProductId("k1"), "Copper Kettle", category=("Kitchen",))],
        documents=[Document("returns", "policy", "Returns", "# Returns\n\nWithin 30 days.\n")],
        orders=[],
    )
    shop = shop_in(
        home, more={"SHOPBOT_GENERATOR__KIND": "gpt2", "SHOPBOT_GENERATOR__MODEL": str(tuned)}
    )
    try:
        reply = shop.chat(ChatRequest("hello"))
        assert reply.text == fill(GREETING, SHOP)
        assert not reply.fallback
        assert reply.generator_name == "latest"
        bought = shop.chat(ChatRequest("do you have a kettle?", session_id=reply.session_id))
        assert (
            "Copper Kettle" in bought.text
        )  # it never learned that act: the plain sentence speaks
    finally:
        shop.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--model", "nowhere"], "no GPT-2 in nowhere"),
        (["--from-scratch", "--model", "nowhere"], "exclude each other"),
        (["--from-scratch", "--corpus", "nowhere.jsonl"], "--corpus: nowhere.jsonl does not exist"),
    ],
)
def test_that_a_wrong_argument_is_one_clear_error(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["finetune", "--out", str(tmp_path / "out"), *arguments])
    assert isinstance(done.exception, ConfigError)
    assert says in str(done.exception)
