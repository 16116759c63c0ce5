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
SLOT = "<>"
EDGE = "^"
_SPECIAL = re.compile("[\ue000]")


def data(name: str) -> dict[str, Any]:
    return tomllib.loads(files("prompts").joinpath("vocabulary", name).read_text(encoding="utf-8"))


@dataclass
class Lexicon:
    """What one language may say without a source. `grams` holds, per act, the runs of tokens of
    its phrasings: `reach` tokens on either side of each token, slots as "<>"."""

    language: Language
    words: frozenset[str]
    stems: frozenset[str]
    phrases: tuple[str, ...]
    sensitive: frozenset[str]
    sensitive_stems: frozenset[str]
    sensitive_phrases: tuple[str, ...]
    reach: int
    grams: dict[str, set[Gram]] = field(default_factory=dict)
    unsaid: dict[str, set[Gram]] = field(default_factory=dict)

    def is_sensitive(self, word: str) -> bool:
        return word in self.sensitive or stem(word) in self.sensitive_stems

    def neutral(self, word: str) -> bool:
        return (word in self.words or stem(word) in self.stems) and not self.is_sensitive(word)


def _lines(name: str) -> list[str]:
    text = files("prompts").joinpath("vocabulary", name).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]


@cache
def lexicon(language: Language) -> Lexicon:
    """Loads the vocabulary of a language and learns the windows of its phrasings."""
    entries = [lower(normalise(e)) for line in _lines(f"{language}.txt") for e in line.split("|")]
    sensitive_data = data("sensitive.toml")[language]
    sensitive = {lower(normalise(w)) for w in sensitive_data["words"]}
    book = phrasebook(language)
    texts = [t for phrasings in book.acts.values() for p in phrasings for t in _texts(p.nodes)]
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
        frozenset(sensitive | set(sensitive_data["forms"])),
        frozenset(stem(w) for w in sensitive if w.isascii()),
        tuple(sorted((w for w in sensitive if not w.isascii()), key=len, reverse=True)),
        reach=1 if language == "en" else 2,
    )
    for act, phrasings in book.acts.items():
        grams: set[Gram] = set()
        edge = frozenset([(EDGE,) * found.reach])
        for phrasing in phrasings:
            _walk(phrasing.nodes, edge, edge, found.reach, grams)
        found.grams[act] = grams
    return found


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
