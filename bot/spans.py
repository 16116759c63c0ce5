"""What of a shop's texts can be quoted: passages, pages and records cut into spans, and what of their
surroundings belongs to a span.

Knows nothing of questions but which row of a table they name.
"""

from __future__ import annotations

import re
from functools import cache

from bot.fitting import spoken
from bot.kinds import is_general
from db.records import Attribute, Passage, Product
from prompts.answering import signs
from prompts.topics import all_topics
from retrieval.sentences import sentence_spans, sentences
from retrieval.text import tokens, words

Span = tuple[str, Passage | None, Attribute | None]  # the text, and what it stands in

CELL = " | "  # between the cells of a table row
MAX_QUOTE = {"en": 320, "zh": 160}
_EXCEPTS = re.compile(
    r"\b(?:not|no|except|exclu\w+|void\w*|unless)\b|n't\b|不|除外|例外", re.IGNORECASE
)
_STEP = re.compile(r"(?:^|\n)\s*\d+[.)]\s*$")
# words of a question or a row that name nothing
HOLLOW = frozenset(
    tokens(
        "is are was it its the a an of for to and or in on with without me my i you your we us do does did can could will"
        " would have has had get got what which when where who how much many long if then please tell about there any this"
        " that one ones use used using come comes go put take make made buy want need know does work so just only really still also something anything someone first second third itself myself off policy policies rule rules ur"
    )
)


def spans_of(passage: Passage, language: str, about: str = "") -> list[str]:
    """The passage in quotable pieces: whole where it is short, else sentence by sentence.

    Of a table each row is a piece, and all rows below the head together. What speaks to an
    assistant, and a question without its answer, is none.
    """
    lines = passage.text.splitlines()
    rows = [line for line in lines if CELL in line]
    runs = spoken("\n".join(line for line in lines if CELL not in line), _topic(passage, about))
    if rows:
        body = rows[1:]
        block = "\n".join(body)
        pieces = [
            *body,
            *([block] if len(body) > 1 and len(block) <= MAX_QUOTE[language] else []),
        ]
        return pieces + [s for run in runs for s in sentences(run)]
    if len(passage.text) <= MAX_QUOTE[language] // 2 and runs == (passage.text,):
        return [passage.text]
    pieces = [s for run in runs for s in sentences(run) if len(s) <= MAX_QUOTE[language]]
    return [piece for piece in pieces if not piece.endswith(("?", "？"))]


def of_record(product: Product, language: str) -> list[Span]:
    """The sentences of a product's description, and its attributes as they would be told."""
    about = set(words(product.title)) | set(tokens(product.title))
    runs = spoken(product.description, product.title)
    return [(s, None, None) for run in runs for s in sentences(run)] + [
        (f"{a.name}: {a.value}", None, a)
        for a in product.attributes
        if a.value
        and len(a.value) <= MAX_QUOTE[language]
        and not (set(tokens(a.value)) or {""}) <= about  # the name again is no answer, "No" is one
    ]


def in_place(text: str, passage: Passage | None) -> str:
    """The span as it is encoded: behind its heading, a row behind what its cells mean."""
    heading = passage.heading[-1:] if passage else ()
    return ": ".join((*heading, *columns_of(passage, text), text))


def columns_of(passage: Passage | None, text: str) -> tuple[str, ...]:
    """The head of the table that the text is a row of: what its cells mean."""
    if passage is None or CELL not in text:
        return ()
    rows = [line for line in passage.text.splitlines() if CELL in line]
    return tuple(rows[:1]) if len(rows) > 1 and text != rows[0] else ()


def is_row_of(text: str, question: str) -> bool:
    """Whether the text is one row of a table, and the question names what the row is about."""
    if CELL not in text or "\n" in text:
        return False
    about = {t for t in tokens(text.partition(CELL)[0]) if t not in HOLLOW and not is_general(t)}
    return not about.isdisjoint(tokens(question))


def is_step(passage: Passage, text: str) -> bool:
    """Whether the span is one of numbered steps: what to do, not what applies."""
    start = passage.text.find(text)
    return start >= 0 and _STEP.search(passage.text[:start]) is not None


def excepts(passage: Passage | None, text: str) -> bool:
    """Whether the span tells an exception: its heading does, or it does under no heading."""
    heading = passage.heading[-1:] if passage else ()
    return _EXCEPTS.search(" ".join(heading) or text) is not None


def of_shoppers(passage: Passage) -> bool:
    """Whether shoppers speak in the passage and not the shop."""
    return any(signs().reviews.search(heading) for heading in passage.heading[-2:])


def continued(text: str, passage: Passage | None, question: str, most: int) -> str:
    """The span with what belongs to it: sentences that follow, since conditions often come after,
    and all rows of a small table where no row of its own was asked for."""
    if passage is None:
        return text
    whole = passage.text
    if CELL in text:
        body = [line for line in whole.splitlines() if CELL in line][1:]
        together = "\n".join(body)
        if is_row_of(text, question) or len(together) > most:
            return text
        return together or text
    if CELL in whole:
        return text
    runs = spoken(whole, _topic(passage, ""))
    whole = next((run for run in runs if text in run), text)
    if len(whole) <= most:
        return whole
    start = whole.find(text)
    end = start + len(text)
    if is_step(passage, text):
        start = whole.rfind("\n", 0, start) + 1  # with its number
    for sentence in sentences(whole[end:]):
        stop = whole.find(sentence, end) + len(sentence)
        if stop - start > most * 0.7:
            break
        end = stop
    return whole[start:end]


def first_of(text: str, most: int) -> str:
    """The text, or as many of its first sentences as `most` characters hold."""
    end = 0
    for _, stop in sentence_spans(text):
        if stop > most and end:
            break
        end = stop
    return text[:end]


def _topic(passage: Passage, about: str) -> str:
    """What the passage should be about: its headings, what it is of, and what rules usually say."""
    return " ".join(
        (about, *passage.heading, *(_rule_words() if passage.source == "policy" else ()))
    )


@cache
def _rule_words() -> tuple[str, ...]:
    return tuple(wording for topic in all_topics() for wording in topic.wording.values())
