"""The prompts that generators are judged on: acts with values that training has not seen.

`own` is the held-out part of our corpus; `sgd` and `crosswoz` are system turns of public dialogues,
mapped to our acts where they fit. Knows nothing about generators or figures.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from bot.errors import ConfigError
from bot.evaluation.facts import grounded
from bot.training import corpus, service_talk
from bot.training.catalogues import ValueBank
from bot.training.examples import Example, read
from bot.turn import DialogAct, Fact
from prompts.acts import inventory, markers
from prompts.combinations import combinations
from prompts.filling import fill

SetName = Literal["own", "sgd", "crosswoz"]
SETS: tuple[SetName, ...] = get_args(SetName)
PUBLIC = {
    "sgd": Path("sgd-dialogue-acts", "dev.jsonl.gz"),
    "crosswoz": Path("crosswoz-dialogue-acts", "dialogues.jsonl.gz"),
}
DRAWN = 3  # held-out examples drawn for each prompt wanted; of Chinese ones there are fewer

SlotSets = Collection[tuple[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One act to phrase. `reference` is what its example says, filled; `unseen` that no training
    example had these slots for this act."""

    example: Example
    act: DialogAct
    facts: tuple[Fact, ...]
    reference: str
    unseen: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """How many turns a combination of acts has in a public set, and how many of them we map."""

    name: str
    turns: int
    mapped: int

    @property
    def share(self) -> float:
        return self.mapped / max(1, self.turns)


@dataclass(frozen=True, slots=True)
class PromptSet:
    """A named set; `kinds` is its coverage, most frequent first, empty for our own."""

    name: SetName
    prompts: tuple[Prompt, ...]
    kinds: tuple[Kind, ...] = ()
    left_out: int = 0  # examples of acts or slots that this version does not know

    @property
    def coverage(self) -> Kind:
        return Kind("all", sum(k.turns for k in self.kinds), sum(k.mapped for k in self.kinds))


@dataclass(frozen=True, slots=True)
class Known:
    """What training has seen: slot sets by act, replies as far as a corpus file tells them.

    `held` is what the file keeps back; None where there is no file to take it from.
    """

    slot_sets: SlotSets
    replies: frozenset[str] | None = None
    held: tuple[Example, ...] | None = None


def known_to_training(corpus_file: Path | None) -> Known:
    """Reads a corpus file; without one, what every corpus of this version holds back is unknown.

    Raises ConfigError where the file is no corpus.
    """
    if corpus_file is None:
        return Known(
            frozenset(
                (act, slots)
                for act in inventory().acts
                for slots in combinations(act)
                if slots not in corpus.held_out_sets(act)
            )
        )
    examples = _read(corpus_file)
    trained = [e for e in examples if e.split == "train"]
    held = tuple(e for e in examples if e.split == "valid" and e.source == "phrasings")
    return Known(
        frozenset((e.act, e.slots) for e in trained), frozenset(e.reply for e in trained), held
    )


def chosen(
    names: Sequence[str], known: Known, *, data: Path | None, most: int, seed: int = 0
) -> list[PromptSet]:
    """Returns the sets of these names, each once. Raises ConfigError for an unknown name."""
    if unknown := [name for name in names if name not in SETS]:
        raise ConfigError(f"--set: no set {unknown[0]!r}; there are {', '.join(SETS)}")
    return [
        own(known, data=data, most=most, seed=seed)
        if name == "own"
        else public(name, known, data=data, most=most, seed=seed)
        for name in SETS
        if name in names
    ]


def own(known: Known, *, data: Path | None, most: int, seed: int = 0) -> PromptSet:
    """Takes at most `most` held-out examples of our corpus, or draws them anew.

    Raises ConfigError where the corpus file holds none back.
    """
    if known.held is None:
        drawn = corpus.build(size=0, valid=DRAWN * most, data=data, seed=seed)
        held = tuple(e for e in drawn if e.source == "phrasings")
    else:
        held = known.held
    if not held:
        raise ConfigError("--corpus: the file holds no validation example of our own phrasings")
    return _made("own", held, known.slot_sets, most=most, seed=seed)


def public(
    name: SetName, known: Known, *, data: Path | None, most: int, seed: int = 0
) -> PromptSet:
    """Maps dialogues of a public set that training does not read; takes `most` mapped turns.

    Raises ConfigError where the data is not there.
    """
    if data is None:
        raise ConfigError(f"--set {name} needs --data FOLDER; docs/data.md says what goes there")
    path = data / PUBLIC[name]
    if not path.is_file():
        raise ConfigError(f"--set {name}: there is no {path}; docs/data.md says what goes there")
    turns = (
        service_talk.read_sgd(path, split="valid")
        if name == "sgd"
        else service_talk.read_crosswoz(path, split="valid")
    )
    return mapped(name, ((t.kind, t.example) for t in turns), known.slot_sets, most=most, seed=seed)


def mapped(
    name: SetName,
    turns: Iterable[tuple[str, Example | None]],
    seen: SlotSets,
    *,
    most: int,
    seed: int = 0,
) -> PromptSet:
    """Counts the turns of each kind, and takes at most `most` of those that have an example."""
    counts: dict[str, list[int]] = {}
    examples = []
    for kind, example in turns:
        count = counts.setdefault(kind, [0, 0])
        count[0] += 1
        if example is not None:
            count[1] += 1
            examples.append(example)
    kinds = sorted(
        (Kind(kind, *count) for kind, count in counts.items()), key=lambda k: (-k.turns, k.name)
    )
    return replace(_made(name, examples, seen, most=most, seed=seed), kinds=tuple(kinds))


def _made(
    name: SetName, examples: Sequence[Example], seen: SlotSets, *, most: int, seed: int
) -> PromptSet:
    """Draws at most `most` examples, as many of each language, and gives values to those that have
    none."""
    usable = [e for e in examples if _usable(e)]
    rng = random.Random(seed)
    prompts = []
    languages = [lang for lang in corpus.LANGUAGES if any(e.language == lang for e in usable)]
    for language in languages:
        of_language = [e for e in usable if e.language == language]
        bank = ValueBank(language, "valid")
        for example in rng.sample(of_language, min(most // len(languages), len(of_language))):
            values = example.values
            if not set(example.slots) <= set(values):
                values = bank.draw(example.act, example.slots, rng) | values
            values = {slot: values[slot] for slot in example.slots}
            prompts.append(_prompt(replace(example, values=values), seen))
    return PromptSet(name, tuple(prompts), left_out=len(examples) - len(usable))


def prompted(examples: Iterable[Example], seen: SlotSets = ()) -> tuple[Prompt, ...]:
    """Prompts of examples that have values; those that this version cannot say are left out."""
    found = []
    for example in examples:
        if _usable(example) and set(example.slots) <= set(example.values):
            try:
                found.append(_prompt(example, seen))
            except ValueError:  # values that no turn would have had
                continue
    return tuple(found)


def _prompt(example: Example, seen: SlotSets) -> Prompt:
    act, facts = grounded(example.language, example.act, example.values, example.message)
    reference = fill(example.reply, example.values)
    return Prompt(example, act, facts, reference, (example.act, example.slots) not in seen)


def _usable(example: Example) -> bool:
    spec = inventory().acts.get(example.act)
    if spec is None or not set(markers(example.reply)) <= set(example.slots):
        return False
    return set(spec.required) <= set(example.slots) <= set(spec.slots)


def _read(path: Path) -> list[Example]:
    if not path.is_file():
        raise ConfigError(f"--corpus: {path} does not exist; `shopbot corpus build` writes one")
    try:
        return read(path)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"--corpus: {path} is no corpus as `shopbot corpus build` writes it: {error}"
        ) from None
