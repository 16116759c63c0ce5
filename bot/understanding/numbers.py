"""Numbers in words, English and Chinese, turned into digits so that other rules see one form.

Knows nothing about what a number counts.
"""

from __future__ import annotations

import re

import cn2an

_ONES = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_UNITS = (
    {"zero": 0}
    | {word: value for value, word in enumerate(_ONES + _TEENS, 1)}
    | {word: 10 * value for value, word in enumerate(_TENS, 2)}
)
_THOUSANDS = ("thousand", "grand")
# The grammar of a number: "two and three" are two numbers, "two hundred and three" is one, and so
# are the halves of "one hundred and two hundred".
_ONE, _TEN = "|".join(_ONES), "|".join(_TENS)
_SMALL = rf"(?:(?:{_TEN})(?:[ -](?:{_ONE}))?|zero|{_ONE}|{'|'.join(_TEENS)})\b"
_NO_SCALE = r"(?![ -](?:hundred|thousand|grand)\b)"
_HUNDREDS = rf"(?:(?:(?:an?|{_SMALL})[ -])?hundred\b(?:(?: and)? {_SMALL}{_NO_SCALE})?|{_SMALL})"
_NUMBER = (
    rf"(?:(?:an?|{_HUNDREDS})[ -])?(?:thousand|grand)\b(?:(?: and)? {_HUNDREDS}{_NO_SCALE})?"
    rf"|{_HUNDREDS}"
)
_ENGLISH = re.compile(rf"\b(?:{_NUMBER})", re.IGNORECASE)
_CHARACTER = "[零〇一二两三四五六七八九十百千万]"
_CHINESE = re.compile(rf"(?<!{_CHARACTER}){_CHARACTER}{{1,20}}(?!{_CHARACTER})[块元]?")
# a lone digit word is more often a word than a figure ("that one", "一下"), so only these count
_COUNTED = re.compile(r"[元块天日个年月号人寸岁折星条双瓶盒把台张]|件(?!套)|以[内下上]|左右|多")


def digits(text: str) -> str:
    """Writes number words as digits: "two hundred and fifty" → "250", "三百以下" → "300以下"."""
    return _CHINESE.sub(_chinese, _ENGLISH.sub(_english, text))


def _english(match: re.Match[str]) -> str:
    words = re.findall(r"[a-z]+", match.group().lower())
    total, current = 0, 0
    for word in words:
        if word in _UNITS:
            current += _UNITS[word]
        elif word == "hundred":
            current = (current or 1) * 100
        elif word in _THOUSANDS:
            total, current = total + (current or 1) * 1000, 0
    if words == ["one"]:
        return match.group()
    return str(total + current)


def _chinese(match: re.Match[str]) -> str:
    text = match.group()
    unit = text[-1] if text[-1] in "块元" else ""
    core = text.removesuffix(unit)
    after = match.string[match.end() : match.end() + 2]
    if len(core) == 1 and not (unit or _COUNTED.match(after)):
        return text
    if core in "百千万":
        return text
    try:
        value = cn2an.cn2an(core.replace("两", "二"), "smart")
    except (ValueError, LookupError):  # what is no number: 〇十〇
        return text
    return f"{int(value)}{unit}"
