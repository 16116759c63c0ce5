"""Which product a text is talking about at each place.

A title holds from where it stands to the next one in its sentence; a sentence without a title
goes on about the titles of the one before. Knows nothing about figures or words.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.verifier.factbook import Factbook, bounded, has_cjk, stem
from bot.verifier.lexicon import Lexicon

_PAIR = re.compile(
    r"\b(?:the\s+)?(?P<first>former|first one|first of the two)\b|\b(?:the\s+)?(?P<second>latter|second one)\b"
    r"|(?P<zh_first>前者|前一款|第一款)|(?P<zh_second>后者|后一款|第二款)"
)
_JOINED = re.compile(
    r"\s*\)?\s*(?:,|and|or|&|,\s?and|,\s?or|versus|vs\.?|against|with|to|和|与|、|及|以及|还是|跟|同|或|/)\s*\(?\s*(?:the\s)?"
)
_FORWARD = re.compile(
    r"\s*\)?\s*(?:each\s|apiece\s)?(?:,\s?)?(?:for|on|gets you|gets|will get you|buys you|buys|is for|goes to"
    r"|is what|of|with|的)?\s*\(?\s*(?:the\s)?"
)
_FORWARD_WORD = re.compile(r"\b(?:for|on|gets|buys|of)\b|的")
_PRONOUN = re.compile(r"\b(?:it|its|it's|this one|they|their|they're)\b|它|这款|该款|此款|这件")
_ROW = re.compile(r"\s*[-*•]\s*([^:\n]+):\s")
VARIANTS = frozenset(
    "pro max mini plus lite ultra air se xl xxl small medium large red blue green black white grey "
    "gray silver gold kids junior women men womens mens deluxe premium basic classic sport".split()
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A product named at a span; `full` when the whole title stands there, `title` when by name."""

    start: int
    end: int
    subject: str
    full: bool = True
    by_name: bool = True


@dataclass(frozen=True, slots=True)
class Binding:
    """What a place may speak of: `subjects`, all of which must agree when `every`."""

    subjects: tuple[str, ...]
    every: bool = False


def find_mentions(
    text: str, low: str, book: Factbook, words: Lexicon, masked: bytearray
) -> list[Mention]:
    """Finds full titles, then shortened ones, then "the former" and the like, in order."""
    found: list[Mention] = []
    # "grain free dog food", which the shop does not have, names no Dog Food that it has
    lacking = [span for e in book.absent if e.low for span in bounded(low, e.low)]
    for subject in sorted(book.titles, key=len, reverse=True):
        single = " " not in subject and not has_cjk(subject)
        for start, end in bounded(low, subject):
            if any(s <= start and end <= e and e - s > end - start for s, e in lacking):
                continue
            if any(masked[start:end]) or (
                single and text[start].islower() and book.titles[subject][0].isupper()
            ):
                continue
            found.append(Mention(start, end, subject))
            masked[start:end] = b"\1" * (end - start)
    named = {m.subject: m.start for m in sorted(found, key=lambda m: -m.start)}
    found.extend(_shortened(text, low, book, words, masked, named))
    found.sort(key=lambda m: m.start)
    order: list[str] = []
    for mention in found:
        if mention.subject in order:
            continue
        order.append(mention.subject)
    for match in _PAIR.finditer(low):
        if any(masked[match.start() : match.end()]):
            continue
        before = _last_pair([m for m in found if m.by_name and m.start < match.start()])
        if len(before) == 2:
            second = match.group("second") or match.group("zh_second")
            found.append(Mention(*match.span(), before[1 if second else 0], by_name=False))
    return sorted(found, key=lambda m: m.start)


def _last_pair(found: Sequence[Mention]) -> list[str]:
    """The last two products named, in the order they were first named."""
    recent: list[str] = []
    for mention in reversed(found):
        if mention.subject not in recent:
            recent.append(mention.subject)
        if len(recent) == 2:
            break
    return sorted(recent, key=lambda s: next(m.start for m in found if m.subject == s))


def _shortened(
    text: str, low: str, book: Factbook, words: Lexicon, masked: bytearray, named: dict[str, int]
) -> list[Mention]:
    """A run of a title's words stands for it when no other title has it and what was left out is
    the name of a kind of thing ("the TrailMaster X4"), or the whole title was named before."""
    runs: dict[str, set[str]] = {}
    dropped: dict[tuple[str, str], list[str]] = {}
    for subject in book.titles:
        parts = subject.split()
        if has_cjk(subject) or len(parts) < 2 or len(parts) > 12:
            continue
        for i in range(len(parts)):
            for j in range(i + 1, len(parts) + 1):
                if j - i == len(parts):
                    continue
                run = " ".join(parts[i:j])
                if any(_distinct(p, book, words) for p in parts[i:j]):
                    runs.setdefault(run, set()).add(subject)
                    dropped[run, subject] = parts[:i] + parts[j:]
    found = []
    longer = [
        span
        for e in book.claims
        if e.fact.field.startswith("attribute") and " " in e.low
        for span in bounded(low, e.low)
    ]
    for run in sorted(runs, key=len, reverse=True):
        if len(runs[run]) > 1 or run not in low:
            continue
        (subject,) = runs[run]
        for start, end in bounded(low, run):
            if any(masked[start:end]) or not (text[start].isupper() or text[start].isdigit()):
                continue
            if _in_row(low, start, book) or any(s <= start and end <= e for s, e in longer):
                continue  # "Material: Ceramic" names no Ceramic Table Lamp
            earlier = named.get(subject, len(low)) < start
            if earlier or all(_generic(p, book) for p in dropped[run, subject]):
                found.append(Mention(start, end, subject, full=False))
                masked[start:end] = b"\1" * (end - start)
    return found


def _in_row(low: str, at: int, book: Factbook) -> bool:
    """Whether the place stands in a list line behind a label of the facts."""
    line = low[low.rfind("\n", 0, at) + 1 : at]
    label = _ROW.match(line)
    return label is not None and any(
        e.low == label.group(1) for e in book.claims if e.fact.field.startswith("label")
    )


def _distinct(part: str, book: Factbook, words: Lexicon) -> bool:
    return (
        part[0].isalpha() and len(part) > 2 and not words.neutral(part) and not _generic(part, book)
    )


def _generic(part: str, book: Factbook) -> bool:
    return part.isalpha() and part not in VARIANTS and stem(part) in book.lowercase_words


def _is_list_line(low: str, at: int) -> bool:
    return re.search(r"(?:^|\n)\s*[-*•]\s*\"?$", low[:at]) is not None


class Focus:
    """Answers what a place in the text speaks of."""

    def __init__(
        self,
        low: str,
        spans: Sequence[tuple[int, int]],
        mentions: Sequence[Mention],
        book: Factbook,
    ):
        self.low, self.spans, self.mentions, self.book = low, spans, mentions, book
        self._starts = [s for s, _ in spans]
        self._within = [[m for m in mentions if s <= m.start < e] for s, e in spans]
        self._carried: list[tuple[str, ...]] = []
        named = tuple(dict.fromkeys(m.subject for m in mentions))
        # "It costs $5. That is the … " — one product in all is what "it" stands for.
        only = named if len(named) == 1 else tuple(book.titles) if len(book.titles) == 1 else ()
        carried: tuple[str, ...] = only
        listed = False
        for within in self._within:
            self._carried.append(carried)
            if within:
                line = _is_list_line(low, within[0].start)
                earlier = carried if line and listed else ()
                carried = tuple(dict.fromkeys((*earlier, *(m.subject for m in within))))
                listed = line
            else:
                listed = False

    def index(self, at: int) -> int:
        return max(0, bisect.bisect_right(self._starts, at) - 1)

    def sentence(self, at: int) -> tuple[int, int]:
        return self.spans[self.index(at)] if self.spans else (0, len(self.low))

    def within(self, at: int) -> list[Mention]:
        return self._within[self.index(at)] if self.spans else []

    def carried(self, at: int) -> tuple[str, ...]:
        return self._carried[self.index(at)] if self.spans else ()

    def of_word(self, at: int) -> Binding:
        """What a word at `at` speaks of: any of the subjects may support it."""
        within = self.within(at)
        before = [m for m in within if m.start <= at]
        if before:
            group = self._group(before)
            return Binding(tuple(dict.fromkeys(m.subject for m in group)), every=len(group) > 1)
        after = [m.subject for m in within[:1]]
        return Binding(tuple(dict.fromkeys((*after, *self.carried(at)))))

    def _group(self, before: list[Mention]) -> list[Mention]:
        """The last mention with those joined to it by "and" or a comma."""
        group = [before[-1]]
        for mention in reversed(before[:-1]):
            if not _JOINED.fullmatch(self.low[mention.end : group[0].start]):
                break
            group.insert(0, mention)
        return group

    def of_values(self, values: Sequence[tuple[int, int, str]]) -> list[Binding]:
        """Binds the values (start, end, key) of one sentence, in order; equal keys compete."""
        if not values:
            return []
        within = self.within(values[0][0])
        carried = self.carried(values[0][0])
        out: list[Binding | None] = [None] * len(values)
        subjects = tuple(dict.fromkeys(m.subject for m in within)) or carried
        for key in dict.fromkeys(v[2] for v in values):
            own = [i for i, v in enumerate(values) if v[2] == key]
            self._in_order(values, own, within, subjects, out)
        for i, (start, end, _) in enumerate(values):
            if out[i] is None:
                out[i] = self._near(start, end, within, carried)
        return [b or Binding(()) for b in out]

    def _in_order(
        self,
        values: Sequence[tuple[int, int, str]],
        own: list[int],
        within: list[Mention],
        subjects: tuple[str, ...],
        out: list[Binding | None],
    ) -> None:
        """n values all before or all after n titles belong to them in their order."""
        n = len(subjects)
        if n < 2:
            return
        if within:
            last, first = within[-1], within[0]
            after = [i for i in own if values[i][0] >= last.end]
            before = [i for i in own if values[i][1] <= first.start]
            own = after if len(after) == len(own) else before if len(before) == len(own) else []
            if before and own == before and not self._coordinated(within):
                return
        if len(own) == n:
            for i, subject in zip(own, subjects, strict=True):
                out[i] = Binding((subject,))

    def _coordinated(self, within: list[Mention]) -> bool:
        return all(
            _JOINED.fullmatch(self.low[a.end : b.start])
            for a, b in zip(within, within[1:], strict=False)
        )

    def _near(
        self, start: int, end: int, within: list[Mention], carried: tuple[str, ...]
    ) -> Binding:
        after = [m for m in within if m.start >= end]
        before = [m for m in within if m.end <= start]
        if (
            after
            and _FORWARD.fullmatch(gap := self.low[end : after[0].start])
            and _FORWARD_WORD.search(gap)
        ):
            return Binding((after[0].subject,))
        if before:
            group = self._group(before)
            return Binding(tuple(dict.fromkeys(m.subject for m in group)), every=len(group) > 1)
        if after and not (carried and _PRONOUN.search(self.low[self.sentence(start)[0] : start])):
            return Binding((after[0].subject,))
        return Binding(carried, every=len(carried) > 1)
