"""Lets generators phrase prompts, as they are served and without any constraint, and notes it all.

As served means through the phraser: k candidates, slots counted, meaning and every claim checked,
one retry, then the plain sentence. Knows nothing about figures or where prompts come from.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import GeneratorError
from bot.evaluation.sets import Prompt
from bot.generators.base import Generator, PhraseRequest
from bot.generators.plain import PlainGenerator
from bot.phraser import Phraser
from bot.surface_text import mark
from bot.training.tokenizer import END, of_folder
from bot.training.validation import SlotErrors, slot_errors, write
from bot.turn import Candidate
from prompts.acts import markers
from prompts.filling import fill, prompt_of, readable

BATCH = 64  # prompts that are written together without constraints
TEMPERATURE = 0.8  # of the samples beside the greedy text

Tick = Callable[[int], None]
Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one call of a generator, and the tokens of the texts it returned, if countable."""

    seconds: float
    tokens: int | None


@dataclass(frozen=True, slots=True)
class Said:
    """What a generator made of one prompt.

    `greedy` and `best` are the slot errors of the likeliest text and of the best of the first `k`;
    `marked` and `text` are what was shown, `own` whether it was the generator's and `first_try`
    whether at the first attempt. `judged` candidates of the first attempt reached the verifier, and
    `passed` of them came through; `refused` says why the others of the attempt were not said.
    `reply_seconds` is phrasing and checking together.
    """

    prompt: Prompt
    greedy: SlotErrors
    best: SlotErrors
    marked: str
    text: str
    own: bool
    first_try: bool
    judged: int = 0
    passed: int = 0
    refused: tuple[str, ...] = ()
    greedy_timing: Timing | None = None
    timing: Timing | None = None
    reply_seconds: float | None = None


def _one_of_each_language(prompts: Sequence[Prompt]) -> list[Prompt]:
    return list({prompt.example.language: prompt for prompt in prompts}.values())


class _Heard:
    """A generator that notes how long each call took and what came of it."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self.name = generator.name
        self.version = generator.version
        self.calls: list[tuple[float, list[Candidate]]] = []

    def phrase(self, request: PhraseRequest) -> list[Candidate]:
        began = time.perf_counter()
        found: list[Candidate] = []
        try:
            found = self._generator.phrase(request)
        finally:
            self.calls.append((time.perf_counter() - began, found))
        return found


def say(
    generator: Generator, prompts: Sequence[Prompt], *, k: int, count: Count | None, tick: Tick
) -> list[Said]:
    """Has `generator` phrase every prompt, once greedy and once with `k` candidates, one at a time.

    `count` counts the tokens of a text; `tick` is told of every prompt done. The first prompt of
    each language is phrased once before, untimed, since models and word lists load with it.
    """
    for prompt in _one_of_each_language(prompts):
        _say(generator, prompt, k=k, seed=0, count=None)
    said = []
    for number, prompt in enumerate(prompts):
        said.append(_say(generator, prompt, k=k, seed=number, count=count))
        tick(1)
    return said


def _say(generator: Generator, prompt: Prompt, *, k: int, seed: int, count: Count | None) -> Said:
    greedy, greedy_timing = _greedy(generator, prompt, seed=seed, count=count)
    heard = _Heard(generator)
    plain = heard if isinstance(generator, PlainGenerator) else PlainGenerator()
    phraser = Phraser(generator=heard, plain=plain, k=k, tone=prompt.example.tone)
    began = time.perf_counter()
    segment = phraser.phrase(
        prompt.act,
        facts=prompt.facts,
        language=prompt.example.language,
        message=prompt.example.message,
        seed=seed,
    )
    reply_seconds = time.perf_counter() - began
    seconds, candidates = heard.calls[0]
    notes = [
        note
        for note in segment.candidates
        if note.get("attempt", 0) == 0 and (plain is heard or not note.get("plain"))
    ]
    errors = [slot_errors(prompt.example.slots, note["marked"]) for note in notes]
    chosen = next((note for note in segment.candidates if note.get("chosen")), None)
    own = chosen is not None and segment.generator == heard.name
    return Said(
        prompt,
        greedy,
        min(errors, key=lambda e: e.total, default=_nothing_said(prompt)),
        segment.marked,
        segment.text,
        own,
        first_try=own and chosen in notes,
        judged=sum(_reached(note) for note in notes),
        passed=sum(note["verdict"] == [] for note in notes),
        refused=tuple(_why(note) for note in notes if "refused" in note),
        greedy_timing=greedy_timing,
        timing=_timing(seconds, candidates, count),
        reply_seconds=reply_seconds,
    )


def _greedy(
    generator: Generator, prompt: Prompt, *, seed: int, count: Count | None
) -> tuple[SlotErrors, Timing]:
    example = prompt.example
    request = PhraseRequest(
        example.language,
        example.act,
        tuple(prompt.act.values),
        example.message,
        1,
        seed=seed,
        tone=example.tone,
        values=prompt.act.values,
    )
    heard = _Heard(generator)
    try:
        found = heard.phrase(request)
    except GeneratorError:
        found = []
    errors = _nothing_said(prompt)
    if found:
        errors = slot_errors(example.slots, mark(found[0].marked, request.values))
    return errors, _timing(heard.calls[0][0], found, count)


def _nothing_said(prompt: Prompt) -> SlotErrors:
    """A text that is not there lacks every slot, and itself where there is none to lack."""
    return SlotErrors(missing=max(1, len(prompt.example.slots)))


def _timing(seconds: float, candidates: Sequence[Candidate], count: Count | None) -> Timing:
    return Timing(seconds, sum(count(c.marked) for c in candidates) if count else None)


def _reached(note: dict[str, Any]) -> bool:
    return note["verdict"] is not None


def _why(note: dict[str, Any]) -> str:
    """Which check refused a candidate: slots, meaning, length or verifier."""
    return note["refused"] if isinstance(note["refused"], str) else "verifier"


def tokenizer_of(folder: Path) -> Any:
    """Loads the tokenizer of a model folder; None where it has none that can be read."""
    try:
        return of_folder(folder)
    except Exception:  # the tokenizers library raises nothing narrower
        return None


def counter_of(folder: Path) -> Count | None:
    """Returns what counts the tokens of a text as the model of this folder does, if it can."""
    tokenizer = tokenizer_of(folder)
    if tokenizer is None:
        return None

    def count(text: str) -> int:
        return len(tokenizer.encode(text).ids)

    return count


def parameters_of(folder: Path) -> int | None:
    """Counts the parameters of a model folder without loading it; None where there are none."""
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415

    weights = folder / "model.safetensors"
    try:
        with safe_open(str(weights), framework="numpy") as stored:
            shapes: list[list[int]] = [stored.get_slice(n).get_shape() for n in stored.keys()]  # noqa: SIM118
        return sum(math.prod(shape) for shape in shapes)
    except (OSError, SafetensorError):
        return None


def say_freely(folder: Path, prompts: Sequence[Prompt], *, k: int, tick: Tick) -> list[Said] | None:
    """Has the weights of a folder write without any constraint: what the model itself has learned.

    Greedy and `k` - 1 samples; nothing is checked but slots, and the greedy text counts as said. A
    text that never ends lacks every slot. None where the tokenizer does not know our control words.
    """
    import torch  # noqa: PLC0415
    from transformers import GPT2LMHeadModel  # noqa: PLC0415

    tokenizer = tokenizer_of(folder)
    if tokenizer is None or tokenizer.token_to_id(END) is None:
        return None
    model: Any = GPT2LMHeadModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    model.eval()
    said = []
    for start in range(0, len(prompts), BATCH):
        batch = prompts[start : start + BATCH]
        asked = [_asked(prompt, tokenizer) for prompt in batch]
        rounds = [
            write(
                model,
                tokenizer,
                asked,
                temperature=TEMPERATURE if turn else 0.0,
                seed=start + turn * 7919,
            )
            for turn in range(k)
        ]
        for prompt, *written in zip(batch, *rounds, strict=True):
            errors = [
                slot_errors(prompt.example.slots, w.text) if w.finished else _nothing_said(prompt)
                for w in written
            ]
            best = min(errors, key=lambda e: e.total)
            text = written[0].text.strip()
            said.append(Said(prompt, errors[0], best, text, _filled(text, prompt), True, True))
        tick(len(batch))
    return said


def _asked(prompt: Prompt, tokenizer: Any) -> str:
    """The prompt, without the tone or hints that an older model cannot read."""
    example = prompt.example
    return prompt_of(
        example.language,
        example.act,
        example.slots,
        example.message,
        tone=example.tone if tokenizer.token_to_id(f"<|{example.tone}|>") else "neutral",
        hints=readable(example.hints, tokenizer.get_vocab(with_added_tokens=True)),
    )


def _filled(marked: str, prompt: Prompt) -> str:
    """Fills the markers that have a value; a marker that was not given stays as it was written."""
    values = {slot: f"<{slot}>" for slot in markers(marked)} | prompt.act.values
    return fill(marked, values)
