"""What a training on corrections sees: the shop's own pairs, mixed with a replay of the base corpus.

The replay keeps what the corrections do not speak of. What they replace is not replayed: a way of
saying an act that agents settled, and punctuation that they always took out. Knows nothing about
how a model is trained.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from bot.training import corpus
from bot.training.examples import HOUSE, Example
from bot.training.harvest import Pair

REPEATS = 12  # how often each pair is seen
REPLAY = 3.0  # examples of the base corpus for each of the shop's own
LEAST_REPLAY = 4000  # fewer hold too few of the slot sets of an act
DEVELOPED = 0.12  # share of the trained conversations that only tell when to stop
SETTLED = 5  # pairs of one kind from which agents have settled how it is said …
SETTLED_SHARE = 0.6  # … where so many of them say it in one way
TAKEN_OUT = 5  # times that a mark was taken out, and never left
MARKS = "!！~～;；…—–*"  # punctuation that manners differ in; what asks or ends is none of it
MOST_DROPPED = 0.6  # of the replay of one act, for a mark that was taken out

Key = tuple[str, str, bool]  # language, act, whether something of it is gone


def mixed(
    pairs: Sequence[Pair], *, replay: float = REPLAY, repeats: int = REPEATS, seed: int = 0
) -> list[Example]:
    """Returns the examples of a training on the pairs that are not held back; equal arguments give
    equal examples. Raises ValueError where there are none."""
    own = [pair for pair in pairs if pair.split == "train"]
    if not own:
        raise ValueError("nothing to train on")
    names = sorted({pair.conversation for pair in own}, key=_order)
    developed = set(names[: round(DEVELOPED * len(names))])
    trained = [pair for pair in own if pair.conversation not in developed]
    examples = [_example(pair, "train") for pair in trained for _ in range(repeats)]
    watched = [_example(pair, "valid") for pair in own if pair.conversation in developed]
    size = max(round(replay * len(examples)), LEAST_REPLAY) if replay else 0
    again = _replay(own, size=size, valid=max(4 * len(watched), 200), seed=seed)
    out = [*examples, *watched, *again]
    random.Random(seed).shuffle(out)
    return out


def settled(pairs: Iterable[Pair]) -> dict[Key, str]:
    """Returns the kinds of acts that agents have settled how to say, and how."""
    said: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for pair in pairs:
        said[_key(_example(pair, "train"))][pair.marked] += 1
    return {
        key: counts.most_common(1)[0][0]
        for key, counts in said.items()
        if counts.total() >= SETTLED
        and counts.most_common(1)[0][1] >= SETTLED_SHARE * counts.total()
    }


def taken_out(pairs: Iterable[Pair]) -> frozenset[str]:
    """Returns the marks that agents took out of replies whenever they met them."""
    shown: Counter[str] = Counter()
    left: set[str] = set()
    for pair in pairs:
        shown.update(set(MARKS) & set(pair.shown) if pair.source == "corrected" else ())
        left.update(set(MARKS) & set(pair.marked))
    return frozenset(
        mark for mark, times in shown.items() if times >= TAKEN_OUT and mark not in left
    )


def _replay(own: Sequence[Pair], *, size: int, valid: int, seed: int) -> list[Example]:
    if not size:
        return []
    drawn = corpus.build(size=size, valid=valid, seed=seed)
    done, marks = settled(own), taken_out(own)
    kept = [example for example in drawn if _key(example) not in done]
    marked = Counter(e.act for e in kept if marks & set(e.reply))
    all_of = Counter(e.act for e in kept)
    sparse = {act for act, count in marked.items() if count > MOST_DROPPED * all_of[act]}
    return [e for e in kept if e.act in sparse or not marks & set(e.reply)]


def _example(pair: Pair, split: str) -> Example:
    return Example(
        pair.language,
        pair.act,
        pair.slots,
        pair.message,
        pair.marked,
        "valid" if split == "valid" else "train",
        source=HOUSE,
        tone=pair.tone,
        values=pair.values,
    )


def _key(example: Example) -> Key:
    return example.language, example.act, "gone" in example.hints.values()


def _order(name: str) -> str:
    return hashlib.sha256(f"develop/{name}".encode()).hexdigest()
