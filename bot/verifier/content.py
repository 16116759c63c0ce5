"""Every word must be neutral or stand in a fact of the product it is said of.

The last check, and the one that catches what no other knows: an added clause, a made-up name,
gibberish. Knows nothing about figures, which were accounted for before.
"""

from __future__ import annotations

import re
from functools import cache

from bot.verifier.characters import check_characters
from bot.verifier.factbook import stem
from bot.verifier.lexicon import data
from bot.verifier.licences import in_window
from bot.verifier.licences import licensed as licensed_words
from bot.verifier.names import check_names
from bot.verifier.polarity import denies
from bot.verifier.quantities import quantities
from bot.verifier.reading import Reading
from bot.verifier.surface import Token, tokens

_SMALL = frozenset("a an the of to in on at by for with and or is are it its be as".split())
_ASKS = re.compile(r"[?？]")
_ECHO = re.compile(
    r"\b(?:whether|about|regarding|concerning|asked|asking|looking for|want(?:ed)?|your|you(?:'re)? (?:need|mention\w*|said|after)|for|if|as for|on|wish)\b"
    r"|关于|您(?:要|想|问|说|提)|至于|是否|想找|要找"
)
_SAID_OF = re.compile(r"\b(?:it|it's|its|this|they|they're|these|both)\b|它|这款|此款|该款")


def check_words(reading: Reading) -> None:
    """Names every word that neither the vocabulary nor a fact accounts for."""
    licensed = licensed_words(reading)
    check_names(reading)
    pending: list[Token] = []
    for token in reading.tokens:
        if token.kind in {"punct", "newline"} or not reading.free(token.start, token.end):
            continue
        if token.kind == "cjk":
            pending.append(token)
        elif token.kind == "word":
            if not _word_holds(reading, token, licensed):
                reading.flag(token.start, token.end)
        elif not _in_facts(reading, token):
            reading.flag(token.start, token.end)
    _check_together(reading, licensed)
    _check_figures(reading)
    _check_lone_words(reading)
    if pending:
        check_characters(reading, pending, licensed)


def _word_holds(reading: Reading, token: Token, licensed: frozenset[str]) -> bool:
    word = token.text
    if reading.words.neutral(word):
        return True
    base = re.sub(r"(?:'s|'re|'ll|'ve|'d|'m|n't)$", "", word)
    if base != word and reading.words.neutral(base):
        return True
    if word in licensed or stem(word) in licensed:
        return True
    sensitive = reading.words.is_sensitive(word)
    if sensitive and in_window(reading, token):
        return True
    assert reading.focus is not None
    binding = reading.focus.of_word(token.start)
    root = stem(word)
    first, last = reading.focus.sentence(token.start)
    denied = denies("en", reading.low[first:last])
    held = reading.book.stems if denied else reading.book.affirmed
    if word == "made" and re.match(r"\s(?:of|from|out of)\b", reading.low[token.end :]):
        return True
    if word in reading.words.forms and not re.search(r"\bbe\s$", reading.low[: token.start]):
        # "changed" is not supported by "change": something done must be stated as done.
        entries = (e for s in (*binding.subjects, "") for e in reading.book.about(s))
        return any(f" {word} " in e.flat for e in entries)
    own = [root in held(s) for s in binding.subjects]
    if (all(own) if binding.every else any(own)) and own:
        return True
    if root in held("") or root in _shop_stems(reading):
        return True
    if _in_compound(reading, token, (*binding.subjects, ""), denied=denied):
        return True
    return _echoes(reading, token, sensitive)


def _in_compound(
    reading: Reading, token: Token, subjects: tuple[str, ...], *, denied: bool
) -> bool:
    """The word with a neighbour makes a compound of a fact ("water resistant")."""
    place = reading.tokens.index(token)
    low = reading.low
    pairs = []
    for one, two in (
        (place - 1, place),
        (place, place + 1),
        (place - 2, place),
        (place, place + 2),
    ):
        if one >= 0 and two < len(reading.tokens):
            first, second = reading.tokens[one], reading.tokens[two]
            if low[first.end : second.start] in {" ", "-"} and first.kind == second.kind == "word":
                pairs.append(f"{first.text}-{second.text}")
    return any(
        p in statement.low
        for p in pairs
        for s in subjects
        for e in reading.book.about(s)
        for statement in e.statements
        if denied or not statement.negative
    )


def _shop_stems(reading: Reading) -> frozenset[str]:
    """Kinds of things any product of the turn is: their categories and the words of their titles."""
    found: set[str] = set()
    for entry in reading.book.claims:
        if entry.fact.field == "category":
            found |= entry.stems
    return frozenset(found)


def _echoes(reading: Reading, token: Token, sensitive: bool) -> bool:
    """The shopper's word, repeated as what was asked and not said of a product."""
    root = stem(token.text)
    if not any(root in e.stems for e in (*reading.book.echoes, *reading.book.absent)):
        return False
    assert reading.focus is not None
    start, end = reading.focus.sentence(token.start)
    sentence = reading.low[start:end]
    lead = reading.low[start : token.start]
    named = [m for m in reading.focus.within(token.start) if m.end <= token.start]
    said = named[-1].end if named else 0
    pronouns = [m.end() + start for m in _SAID_OF.finditer(lead)]
    since = max([said, *pronouns, start])
    if any(root in e.stems for e in reading.book.absent) and denies(reading.language, sentence):
        return True
    if _ASKS.search(sentence[-2:]) and not sensitive:
        return True
    if since == start:
        return not sensitive or bool(_ECHO.search(lead))
    return bool(_ECHO.search(reading.low[since : token.start]))


def _check_together(reading: Reading, licensed: frozenset[str]) -> None:
    """Sensitive words of one clause need one statement that holds them all ("free shipping")."""
    assert reading.focus is not None
    clauses: dict[tuple[int, int], list[Token]] = {}
    for token in reading.tokens:
        if token.kind != "word" or not reading.free(token.start, token.end):
            continue
        if (
            not reading.words.is_sensitive(token.text)
            or stem(token.text) in licensed
            or in_window(reading, token)
        ):
            continue
        first, last = reading.focus.sentence(token.start)
        breaks = [m.start() for m in re.finditer(r"[,;:—()]", reading.low[first:last])]
        place = sum(first + b < token.start for b in breaks)
        clauses.setdefault((first, place), []).append(token)
    for group in clauses.values():
        roots = {stem(t.text) for t in group}
        if len(roots) < 2:
            continue
        subjects = (*reading.focus.of_word(group[0].start).subjects, "")
        entries = (
            [e for s in subjects for e in reading.book.about(s)]
            + reading.book.echoes
            + reading.book.absent
        )
        if not any(roots <= s.stems for e in entries for s in e.statements):
            reading.flag(group[0].start, group[-1].end)


def _check_figures(reading: Reading) -> None:
    """ "Ships free" of a rule that says "over $75" must be told with the figure."""
    assert reading.focus is not None
    for word in data("sensitive.toml")[reading.language]["conditional"]:
        pattern = rf"\b{word}\b" if word.isascii() else word
        for match in re.finditer(pattern, reading.low):
            if not reading.free(*match.span()):
                continue
            first, last = reading.focus.sentence(match.start())
            figures = {(q.value, q.unit) for q in quantities(reading.low[first:last])}
            subjects = (*reading.focus.of_word(match.start()).subjects, "")
            holding = [
                s
                for b in subjects
                for e in reading.book.about(b)
                for s in e.statements
                if word in s.low
            ]
            if holding and all(s.figures and not s.figures & figures for s in holding):
                reading.flag(*match.span())


def _check_lone_words(reading: Reading) -> None:
    """One word of a page's sentence is not what the sentence says: it needs a second word or
    figure of it, or its neighbour there ("water" of "when the water boils" is no "under water")."""
    assert reading.focus is not None
    if reading.language != "en":
        return
    groups: dict[int, list[Token]] = {}
    for token in reading.tokens:
        if token.kind == "word" and not reading.quoted[token.start]:
            groups.setdefault(reading.focus.index(token.start), []).append(token)
    for group in groups.values():
        content = [
            t
            for t in group
            if reading.free(t.start, t.end)
            and not reading.words.neutral(t.text)
            and not in_window(reading, t)
        ]
        said = {stem(t.text) for t in content}
        if len(said) != 1:
            continue
        root = next(iter(said))
        subjects = (*reading.focus.of_word(content[0].start).subjects, "")
        entries = [e for s in subjects for e in reading.book.about(s) if root in e.stems]
        if not entries or any(e.fact.field != "text" for e in entries):
            continue
        if any(root in e.stems for e in (*reading.book.echoes, *reading.book.absent)):
            continue
        first, last = reading.focus.sentence(content[0].start)
        figures = {q.value for q in quantities(reading.low[first:last])}
        around = {stem(t.text) for t in group} - {root}
        statements = [s for e in entries for s in e.statements if root in s.stems]
        if not any(
            {q for q, _ in s.figures} & figures or _neighbours(s.low, root) & around
            for s in statements
        ):
            reading.flag(content[0].start, content[0].end)


@cache
def _neighbours(low: str, root: str) -> frozenset[str]:
    """Stems beside a word in a sentence, function words left out."""
    words = [t.text for t in tokens(low) if t.kind == "word" and t.text not in _SMALL]
    found = set()
    for i, word in enumerate(words):
        if stem(word) == root:
            found |= {stem(w) for w in words[max(0, i - 1) : i] + words[i + 1 : i + 2]}
    return frozenset(found)


def _in_facts(reading: Reading, token: Token) -> bool:
    assert reading.focus is not None
    word = reading.low[token.start : token.end]
    subjects = (*reading.focus.of_word(token.start).subjects, "")
    return any(word in e.low for s in subjects for e in reading.book.about(s))
