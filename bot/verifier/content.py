"""Every word must be neutral or stand in a fact of the product it is said of.

The last check, and the one that catches what no other knows: an added clause, a made-up name,
gibberish. Knows nothing about figures, which were accounted for before.
"""

from __future__ import annotations

import re
from functools import cache

from bot.verifier.factbook import Entry, stem
from bot.verifier.lexicon import data
from bot.verifier.polarity import denies
from bot.verifier.quantities import quantities
from bot.verifier.reading import Reading
from bot.verifier.surface import Token, tokens

_SMALL = frozenset("a an the of to in on at by for with and or is are it its be as".split())
_NOT = frozenset("不没未无非勿")
_ASKS = re.compile(r"[?？]")
_ECHO = re.compile(
    r"\b(?:whether|about|regarding|concerning|asked|asking|looking for|want(?:ed)?|your|you(?:'re)? (?:need|mention\w*|said|after)|for|if|as for|on|wish)\b"
    r"|关于|您(?:要|想|问|说|提)|至于|是否|想找|要找"
)
_SAID_OF = re.compile(r"\b(?:it|it's|its|this|they|they're|these|both)\b|它|这款|此款|该款")


@cache
def _licences() -> dict[str, dict[str, frozenset[str]]]:
    table = data("sensitive.toml")["licences"]
    return {
        kind: {name: frozenset(words) for name, words in table[kind].items()}
        for kind in ("act", "field", "source")
    }


def check_words(reading: Reading) -> None:
    """Names every word that neither the vocabulary nor a fact accounts for."""
    licensed = _licensed(reading)
    _check_names(reading)
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
        _check_chinese(reading, pending, licensed)


def _licensed(reading: Reading) -> frozenset[str]:
    table = _licences()
    found: set[str] = set()
    for act in reading.acts:
        found |= table["act"].get(act, frozenset())
    for entry in reading.book.claims:
        found |= table["field"].get(entry.fact.field, frozenset())
        found |= table["source"].get(entry.fact.source, frozenset())
    return frozenset(found | {stem(w) for w in found if w.isascii()})


def _in_window(reading: Reading, token: Token) -> bool:
    reach = reading.words.reach
    window = reading.window(token.start, reach)
    return any(
        window in reading.words.grams.get(act, ()) for act in (reading.acts or reading.words.grams)
    )


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
    if sensitive and _in_window(reading, token):
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
        if 0 <= one and two < len(reading.tokens):
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
            or _in_window(reading, token)
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
            and not _in_window(reading, t)
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


_NAME = re.compile(
    r"(?:[A-Z][\w'&-]*|\d+[A-Za-z]\w*)(?:[ -](?:[A-Z][\w'&-]*|\d[\w-]*|of|for|and|with|&))*"
)


def _check_names(reading: Reading) -> None:
    """A capitalised run beside a title, or one that is no run of a fact, is a made-up name."""
    if reading.language == "zh":
        return
    edges = {m.end for m in reading.mentions if m.by_name}
    starts = {m.start for m in reading.mentions if m.by_name}
    for mention_end in edges:
        match = re.match(r"[ -](?:[A-Z][\w'-]*|\d[\w-]*|[IVX]+\b)", reading.text[mention_end:])
        if match and reading.free(mention_end + 1, mention_end + match.end()):
            word = reading.low[mention_end + 1 : mention_end + match.end()]
            if word not in {"i", "i'd", "i'm", "i'll", "i've"}:
                reading.flag(mention_end + 1, mention_end + match.end())
    for mention_start in starts:
        match = re.search(r"((?:[A-Z][\w'-]*|\d[\w-]*)[ -])$", reading.text[:mention_start])
        if not match or not reading.free(match.start(), match.end() - 1):
            continue
        word = match.group(1).strip(" -")
        begins = reading.focus is not None and not reading.low[
            reading.focus.sentence(match.start())[0] : match.start()
        ].strip(' -"“')
        if not (reading.words.neutral(word.lower()) or (begins and _word_known(reading, word))):
            subject = next(m.subject for m in reading.mentions if m.start == mention_start)
            if stem(word.lower()) not in reading.book.stems(subject):
                reading.flag(match.start(), match.end() - 1)


def _word_known(reading: Reading, word: str) -> bool:
    return reading.words.neutral(word.lower())


def _check_chinese(reading: Reading, pending: list[Token], licensed: frozenset[str]) -> None:
    """Each run of characters must be made of neutral phrases and spans of facts."""
    runs: list[list[Token]] = []
    for token in pending:
        if runs and runs[-1][-1].end == token.start:
            runs[-1].append(token)
        else:
            runs.append([token])
    for run in runs:
        _check_run(reading, run[0].start, run[-1].end, licensed)


def _check_run(reading: Reading, start: int, end: int, licensed: frozenset[str]) -> None:
    assert reading.focus is not None
    text = reading.low[start:end]
    subjects = (*reading.focus.of_word(start).subjects, "")
    corpora = [reading.book.corpus(s) for s in subjects]
    echo = "\x00".join(e.squeezed for e in (*reading.book.echoes, *reading.book.absent))
    for word in reading.words.sensitive_phrases:
        at = text.find(word)
        while at >= 0:
            if not _sensitive_holds(reading, start + at, word, subjects, licensed):
                reading.flag(start + at, start + at + len(word))
            at = text.find(word, at + 1)
    size = len(text)
    reachable = [False] * size + [True]
    best = [1] * size + [0]  # the least number of characters left over from here
    for i in range(size - 1, -1, -1):
        best[i] = best[i + 1] + 1
        for length in _pieces(reading, text, start, i, corpora, echo, licensed):
            best[i] = min(best[i], best[i + length])
    del reachable
    i = 0
    while i < size and best[0]:
        step = next(
            (
                n
                for n in _pieces(reading, text, start, i, corpora, echo, licensed)
                if best[i + n] == best[i]
            ),
            0,
        )
        if step:
            i += step
            continue
        first = i
        while i < size and best[i] == best[i + 1] + 1:
            i += 1
        reading.flag(start + first, start + i)


def _pieces(
    reading: Reading,
    text: str,
    start: int,
    at: int,
    corpora: list[str],
    echo: str,
    licensed: frozenset[str],
) -> list[int]:
    found = []
    for length in range(min(8, len(text) - at), 0, -1):
        piece = text[at : at + length]
        if piece in reading.words.words or piece in reading.words.phrase_set or piece in licensed:
            found.append(length)
        elif length == 1 and _beside_figure(reading, start + at, corpora):
            found.append(length)
        elif length >= 2 and (any(_stands(piece, c) for c in corpora) or piece in echo):
            found.append(length)
    return found


_RECORDING = re.compile(
    "记录|登记|转|记下|提交|查到|查询|找到|挑|整理|列|看|展示|推荐|安排人工|请人工"
)
_FIGURE_BEFORE = re.compile(r"[\d.]+[元%]?$|[一二三四五六七八九十百千两]+$")
_FIGURE_BEHIND = re.compile(r"\d[\d.]*|[一二三四五六七八九十百千两]+")


def _beside_figure(reading: Reading, at: int, corpora: list[str]) -> bool:
    """One character that stands beside the same figure in a fact (三档, 满88)."""
    before = _FIGURE_BEFORE.search(reading.low[:at])
    behind = _FIGURE_BEHIND.match(reading.low, at + 1)
    spans = [before.group() + reading.low[at]] if before else []
    spans += [reading.low[at] + behind.group()] if behind else []
    return any(_stands(span, c) for span in spans for c in corpora)


def _stands(piece: str, corpus: str) -> bool:
    """The span occurs, and not right behind a negation that it leaves out."""
    at = corpus.find(piece)
    while at >= 0:
        if corpus[at - 1 : at] not in _NOT or piece[0] in _NOT:
            return True
        at = corpus.find(piece, at + 1)
    return False


def _sensitive_holds(
    reading: Reading, at: int, word: str, subjects: tuple[str, ...], licensed: frozenset[str]
) -> bool:
    if word in licensed:
        return True
    if word[0] == "已" and word[-1] == "您":
        # "已为您…" reports something done; the bot itself records and hands over, no more.
        return bool(_RECORDING.match(reading.low, at + len(word)))
    tokens = [t for t in reading.tokens if at <= t.start < at + len(word)]
    if tokens and all(_in_window(reading, t) for t in tokens):
        return True
    entries: list[Entry] = [e for s in subjects for e in reading.book.about(s)]
    if any(word in e.squeezed or word in e.label for e in entries):
        return True
    assert reading.focus is not None
    first, last = reading.focus.sentence(at)
    asked = any(word in e.squeezed for e in (*reading.book.echoes, *reading.book.absent))
    return asked and (denies("zh", reading.low[first:last]) or "?" in reading.low[last - 1 : last])
