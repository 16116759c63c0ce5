"""Whether a text of the shop can answer a question at all, by its kind and by whom it speaks to.

Knows nothing of scores: what fits may still be about something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial

from prompts.answering import signs
from retrieval.sentences import sentence_spans, sentences
from retrieval.text import tokens

ASKS_HOW = re.compile(
    r"\bhow (?:to|(?:do|can|should|would|must) (?:i|you|we|one))\b"
    r"|\bwhat (?:(?:do|can|should|would|must) (?:i|you|we|one)|to) use\b"
    r"|\b(?:steps|instructions|procedure) (?:for|to|of)\b|怎么|如何",
    re.IGNORECASE,
)
_COUNTS = re.compile(
    r"\bhow (?:long|many|much|often|far|high|heavy|tall|fast|deep|wide)\b|多少|多久|多长|多重|多高",
    re.IGNORECASE,
)
FIGURE = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|dozen|twice|once|half|single|double"
    r"|hourly|daily|weekly|monthly|yearly|annually|lifetime|overnight|unlimited)\b"
    r"|[一二两三四五六七八九十百半每]",
    re.IGNORECASE,
)
_LEAD = re.compile(r"^[\W\d_]*(?:(?:please|simply|then|first|always|next|finally|also|just)\b[\W_]*)*", re.I)  # fmt: skip
_CLAUSE = re.compile(r"[.;:,!?\n—]\s*(?:and |or |then )?")
_ITEM = re.compile(r",\s*(?:and |or )?|\s(?:and|or)\s")
_LEAST_ITEMS = 3
_OPEN = re.compile(r"\b(?:what|which|how|where|when|who|why)\b", re.IGNORECASE)
_CLOSED = re.compile(
    r"^\W*(?:(?:and|so|but|ok|hi)\W+)*(?:is|are|was|does|do|did|can|could|has|have|will|would)\b",
    re.IGNORECASE,
)
# words of a question that ask, and name nothing
_ASKING = frozenset(
    tokens(
        "what which how where when who why is are was were do does did can could has have will would i you we it its this"
        " that these those the a an of for in on to with by from and or come comes any some there me my be been use used"
        " include includes included feature features have tell about item items thing things part parts"
    )
)
_QUESTION_LINE = re.compile(r"[?？][*_\"”']*\s*$")
_NUMBER = re.compile(r"^\s*(?:[-*+•]|Q\s*\d*[:.)]|问[:：]|\d{1,3}[.)、])\s*", re.IGNORECASE)
_WORD = re.compile(r"[a-z']+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that a text puts itself, with the answer that follows there, verbatim."""

    question: str
    answer: str


def fits(question: str, text: str) -> bool:
    """Whether the text is of the kind asked for: what to do for "how to", a figure for "how many".

    What a list only names answers whether it is there, and nothing else about it.
    """
    if ASKS_HOW.search(question):
        return instructs(text)
    if _COUNTS.search(question):
        return FIGURE.search(text) is not None
    return not only_listed(question, text)


def only_listed(question: str, text: str) -> bool:
    """Whether an open question is about something that the text has as one item of a list."""
    if _CLOSED.search(question):
        return False
    asked = set(tokens(question)) - _ASKING
    items = [set(tokens(item)) for item in _ITEM.split(text)]
    held = [at for at, item in enumerate(items) if asked & item]
    if len(items) < _LEAST_ITEMS or len(held) != 1 or held[0] == 0:
        return False
    item = items[held[0]]
    if len(item - asked - _ASKING) > 1 or FIGURE.search(" ".join(item)):
        return False
    # a bare name ("screwdriver?") asks whether it is there
    return bool(_OPEN.search(question)) or not asked <= item


def instructs(text: str) -> bool:
    """Whether the text tells what to do; a Chinese one is not judged."""
    if not text.isascii() and not _WORD.search(text):
        return True
    if signs().instructs.search(text):
        return True
    clauses = [_LEAD.sub("", clause) for clause in _CLAUSE.split(text)]
    first = [match.group().casefold() for c in clauses if (match := _WORD.match(c))]
    return any(word in signs().instructing for word in first)


@lru_cache(maxsize=4096)
def asked_in(text: str) -> tuple[Asked, ...]:
    """The questions of a text that stand on lines of their own, each with the lines that follow."""
    found = []
    lines = list(_lines(text))
    marks = [at for at, (a, b) in enumerate(lines) if _QUESTION_LINE.search(text[a:b])]
    for at, following in zip(marks, [*marks, len(lines)][1:], strict=True):
        if following > at + 1:
            start, end = lines[at]
            answer = text[lines[at + 1][0] : lines[following - 1][1]]
            found.append(Asked(_NUMBER.sub("", text[start:end]).strip(), answer.strip()))
    return tuple(found)


def planted(sentence: str, about: Callable[[], Iterable[str]] = tuple) -> bool:
    """Whether a sentence speaks to an assistant and not to shoppers.

    What gives orders about replies does. So does what sets a task or asks a question and holds no
    word of `about()`, the tokens of what the text should be about.
    """
    known = signs()
    if known.to_assistant.search(sentence):
        return True
    word = _WORD.match(_LEAD.sub("", sentence))
    task = bool(word and word.group().casefold() in known.tasks)
    task = task or known.tasks_zh.match(sentence.strip()) is not None
    if not task and not _QUESTION_LINE.search(sentence):
        return False
    return set(about()).isdisjoint(tokens(sentence))


@lru_cache(maxsize=8192)
def spoken(text: str, about: str = "") -> tuple[str, ...]:
    """The text without its planted sentences: the runs between them, each verbatim.

    What the text should be about is `about`, and whatever else it says itself.
    """
    spans = sentence_spans(text)
    runs: list[tuple[int, int]] = []
    broken = True
    for start, end in spans:
        rest = f"{about} {text[:start]} {text[end:]}"
        if planted(text[start:end], partial(tokens, rest)):
            broken = True
            continue
        runs = [*runs, (start, end)] if broken else [*runs[:-1], (runs[-1][0], end)]
        broken = False
    return tuple(text[start:end] for start, end in runs)


def opening(description: str, name: str) -> str:
    """The first sentence of a description that is about the thing it describes; "" where none is.

    Such a sentence holds a word of the thing's name or, of a longer description, two of the rest.
    """
    runs = [s for run in spoken(description, name) for s in sentences(run)]
    if len(runs) == 1 and len(sentences(description)) == 1:
        return runs[0]
    named = set(tokens(name))
    for sentence in runs:
        said = set(tokens(sentence))
        rest = {t for other in runs if other is not sentence for t in tokens(other)}
        if said & named or len(said & rest) > 1:
            return sentence
    return ""


def _lines(text: str) -> Iterable[tuple[int, int]]:
    for match in re.finditer(r"[^\n]+", text):
        if match.group().strip():
            yield match.span()
