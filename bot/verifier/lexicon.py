"""Words and turns of phrase that claim nothing, and those that always need a source.

Neutral words come from `prompts/vocabulary` and from the shop's own phrasings. From the phrasings
also come *windows*: a negation, number word or sensitive word together with its neighbours there.
Knows nothing about facts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from bot.turn import Language
from bot.verifier.factbook import stem
from bot.verifier.surface import CJK, lower, normalise, tokens
from prompts.acts import MARKER
from prompts.phrasing import Node, phrasebook

Gram = tuple[str, ...]
REACH = 3  # tokens on either side that are learned from the phrasings
SLOT = "<>"
EDGE = "^"
_SPECIAL = re.compile("[\ue000]")


@cache
def data(name: str) -> dict[str, Any]:
    """Reads one of the vocabulary's tables."""
    return tomllib.loads(files("prompts").joinpath("vocabulary", name).read_text(encoding="utf-8"))


@dataclass
class Lexicon:
    """What one language may say without a source. `grams` holds, per act, the runs of tokens of
    its phrasings: `reach` tokens on either side of each token, slots as "<>"; `unsaid` what they would say with a
    negation left out."""

    language: Language
    words: frozenset[str]
    stems: frozenset[str]
    phrases: tuple[str, ...]
    phrase_set: frozenset[str]
    sensitive: frozenset[str]
    sensitive_stems: frozenset[str]
    forms: frozenset[str]
    sensitive_phrases: tuple[str, ...]
    reach: int
    grams: dict[str, set[Gram]] = field(default_factory=dict)
    denials: dict[str, set[Gram]] = field(default_factory=dict)
    denying_acts: frozenset[str] = frozenset()
    near: frozenset[Gram] = frozenset()
    unsaid: dict[str, set[Gram]] = field(default_factory=dict)

    def is_sensitive(self, word: str) -> bool:
        return word in self.sensitive or stem(word) in self.sensitive_stems

    def neutral(self, word: str) -> bool:
        return (word in self.words or stem(word) in self.stems) and not self.is_sensitive(word)


def _lines(name: str) -> list[str]:
    text = files("prompts").joinpath("vocabulary", name).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]


_STAND_IN = "slotslot"  # reads as one word, as no phrasing has it


@cache
def lexicon(language: Language) -> Lexicon:
    """Loads the vocabulary of a language and learns the windows of its phrasings."""
    entries = [lower(normalise(e)) for line in _lines(f"{language}.txt") for e in line.split("|")]
    sensitive_data = data("sensitive.toml")[language]
    sensitive = {lower(normalise(w)) for w in sensitive_data["words"]}
    book = phrasebook(language)
    said_as = book.acts | book.notices
    texts = [t for phrasings in said_as.values() for p in phrasings for t in _texts(p.nodes)]
    if language == "en":
        words = {w for e in entries for w in e.split()}
        for text in texts:
            words |= {
                t.text for t in tokens(lower(normalise(MARKER.sub(" ", text)))) if t.kind == "word"
            }
        phrases: tuple[str, ...] = ()
    else:
        import jieba  # noqa: PLC0415  (loads a dictionary)

        jieba.setLogLevel(60)
        cut = {
            w for text in texts for run in re.findall(rf"[{CJK}]+", text) for w in jieba.lcut(run)
        }
        phrases = tuple(sorted({e for e in entries if e} | cut, key=len, reverse=True))
        words = {w for e in lexicon("en").words for w in [e]}
    found = Lexicon(
        language,
        frozenset(words),
        frozenset(stem(w) for w in words if len(w) > 2),
        phrases,
        frozenset(phrases),
        frozenset(sensitive | set(sensitive_data["forms"])),
        frozenset(stem(w) for w in sensitive if w.isascii()),
        frozenset(sensitive_data["forms"]),
        tuple(sorted((w for w in sensitive if not w.isascii()), key=len, reverse=True)),
        reach=1 if language == "en" else 2,
    )
    near: set[Gram] = set()
    for act, phrasings in said_as.items():
        runs: set[Gram] = set()
        edge = frozenset([(EDGE,) * REACH])
        for phrasing in phrasings:
            _walk(phrasing.nodes, edge, edge, REACH, runs)
        found.grams[act] = {
            run[REACH - found.reach : REACH + found.reach + 1]
            for run in runs
            if len(run) > 2 * REACH
        }
        near |= {run[REACH - 1 : REACH + 2] for run in runs if len(run) > 2 * REACH}
        # What a negation denies follows it: three tokens behind, one before.
        found.denials[act] = {
            run[REACH - 1 :]
            for run in runs
            if len(run) > 2 * REACH and _negates(run[REACH : REACH + 1], language)
        }
        # Two tokens of look-back, or the beginning, show that no negation stands before.
        heads = {run[:6] for run in runs}  # many runs share what is read of them
        said = {
            head[at : at + n]
            for head in heads
            for n in (3, 4)
            for at in ((0, 1, 2) if head[2] == EDGE else (2,))
            if not _negates(head[: at + n], language)
        }
        # an article goes with the value behind it
        said |= {tuple("an" if w == "a" else w for w in gram) for gram in said}
        found.unsaid[act] = _reversed(runs, language) - said
    found.near = frozenset(near)
    found.denying_acts = frozenset(
        act
        for act, phrasings in book.acts.items()
        if act in DENYING and all(_fewest(p.nodes, language) for p in phrasings)
    )
    return found


def unfamiliar(marked: str, language: Language) -> int:
    """How many tokens of a slot-marked text stand between neighbours that no phrasing has there."""
    bare = MARKER.sub(f" {_STAND_IN} ", marked)
    run = [
        SLOT if t.text == _STAND_IN else "\n" if t.kind == "newline" else t.text
        for t in tokens(lower(normalise(bare)))
    ]
    padded = [EDGE, *run, EDGE]
    known = lexicon(language).near
    return sum(tuple(padded[i : i + 3]) not in known for i in range(len(run)))


def _fewest(nodes: Sequence[Node], language: Language) -> int:
    """The least number of negations in an expansion."""
    total = 0
    for node in nodes:
        if isinstance(node, str):
            total += sum(_negates((t,), language) for t in _cut(node))
        elif node[0] == "choice":
            total += min(_fewest(branch, language) for branch in node[1])
    return total


# Acts that refuse or deny; of these, the ones whose every phrasing does must.
DENYING = frozenset(
    {"unclear", "refuse_price", "refuse_private", "refuse_instruction", "card_warning", "identify"}
    | {"request_refused", "unknown_fact", "policy_unknown", "order_unknown_fact", "order_mismatch"}
    | {"not_sold", "out_of_scope", "no_match"}
)
_BASES = {"won't": "will", "can't": "can", "shan't": "shall", "cannot": "can"}
_DO = frozenset({"do", "does", "did"})
_CHINESE_NOT = frozenset("不没无未别勿非否莫免缺")
_NOT = frozenset(
    "not no nothing cannot never without unable neither nor none nowhere instead rather".split()
)


def _negates(run: Gram, language: Language) -> bool:
    if language == "zh":
        return not _CHINESE_NOT.isdisjoint(run)
    return any(token in _NOT or token.endswith("n't") for token in run)


def _reversed(runs: set[Gram], language: Language) -> set[Gram]:
    """What the phrasings would say with a negation left out, as runs of three or four tokens."""
    out: set[Gram] = set()
    for run in runs:
        if len(run) <= 2 * REACH:
            continue
        l2, l1, word, r1, r2, r3 = run[1], run[2], run[3], run[4], run[5], run[6]
        if language == "zh":
            if word in _CHINESE_NOT:
                out.add((l2, l1, r1, r2))
                if r1 in {"有", "法"}:
                    out.add((l2, l1, r2, r3))
                if r1 == "法":
                    out |= {(l1, "可", "以", r2), (l2, l1, "能", r2)}
        elif word == "not":
            out.add((l1, r1, r2))
        elif word == "no":
            out |= {(l1, r1, r2), (l1, "a", r1, r2), (l1, "an", r1, r2)}
        elif word == "nothing":
            out |= {(l1, "something", r1), (l1, "everything", r1)}
        elif word == "cannot" or word.endswith("n't"):
            base = _BASES.get(word, word.removesuffix("n't"))
            out.add((l1, base, r1, r2))
            if base in _DO:
                out |= {(l1, r1, r2), (l1, f"{r1}s", r2)}
    return {
        gram for gram in out if SLOT in gram or any(len(t) > 1 or not t.isascii() for t in gram)
    }


def _texts(nodes: Sequence[Node]) -> list[str]:
    out: list[str] = []
    for node in nodes:
        if isinstance(node, str):
            out.append(node)
        else:
            for branch in node[1]:
                out.extend(_texts(branch))
    return out


@cache
def _cut(text: str) -> Gram:
    marked = MARKER.sub("\ue000", text)
    out: list[str] = []
    for i, part in enumerate(_SPECIAL.split(marked)):
        if i:
            out.append(SLOT)
        out.extend("\n" if t.kind == "newline" else t.text for t in tokens(lower(normalise(part))))
    return tuple(out)


Contexts = frozenset[Gram]


def _walk(
    nodes: Sequence[Node], left: Contexts, right: Contexts, reach: int, out: set[Gram]
) -> None:
    """Collects every run of 2·reach+1 tokens that an expansion of `nodes` can hold."""
    rights = [right]
    for node in reversed(nodes):
        rights.append(_before(node, rights[-1], reach))
    rights.reverse()
    for i, node in enumerate(nodes):
        after = rights[i + 1]
        if isinstance(node, str):
            cut = _cut(node)
            for head in left:
                for tail in after:
                    run = (*head, *cut, *tail)
                    for at in range(len(cut)):
                        out.add(run[at : at + 2 * reach + 1])
        else:
            for branch in node[1]:
                _walk(branch, left, after, reach, out)
        left = _after(node, left, reach)


def _after(node: Node, left: Contexts, reach: int) -> Contexts:
    if isinstance(node, str):
        return frozenset((head + _cut(node))[-reach:] for head in left)
    kind, branches = node
    found: set[Gram] = set() if kind == "choice" else set(left)
    for branch in branches:
        inner = left
        for child in branch:
            inner = _after(child, inner, reach)
        found |= inner
    return frozenset(found)


def _before(node: Node, right: Contexts, reach: int) -> Contexts:
    if isinstance(node, str):
        return frozenset((_cut(node) + tail)[:reach] for tail in right)
    kind, branches = node
    found: set[Gram] = set() if kind == "choice" else set(right)
    for branch in branches:
        inner = right
        for child in reversed(branch):
            inner = _before(child, inner, reach)
        found |= inner
    return frozenset(found)
