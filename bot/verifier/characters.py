"""Chinese text: each run of characters must be made of neutral phrases and spans of facts.

Knows nothing about words of other scripts or about figures.
"""

from __future__ import annotations

import re

from bot.verifier.factbook import Entry
from bot.verifier.licences import in_window
from bot.verifier.polarity import denies
from bot.verifier.reading import Reading
from bot.verifier.surface import Token

_NOT = frozenset("不没未无非勿")
LONGEST = 8  # characters of a piece


def check_characters(reading: Reading, pending: list[Token], licensed: frozenset[str]) -> None:
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
    before = re.split(r"[,;。!?\n]", reading.low[:start])[-1]
    denied = denies("zh", before + re.split(r"[,;。!?\n]", reading.low[start:])[0])
    corpora = [reading.book.corpus(s, denied=denied) for s in subjects]
    echo = "\x00".join(e.squeezed for e in (*reading.book.echoes, *reading.book.absent))
    for word in reading.words.sensitive_phrases:
        at = text.find(word)
        while at >= 0:
            if not _sensitive_holds(reading, start + at, word, subjects, licensed):
                reading.flag(start + at, start + at + len(word))
            at = text.find(word, at + 1)
    size = len(text)
    best = [1] * size + [0]  # the least number of characters left over from here
    for i in range(size - 1, -1, -1):
        best[i] = best[i + 1] + 1
        for length in _pieces(reading, text, start, i, corpora, echo, licensed):
            best[i] = min(best[i], best[i + length])
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
    for length in range(min(LONGEST, len(text) - at), 0, -1):
        piece = text[at : at + length]
        if (
            piece in reading.words.words
            or piece in reading.words.phrase_set
            or piece in licensed
            or length == 1
            and _beside_figure(reading, start + at, corpora)
            or length >= 2
            and (any(_stands(piece, c) for c in corpora) or piece in echo)
        ):
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
    if tokens and all(in_window(reading, t) for t in tokens):
        return True
    entries: list[Entry] = [e for s in subjects for e in reading.book.about(s)]
    if any(word in e.squeezed or word in e.label for e in entries):
        return True
    assert reading.focus is not None
    first, last = reading.focus.sentence(at)
    asked = any(word in e.squeezed for e in (*reading.book.echoes, *reading.book.absent))
    return asked and (denies("zh", reading.low[first:last]) or "?" in reading.low[last - 1 : last])
