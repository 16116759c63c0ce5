"""Takes personal data out of a message before anything stores or reads it.

Returns the redacted text and, for this turn only, the contacts that an order look-up may need.
Knows nothing about orders or sessions.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
CARD_EXTRA = re.compile(
    r"\b(?:cvv2?|cvc|csc|security code|安全码)\W{0,3}\d{3,4}\b"
    r"|\b(?:exp(?:iry|ires|iration)?(?: date)?|valid (?:thru|until)|有效期)\W{0,3}\d{1,2}\s?[/-]\s?\d{2,4}\b",
    re.IGNORECASE,
)
CHINESE_ID = re.compile(r"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0\d|1[0-2])[0-3]\d\d{3}[\dXx](?!\d)")
US_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
CHINESE_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)")
PHONE = re.compile(
    r"(?<![\w.$€£¥/-])(?!\d{4}-\d\d-\d\d\b)"  # not a date
    r"(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){1,4}"
    r"|\(\d{2,4}\)[ .-]?\d{3,4}[ .-]?\d{3,4}|\d{2,4}(?:[ .-]\d{2,4}){2,3})(?![\w/-])"
)
HIDDEN = re.compile(
    r"[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
)


@dataclass(frozen=True, slots=True)
class Redacted:
    """`text` is safe to keep; `emails` and `phones` are normalised and live for one turn."""

    text: str
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    card: bool = False


def visible(text: str) -> str:
    """Removes control, zero-width and direction-override characters, and folds line ends."""
    text = HIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return unicodedata.normalize("NFC", text).strip()


def redact(text: str, *, keep: re.Pattern[str] | None = None) -> Redacted:
    """Replaces personal data by its kind in brackets. Spans that `keep` matches (order numbers) stay."""
    emails: list[str] = []
    phones: list[str] = []
    card = False

    def email(match: re.Match[str]) -> str:
        emails.append(normal_email(match.group()))
        return "[email]"

    def number(match: re.Match[str]) -> str:
        nonlocal card
        digits = re.sub(r"\D", "", match.group())
        if luhn(digits):
            card = True
            return "[card]"
        return match.group()

    def phone(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match.group())
        if not 7 <= len(digits) <= 15:
            return match.group()
        phones.append(digits)
        return "[phone]"

    # order numbers are taken out first and put back last; of the patterns the most specific goes first
    masked = text
    shields: list[str] = []
    if keep:

        def shield(match: re.Match[str]) -> str:
            shields.append(match.group())
            return f"\ue000{chr(0xE100 + len(shields) - 1)}\ue001"

        masked = keep.sub(shield, masked)
    masked = EMAIL.sub(email, masked)
    masked, extras = CARD_EXTRA.subn("[card]", masked)
    masked = CHINESE_ID.sub("[id]", masked)
    masked = CARD.sub(number, masked)
    masked = US_SSN.sub("[id]", masked)
    masked = CHINESE_MOBILE.sub(phone, masked)
    masked = PHONE.sub(phone, masked)
    for index, original in enumerate(shields):
        masked = masked.replace(f"\ue000{chr(0xE100 + index)}\ue001", original)
    return Redacted(masked, tuple(emails), tuple(phones), card or extras > 0)


def normal_email(text: str) -> str:
    return text.strip().casefold()


def normal_phone(text: str) -> str:
    """Digits only, without the international prefix of a number that carries one."""
    digits = re.sub(r"\D", "", text)
    return digits[-10:] if len(digits) > 10 and not digits.startswith("1") else digits[-11:]


def luhn(digits: str) -> bool:
    """The checksum of card numbers (ISO/IEC 7812-1)."""
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    total = 0
    for index, char in enumerate(reversed(digits)):
        value = int(char) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
