"""The words of a shop: mends what a shopper mistyped, and finds compounds of a word.

A Latin word is mended only when neither the shop nor English knows it, a Chinese one only when a
word of the shop differs in one character that sounds the same, or when the run is no word at all.
Knows nothing of ranking.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from retrieval.english import english_words, is_english, vocabulary
from retrieval.text import (
    CJK,
    chinese_words,
    has_cjk,
    is_chinese_word,
    normalise,
    stem,
    units,
    words,
)

_LATIN_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_CJK_RUN = re.compile(f"[{CJK}]{{3,}}")
_CJK_PAIRS = re.compile(f"[{CJK}]{{2,}}")
_MIN_LATIN = 4
_MIN_ENGLISH = 6  # a shorter word is too easily another English word
_CHINESE_LENGTHS = (5, 4, 3)
_COMPOUND_MIN = 7
MOST_WORDS = 200_000  # a typo is compared with each of them in about 20 ms


@lru_cache(maxsize=10_000)
def _sound(char: str) -> str:
    """The toneless reading of a Chinese character as it is mostly read."""
    from pypinyin import Style, lazy_pinyin

    return str(lazy_pinyin(char, style=Style.NORMAL)[0])


@lru_cache(maxsize=64)
def _english_ending(letter: str) -> tuple[str, ...]:
    """The English words that end in a letter."""
    return tuple(word for word in english_words() if word[-1] == letter)


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def _edits_allowed(word: str) -> int:
    return 1 if len(word) < 8 else 2


def _nearest(word: str, candidates: Iterable[str], *, edits: int) -> list[str]:
    """Candidates within so many edits (a swap of neighbours is one), nearest first."""
    found = process.extract(
        word, list(candidates), scorer=OSA.distance, score_cutoff=edits, limit=20
    )
    if len(word) < 6:  # people rarely miss the first letter, and short words have many neighbours
        found = [hit for hit in found if hit[0][0] == word[0]]
    best = min((hit[1] for hit in found), default=0)
    return [hit[0] for hit in found if hit[1] == best]


class Lexicon:
    """The words of a shop's texts, as written, with the number of texts that hold each."""

    def __init__(self, counts: Mapping[str, int], *, pairs: Iterable[str] = ()) -> None:
        """`pairs` are neighbouring Chinese characters of the texts: what they hold is right."""
        self.counts = dict(counts)
        self.pairs = frozenset(pairs)
        self._stems = {stem(word) for word in self.counts if not has_cjk(word)}
        self._latin = [
            word for word in self.counts if len(word) >= _MIN_LATIN and _LATIN_WORD.fullmatch(word)
        ]
        self._chinese: dict[int, dict[str, int]] = {length: {} for length in _CHINESE_LENGTHS}
        for word, count in self.counts.items():
            if len(word) in self._chinese and has_cjk(word):
                self._chinese[len(word)][word] = count
        self._heads = self._compound_heads()
        self._sounds: dict[str, list[str]] | None = None

    @classmethod
    def of(cls, texts: Iterable[str]) -> Lexicon:
        """Gathers the words of texts."""
        counter = WordCounter()
        for text in texts:
            counter.add(text)
        return counter.lexicon()

    def joined(self, other: Lexicon) -> Lexicon:
        """The words of both."""
        counts = Counter(self.counts)
        counts.update(other.counts)
        return Lexicon(_kept(counts), pairs=self.pairs | other.pairs)

    def _compound_heads(self) -> dict[str, tuple[str, ...]]:
        """Stem of a head → stems of the compounds that end in it, both parts being words here."""
        heads: dict[str, set[str]] = {}
        for word in self._latin:
            if len(word) < _COMPOUND_MIN:
                continue
            for cut in range(3, len(word) - 3):
                head = stem(word[cut:])
                if head in self._stems and len(head) > 2 and stem(word[:cut]) in self._stems:
                    heads.setdefault(head, set()).add(stem(word))
        return {head: tuple(sorted(found - {head})) for head, found in heads.items()}

    def compounds(self, word: str) -> tuple[str, ...]:
        """Stems of compounds whose last part is the word: smartphone, earphone for phone."""
        return self._heads.get(stem(word), ())

    def correct(self, text: str) -> tuple[str, dict[str, str]]:
        """The text with mistyped words replaced, and what was replaced by what.

        A word that the shop or English knows is never touched, nor is one with digits.
        """
        changed: dict[str, str] = {}

        def latin(match: re.Match[str]) -> str:
            written = match.group()
            mended = self._mend_latin(normalise(written))
            if mended is None:
                return written
            changed[written] = mended
            return mended

        def chinese(match: re.Match[str]) -> str:
            run = match.group()
            for wrong, right in self._mend_chinese(run):
                changed[wrong] = right
                run = run.replace(wrong, right, 1)
            return run

        return _CJK_RUN.sub(chinese, _LATIN_WORD.sub(latin, text)), changed

    def _mend_latin(self, word: str) -> str | None:
        known = word in self.counts or stem(word) in self._stems
        if known or len(word) < _MIN_LATIN or has_cjk(word) or not units(word):
            return None
        if is_english(word):
            return None  # nor is coworker mistyped for a cooker
        if word.endswith("s") and len(word) == _MIN_LATIN and word[:-1] in vocabulary():
            return None  # mens, kids: a possessive without its apostrophe is no typo
        near = _nearest(word, self._latin, edits=_edits_allowed(word))
        if near:
            return max(near, key=lambda found: (found[0] == word[0], self.counts[found]))
        if len(word) >= _MIN_ENGLISH:
            # another ending makes another word: stroller is no mistyped strolled
            near = _nearest(word, _english_ending(word[-1]), edits=1)
            return near[0] if len(near) == 1 else None
        return None

    def _mend_chinese(self, run: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        at = 0
        while at < len(run):
            for length in _CHINESE_LENGTHS:
                window = run[at : at + length]
                if len(window) == length and (right := self._mend_window(window)):
                    found.append((window, right))
                    at += length
                    break
            else:
                at += 1
        return found

    def _mend_window(self, window: str) -> str | None:
        candidates = self._chinese[len(window)]
        if is_chinese_word(window) or all(pair in self.pairs for pair in _pairs(window)):
            return None
        best: tuple[int, str] | None = None
        pieces = chinese_words(window)
        no_words = all(len(piece) == 1 for piece in pieces)
        for word, count in candidates.items():
            wrong = [at for at in range(len(word)) if word[at] != window[at]]
            if len(wrong) != 1:
                continue
            alike = _sound(window[wrong[0]]) == _sound(word[wrong[0]])
            # 羊毛被 is a wish of its own, not a mistyped 羊毛毯: a part that is a word, or a
            # character that starts a longer word, must at least sound like what replaces it
            if (alike or no_words) and (best is None or count > best[0]):
                best = (count, word)
        if best is None and no_words:
            return self._dictionary_word(window)
        return best[1] if best else None

    def _dictionary_word(self, window: str) -> str | None:
        """A word of the language that sounds the same and has its changed part in the shop.

        The shop may write 风扇 where the shopper means 电风扇 and types 电风善.
        """
        for at, char in enumerate(window):
            for other in self._by_sound().get(_sound(char), ()):
                word = window[:at] + other + window[at + 1 :]
                beside = (word[max(at - 1, 0) : at + 1], word[at : at + 2])
                if is_chinese_word(word) and any(pair in self.pairs for pair in beside):
                    return word
        return None

    def _by_sound(self) -> dict[str, list[str]]:
        """The Chinese characters of the shop by how they sound; made at the first mistake."""
        if self._sounds is None:
            sounds: dict[str, list[str]] = {}
            for char in sorted({char for pair in self.pairs for char in pair}):
                sounds.setdefault(_sound(char), []).append(char)
            self._sounds = sounds
        return self._sounds


class WordCounter:
    """Takes texts one by one and gathers their words."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._pairs: set[str] = set()

    def add(self, text: str) -> None:
        """The next text."""
        self._counts.update(set(words(text)))
        for run in _CJK_PAIRS.findall(text):
            self._pairs.update(_pairs(run))

    def lexicon(self) -> Lexicon:
        """The words of all texts that were added, the commonest MOST_WORDS of them."""
        return Lexicon(_kept(self._counts), pairs=self._pairs)


def _kept(counts: Counter[str]) -> dict[str, int]:
    """Of too many words first those with digits go, which are never mended, then the rarest."""
    if len(counts) <= MOST_WORDS:
        return dict(counts)
    lettered = Counter({word: count for word, count in counts.items() if word.isalpha()})
    return dict(lettered.most_common(MOST_WORDS))
