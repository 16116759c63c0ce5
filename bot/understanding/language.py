"""Which language a message is in: English, Chinese, or another that the bot cannot serve."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

WIDE = re.compile(r"[\u3400-\u9fff]")
LATIN_WORD = re.compile(r"[^\W\d_]{2,}")
MIN_WORDS = 4  # shorter messages are too often names and typos to call them foreign
CERTAIN = 0.9


def language_of(text: str, *, before: str | None, locale: str | None) -> tuple[str, bool]:
    """Returns ("en" | "zh", whether the message is in neither).

    The message decides; where it does not (a number, an emoji), the language of the turn before,
    then the locale.
    """
    wide = len(WIDE.findall(text))
    words = LATIN_WORD.findall(WIDE.sub(" ", text))
    if re.search(r"[\u3040-\u30ff\uac00-\ud7af]", text):
        return "en", True
    if wide and wide * 2 >= len(words):
        return "zh", False
    if not words:
        fallback = before or locale or "en"
        return ("zh" if fallback == "zh" else "en"), False
    if len(words) >= MIN_WORDS:
        scores = {
            value.language.iso_code_639_1.name: value.value
            for value in _detector().compute_language_confidence_values(text)
        }
        top = max(scores, key=lambda name: scores[name])
        if top != "EN" and scores[top] >= CERTAIN and scores.get("EN", 0.0) < 1 - CERTAIN:
            return "en", True
    return "en", False


@cache
def _detector() -> Any:
    from lingua import Language, LanguageDetectorBuilder

    known = ("ENGLISH", "GERMAN", "FRENCH", "SPANISH", "ITALIAN", "PORTUGUESE", "DUTCH", "RUSSIAN")
    languages = [getattr(Language, name) for name in (*known, "JAPANESE", "ARABIC", "CHINESE")]
    return LanguageDetectorBuilder.from_languages(*languages).with_low_accuracy_mode().build()
