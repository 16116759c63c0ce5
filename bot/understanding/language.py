"""Which language a message is in: English, Chinese, or another that the bot cannot serve."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from retrieval.english import english_words

WIDE = re.compile(r"[\u3400-\u9fff]")
LATIN_WORD = re.compile(r"[^\W\d_]{2,}")
OTHER_SCRIPT = re.compile(r"[\u0370-\u06ff\u0900-\u0eff\u3040-\u30ff\uac00-\ud7af]")
MIN_WORDS = 4  # shorter messages are too often names and typos to call them foreign
CERTAIN = 0.9
# words of English and of none of the other languages; a third of them makes a message English
_ENGLISH = frozenset(
    "is it the of and to do does did you your my how what when where which who why can could will"
    " would should have has any this that these those for with from are i'm it's what's".split()
)
# commonest words of the other languages that are no English ones; two of them are no accident
_ELSEWHERE = frozenset(
    "la le les der das und ist est el los las il che per con una une des du elle mon mein ich je de"
    " sie wo mi su voor een het que qui votre pour nicht".split()
)
DICTIONARY_LETTERS = 4  # shorter words stand in several languages
DICTIONARY = 0.6  # share of a message's longer words that stand in an English dictionary
# what redaction left, and order or model numbers: in no language, yet read as foreign words
_NO_WORDS = re.compile(
    r"\[(?:email|phone|card|id|address|name|contact)\]|(?<![A-Za-z0-9-])[A-Za-z-]*\d[A-Za-z0-9-]*",
    re.ASCII,
)


def language_of(text: str, *, before: str | None, locale: str | None) -> tuple[str, bool]:
    """Returns ("en" | "zh", whether the message is in neither).

    The message decides; where it does not (a number, an emoji), the language of the turn before,
    then the locale.
    """
    text = _NO_WORDS.sub(" ", text)
    wide = len(WIDE.findall(text))
    words = LATIN_WORD.findall(WIDE.sub(" ", text))
    other = len(OTHER_SCRIPT.findall(text))
    if other >= 2 and other * 2 >= wide + sum(map(len, words)) - other:
        return "en", True
    if wide and wide * 2 >= len(words):
        return "zh", False
    if not words:
        fallback = before or locale or "en"
        return ("zh" if fallback == "zh" else "en"), False
    if len(words) >= MIN_WORDS and not _reads_english(text):
        scores = {
            value.language.iso_code_639_1.name: value.value
            for value in _detector().compute_language_confidence_values(text)
        }
        top = max(scores, key=lambda name: scores[name])
        if top != "EN" and scores[top] >= CERTAIN and scores.get("EN", 0.0) < 1 - CERTAIN:
            return "en", True
    return "en", False


def _reads_english(text: str) -> bool:
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.casefold().replace("’", "'"))
    if sum(word in _ENGLISH for word in words) * 3 >= len(words):
        return True
    longer = [word for word in words if len(word) >= DICTIONARY_LETTERS]
    known = sum(word in english_words() for word in longer)
    elsewhere = sum(word in _ELSEWHERE for word in words)
    return elsewhere < 2 and bool(longer) and known >= DICTIONARY * len(longer)


@cache
def _detector() -> Any:
    from lingua import Language, LanguageDetectorBuilder

    known = ("ENGLISH", "GERMAN", "FRENCH", "SPANISH", "ITALIAN", "PORTUGUESE", "DUTCH", "RUSSIAN")
    languages = [getattr(Language, name) for name in (*known, "JAPANESE", "ARABIC", "CHINESE")]
    return LanguageDetectorBuilder.from_languages(*languages).with_low_accuracy_mode().build()
