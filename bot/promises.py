"""Words that a shop never promises (`chat.promise_never`), and whether a text holds them.

Knows nothing about where the text comes from.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Never:
    """Phrases that must not be said, compared whatever their case, width and spacing."""

    phrases: tuple[str, ...] = ()

    def held(self, text: str) -> str:
        """Returns the first phrase that the text holds, "" where there is none."""
        plain = _plain(text)
        return next((p for p in self.phrases if _pattern(p).search(plain)), "")


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return re.sub(r"\s+", " ", folded).strip()


def _pattern(phrase: str) -> re.Pattern[str]:
    """Whole words of scripts that write a space between words; any place in the others."""
    plain = _plain(phrase)
    words = re.escape(plain).replace(r"\ ", r"\s+")
    before = r"(?<![a-z0-9])" if re.match(r"[a-z0-9]", plain) else ""
    after = r"(?![a-z0-9])" if re.search(r"[a-z0-9]$", plain) else ""
    return re.compile(before + words + after)
