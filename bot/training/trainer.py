"""Trains the small GPT-2 of this shop bot, from nothing or on from given weights, on two CPU cores.

    shopbot finetune --from-scratch --data DATA --out var/training/first --minutes 75
    shopbot finetune --data DATA --out var/training/second --minutes 60 --peak 5e-4
    shopbot finetune --model MY_GPT2 --out var/training/mine --minutes 30

Writes to its folder: corpus.jsonl, tokenizer.json, log.jsonl (a line per report), curves.png,
state.safetensors (to go on after a stop: run the same command again), and `latest/` and `best/`, that of
the lowest validation loss, which every generator serves. Everything is float32: bfloat16 has no fast
path on most CPUs. Knows nothing about how examples are drawn or what is reported.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bot.training import corpus, public
from bot.training import examples as corpus_file
from bot.training import tokenizer as bpe
from bot.training.batching import Encoded, batches, drill, encode, loss_of
from bot.training.checkpoint import (
    Progress,
    grown_model,
    load_state,
    new_model,
    save_state,
)
from bot.training.examples import Example
from bot.training.lora import adapt
from bot.training.processes import Team
from bot.training.reporting import BEST, Reporter
from prompts.acts import inventory

REPORTS = 8  # of a training that is measured in passes
PEAK = 1e-3  # learning rate from random weights; half of it where weights are given

# drills: every other batch is to list its markers, nothing else; short: short examples only
Curriculum = Literal["none", "drills", "short"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of one training. `minutes` is the work time that the cosine is laid over.

    From `curriculum` to `compiled` is what was tried (docs/training.md, `benchmarks/training_choices.py`); their
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
    passes: float | None = None  # over the examples, in place of `steps`; reported REPORTS times
    report_steps: int | None = None  # steps after which is reported and saved, in place of minutes
    probe: int = 64  # validation prompts for slot error, per report and part
    seed: int = 0
    threads: int = 2
    start: Path | None = None  # a model folder to go on from; its size and tokenizer are kept
    curriculum: Curriculum = "drills"  # of the first `curriculum_steps`
    curriculum_steps: int = 600
    tied: bool = True  # one matrix reads and writes tokens
    compiled: bool = False  # torch.compile
    lora: int = 0  # rank of adapters; 0 trains every weight
    patience: int | None = None  # reports without a lower validation loss until it ends


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
        _saved(grown, words)
    if not words.exists():
        texts = [text for e in examples if e.split == "train" for text in (e.reply, e.message)]
        extra = public.vocabulary_text(data) if data else ()
        _saved(bpe.train([*texts, *extra]), words)
    return examples, bpe.load(words)


def _saved(tokenizer: Any, path: Path) -> None:
    beside = path.with_suffix(".new")
    tokenizer.save(str(beside))
    os.replace(beside, path)


def model_for(plan: Plan, tokenizer: Any) -> Any:
    """Returns the model that the training begins with."""
    if plan.start:
        model = grown_model(plan.start, tokenizer, seed=plan.seed)
    else:
        model = new_model(
            tokenizer, layers=plan.layers, width=plan.width, heads=plan.heads, seed=plan.seed,
            tied=plan.tied,
        )  # fmt: skip
    if plan.lora:
        adapt(model, rank=plan.lora)
    return model


def optimizer_for(model: Any) -> Any:
    """AdamW; biases and norms are not decayed."""
    import torch  # noqa: PLC0415

    parameters = [p for p in model.parameters() if p.requires_grad]
    return torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.05},
            {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
        ],
        betas=(0.9, 0.98),
    )


def endless(
    rows: Sequence[Encoded], plan: Plan, at: Progress, team: Team
) -> Iterator[tuple[int, int, Any]]:
    """Yields (epoch, batch number, batch) from where a training stands, for ever.

    Each process of a team gets another of `team.size` batches in a row, and all the number of the last.
    """
    epoch, first = at.epoch, at.batch
    while True:
        cut = batches(rows, tokens=plan.batch_tokens, seed=f"{plan.seed}/{epoch}")
        cut = cut * math.ceil(
            team.size / max(1, len(cut))
        )  # a process without a batch would wait for ever
        for begin in range(first, len(cut) - team.size + 1, team.size):
            yield epoch, begin + team.size - 1, cut[begin + team.rank]
        epoch, first = epoch + 1, 0


def train(
    plan: Plan,
    out: Path,
    *,
    data: Path | None = None,
    given: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
    told: Callable[[float, float], None] | None = None,
    team: Team | None = None,
) -> Any:
    """Trains until `plan.minutes` or `plan.steps` of work are done, on from a saved state; returns the model.

    `clock` counts the work in seconds; reports are not work. `told` hears of every step which share
    is done and the loss, and nothing is printed then. In a team a step takes a batch from each process.
    """
    import torch  # noqa: PLC0415

    torch.set_num_threads(plan.threads)
    team = team or Team()
    out.mkdir(parents=True, exist_ok=True)
    examples, tokenizer = team.after_first(lambda: prepare(plan, out, data=data, given=given))
    model = model_for(plan, tokenizer)
    most = int(model.config.n_positions)
    rows = encode([e for e in examples if e.split == "train"], tokenizer, most=most)
    plan = _limited(plan, rows, team)
    reporter = Reporter(plan, out, model, tokenizer, [e for e in examples if e.split == "valid"],
                        printed=told is None)  # fmt: skip
    pad = tokenizer.token_to_id(bpe.END)  # never read; transformers warns of its own padding id
    markers = frozenset(tokenizer.token_to_id(f"<{slot}>") for slot in inventory().slots)
    optimizer = optimizer_for(model)
    state = out / "state.safetensors"
    progress = load_state(model, optimizer, state) if state.exists() else Progress()
    if team.first:
        reporter.begin(progress, train=len(rows))
    saved = reported = progress
    running: list[float] = []
    loss_function = torch.compile(loss_of, dynamic=True) if plan.compiled else loss_of
    model.train()
    for epoch, number, drawn in endless(rows, plan, progress, team):
        (ended,) = team.as_first(_done(plan, progress) >= 1 or reporter.stalled)
        if ended:
            break
        began = clock()
        batch = _in_curriculum(drawn, plan, progress, markers, pad)
        loss, _ = loss_function(model, batch, pad)
        running.append(_step(model, optimizer, loss, rate=learning_rate(plan, progress), team=team))
        (seconds,) = team.as_first(progress.seconds + clock() - began)
        progress = replace(
            progress, epoch=epoch, batch=number + 1, step=progress.step + 1, seconds=seconds,
            tokens=progress.tokens + team.size * sum(len(row.ids) for row in batch),
        )  # fmt: skip
        if told is not None:
            told(min(1.0, _done(plan, progress)), running[-1])
        if not team.first:
            continue
        if progress.step % 50 == 0:
            reporter.log(event="step", step=progress.step, minutes=round(progress.seconds / 60, 2),
                         loss=round(sum(running[-50:]) / len(running[-50:]), 4))  # fmt: skip
        if _due(plan.report_every, plan.report_steps, progress, reported):
            reporter.report(progress, running)
            running, reported = [], progress
        if _due(plan.save_every, plan.report_steps, progress, saved):
            save_state(model, optimizer, progress, state)
            saved = progress
    if team.first:
        save_state(model, optimizer, progress, state)
        if progress.step > reported.step or not (out / BEST).exists():
            reporter.report(progress, running)
    team.wait()
    return model


def _limited(plan: Plan, rows: Sequence[Encoded], team: Team) -> Plan:
    """The plan in steps where it is in passes: equal seeds then give equal models on any machine that
    ends within the minutes."""
    if plan.passes is None or plan.steps is not None:
        return plan
    one = len(batches(rows, tokens=plan.batch_tokens, seed=f"{plan.seed}/0"))
    steps = max(1, math.ceil(plan.passes * one / team.size))
    return replace(plan, steps=steps, report_steps=plan.report_steps or max(1, steps // REPORTS))


def _due(minutes: float, steps: int | None, progress: Progress, last: Progress) -> bool:
    if steps is not None:
        return progress.step - last.step >= steps
    return progress.seconds - last.seconds >= minutes * 60


def _step(model: Any, optimizer: Any, loss: Any, *, rate: float, team: Team) -> float:
    """Takes one step down the gradient of `loss`, clipped; returns the loss."""
    import torch  # noqa: PLC0415

    loss.backward()
    team.average_gradients(model)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return float(loss.item())


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
