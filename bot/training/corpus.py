"""The training corpus: what the bot decided to say, and one good way to say it.

Drawn from our own phrasings in both languages, with a few polite replies from public data. The
templates, not the examples, are split: validation sees phrasings and slot sets that training never
saw. Knows nothing about tokens or models.

    python -m bot.training.corpus --out var/training/corpus.jsonl [--data FOLDER] [--size 120000]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from bot.training import public
from bot.training.messages import message_for, situations
from bot.turn import Language
from prompts.acts import inventory
from prompts.combinations import combinations
from prompts.filling import Tone, prompt_of
from prompts.phrasing import Phrasebook, phrasebook

Split = Literal["train", "valid"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
HELD_OUT = 0.1  # of an act's templates, where it has at least 8; never the first, the plain one
HELD_OUT_SETS = 0.06  # of an act's slot sets, where it has at least 16
PUBLIC_SHARE = 0.02  # of the examples
TONE_SHARES: dict[Tone, float] = {"neutral": 0.6, "warm": 0.2, "brief": 0.2}
TONE_DRAWS = 4  # a warm reply is the longest of so many, a brief one the shortest
# how much more often than its slot sets alone would ask for
FREQUENT = {"recommend": 3.0, "recommend_more": 1.5, "describe": 1.5, "compare": 1.5, "policy": 2.0,
            "attribute": 1.5, "order_status": 1.5, "product_quote": 1.5}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """One pair for the generator; `source` is `phrasings` or the public set it came from."""

    language: Language
    act: str
    slots: tuple[str, ...]
    message: str
    reply: str
    split: Split
    source: str = "phrasings"
    tone: Tone = "neutral"

    @property
    def prompt(self) -> str:
        return prompt_of(self.language, self.act, self.slots, self.message, tone=self.tone)


def act_weights() -> dict[str, float]:
    """Returns the share of each act; many slot sets and frequent use ask for more."""
    raw = {
        act: FREQUENT.get(act, 1.0) * (1 + math.log2(len(combinations(act))))
        for act in inventory().acts
    }
    total = sum(raw.values())
    return {act: weight / total for act, weight in raw.items()}


def held_out(sources: Sequence[str]) -> frozenset[int]:
    """Picks the templates kept for validation by the hash of their text, so that edits move few."""
    if len(sources) < 8:
        return frozenset()
    count = max(1, round(len(sources) * HELD_OUT))
    return frozenset(sorted(range(1, len(sources)), key=lambda i: _digest(sources[i]))[:count])


def held_out_sets(act: str) -> frozenset[tuple[str, ...]]:
    """Picks the slot sets that training never sees."""
    every = combinations(act)
    if len(every) < 16:
        return frozenset()
    count = max(1, round(len(every) * HELD_OUT_SETS))
    return frozenset(sorted(every[1:-1], key=lambda slots: _digest(act + "".join(slots)))[:count])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


class _Sampler:
    """Draws replies of one language, remembering which template serves which slot set."""

    def __init__(self, book: Phrasebook) -> None:
        self._book = book
        self._serving: dict[tuple[str, tuple[str, ...], Split], list[int]] = {}
        self._held = {
            act: held_out([p.source for p in phrasings]) for act, phrasings in book.acts.items()
        }

    def draw(
        self, act: str, slots: tuple[str, ...], split: Split, rng: random.Random
    ) -> str | None:
        key = (act, slots, split)
        if key not in self._serving:
            held = self._held[act]
            among = [
                i for i in range(len(self._book.acts[act])) if (i in held) == (split == "valid")
            ]
            probe = random.Random(0)
            self._serving[key] = [
                i for i in among if self._book.sample(act, slots, probe, among=[i]) is not None
            ]
        serving = self._serving[key]
        book = self._book.acts[act]
        # what can be put in many ways is drawn more often: else the few fixed sentences are learned
        # by heart, and a model writes what it knows by heart
        weights = [math.log1p(book[i].variety) ** 2 for i in serving]
        drawn = rng.choices(serving, weights, k=3) if serving else []
        for first in (*drawn, *serving):  # the first nearly always serves
            if (text := self._book.sample(act, slots, rng, among=[first])) is not None:
                return text
        return self._book.plain(act, slots) if split == "train" else None

    def draw_in(
        self, tone: Tone, act: str, slots: tuple[str, ...], split: Split, rng: random.Random
    ) -> str | None:
        """Draws a reply in a tone: warm replies say more around the slots, brief ones less."""
        draws = 1 if tone == "neutral" else TONE_DRAWS
        drawn = [text for _ in range(draws) if (text := self.draw(act, slots, split, rng))]
        return (min if tone == "brief" else max)(drawn, key=len, default=None)


def build(
    *, size: int, seed: int = 0, valid: int = 1200, data: Path | None = None
) -> list[Example]:
    """Draws `size` training and `valid` validation examples; equal arguments give an equal corpus.

    `data` is a folder of public data sets; without it all messages and replies are our own.
    """
    rng = random.Random(seed)
    messages = public.messages(data) if data else {}
    samplers = {language: _Sampler(phrasebook(language)) for language in LANGUAGES}
    weights = act_weights()
    acts = list(weights)
    examples: list[Example] = []
    splits: tuple[tuple[Split, int], ...] = (("train", size), ("valid", valid))
    for split, wanted in splits:
        chosen = rng.choices(acts, [weights[act] for act in acts], k=wanted)
        for number, act in enumerate(chosen):
            language = LANGUAGES[number % 2]
            slots = _slot_set(act, split, rng)
            tone = rng.choices(list(TONE_SHARES), list(TONE_SHARES.values()))[0]
            reply = samplers[language].draw_in(tone, act, slots, split, rng)
            if reply is None and split == "valid":  # too few templates to hold any out
                continue
            if reply is None:
                raise ValueError(f"no {language} phrasing of {act} serves {slots}")
            message = message_for(language, act, rng, messages)
            examples.append(Example(language, act, slots, message, reply, split, tone=tone))
    if data:
        examples.extend(_public_replies(data, round(size * PUBLIC_SHARE), rng))
    return examples


def _slot_set(act: str, split: Split, rng: random.Random) -> tuple[str, ...]:
    held = held_out_sets(act)
    if split == "valid" and held and rng.random() < 0.5:
        return rng.choice(sorted(held))
    return rng.choice([slots for slots in combinations(act) if slots not in held])


def _public_replies(data: Path, count: int, rng: random.Random) -> Iterator[Example]:
    known = public.replies(data)
    for act, message, reply in rng.sample(known, min(count, len(known))):
        yield Example("en", act, (), message, reply, "train", "sgd-dialogue-acts")


def write(examples: Iterable[Example], path: Path) -> None:
    """Writes JSON lines, one example each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as out:
        for example in examples:
            out.write(json.dumps(asdict(example), ensure_ascii=False) + "\n")


def read(path: Path) -> list[Example]:
    """Reads what `write` wrote."""
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [Example(**{**row, "slots": tuple(row["slots"])}) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description="draws the training corpus of the generator")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="folder with public data sets")
    parser.add_argument("--size", type=int, default=120_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if missing := set(inventory().acts) ^ set(situations()):
        raise SystemExit(f"messages.toml and acts.toml differ in {sorted(missing)}")
    examples = build(size=args.size, seed=args.seed, data=args.data)
    write(examples, args.out)
    print(f"{len(examples)} examples in {args.out}")


if __name__ == "__main__":
    main()
