from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from bot.training import corpus
from bot.training.batching import Encoded, batches, drill, encode, loss_of
from bot.training.checkpoint import Progress, export, load_state, new_model, save_state
from bot.training.examples import Example
from bot.training.tokenizer import END, control_words, tokens_per_character
from bot.training.tokenizer import train as train_tokenizer
from bot.training.trainer import (
    Plan,
    learning_rate,
    model_for,
    optimizer_for,
    prepare,
    train,
)
from bot.training.validation import SlotErrors, slot_error, slot_errors, write


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return corpus.build(size=200, valid=60, seed=3)


@pytest.fixture(scope="module")
def tokenizer(examples: list[Example]) -> Any:
    return train_tokenizer((e.reply for e in examples), vocabulary=1200)


def tiny(tokenizer: Any, seed: int = 0) -> Any:
    return new_model(tokenizer, layers=1, width=16, heads=2, seed=seed)


def test_that_every_control_word_is_one_token(tokenizer: Any) -> None:
    for word in control_words():
        assert len(tokenizer.encode(word).ids) == 1


def test_that_no_text_is_lost_in_the_tokenizer(tokenizer: Any, examples: list[Example]) -> None:
    for text in [*(e.reply for e in examples), "𠮷 é <title_1>\n- 龘"]:
        ids = tokenizer.encode(text).ids
        assert tokenizer.decode(ids, skip_special_tokens=False) == text


def test_that_a_chinese_character_of_a_reply_costs_less_than_a_token(
    tokenizer: Any, examples: list[Example]
) -> None:
    replies = [e.reply for e in examples if e.language == "zh"]
    assert tokens_per_character(tokenizer, replies) < 1


def test_that_slot_errors_count_missing_added_and_repeated_markers() -> None:
    assert slot_errors(["title_1", "price_1"], "<title_1>: <price_1>") == SlotErrors()
    assert slot_errors(["title_1", "price_1"], "<title_1> <title_1> <wish>") == SlotErrors(1, 1, 1)


def test_that_batches_hold_every_row_once_within_their_budget() -> None:
    rows = [Encoded(tuple(range(3, 3 + size % 17)), 1) for size in range(2, 400)]
    cut = batches(rows, tokens=64, seed="s")
    assert sorted(row.ids for batch in cut for row in batch) == sorted(row.ids for row in rows)
    assert all(len(batch) * max(len(row.ids) for row in batch) <= 64 for batch in cut)
    assert batches(rows, tokens=64, seed="s") == cut != batches(rows, tokens=64, seed="t")


def test_that_a_drill_asks_for_the_markers_of_its_prompt_and_nothing_else() -> None:
    row = Encoded((1, 40, 9, 41, 2, 50, 51, 52), 5)
    assert drill(row, frozenset({40, 41}), end=3) == Encoded((1, 40, 9, 41, 2, 40, 41, 3), 5)


def test_that_the_loss_reads_reply_tokens_only(tokenizer: Any) -> None:
    """An independent count: the mean surprise over the reply, one example at a time, no padding."""
    import torch

    model = tiny(tokenizer)
    rows = [Encoded((5, 6, 7, 8, 9), 2), Encoded((5, 9, 4), 1), Encoded((7, 7, 7, 7, 3, 2), 5)]
    loss, count = loss_of(model, rows, pad=0)
    surprises = []
    for row in rows:
        logprobs = model(torch.tensor([row.ids])).logits[0].log_softmax(-1)
        surprises += [
            -float(logprobs[at - 1, row.ids[at]].detach()) for at in range(row.start, len(row.ids))
        ]
    assert count == len(surprises) == 6
    assert float(loss.detach()) == pytest.approx(sum(surprises) / count, abs=1e-4)


def test_that_the_rate_warms_up_by_steps_and_falls_to_the_floor_by_time() -> None:
    plan = Plan(minutes=10, peak=1.0, floor=0.1, warmup_steps=10)
    assert learning_rate(plan, Progress(step=0)) == pytest.approx(0.1)
    assert learning_rate(plan, Progress(step=10)) == pytest.approx(1.0)
    assert learning_rate(plan, Progress(step=99, seconds=300)) == pytest.approx(0.55)
    assert learning_rate(plan, Progress(step=99, seconds=900)) == pytest.approx(0.1)


def test_that_a_restored_training_takes_the_same_next_step(
    tokenizer: Any, examples: list[Example], tmp_path: Path
) -> None:
    import torch

    rows = encode(examples[:24], tokenizer)

    def step(model: Any, optimizer: Any) -> None:
        loss_of(model, rows, pad=0)[0].backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    model = tiny(tokenizer)
    optimizer = optimizer_for(model)
    step(model, optimizer)
    progress = Progress(epoch=1, batch=2, step=1, seconds=3.5, tokens=4)
    save_state(model, optimizer, progress, tmp_path / "state.safetensors")
    restored = tiny(tokenizer, seed=9)
    restored_optimizer = optimizer_for(restored)
    found = load_state(restored, restored_optimizer, tmp_path / "state.safetensors")
    assert found == progress
    step(model, optimizer)
    step(restored, restored_optimizer)
    for one, other in zip(model.parameters(), restored.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_that_an_exported_model_reads_back_within_half_precision(
    tokenizer: Any, tmp_path: Path
) -> None:
    import torch
    from transformers import GPT2LMHeadModel

    model = tiny(tokenizer).eval()
    export(model, tokenizer, tmp_path / "model")
    export(model, tokenizer, tmp_path / "model")
    again = GPT2LMHeadModel.from_pretrained(tmp_path / "model", dtype=torch.float32)
    ids = torch.tensor([tokenizer.encode("<|en|><|greet|><|user|>hi<|bot|>").ids])
    assert again.lm_head.weight.dtype == torch.float32
    assert torch.allclose(model(ids).logits, again(ids).logits, atol=2e-3)


def test_that_prompts_of_different_length_are_written_as_if_alone(tokenizer: Any) -> None:
    model = tiny(tokenizer).eval()
    prompts = ["<|en|><|greet|><|user|>hi<|bot|>", "<|en|><|thanks|><|user|>thanks a lot<|bot|>"]
    together = write(model, tokenizer, prompts, temperature=0, seed=0)
    alone = [write(model, tokenizer, [p], temperature=0, seed=0)[0] for p in prompts]
    # rows of a batch may run longer than alone, so the shorter text is compared
    for one, other in zip(together, alone, strict=True):
        assert one.text.startswith(other.text[:40])


def test_that_a_text_that_never_ends_misses_every_slot(
    tokenizer: Any, examples: list[Example]
) -> None:
    import torch

    model = tiny(tokenizer).eval()
    with torch.no_grad():  # a model that says the first marker for ever
        for parameter in model.parameters():
            parameter.zero_()
        model.transformer.ln_f.bias.fill_(1.0)
        model.transformer.wte.weight[tokenizer.token_to_id("<title_1>")] = 1.0
    some = [e for e in examples if len(e.slots) > 1][:3]
    figures, _ = slot_error(model, tokenizer, some, k=1)
    assert figures["greedy"] == 1.0


def test_that_a_short_training_lowers_the_loss_and_leaves_a_servable_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = Plan(minutes=0.05, size=300, layers=1, width=32, heads=2, warmup_steps=5, probe=2,
                peak=5e-3, threads=1)  # fmt: skip
    train(plan, tmp_path)
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    report = records[-1]
    assert report["event"] == "report"
    assert report["valid_loss"] < math.log(records[0]["vocabulary"])
    assert {"config.json", "model.safetensors", "tokenizer.json"} == {
        path.name for path in (tmp_path / "latest").iterdir()
    }
    assert set(report["slot_error"]) == {"en", "zh"}
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    train(plan, tmp_path)  # nothing is left to do; it goes on from the state and stops
    again = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [r["event"] for r in again[len(records) :]] == ["start"]
    assert again[len(records)]["step"] == report["step"] > 0
    assert tokenizer_has_end(tmp_path)
    assert "valid_loss" in capsys.readouterr().out


def tokenizer_has_end(folder: Path) -> bool:
    from bot.training.tokenizer import load

    return load(folder / "tokenizer.json").token_to_id(END) is not None


def test_that_a_training_goes_on_from_given_weights_with_a_word_they_did_not_know(
    tokenizer: Any, tmp_path: Path
) -> None:
    import torch

    model = tiny(tokenizer)
    export(model, tokenizer, tmp_path / "old")
    plan = Plan(minutes=0.0, size=20, start=tmp_path / "old")
    _, grown = prepare(plan, tmp_path / "new")
    assert grown.get_vocab_size() == tokenizer.get_vocab_size()  # it knows every word of today
    grown.add_special_tokens(["<|of_tomorrow|>"])
    again = model_for(plan, grown)
    before = model.transformer.wte.weight
    after = again.transformer.wte.weight
    assert after.shape[0] == before.shape[0] + 1
    assert torch.allclose(after[:-1], before, atol=2e-3)  # float16 on disk
    assert again.lm_head.weight is after
