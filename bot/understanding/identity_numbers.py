"""Finds numbers that stand for a person: payment cards, bank accounts and identity documents.

Checksums tell them where there is one, what they are called where there is none. Knows nothing
about telephone numbers or orders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.understanding.labels import is_labelling, labelled
from prompts.personal import word_set

Span = tuple[int, int]

# a run of figures that may hold a card number, with what was typed behind it
CARD = re.compile(r"(?<![A-Za-z\d+-])\d(?:[ ._-]{0,2}\d){11,28}(?![A-Za-z\d])")
CARD_EXTRA = re.compile(
    r"\b(?:cvv2?|cvc|csc|security code|安全码)\W{0,3}\d{3,4}\b"
    r"|\b(?:exp(?:iry|ires|iration)?(?: date)?|valid (?:thru|until)|有效期)"
    r"\W{0,3}\d{1,2}\s?[/-]\s?\d{2,4}\b",
    re.IGNORECASE,
)
CHINESE_ID = re.compile(
    r"(?<![A-Za-z\d])[1-9]\d{5}(?:19|20)\d{2}(?:0\d|1[0-2])[0-3]\d\d{3}[\dXx](?![A-Za-z\d])"
)
US_SSN = re.compile(
    r"(?<![\w-])(?!000|666|9\d\d-(?![78]\d))\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])"
)
# two letters, three times two figures, a letter; written together only the label tells it
UK_NI = re.compile(
    r"(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?\d{2}){3} ?[A-D](?!\w)",
    re.IGNORECASE,
)
IBAN = re.compile(r"(?<![A-Za-z\d])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z\d]{1,4}){3,8}(?![A-Za-z\d])")
# the registry's lengths
IBAN_LENGTH = {
    pair[:2]: int(pair[2:])
    for pair in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 CH21 CR22 CY28 CZ24 "
        "DE22 DK18 DO28 EE20 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 "
        "HR21 HU28 IE22 IL23 IS26 IT27 JO30 KW30 KZ20 LB28 LI21 LT20 LU20 LV21 "
        "MC27 MD24 ME22 MK19 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 "
        "RS22 SA24 SE24 SI19 SK24 SM27 TN24 TR26 UA29 VG24 XK20 "
    ).split()
}
# looked at from every word on, as the label may look like a number's letters
LABELLED = re.compile(
    r"(?<![A-Za-z\d])(?=[A-Za-z]{0,4}[ -]?\d)(?=([A-Za-z\d](?:[ ./-]?[A-Za-z\d]){4,34}))"
)
CARD_GROUPS = 5  # a card's number is written in at most so many groups …
CARD_GROUP = 3  # … of at least so many figures, or figure by figure
_NO_CARD = 13  # figures of a trade item number (EAN), which are also those of some old cards
_IDENTIFIED = 5  # figures and letters of a number that is called an identity document's


def find_card_extras(text: str) -> Iterator[Span]:
    yield from (m.span() for m in CARD_EXTRA.finditer(text))


def find_cards(text: str) -> Iterator[Span]:
    """Card numbers by checksum, and by their length where they are called one."""
    for match in CARD.finditer(text):
        start = match.start()
        if labelled(text, start, "thing_label"):
            continue
        called = labelled(text, start, "card_label") and not labelled(text, start, "card_not_label")
        digits = re.sub(r"\D", "", match.group())
        if called:
            likely = 12 <= len(digits) <= 19 or holds_card(match.group())
        else:
            likely = holds_card(match.group()) and not trade_item(digits)
        if likely:
            yield match.span()


def find_identities(text: str) -> Iterator[Span]:
    """Identity and bank account numbers."""
    for match in CHINESE_ID.finditer(text):
        if chinese_id(match.group()) or not labelled(text, match.start(), "thing_label"):
            yield match.span()
    for match in IBAN.finditer(text):
        if end := iban_end(match.group()):
            yield match.start(), match.start() + end
    for match in US_SSN.finditer(text):
        if not labelled(text, match.start(), "thing_label"):
            yield match.span()
    for match in UK_NI.finditer(text):
        if " " in match.group() and match.group()[:2].isupper():
            yield match.span()
    for match in LABELLED.finditer(text) if is_labelling(text, "id_label") else ():
        end = _figures_end(match.group(1))
        if end >= _IDENTIFIED and labelled(text, match.start(), "id_label"):
            yield match.start(), match.start() + end


def _figures_end(run: str) -> int:
    """Where the number ends: "AB 12 34 56 C" is one, "A1234567 and 2 more" goes on with words."""
    end = 0
    for word in re.finditer(r"\S+", run):
        figures = any(char.isdigit() for char in word.group())
        plain = word.group().casefold()
        if not figures and (
            (word.end() > 2 or plain in word_set("en", "no_place")) if not end else len(plain) > 1
        ):
            break
        end = word.end()
    return end


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
    return any(_issued(stretch) and luhn(stretch) for stretch in stretches)


def _issued(digits: str) -> bool:
    """Whether cards of a known network begin so (ISO/IEC 7812); JCB's oldest begin with 1800."""
    return digits[0] in "23456" or (digits.startswith("1800") and len(digits) == 15)


def luhn(digits: str) -> bool:
    """The checksum of card numbers (ISO/IEC 7812-1)."""
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    total = 0
    for index, char in enumerate(reversed(digits)):
        value = int(char) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def trade_item(digits: str) -> bool:
    """Whether figures are an article number (GTIN-13) by length and checksum."""
    if len(digits) != _NO_CARD:
        return False
    weighed = (int(char) * (3 if index % 2 else 1) for index, char in enumerate(digits))
    return sum(weighed) % 10 == 0


def chinese_id(number: str) -> bool:
    """The checksum of resident identity numbers (GB 11643-1999)."""
    total = sum(int(char) * (2 ** (17 - index) % 11) for index, char in enumerate(number[:17]))
    return "10X98765432"[total % 11] == number[17].upper()


def iban_end(run: str) -> int:
    """How many characters of the run are an account number (ISO 13616); 0 if none.

    Words that follow may have been taken into the run: its country tells how long the number is.
    """
    length = IBAN_LENGTH.get(run[:2].upper(), 0)
    places = [index for index, char in enumerate(run) if char.isalnum()]
    if not length or len(places) < length:
        return 0
    plain = "".join(run[place] for place in places[:length]).upper()
    moved = plain[4:] + plain[:4]
    if not moved.isascii() or int("".join(str(int(char, 36)) for char in moved)) % 97 != 1:
        return 0
    return places[length - 1] + 1
