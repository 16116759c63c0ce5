"""Figures, dates and labelled values: each must belong to a fact of the product it is said of.

Knows nothing about words, stock or negation. Money with a role of its own is in `money`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.verifier import money
from bot.verifier.counts import harmless_count
from bot.verifier.dates import DateMention, dates
from bot.verifier.echoes import echoed
from bot.verifier.factbook import Entry, bounded, has_cjk, stem, stems_of
from bot.verifier.lexicon import data
from bot.verifier.mentions import Binding
from bot.verifier.quantities import COUNT_UNITS, ORDINAL, Quantity, quantities, unit_forms
from bot.verifier.reading import SETTLED, Reading

_NOT_VALUES = frozenset(
    {"text", "price", "title", "stock", "message", "absent", "url", "name_of_page"}
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value in the text, the facts that hold it, and the key it competes under for a product."""

    start: int
    end: int
    key: str
    entries: tuple[Entry, ...]
    quantity: Quantity | None = None
    date: DateMention | None = None


def find_values(reading: Reading) -> list[Value]:
    found = list(_verbatim(reading))
    taken = bytearray(reading.mask)
    for value in found:
        taken[value.start : value.end] = b"\1" * (value.end - value.start)
    for date in dates(reading.low):
        if any(taken[date.start : date.end]):
            continue
        entries = tuple(
            e for e in (*reading.book.claims, *reading.book.echoes)
            if any(date.agrees(own) for own in e.dates)
        )  # fmt: skip
        found.append(Value(date.start, date.end, "date", entries, date=date))
        taken[date.start : date.end] = b"\1" * (date.end - date.start)
    for quantity, end in _with_ranges(reading.low, taken):
        own = [quantity] if end is None else [quantity, end]
        entries = tuple(e for e in reading.book.entries if all(holds(e, q, reading) for q in own))
        found.append(
            Value(
                quantity.start,
                own[-1].end,
                quantity.unit or _counted(reading, quantity),
                entries,
                quantity,
            )
        )
    return sorted(found, key=lambda v: v.start)


def _counted(reading: Reading, quantity: Quantity) -> str:
    """What a bare figure counts, "" where the word behind it is a function word."""
    return "" if reading.words.neutral(quantity.noun) else quantity.noun


_TO = re.compile(r"\s?(?:-|~|to|through|至|到|and)\s?")


def _with_ranges(low: str, taken: bytearray) -> Iterable[tuple[Quantity, Quantity | None]]:
    """The free figures; the two ends of a range go together and need one source."""
    free = [q for q in quantities(low) if not any(taken[q.start : q.end])]
    skip = False
    for i, quantity in enumerate(free):
        if skip:
            skip = False
            continue
        after = free[i + 1] if i + 1 < len(free) else None
        if (
            after and after.unit == quantity.unit and quantity.unit != ORDINAL
            and not re.search(r"\d:$", low[: quantity.start])  # minutes begin no range
            and (gap := _TO.fullmatch(low[quantity.end : after.start]))
            and (gap.group().strip() != "and" or re.search(r"\bbetween\s$", low[: quantity.start]))
        ):  # fmt: skip
            skip = True
            yield quantity, after
        else:
            yield quantity, None


def _verbatim(reading: Reading) -> Iterable[Value]:
    """Values of facts that stand letter for letter, longest first."""
    by_text: dict[str, list[Entry]] = {}
    for entry in reading.book.claims:
        if (
            entry.fact.field in _NOT_VALUES
            or (entry.fact.field == "category" and entry.subject)
            or entry.fact.field.startswith("label:")
            or not re.search(r"[^\W\d]", entry.low)
        ):
            continue
        if any(q.money for q in entry.quantities) or entry.fact.source == "derived":
            continue  # amounts are judged by the part they play
        if entry.dates and entry.dates[0].end - entry.dates[0].start == len(entry.low):
            continue
        by_text.setdefault(entry.low.strip(".。"), []).append(entry)
    taken = bytearray(reading.mask)
    for text in sorted(by_text, key=len, reverse=True):
        entries = tuple(by_text[text])
        short = len(text) < 2 or (len(text) < 3 and not has_cjk(text))
        for start, end in bounded(reading.low, text):
            if any(taken[start:end]) or (
                short and not re.search(r"[是为:/,;(者]\s?$", reading.low[:start])
            ):
                continue
            taken[start:end] = b"\1" * (end - start)
            yield Value(start, end, entries[0].label or entries[0].fact.field, entries)


def holds(entry: Entry, quantity: Quantity, reading: Reading) -> bool:
    """True when the fact states this value in this unit."""
    if entry.fact.field == "stock":
        return False  # what is left is judged as a stock claim
    return any(_same(entry, own, quantity, reading) for own in entry.quantities)


def _same(entry: Entry, own: Quantity, quantity: Quantity, reading: Reading) -> bool:
    if own.value != quantity.value:
        return False
    if own.unit == quantity.unit:
        if own.unit == "piece" and entry.fact.field in ("text", "title"):
            return _same_thing(entry.low[own.end :], reading.low[quantity.end :])
        return bool(own.unit) or _nouns_agree(entry, own, quantity, reading)
    if quantity.unit and not own.unit:
        if entry.fact.field == "rating":
            return quantity.unit in {"star", "point"}
        if entry.fact.field == "price":
            return False
        if quantity.unit in COUNT_UNITS:
            counted = entry.fact.field in {"quantity", "count", "value"}
            return counted or _mentions_unit(entry, quantity.unit)
        return _mentions_unit(entry, quantity.unit)
    return (
        own.unit in COUNT_UNITS - {"person"}
        and not quantity.unit
        and (
            not quantity.noun
            or reading.words.neutral(quantity.noun)
            or stem(quantity.noun) in entry.stems
        )
    )


def _same_thing(stated: str, said: str) -> bool:
    """ "6个地钉" supports no other six pieces."""
    return not has_cjk(stated[:1]) or stated[:1] == said[:1]


def _mentions_unit(entry: Entry, unit: str) -> bool:
    return any(form in entry.label for form in unit_forms(unit))


def _nouns_agree(entry: Entry, own: Quantity, quantity: Quantity, reading: Reading) -> bool:
    """A figure without a unit counts something: the same thing in text and fact."""
    if not quantity.noun or quantity.noun in {"to", "x"}:
        return True
    if stem(own.noun) == stem(quantity.noun) or stem(quantity.noun) in entry.stems:
        return True
    return not own.noun and reading.words.neutral(quantity.noun)


def check_values(reading: Reading) -> None:
    """Names every value without a source; masks the others."""
    assert reading.focus is not None
    values = find_values(reading)
    by_sentence: dict[int, list[Value]] = {}
    for value in values:
        by_sentence.setdefault(reading.focus.index(value.start), []).append(value)
    for group in by_sentence.values():
        bindings = reading.focus.of_values([(v.start, v.end, v.key) for v in group])
        labelled: set[tuple[str, int]] = set()
        for value, binding in zip(group, bindings, strict=True):
            if value.quantity and (settled := harmless_count(reading, value.quantity)):
                if settled == "alone":
                    reading.cover(value.start, value.end, SETTLED)
                continue
            if not _supported(reading, value, binding, group, labelled):
                reading.flag(value.start, value.end)
            reading.cover(value.start, value.end)
            if any(e.kind == "claim" and e.fact.field != "kind" for e in value.entries):
                reading.values.append((value.start, value.end))
    _mask_labels(reading)


def _mask_labels(reading: Reading) -> None:
    """An attribute's name, where the product has that attribute, is as good as a fact."""
    assert reading.focus is not None
    for entry in reading.book.claims:
        for start, end in bounded(reading.low, entry.label):
            if reading.free(start, end) and entry.subject in (
                *reading.focus.of_word(start).subjects,
                "",
            ):
                reading.cover(start, end)


def _supported(
    reading: Reading,
    value: Value,
    binding: Binding,
    group: list[Value],
    labelled: set[tuple[str, int]],
) -> bool:
    claims = [e for e in value.entries if e.kind == "claim"]
    subjects = binding.subjects
    about = [e for e in claims if e.subject in subjects]
    free = [e for e in claims if not e.subject]
    if binding.every and len(subjects) > 1:
        about = [e for e in about if all(any(o.subject == s for o in about) for s in subjects)]
    if value.quantity and value.quantity.money:
        verdict = money.judge(reading, value.quantity, binding, [*about, *free], claims, group)
        if verdict is not None:
            return verdict or echoed(reading, value)
    if value.date and not _right_day(reading, value, [*about, *free]):
        return False
    if about or free:
        return _label_fits(reading, value, [*about, *free], labelled, group)
    return echoed(reading, value)


def _right_day(reading: Reading, value: Value, entries: list[Entry]) -> bool:
    """A date beside "shipped" must be the shipping date; an undescribed one any date."""
    assert reading.focus is not None
    start, end = reading.focus.sentence(value.start)
    cues = data("claims.toml")["days"]
    nearest: tuple[int, int, str] | None = None
    for field, words in cues.items():
        for word in words:
            pattern = rf"\b{word}" if word.isascii() else word
            for match in re.finditer(pattern, reading.low[start:end]):
                at = match.start() + start
                between = (
                    reading.low[match.end() + start : value.start]
                    if at < value.start
                    else reading.low[value.end : at]
                )
                # A word of the same clause before the date comes first, then one behind it.
                apart = any(c in between for c in ",;:，；") and not re.fullmatch(
                    r"[^,;，；]*:\s?", between
                )
                rank = (2 if at < value.start else 3) if apart else (0 if at < value.start else 1)
                if nearest is None or (rank, len(between)) < nearest[:2]:
                    nearest = (rank, len(between), field)
    if nearest is None or nearest[0] == 3:
        return True
    return any(e.fact.field == nearest[2] or e.fact.field not in cues for e in entries)


def _label_fits(
    reading: Reading,
    value: Value,
    entries: list[Entry],
    labelled: set[tuple[str, int]],
    group: list[Value],
) -> bool:
    """The first value after an attribute's name must be that attribute's."""
    assert reading.focus is not None
    attributes = [e for e in entries if e.label]
    texts = [e for e in entries if e.fact.field == "text" and e.subject]
    if len(attributes) + len(texts) < len(entries) or not entries:
        return True
    start, end = reading.focus.sentence(value.start)
    subjects = {e.subject for e in entries}
    labels = {e.label for e in reading.book.claims if e.label and e.subject in subjects}
    own = {e.label for e in attributes}
    before = [
        (e, label)
        for label in labels
        for s, e in bounded(reading.low[: value.start], label, start)
        if reading.free(s, e) and not any(v.start <= s < v.end for v in group)
    ]
    if before:
        at, nearest = max(before, key=lambda pair: (pair[0], len(pair[1])))
        key = (nearest, hash(frozenset(subjects)))
        first = key not in labelled
        labelled.add(key)
        return nearest in own or not first or _said_with(texts, value, nearest)
    return True


def _said_with(texts: list[Entry], value: Value, label: str) -> bool:
    """A sentence of the product's page holds the figure together with the attribute's name."""
    if value.quantity is None:
        return False
    wanted = (value.quantity.value, value.quantity.unit)
    return any(
        wanted in s.figures and (label in s.low or stems_of(label) & s.stems)
        for e in texts
        for s in e.statements
    )
