"""Words of a text: what is indexed, and what of a query has to be found.

Runs of Chinese characters follow the Chinese rule and runs of Latin letters the English one,
whatever the language of the whole, so mixed text needs no decision. Knows nothing of indexes,
products or scores.
"""

from __future__ import annotations

import re
import threading
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import Stemmer

CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_CJK_CHAR = re.compile(f"[{CJK}]")
_RUN = re.compile(
    rf"(?P<cjk>[{CJK}]+)"
    r"|(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+)(?![^\W_])"
    rf"|(?P<word>(?:(?![{CJK}])[^\W_])+(?:['’\-](?:(?![{CJK}])[^\W_])+)*)"
)
# Marks that say nothing of the word they stand at; "RTX™" would become "rtxtm".
_MARKS = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff™®©℠]")
_LETTERS_DIGITS = re.compile(r"([^\W\d_]{3,})(\d+)|(\d+)([^\W\d_]{3,})")

# British spelling as shops and shoppers mix it with American; both sides of a search pass here.
_SPELLING = {
    "colour": "color", "colours": "colors", "coloured": "colored", "grey": "gray",
    "jewellery": "jewelry", "aluminium": "aluminum", "pyjama": "pajama", "pyjamas": "pajamas",
    "tyre": "tire", "tyres": "tires", "litre": "liter", "litres": "liters", "metre": "meter",
    "metres": "meters", "fibre": "fiber", "centre": "center", "moisturiser": "moisturizer",
    "organiser": "organizer", "mum": "mom", "mums": "moms", "mould": "mold", "axe": "ax",
    "ladies": "women", "lady": "woman", "mens": "men", "womens": "women", "tshirt": "tshirt",
    "television": "tv", "televisions": "tv", "tvs": "tv", "telly": "tv",
}  # fmt: skip

# Closed-class words, which carry no product.
_FUNCTION = frozenset(
    """a an the and or but nor if so as at by for from in into of off on onto out over to up with
    without under about above after before between below near per than then too very just only also
    i me my mine we us our you your u ur he him his she her it its they them their this that these
    those there here who whom whose which what when where why how is am are was were be been being
    do does did done have has had having can could will would shall should may might must not no
    dont don't doesnt doesn't cant can't im i'm i'd i've it's its it'll that's what's whats
    s t re ve ll d m""".split()
)
# What a shopper says around the wish; indexed like any word, but no evidence in a query.
_ASKING = frozenset(
    """any some something anything thing things someone need needs want wants like looking look
    lookin find found get got give show see search buy buying purchase sell sells selling shop store
    stock available please pls plz thanks thank thx hello hi hey ok okay yes yeah recommend
    recommendation recommendations suggest suggestion good nice great best product products item
    items kind sort type types policy policies one ones more
    other another else tell know let lets help maybe really cool thats there's got""".split()
)
_FUNCTION_ZH = frozenset(
    """的 了 吗 呢 吧 啊 呀 哦 嘛 么 和 与 或 及 是 在 有 没 没有 有没有 不 也 都 就 还 很 太 更
    最 我 你 您 他 她 它 我们 你们 咱 咱们 这 那 这个 那个 这些 那些 个 一个 一 些 一些 一下 什么
    哪 哪个 哪些 哪里 怎么 怎样 怎么样 如何 多少 几 几个 为 为了 给 把 让 对 从 到 向 以 以上
    以下 上 下 里 中 而 但 但是 所以 因为 如果 要是 会 能
    能不能 可以 可不可以 应该 之 其 并 等""".split()
)
_ASKING_ZH = frozenset(
    """想 要 想要 需要 买 想买 要买 购买 看 看看 找 找找 求 推荐 介绍 帮 帮忙 帮我 请 请问 麻烦
    问 问下 卖 出售 店 店里 家 你家 你们家 东西 商品 产品 款 几款 一款 哪款 这款 那款 有点 点 种
    适合 合适 好 好的 用 用的 放 来 去 谢谢 您好 你好 亲 元 块 块钱 便宜 左右 之间 以内
    不要 规定 政策 给我 还有 别的 其他 其它""".split()
)

# Endings that make a noun of a character and leave its meaning: 枕头 is 枕, 绳子 is 绳.
_NOUN_ENDINGS = frozenset("子头儿")
_NOT_ENDED = frozenset("电子 量子 原子 老子 孩子 镜头 街头 码头 女儿 婴儿 幼儿".split())


def normalise(text: str) -> str:
    """Text as it is compared: NFKC, casefolded, one space at a time, no invisible characters or trade marks."""
    folded = unicodedata.normalize("NFKC", _MARKS.sub("", text)).casefold()
    return " ".join(folded.replace("\u2019", "'").split())


def has_cjk(text: str) -> bool:
    """Whether any Chinese character stands in the text."""
    return _CJK_CHAR.search(text) is not None


def cjk_share(text: str) -> float:
    """Share of Chinese characters among all letters and digits, 0 to 1."""
    letters = [char for char in text if char.isalnum()]
    if not letters:
        return 0.0
    return sum(_CJK_CHAR.match(char) is not None for char in letters) / len(letters)


class _Stemming(threading.local):
    """One Snowball stemmer per thread: the C object keeps a buffer that threads must not share."""

    def __init__(self) -> None:
        self.english: Any = Stemmer.Stemmer("english")


_stemming = _Stemming()


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Stem of one normalised Latin word (Snowball English), after British spellings are evened."""
    word = _SPELLING.get(word, word)
    if word.endswith("'s"):
        word = word[:-2]
    return str(_stemming.english.stemWord(word.replace("'", "")))


@lru_cache(maxsize=1)
def _segmenter() -> Any:
    """The jieba word segmenter with its own dictionary, read without a cache file.

    jieba would leave a cache in the shared temporary folder and trust whatever lies there.
    """
    with warnings.catch_warnings():
        # its modules use escapes and imports that Python deprecates
        warnings.simplefilter("ignore")
        import jieba
    segmenter = jieba.Tokenizer()
    with segmenter.lock:
        segmenter.FREQ, segmenter.total = segmenter.gen_pfdict(segmenter.get_dict_file())
        segmenter.initialized = True
    return segmenter


def chinese_words(run: str) -> list[str]:
    """Words of a run of Chinese characters, by dictionary; what it lacks is left in characters."""
    return list(_segmenter().cut(run, HMM=False))


def is_chinese_word(word: str) -> bool:
    """Whether the dictionary of the segmenter knows the word."""
    return bool(_segmenter().FREQ.get(word))


def runs(text: str) -> Iterator[tuple[str, str]]:
    """Yields (kind, run) of a normalised text, kind one of "cjk", "number", "word"."""
    for match in _RUN.finditer(text):
        yield str(match.lastgroup), match.group()


def words(text: str) -> list[str]:
    """Every word in order, unstemmed: Latin words and numbers as written, Chinese by dictionary."""
    found: list[str] = []
    for kind, run in runs(normalise(text)):
        found.extend(chinese_words(run) if kind == "cjk" else [run])
    return found


def sequence(text: str) -> list[str]:
    """Stems and single Chinese characters in order, nothing left out: where phrases are sought."""
    found: list[str] = []
    for kind, run in runs(normalise(text)):
        if kind == "cjk":
            found.extend(run)
        elif kind == "number":
            found.append(run.replace(",", ""))
        else:
            found.extend(stem(part) for part in run.split("-"))
    return found


def _latin_tokens(word: str) -> list[str]:
    """Tokens of one Latin word: its hyphenated parts, joined when short, and model parts."""
    parts = word.split("-")
    found = []
    if len(parts) > 1 and min(map(len, parts)) <= 3:
        found.append(stem("".join(parts)))  # wi-fi is wifi, t-shirt is tshirt
    for part in parts:
        if part in _FUNCTION or (len(part) == 1 and len(parts) > 1):
            continue
        found.append(stem(part))
        if pieces := _LETTERS_DIGITS.fullmatch(part):
            found.extend(stem(piece) for piece in pieces.groups() if piece)
    return found


def tokens(text: str) -> list[str]:
    """Index tokens of a text, function words left out.

    Latin: stems; `iphone13` also gives `iphone` and `13`, `wi-fi` also `wifi`. Chinese: every
    character, every pair of neighbours, and dictionary words of three or more characters; one,
    two and more characters never collide, so a query can weigh them apart.
    """
    found: list[str] = []
    for kind, run in runs(normalise(text)):
        if kind == "cjk":
            found.extend(run)
            found.extend(run[at : at + 2] for at in range(len(run) - 1))
            found.extend(word for word in chinese_words(run) if len(word) > 2)
        elif kind == "number":
            found.append(run.replace(",", ""))
        else:
            found.extend(_latin_tokens(run))
    return found


@dataclass(frozen=True, slots=True)
class Unit:
    """One content word of a query and the ways in which a text may hold it.

    `alternatives` are (credit, tokens): full credit for the word itself, less for its parts;
    the share of the tokens that a text holds scales the credit. `weight` is below 1 for words
    that say little on their own. `instead` are words that name the same thing: a text ranks by
    them or by the word itself, never by both.
    """

    text: str
    alternatives: tuple[tuple[float, tuple[str, ...]], ...]
    weight: float = 1.0
    instead: tuple[tuple[float, tuple[str, ...]], ...] = ()


def _chinese_unit(word: str) -> Unit:
    if len(word) == 1:
        return Unit(word, ((1.0, (word,)),), weight=0.35)
    if len(word) == 2 and word[1] in _NOUN_ENDINGS and word not in _NOT_ENDED:
        return Unit(word, ((1.0, (word,)), (0.7, (word[0],))))
    if len(word) == 2:
        return Unit(word, ((1.0, (word,)), (0.3, tuple(word))))
    pairs = tuple(word[at : at + 2] for at in range(len(word) - 1))
    # the head stands last: an electric fan (电风扇) is a fan (风扇)
    head = ((0.7, (word[-2:],)),) if is_chinese_word(word[-2:]) else ()
    return Unit(word, ((1.0, (word,)), (0.55, pairs), *head, (0.3, tuple(word))))


def _latin_unit(word: str) -> Unit:
    whole = stem(word.replace("-", "") if "-" in word else word)
    alternatives: list[tuple[float, tuple[str, ...]]] = [(1.0, (whole,))]
    parts = tuple(stem(part) for part in word.split("-") if len(part) > 1)
    if "-" in word and parts:
        alternatives.append((1.0 if len(parts) > 1 else 0.9, parts))
    if pieces := _LETTERS_DIGITS.fullmatch(word):
        alternatives.append((0.9, tuple(stem(piece) for piece in pieces.groups() if piece)))
    # a bare count ("four people" as 4) says less than a model number, and matches by accident
    return Unit(word, tuple(alternatives), weight=0.5 if word.isdigit() and len(word) < 3 else 1.0)


def _joined(units: Sequence[Unit], neighbours: Sequence[bool]) -> list[Unit]:
    """Lets two neighbouring Latin words also match as one ("hand bag", handbag)."""
    joined = list(units)
    for at in range(len(units) - 1):
        left, right = units[at], units[at + 1]
        if neighbours[at] and min(len(left.text), len(right.text)) > 2:
            whole = (1.0, (stem(left.text + right.text),))
            for place in (at, at + 1):
                unit = joined[place]
                joined[place] = Unit(unit.text, (*unit.alternatives, whole), unit.weight)
    return joined


def units(text: str) -> list[Unit]:
    """Content words of a query, each once, in order; empty when the text asks for nothing."""
    found: list[Unit] = []
    neighbours: list[bool] = []
    seen: set[str] = set()
    gap = True
    for kind, run in runs(normalise(text)):
        if kind == "cjk":
            gap = True
            for word in chinese_words(run):
                if word not in _FUNCTION_ZH and word not in _ASKING_ZH and word not in seen:
                    seen.add(word)
                    found.append(_chinese_unit(word))
                    neighbours.append(False)
            continue
        word = run.replace(",", "") if kind == "number" else run
        if word in _FUNCTION or word in _ASKING or word in seen:
            gap = True
            continue
        seen.add(word)
        if found and not gap and word.isalpha() and found[-1].text.isalpha():
            neighbours[-1] = True
        found.append(_latin_unit(word))
        neighbours.append(False)
        gap = False
    return _joined(found, neighbours)
