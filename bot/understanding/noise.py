"""Whether a message is noise: random letters, figures alone, no word that anybody knows.

Knows the shop's words only by asking for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from bot.understanding.intents import exemplars
from retrieval.english import is_common_word
from retrieval.text import tokens


def is_noise(text: str, language: str, *, knows: Callable[[str], bool]) -> bool:
    """Whether no word of the text is one; `knows` tells whether the shop uses a (stemmed) word."""
    words = tokens(text)
    known = _of_exemplars(language)
    if language == "zh":
        alone = len(words) == 1  # 锅 is a word, and no part of one
        return bool(words) and not any(w in known or knows(w) for w in words if len(w) > 1 or alone)
    if words and not any(char.isalpha() for char in text):  # figures alone
        return True
    written = re.findall(r"[a-z]+", text.casefold())
    if written and sum(map(is_common_word, written)) * 2 >= len(written):
        return False
    letters = [w for w in words if w.isalpha()]
    return len(letters) >= 2 and not any(w in known or knows(w) for w in letters)


@cache
def _of_exemplars(language: str) -> frozenset[str]:
    least = 2 if language == "zh" else 1
    return frozenset(
        w for text in exemplars(language).texts for w in tokens(text) if len(w) >= least
    )
