"""Finds postal addresses written in Latin (or Greek or Cyrillic) script.

An address is told by evidence that adds up: a house number and a street's name, a flat, a postcode
behind a place, a country, and words that speak of an address just before. A number and a name alone
are none ("2 Galaxy Buds", "5 Park Lane tents"), and neither is a place ("do you ship to Berlin?").
Knows nothing about whether the address exists.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from bot.understanding.address_words import Words
from prompts.personal import pattern, word_set
from retrieval.english import is_common_word

Span = tuple[int, int]

ENOUGH = 3  # points of evidence that make an address
NAME_WORDS = 6  # a street's name has at most so many words
TAIL_WORDS = 16  # what follows the street: flat, place, region, postcode, country
FARTHEST = NAME_WORDS + 2  # tokens from the first to a number
SHORT_FORM = 3  # letters of a word that a full stop shortens
CUE_REACH = 72  # characters before an address in which it is spoken of

_CORNER = re.compile(
    r"\b(?:the )?(?:corner|junction|intersection|crossing) of (?=\S)", re.IGNORECASE
)


_WORTH_READING = re.compile(rf"\d|{_CORNER.pattern}", re.IGNORECASE)  # a house has a number
# from words that speak of an address to it: at once, or through the rest of the clause
_LEAD = re.compile(
    r"(?: (?:it|this|that|them))?[\s:>\"'–-]{0,6}"
    r"|[^.!?\n]{0,44}(?:\b(?:to|at|in|on|is|are|was|of|same|by|from|near|and|it|here|now)\b|[:,–-])"
    r"[\s:>\"'–-]{0,6}",
    re.IGNORECASE,
)
CUES_TRIED = 3


@dataclass(frozen=True, slots=True)
class Street:
    """What may be a street with its number: the token it ends before, and its evidence."""

    end: int
    points: int
    numbered: bool  # whether the number stands first
    named: bool = False  # whether a word says that it is a street


def find_addresses(text: str) -> Iterator[Span]:
    """Spans of addresses, in order and apart."""
    if _WORTH_READING.search(text):
        yield from _Reader(text).addresses()


class _Reader(Words):
    """Reads one text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.corners = {m.start(): m.end() for m in _CORNER.finditer(text)}
        self.cues = [m.end() for m in _cue_pattern().finditer(text)]
        self.opens = self._openings()

    def addresses(self) -> Iterator[Span]:
        index = 0
        while index < len(self.tokens):
            end = self._address(index) if self.opens[index] else None
            if end is None:
                index += 1
                continue
            yield self.tokens[index].start, self.tokens[end - 1].end
            index = end

    def _address(self, index: int) -> int | None:
        """The token before which the address that begins here ends, if there is one."""
        start = self.tokens[index].start
        if start in self.military:
            return self._token_from(self.military[start], index)
        if start in self.corners and (end := self._corner(index)):
            return end
        if (box := self._box(index)) is not None:
            return self._tail(box, index)[0]
        best: tuple[int, int] | None = None
        flat = self._unit(index)
        begin = index if flat is None else self._skip_separators(flat)
        for street in self._streets(begin):
            end, points = self._tail(street.end, index)
            points += street.points + (flat is not None)
            points += street.named and street.points == 2 and self._is_line(index, end)
            if street.points and (points < ENOUGH or points == street.points):
                points += self._cue(start)
            if points == street.points and self._names_a_thing(street):
                continue
            if points >= ENOUGH and (best is None or (end, points) > best):
                best = end, points
        return best[0] if best else None

    # -- what leads to an address ----------------------------------------------------------------
    def _cue(self, start: int) -> int:
        """Two points where words just before speak of an address."""
        last = bisect_right(self.cues, start)
        led = any(
            start - end <= CUE_REACH and _LEAD.fullmatch(self.text, end, start)
            for end in self.cues[max(0, last - CUES_TRIED) : last]
        )
        return 2 if led else 0

    def _openings(self) -> list[bool]:
        """For each token whether an address may begin there: a number is not far behind."""
        opens = [False] * len(self.tokens)
        number = len(self.tokens) + FARTHEST
        for index in range(len(self.tokens) - 1, -1, -1):
            token = self.tokens[index]
            if token.kind == "number":
                number = index
            if token.start in self.corners:
                opens[index] = True
            elif token.kind in ("number", "word"):
                opens[index] = number - index <= FARTHEST
        return opens

    # -- the street --------------------------------------------------------------------------------
    def _streets(self, index: int) -> Iterator[Street]:
        """Every way to read a street from this token on."""
        numbers = 0
        while numbers < 2 and self._is_number(index + numbers):
            numbers += 1
        if numbers and self._kind(index - 1) in ("hash", "dot") and self._touches(index):
            return
        after = index + numbers
        if numbers and (box := self._box(after)):
            yield Street(box, 3, True)
        if numbers and self._word(after) in word_set("en", "measures"):
            return
        names = 0
        sure = maybe = False
        while names < NAME_WORDS and self._in_street(after, names):
            word = self._word(after + names)
            names += 1
            stop = self._skip_dot(after + names)
            if names >= 2 or numbers == 2:
                if numbers and word in word_set("en", "street_sure"):
                    yield Street(self._direction(stop), 3, True)
                elif numbers and word in word_set("en", "street_maybe"):
                    yield Street(self._direction(stop), 2, True, named=True)
            if names == 1 or numbers:
                sure = sure or word in word_set("en", "street_before")
                maybe = maybe or word in word_set("en", "street_before_maybe")
            if stop > after + names and ((names == 1 and sure) or len(word) <= SHORT_FORM):
                after += 1  # "ul. Długa", "St. Mark's": the stop belongs to the short form
            ending = any(
                word.endswith(end) and len(word) > len(end) + 1
                for end in word_set("en", "street_ends")
            ) or (names >= 2 and self._is_behind(after + names - 1))
            if self._is_number(stop) and (stop == after + names or ending or sure):
                points = 3 if (sure and names >= 2) or ending else 2 if numbers or maybe else 1
                if points > 1 or not self._counts(after, stop):
                    yield Street(
                        self._skip_dot(stop + 1, number=True),
                        points + (numbers == 2),
                        bool(numbers),
                    )
            if numbers and (ending or (sure and names >= 2)):
                yield Street(after + names, 3, True)
            elif numbers == 2 or (numbers and names <= 4):
                yield Street(after + names, numbers, True)

    def _in_street(self, first: int, names: int) -> bool:
        """Whether the word behind `names` others goes on with the name of a street."""
        index = first + names
        if self._is_name(index):
            return True
        word = self._word(index)
        if not names:
            return word in word_set("en", "street_before")
        return (
            word in word_set("en", "joining")
            or word in word_set("en", "street_behind")
            or word in word_set("en", "street_sure")
            # "rue de la paix"
            or (bool(word) and self._joins(index - 1) and word not in word_set("en", "no_place")
                and self._word(first) in word_set("en", "street_before"))
        )  # fmt: skip

    def _counts(self, first: int, number: int) -> bool:
        """Whether a name and a number are none of a house: "Springfield 3 years ago", "Zone 5"."""
        if self._word(number + 1) in word_set("en", "measures"):
            return True
        figures = self.tokens[number].text
        words = [self._word(index) for index in range(first, number)]
        return self.small or (len(figures) == 1 and all(map(is_common_word, words)))

    def _is_line(self, first: int, end: int) -> bool:
        """Whether nothing else stands in the line."""
        return self._kind(first - 1) in ("", "line") and (
            self._kind(end) in ("", "line")
            or (self._kind(end) in ("dot", "comma") and self._kind(end + 1) in ("", "line"))
        )

    def _names_a_thing(self, street: Street) -> bool:
        """Whether what follows makes the street a name: "5 Park Lane tents", "200 Watt Street Light"."""
        token = self._token(street.end)
        return (
            street.numbered
            and token is not None
            and token.kind == "word"
            and token.word not in word_set("en", "after_address")
        )

    def _direction(self, index: int) -> int:
        return index + 1 if self._word(index) in word_set("en", "direction") else index

    # -- what follows the street ------------------------------------------------------------------
    def _tail(self, index: int, first: int) -> tuple[int, int]:
        """Where the address ends that has come to this token, and the evidence that follows."""
        end, parts, small_words = index, 0, 0
        separated = unit = post = land = False
        limit = index + TAIL_WORDS
        while index < len(self.tokens) and index < limit:
            token = self.tokens[index]
            if token.kind in ("comma", "line"):
                parts += 1
                separated, small_words = True, 0
                index += 1
                if parts > 8:
                    break
                continue
            if token.start in self.boxes:
                index = self._token_from(self.boxes[token.start], index)
                end, unit = index, True
                continue
            if (after := self._unit(index)) is not None:
                end = index = after
                unit, separated = True, False
                continue
            if token.start in self.postcodes and (separated or end > first):
                index = self._token_from(self.postcodes[token.start], index)
                end, post = index, True
                continue
            if token.kind == "number" and self._is_postcode(index):
                end = index = index + 1
                post = True
                continue
            if token.kind == "number" and not token.text[-1].isalpha() and len(token.text) <= 2:
                if self._is_postcode(index + 1) or self._unit(index + 1) is not None:
                    index += 1  # a region given as a number: ", 43 73313"
                    continue
                break
            if self._country(index):
                index += self._country(index)
                end, land = index, True
                if self._kind(index) == "open" and self._kind(index + 2) == "close":
                    end = index = index + 3
                continue
            if token.kind == "word" and self._is_place(index, separated or unit or post):
                index = self._skip_dot(index + 1) if len(token.text) <= 3 else index + 1
                small_words += 1
                # where nothing is written large, a place has few words; what is sure goes on
                if not self.small or small_words <= 3:
                    end = index
                continue
            if token.kind == "word" and self._joins(index) and self._is_name(index + 1):
                index += 1
                continue
            break
        return end, 2 * unit + 2 * (post and land) + (post or land)

    def _corner(self, index: int) -> int | None:
        """Behind "the corner of … and …", where names stand on both sides."""
        first = self._token_from(self.corners[self.tokens[index].start], index)
        middle = self._names(first)
        if middle == first or self._word(middle) not in ("and", "&"):
            return None
        end = self._names(middle + 1)
        return end if end > middle + 1 else None

    def _names(self, index: int) -> int:
        last, limit = index, index + NAME_WORDS + 2
        while index < limit and self._token(index):
            named = self._is_name(index) or self._word(index) in (
                word_set("en", "street_before")
                | word_set("en", "street_sure")
                | word_set("en", "street_behind")
            )
            if self._is_number(index) or named:
                index = self._skip_dot(index + 1, number=self._is_number(index))
                last = index
            elif self._joins(index) and self._word(index) != "and":
                index += 1
            else:
                break
        return last


@cache
def _cue_pattern() -> re.Pattern[str]:
    return re.compile(
        rf"\b(?:{pattern('en', 'address_cue')})\b|\b(?:user|me)\s{{0,2}}(?=:)", re.IGNORECASE
    )
