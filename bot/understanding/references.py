"""Which products of earlier replies a message points at: "the second one", "that tent", "both"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from retrieval.text import tokens

_ORDINALS = {
    "first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3,
    "fifth": 4, "5th": 4,
}  # fmt: skip
_ORDINAL = re.compile(
    rf"\b(?:the )?({'|'.join(_ORDINALS)})(?: (?:one|two|of|option|product|item|choice|looks|is|and)\b|\b(?! (?:time|thing|flat|day|week|place)))",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\b(?:number|no\.?|option|#)\s?([1-5])\b", re.IGNORECASE)
_LAST = re.compile(
    r"\b(?:the )?last (?:one|of (?:them|these|those))\b|最后一?[个款件]", re.IGNORECASE
)
_CHINESE = re.compile(r"第([一二三四五12345])[个款件种条]?|前([一二三两])[个款]")
_DIGIT = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "1": 0, "2": 1, "3": 2, "4": 3, "5": 4}
_BOTH = re.compile(
    r"\bboth\b|\bthe two\b|\bthese two\b|\b(?:of )?(?:them|these|those)\b|这两[个款]|两[个款]都|它们|这几[个款]",
    re.IGNORECASE,
)
_IT = re.compile(
    r"\b(?:it|its|it's|that one|this one|that|this|they|the one)\b|它|这个|那个|这款|那款|这件|该",
    re.IGNORECASE,
)
_EXTREME = re.compile(
    r"\bthe (?:cheapest|(most expensive|priciest))(?: one)?(?: of (?:them|those|these))?(?=\W*(?:$|[.,;!?]))"
    r"|最(?:便宜|(贵))的(?:那[个款件])?(?=[，。；！？,]|$)",
    re.IGNORECASE,
)


def ordinal_references(text: str, last: Sequence[str]) -> tuple[str, ...]:
    """Returns the products of the last list that ordinals in `text` pick, in the order said."""
    positions = [_ORDINALS[m.group(1).lower()] for m in _ORDINAL.finditer(text)]
    positions += [int(m.group(1)) - 1 for m in _NUMBERED.finditer(text)]
    for match in _CHINESE.finditer(text):
        if match.group(1):
            positions.append(_DIGIT[match.group(1)])
        else:
            positions += range({"一": 1, "二": 2, "两": 2, "三": 3}[match.group(2)])
    if _LAST.search(text) and last:
        positions.append(len(last) - 1)
    return tuple(dict.fromkeys(last[p] for p in positions if 0 <= p < len(last)))


def counted_back(text: str, lists: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Returns what ordinals pick of the newest list that goes so far: the second of the lamps, after
    one lamp of them was shown again."""
    for last in reversed(lists[-2:]):
        if found := ordinal_references(text, last):
            return found
    return ()


def cheapest_or_dearest(
    text: str, last: Sequence[str], price_of: Callable[[str], Decimal | None]
) -> tuple[str, str]:
    """Returns the product of the last list that "the cheapest of those" picks, and what else is said.

    Both are "" where nothing is picked or nothing else is said: then the choice is the question.
    """
    match = _EXTREME.search(text)
    rest = _EXTREME.sub(" ", text).strip(" ,.;!?，。；！？") if match else ""
    priced = [(price, pid) for pid in last if (price := price_of(pid)) is not None]
    if not match or not priced or len(tokens(rest)) < 2:
        return "", ""
    dearest = any(match.groups())
    price, pid = sorted(priced, key=lambda row: -row[0] if dearest else row[0])[0]
    return pid, rest


def points_beyond(text: str, last: Sequence[str]) -> bool:
    """Whether the text counts further than the last list goes: the fifth of three."""
    counted = ordinal_references(text, [str(n) for n in range(5)])
    return bool(last and counted) and not ordinal_references(text, last)


def means_several(text: str) -> bool:
    """Whether the text points at several products at once."""
    return _BOTH.search(text) is not None


def last_several(lists: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The newest list of more than one product, of the last three; else the last one."""
    several = [tuple(ids) for ids in reversed(lists[-3:]) if len(ids) > 1]
    return several[0] if several else tuple(lists[-1]) if lists else ()


def means_one(text: str) -> bool:
    """Whether the text points back at one product without naming it."""
    return _IT.search(text) is not None


_VERSUS = re.compile(r"\s(?:or|vs\.?|versus|than|and|with|against)\s", re.IGNORECASE)
_SIDE = re.compile(r"[,:;?!]")


_BEGINS = re.compile(
    r"^\W*(?:(?:ok|and|so|then|what about|how about)[, ]+)*the ([\w'-]+(?: [\w'-]+){0,2})(?:[,.?!]|$)",
    re.IGNORECASE,
)


def two_sides(text: str, alone: Callable[[str], str]) -> tuple[str, ...]:
    """Returns the two products that are set against each other, each named by some of its words:
    "the gooseneck or the whistling kettle"; () where not just two are. `alone` finds the one product
    of a phrase, "" where there is not one."""
    parts = _VERSUS.split(text)
    for at in range(1, len(parts)):
        left, right = _SIDE.split(parts[at - 1])[-1].split(), _SIDE.split(parts[at])[0].split()
        first = next((p for n in range(len(left)) if (p := alone(" ".join(left[n:])))), "")
        second = next(
            (p for n in range(len(right), 0, -1) if (p := alone(" ".join(right[:n])))), ""
        )
        if first and second and first != second:
            return first, second
    return ()


_NAMED = re.compile(r"\bthe ([\w'-]+(?: [\w'-]+){0,3})", re.IGNORECASE)


def named_reference(
    text: str,
    shown: Sequence[str],
    titles: Mapping[str, Sequence[str]],
    alone: Callable[[str], str],
) -> str:
    """Returns the product shown whose title alone holds the words behind "the": the pour over.

    `titles` maps a product id to the (stemmed) words of its title. What a message begins with may be
    a product never shown, the one of the shop that `alone` finds. "" where none or several do.
    """
    for match in _NAMED.finditer(text):
        said = tokens(match[1].replace("-", " "))
        for end in range(len(said), 0, -1):
            held = [pid for pid in shown if set(said[:end]) <= set(titles.get(pid, ()))]
            if len(held) == 1:
                return held[0]
            if held:
                break
    begun = _BEGINS.match(text)
    return alone(begun[1]) if begun else ""


_DESCRIBED = re.compile(
    r"\bthe ([\w' -]{2,30}?) (?:one|ones)\b|([\u4e00-\u9fff]{1,6})(?:的)?那[个款件]", re.I
)


def described_reference(text: str, last: Sequence[str], told: Mapping[str, Sequence[str]]) -> str:
    """Returns the product of the last list that "the … one" describes, "" where not just one does.

    `told` maps a product id to the (stemmed) words of its record, in order: "2 person" is more than
    a 2 here and a person there.
    """
    match = _DESCRIBED.search(text)
    if not match:
        return ""
    said = tokens(next(g for g in match.groups() if g).replace("-", " "))
    scores = {pid: _shared(said, told.get(pid, ())) for pid in last}
    best = max(scores.values(), default=0)
    top = [pid for pid, score in scores.items() if score == best]
    return top[0] if best and len(top) == 1 else ""


def _shared(said: Sequence[str], told: Sequence[str]) -> int:
    """How many of the words, and of the pairs of words, a record has."""
    pairs = set(zip(said, said[1:], strict=False))
    return len(set(said) & set(told)) + len(pairs & set(zip(told, told[1:], strict=False)))
