"""The facts of a turn, indexed for look-up by product, word, figure and span.

Knows nothing about the text that is judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import Stemmer

from bot.turn import Fact
from bot.verifier.dates import DateMention, dates
from bot.verifier.quantities import Quantity, quantities
from bot.verifier.surface import CJK, HIDDEN, flat, lower, normalise, squeeze, tokens

Kind = Literal["claim", "echo", "absent"]
OPERATIONS = frozenset(
    {"difference", "sum", "product", "percent", "count", "days_after", "convert"}
)
# What is said with these stands whole or not at all; their words support nothing else.
ONLY_WHOLE = frozenset({"stock", "kind", "heading", "topic"})
_PIECE = re.compile(r"\n+|(?<=[.!?])\s+|(?<=[。!?])")
# Idioms in which the character denies nothing are passed over.
_DENIED_TAIL = re.compile(
    r"(?:(?<!差)不(?!锈|同|仅|但|论|管|只|过)|没|无(?!忧|线|论|痕|纺)|未(?!来)|勿|禁).*"
)
_STEMS: dict[str, str] = {}
_STEMMER = Stemmer.Stemmer("english")
_NEGATIVE = re.compile(
    r"\b(?:no|not|never|none|nothing|neither|nor|without|cannot|non|except|excluding|unless)\b"
    r"|n't\b|[不没無无未非勿禁]|除外"
)


def stem(word: str) -> str:
    """Returns the English stem; possessive endings are dropped first."""
    found = _STEMS.get(word)
    if found is None:
        found = _STEMS[word] = _STEMMER.stemWord(word.removesuffix("'s").rstrip("'"))
    return found


def stems_of(low: str) -> frozenset[str]:
    """Stems of the words of a text; the parts of "water-resistant" do not stand alone."""
    return frozenset(
        stem(t.text) for t in tokens(low) if t.kind == "word" and not _compound(low, t.start, t.end)
    )


def _compound(low: str, start: int, end: int) -> bool:
    after = low[end : end + 1] == "-" and low[end + 1 : end + 2].isalpha()
    before = low[start - 1 : start] == "-" and low[max(0, start - 2) : start - 1].isalpha()
    return after or before


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence or table row of a fact."""

    low: str
    stems: frozenset[str]
    negative: bool
    figures: frozenset[tuple[object, str]]


_REFUSED = re.compile(
    r"(?:no|none|never|false|not (?:\w+ ?){1,2}|[否无不]|没有|不(?:支持|可以?|能|是|含|带|适用))\W*$"
)


@dataclass(frozen=True)
class Entry:
    """A fact with everything that is read from it once."""

    fact: Fact
    low: str
    subject: str
    label: str
    kind: Kind

    @cached_property
    def squeezed(self) -> str:
        return squeeze(self.low)

    @cached_property
    def undenied(self) -> str:
        """`squeezed` without what stands behind a negation in its clause."""
        if self.fact.field != "text":
            return self.squeezed
        clauses = re.split(r"([,;。!?])", self.squeezed)
        return "".join(_DENIED_TAIL.sub("\x00", clause) for clause in clauses)

    @cached_property
    def flat(self) -> str:
        return flat(f"{self.label}: {self.low}" if self.label else self.low)

    @cached_property
    def stems(self) -> frozenset[str]:
        return stems_of(self.low) | stems_of(self.label)

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """Figures outside dates."""
        taken = [(d.start, d.end) for d in self.dates]
        return tuple(q for q in quantities(self.low) if not any(s <= q.start < e for s, e in taken))

    @cached_property
    def dates(self) -> tuple[DateMention, ...]:
        return dates(self.low)

    @cached_property
    def negative(self) -> bool:
        return _NEGATIVE.search(self.low) is not None

    @cached_property
    def refused(self) -> bool:
        """Whether all it says is that its label does not hold: "Dishwasher safe: No"."""
        return bool(self.label) and _REFUSED.match(self.low) is not None

    def named_in(self, low: str, stems: frozenset[str]) -> bool:
        """Whether a text of these stems holds all words of the label."""
        return self.label in low if has_cjk(self.label) else stems_of(self.label) <= stems

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        label = f"{self.label}: " if self.label else ""
        return tuple(
            Statement(
                label + piece, stems_of(piece) | stems_of(self.label),
                _NEGATIVE.search(piece) is not None,
                frozenset((q.value, q.unit) for q in quantities(piece)),
            )
            for piece in _PIECE.split(self.low) if piece.strip()
        )  # fmt: skip


def operation(fact: Fact) -> str:
    """Which operation a derived fact is the result of, "" where it does not say."""
    return next((name for name in (fact.field, fact.source_id) if name in OPERATIONS), "")


def key_of(title: str) -> str:
    return lower(normalise(HIDDEN.sub("", title))).strip()


@lru_cache(maxsize=8192)
def entry_of(fact: Fact, label: str = "") -> Entry:
    """Reads a fact once; `label` is how its attribute's name is said where that differs."""
    kind_of_field, _, name = fact.field.partition(":")
    if kind_of_field == "label":
        label = fact.text
    elif kind_of_field == "attribute" and name != "reason":
        label = label or name
    else:
        label = ""
    kind: Kind = (
        "absent" if fact.field == "absent" else "echo" if fact.source == "shopper" else "claim"
    )
    return Entry(fact, key_of(fact.text), key_of(fact.subject), key_of(label), kind)


class Factbook:
    """All facts of a turn. A subject is a product's normalised title, "" for no product."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        said = {(f.source_id, f.field[6:]): f.text for f in facts if f.field.startswith("label:")}
        self.entries = [
            entry_of(fact, said.get((fact.source_id, fact.field.partition(":")[2]), ""))
            for fact in facts
        ]
        titles: dict[str, str] = {}
        for fact in facts:
            if fact.subject:
                titles.setdefault(key_of(fact.subject), fact.subject)
            elif fact.field == "title" and fact.source == "product":
                titles.setdefault(key_of(fact.text), fact.text)
        self.titles = titles
        self.claims = [e for e in self.entries if e.kind == "claim"]
        self.echoes = [e for e in self.entries if e.kind == "echo"]
        self.absent = [e for e in self.entries if e.kind == "absent"]
        self._about: dict[str, list[Entry]] = {}
        for entry in self.claims:
            subject = entry.subject
            if not subject and entry.fact.field == "title" and entry.fact.source == "product":
                subject = entry.low
            self._about.setdefault(subject, []).append(entry)
        self._stems: dict[str, frozenset[str]] = {}
        self._affirmed: dict[str, frozenset[str]] = {}
        self._corpus: dict[tuple[str, bool], str] = {}

    def about(self, subject: str) -> list[Entry]:
        """Claims about one product; with "" those about no product."""
        return self._about.get(subject, [])

    def field(self, subject: str, *names: str) -> list[Entry]:
        return [e for e in self.about(subject) if e.fact.field in names]

    def stems(self, subject: str) -> frozenset[str]:
        if subject not in self._stems:
            self._stems[subject] = frozenset().union(
                *(e.stems for e in self.about(subject) if e.fact.field not in ONLY_WHOLE)
            )
        return self._stems[subject]

    def affirmed(self, subject: str) -> frozenset[str]:
        """Stems of statements about a subject that deny nothing."""
        if subject not in self._affirmed:
            self._affirmed[subject] = stems_of(subject).union(
                *(
                    s.stems
                    for e in self.about(subject)
                    if e.fact.field not in ONLY_WHOLE
                    for s in e.statements
                    if not s.negative
                )
            )
        return self._affirmed[subject]

    def corpus(self, subject: str, *, denied: bool = False) -> str:
        """Everything said about a subject in one string, without spaces (for Chinese spans).

        What stands behind a negation in its clause is left out unless `denied`.
        """
        key = (subject, denied)
        if key not in self._corpus:
            parts = (
                e.label + "\x00" + (e.squeezed if denied else e.undenied)
                for e in self.about(subject)
                if e.fact.field not in ONLY_WHOLE
            )
            self._corpus[key] = "\x00".join([squeeze(subject), *parts])
        return self._corpus[key]

    @cached_property
    def lowercase_words(self) -> frozenset[str]:
        """Words that some fact writes in lower case: kinds of things, not names."""
        words = (re.findall(r"\b[a-z]{2,}\b", normalise(e.fact.text)) for e in self.entries)
        kinds = (e.low.split() for e in self.entries if e.fact.field == "category")
        found = {stem(w) for group in (*words, *kinds) for w in group}
        return frozenset(found)


def has_cjk(text: str) -> bool:
    return re.search(f"[{CJK}]", text) is not None


def bounded(low: str, needle: str, start: int = 0) -> Iterable[tuple[int, int]]:
    """Yields spans where `needle` stands as a whole: no letter or digit runs into its ends."""
    at = low.find(needle, start)
    while needle and at >= 0:
        end = at + len(needle)
        before, after = low[at - 1 : at], low[end : end + 1]
        if not (_joins(before, needle[0]) or _joins(needle[-1], after)):
            yield at, end
            at = low.find(needle, end)
        else:
            at = low.find(needle, at + 1)


def _joins(left: str, right: str) -> bool:
    if not left or not right or not left.isalnum() or not right.isalnum():
        return False
    if has_cjk(left) or has_cjk(right):
        return left.isdigit() and right.isdigit()
    return True
