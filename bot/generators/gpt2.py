"""Phrases acts with a GPT-2 from a local folder, in eager PyTorch.

Decoding is constrained to what the request allows: no marker that was not given, none twice, no
control word, and no end while a given marker is missing. Nothing is added to or mended in what the
model wrote. Knows nothing about values, verification or where the weights came from.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.errors import ConfigError, GeneratorError
from bot.generators.base import PhraseRequest
from bot.generators.folder import (
    LONGEST_REPEAT,
    TEMPERATURE,
    TOP_K,
    TOP_P,
    Gpt2Folder,
    Task,
    dice_of,
)
from bot.generators.forward import FastGPT2
from bot.turn import Candidate

FORCED = math.log(0.02)  # a marker or an end less likely than this was the constraints' choice


@dataclass(slots=True)
class _Row:
    """One text being written: tokens so far, what it still has to say, its log-probability."""

    missing: set[int]
    tokens: list[int] = field(default_factory=list)
    total: float = 0.0
    ended: bool = False
    least: float = 0.0  # the lowest log-probability the model itself gave a marker or the end


class Gpt2Generator:
    """Serves any Hugging Face GPT-2 folder; see `Gpt2Folder`. The reference that the fast runtime
    is measured against, and what serves where that one cannot.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seconds: float = 4.0,
        threads: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds` is the time budget of a request; `threads` is set for the whole process.

        Four rows of a small model are too little work to share: with two threads on two busy cores
        a reply took ten times as long. Raises ConfigError if there is no model.
        """
        self._folder = Gpt2Folder(folder)
        import torch  # noqa: PLC0415
        from safetensors import SafetensorError  # noqa: PLC0415
        from transformers import GPT2LMHeadModel  # noqa: PLC0415
        from transformers.utils import logging as reports  # noqa: PLC0415

        reports.disable_progress_bar()  # type: ignore[no-untyped-call]
        torch.set_num_threads(threads)
        self.name = self._folder.name
        self.version = self._folder.version
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._torch = torch
        try:
            model: Any = GPT2LMHeadModel.from_pretrained(
                folder, local_files_only=True, dtype=torch.float32
            )
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise ConfigError(f"the model in {folder} cannot be read: {error}") from error
        size = len(self._folder.rows)
        if size > model.config.vocab_size:
            model.resize_token_embeddings(size, mean_resizing=False)
        self._model = FastGPT2(model.eval())
        self._ends = self._folder.ends
        self._forbidden = torch.zeros(size, dtype=torch.bool)  # (V,)
        # the ends are lifted when nothing is missing
        self._forbidden[[*self._folder.never, *self._ends]] = True

    def phrase(self, request: PhraseRequest) -> list[Candidate]:
        """Returns up to `request.k` distinct candidates: most slots said first, then likeliest.

        The first row of attempt 0 is greedy, the others are sampled. Raises UnknownActError, and
        GeneratorError when no text was finished within the time budget, waiting included.
        """
        task = self._folder.task(request)
        deadline = self._clock() + self._seconds
        if not self._lock.acquire(timeout=self._seconds):
            raise GeneratorError(f"{self.name} is busy with other requests")
        try:
            rows = self._write(task, request, deadline)
        finally:
            self._lock.release()
        texts = [(row.tokens, row.total / (len(row.tokens) + 1)) for row in rows]
        candidates = self._folder.candidates(texts, task.slots)
        if not candidates:
            raise GeneratorError(f"{self.name} finished no text within {self._seconds:g} s")
        return candidates

    def _write(self, task: Task, request: PhraseRequest, deadline: float) -> list[_Row]:
        """Writes `k` rows from one shared prefill; returns those that came to an end.

        Texts that the constraints or the length limit bent, such as a date after the words for a
        carrier, are returned only where there is no other.
        """
        torch = self._torch
        dice = dice_of(request)
        rows = [_Row(missing=set(task.given)) for _ in range(max(1, request.k))]
        live = list(range(len(rows)))
        with torch.inference_mode():
            logits = self._model.start(task.prompt, rows=len(rows), room=task.most)  # (B, V)
            for written in range(task.most):
                allowed = self._allowed(logits, [rows[i] for i in live], task.most - written)
                picked = self._pick(allowed, live, request.attempt, dice)
                # scored as the model alone would: a text that the constraints bent ranks low
                scores = logits.log_softmax(-1)[range(len(picked)), picked].tolist()
                for at, row in enumerate(rows[i] for i in live):
                    token = picked[at]
                    row.total += scores[at]
                    if token in self._ends:
                        row.ended = True
                    else:
                        row.tokens.append(token)
                        row.missing.discard(token)
                    if row.ended or token in task.given:
                        row.least = min(row.least, scores[at])
                going = [at for at, i in enumerate(live) if not rows[i].ended]
                live = [live[at] for at in going]
                if not live or self._clock() > deadline:
                    break
                if len(going) < len(picked):
                    self._model.keep(going)
                logits = self._model.step([picked[at] for at in going])
        ended = [row for row in rows if row.ended]
        return [row for row in ended if row.least >= FORCED] or ended

    def _allowed(self, logits: Any, rows: Sequence[_Row], left: int) -> Any:
        """Returns log-probabilities (B, V) over the tokens each row may write next."""
        torch = self._torch
        blocked = self._forbidden.repeat(len(rows), 1)  # (B, V)
        for at, row in enumerate(rows):
            if row.missing:
                blocked[at, list(row.missing)] = False
            if left == 1:
                blocked[at] = True
            if row.tokens and (not row.missing or left <= 2):
                blocked[at, self._ends] = False
            # markers cannot repeat, so only what stands between them can run in circles
            repeats = _would_repeat(row.tokens)
            if repeats and left > 1:
                blocked[at, repeats] = True
        return torch.where(blocked, -torch.inf, logits.float()).log_softmax(-1)

    def _pick(
        self, logprobs: Any, live: Sequence[int], attempt: int, dice: random.Random
    ) -> list[int]:
        """Picks a token per row: the likeliest for row 0 of attempt 0, else sampled from top-p."""
        torch = self._torch
        greedy = logprobs.argmax(-1).tolist()
        values, order = (logprobs / TEMPERATURE).softmax(-1).topk(min(TOP_K, logprobs.shape[-1]))
        running = values.cumsum(-1)
        values = torch.where(running - values < TOP_P, values, 0.0)  # the first is always kept
        sums = values.cumsum(-1)
        picked = []
        for at, row in enumerate(live):
            if row == 0 and attempt == 0:
                picked.append(greedy[at])
                continue
            target = dice.random() * float(sums[at, -1])
            index = int(torch.searchsorted(sums[at], target, right=True))
            picked.append(int(order[at, min(index, order.shape[1] - 1)]))
        return picked


def _would_repeat(tokens: Sequence[int]) -> list[int]:
    """Lists the tokens that would end a second copy of the same run of LONGEST_REPEAT tokens."""
    width = LONGEST_REPEAT - 1
    if len(tokens) < LONGEST_REPEAT:
        return []
    tail = tuple(tokens[-width:])
    return [
        tokens[at + width]
        for at in range(len(tokens) - width)
        if tuple(tokens[at : at + width]) == tail
    ]
