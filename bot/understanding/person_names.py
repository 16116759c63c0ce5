"""Finds names of persons where they are certain: introduced, signed, titled or in an address.

A name that nothing introduces stays: it may be a brand, a place or a word. Looks for telephone
numbers and addresses that were found before, which `redaction` marks. Knows nothing about accounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from prompts.personal import pattern, word_set
from retrieval.english import is_common_word

Span = tuple[int, int]

# marks that stand in the place of what was found before; one for each character of it
ADDRESS_MARK = "\ue005"
CONTACT_MARKS = "\ue001\ue002"  # e-mail, telephone
_MARKS = f"{ADDRESS_MARK}{CONTACT_MARKS}"

_W = r"[^\W\d_\u2e80-\ud7ff\ue000-\uf8ff]"  # a letter, but of no East Asian script
_WORD = rf"{_W}+(?:['’-]{_W}+){{0,3}}"
_MORE = rf"(?:[ \t]{{1,2}}(?:{_WORD}\.?)){{0,4}}"
# looked ahead at, so that what follows a name may itself introduce one
_RUN = rf"(?=(?P<name>{_WORD}\.?{_MORE}))"
_PARTICLES = frozenset("van von de der den del di da dos bin ibn al el la le ter ten st".split())
_H = r"\u4e00-\u9fff"
_HAN = re.compile(rf"[{_H}]")
MOST_WORDS = 4
TITLE_CASE = 3  # a longer run of capitals is a heading, not a name


def find_names(text: str) -> Iterator[Span]:
    """Names in Latin and other alphabets."""
    small = text == text.lower()
    for match in _surely().finditer(text):
        start, end = match.span("name")
        if span := _introduced(text, start, end):
            yield span
    for match in _maybe().finditer(text):
        start, end = match.span("name")
        words = _capitals(text, start, end)
        if words and _is_person(words, text, match.group("cue")):
            yield start, words[-1][1]
    for match in _titled().finditer(text):
        start, end = match.span("name")
        words = _capitals(text, start, end, small=small)
        if words and not _is_brand(words, text) and not (small and _is_bare(text, match.start())):
            yield start, words[-1][1]
    for pattern_of in (_signed(), _here(), _dashed()):
        for match in pattern_of.finditer(text):
            words = _capitals(text, *match.span("name"))
            if words and words[0][2].casefold() in word_set("en", "given"):
                yield match.start("name"), words[-1][1]
    for pattern_of in (_signed_below(), _addressee()):
        for match in pattern_of.finditer(text):
            start, end = match.span("name")
            words = _capitals(text, start, end)
            if words and words[-1][1] >= end and (len(words) > 1 or pattern_of is _signed_below()):
                yield start, end


def find_chinese_names(text: str) -> Iterator[Span]:
    if not _HAN.search(text):
        return
    for shape in (_chinese_surely(), _chinese_maybe(), _chinese_around()):
        for match in shape.finditer(text):
            yield match.span(match.lastgroup or 0)


# -- Latin script -----------------------------------------------------------------------------------
_Words = list[tuple[int, int, str]]


def _capitals(text: str, start: int, end: int, *, small: bool = False) -> _Words:
    """The words of a name from `start` on: written large, with particles and initials between."""
    words: _Words = []
    for match in re.finditer(rf"{_WORD}", text[start:end]):
        word = match.group()
        plain = word.casefold()
        large = word[0].isupper() or (small and plain not in word_set("en", "no_name"))
        if not large and not (words and plain in _PARTICLES):
            break
        if plain in word_set("en", "no_name") or len(words) == MOST_WORDS:
            break
        if words and start + match.start() - words[-1][1] > 2:
            break
        stop = start + match.end()
        if (
            words
            and text[words[-1][1] : start + match.start()].startswith(".")
            and len(words[-1][2]) > 2
        ):
            break  # a sentence ended
        words.append((start + match.start(), stop, word))
        if small and len(words) == 2:
            break
    while words and words[-1][2].casefold() in _PARTICLES and not words[-1][2][0].isupper():
        words.pop()
    if words and text[words[-1][1] - 2 : words[-1][1]] in ("'s", "’s"):
        begin, stop, word = words[-1]
        words[-1] = (begin, stop - 2, word[:-2])
    return words


def _introduced(text: str, start: int, end: int) -> Span | None:
    """The name behind "my name is", in whatever letters."""
    if words := _capitals(text, start, end):
        return start, words[-1][1]
    words = _capitals(text, start, end, small=True)
    if not words or not words[0][2][0].islower():
        return None
    first = words[0]
    return start, words[-1][1] if not is_common_word(words[-1][2]) or (
        first[2].casefold() in word_set("en", "given")
    ) else first[1]


def _is_person(words: _Words, text: str, cue: str) -> bool:
    """Whether words written large behind "I'm" or "this is" name a person."""
    names = [word.casefold() for _, _, word in words]
    behind = text[words[-1][1] : words[-1][1] + 12]
    if re.match(r" (?:speaking|here|calling)\b", behind):
        return True
    if names[0] in word_set("en", "given"):
        return not re.match(r"['’]s|[ -]+[A-Z\d]", behind)
    mine = cue.casefold().replace("’", "'").startswith(("i", "on behalf", "made", "billed", "c/o"))
    return (
        mine
        and not cue.casefold().startswith("it")
        and 2 <= len(words) <= TITLE_CASE
        and not re.match(r"[ -]+[A-Z\d]", behind)
        and not all(map(is_common_word, names))
    )


def _is_bare(text: str, title: int) -> bool:
    """Whether a title in small letters stands where a product's name may: "is mr foam any good"."""
    before = text[:title].split()
    dotted = re.match(r"\w+\.", text[title:])
    return not dotted and not (before and before[-1] in word_set("en", "before_title"))


def _is_brand(words: _Words, text: str) -> bool:
    """Whether a title and a name are a brand: "Dr. Martens", "Mr. Coffee's"."""
    first = words[0][2].casefold().replace("'", "").replace("’", "")
    behind = text[words[-1][1] : words[-1][1] + 3]
    return first in word_set("en", "title_brand") or re.match(r"['’]s|-?\d", behind) is not None


@cache
def _surely() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?i:{pattern('en', 'name_surely')})[ \t:]{{0,4}}{_title()}{_RUN}")


@cache
def _maybe() -> re.Pattern[str]:
    return re.compile(
        rf"(?<!\w)(?P<cue>(?i:{pattern('en', 'name_maybe')}))[ \t]{{1,2}}(?=[A-Z\u00c0-\uffff]){_RUN}"
    )


def _title() -> str:
    titles = "|".join(sorted(word_set("en", "title")))
    return rf"(?:(?i:{titles})\.?[ \t]{{1,2}})?"


@cache
def _titled() -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:[Mm](?:r|rs|s|x)|[Dd]r|[Pp]rof)\.?[ \t]{{1,2}}{_RUN}")


@cache
def _signed() -> re.Pattern[str]:
    """ "Thanks, Sarah" at the end."""
    return re.compile(
        rf"(?i:\b(?:{pattern('en', 'farewell')}))[,!.]{{0,2}}\s{{1,3}}[-–—~]?\s?(?P<name>{_WORD}(?:[ \t]{_WORD}\.?){{0,2}})[.!]?\s*$"
    )


@cache
def _signed_below() -> re.Pattern[str]:
    """A line of its own under "Kind regards"."""
    return re.compile(
        rf"(?im:^[ \t]{{0,4}}(?:{pattern('en', 'farewell')})[,!. ]{{0,3}})\n\s{{0,4}}[-–—~]?[ \t]?"
        rf"(?P<name>{_WORD}(?:[ \t]{_WORD}|[ \t]{_W}\.){{0,3}})[ \t]*(?=\n|$)"
    )


@cache
def _here() -> re.Pattern[str]:
    return re.compile(
        rf"(?<![\w-])(?P<name>{_WORD}(?:[ \t]{_WORD})?) here\b(?=[,.!:]| from| again|$)"
    )


@cache
def _dashed() -> re.Pattern[str]:
    return re.compile(
        rf"[\n.!?][ \t]{{0,3}}[-–—~][ \t]?(?P<name>{_WORD}(?:[ \t]{_WORD}\.?){{0,2}})\s*$"
    )


@cache
def _addressee() -> re.Pattern[str]:
    """A line of its own, or behind a colon, right above an address."""
    return re.compile(
        rf"(?m:^[ \t>]{{0,4}}|: ?|\b(?:Mr|Mrs|Ms|Mx|Dr)\. ?)(?P<name>{_WORD}(?:[ \t]{_WORD}\.?|[ \t]{_W}\.){{1,3}})"
        rf"(?:[ \t,]{{0,3}}\n[\s>]{{0,4}}|, |[ \t]{{1,2}})(?=[{_MARKS}])"
    )


# -- Chinese ----------------------------------------------------------------------------------------
def _chinese_name() -> str:
    surnames = "|".join(sorted(word_set("zh", "surname"), key=len, reverse=True))
    never = "".join(word_set("zh", "no_given"))
    return rf"(?:{surnames})·?(?:(?![{never}])[{_H}]){{1,2}}"


@cache
def _chinese_surely() -> re.Pattern[str]:
    never = "".join(word_set("zh", "no_given"))
    return re.compile(
        rf"(?:{pattern('zh', 'name_surely')})[\s:：是“\"]{{0,4}}"
        rf"(?:(?P<a>{_chinese_name()})|(?<=[:：是为叫成])(?P<b>(?:(?![{never}])[{_H}·]){{2,4}})(?=[，,。；;！!\s]|$)"
        rf"|(?P<c>[A-Z][a-z]+(?: [A-Z][a-z]+){{0,2}}))"
    )


@cache
def _chinese_maybe() -> re.Pattern[str]:
    """Where a stop follows, or an honorific."""
    return re.compile(
        rf"(?:{pattern('zh', 'name_maybe')})(?P<a>{_chinese_name()})(?=[，,。；;！!\s]|$)"
    )


@cache
def _chinese_around() -> re.Pattern[str]:
    """Names told by what follows: 收, a telephone number, an honorific."""
    surnames = "|".join(sorted(word_set("zh", "surname"), key=len, reverse=True))
    honorific = "|".join(word_set("zh", "honorific"))
    return re.compile(
        rf"(?<![{_H}A-Za-z\d])(?:"
        rf"(?P<a>{_chinese_name()})(?=[(（]?收[)）]?(?:[，,。；;！!\s]|$))"
        rf"|(?P<b>{_chinese_name()})(?=[\s，,:：]{{0,2}}[{_MARKS}])"
        rf"|(?P<c>(?:{surnames})(?:(?![的是])[{_H}]){{0,2}}?)(?=(?:{honorific})(?![{_H}]))"
        rf"|(?:我是|我姓|找|给)(?P<d>(?:{surnames}))(?=(?:{honorific}))"
        rf")"
    )
