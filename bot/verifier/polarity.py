"""Negation: what is denied must be denied by a fact, and what a fact denies must not be affirmed.

Harmless turns of phrase are data, and so are the negations of the shop's own phrasings.
"""

from __future__ import annotations

import re
from functools import cache

from bot.verifier.factbook import Entry, has_cjk, stem, stems_of
from bot.verifier.lexicon import EDGE, SLOT, data
from bot.verifier.reading import Reading
from bot.verifier.stock import hedge
from bot.verifier.surface import CJK

# Acts that say that something is missing: their negations hold only beside an `absent` fact.
ABSENCE_ACTS = frozenset(
    {"no_match", "no_more", "not_sold", "unknown_fact", "policy_unknown", "order_unknown_fact"}
)
_BREAK = re.compile(
    r"[,;:.!?，。；、！？\n—()]|\b(?:but|though|although|while|and|so|because)\b|但|不过|而|因为"
)


# "not far from it is …" denies nothing of what follows.
_TURN = re.compile(r"\b(?:is|was|would be|are)\b|是|:|有")


@cache
def _negation(language: str) -> re.Pattern[str]:
    return re.compile("|".join(data("claims.toml")["negation"][language]))


@cache
def _harmless(language: str) -> re.Pattern[str]:
    phrases = sorted(data("claims.toml")["harmless"][language], key=len, reverse=True)
    edge = r"\b" if language == "en" else ""
    return re.compile(edge + "(?:" + "|".join(map(re.escape, phrases)) + ")" + edge)


@cache
def _denying(language: str) -> re.Pattern[str]:
    """What may follow a negation that denies having or stating something."""
    return re.compile(data("claims.toml")["denying"][language])


@cache
def _claiming(language: str) -> re.Pattern[str]:
    return re.compile(data("claims.toml")["claiming"][language] + "$")


def check_polarity(reading: Reading) -> None:
    """Names negations without a source and affirmations of what is absent."""
    assert reading.focus is not None
    harmless = [m.span() for m in _harmless(reading.language).finditer(reading.low)]
    for match in _negation(reading.language).finditer(reading.low):
        start, end = match.span()
        if not reading.free(start, start + 1):
            continue
        if any(s <= start and end <= e for s, e in harmless):
            continue
        if not (_in_phrasing(reading, start) or _denied(reading, start, end)):
            clause = _clause(reading, start, end)
            reading.flag(start, max(end, min(clause[1], end + 40)))
    _check_unsaid(reading)
    _check_affirmed(reading)


def _check_unsaid(reading: Reading) -> None:
    """Names a phrasing of the act whose negation was left out ("I'm a person")."""
    unsaid = [reading.words.unsaid.get(act, set()) for act in reading.acts]
    if not any(unsaid):
        return
    run = [EDGE, EDGE, EDGE, *reading.run(), EDGE, EDGE, EDGE]
    for size in (3, 4):
        for i in range(len(run) - size + 1):
            gram = tuple(run[i : i + size])
            if any(gram in grams for grams in unsaid):
                words = [t for t in gram if t not in {EDGE, SLOT, "\n"}]
                reading.unsupported.append((" " if reading.language == "en" else "").join(words))


def _clause(reading: Reading, start: int, end: int) -> tuple[int, int]:
    """From the last break before a negation to the next one behind it."""
    assert reading.focus is not None
    first, last = reading.focus.sentence(start)
    breaks = [
        m
        for m in _BREAK.finditer(reading.low, first, last)
        if reading.free(m.start(), m.start() + 1)
    ]
    before = [m.end() for m in breaks if m.end() <= start]
    after = [m.start() for m in breaks if m.start() >= end]
    return (max(before, default=first), min(after, default=last))


def _titles_in(reading: Reading, start: int, end: int) -> set[str]:
    return {m.subject for m in reading.mentions if start <= m.start < end}


def _in_phrasing(reading: Reading, start: int) -> bool:
    """The negation stands as in one of the shop's phrasings of this act."""
    token = next((t for t in reading.tokens if t.start <= start < t.end), None)
    if token is None:
        return False
    window = reading.window(token.start, reading.words.reach)
    for act in reading.acts or reading.words.grams:
        if window in reading.words.grams.get(act, ()):
            if act not in ABSENCE_ACTS:
                return True
            if reading.book.absent and _about_absent(reading, token.start, token.end):
                return True
    return False


def _about_absent(reading: Reading, start: int, end: int) -> bool:
    """What is denied is not a product that the shop has, unless the absence is about it."""
    first, last = _clause(reading, start, end)
    scope = {
        m.subject for m in reading.mentions
        if end <= m.start < last and not _TURN.search(reading.low[end : m.start])
    }  # fmt: skip
    subjects = {e.subject for e in reading.book.absent}
    return scope <= subjects or bool(hedge(reading.language).search(reading.low[first:last]))


def _denied(reading: Reading, start: int, end: int) -> bool:
    """A fact denies the same: an `absent` fact, or a sentence of the shop with this content."""
    assert reading.focus is not None
    first, last = _clause(reading, start, end)
    content = _content(reading, first, last)
    for entry in reading.book.absent:
        named = _titles_in(reading, first, last)
        if (
            named
            and entry.subject not in named
            and not hedge(reading.language).search(reading.low[first:last])
        ):
            continue
        if not _denying(reading.language).match(reading.low, end):
            continue
        if _names(reading, entry, first, last) and content <= _content_of(reading, entry):
            return True
        if not content and not named and hedge(reading.language).search(reading.low[first:last]):
            return True
    subjects = (*reading.focus.of_word(start).subjects, "")
    for subject in subjects:
        for entry in reading.book.about(subject):
            if not entry.negative:
                continue
            for statement in entry.statements:
                if statement.negative and _same_content(
                    reading, content, statement.low, first, last
                ):
                    return True
    return False


def _content(reading: Reading, first: int, last: int) -> set[str]:
    """The words of a stretch that are not neutral and not accounted for otherwise."""
    if reading.language == "zh":
        return set()
    return {
        stem(t.text) for t in reading.tokens
        if t.kind == "word" and first <= t.start < last and reading.free(t.start, t.end)
        and not reading.words.neutral(t.text) and not _negation("en").fullmatch(t.text)
    }  # fmt: skip


def _content_of(reading: Reading, entry: Entry) -> set[str]:
    echoes = set().union(*(e.stems for e in reading.book.echoes)) if reading.book.echoes else set()
    product = set(reading.book.stems(entry.subject)) if entry.subject else set()
    return set(entry.stems) | echoes | product | {"stock"}


def _names(reading: Reading, entry: Entry, start: int, end: int) -> bool:
    """The stretch speaks of what is absent: its words, or most of its characters."""
    stretch = reading.low[start:end]
    if entry.low in stretch:
        return True
    if has_cjk(entry.low):
        own = set(re.findall(rf"[{CJK}]", entry.low))
        return len(own & set(stretch)) * 3 >= len(own) * 2
    own_stems = {s for s in entry.stems if not reading.words.neutral(s)} or set(entry.stems)
    return bool(own_stems & stems_of(stretch))


def _same_content(
    reading: Reading, content: set[str], statement: str, first: int, last: int
) -> bool:
    if reading.language == "zh":
        return _chinese_overlap(reading.low[first:last], statement)
    return bool(content) and content <= stems_of(statement)


def _chinese_overlap(clause: str, statement: str) -> bool:
    """Two thirds of the clause's character pairs stand in a sentence that denies the same way."""
    pairs = [
        clause[i : i + 2]
        for i in range(len(clause) - 1)
        if has_cjk(clause[i]) and has_cjk(clause[i + 1])
    ]
    held = sum(pair in statement for pair in pairs)
    negated = set(re.findall(r"[不没无未非勿别否免]", clause)) & set(statement)
    return bool(pairs) and bool(negated) and held * 3 >= len(pairs) * 2


def _check_affirmed(reading: Reading) -> None:
    """ "We have kayaks" beside the fact that there are none."""
    assert reading.focus is not None
    claiming = _claiming(reading.language)
    for entry in reading.book.absent:
        if len(entry.low) < 2:
            continue
        at = reading.low.find(entry.low)
        while at >= 0:
            first, last = reading.focus.sentence(at)
            sentence = reading.low[first:last]
            denied = _negation(reading.language).search(sentence) or hedge(reading.language).search(
                sentence
            )
            question = sentence.rstrip().endswith("?")
            if not denied and not question and claiming.search(reading.low[first:at]):
                reading.flag(max(first, at - 20), at + len(entry.low))
            at = reading.low.find(entry.low, at + 1)


def denies(language: str, sentence: str) -> bool:
    """True when a sentence denies or leaves open."""
    return bool(_negation(language).search(sentence) or hedge(language).search(sentence))
