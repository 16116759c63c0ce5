"""The training corpus: what the bot decided to say, and one good way to say it.

Most of it is drawn from our own phrasings in both languages and filled from many catalogues; real
service talk and product questions are mixed in where public data is at hand. The templates and the
catalogues, not the examples, are split: validation sees phrasings, slot sets and shops that training
never saw. Equal arguments give an equal corpus. Knows nothing about tokens or models.
"""

from __future__ import annotations

import hashlib
import math
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot.training import product_answers, public, service_talk
from bot.training.catalogues import ValueBank
from bot.training.examples import Example, Split
from bot.training.messages import message_for, situations
from bot.training.product_answers import Context
from bot.turn import Language
from prompts.acts import inventory
from prompts.combinations import combinations
from prompts.filling import Hint, Tone, agree, hints_of
from prompts.phrasing import Phrasebook, phrasebook

LANGUAGES: tuple[Language, ...] = ("en", "zh")
HELD_OUT = 0.1  # of an act's templates, where it has at least 8; never the first, the plain one
HELD_OUT_SETS = 0.06  # of an act's slot sets, where it has at least 16
TALK_SHARE = 0.16  # of the examples: service talk of public data, in the tone `casual`
QUESTION_SHARE = 0.5  # of the answers about products: with a real question and its evidence
TONE_SHARES: dict[Tone, float] = {"neutral": 0.6, "warm": 0.2, "brief": 0.2}
TONE_DRAWS = 4  # a warm reply is the longest of so many, a brief one the shortest
LONG_DRAWS = 6  # until what is long stands last in its line
# how much more often than its slot sets alone would ask for
FREQUENT = {"recommend": 3.0, "recommend_more": 1.5, "describe": 1.5, "compare": 1.5, "policy": 2.0,
            "attribute": 1.5, "order_status": 1.5, "product_quote": 1.5, "offer": 0.5,
            "confirm_details": 0.5}  # fmt: skip


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

    def draw_for(
        self,
        hints: Mapping[str, Hint],
        tone: Tone,
        act: str,
        slots: tuple[str, ...],
        split: Split,
        rng: random.Random,
    ) -> str | None:
        """Draws a reply whose grammar suits the values: long ones end their line where a phrasing
        lets them, verbs agree."""
        text = None
        for _ in range(LONG_DRAWS):
            text = self.draw_in(tone, act, slots, split, rng)
            if text is None or ends_lines(text, hints):
                break
        return text if text is None else agree(text, hints)


def ends_lines(marked: str, hints: Mapping[str, Hint]) -> bool:
    """Whether each long value is the last thing in its line, but for what closes it."""
    return not any(
        re.search(rf"<{slot}>[^\n]{{4}}", marked) for slot, hint in hints.items() if hint == "long"
    )


class _Source:
    """All that examples of one language and split are drawn from."""

    def __init__(self, language: Language, split: Split, data: Path | None) -> None:
        self.language = language
        self.split = split
        self.bank = ValueBank(language, split, data)
        self._sampler = _Sampler(phrasebook(language))
        self._messages = public.messages(data) if data else {}
        self._questions: dict[str, list[Context]] = {}
        if data and language == "en":
            known = [c for c in product_answers.contexts(data) if c.split == split]
            for act in ("attribute", "details", "product_quote"):
                self._questions[act] = [
                    c
                    for c in known
                    if set(c.values) - {"title_1"} <= set(inventory().act(act).slots)
                ]

    def example(self, act: str, rng: random.Random) -> Example | None:
        """Draws one; None where too few templates could be held out for validation."""
        slots = _slot_set(act, self.split, rng)
        message = message_for(self.language, act, rng, self._messages)
        values = self.bank.draw(act, slots, rng)
        asked = self._questions.get(act)
        if asked and rng.random() < QUESTION_SHARE:
            context = rng.choice(asked)
            if context.serves(slots):
                message = context.message
                values |= {slot: v for slot, v in context.values.items() if slot in slots}
        tone = rng.choices(list(TONE_SHARES), list(TONE_SHARES.values()))[0]
        hints = hints_of(self.language, values)
        reply = self._sampler.draw_for(hints, tone, act, slots, self.split, rng)
        if reply is None:
            return None
        return Example(
            self.language, act, slots, message, reply, self.split, tone=tone, values=values
        )


def build(
    *, size: int, seed: int = 0, valid: int = 1200, data: Path | None = None
) -> list[Example]:
    """Draws `size` training and `valid` validation examples; equal arguments give an equal corpus.

    `data` is a folder of public data sets; without it all messages and replies are our own.
    Raises ValueError where messages.toml and acts.toml differ.
    """
    if missing := set(inventory().acts) ^ set(situations()):
        raise ValueError(f"messages.toml and acts.toml differ in {sorted(missing)}")
    rng = random.Random(seed)
    talk = list(_talk(data, rng)) if data else []
    examples: list[Example] = talk[: round(size * TALK_SHARE)]
    weights = act_weights()
    splits: tuple[tuple[Split, int], ...] = (("train", size - len(examples)), ("valid", valid))
    for split, wanted in splits:
        sources = [_Source(language, split, data) for language in LANGUAGES]
        chosen = rng.choices(list(weights), list(weights.values()), k=wanted)
        for number, act in enumerate(chosen):
            example = sources[number % 2].example(act, rng)
            if example is None and split == "train":
                raise ValueError(f"no {LANGUAGES[number % 2]} phrasing of {act} serves its slots")
            if example is not None:
                examples.append(example)
    if data:
        examples += _talk_held_out(data, valid // 6, rng)
    return examples


def _slot_set(act: str, split: Split, rng: random.Random) -> tuple[str, ...]:
    held = held_out_sets(act)
    if split == "valid" and held and rng.random() < 0.5:
        return rng.choice(sorted(held))
    return rng.choice([slots for slots in combinations(act) if slots not in held])


def _talk(data: Path, rng: random.Random) -> Iterator[Example]:
    """Yields service talk in random order, half of it English: each text once with its slots."""
    english = [
        *_distinct(service_talk.read_sgd(data / "sgd-dialogue-acts" / "train.jsonl.gz")),
        *product_answers.sentences(data),
    ]
    templates = data / "crosswoz-dialogue-acts" / "system_templates.json.gz"
    chinese = _distinct(service_talk.read_crosswoz_templates(templates))
    said = public.messages(data).get(("zh", "off_topic"), [])
    chinese = [replace(e, message=rng.choice(said) if said else "") for e in chinese]
    for one, other in zip(_endless(english, rng), _endless(chinese, rng), strict=False):
        yield one
        yield other


def _talk_held_out(data: Path, count: int, rng: random.Random) -> Iterator[Example]:
    """Yields `count` mapped turns of dialogues that training does not read, of each language."""
    for turns in (
        service_talk.read_sgd(data / "sgd-dialogue-acts" / "dev.jsonl.gz", split="valid"),
        service_talk.read_crosswoz(data / "crosswoz-dialogue-acts" / "dialogues.jsonl.gz"),
    ):
        mapped = [turn.example for turn in turns if turn.example is not None]
        yield from rng.sample(mapped, min(count, len(mapped)))


def _distinct(turns: Iterable[service_talk.Turn]) -> list[Example]:
    found: dict[tuple[str, str], Example] = {}
    for turn in turns:
        if turn.example is not None and turn.learnable:
            found.setdefault((turn.example.act, turn.example.reply), turn.example)
    return list(found.values())


def _endless(examples: Sequence[Example], rng: random.Random) -> Iterator[Example]:
    """All of them in random order, twice at most."""
    for _ in range(2):
        yield from rng.sample(list(examples), len(examples))
