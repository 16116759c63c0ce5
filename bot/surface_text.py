"""Turns words back into markers: where a generator wrote a slot's value, its marker is put instead.

A model that can copy may write "The Copper Kettle costs $49.00"; what follows reads
"The <title_1> costs <price_1>", as from a model that writes markers. Not one shown character
changes: a text that would is left as it stands, and is then refused for the slots it lacks. Knows
nothing about what may be said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

from prompts.acts import MARKER
from prompts.filling import fill

# scripts that write their words without spaces between them
_UNSPACED = re.compile("[\u3005\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_OF_LABEL = frozenset({"value", "left", "right"})  # what stands with label_N rather than title_N

Span = tuple[int, int]


def mark(text: str, values: Mapping[str, str]) -> str:
    """Returns `text` with the one verbatim occurrence of each unmarked slot's value as its marker.

    Longer values come first, so that a title within another title, or a name within a quotation, is
    no occurrence of its own; "$5" does not occur in "$50". A value that stands nowhere, or more
    often than slots ask for it, stays as it is. `fill` makes the same text of the result as of
    `text`; where it would not, since "a" would become "an", `text` is returned unchanged.
    """
    found = list(MARKER.finditer(text))
    where = {match.group(1): match.start() for match in found}
    if not where.keys() <= values.keys() or where.keys() == values.keys():
        return text
    taken = [match.span() for match in found]
    spans: dict[str, Span] = {}
    shared: list[tuple[list[str], list[Span]]] = []
    for value in sorted(filter(None, set(values.values())), key=lambda v: (-len(v), v)):
        places = [span for span in _occurrences(text, value) if _free(span, taken)]
        taken += places  # where it stands too often, a shorter value still does not stand there
        slots = [name for name in values if values[name] == value and name not in where]
        if len(slots) == len(places) == 1:
            spans[slots[0]] = places[0]
        elif slots and len(slots) == len(places):
            shared.append((slots, places))
    where |= {name: span[0] for name, span in spans.items()}
    for slots, places in shared:  # two products of one price: each price with its own title
        slots.sort(key=lambda name: _companion(name, where))
        spans |= dict(zip(slots, places, strict=True))
    marked = text
    for name, (start, end) in sorted(spans.items(), key=lambda item: item[1], reverse=True):
        marked = f"{marked[:start]}<{name}>{marked[end:]}"
    return marked if _same(marked, text, values) else text


def _same(marked: str, text: str, values: Mapping[str, str]) -> bool:
    known = all(name in values for name in MARKER.findall(marked))
    return known and fill(marked, values) == fill(text, values)


def _companion(name: str, where: Mapping[str, int]) -> int:
    """Where the title or label stands that the slot belongs to; -1 where that is not known."""
    family, _, number = name.rpartition("_")
    label = where.get(f"label_{number}") if family in _OF_LABEL else None
    return where.get(f"title_{number}", -1) if label is None else label


def _occurrences(text: str, value: str) -> Iterator[Span]:
    at = text.find(value)
    while at >= 0:
        end = at + len(value)
        if _stands_alone(text, at, end):
            yield at, end
        at = text.find(value, at + 1)


def _free(span: Span, taken: list[Span]) -> bool:
    return all(span[1] <= start or end <= span[0] for start, end in taken)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no word or figure goes on across the ends: not "$5" in "$50", "$5.99" or "US$5"."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    first, last = text[start], text[end - 1]
    if after and unicodedata.combining(after[0]):
        return False
    if (_in_word(first) or unicodedata.category(first) == "Sc") and _in_word(before[-1:]):
        return False
    if _in_word(last) and _in_word(after[:1]):
        return False
    if first.isdigit() and re.fullmatch(r"\d[.,]", before):
        return False
    if last.isdigit() and re.fullmatch(r"[.,]\d", after):
        return False
    hyphened = _in_word(first) and before[-1:] == "-" and _in_word(before[:-1])
    return not (hyphened or (_in_word(last) and after[:1] == "-" and _in_word(after[1:])))


def _in_word(character: str) -> bool:
    """Whether it is a letter, figure or underscore of a script with spaces; not the empty text."""
    return (character.isalnum() or character == "_") and not _UNSPACED.match(character)
