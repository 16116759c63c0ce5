"""Numbers in words, English and Chinese, turned into digits so that other rules see one form.

Knows nothing about what a number counts.
"""

from __future__ import annotations

import re

import cn2an

_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 1000, "grand": 1000, "k": 1000}
_WORD = "|".join([*_UNITS, "hundred", "thousand", "grand"])
_ENGLISH = re.compile(
    rf"\b(?:(?:a|an) (?=hundred|thousand|grand))?(?:{_WORD})(?:(?:[ -]| and )(?:{_WORD}))*\b",
    re.IGNORECASE,
)
_CHINESE = re.compile(r"[零〇一二两三四五六七八九十百千万]+(?:块|元|百|千|万)?")
# a lone digit word is more often a word than a figure ("that one", "一下"), so only these count
_COUNTED = re.compile(r"[元块天日个年月号人寸岁折件]|以[内下上]|左右|多")


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
        elif word in _SCALES:
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
    except ValueError:
        return text
    return f"{int(value)}{unit}"
