"""The shop's own phrasings per act and language, and the small template language they are in.

`{a|b}` is a choice, `[…]` is kept only when every marker directly in it is given (one without
markers is decoration, kept at random), `@name(2)` inserts the macro `name` with `_N` read as `_2`.
A phrasing serves a set of slots when its expansion holds each of them exactly once. The first that
serves is the plain fallback's sentence; random ones make the training corpus.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from prompts.acts import ActSpec, inventory, markers

_MACRO = re.compile(r"@([a-z_]+)(?:\((\d)\))?")
_TOKEN = re.compile(r"[{}|\[\]]|[^{}|\[\]]+")
TRIES = 60  # random expansions drawn per phrasing before it is thought not to serve


class PhrasingError(ValueError):
    """A phrasing that cannot be read; the message quotes it."""


Node = str | tuple[str, "tuple[tuple[Node, ...], ...]"]  # text, or ("choice" | "option", branches)


@dataclass(frozen=True, slots=True)
class Phrasing:
    """One parsed template."""

    source: str
    nodes: tuple[Node, ...]

    def expand(self, given: frozenset[str], rng: random.Random | None = None) -> str | None:
        """Returns slot-marked text holding exactly `given`, or None where this phrasing cannot.

        Without `rng` the first branch of every choice that serves is taken and decoration left out.
        """
        text = _render(self.nodes, given, rng)
        found = markers(text)
        if len(found) == len(given) and set(found) == given:
            return text
        return None

    @property
    def variety(self) -> int:
        """How many texts it can write for some set of slots, at most."""
        return _variety(self.nodes)


def _variety(nodes: Sequence[Node]) -> int:
    count = 1
    for node in nodes:
        if isinstance(node, str):
            continue
        kind, branches = node
        inside = sum(_variety(branch) for branch in branches)
        # one that carries a marker is written or not as the slots demand, decoration by chance
        count *= inside + (kind == "option" and not _direct(branches[0]))
    return count


def _render(nodes: Sequence[Node], given: frozenset[str], rng: random.Random | None) -> str:
    out = []
    for node in nodes:
        if isinstance(node, str):
            out.append(node)
            continue
        kind, branches = node
        if kind == "choice":
            serving = [b for b in branches if _direct(b) <= given] or list(branches)
            branch = rng.choice(serving) if rng else serving[0]
            out.append(_render(branch, given, rng))
        else:
            needs = _direct(branches[0])
            keep = (
                needs <= given
                if needs or _deep(branches[0])
                else rng is not None and rng.random() < 0.5
            )
            if keep:
                out.append(_render(branches[0], given, rng))
    return "".join(out)


def _direct(nodes: Sequence[Node]) -> set[str]:
    """Markers that stand in these nodes whatever is chosen below."""
    return {m for node in nodes if isinstance(node, str) for m in markers(node)}


def _deep(nodes: Sequence[Node]) -> set[str]:
    found = _direct(nodes)
    for node in nodes:
        if not isinstance(node, str):
            for branch in node[1]:
                found |= _deep(branch)
    return found


def parse(source: str, macros: dict[str, str]) -> Phrasing:
    """Parses one template. Raises PhrasingError on unbalanced brackets or an unknown macro."""
    text = source
    for _ in range(8):
        if not _MACRO.search(text):
            break
        text = _MACRO.sub(lambda m: _macro(m, macros, source), text)
    if _MACRO.search(text):
        raise PhrasingError(f"a macro of {source!r} holds itself")
    tokens = _TOKEN.findall(text)
    nodes, rest = _parse(tokens, 0, "", source)
    if rest != len(tokens):
        raise PhrasingError(f"stray bracket in {source!r}")
    return Phrasing(source, nodes)


def _macro(match: re.Match[str], macros: dict[str, str], source: str) -> str:
    name, number = match.groups()
    if name not in macros:
        raise PhrasingError(f"unknown macro @{name} in {source!r}; known are {sorted(macros)}")
    return macros[name].replace("_N", f"_{number}") if number else macros[name]


def _parse(tokens: list[str], at: int, close: str, source: str) -> tuple[tuple[Node, ...], int]:
    nodes: list[Node] = []
    while at < len(tokens):
        token = tokens[at]
        if token == "{":
            branches = []
            while True:
                branch, at = _parse(tokens, at + 1, "|}", source)
                branches.append(branch)
                if at >= len(tokens):
                    raise PhrasingError(f"missing }} in {source!r}")
                if tokens[at] == "}":
                    break
            nodes.append(("choice", tuple(branches)))
        elif token == "[":
            inner, at = _parse(tokens, at + 1, "]", source)
            if at >= len(tokens):
                raise PhrasingError(f"missing ] in {source!r}")
            nodes.append(("option", (inner,)))
        elif token in "|}]":
            if token in close:
                return tuple(nodes), at
            raise PhrasingError(f"stray {token!r} in {source!r}")
        else:
            nodes.append(token)
        at += 1
    return tuple(nodes), at


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """All phrasings of one language, by act; the first of each act is the plainest."""

    language: str
    acts: dict[str, tuple[Phrasing, ...]]
    notices: dict[str, tuple[Phrasing, ...]] = field(default_factory=dict)

    def plain(self, act: str, given: Iterable[str]) -> str | None:
        """Returns the plainest slot-marked text for the act, or None where none serves."""
        wanted = frozenset(given)
        for phrasing in (self.acts | self.notices)[act]:
            if (text := phrasing.expand(wanted)) is not None:
                return text
        return None

    def sample(
        self, act: str, given: Iterable[str], rng: random.Random, among: Sequence[int] | None = None
    ) -> str | None:
        """Returns a random slot-marked text; `among` limits it to phrasings by index."""
        wanted = frozenset(given)
        book = self.acts[act]
        order = list(among) if among is not None else list(range(len(book)))
        rng.shuffle(order)
        for index in order:
            for _ in range(TRIES):
                if (text := book[index].expand(wanted, rng)) is not None:
                    return text
        return None


@cache
def phrasebook(language: str) -> Phrasebook:
    """Loads `phrasings/LANGUAGE.toml`. Raises PhrasingError; every act of the inventory is there."""
    raw = files("prompts").joinpath("phrasings", f"{language}.toml").read_text(encoding="utf-8")
    data = tomllib.loads(raw)
    macros = data.get("macros", {})
    return Phrasebook(
        language,
        _read(language, data["acts"], inventory().acts, macros),
        _read(language, data["notices"], inventory().notices, macros),
    )


def _read(
    language: str, given: dict[str, list[str]], known: dict[str, ActSpec], macros: dict[str, str]
) -> dict[str, tuple[Phrasing, ...]]:
    if missing := sorted(set(known) ^ set(given)):
        raise PhrasingError(f"{language}.toml and acts.toml differ in {missing}")
    read = {}
    for act, sources in given.items():
        read[act] = tuple(parse(" ".join(s.split(" ")), macros) for s in sources)
        for phrasing in read[act]:
            if unknown := _deep(phrasing.nodes) - set(known[act].slots):
                raise PhrasingError(f"{act}: {phrasing.source!r} uses {sorted(unknown)}")
    return read
