"""The words a message wants searched: its politeness taken off, of a long one the asking clause.

Knows the catalogue's vocabulary and nothing of intents.
"""

from __future__ import annotations

import re

from bot.catalogue import Catalogue
from bot.understanding.constraints import SORT_WORDS
from bot.understanding.numbers import digits
from prompts.cues import cue
from retrieval.text import tokens, units

SHORT_CLAUSE = 3  # words of one that only adds to the others
ASKS = 2  # the rate of a clause that names goods or asks for some
A_GIFT = "a gift for somebody who loves"
LONG = 6  # content words from which a message is searched by its asking clause alone
_FILLER = re.compile(
    r"^(?:no[,.!]?\s+)?(?:i|we) (?:said|meant?)\b|^(?:(?:please|pls|plz|hi|hey|hello|so|ok|okay|oh|hm+|well|and|then|lol|fine|alright|great|cool|sure|right|good|yes|no|nah|nope|yeah|yep|actually)\b[,.!]* +)*(?:please|pls|plz|hi|hey|hello|so|ok|okay|oh|hm+|well|and|then|lol|fine|alright|sure|nah|nope|yeah|yep|您好|你好|请问|那|嗯)\b[,，!！ ]*|^(?:算了|不了)[,，。!！ ]*|\b(?:go )?back to (?:the )?|^(?:再)?回到|\s+(?:then|instead)\W*$|\b(?:please|pls|plz)\b",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"\b(?:i|we)(?:'?d| would| am|'?m| are|'?re)? (?:actually |really |just )?(?:need|want|like|love|looking for|searching for|after|was hoping|"
    r"got|have|buy|to buy)\b|\b(?:do|have) (?:you|u|ya)(?: guys)? (?:have|got|sell|carry|stock|offer)\b|\bshow me\b|"
    r"\b(?:you|u|ya)(?: guys)? (?:got|have|sell|carry)\b|\blook(?:in|ing) for\b|\bgot any\b|\b(?:(?:some|any|your) )?(?:help|advice)(?: me)?(?: (?:to |on |with |about |in )?(?:choos|find|pick|select|decid|buy)\w*(?: on)?| with| on)\b|\bcan (?:you|u) (?:recommend|suggest|show)\b|\b(?:recommend|suggest) (?:me )?\b|\bneed\b|\bany\b|\bsome\b|\bhave you got\b|"
    r"\b(?:what|how) about\b|\b(?:what(?:['’]s| is| are)?|which)\b|\bdo you (?:have|sell)\b|\bi can spend\b|\bsomething\b|"
    r"\b(?:but |and )?only(?: what| those| the ones)?(?: you)?(?: actually)?\b|"
    r"(?:买|选|挑|找|来|换)(?:一)?[个件份台款套双只](?![\u4e00-\u9fff]?人)|适合送(?:给)?|送给|随便(?:看看|逛逛|说说)?|(?:都|各)?有?(?:哪些|什么|几种)(?:颜色|尺寸|尺码|规格|款式|材质|型号|花色|口味)(?:可选|可以选|的)?$|[有都]?有?(?:哪些|啥|什么)(?:推荐|好的?)?$|点(?=东西|好)|"
    r"(?:我|咱)?(?:想|要|准备)(?:买|要|看|换|找|给)?|有没有|你们|卖不卖|卖|推荐(?:推荐|一下)?|帮我(?:买|选|找|挑)?|吗|呢|请问|看看|一下",
    re.IGNORECASE,
)  # fmt: skip
# "几款枕头", "毛巾两条": how many is no part of what
_SOME = re.compile(
    r"^(?:(?:几|一些|一|两)[款个件种条只]?|[个件款台条])(?=[\u4e00-\u9fff]{2})|[一二两三四五六七八九十\d]+[个件条只套双台瓶盒块把]$"
)
# how well somebody is known who gets it
_KNOWN_HOW = re.compile(
    r"\s(?:who |that )?(?:i|we) (?:\w+ly |don't |do not |really |just )*(?:know|met|meet|like|love|work with|live with|see)\b[^,.;!?]*$",
    re.IGNORECASE,
)
_ANY = re.compile(r"^(?:anything|something|stuff|things?) (?=for\b)", re.IGNORECASE)
_EMPTY = frozenset(
    tokens("i you he she it we they me him her us them could would should can get got give do")
)
_DANGLING = re.compile(
    r"(?:\s+(?:with|for|in|of|at|to|from|by|on|and|or|that|which|the|an?|if possible|maybe|perhaps|ideally|preferably|though|tho))+$|(?:\s*的|的有|(?<=[\u3400-\u9fff]{2})有)$",
    re.IGNORECASE,
)
_TASTE = re.compile(
    r"\b(?:he|she|they|who|mum|mom|dad|wife|husband|friend|son|daughter|sister|brother|partner)(?:'s|'re| is| are)? (?:also |really |just )*"
    r"(?:loves?|likes?|enjoys?|adores?|into|fond of|keen on|crazy about|mad about)(?: to)? ([^,.;!?\n]{3,40})",
    re.IGNORECASE,
)
# how a price is asked, and how many pieces of what
_PRICED = re.compile(
    r"\bhow much (?:is|are|was|for|would|will|do|does)\b|\bhow much\b|\b(?:what(?:'s| is| are)? )?(?:the )?(?:prices?|costs?) (?:of|for)\b"
    r"|\bwhat (?:do|does|would|will)\b|\b(?:be|costs?|come to|set me back)\b|(?<!\S)\d{1,3}(?: of)?(?= )|\b(?:the|your|an?|of)\b"
    r"|多少钱|什么价格?|价格(?:是|多少)*|怎么卖|(?:一共|总共)|\d{1,3}[个件只套把台](?=[\u4e00-\u9fff])",
    re.IGNORECASE,
)
# for whom: no part of what
_FOR_WHOM_ZH = re.compile(
    r"(?:给|帮|替|为|送)(?:我的?|我们|咱|他|她)?"
    r"(?:妈妈?|爸爸?|老婆|老公|(?:女|男)?朋友|孩子|儿子|女儿|同事|家人|爷爷|奶奶|外婆|外公|闺蜜|对象|老人|长辈)(?=[买选挑找送])"
)
_GOODS = re.compile(
    r"\b(?:show me (?:some |your |all )?(?!how|what|the (?:prompt|rules|instructions))\w+|do (?:you|u) (?:have|sell|carry|stock)|(?:looking|searching) for)\b",
    re.IGNORECASE,
)


def asks_for_goods(text: str) -> bool:
    """Whether the text asks, in so many words, whether the shop has something."""
    return _GOODS.search(text) is not None


def _said(clause: str) -> list[str]:
    return tokens(search_words(clause))


def search_words(text: str) -> str:
    """What remains of a request when its politeness is taken off: the words to search for."""
    text = _FOR_WHOM_ZH.sub("", _FILLER.sub(" ", _KNOWN_HOW.sub("", text.strip())))
    text = _ASKING.sub(" ", text)
    text = re.sub(r"\bones?\b|[?!.。！？，,;:…]+|[^\w\s'&$€£¥%/+-]", " ", text)
    return _DANGLING.sub("", _SOME.sub("", _ANY.sub("", " ".join(text.split()))))


def priced_goods(text: str) -> str:
    """The goods whose price is asked: "kettle" of "how much are 3 of the cheapest kettle"."""
    rest = _PRICED.sub(" ", digits(text))
    return search_words(SORT_WORDS.sub(" ", rest))


def tastes(text: str) -> bool:
    """Whether it tells what somebody likes: "she loves gardening"."""
    return _TASTE.search(text) is not None


class WantedWords:
    """Reads what to search for out of messages of one shop."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def of(self, text: str, language: str) -> str:
        """The words to search for: of a long message only the clause that asks, or what is known."""
        words = search_words(text)
        if language == "zh":
            parts = [c for c in re.split(r"[，,。！!？?；;\s]+", text) if c.strip()]
            rated_zh = [(self._rated_zh(c), at, search_words(c)) for at, c in enumerate(parts)]
            best = max(rated_zh, default=(0, 0, words))
            rates = [rate for rate, _, _ in rated_zh if rate]
            asks = best[0] > ASKS or len(rates) == 1 or (best[0] == ASKS and len(rated_zh) > 2)
            if len(rated_zh) > 1 and rates and asks:
                words = best[2]  # of several clauses the one that asks and names goods
            return words.lstrip("的 ")
        if taste := _TASTE.search(text):
            text = _TASTE.sub(" ", text)  # "for my mum, she loves gardening"
            if not any(self.titled(w) for w in _said(text)):
                return f"{A_GIFT} {search_words(taste[1])}"
            words = search_words(text)
        clauses = [
            c for c in re.split(r"[,.;!?\n]+|\b(?:but|because|so|anyway)\b", text) if c.strip()
        ]
        rated = [
            (self._rated(c), at, c)
            for at, c in enumerate(clauses)
            if any(not word.isdigit() for word in set(_said(c)) - _EMPTY)
        ]
        # "got pillows? need 2": a clause that only counts is no part of what is wanted
        counted = any(said and all(w.isdigit() for w in said) for said in map(_said, clauses))
        listed = all(
            len(c.split()) <= SHORT_CLAUSE for c in clauses
        )  # "bedding, linen if possible"
        if rated and (counted or len(rated) > 1) and max(rated)[0] > 0 and (counted or not listed):
            words = search_words(max(rated)[2])
        if len(tokens(words)) <= LONG:
            return words
        known = [w for w in re.findall(r"[\w'-]+", words) if any(self.titled(t) for t in tokens(w))]
        return " ".join(dict.fromkeys(known)) or words

    def _rated_zh(self, clause: str) -> int:
        named = any(
            credit >= 0.5 and all(part in self._catalogue.names for part in parts)
            for unit in units(search_words(clause))
            if unit.weight >= 1.0
            for credit, parts in unit.alternatives
        )
        return cue("need", clause) + 2 * named

    def _rated(self, clause: str) -> int:
        """How likely a clause is the one that says what is wanted."""
        said = tokens(search_words(clause))
        titled = any(self.titled(w) for w in said)
        known = any(self._catalogue.knows(w) for w in said)
        return 4 * cue("need", clause) + 2 * titled + known

    def titled(self, word: str) -> bool:
        """Whether the word stands in many a title: it names a kind of thing."""
        return self._catalogue.weight(word) < self._catalogue.weight("\0")
