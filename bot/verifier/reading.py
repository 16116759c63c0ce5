"""The text under judgement with everything read from it, and the findings so far.

Knows nothing about what makes a claim true.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.turn import Language
from bot.verifier.factbook import Factbook
from bot.verifier.lexicon import EDGE, SLOT, Gram, Lexicon
from bot.verifier.mentions import Focus, Mention
from bot.verifier.surface import Token

FACT, SETTLED = 1, 2
REPORTING = frozenset({"request_recorded", "request_dropped", "feedback_received"})


@dataclass
class Reading:
    """`mask` marks characters that a fact accounts for (FACT) or that need none (SETTLED);
    `quoted` those inside verified quotes."""

    text: str
    low: str
    language: Language
    acts: frozenset[str]
    book: Factbook
    words: Lexicon
    tokens: tuple[Token, ...]
    mask: bytearray
    quoted: bytearray
    spans: list[tuple[int, int]] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    focus: Focus | None = None
    unsupported: list[str] = field(default_factory=list)
    values: list[tuple[int, int]] = field(default_factory=list)
    asides: list[tuple[int, int]] = field(default_factory=list)
    _grams: list[str] | None = None
    _places: dict[int, int] = field(default_factory=dict)

    def cover(self, start: int, end: int, by: int = FACT) -> None:
        self.mask[start:end] = bytes([by]) * (end - start)

    def covered(self, start: int, end: int) -> bool:
        return all(self.mask[start:end])

    def free(self, start: int, end: int) -> bool:
        return not any(self.mask[start:end])

    def flag(self, start: int, end: int) -> None:
        words = self.text[start:end].strip()
        if words and words not in self.unsupported:
            self.unsupported.append(words)

    def bare(self, start: int, end: int) -> str:
        """A stretch with titles, quotes and the shopper's own words drawn as "_"."""
        out = self.low[start:end]
        spans = [(m.start, m.end) for m in self.mentions if m.by_name] + self.asides
        for first, last in sorted(spans, reverse=True):
            if start <= first and last <= end:
                out = out[: first - start] + "_" + out[last - start :]
        return out

    def values_in(self, start: int, end: int) -> bool:
        """True when a value of a fact stands in the stretch."""
        return any(start <= first < end for first, _ in self.values)

    def phrased_as(self) -> Iterable[str]:
        """The acts whose phrasings license a turn of phrase: the given ones, or where none is
        known all but those that report something done without a fact of it."""
        if self.acts:
            return self.acts
        numbered = any(e.fact.source == "request" for e in self.book.claims)
        return [a for a in self.words.grams if a not in REPORTING or numbered]

    def said(self) -> frozenset[str]:
        """The products named."""
        return frozenset(m.subject for m in self.mentions)

    def window(self, at: int, reach: int) -> Gram:
        """The tokens around the token that starts at `at`; what facts account for reads "<>"."""
        run = self.run()
        place = self._places[at]
        padded = [EDGE] * reach + run + [EDGE] * reach
        return tuple(padded[place : place + 2 * reach + 1])

    def run(self) -> list[str]:
        """All tokens in order; what facts account for reads "<>"."""
        if self._grams is None:
            self._grams = []
            for token in self.tokens:
                if self.mask[token.start] == FACT:
                    if self._grams and self._grams[-1] == SLOT:
                        self._places[token.start] = len(self._grams) - 1
                        continue
                    self._grams.append(SLOT)
                else:
                    self._grams.append("\n" if token.kind == "newline" else token.text)
                self._places[token.start] = len(self._grams) - 1
        return self._grams

    def forget_windows(self) -> None:
        self._grams, self._places = None, {}
