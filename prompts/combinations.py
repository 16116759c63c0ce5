"""Which sets of slots an act plausibly carries, so that phrasings are tested and sampled for all.

Knows nothing about phrasings or values; `acts.toml` is its only source.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import cache

from prompts.acts import ActSpec, inventory

_SERIES = ("title", "label", "quote", "option")  # NAME_2 is never given without NAME_1
_PER_ITEM = ("price", "reason")  # given for all the items named or for none
_NUMBERS = range(1, 5)


def combinations(act: str) -> list[tuple[str, ...]]:
    """Lists every plausible set of slots of `act`, smallest first, each in canonical order.

    Items, attributes and quotes are numbered without gaps, a label comes with its values, and
    prices and reasons are given for every item named or for none. Raises UnknownActError.
    """
    return list(_combinations(act))


@cache
def _combinations(act: str) -> tuple[tuple[str, ...], ...]:
    spec = inventory().act(act)
    subsets = itertools.chain.from_iterable(
        itertools.combinations(spec.optional, size) for size in range(len(spec.optional) + 1)
    )
    return tuple(
        tuple(slot for slot in spec.slots if slot in given)
        for given in (frozenset(spec.required + extra) for extra in subsets)
        if _plausible(spec, given)
    )


def _plausible(spec: ActSpec, given: frozenset[str]) -> bool:
    return (
        all(_contiguous(_numbered(name, given)) for name in _SERIES)
        and all(len(given.intersection(group)) in {0, len(group)} for group in _tied(spec))
        and all(_for_all_or_none(name, spec, given) for name in _PER_ITEM)
    )


def _contiguous(numbers: list[int]) -> bool:
    return numbers == list(range(1, len(numbers) + 1))


def _numbered(name: str, slots: Iterable[str]) -> list[int]:
    return [n for n in _NUMBERS if f"{name}_{n}" in slots]


def _tied(spec: ActSpec) -> list[frozenset[str]]:
    """Groups of slots that come together: a label and its values, in `choose` title_2 and its."""
    groups = []
    for n in _NUMBERS:
        values = {f"{name}_{n}" for name in ("value", "left", "right")} & set(spec.slots)
        head = f"label_{n}" if f"label_{n}" in spec.slots else f"title_{n}"
        if values:
            groups.append(frozenset(values | {head}))
    return groups


def _for_all_or_none(name: str, spec: ActSpec, given: frozenset[str]) -> bool:
    """True when all items that are named and may have a `name` have it, or none has; no others."""
    items = set(_numbered("title", given)) & set(_numbered(name, spec.slots))
    return set(_numbered(name, given)) in (set(), items)
