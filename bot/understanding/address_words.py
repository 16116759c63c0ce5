"""The words of a text in which postal addresses are looked for, and what each may be of one.

Splits a text into tokens and tells names, flats, postcodes, countries and post office boxes. Knows
nothing about how they make an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from prompts.personal import phrases, word_set

_TOKEN = re.compile(
    r"(?P<number>(?<![^\W\u2e80-\ud7ff])(?<!\d[.,])\d{1,6}(?:[-–/]\d{1,4})?[A-Za-z]?"
    r"(?![^\W\u2e80-\ud7ff]|[.,]\d))"
    r"|(?P<code>(?=[^\W\d\u2e80-\ud7ff]{0,24}\d)[^\W\u2e80-\ud7ff]{1,64}(?:[.,]\d{1,9})?)"  # no word, no number
    r"|(?P<word>(?:c/o|C/)|(?:[^\W\d_\u2e80-\ud7ff\ue000-\uf8ff]|[∆])[^\W\d_\u2e80-\ud7ff\ue000-\uf8ff∆]*"
    r"(?:['’-][^\W\d_\u2e80-\ud7ff]+)*)"
    r"|(?P<line>[ \t]*\n[ \t\n]*(?:>[ \t]*)?)|(?P<comma>,)|(?P<dot>\.)|(?P<open>\()|(?P<close>\))"
    r"|(?P<hash>\#)|(?P<other>[^\s])"
)
_POSTCODE = re.compile(
    r"(?<!\w)(?:\d{5}-\d{4}|\d{4}-\d{3}|\d{3} \d{2}|\d{2}-\d{3}"
    r"|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d)(?!\w)",
    re.IGNORECASE,
)
_MILITARY = re.compile(
    r"\b(?:(?:PSC|CMR|Unit)\s+\d{1,5},?\s+Box\s+\d{1,5}|US(?:S|NS|NV|CGC|AV)\s+\S{2,24})"
    r"[\s,]{1,4}(?:APO|FPO|DPO)[\s,]{1,3}(?:A[AEP])\b(?:[\s,]{1,3}\d{5}(?:-\d{4})?)?",
    re.IGNORECASE,
)
_PO_BOX = re.compile(
    r"\b(?:P\.? ?O\.? ?Box|post(?: office)? ?box|postfach|apartado|casilla|boîte postale)\s{0,2}#?\d{1,6}\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        return self.text.casefold()


class Words:
    """A text in tokens. Where nothing is written large, any word may be a name."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [
            Token(m.lastgroup or "", m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text)
        ]
        self.small = text == text.lower()
        self.military = {m.start(): m.end() for m in _MILITARY.finditer(text)}
        self.boxes = {m.start(): m.end() for m in _PO_BOX.finditer(text)}
        self.postcodes = {m.start(): m.end() for m in _POSTCODE.finditer(text)}

    def _token(self, index: int) -> Token | None:
        return self.tokens[index] if 0 <= index < len(self.tokens) else None

    def _kind(self, index: int) -> str:
        token = self._token(index)
        return token.kind if token else ""

    def _word(self, index: int) -> str:
        token = self._token(index)
        return token.word if token and token.kind == "word" else ""

    def _is_number(self, index: int) -> bool:
        return self._kind(index) == "number"

    def _is_name(self, index: int) -> bool:
        token = self._token(index)
        return (
            token is not None
            and token.kind == "word"
            and (self.small or not token.text[0].islower() or token.text[2:3].isupper())
            and token.word not in word_set("en", "no_place")
        )

    def _joins(self, index: int) -> bool:
        return self._word(index) in word_set("en", "joining")

    def _touches(self, index: int) -> bool:
        before = self._token(index - 1)
        return before is not None and before.end == self.tokens[index].start

    def _skip_dot(self, index: int, *, number: bool = False) -> int:
        """Behind a full stop that belongs to a short form, or to a house's number ("út 13. Suite 4"),
        rather than to a sentence."""
        following = self._token(index + 1)
        if self._kind(index) != "dot" or following is None or following.kind == "other":
            return index
        goes_on = following.kind in ("line", "comma") or following.text.islower()
        goes_on = goes_on or self._unit(index + 1) is not None
        return index + 1 if goes_on or not number else index

    def _skip_separators(self, index: int) -> int:
        while self._kind(index) in ("comma", "line"):
            index += 1
        return index

    def _is_behind(self, index: int) -> bool:
        """A street's second word, as Hungarian "utca": never written large there."""
        token = self._token(index)
        return (
            token is not None
            and token.word in word_set("en", "street_behind")
            and token.text.islower()
        )

    def _box(self, index: int) -> int | None:
        """Behind a post office box that begins here."""
        token = self._token(index)
        if token is None or token.start not in self.boxes:
            return None
        return self._token_from(self.boxes[token.start], index)

    def _token_from(self, position: int, index: int) -> int:
        """The first token that begins at or after a place in the text."""
        while index < len(self.tokens) and self.tokens[index].start < position:
            index += 1
        return index

    def _unit(self, index: int) -> int | None:
        """Behind "Apt. 4" and "#12", or None."""
        token = self._token(index)
        if token is None:
            return None
        if token.kind == "hash" and self._is_number(index + 1):
            return index + 2
        if token.word not in word_set("en", "unit"):
            return None
        number = self._skip_dot(index + 1)
        if self._kind(number) == "hash":
            number += 1
        following = self._token(number)
        if following is None or following.kind not in ("number", "word"):
            return None
        if following.kind == "number" or (len(following.text) == 1 and following.text.isupper()):
            return number + 1
        return None

    def _is_postcode(self, index: int) -> bool:
        token = self._token(index)
        return token is not None and token.text.isdigit() and 4 <= len(token.text) <= 6

    def _country(self, index: int) -> int:
        """How many words from here name a country; 0 if none do."""
        token = self._token(index)
        if token is None or token.kind != "word" or not (self.small or token.text[0].isupper()):
            return 0
        if f"{token.word} {self._word(index + 1)}" in _two_words():
            return 2
        return int(token.word in word_set("en", "country"))

    def _is_place(self, index: int, separated: bool) -> bool:
        """A word of a place or region: written large, or short as "nan" where a region belongs."""
        token = self.tokens[index]
        if self._is_name(index) or token.text.isupper():
            return separated or not self.small
        return (
            separated
            and len(token.text) <= 3
            and (token.word in word_set("en", "state") or self._leads_to_postcode(index + 1))
        )

    def _leads_to_postcode(self, index: int) -> bool:
        index = self._skip_separators(index)
        return self._is_postcode(index) or self._country(index) > 0


@cache
def _two_words() -> frozenset[str]:
    return frozenset(phrases("en", "country_two"))
