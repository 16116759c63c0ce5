"""Made-up names: a capitalised or numbered word that sticks to a product's title.

Knows nothing about other words; a name that stands alone is judged word by word.
"""

from __future__ import annotations

import re

from bot.verifier.factbook import stem
from bot.verifier.reading import Reading


def check_names(reading: Reading) -> None:
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
        if not (
            reading.words.neutral(word.lower()) or (begins and reading.words.neutral(word.lower()))
        ):
            subject = next(m.subject for m in reading.mentions if m.start == mention_start)
            if stem(word.lower()) not in reading.book.stems(subject):
                reading.flag(match.start(), match.end() - 1)
