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

from bot.training.examples import Example
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
    """One text a model wrote, and whether it came to an end."""

    text: str
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

    context = int(model.config.n_positions)
    encoded = [tokenizer.encode(prompt).ids[-(context - 1) :] for prompt in prompts]
    end = tokenizer.token_to_id(END)
    longest = max(map(len, encoded))
    rows = [[end] * (longest - len(ids)) + ids for ids in encoded]  # left-padded
    mask = [[0] * (longest - len(ids)) + [1] * len(ids) for ids in encoded]
    most = min(40 + 12 * max(prompt.count("<") for prompt in prompts), context - longest)
    how = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {}
    with torch.random.fork_rng(devices=[]), torch.inference_mode():
        torch.manual_seed(seed)
        out = model.generate(
            torch.tensor(rows), attention_mask=torch.tensor(mask), max_new_tokens=most,
            eos_token_id=end, pad_token_id=end, **how,
        )  # fmt: skip
    written = []
    for ids in out[:, longest:].tolist():
        finished = end in ids
        text = tokenizer.decode(
            ids[: ids.index(end)] if finished else ids, skip_special_tokens=False
        )
        written.append(Written(text, finished))
    return written


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
