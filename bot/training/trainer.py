"""Trains the small GPT-2 of this shop bot, from nothing or on from given weights, on two CPU cores.

    python -m bot.training.pretrain --data DATA --out var/training/first --minutes 75
    python -m bot.training.pretrain --data DATA --out var/training/second --minutes 60 \
        --start bot/checkpoints/shop-gpt2 --peak 5e-4

Reads our phrasings and, where `--data` names a folder of public data sets, those (see
`docs/training.md`). Writes to `--out`: corpus.jsonl, tokenizer.json, log.jsonl (a line per report),
state.safetensors (to go on after a stop: run the same command again) and `latest/`, a folder that
`bot.generators.gpt2` serves. Everything is float32: bfloat16 has no fast path on most CPUs.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.training import corpus, public
from bot.training import tokenizer as bpe
from bot.training.checkpoint import (
    Progress,
    export,
    grown_model,
    load_state,
    new_model,
    save_state,
)
from bot.training.corpus import Example
from bot.training.validation import slot_error


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of one training. `minutes` is the work time that the cosine is laid over."""

    minutes: float = 75.0
    size: int = 160_000
    layers: int = 6
    width: int = 320
    heads: int = 5
    batch_tokens: int = 1280  # padded, prompt and reply; about 35 examples
    peak: float = 1e-3
    floor: float = 2e-5
    warmup_steps: int = 150
    report_every: float = 8.0  # minutes
    save_every: float = 4.0  # minutes
    probe: int = 96  # validation prompts for slot error, per report
    seed: int = 0
    threads: int = 2
    start: Path | None = None  # a model folder to go on from; its size and tokenizer are kept


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of prompt and reply; the loss is taken from `start`, the first reply token, on."""

    ids: tuple[int, ...]
    start: int


def encode(examples: Sequence[Example], tokenizer: Any) -> list[Encoded]:
    """Encodes prompt + reply + end; examples longer than the context are left out."""
    end = tokenizer.token_to_id(bpe.END)
    out = []
    for example in examples:
        prompt = tokenizer.encode(example.prompt).ids
        ids = (*prompt, *tokenizer.encode(example.reply).ids, end)
        out.append(Encoded(ids, len(prompt)))
    return out


def batches(rows: Sequence[Encoded], *, tokens: int, seed: str) -> list[list[Encoded]]:
    """Cuts shuffled rows into batches of similar length, at most `tokens` padded tokens each."""
    rng = random.Random(seed)
    shuffled = rng.sample(list(rows), len(rows))
    out: list[list[Encoded]] = []
    for start in range(
        0, len(shuffled), 4096
    ):  # sorting a part keeps the order random between parts
        batch: list[Encoded] = []
        for row in sorted(shuffled[start : start + 4096], key=lambda row: len(row.ids)):
            if batch and len(row.ids) * (len(batch) + 1) > tokens:
                out.append(batch)
                batch = []
            batch.append(row)
        if batch:
            out.append(batch)
    rng.shuffle(out)
    return out


def loss_of(model: Any, batch: Sequence[Encoded], pad: int) -> tuple[Any, int]:
    """Returns the mean cross-entropy over the reply tokens of a batch, and how many there are."""
    import torch  # noqa: PLC0415
    from torch.nn.functional import cross_entropy  # noqa: PLC0415

    longest = max(len(row.ids) for row in batch)
    ids = torch.tensor([[*row.ids, *[pad] * (longest - len(row.ids))] for row in batch])  # (B, T)
    lengths = torch.tensor([len(row.ids) for row in batch])[:, None]
    starts = torch.tensor([row.start for row in batch])[:, None]
    at = torch.arange(1, longest)[None]  # position of each target
    wanted = (at >= starts) & (at < lengths)  # (B, T-1)
    # padding stands to the right, so the causal mask alone hides it
    hidden = model.transformer(ids[:, :-1]).last_hidden_state[wanted]  # (N, C)
    targets = ids[:, 1:][wanted]  # (N,)
    return cross_entropy(model.lm_head(hidden), targets), len(targets)


def learning_rate(plan: Plan, progress: Progress) -> float:
    """Linear warm-up by steps, then a cosine from peak to floor by work time."""
    if progress.step < plan.warmup_steps:
        return plan.peak * (progress.step + 1) / plan.warmup_steps
    done = min(1.0, progress.seconds / (plan.minutes * 60))
    return plan.floor + (plan.peak - plan.floor) * 0.5 * (1 + math.cos(math.pi * done))


def validation_loss(model: Any, rows: Sequence[Encoded], plan: Plan, pad: int) -> float:
    """Returns the mean loss per reply token."""
    import torch  # noqa: PLC0415

    total, count = 0.0, 0
    with torch.inference_mode():
        for batch in batches(rows, tokens=plan.batch_tokens, seed="validation"):
            loss, tokens = loss_of(model, batch, pad)
            total, count = total + loss.item() * tokens, count + tokens
    return total / max(1, count)


def prepare(plan: Plan, out: Path, data: Path | None) -> tuple[list[Example], Any]:
    """Returns corpus and tokenizer, made once per `out`."""
    path = out / "corpus.jsonl"
    if not path.exists():
        corpus.write(corpus.build(size=plan.size, seed=plan.seed, data=data), path)
    examples = corpus.read(path)
    words = out / "tokenizer.json"
    if plan.start and not words.exists():
        grown = bpe.load(plan.start / "tokenizer.json")
        grown.add_special_tokens(bpe.control_words())  # those that the older format did not know
        grown.save(str(words))
    if not words.exists():
        texts = [text for e in examples if e.split == "train" for text in (e.reply, e.message)]
        extra = public.vocabulary_text(data) if data else ()
        bpe.train([*texts, *extra]).save(str(words))
    return examples, bpe.load(words)


def model_for(plan: Plan, tokenizer: Any) -> Any:
    """Returns the model that the training begins with."""
    if plan.start:
        return grown_model(plan.start, tokenizer, seed=plan.seed)
    return new_model(
        tokenizer, layers=plan.layers, width=plan.width, heads=plan.heads, seed=plan.seed
    )


def optimizer_for(model: Any) -> Any:
    """AdamW; biases and norms are not decayed."""
    import torch  # noqa: PLC0415

    parameters = list(model.parameters())
    return torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.05},
            {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
        ],
        betas=(0.9, 0.98),
    )


class Log:
    """Prints each record and appends it to a JSON-lines file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, **record: Any) -> None:
        line = json.dumps(record, ensure_ascii=False)
        print(line, flush=True)
        with self._path.open("a", encoding="utf-8") as out:
            out.write(line + "\n")


def endless(rows: Sequence[Encoded], plan: Plan, at: Progress) -> Iterator[tuple[int, int, Any]]:
    """Yields (epoch, batch number, batch) from where a training stands, for ever."""
    epoch, first = at.epoch, at.batch
    while True:
        cut = batches(rows, tokens=plan.batch_tokens, seed=f"{plan.seed}/{epoch}")
        for number in range(first, len(cut)):
            yield epoch, number, cut[number]
        epoch, first = epoch + 1, 0


def train(plan: Plan, out: Path, data: Path | None = None) -> Any:
    """Trains until `plan.minutes` of work are done, on from a saved state; returns the model."""
    import torch  # noqa: PLC0415

    torch.set_num_threads(plan.threads)
    out.mkdir(parents=True, exist_ok=True)
    log = Log(out / "log.jsonl")
    examples, tokenizer = prepare(plan, out, data)
    rows = encode([e for e in examples if e.split == "train"], tokenizer)
    held = [e for e in examples if e.split == "valid"]
    held_rows = encode(held, tokenizer)
    probe = random.Random(plan.seed).sample(held, min(plan.probe, len(held)))
    pad = tokenizer.token_to_id(bpe.END)  # never read; transformers warns of its own padding id
    model = model_for(plan, tokenizer)
    optimizer = optimizer_for(model)
    state = out / "state.safetensors"
    progress = load_state(model, optimizer, state) if state.exists() else Progress()
    log(event="start", parameters=sum(p.numel() for p in model.parameters()), train=len(rows),
        valid=len(held_rows), vocabulary=tokenizer.get_vocab_size(), step=progress.step,
        tokens_per_chinese_character=round(
            bpe.tokens_per_character(tokenizer, [e.reply for e in held]), 3))  # fmt: skip
    saved = reported = progress.seconds
    running: list[float] = []

    def report(progress: Progress) -> None:
        model.eval()
        figures, written = slot_error(model, tokenizer, probe)
        log(event="report", step=progress.step, epoch=progress.epoch,
            minutes=round(progress.seconds / 60, 1),
            train_loss=round(sum(running) / max(1, len(running)), 4),
            valid_loss=round(validation_loss(model, held_rows, plan, pad), 4),
            slot_error={name: round(value, 4) for name, value in figures.items()},
            tokens_per_second=round(progress.tokens / max(1.0, progress.seconds)),
            samples=[{"prompt": e.prompt, "text": w.text}
                     for e, w in list(zip(probe, written, strict=True))[:6]])  # fmt: skip
        running.clear()
        export(model, tokenizer, out / "latest")
        model.train()

    model.train()
    for epoch, number, batch in endless(rows, plan, progress):
        if progress.seconds >= plan.minutes * 60:
            break
        began = time.monotonic()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(plan, progress)
        loss, _ = loss_of(model, batch, pad)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        running.append(loss.item())
        progress = replace(
            progress, epoch=epoch, batch=number + 1, step=progress.step + 1,
            seconds=progress.seconds + time.monotonic() - began,
            tokens=progress.tokens + sum(len(row.ids) for row in batch),
        )  # fmt: skip
        if progress.step % 50 == 0:
            log(event="step", step=progress.step, minutes=round(progress.seconds / 60, 2),
                loss=round(sum(running[-50:]) / 50, 4))  # fmt: skip
        if progress.seconds - saved >= plan.save_every * 60:
            save_state(model, optimizer, progress, state)
            saved = progress.seconds
        if progress.seconds - reported >= plan.report_every * 60:
            report(progress)
            reported = progress.seconds
    save_state(model, optimizer, progress, state)
    if progress.seconds > reported:
        report(progress)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description="trains the small GPT-2 of the shop bot")
    parser.add_argument("--data", type=Path, help="folder with public data sets")
    parser.add_argument("--out", type=Path, required=True)
    plan = Plan()
    parser.add_argument("--minutes", type=float, default=plan.minutes)
    parser.add_argument("--size", type=int, default=plan.size)
    parser.add_argument("--layers", type=int, default=plan.layers)
    parser.add_argument("--width", type=int, default=plan.width)
    parser.add_argument("--heads", type=int, default=plan.heads)
    parser.add_argument("--report-every", type=float, default=plan.report_every)
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument("--threads", type=int, default=plan.threads)
    parser.add_argument("--peak", type=float, default=plan.peak, help="highest learning rate")
    parser.add_argument("--start", type=Path, help="a model folder to go on from")
    args = vars(parser.parse_args())
    out, data = args.pop("out"), args.pop("data")
    train(replace(plan, **args), out, data)


if __name__ == "__main__":
    main()
