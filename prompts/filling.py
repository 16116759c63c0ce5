"""Fills slot-marked text with values, and writes the prompt a generator reads.

The language of facts: `<title_1>` stands for the value of slot `title_1`. Knows nothing about
models or where values come from.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from typing import Literal, get_args

from prompts.acts import MARKER

# version 1 knew no tone, version 2 no hints, version 3 not that something is gone; without them the
# prompts of all four are the same
FORMAT_VERSION = 4

# "casual" is the way of real service talk in the training corpus; its words are not vetted as ours
# are, so no shop speaks in it
SpokenTone = Literal["neutral", "warm", "brief"]
Tone = Literal[SpokenTone, "casual"]
TONES: tuple[Tone, ...] = ("neutral", "warm", "brief", "casual")
Hint = Literal["one", "many", "long", "gone"]
HINTS: tuple[Hint, ...] = get_args(Hint)
OUT_OF_STOCK = {"en": "out of stock", "zh": "缺货"}
LONG = {"en": 60, "zh": 30}  # characters; a longer value stands last in its line
MESSAGE_WORDS = 16  # of the shopper's last message; more costs time and taught nothing

_ARTICLE = re.compile(r"\b([Aa])n? (?=<([a-z_]+(?:_\d)?)>)")
_PLURAL = re.compile(r"[a-z]{2}(?<!s)(?<!u)(?<!i)s$", re.IGNORECASE)  # materials, not glass, radius
_VOWEL = re.compile(  # by sound: an hour, an 8-person tent; a one-person tent, a European size
    r"(?!one\b|once\b|eu(?!ph))(?:[aeio]|u(?!ni|se|su|ti)|8|11\b|18\b|hour|honest|heir)",
    re.IGNORECASE,
)


def prompt_of(
    language: str,
    act: str,
    slots: Sequence[str],
    message: str,
    *,
    tone: Tone = "neutral",
    hints: Mapping[str, Hint] | None = None,
) -> str:
    """Serialises what the generator is to say: language, tone, act, slot names in canonical order,
    each with the hint on its value where it has one, message.

    The neutral tone has no word of its own. Every control word is one token of the trained
    tokenizer; see `special_tokens`.
    """
    words = message.replace("<", " ").replace(">", " ").split()[:MESSAGE_WORDS]
    known = hints or {}
    marked = "".join(
        f"<{slot}><|{known[slot]}|>" if slot in known else f"<{slot}>" for slot in slots
    )
    manner = "" if tone == "neutral" else f"<|{tone}|>"
    return f"<|{language}|>{manner}<|{act}|>{marked}<|user|>{' '.join(words)[:120]}<|bot|>"


def special_tokens(acts: Sequence[str], slots: Sequence[str]) -> list[str]:
    """Lists every control word of the format, so that a tokenizer keeps each one whole."""
    control = ["<|pad|>", "<|end|>", "<|en|>", "<|zh|>", "<|user|>", "<|bot|>"]
    control += [f"<|{act}|>" for act in acts] + [f"<{slot}>" for slot in slots]
    control += [f"<|{tone}|>" for tone in TONES if tone != "neutral"]
    return control + [f"<|{hint}|>" for hint in HINTS]


def hints_of(language: str, values: Mapping[str, str]) -> dict[str, Hint]:
    """Says what words must suit in values: one thing or several, what is too long to go on after
    it, and a stock that is gone. Slots whose value asks for nothing are left out.
    """
    hints: dict[str, Hint] = {}
    for slot, value in values.items():
        if len(value) > LONG[language]:
            hints[slot] = "long"
        elif slot.startswith("stock_") and value == OUT_OF_STOCK[language]:
            hints[slot] = "gone"
        elif language == "en" and (number := _number(slot, value)):
            hints[slot] = number
    return hints


def readable(hints: Mapping[str, Hint], words: Container[str]) -> dict[str, Hint]:
    """Leaves out the hints whose control word a model's vocabulary does not hold."""
    return {slot: hint for slot, hint in hints.items() if f"<|{hint}|>" in words}


def _number(slot: str, value: str) -> Hint | None:
    if slot in {"count", "quantity"}:
        return "one" if value.strip() == "1" else "many"
    if slot == "items":
        several = re.match(r"(?!1\b)\d", value) or ", " in value or " and " in value
        return "many" if several else "one"
    if slot.startswith("label_"):
        return "many" if _PLURAL.search(value) else None
    return None


# what stands beside a marker and agrees with the number of its value
_VERBS = {"is": "are", "was": "were", "has": "have"}
_SINGULAR = {many: one for one, many in _VERBS.items()}
_AFTER = re.compile(r"(?<=<(label_\d)> )(is|are|was|were|has|have)\b|(?<=<(items)> )(is|are|was|were|has|have)\b")  # fmt: skip
_COUNTED = re.compile(r"(?:\b([Tt]here) (are|is) )?<(count|quantity)> (piece|item|product|option|thing|article)s?\b( (?:is|are)\b)?")  # fmt: skip


def agree(marked: str, hints: Mapping[str, Hint]) -> str:
    """Puts verbs and nouns beside a marker into the number of its value (English)."""

    def verb(match: re.Match[str]) -> str:
        slot = match.group(1) or match.group(3)
        word = match.group(2) or match.group(4)
        if hints.get(slot) == "many":
            return _VERBS.get(word, word)
        return _SINGULAR.get(word, word)

    def noun(match: re.Match[str]) -> str:
        there, _, slot, word, be = match.groups()
        one = hints.get(slot) == "one"
        begin = f"{there} {'is' if one else 'are'} " if there else ""
        end = "" if not be else " is" if one else " are"
        return f"{begin}<{slot}> {word}{'' if one else 's'}{end}"

    return _COUNTED.sub(noun, _AFTER.sub(verb, marked))


def indefinite_article(noun: str) -> str:
    """ "a" or "an", as an English noun phrase sounds."""
    return "an" if _VOWEL.match(noun) else "a"


def fill(marked: str, values: Mapping[str, str]) -> str:
    """Replaces each marker by its value; "a"/"an" before a marker and verbs and nouns beside it
    agree with the value.

    Raises KeyError when a marker has no value.
    """

    def article(match: re.Match[str]) -> str:
        return f"{match.group(1)}{indefinite_article(values[match.group(2)])[1:]} "

    agreed = agree(marked, hints_of("en", values))
    return MARKER.sub(lambda m: values[m.group(1)], _ARTICLE.sub(article, agreed))
