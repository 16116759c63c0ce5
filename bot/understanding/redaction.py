"""Takes personal data out of a message before anything stores or reads it.

Returns the redacted text and, for this turn only, what an order look-up or a recorded request may
need of it. Owns the order in which kinds are looked for; how each is told is its own module's.
Knows nothing about orders or sessions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.understanding.addresses import find_addresses
from bot.understanding.addresses_zh import find_chinese_addresses
from bot.understanding.contacts import (
    find_certain_phones,
    find_emails,
    find_likely_phones,
    find_wide_emails,
    normal_email,
    normal_phone,
)
from bot.understanding.identity_numbers import (
    find_card_extras,
    find_cards,
    find_identities,
    holds_card,
)
from bot.understanding.person_names import find_chinese_names, find_names

__all__ = ["Redacted", "holds_card", "normal_email", "normal_phone", "redact", "visible"]

Span = tuple[int, int]

# control, zero-width and direction characters, tags, fillers that draw nothing, lone surrogates
HIDDEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff9-\ufffb\ue000\ue001\ud800-\udfff\U000e0000-\U000e0fff]"
)
LINE_END = re.compile("\r\n|[\r\u2028\u2029]")
# full-width figures and letters hide a number or an address from the patterns
_FULL_WIDTH = {
    code: code - 0xFEE0
    for code in range(0xFF01, 0xFF5F)
    if chr(code - 0xFEE0).isalnum() or chr(code) in "＠＋－．＿"
}
# A found span is overwritten by as many marks of its kind: places stay, nothing finds it again, and
# a name can be told by the address or number beside it.
_KEPT = "\ue000"
_MARKS = {
    "email": "\ue001",
    "phone": "\ue002",
    "card": "\ue003",
    "id": "\ue004",
    "address": "\ue005",
    "name": "\ue006",
}
_PLACEHOLDER = re.compile(rf"\[({'|'.join(_MARKS)})\]")
_FINDERS: tuple[tuple[str, Callable[[str], Iterable[Span]]], ...] = (
    ("card", find_card_extras),
    ("id", find_identities),
    ("card", find_cards),
    ("phone", find_certain_phones),
    ("phone", find_likely_phones),
    ("address", find_addresses),
    ("address", find_chinese_addresses),
    ("name", find_names),
    ("name", find_chinese_names),
)
# an order number of figures alone, as short as a house number: an address may hold it
_HOUSE_NUMBER = 6
_CALLED_ORDER = re.compile(
    r"(?:\border(?: (?:number|no\.?|id))?|#|订单号?|单号)[\s:：#是]{0,3}$", re.I
)


@dataclass(frozen=True, slots=True)
class Redacted:
    """`text` is safe to keep. All else lives for one turn: `emails` and `phones` normalised,
    `addresses` as typed, `given` every span that was replaced as (kind, as typed), in order."""

    text: str
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    card: bool = False
    addresses: tuple[str, ...] = ()
    given: tuple[tuple[str, str], ...] = ()


def visible(text: str) -> str:
    """Removes control, zero-width and direction-override characters, and folds line ends."""
    text = HIDDEN.sub("", LINE_END.sub("\n", text))
    return unicodedata.normalize("NFC", text).strip()


def redact(text: str, *, keep: re.Pattern[str] | None = None) -> Redacted:
    """Replaces personal data by its kind in brackets; what `keep` matches (order numbers) stays.

    Of an address that `keep` matches in, nothing stays: a shop's short order numbers look like
    house numbers.
    """
    plain = text.translate(_FULL_WIDTH)
    page = _Page(plain)
    # an e-mail address may hold figures that look like an order number, so it goes first; then
    # order numbers are covered; of the rest the most specific goes first
    page.take("email", find_emails)
    page.take("email", find_wide_emails)
    if keep:
        page.cover(keep)
    for kind, find in _FINDERS:
        page.take(kind, find)
    found = _joined(page.found, plain)
    kept, last = [], 0
    for start, end, kind in found:
        kept += [plain[last:start], f"[{kind}]"]
        last = end
    given = tuple((kind, text[start:end]) for start, end, kind in found)
    return Redacted(
        text="".join((*kept, plain[last:])),
        emails=tuple(normal_email(said) for kind, said in given if kind == "email"),
        phones=tuple(re.sub(r"\D", "", plain[s:e]) for s, e, kind in found if kind == "phone"),
        card=any(kind == "card" for kind, _ in given),
        addresses=tuple(said for kind, said in given if kind == "address"),
        given=given,
    )


def _joined(found: list[tuple[int, int, str]], text: str) -> list[tuple[int, int, str]]:
    """What was found, in order; parts of one address that only commas divide are one."""
    joined: list[tuple[int, int, str]] = []
    for start, end, kind in sorted(found):
        if joined and kind == "address" == joined[-1][2]:
            first, before, _ = joined[-1]
            if not text[before:start].strip(" ,，\n"):
                joined[-1] = (first, end, kind)
                continue
        joined.append((start, end, kind))
    return joined


class _Page:
    """A text in which what was found is overwritten, character by character."""

    def __init__(self, text: str) -> None:
        # a placeholder of an earlier redaction is no text
        self.text = _PLACEHOLDER.sub(lambda m: _MARKS[m.group(1)] * len(m.group()), text)
        self.found: list[tuple[int, int, str]] = []
        self._short: list[tuple[int, str]] = []  # order numbers that may be house numbers

    def take(self, kind: str, find: Callable[[str], Iterable[Span]]) -> None:
        if kind == "address":
            self._uncover()
        for start, end in list(find(self.text)):
            if any(mark in self.text[start:end] for mark in (_KEPT, *_MARKS.values())):
                continue
            self.found.append((start, end, kind))
            self._overwrite(start, end, _MARKS[kind])
        if kind == "address":
            self._cover_again()

    def cover(self, keep: re.Pattern[str]) -> None:
        for match in list(keep.finditer(self.text)):
            start, end = match.span()
            said = match.group()
            short = said.isdigit() and len(said) <= _HOUSE_NUMBER
            if short and not _CALLED_ORDER.search(self.text, max(0, start - 16), start):
                self._short.append((start, said))
            self._overwrite(start, end, _KEPT)

    def _uncover(self) -> None:
        for start, said in self._short:
            self.text = self.text[:start] + said + self.text[start + len(said) :]

    def _cover_again(self) -> None:
        left = []
        for start, said in self._short:
            if self.text.startswith(said, start):
                left.append((start, said))
                self._overwrite(start, start + len(said), _KEPT)
        self._short = left

    def _overwrite(self, start: int, end: int, mark: str) -> None:
        self.text = self.text[:start] + mark * (end - start) + self.text[end:]
