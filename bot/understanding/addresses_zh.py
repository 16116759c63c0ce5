"""Finds postal addresses written in Chinese.

An address names places from large to small in one run of characters; levels, a street, a number
and words that speak of an address just before add up. A city or district alone is none
("能寄到北京市朝阳区吗"). Knows nothing about addresses in other scripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from prompts.personal import pattern, word_set

Span = tuple[int, int]

ENOUGH = 3  # points of evidence that make an address with a house number …
ENOUGH_UNNUMBERED = 4  # … and one without, where a shop's branch may be meant
ALL_LEVELS = 3  # province, city and district
CUE_REACH = 16  # characters before an address in which it is spoken of
LONGEST = 90  # characters of an address
_H = r"\u4e00-\u9fff"
_RUN = re.compile(
    rf"(?:[{_H}A-Za-z0-9·•、—－–()（）#&/.-]|"
    rf" (?=[{_H}A-Za-z0-9-]{{1,12}}?(?:省|市|区|县|路|街|道|号|栋|幢|座|单元|室|楼|村|镇|小区|花园)))+"
)
_HAN = re.compile(rf"[{_H}]")
_STREET = re.compile(
    r"(?:路|街|大道|巷|弄|胡同|里弄|国道|省道|公路|环线|段)(?![由过灯边线])|村|镇|[乡鄉鎮]"
)
_NUMBER = re.compile(
    r"[\dA-Za-z一二三四五六七八九十百]+[-、\d]*(?:号|號|弄|栋|棟|幢|座|单元|單元|室|楼|樓|层|组|期|区)"
)
_HOME = re.compile(r"小区|花园|花園|公寓|新村|宿舍|家属院|家园|别墅|[苑邸]")  # where people live
_PLACE = re.compile(
    r"社区|大厦|大廈|广场|廣場|[园城府庭院湾郡]|中心|街道|医院|大学|学院|学校|小学|中学|公司|酒店|宾馆|写字楼|"
    r"工业区|校区|门口|附近|对面|交叉口|交汇处|地铁站|公馆|[店站]"
)
# characters that stand right before the first place of an address
_BEFORE = "到往至给在是为成写填住去从由于改换寄送:："


def find_chinese_addresses(text: str) -> Iterator[Span]:
    """Spans of addresses, in order and apart."""
    if not _HAN.search(text):
        return
    for run in _RUN.finditer(text):
        yield from _in_run(text, run.start(), run.end())


def _in_run(text: str, start: int, stop: int) -> Iterator[Span]:
    while start < stop:
        found = _next(text, start, stop)
        if found is None:
            return
        yield found
        start = found[1]


def _next(text: str, start: int, stop: int) -> Span | None:
    """The first address of a run of characters without a stop between them."""
    for match in _starts().finditer(text, start, stop):
        begin = match.start()
        points = float(_levels(match))
        points += _spoken_of(text, begin)
        end = _end(text, match.end(), min(stop, begin + LONGEST))
        rest = text[match.end() : end]
        numbers = len(_NUMBER.findall(rest))
        street = bool(_STREET.search(rest))
        home = bool(_HOME.search(rest)) and _levels(match) >= 1
        # "上海市浦东新区有几家门店": a place counts only where all levels are named
        place = home or (bool(_PLACE.search(rest)) and _levels(match) >= ALL_LEVELS)
        if not (street or numbers or place):
            continue
        points += street + min(numbers, 2) + place + home
        if points >= (ENOUGH if numbers else ENOUGH_UNNUMBERED):
            return begin, _trimmed(text, begin, end)
    return _bare(text, start, stop)


def _bare(text: str, start: int, stop: int) -> Span | None:
    """An address without district or city, behind words that speak of one."""
    cue = _cue().search(text, start, stop)
    begin = cue.end() if cue else start if _cue_at_end(text, start) else None
    if begin is None or begin >= stop:
        return None
    end = _end(text, begin, min(stop, begin + LONGEST))
    said = text[begin:end]
    numbers = len(_NUMBER.findall(said))
    if not (_STREET.search(said) or (numbers and (_PLACE.search(said) or _HOME.search(said)))):
        return None
    return (begin, _trimmed(text, begin, end)) if numbers else None


def _levels(match: re.Match[str]) -> float:
    """How many levels of places stand before the street; one without its suffix counts half."""
    levels = [level for level in match.groups() if level]
    suffixed = sum(level[-1] in "省市区州盟县旗區縣" for level in levels)
    return suffixed + (len(levels) - suffixed) / 2


def _spoken_of(text: str, begin: int) -> int:
    return 1 if _cue_at_end(text, begin) else 0


def _cue_at_end(text: str, begin: int) -> bool:
    before = text[max(0, begin - CUE_REACH) : begin]
    return re.search(rf"(?:{pattern('zh', 'address_cue')})[\s:：，,是为]*$", before) is not None


def _end(text: str, begin: int, stop: int) -> int:
    """Where the run goes on with something else: "…小区可以送吗"."""
    match = _after().search(text, begin, stop)
    return match.start() if match else stop


def _trimmed(text: str, begin: int, end: int) -> int:
    while end > begin + 1 and text[end - 1] in " 、·-—－–.&/(（的了":
        end -= 1
    return end


@cache
def _cue() -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern('zh', 'address_cue')})[\s:：，,是为]*")


@cache
def _after() -> re.Pattern[str]:
    return re.compile(pattern("zh", "after_address"))


@cache
def _starts() -> re.Pattern[str]:
    """Where an address may begin, with its province, city and district."""
    provinces = "|".join(sorted(word_set("zh", "province"), key=len, reverse=True))
    cities = "|".join(sorted(word_set("zh", "city"), key=len, reverse=True))
    edge = rf"(?:(?<![{_H}])|(?<=[{_BEFORE}]))"
    some = rf"(?:(?![{_BEFORE}的了])[{_H}])"
    within = rf"(?:(?![到的了在])[{_H}])"  # behind a province or city: 成都市, 成华区
    district = rf"(?P<district>{within}{{1,7}}?(?:新区|[区县旗區縣]|(?<!城)市(?!场)))?"
    return re.compile(
        rf"(?:(?:中国)?(?P<province>(?:{provinces})(?:省|市|(?:壮族|回族|维吾尔)?自治区|特别行政区)?)"
        rf"(?P<city>{within}{{2,8}}?(?:市|自治州|地区|盟)|(?:{cities})市?)?{district}"
        rf"|(?P<city2>(?:{cities})市?|{edge}{some}{{2,4}}?市)"
        rf"{district.replace('district', 'district2')}"
        rf"|{edge}(?P<district3>{some}{{1,5}}?(?:新区|[区县旗區縣])))"
    )
