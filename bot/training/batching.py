"""Examples as token ids, and batches of similar length. Knows nothing about models or schedules."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.training import tokenizer as bpe
from bot.training.checkpoint import CONTEXT
from bot.training.examples import Example


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
