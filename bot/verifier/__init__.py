"""Judges whether everything a text says stands in the facts of its turn.

It reads surface text, whoever wrote it, and fails closed: what cannot be traced to a fact is
unsupported. Knows nothing about dialogue, retrieval or generators.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.turn import Fact, Language, Verdict
from bot.verifier.affirmed import check_affirmed
from bot.verifier.content import check_words
from bot.verifier.echoes import mask_echoes
from bot.verifier.factbook import Factbook, bounded
from bot.verifier.lexicon import lexicon
from bot.verifier.literal import check_codes, check_quote_subjects, check_quotes
from bot.verifier.mentions import Focus, find_mentions
from bot.verifier.money import check_comparatives
from bot.verifier.polarity import check_negations
from bot.verifier.reading import Reading
from bot.verifier.stock import check_stock
from bot.verifier.surface import HIDDEN, lower, normalise, sentences, tokens
from bot.verifier.unbacked import check_unbacked
from bot.verifier.values import check_values

__all__ = ["Verifier", "verify"]

MAX_CHARS = 4000


class Verifier:
    """Holds the vocabulary of both languages; `verify` may be called from several threads."""

    def __init__(self) -> None:
        for language in ("en", "zh"):
            lexicon(language)

    def verify(
        self,
        text: str,
        facts: Sequence[Fact],
        *,
        language: Language,
        act: str | Iterable[str] | None = None,
    ) -> Verdict:
        """See `verify`."""
        return verify(text, facts, language=language, act=act)


def verify(
    text: str,
    facts: Sequence[Fact],
    *,
    language: Language,
    act: str | Iterable[str] | None = None,
) -> Verdict:
    """Returns the verdict on a reply or a segment of one.

    `act` is the dialogue act the text phrases (several for a whole reply): it licenses the turns
    of phrase of that act's own phrasings. None knows of no act and licenses those of all but the
    ones that report something done. Empty and over-long text, and text with hidden characters,
    is unsupported as a whole.
    """
    if not text.strip() or len(text) > MAX_CHARS:
        return Verdict((text.strip()[:40] or "(empty)",))
    if hidden := HIDDEN.search(text):
        return Verdict((f"hidden character U+{ord(hidden.group()):04X}",))
    acts = frozenset([act] if isinstance(act, str) else act or ())
    normal = normalise(text)
    low = lower(normal)
    book = Factbook(facts)
    reading = Reading(
        normal, low, language, acts, book, lexicon(language), tokens(low),
        bytearray(len(low)), bytearray(len(low)),
    )  # fmt: skip
    check_quotes(reading)
    reading.mentions = find_mentions(normal, low, book, reading.words, reading.mask)
    reading.spans = sentences(low, _unbroken(reading))
    reading.focus = Focus(low, reading.spans, reading.mentions, book)
    check_quote_subjects(reading)
    check_codes(reading)
    mask_echoes(reading)
    reading.forget_windows()
    check_stock(reading)
    reading.forget_windows()
    check_values(reading)
    reading.forget_windows()
    check_comparatives(reading)
    check_negations(reading)
    check_affirmed(reading)
    check_words(reading)
    check_unbacked(reading)
    return Verdict(tuple(reading.unsupported))


def _unbroken(reading: Reading) -> bytearray:
    """Where no sentence ends: in quotes and titles, and in values of several lines."""
    held = bytearray(reading.mask)
    for entry in reading.book.claims:
        if "\n" in entry.low:
            for start, end in bounded(reading.low, entry.low):
                held[start:end] = b"\1" * (end - start)
    return held
