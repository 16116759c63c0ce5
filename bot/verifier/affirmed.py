"""Affirmation of what a fact denies: "we have kayaks", "we ship to PO boxes", "I'm a person".

The counterpart of `polarity`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache

from bot.verifier.factbook import Entry, has_cjk, stems_of
from bot.verifier.lexicon import EDGE, SLOT, data
from bot.verifier.polarity import hedge, negated, negation
from bot.verifier.quantities import quantities
from bot.verifier.reading import Reading

_DENIED = re.compile(r"(?:没有|无法|不能|不可以?|不会|[不没无未勿非])([\u3400-\u9fff]{2,3})")
_REFUSED_WORD = re.compile(r"\b(?:no|none|never|false)\b|[否无不没]")
_NOT = frozenset("不没无未勿非法能可会有")


@cache
def _patterns(language: str) -> dict[str, re.Pattern[str]]:
    table = data("claims.toml")["affirming"][language]
    return {name: re.compile(pattern) for name, pattern in table.items() if name != "acts"}


def check_affirmed(reading: Reading) -> None:
    """Names affirmations of what is absent or denied."""
    patterns = _patterns(reading.language)
    by_act = data("claims.toml")["affirming"][reading.language]["acts"]
    for act in reading.acts & by_act.keys():
        for match in re.finditer(by_act[act], reading.low):
            if reading.free(*match.span()) and not _negated_before(reading, match.start()):
                reading.flag(*match.span())
    for match in patterns["never"].finditer(reading.low):
        if reading.free(match.start(), match.end()):
            reading.flag(*match.span())
    _check_unsaid(reading)
    _check_acts(reading)
    assert reading.focus is not None
    for first, last in reading.spans:
        for entry in reading.book.absent:
            if len(entry.low) > 1:
                _check_sentence(reading, entry, first, last)
        _check_open(reading, first, last)
        _check_refused(reading, first, last)
        if reading.language == "zh":
            _check_chinese(reading, first, last)
            _check_conditions(reading, first, last)


def _check_acts(reading: Reading) -> None:
    """An act whose every phrasing denies something must deny."""
    if (
        reading.acts
        and reading.acts <= reading.words.denying_acts
        and not any(
            reading.free(*m.span()) for m in negation(reading.language).finditer(reading.low)
        )
        and not _patterns(reading.language)["declines"].search(reading.low)
    ):
        reading.flag(0, min(40, len(reading.low)))


def _check_unsaid(reading: Reading) -> None:
    """Names a phrasing of the act whose negation was left out."""
    unsaid = [reading.words.unsaid.get(act, set()) for act in reading.acts]
    if not any(unsaid):
        return
    run = [EDGE, EDGE, EDGE, *reading.run(), EDGE, EDGE, EDGE]
    for size in (3, 4):
        for i in range(len(run) - size + 1):
            gram = tuple(run[i : i + size])
            # The words before the gap: two tokens of the run in Chinese, one in English.
            lead = run[max(0, i - 4) : i] + list(gram[: 2 if reading.language == "zh" else 1])
            if any(gram in grams for grams in unsaid) and not _negation_among(reading, lead):
                words = [t for t in gram if t not in {EDGE, SLOT, "\n"}]
                reading.unsupported.append((" " if reading.language == "en" else "").join(words))


def _negation_among(reading: Reading, words: list[str]) -> bool:
    """A negation a few words earlier in the sentence covers what follows."""
    joined = (" " if reading.language == "en" else "").join(words)
    last = re.split(r"[.!?。,;:\n]", joined)[-1]
    if reading.language == "zh":
        return negated("zh", last)
    return negation("en").search(last) is not None


def _negated_before(reading: Reading, at: int) -> bool:
    reach = 24 if reading.language == "en" else 4
    return negated(
        reading.language, re.split(r"[.!?。,;:\n]", reading.low[max(0, at - reach) : at])[-1]
    )


def _check_sentence(reading: Reading, entry: Entry, first: int, last: int) -> None:
    """What is absent may be named, but not as had, found or stated."""
    sentence = reading.low[first:last]
    at = sentence.find(entry.low)
    if at < 0 or sentence.rstrip().endswith("?"):
        return
    patterns = _patterns(reading.language)
    if negated(reading.language, sentence[:at] + sentence[at + len(entry.low) :]):
        return
    if patterns["open"].search(sentence.replace(entry.low, " ")) or patterns["asking"].search(
        sentence
    ):
        return
    if hedge(reading.language).search(sentence) and not patterns["whether"].search(sentence):
        return
    direct = patterns["claiming"].search(sentence[:at])
    said = patterns["saying"].search(sentence.replace(entry.low, " "))
    if direct or (said and not reading.acts & {"no_more"}):
        reading.flag(first, last)


def _check_open(reading: Reading, first: int, last: int) -> None:
    """ "The page says whether it is washable" beside the fact that it does not."""
    sentence = "".join(  # a verified quote says what its source says
        " " if quoted else c
        for c, quoted in zip(reading.low[first:last], reading.quoted[first:last], strict=True)
    )
    patterns = _patterns(reading.language)
    opened = patterns["whether"].search(sentence)
    if not opened or not reading.book.absent or sentence.rstrip().endswith("?"):
        return
    rest = sentence[: opened.start()] + sentence[opened.end() :]
    said = patterns["knowing"].search(rest)
    if said and not negated(reading.language, rest) and not patterns["asking"].search(rest):
        reading.flag(first, last)


def _check_refused(reading: Reading, first: int, last: int) -> None:
    """ "It is dishwasher safe" beside the attribute "Dishwasher safe: No"."""
    assert reading.focus is not None
    sentence = reading.low[first:last]
    if sentence.rstrip().endswith("?") or hedge(reading.language).search(sentence):
        return
    said = stems_of(sentence)
    for entry in reading.book.claims:
        if not entry.refused or not entry.named_in(sentence, said):
            continue
        if negated(reading.language, sentence) or _REFUSED_WORD.search(sentence):
            continue
        at = next((m.start for m in reading.focus.within(first)), first)
        if entry.subject in (*reading.focus.of_word(at).subjects, *reading.focus.carried(first)):
            reading.flag(first, last)


def _check_conditions(reading: Reading, first: int, last: int) -> None:
    """ "不满88元，每单10元": the figure before must be denied as in the fact, or not."""
    own = _figure_pairs(reading.low[first:last])
    stated = {
        pair
        for e in reading.book.about("")
        if e.fact.source == "policy"
        for s in e.statements
        for pair in _figure_pairs(s.low)
    }
    for one, denied, two in own:
        if (one, denied, two) not in stated and (one, not denied, two) in stated:
            reading.flag(first, last)


def _figure_pairs(low: str) -> set[tuple[Decimal, bool, Decimal]]:
    figures = quantities(low)
    return {
        (a.value, low[max(0, a.start - 2) : a.start].strip("满足到")[-1:] in set("不未没"), b.value)
        for a, b in zip(figures, figures[1:], strict=False)
    }


def _check_chinese(reading: Reading, first: int, last: int) -> None:
    """What follows a negation in a fact must not stand without one, unless a fact has it so."""
    assert reading.focus is not None
    sentence = reading.low[first:last]
    subjects = (*reading.focus.of_word(first).subjects, "")
    entries = [e for s in subjects for e in reading.book.about(s) if e.fact.field != "stock"]
    for entry in entries:
        for match in _DENIED.finditer(entry.low):
            tail = match.group(1)
            at = sentence.find(tail)
            if at < 0 or not reading.free(first + at, first + at + len(tail)):
                continue
            if any(c in _NOT for c in sentence[max(0, at - 2) : at]) or _plainly(tail, entries):
                continue
            if not has_cjk(tail) or negation("zh").search(sentence[:at].rpartition(",")[2]):
                continue
            reading.flag(first + at, first + at + len(tail))


def _plainly(tail: str, entries: list[Entry]) -> bool:
    """Some fact says it without a negation before it."""
    for entry in entries:
        at = entry.low.find(tail)
        while at >= 0:
            if not any(c in _NOT for c in entry.low[max(0, at - 2) : at]):
                return True
            at = entry.low.find(tail, at + 1)
    return False
