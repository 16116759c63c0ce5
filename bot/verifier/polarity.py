"""Negation: what is denied must be denied by a fact.

Harmless turns of phrase are data, and so are the negations of the shop's own phrasings. What a
fact denies and the text affirms is found in `affirmed`.
"""

from __future__ import annotations

import re
from functools import cache

from bot.verifier.factbook import Entry, has_cjk, stems_of
from bot.verifier.factbook import stem as stem_of
from bot.verifier.lexicon import REACH, data
from bot.verifier.quantities import quantities
from bot.verifier.reading import Reading
from bot.verifier.surface import CJK

# Acts that say that something is missing: their negations hold only beside an `absent` fact.
ABSENCE_ACTS = frozenset(
    {"no_match", "no_more", "not_sold", "unknown_fact", "policy_unknown", "order_unknown_fact"}
)
_DENYING_STEMS = frozenset({"stock", "cover", "avail", "includ"})
_BREAK = re.compile(
    r"[,;:.!?、\n—()]|\b(?:but|though|although|and|so|because)\b|但|不过|而|因为|所以"
)
# "not far from it is …" denies nothing of what follows.
_TURN = re.compile(r"\b(?:is|was|would be|are)\b|是|:|有")
_OPEN = re.compile(r"\b(?:whether|if)\b|是否|能不能|会不会|是不是|可不可以|有没有")
_DONE = re.compile(r"^(?:有|法|能|支持|可以|予)?(?:为您)?(?:办理|申请|受理|提交)?")
_NOT = re.compile(r"[不没无未非勿别免]")
_CANNOT = ("不能", "不可", "不支", "无法", "不得", "没法")


@cache
def negation(language: str) -> re.Pattern[str]:
    """Finds the words that turn a sentence round."""
    return re.compile("|".join(data("claims.toml")["negation"][language]))


@cache
def hedge(language: str) -> re.Pattern[str]:
    """Finds what leaves a thing open."""
    return re.compile("|".join(data("claims.toml")["hedge"][language]))


@cache
def _harmless(language: str) -> re.Pattern[str]:
    phrases = sorted(data("claims.toml")["harmless"][language], key=len, reverse=True)
    edge = r"\b" if language == "en" else ""
    return re.compile(edge + "(?:" + "|".join(map(re.escape, phrases)) + ")" + edge)


@cache
def _denying(language: str) -> re.Pattern[str]:
    """What may follow a negation that denies having or stating something."""
    return re.compile(data("claims.toml")["denying"][language])


def denies(language: str, sentence: str) -> bool:
    """True when a sentence denies or leaves open."""
    return negated(language, sentence) or hedge(language).search(sentence) is not None


def negated(language: str, sentence: str) -> bool:
    """True when a sentence holds a negation that is more than a turn of phrase."""
    return negation(language).search(_harmless(language).sub(" ", sentence)) is not None


def check_negations(reading: Reading) -> None:
    """Names negations without a source."""
    harmless = [m.span() for m in _harmless(reading.language).finditer(reading.low)]
    absent_used: set[tuple[int, int]] = set()
    for match in negation(reading.language).finditer(reading.low):
        start, end = match.span()
        if not reading.free(start, end):
            continue
        if any(s <= start and end <= e for s, e in harmless):
            continue
        if _whole_value(reading, start, end):
            continue
        clause = _clause(reading, start, end)
        if _in_phrasing(reading, start) or _stated(reading, start, end, clause):
            continue
        # One thing is absent once: a second negation would turn the clause round again.
        if clause not in absent_used and _absent(reading, start, end, clause):
            absent_used.add(clause)
            continue
        reading.flag(start, max(end, min(clause[1], end + 40)))


def _whole_value(reading: Reading, start: int, end: int) -> bool:
    """The negation is all that an attribute says: "Dishwasher safe as No", "not dishwasher safe"."""
    assert reading.focus is not None
    first, last = _clause(reading, start, end)
    clause = reading.low[first:last]
    stems = stems_of(clause)
    subjects = reading.focus.of_word(start).subjects
    return any(
        entry.refused and entry.named_in(clause, stems) and entry.subject in subjects
        for entry in reading.book.claims
    )


def _clause(reading: Reading, start: int, end: int) -> tuple[int, int]:
    """From the last break before a negation to the next one behind it."""
    assert reading.focus is not None
    first, last = reading.focus.sentence(start)
    breaks = [
        m for m in _BREAK.finditer(reading.low, first, last) if reading.free(m.start(), m.end())
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
    window = reading.window(token.start, REACH)[REACH - 1 :]
    for act in reading.phrased_as():
        if window not in reading.words.denials.get(act, ()):
            continue
        if act not in ABSENCE_ACTS:
            return True
        if reading.book.absent and _about_absent(reading, token.start, token.end):
            return True
    return False


def _about_absent(reading: Reading, start: int, end: int) -> bool:
    """What is denied is not a product that the shop has, unless the absence is about it."""
    first, last = _clause(reading, start, end)
    scope = {
        m.subject
        for m in reading.mentions
        if end <= m.start < last and not _TURN.search(reading.low[end : m.start])
    }
    subjects = {e.subject for e in reading.book.absent}
    return scope <= subjects or bool(hedge(reading.language).search(reading.low[first:last]))


def _absent(reading: Reading, start: int, end: int, clause: tuple[int, int]) -> bool:
    """An `absent` fact denies this, and no value of another fact is denied with it."""
    first, last = clause
    stretch = reading.low[first:last]
    if reading.values_in(end, last):
        return False
    # "whether it is not washable" is not what the fact leaves open.
    opened = _OPEN.search(reading.low[first:start])
    content = _content(reading, first, last)
    named = _titles_in(reading, first, last)
    left_open = hedge(reading.language).search(stretch) is not None
    for entry in reading.book.absent:
        if named and entry.subject not in named and not left_open:
            continue
        if opened and (
            not entry.low or entry.low not in reading.low[first + opened.start() : start]
        ):
            continue
        if not _names_what_is_denied(reading, entry, start, end):
            continue
        if entry.low and _names(reading, entry, first, last) and content <= _known(reading, entry):
            return True
        if (
            not content - _known(reading, entry)
            and named <= {entry.subject}
            and (left_open or not entry.low)
        ):
            return True
    return False


def _names_what_is_denied(reading: Reading, entry: Entry, start: int, end: int) -> bool:
    if _denying(reading.language).match(reading.low, end):
        return True
    if not entry.low:
        kinds = [e.low for e in reading.book.about("") if e.fact.field == "kind"]
        behind = _DONE.sub("", reading.low[end : end + 24])
        return behind.startswith((" possible", " able to", " be ", *kinds))
    direct = rf"\s?(?:an?\s|any\s|the\s|such\s|one\s)?{re.escape(entry.low)}"
    return (reading.language == "en" or reading.low[start] in "没无") and bool(
        re.match(direct, reading.low[end:])
    )


def _stated(reading: Reading, start: int, end: int, clause: tuple[int, int]) -> bool:
    """A sentence of a fact denies the same."""
    assert reading.focus is not None
    first, last = clause
    stretch = reading.low[first:last]
    count = sum(
        reading.free(first + m.start(), first + m.end())
        for m in negation(reading.language).finditer(stretch)
    )
    content = _content(reading, first, last)
    for subject in (*reading.focus.of_word(start).subjects, ""):
        for entry in reading.book.about(subject):
            if not entry.negative or entry.fact.field == "stock":
                continue
            for statement in entry.statements:
                if not statement.negative:
                    continue
                if reading.language == "zh":
                    if _chinese_overlap(stretch, reading.low[start : end + 1], statement.low):
                        return True
                elif (
                    content
                    and content <= stems_of(statement.low)
                    and count <= _negations(statement.low)
                ):
                    return True
    return False


def _negations(low: str) -> int:
    return len(negation("en").findall(low))


def _content(reading: Reading, first: int, last: int) -> set[str]:
    """The words of a stretch that are not neutral and not accounted for otherwise."""
    if reading.language == "zh":
        return set()
    return {
        stem_of(t.text)
        for t in reading.tokens
        if t.kind == "word"
        and first <= t.start < last
        and reading.free(t.start, t.end)
        and not reading.words.neutral(t.text)
        and not negation("en").fullmatch(t.text)
    }


def _known(reading: Reading, entry: Entry) -> set[str]:
    """Stems that a denial by this fact may hold besides neutral words."""
    found = set(entry.stems) | _DENYING_STEMS
    for other in (*reading.book.echoes, *reading.book.about("")):
        if other.kind == "echo" or other.fact.source == "request":
            found |= other.stems
    if entry.subject:
        found |= reading.book.stems(entry.subject)
    return found


def _names(reading: Reading, entry: Entry, start: int, end: int) -> bool:
    """The stretch speaks of what is absent: its words, or most of its characters."""
    stretch = reading.low[start:end]
    if entry.low in stretch:
        return True
    if has_cjk(entry.low):
        own = set(re.findall(rf"[{CJK}]", entry.low))
        return len(own & set(stretch)) * 3 >= len(own) * 2
    figures = {q.value for q in quantities(stretch)}
    if any(q.value in figures for q in entry.quantities):
        return True
    own_stems = {s for s in entry.stems if not reading.words.neutral(s)} or set(entry.stems)
    return bool(own_stems & stems_of(stretch))


def _chinese_overlap(clause: str, denied: str, statement: str) -> bool:
    """A sentence of a fact denies the same way and holds most of the clause's character pairs."""
    kinds = _CANNOT if denied[:2] in _CANNOT else (denied[:2],)
    if not any(k in statement for k in kinds):
        return False
    tail = re.sub(r"^[能可支持法得有以]+", "", clause[clause.find(denied[0]) + 1 :])[:2]
    # The same thing must be denied, not another of the same sentence.
    behind = (
        re.split(r"[,;。]", statement[m.end() : m.end() + 9])[0] for m in _NOT.finditer(statement)
    )
    if not any(tail in words for words in behind):
        return False
    plain = re.sub(r"[的了是元我您以]", " ", clause)
    pairs = [
        plain[i : i + 2]
        for i in range(len(plain) - 1)
        if has_cjk(plain[i]) and has_cjk(plain[i + 1]) and plain[i : i + 2] not in _CANNOT
    ]
    held = sum(pair in statement for pair in pairs)
    return bool(pairs) and held * 2 >= len(pairs)
