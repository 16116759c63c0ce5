"""Text as the verifier reads it: normalised, lower-cased, cut into tokens, sentences and clauses.

Knows nothing about facts or claims.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

CJK = r"\u3400-\u9fff\uf900-\ufaff\u3005\u3007"
# Characters that change nothing one sees, or the order of what one sees.
HIDDEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_VULGAR = {"½": ".5", "¼": ".25", "¾": ".75", "⅛": ".125"}
_FRACTION = re.compile(r"(\d*)([½¼¾⅛])")
_SAME = str.maketrans({"‘": "'", "’": "'", "–": "-", "−": "-", "‐": "-", "‑": "-", "～": "~", "〜": "~",
                       "´": "'", "`": "'", "﹣": "-", "\u00a0": " ", "\u2044": "/"})  # fmt: skip
_TOKEN = re.compile(
    rf"(?P<num>\d+(?:[.,]\d+)*)|(?P<cjk>[{CJK}])|(?P<word>[a-z\u00df-\u024f]+(?:'[a-z]+)*)"
    r"|(?P<newline>\n)|(?P<punct>[^\w\s]|_)|(?P<other>\w)"
)
_SENTENCE_END = re.compile(r"\n+|(?<=[.!?])(?=\s)|(?<=[。!?])|[;](?=\s)|(?<=[.!?][\"”])(?=\s)")
_ABBREVIATION = re.compile(r"(?:\b(?:approx|no|vs|dr|mr|mrs|st|e\.g|i\.e|incl|max|min)|\b[a-z])\.$")


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is lower-cased; `kind` is num, cjk (one character), word, newline, punct or other."""

    text: str
    start: int
    end: int
    kind: str


@lru_cache(maxsize=4096)
def normalise(text: str) -> str:
    """Folds width and typographic variants; the result is what all offsets refer to."""
    text = _FRACTION.sub(lambda m: (m.group(1) or "0") + _VULGAR[m.group(2)], text)
    text = unicodedata.normalize("NFKC", text.translate(_SAME)).translate(_SAME)
    return text.replace("\r\n", "\n").replace("\t", " ")


def lower(text: str) -> str:
    """Lower-cases without changing the length, so that offsets stay valid."""
    low = text.lower()
    if len(low) == len(text):
        return low
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


@lru_cache(maxsize=4096)
def tokens(low: str) -> tuple[Token, ...]:
    """Cuts lower-cased text into tokens; white space other than line breaks is dropped."""
    return tuple(
        Token(m.group(), m.start(), m.end(), m.lastgroup or "other") for m in _TOKEN.finditer(low)
    )


def sentences(low: str, masked: bytearray | None = None) -> list[tuple[int, int]]:
    """Lists the spans of sentences and lines; an end inside a masked stretch does not count."""
    spans, start = [], 0
    for match in _SENTENCE_END.finditer(low):
        at = match.start()
        if masked and at < len(masked) and masked[at] and masked[max(at - 1, 0)]:
            continue
        if low[at - 1 : at] == "." and _ABBREVIATION.search(low[start:at]):
            continue
        if low[start:at].strip():
            spans.append((start, at))
        start = match.end()
    if low[start:].strip():
        spans.append((start, len(low)))
    return spans


_KEPT_MARKS = frozenset("$€£¥%°&+")


def flat(low: str) -> str:
    """Words and figures alone, one space between: what a quote and its source must share."""
    kept = [
        t.text for t in tokens(low) if t.kind not in {"punct", "newline"} or t.text in _KEPT_MARKS
    ]
    return f" {' '.join(kept)} "


def squeeze(low: str) -> str:
    """Drops spaces, Markdown marks and quotation marks: how quotes are compared."""
    return re.sub(r"[\s*_#|>\"“”「」『』'\\]+", "", low)
