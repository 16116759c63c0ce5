"""Measures a trained generator on the held-out part of its corpus.

    python -m bot.training.figures --model bot/checkpoints/shop-gpt2 --corpus FOLDER/corpus.jsonl

Prints one JSON object: slot error (lower is better) of the model alone and as it is served, per
language, on all held-out prompts and on those whose slot set training never saw; the share of texts
that are no training sentence; milliseconds per reply. Knows nothing about training.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.errors import GeneratorError
from bot.generators.base import PhraseRequest
from bot.generators.gpt2 import Gpt2Generator
from bot.training.corpus import Example, held_out_sets, read
from bot.training.tokenizer import load
from bot.training.validation import slot_error, slot_errors


def alone(folder: Path, examples: Sequence[Example]) -> dict[str, float]:
    """Slot error of free writing, greedy and best of 4."""
    import torch  # noqa: PLC0415
    from transformers import GPT2LMHeadModel  # noqa: PLC0415

    model: Any = GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32)
    figures, _ = slot_error(model.eval(), load(folder / "tokenizer.json"), examples)
    return {name: round(value, 4) for name, value in figures.items()}


def served(
    generator: Gpt2Generator, examples: Sequence[Example], known: frozenset[str], *, k: int
) -> tuple[dict[str, float], list[str]]:
    """Slot error of the best candidate, how often it lacks none, novelty, time; and the texts."""
    errors = complete = new = 0
    times, texts = [], []
    for number, example in enumerate(examples):
        request = PhraseRequest(
            example.language, example.act, example.slots, example.message, k, seed=number
        )
        began = time.perf_counter()
        try:
            text = generator.phrase(request)[0].marked
        except GeneratorError:
            text = ""
        times.append(1000 * (time.perf_counter() - began))
        texts.append(text)
        found = slot_errors(example.slots, text).total
        errors += found
        complete += text != "" and found == 0
        new += text not in known
    times.sort()
    figures = {
        "slot_error": errors / max(1, sum(len(example.slots) for example in examples)),
        "complete": complete / len(examples),
        "not_in_training": new / len(examples),
        "ms_p50": times[len(times) // 2],
        "ms_p95": times[int(len(times) * 0.95)],
    }
    return {name: round(value, 4) for name, value in figures.items()}, texts


def main() -> None:
    parser = argparse.ArgumentParser(description="measures a trained generator")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--most", type=int, default=300, help="prompts per language")
    parser.add_argument("--samples", type=int, default=0, help="texts to print per language")
    args = parser.parse_args()
    examples = read(args.corpus)
    known = frozenset(example.reply for example in examples if example.split == "train")
    generator = Gpt2Generator(args.model, seconds=60)
    out: dict[str, Any] = {"model": generator.name, "version": generator.version}
    for language in ("en", "zh"):
        held = [e for e in examples if e.split == "valid" and e.language == language]
        held = random.Random(0).sample(held, min(args.most, len(held)))
        unseen = [e for e in held if e.slots in held_out_sets(e.act)]
        figures, texts = served(generator, held, known, k=4)
        out[language] = {
            "prompts": len(held),
            "alone": alone(args.model, held),
            "alone_on_unseen_slot_sets": alone(args.model, unseen),
            "served_greedy": served(generator, held, known, k=1)[0],
            "served_best_of_4": figures,
            "samples": [
                {"act": e.act, "message": e.message, "text": text}
                for e, text in list(zip(held, texts, strict=True))[: args.samples]
            ],
        }
    print(json.dumps(out, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
