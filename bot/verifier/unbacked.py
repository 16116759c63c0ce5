"""Statements that no fact backs: "it is good value", "your parcel is on the way".

Words that claim nothing can be put together to a claim. A clause about the goods, the shopper or
the shop that holds nothing of a fact must be said as the shop's phrasings say it, or be made of
words of mere talk. Knows nothing about clauses that hold a value or a word of a fact.
"""

from __future__ import annotations

import re
from functools import cache

from bot.verifier.lexicon import data
from bot.verifier.polarity import negated
from bot.verifier.reading import FACT, Reading
from bot.verifier.surface import Token

_SPLIT = re.compile(r"[,;:.!?()\n—]|(?<=[”\"])\s|\b(?:and|but|so|because)\b")
_SPLIT_ZH = re.compile(r"[,;:.!?()\n。、—]|(?<=”)")
# A sentence that begins behind a value without a full stop.
_NEW = re.compile(r"(?<=[\w)]) (?=[A-Z][a-z]+\b)")
_PRONOUN = re.compile(r"(?:It|You|We|They|This|Your|Our|There|The team)\b")
SHARE = 0.5  # of a Chinese clause's characters that stand as in a phrasing


@cache
def _tables() -> dict[str, re.Pattern[str] | frozenset[str]]:
    table = data("claims.toml")["unbacked"]
    return {
        "subject": re.compile(table["subject"]),
        "talk": frozenset(table["talk"].split()),
    }


@cache
def _hollow(language: str) -> re.Pattern[str]:
    return re.compile("|".join(data("claims.toml")["hollow"][language]))


def check_unbacked(reading: Reading) -> None:
    """Names clauses that state something without a fact."""
    for hollow in _hollow(reading.language).finditer(reading.low):
        stated = all(mark == FACT for mark in reading.mask[hollow.start() : hollow.end()])
        if not stated and not _asks(reading, hollow.start()):
            reading.flag(*hollow.span())
    split = _SPLIT if reading.language == "en" else _SPLIT_ZH
    start = 0
    subject = False
    # nothing but a value goes before it, or a bracket or a word that closes one
    new = (
        m
        for m in _NEW.finditer(reading.text)
        if reading.mask[m.start() - 1] or _PRONOUN.match(reading.text, m.end())
    )
    marks = [*split.finditer(reading.low), *(m for m in new if not reading.mask[m.end()])]
    for match in [*sorted(marks, key=lambda m: m.start()), None]:
        end = match.start() if match else len(reading.low)
        mark = match.group() if match else ""
        if mark.strip() and match and reading.mask[match.start()]:
            continue
        subject = _check_clause(reading, start, end, mark, subject)
        if mark in {".", "!", "?", "\n", "。", ";", "", " "}:
            subject = False
        start = match.end() if match else end


def _check_clause(reading: Reading, start: int, end: int, mark: str, subject: bool) -> bool:
    words = [
        t for t in reading.tokens if start <= t.start < end and t.kind in {"word", "cjk", "num"}
    ]
    if not words:
        return subject
    titles = [(m.start, m.end) for m in reading.mentions]
    backing = [*reading.values, *reading.asides]
    backed = any(s <= t.start < e for t in words for s, e in backing)
    free = [t for t in words if reading.free(t.start, t.end)]
    asked = reading.low[end:].partition("\n")[0].lstrip()[:1] == "?" or _asks(reading, start)
    if reading.language == "zh":
        if not asked and not negated("zh", reading.low[start:end]):
            tail = _behind(words, free) if backed else free
            if tail:
                _check_chinese(reading, tail)
        return False
    tables = _tables()
    pattern, talk = tables["subject"], tables["talk"]
    assert isinstance(pattern, re.Pattern) and isinstance(talk, frozenset)
    begins = bool(pattern.match(reading.low[start:end].strip())) or any(
        s <= words[0].start < e for s, e in titles
    )
    subject = begins or (subject and mark != ":")
    known = any(not reading.words.neutral(t.text) for t in free)
    if not subject or backed or known or asked or negated("en", reading.low[start:end]):
        return subject
    if not begins and len(free) == 1 and free[0].text.endswith("ly"):
        return subject
    odd = [t for t in free if t.text not in talk and not _near(reading, t)]
    if odd:
        reading.flag(odd[0].start, odd[-1].end)
    return subject


def _behind(words: list[Token], free: list[Token]) -> list[Token]:
    """The words behind the last one that a fact accounts for: Chinese runs on without a stop."""
    taken = [t.start for t in words if t not in free]
    return [t for t in free if t.start > max(taken, default=-1)]


def _near(reading: Reading, token: Token) -> bool:
    """The token stands between the same neighbours as in a phrasing of any act."""
    return reading.window(token.start, 1) in reading.words.near


def _asks(reading: Reading, start: int) -> bool:
    """The clause stands in a question."""
    assert reading.focus is not None
    return reading.low[slice(*reading.focus.sentence(start))].rstrip().endswith("?")


def _check_chinese(reading: Reading, free: list[Token]) -> None:
    assert reading.focus is not None
    subjects = (*reading.focus.of_word(free[0].start).subjects, "")
    corpora = [reading.book.corpus(s) for s in subjects]
    corpora += [e.squeezed for e in (*reading.book.echoes, *reading.book.absent)]
    text = "".join(t.text for t in free)
    pairs = {text[i : i + 2] for i in range(len(text) - 1)} - reading.words.phrase_set
    if any(pair in corpus for pair in pairs for corpus in corpora):
        return
    held = sum(_near(reading, t) for t in free)
    if len(free) > 3 and held < SHARE * len(free):
        reading.flag(free[0].start, free[-1].end)
