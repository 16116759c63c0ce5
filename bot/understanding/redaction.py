"""Takes personal data out of a message before anything stores or reads it.

Returns the redacted text and, for this turn only, the contacts that an order look-up may need.
Knows nothing about orders or sessions.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# letters of any alphabet but the East Asian ones, which stand beside an address without a space
_L = r"[^\W\u2e80-\ud7ff]"
EMAIL = re.compile(
    rf"(?<!{_L})(?<![.+%-])(?<!\w')(?:{_L}|[.+%-]|(?<=\w)'(?=\w))+\s?@\s?"
    rf"(?:{_L}|-)+(?:\.(?:{_L}|-)+)*\.[^\W\d_\u2e80-\ud7ff]{{2,}}"
)
EMAIL_WIDE = re.compile(
    r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"
)  # what is left: addresses in Chinese
# a run of figures that may hold a card number, with what was typed behind it
CARD = re.compile(r"(?<![A-Za-z\d+-])\d(?:[ ._-]{0,2}\d){12,28}(?![A-Za-z\d])")
CARD_EXTRA = re.compile(
    r"\b(?:cvv2?|cvc|csc|security code|安全码)\W{0,3}\d{3,4}\b"
    r"|\b(?:exp(?:iry|ires|iration)?(?: date)?|valid (?:thru|until)|有效期)"
    r"\W{0,3}\d{1,2}\s?[/-]\s?\d{2,4}\b",
    re.IGNORECASE,
)
CHINESE_ID = re.compile(r"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0\d|1[0-2])[0-3]\d\d{3}[\dXx](?!\d)")
US_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
CHINESE_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)")
PHONE = re.compile(
    r"(?<![\w.$€£¥/-])(?!\d{4}-\d\d-\d\d\b)"  # not a date
    r"(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){1,4}"
    r"|\(\d{2,4}\)[ .-]?\d{3,4}[ .-]?\d{3,4}|(?:1[ .-])?\d{2,4}(?:[ .-]\d{2,4}){2,3}"
    r"|1?[2-9]\d\d[2-9]\d{6})(?![\w/-])"  # North American, written together
)
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
CARD_GROUPS = 5  # a card's number is written in at most so many groups …
CARD_GROUP = 3  # … of at least so many figures, or figure by figure


@dataclass(frozen=True, slots=True)
class Redacted:
    """`text` is safe to keep; everything else lives for one turn.

    `emails` and `phones` are normalised; `given` holds what was masked as it was typed, each with
    its kind (`email`, `phone`, `address`).
    """

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
    """Replaces personal data by its kind in brackets; what `keep` matches (order numbers) stays."""
    emails: list[str] = []
    phones: list[str] = []
    given: list[tuple[str, str]] = []
    card = False

    def email(match: re.Match[str]) -> str:
        given.append(("email", match.group()))
        emails.append(normal_email(match.group()))
        return "[email]"

    def number(match: re.Match[str]) -> str:
        nonlocal card
        if not holds_card(match.group()):
            return match.group()
        card = True
        return "[card]"

    def phone(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match.group())
        if not 7 <= len(digits) <= 15:
            return match.group()
        phones.append(digits)
        given.append(("phone", match.group()))
        return "[phone]"

    # an address may hold figures that look like an order number, so it goes first; then order
    # numbers are taken out, to be put back last; of the patterns the most specific goes first
    masked = EMAIL.sub(email, text.translate(_FULL_WIDTH))
    masked = EMAIL_WIDE.sub(email, masked)
    shields: list[str] = []
    if keep:

        def shield(match: re.Match[str]) -> str:
            shields.append(match.group())
            return f"\ue000{chr(0xE100 + len(shields) - 1)}\ue001"

        masked = keep.sub(shield, masked)
    masked, extras = CARD_EXTRA.subn("[card]", masked)
    masked = CHINESE_ID.sub("[id]", masked)
    masked = CARD.sub(number, masked)
    masked = US_SSN.sub("[id]", masked)
    masked = CHINESE_MOBILE.sub(phone, masked)
    masked = PHONE.sub(phone, masked)
    for index, original in enumerate(shields):
        masked = masked.replace(f"\ue000{chr(0xE100 + index)}\ue001", original)
    return Redacted(masked, tuple(emails), tuple(phones), card or extras > 0, given=tuple(given))


def holds_card(figures: str) -> bool:
    """Whether a run of figures is or begins a payment card's number.

    What follows it (a date, a security code) or stands before it may be part of the run, so every
    stretch of whole groups is tried, besides the run itself.
    """
    groups = [str(int(f"1{group}"))[1:] for group in re.findall(r"\d+", figures)]  # in ASCII
    stretches = {"".join(groups)} | {
        "".join(groups[start:end])
        for start in range(len(groups))
        for end in range(start + 1, min(start + CARD_GROUPS, len(groups)) + 1)
        if min(map(len, groups[start:end])) >= CARD_GROUP
    }
    return any(stretch[0] in "23456" and luhn(stretch) for stretch in stretches)


def normal_email(text: str) -> str:
    return unicodedata.normalize("NFKC", re.sub(r"\s", "", text)).casefold()


def normal_phone(text: str) -> str:
    """The last ten digits: a number is the same with and without the prefix of its country."""
    return re.sub(r"\D", "", text)[-10:]


def luhn(digits: str) -> bool:
    """The checksum of card numbers (ISO/IEC 7812-1)."""
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    total = 0
    for index, char in enumerate(reversed(digits)):
        value = int(char) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
