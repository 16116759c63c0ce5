"""Trains the small GPT-2 of this shop bot, from nothing or on from given weights, on two CPU cores.

    shopbot finetune --from-scratch --data DATA --out var/training/first --minutes 75
    shopbot finetune --data DATA --out var/training/second --minutes 60 --peak 5e-4
    shopbot finetune --model MY_GPT2 --out var/training/mine --minutes 30

Writes to its folder: corpus.jsonl, tokenizer.json, log.jsonl (a line per report), curves.png,
state.safetensors (to go on after a stop: run the same command again) and `latest/`, a folder that
every generator serves. Everything is float32: bfloat16 has no fast path on most CPUs. Knows nothing
about how examples are drawn.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bot.training import corpus, curves, public
from bot.training import examples as corpus_file
from bot.training import tokenizer as bpe
from bot.training.checkpoint import (
    CONTEXT,
    Progress,
    export,
    grown_model,
    load_state,
    new_model,
    save_state,
)
from bot.training.examples import Example
from bot.training.validation import slot_error
from prompts.acts import inventory

PEAK = 1e-3  # learning rate from random weights; half of it where weights are given

# drills: every other batch is to list its markers, nothing else; short: short examples only
Curriculum = Literal["none", "drills", "short"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of one training. `minutes` is the work time that the cosine is laid over.

    The last four are what was tried (docs/training.md, `benchmarks/training_choices.py`); their
    defaults are what won.
    """

    minutes: float = 75.0
    size: int = 200_000
    layers: int = 6
    width: int = 256
    heads: int = 4
    batch_tokens: int = 1280  # padded, prompt and reply; about 35 examples
    peak: float = PEAK
    floor: float = 2e-5
    warmup_steps: int = 150
    steps: int | None = None  # an end to come before that of the minutes, for a trial
    report_every: float = 8.0  # minutes
    save_every: float = 4.0  # minutes
    probe: int = 64  # validation prompts for slot error, per report and part
    seed: int = 0
    threads: int = 2
    start: Path | None = None  # a model folder to go on from; its size and tokenizer are kept
    curriculum: Curriculum = "drills"  # of the first `curriculum_steps`
    curriculum_steps: int = 600
    tied: bool = True  # one matrix reads and writes tokens
    compiled: bool = False  # torch.compile


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of prompt and reply; the loss is taken from `start`, the first reply token, on."""

    ids: tuple[int, ...]
    start: int


def encode(examples: Sequence[Example], tokenizer: Any, *, most: int = CONTEXT) -> list[Encoded]:
    """Encodes prompt + reply + end; examples of more than `most` tokens are left out."""
    end = tokenizer.token_to_id(bpe.END)
    out = []
    for example in examples:
        prompt = tokenizer.encode(example.prompt).ids
        ids = (*prompt, *tokenizer.encode(example.reply).ids, end)
        if len(ids) <= most:
            out.append(Encoded(ids, len(prompt)))
    return out


def drill(row: Encoded, markers: frozenset[int], end: int) -> Encoded:
    """The same prompt with its markers, and nothing else, for a reply."""
    prompt = row.ids[: row.start]
    return Encoded((*prompt, *(token for token in prompt if token in markers), end), row.start)


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
    """Linear warm-up by steps, then a cosine from peak to floor by work time, or steps if limited."""
    warmup = min(plan.warmup_steps, plan.steps // 10) if plan.steps else plan.warmup_steps
    if progress.step < warmup:
        return plan.peak * (progress.step + 1) / warmup
    done = min(1.0, _done(plan, progress))
    return plan.floor + (plan.peak - plan.floor) * 0.5 * (1 + math.cos(math.pi * done))


def _done(plan: Plan, progress: Progress) -> float:
    """The share of the work that is done; 1 or more ends the training."""
    by_time = progress.seconds / (plan.minutes * 60) if plan.minutes else 1.0
    return max(by_time, progress.step / plan.steps) if plan.steps else by_time


def validation_loss(model: Any, rows: Sequence[Encoded], plan: Plan, pad: int) -> float:
    """Returns the mean loss per reply token."""
    import torch  # noqa: PLC0415

    total, count = 0.0, 0
    with torch.inference_mode():
        for batch in batches(rows, tokens=plan.batch_tokens, seed="validation"):
            loss, tokens = loss_of(model, batch, pad)
            total, count = total + loss.item() * tokens, count + tokens
    return total / max(1, count)


def prepare(
    plan: Plan, out: Path, *, data: Path | None = None, given: Path | None = None
) -> tuple[list[Example], Any]:
    """Returns corpus and tokenizer, made once per `out`; `given` is a corpus drawn before."""
    path = out / "corpus.jsonl"
    if not path.exists():
        drawn = (
            corpus_file.read(given)
            if given
            else corpus.build(size=plan.size, seed=plan.seed, data=data)
        )
        corpus_file.write(drawn, path)
    examples = corpus_file.read(path)
    words = out / "tokenizer.json"
    if plan.start and not words.exists():
        grown = bpe.of_folder(plan.start)
        grown.add_special_tokens(bpe.control_words())  # those that the model does not know yet
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
        tokenizer, layers=plan.layers, width=plan.width, heads=plan.heads, seed=plan.seed,
        tied=plan.tied,
    )  # fmt: skip


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


def train(
    plan: Plan,
    out: Path,
    *,
    data: Path | None = None,
    given: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Any:
    """Trains until `plan.minutes` of work are done, on from a saved state; returns the model.

    `clock` counts the work in seconds; reports are not work.
    """
    import torch  # noqa: PLC0415

    torch.set_num_threads(plan.threads)
    out.mkdir(parents=True, exist_ok=True)
    log = Log(out / "log.jsonl")
    examples, tokenizer = prepare(plan, out, data=data, given=given)
    model = model_for(plan, tokenizer)
    most = int(model.config.n_positions)
    rows = encode([e for e in examples if e.split == "train"], tokenizer, most=most)
    held = [e for e in examples if e.split == "valid"]
    held_rows = encode(held, tokenizer, most=most)
    probes = _probes(held, plan)
    pad = tokenizer.token_to_id(bpe.END)  # never read; transformers warns of its own padding id
    markers = frozenset(tokenizer.token_to_id(f"<{slot}>") for slot in inventory().slots)
    optimizer = optimizer_for(model)
    state = out / "state.safetensors"
    progress = load_state(model, optimizer, state) if state.exists() else Progress()
    log(event="start", parameters=sum(p.numel() for p in model.parameters()), train=len(rows),
        valid=len(held_rows), vocabulary=tokenizer.get_vocab_size(), step=progress.step,
        tokens_per_chinese_character=round(
            bpe.tokens_per_character(tokenizer, [e.reply for e in held]), 3))  # fmt: skip
    saved = reported = progress.seconds
    running: list[float] = []
    loss_function = torch.compile(loss_of, dynamic=True) if plan.compiled else loss_of

    def report(progress: Progress) -> None:
        model.eval()
        loss = validation_loss(model, held_rows, plan, pad)
        log(event="report", step=progress.step, epoch=progress.epoch,
            minutes=round(progress.seconds / 60, 1), tokens=progress.tokens,
            train_loss=round(sum(running) / max(1, len(running)), 4), valid_loss=round(loss, 4),
            tokens_per_second=round(progress.tokens / max(1.0, progress.seconds)),
            **_probed(model, tokenizer, probes))  # fmt: skip
        running.clear()
        export(model, tokenizer, out / "latest")
        curves.draw(out / "log.jsonl", out / "curves.png")
        model.train()

    model.train()
    for epoch, number, drawn in endless(rows, plan, progress):
        if _done(plan, progress) >= 1:
            break
        began = clock()
        batch = _in_curriculum(drawn, plan, progress, markers, pad)
        loss, _ = loss_function(model, batch, pad)
        running.append(_step(model, optimizer, loss, rate=learning_rate(plan, progress)))
        progress = replace(
            progress, epoch=epoch, batch=number + 1, step=progress.step + 1,
            seconds=progress.seconds + clock() - began,
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


def _step(model: Any, optimizer: Any, loss: Any, *, rate: float) -> float:
    """Takes one step down the gradient of `loss`, clipped; returns the loss."""
    import torch  # noqa: PLC0415

    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return float(loss.item())


def _probes(held: Sequence[Example], plan: Plan) -> dict[str, list[Example]]:
    """Draws the prompts that slot error is reported on: our own per language, and service talk."""
    rng = random.Random(plan.seed)
    parts: dict[str, list[Example]] = {}
    for example in held:
        own = example.source == "phrasings"
        parts.setdefault(example.language if own else example.source, []).append(example)
    return {name: rng.sample(part, min(plan.probe, len(part))) for name, part in parts.items()}


def _probed(model: Any, tokenizer: Any, probes: dict[str, list[Example]]) -> dict[str, Any]:
    """Returns slot error of each part of the probe, and some of the greedy texts."""
    figures, samples = {}, []
    for name, probe in probes.items():
        errors, written = slot_error(model, tokenizer, probe)
        figures[name] = {key: round(value, 4) for key, value in errors.items()}
        some = list(zip(probe, written, strict=True))[:4]
        samples += [{"prompt": example.prompt, "text": w.text} for example, w in some]
    return {"slot_error": figures, "samples": samples}


def _in_curriculum(
    batch: Sequence[Encoded], plan: Plan, progress: Progress, markers: frozenset[int], end: int
) -> Sequence[Encoded]:
    """The batch as the curriculum wants it at this step."""
    first = min(plan.curriculum_steps, plan.steps // 4) if plan.steps else plan.curriculum_steps
    if progress.step >= first or plan.curriculum == "none":
        return batch
    if plan.curriculum == "drills":
        return [drill(row, markers, end) for row in batch] if progress.step % 2 else batch
    short = sorted(batch, key=lambda row: len(row.ids))
    return short[: max(1, len(short) // 2)]
