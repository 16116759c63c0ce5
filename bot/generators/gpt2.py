"""Phrases acts with a GPT-2 from a local folder, in eager PyTorch.

Decoding is constrained to what the request allows: no marker that was not given, none twice, no
control word, and no end while a given marker is missing. Nothing is added to or mended in what the
model wrote. Knows nothing about values, verification or where the weights came from.
"""

from __future__ import annotations

import hashlib
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
from bot.generators.forward import FastGPT2
from bot.turn import Candidate
from prompts.acts import inventory, markers
from prompts.filling import prompt_of, special_tokens

TEMPERATURE = 0.9
TOP_P = 0.9
TOKENS_BASE, TOKENS_PER_SLOT = 32, 14
FORCED = math.log(0.02)  # a marker or an end less likely than this was the constraints' choice
LONGEST_REPEAT = 8  # tokens; a run of this length may not be written twice in one text
END = "<|end|>"


@dataclass(slots=True)
class _Row:
    """One text being written: tokens so far, what it still has to say, its log-probability."""

    missing: set[int]
    tokens: list[int] = field(default_factory=list)
    total: float = 0.0
    ended: bool = False
    least: float = 0.0  # the lowest log-probability the model itself gave a marker or the end


class Gpt2Generator:
    """Serves any Hugging Face GPT-2 folder with `tokenizer.json` or `vocab.json` + `merges.txt`.

    A folder without our control words is served too; they are added untrained, so that it can be
    fine-tuned. `name` is the folder's name, `version` the start of the weights' SHA-256.
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
        weights = folder / "model.safetensors"
        if not weights.is_file() or not (folder / "config.json").is_file():
            raise ConfigError(
                f"no GPT-2 in {folder}: it needs config.json and model.safetensors; "
                "set generator.model to such a folder, or generator.kind to plain"
            )
        import torch  # noqa: PLC0415
        from safetensors import SafetensorError  # noqa: PLC0415
        from transformers import GPT2LMHeadModel  # noqa: PLC0415
        from transformers.utils import logging as reports  # noqa: PLC0415

        reports.disable_progress_bar()  # type: ignore[no-untyped-call]
        torch.set_num_threads(threads)
        self.name = folder.name
        self.version = _digest(weights)
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._torch = torch
        try:
            self._tokenizer = _tokenizer(folder)
            model: Any = GPT2LMHeadModel.from_pretrained(
                folder, local_files_only=True, dtype=torch.float32
            )
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise ConfigError(f"the model in {folder} cannot be read: {error}") from error
        known = inventory()
        control = special_tokens(list(known.acts), known.slots)
        self._tokenizer.add_special_tokens(control)
        size = max(self._tokenizer.get_vocab_size(), model.config.vocab_size)
        if size > model.config.vocab_size:
            model.resize_token_embeddings(size, mean_resizing=False)
        self._model = FastGPT2(model.eval())
        self._markers = {slot: self._tokenizer.token_to_id(f"<{slot}>") for slot in known.slots}
        ours = self._tokenizer.token_to_id(END)
        foreign = model.config.eos_token_id  # None, one or several
        self._ends = sorted({ours, *(foreign if isinstance(foreign, list) else [foreign])} - {None})
        self._forbidden = self._never(size)

    def _never(self, size: int) -> Any:
        """Marks the tokens no text may hold: control words, and pieces that could spell one."""
        torch = self._torch
        never = torch.zeros(size, dtype=torch.bool)  # (V,)
        for token, number in self._tokenizer.get_vocab(with_added_tokens=True).items():
            if "<" in token or ">" in token:
                never[number] = True
        for number in range(self._tokenizer.get_vocab_size(), size):
            never[number] = True  # rows of the matrix without a token
        never[self._ends] = True  # lifted when nothing is missing
        return never

    def phrase(self, request: PhraseRequest) -> list[Candidate]:
        """Returns up to `request.k` distinct candidates: most slots said first, then likeliest.

        The first row of attempt 0 is greedy, the others are sampled. Raises UnknownActError, and
        GeneratorError when no text was finished within the time budget, waiting included.
        """
        spec = inventory().act(request.act)
        if unknown := set(request.slots) - set(self._markers):
            raise GeneratorError(f"no slots {sorted(unknown)}; acts.toml lists the known ones")
        slots = [slot for slot in spec.slots if slot in request.slots]
        slots += [slot for slot in request.slots if slot not in spec.slots]
        prompt = prompt_of(request.language, request.act, slots, request.message, tone=request.tone)
        deadline = self._clock() + self._seconds
        if not self._lock.acquire(timeout=self._seconds):
            raise GeneratorError(f"{self.name} is busy with other requests")
        try:
            rows = self._write(self._tokenizer.encode(prompt).ids, slots, request, deadline)
        finally:
            self._lock.release()
        texts: dict[str, float] = {}
        for row in rows:
            text = self._tokenizer.decode(row.tokens, skip_special_tokens=False).strip()
            if text:
                texts.setdefault(text, row.total / (len(row.tokens) + 1))
        if not texts:
            raise GeneratorError(f"{self.name} finished no text within {self._seconds:g} s")
        candidates = [Candidate(text, logprob) for text, logprob in texts.items()]
        wanted = set(slots)
        return sorted(candidates, key=lambda c: (len(wanted - set(markers(c.marked))), -c.logprob))

    def _write(
        self, prompt: Sequence[int], slots: Sequence[str], request: PhraseRequest, deadline: float
    ) -> list[_Row]:
        """Writes `k` rows from one shared prefill; returns those that came to an end.

        Texts that the constraints or the length limit bent, such as a date after the words for a
        carrier, are returned only where there is no other.
        """
        torch = self._torch
        most = TOKENS_BASE + TOKENS_PER_SLOT * len(slots)
        context = self._model.context
        prompt = list(prompt)[-max(1, context - most) :]
        most = min(most, context - len(prompt))
        dice = random.Random(f"{request.seed}/{request.attempt}/{request.act}")
        given = {self._markers[slot] for slot in slots}
        rows = [_Row(missing=set(given)) for _ in range(max(1, request.k))]
        live = list(range(len(rows)))
        with torch.inference_mode():
            logits = self._model.start(prompt, rows=len(rows), room=most)  # (B, V)
            for written in range(most):
                allowed = self._allowed(logits, [rows[i] for i in live], most - written)
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
                    if row.ended or token in given:
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
        values, order = (logprobs / TEMPERATURE).softmax(-1).topk(min(64, logprobs.shape[-1]))
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


def _tokenizer(folder: Path) -> Any:
    """Loads the byte-level BPE of a GPT-2 folder in either of its two layouts."""
    from tokenizers import ByteLevelBPETokenizer, Tokenizer  # noqa: PLC0415

    if (folder / "tokenizer.json").is_file():
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    pair = folder / "vocab.json", folder / "merges.txt"
    if not all(path.is_file() for path in pair):
        raise ConfigError(f"no tokenizer in {folder}: it needs tokenizer.json")
    return ByteLevelBPETokenizer(*map(str, pair))


def _digest(path: Path) -> str:
    with path.open("rb") as weights:
        return hashlib.file_digest(weights, "sha256").hexdigest()[:12]
