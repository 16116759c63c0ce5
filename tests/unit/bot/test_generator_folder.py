"""What is put to a model: only what it was taught."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import ConfigError, UntaughtError
from bot.generators.base import PhraseRequest
from bot.generators.folder import LONGEST_REPEAT, TOKENS_BASE, TOKENS_PER_SLOT, Gpt2Folder
from bot.training.tokenizer import train
from prompts.acts import inventory

WARM = PhraseRequest(
    "en",
    "price",
    ("title_1", "price_1"),
    "how much is it",
    tone="warm",
    values={"title_1": "x" * 99},
)


def folder(path: Path, *, lacking: str = "", tokenizer: bool = True, **config: object) -> Path:
    """A folder without usable weights; its tokenizer lacks the control word `lacking`."""
    path.mkdir()
    (path / "model.safetensors").write_bytes(b"")
    (path / "config.json").write_text(json.dumps({"vocab_size": 400} | config))
    if tokenizer:
        text = json.dumps(json.loads(train(["a plain text"], vocabulary=500).to_str()))
        (path / "tokenizer.json").write_text(text.replace(f'"{lacking}"', '"<|nothing|>"'))
    return path


def told(path: Path, request: PhraseRequest = WARM) -> str:
    model = Gpt2Folder(path)
    return str(model.tokenizer.decode(model.task(request).prompt, skip_special_tokens=False))


@pytest.mark.parametrize(
    ("known", "tone", "hint"),
    [(None, False, False), (1, False, False), (2, True, False), (3, True, True)],
)
def test_that_tone_and_hints_are_told_to_who_learned_them(
    tmp_path: Path, known: int | None, tone: bool, hint: bool
) -> None:
    config = {} if known is None else {"shopbot": {"format": known, "acts": 1}}
    text = told(folder(tmp_path / "m", **config))
    assert ("<|warm|>" in text) == tone
    assert ("<title_1><|long|>" in text) == hint
    assert text.endswith("<|user|>how much is it<|bot|>")


def test_that_a_hint_of_a_later_format_is_left_out(tmp_path: Path) -> None:
    gone = replace(
        WARM, act="stock", slots=("title_1", "stock_1"), values={"stock_1": "out of stock"}
    )
    known = folder(tmp_path / "new", shopbot={"format": 4, "acts": 1})
    older = folder(tmp_path / "old", lacking="<|gone|>", shopbot={"format": 3, "acts": 1})
    assert "<stock_1><|gone|>" in told(known, gone)
    assert "<|gone|>" not in told(older, gone)


def test_that_a_tone_of_a_later_list_is_left_out(tmp_path: Path) -> None:
    path = folder(tmp_path / "m", lacking="<|warm|>", shopbot={"format": 3, "acts": 1})
    assert "<|warm|>" not in told(path)


@pytest.mark.parametrize("lacking", ["<|price|>", "<price_1>"])
def test_that_an_act_or_slot_of_a_later_list_is_refused(tmp_path: Path, lacking: str) -> None:
    old = folder(tmp_path / "m", lacking=lacking, shopbot={"format": 3, "acts": 1})
    with pytest.raises(UntaughtError, match="was not taught"):
        told(old)
    assert told(old, replace(WARM, act="greet", slots=()))
    acts = ("price",) if lacking == "<|price|>" else ()
    assert Gpt2Folder(old).untaught() == acts


def test_that_a_model_we_never_trained_is_told_everything_untaught(tmp_path: Path) -> None:
    unknown = folder(tmp_path / "m", lacking="<|price|>")
    assert "<|price|>" in told(unknown)
    assert Gpt2Folder(unknown).untaught() == ()


def test_that_every_word_that_could_spell_a_marker_is_never_written(tmp_path: Path) -> None:
    model = Gpt2Folder(folder(tmp_path / "m", vocab_size=900, eos_token_id=[1, 5000]))
    known = inventory()
    control = {f"<{slot}>" for slot in known.slots} | {f"<|{act}|>" for act in known.acts}
    assert {model.rows[row] for row in model.never} > control | {"<", ">"}
    assert len(model.rows) == 900
    assert set(range(len(model.words), 900)) <= model.never
    assert model.ends == [model.words["<|end|>"]]
    assert not model.never & set(model.ends)


def test_that_prompt_and_text_fit_the_context(tmp_path: Path) -> None:
    model = Gpt2Folder(folder(tmp_path / "m", n_positions=80))
    task = model.task(replace(WARM, message="很" * 900))
    assert task.most == TOKENS_BASE + TOKENS_PER_SLOT * 2
    assert len(task.prompt) + task.most == 80
    assert task.most > LONGEST_REPEAT


def test_that_what_is_no_gpt2_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="llama: set generator.model"):
        Gpt2Folder(folder(tmp_path / "other", model_type="llama"))
    with pytest.raises(ConfigError, match=r"needs tokenizer\.json"):
        Gpt2Folder(folder(tmp_path / "mute", tokenizer=False))
    broken = folder(tmp_path / "broken")
    (broken / "config.json").write_text("[")
    with pytest.raises(ConfigError, match="cannot be read"):
        Gpt2Folder(broken)
    pickled = folder(tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(ConfigError, match="save the model as safetensors"):
        Gpt2Folder(pickled)
