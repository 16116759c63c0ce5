"""How well a model phrases acts it was not taught: loss, and slot error of free writing.

Slot error (lower is better) is (missing + added + repeated) / given, as in SC-GPT
(arXiv 2002.12328). The model writes without any constraint here, so the figure is its own and not
the decoder's. Knows nothing about how it was trained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.training.corpus import Example
from bot.training.tokenizer import END
from prompts.acts import markers


@dataclass(frozen=True, slots=True)
class SlotErrors:
    """Markers that a text lacks, has without being asked, or repeats."""

    missing: int = 0
    added: int = 0
    repeated: int = 0

    @property
    def total(self) -> int:
        return self.missing + self.added + self.repeated


def slot_errors(given: Sequence[str], marked: str) -> SlotErrors:
    """Compares the markers of a text with the slots it was to carry."""
    found = Counter(markers(marked))
    wanted = set(given)
    return SlotErrors(
        missing=len(wanted - set(found)),
        added=sum(count for name, count in found.items() if name not in wanted),
        repeated=sum(count - 1 for name, count in found.items() if name in wanted),
    )


@dataclass(frozen=True, slots=True)
class Written:
    """One text a model wrote, with its mean log-probability per token."""

    text: str
    logprob: float
    finished: bool


def write(
    model: Any, tokenizer: Any, prompts: Sequence[str], *, temperature: float, seed: int
) -> list[Written]:
    """Lets the model continue each prompt; temperature 0 is greedy."""
    out: list[Written] = []
    for start in range(0, len(prompts), 64):
        out += _write_batch(
            model, tokenizer, prompts[start : start + 64], temperature, seed + start
        )
    return out


def _write_batch(
    model: Any, tokenizer: Any, prompts: Sequence[str], temperature: float, seed: int
) -> list[Written]:
    import torch  # noqa: PLC0415

    encoded = [tokenizer.encode(prompt).ids for prompt in prompts]
    end = tokenizer.token_to_id(END)
    longest = max(map(len, encoded))
    rows = torch.tensor(
        [[end] * (longest - len(ids)) + ids for ids in encoded]
    )  # (B, T) left-padded
    mask = torch.tensor([[0] * (longest - len(ids)) + [1] * len(ids) for ids in encoded])
    dice = torch.Generator().manual_seed(seed)
    texts: list[list[int]] = [[] for _ in prompts]
    sums = [0.0] * len(prompts)
    done = [False] * len(prompts)
    most = 40 + 12 * max(prompt.count("<") for prompt in prompts)
    cache, tokens = None, rows
    with torch.inference_mode():
        for _ in range(most):
            positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
            step = model(
                tokens, attention_mask=mask, position_ids=positions, past_key_values=cache,
                use_cache=True, logits_to_keep=1,
            )  # fmt: skip
            cache = step.past_key_values
            logprobs = step.logits[:, -1].float().log_softmax(-1)  # (B, V)
            if temperature:
                chances = (logprobs / temperature).softmax(-1)
                picked = torch.multinomial(chances, 1, generator=dice)  # (B, 1)
            else:
                picked = logprobs.argmax(-1, keepdim=True)
            gained = logprobs.gather(1, picked).squeeze(1).tolist()
            for row, token in enumerate(picked.squeeze(1).tolist()):
                if done[row]:
                    continue
                sums[row] += gained[row]
                done[row] = token == end
                if not done[row]:
                    texts[row].append(token)
            if all(done):
                break
            tokens = picked
            mask = torch.cat([mask, torch.ones_like(picked)], dim=1)
    return [
        Written(tokenizer.decode(ids, skip_special_tokens=False), total / (len(ids) + 1), finished)
        for ids, total, finished in zip(texts, sums, done, strict=True)
    ]


def slot_error(
    model: Any, tokenizer: Any, examples: Sequence[Example], *, k: int = 4, temperature: float = 0.8
) -> tuple[dict[str, float], list[Written]]:
    """Measures slot error greedy and best of `k` (greedy and k-1 samples, fewest errors first).

    Returns the figures and the greedy texts. A text that never ends counts as missing every slot.
    """
    prompts = [example.prompt for example in examples]
    rounds = [
        write(model, tokenizer, prompts, temperature=temperature if turn else 0.0, seed=turn * 7919)
        for turn in range(k)
    ]
    given = sum(len(example.slots) for example in examples)

    def errors(example: Example, written: Written) -> int:
        if not written.finished:
            return max(1, len(example.slots))
        return slot_errors(example.slots, written.text).total

    greedy = best = 0
    for number, example in enumerate(examples):
        each = [errors(example, turn[number]) for turn in rounds]
        greedy += each[0]
        best += min(each)
    figures = {"greedy": greedy / max(1, given), f"best_of_{k}": best / max(1, given)}
    return figures, rounds[0]
