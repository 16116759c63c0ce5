"""Finds the sentence or attribute that answers a question, or finds that nothing does.

Evidence is scored by the words of the question that a sentence holds (weighted by rarity) and by
meaning; below the threshold there is no answer. Knows nothing about acts.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from bot.catalogue import Catalogue, product_text
from bot.evidence import Evidence, Scorer, best_read
from bot.fitting import asked_in, fits, instructs, spoken
from bot.spans import (
    CELL,
    HOLLOW,
    MAX_QUOTE,
    Span,
    columns_of,
    continued,
    excepts,
    first_of,
    in_place,
    is_row_of,
    is_step,
    of_record,
    of_shoppers,
    spans_of,
)
from bot.understanding.language import WIDE
from db.records import Attribute, Passage, Product
from prompts.answering import signs
from prompts.concepts import concepts
from prompts.topics import topics_of
from retrieval.hybrid import Searcher
from retrieval.text import tokens, units, words

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

WORDS_ENOUGH = 0.55  # share of the question's weight that answers by itself
MEANING_ENOUGH = 0.5  # cosine that answers by itself
BOTH_ENOUGH = 0.42  # mean of the two that answers together
KNOWN_WORDS = 0.3  # the same bars where the question is of a known kind
KNOWN_MEANING = 0.42
KNOWN_BOTH = 0.36
FIGURE_BONUS = 0.15  # "how long", "how much": a sentence with a figure is likelier
TABLE = 1.4  # … and a table of such figures likelier still
OWN = 0.55  # the shopper's own words against the words such a rule is usually put in
UNKNOWN = 0.25  # weight of words against meaning where the shop has another word for it (bitcoin)
ROW = 0.1  # the row that the question names, against its table
STEPS = 0.15  # what to do is no answer to what applies, unless "how do I …" was asked
SELF = 0.2  # a rule for such as the shopper said to be ("I'm a gold member")
EXCEPTS = 0.15  # what is not covered, where that is asked
TOLD = 0.05  # "how do I …": a sentence that tells what to do
FORBIDS = 0.15  # "how do I …" is better answered by what to do than by what not to do
EXACT = 0.75  # share of the words that an exact topic needs: a student discount is not any discount
EARLIER = 0.004  # a rule's first passages hold its general case, later ones exceptions
REVIEW = 0.15  # what a shopper says in a review of the page is not what the shop says
ASKED = 0.8  # cosine from which two questions are the same; of words, their shares both ways
ASKED_WORDS = 0.75
VECTORS_KEPT = 20_000
AT_ONCE = 4  # sentences read ahead between two turns
BREATH = 0.005  # seconds
_FIGURE = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|ten)\b|[一二三四五六七八九十百]", re.I
)
_ASKS_FIGURE = re.compile(
    r"\bhow (?:long|many|much|often|far|high|heavy|big|tall|fast)\b|\bwhen\b|多少|多久|几|多长|多大",
    re.I,
)
_ASKS_HOW = re.compile(
    r"\bhow (?:to|(?:do|can|should|would) (?:i|you|we))\b|\b(?:procedure|process|steps)\b|怎么|如何",
    re.IGNORECASE,
)
_ASKS_EXCEPTIONS = re.compile(
    r"\b(?:exclu(?:de|ding|sion)\w*|void\w*|except(?:ion)?s?|not (?:be )?(?:covered|included))\b|n['’]t (?:be )?(?:cover|includ)"
    r"|不(?:保|包括|覆盖|支持|能)|除外|例外",
    re.IGNORECASE,
)
_SELF = re.compile(
    r"\b(?:i'?m|i am|we'?re|we are|as|for) (?:an? |the )?(\w+)(?: (?:plus|level|tier))?(?: (?:member|customer|account|user|client)\w*)"
    r"|\bmy (\w+) (?:membership|account|plan)\b|我是(\w{1,6}?)(?:会员|用户|客户)",
    re.IGNORECASE,
)
_FORBIDDING = re.compile(
    r"^\W*(?:do not|don't|never|avoid)\b|^\W*(?:不要|请勿|避免)", re.IGNORECASE
)
_HOLLOW_ZH = frozenset(
    "可以 支持 多少 几 几号 怎么 什么 需要 一下 请问 买 送 用 有 是 会 能 这个 那个 它 到 大 小 好".split()
)


class Answerer:
    """Looks for answers in one snapshot of catalogue and passages."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        searcher: Searcher,
        encode: Encode,
        scorer: Scorer | None = None,
    ) -> None:
        """`scorer` reads English questions on products together with what may answer them."""
        self._catalogue = catalogue
        self._searcher = searcher
        self._encode = encode
        self._scorer = scorer
        self._known: dict[str, NDArray[np.float32]] = {}

    def attribute(self, product: Product, question: str, asked: Sequence[str]) -> Attribute | None:
        """Returns the attribute whose label is what was asked, or None."""
        for name in asked:
            label = concepts()[name].label
            if label is None:
                continue
            for candidate in product.attributes:
                if label.search(candidate.name.strip("* ")) and candidate.value:
                    return candidate
        rest = question.replace(product.title, " ")
        for candidate in product.attributes:
            if (
                WIDE.search(candidate.name)
                and candidate.name.strip("* ") in rest
                and candidate.value
            ):
                return candidate
        said = set(tokens(question)) - set(tokens(product.title))
        best, most = None, 0.0
        for candidate in product.attributes:
            words = set(tokens(candidate.name))
            if words and words <= said and len(words) > most and not words <= HOLLOW:
                best, most = candidate, len(words)
        return best

    def asked_before(self, product: Product, question: str, language: str) -> Evidence | None:
        """Returns the page's own answer where the page puts the same question, else None."""
        pairs = [(pair, p) for p in self._page(product, question, language) for pair in asked_in(p.text)]  # fmt: skip
        if not pairs:
            return None
        asked = nameless(question, product)
        put = [nameless(pair.question, product) for pair, _ in pairs]
        if language == "en":
            vectors = self._vectors([asked, *put])
            alike = [float(v) for v in vectors[1:] @ vectors[0]]
            least = ASKED
        else:
            both = [(wide_share(asked, p, frozenset()), wide_share(p, asked, frozenset())) for p in put]  # fmt: skip
            alike, least = [min(shares) for shares in both], ASKED_WORDS
        at = int(np.argmax(alike))
        pair, passage = pairs[at]
        said = spoken(pair.answer, f"{product_text(product)} {pair.question}")
        if alike[at] < least or not said:
            return None
        return Evidence(first_of(said[0], MAX_QUOTE[language]), alike[at], passage, meaning=alike[at])  # fmt: skip

    def about_product(
        self, product: Product, question: str, language: str, *, several: bool = False
    ) -> Evidence | None:
        """Returns the best sentence of the product's own page, or None where it does not say.

        Where `several` products are asked about ("which of them …"), the scorer, which learned from
        questions on one, is left out, so that scores compare between the products.
        """
        passages = self._page(product, question, language)
        topic = product_text(product)
        candidates: list[Span] = [(s, p, None) for p in passages for s in spans_of(p, language, topic)]  # fmt: skip
        candidates += of_record(product, language)
        about = set(words(product.title)) | set(tokens(product.title))
        wording = " ".join(
            [c.wording for c in concepts().values() if c.wording and c.asked(question)]
            + [topic.wording[language] for topic in topics_of(question)[:2]]
        )
        if language == "en":
            candidates = [span for span in candidates if fits(question, span[0])]
        asked = nameless(question, product)
        scorer = self._scorer if language == "en" and not several else None
        return self._best(
            asked, candidates, language, without=about, wording=wording, scorer=scorer
        )

    def _page(self, product: Product, question: str, language: str) -> list[Passage]:
        hits = self._searcher.passages(question, language, product_id=str(product.id), k=12)
        return [p for h in hits if (p := self._searcher.passage(h.id)).source == "page"]

    def about_rules(
        self, question: str, language: str, *, context: str = "", shopper: Iterable[str] = ()
    ) -> Evidence | None:
        """Returns the best sentence of the shop's policies; `context` is the question before.

        `shopper` holds what the shopper said to be earlier (see `self_descriptions`).
        A question is also looked for in the words such a rule is usually put in (topics).
        """
        topics = topics_of(question)
        known = [*topics[:2], *(t for t in topics_of(context)[:1] if t not in topics)]
        wording = " ".join(topic.wording[language] for topic in known)
        if topics and all(topic.reworded for topic in topics):
            question = wording
        asked = f"{context} {question} {wording}".strip()
        hits = self._searcher.passages(asked, language, source="policy", k=20)
        passages = [self._searcher.passage(h.id) for h in hits]
        candidates: list[Span] = [(s, p, None) for p in passages for s in spans_of(p, language)]
        best = self._best(
            question, candidates, language, context=context, wording=wording, shopper=shopper
        )
        if best is not None and any(topic.exact for topic in topics):
            held = " ".join((*(best.passage.heading if best.passage else ()), best.text))
            if self._covered(question, held, language, frozenset()) < EXACT:
                return None
        if best is not None and topics and all(t.needs for t in topics):
            held = " ".join((*(best.passage.heading if best.passage else ()), best.text))
            if not any(t.needs.search(held) for t in topics if t.needs):
                return None
        return best

    def _best(
        self,
        question: str,
        candidates: list[Span],
        language: str,
        *,
        without: Iterable[str] = (),
        context: str = "",
        wording: str = "",
        shopper: Iterable[str] = (),
        scorer: Scorer | None = None,
    ) -> Evidence | None:
        if not candidates:
            return None
        drop = frozenset(without)
        phrases = [(question, 0.7), (context, 0.3)] if context else [(question, 1.0)]
        figure = FIGURE_BONUS if _ASKS_FIGURE.search(question) else 0.0
        how = _ASKS_HOW.search(question) is not None
        exceptions = _ASKS_EXCEPTIONS.search(question) is not None
        said_to_be = self_descriptions(f"{context} {question}") | frozenset(shopper)
        meanings = self._meanings(f"{context} {question}".strip(), candidates, language)
        usual = self._meanings(wording, candidates, language) if wording else meanings
        own_words = 0.5 if self._all_known(question, candidates) else UNKNOWN
        scored = []
        for (text, passage, attribute), own, put in zip(candidates, meanings, usual, strict=True):
            held = " ".join(
                (*(passage.heading if passage else ()), *columns_of(passage, text), text)
            )
            covered = sum(w * self._covered(p, held, language, drop) for p, w in phrases)
            meaning = own
            if wording:
                put_words = self._covered(wording, held, language, drop)
                covered = OWN * covered + (1 - OWN) * put_words
                meaning = max(own, (1 - OWN) * own + OWN * put)
            score = own_words * covered + (1 - own_words) * meaning if language == "en" else covered
            score += figure * (TABLE if CELL in text else 1.0) if _FIGURE.search(text) else 0.0
            score += ROW if is_row_of(text, question) else 0.0
            score -= EARLIER * passage.ordinal if passage else 0.0
            score -= REVIEW if passage and of_shoppers(passage) else 0.0
            score -= FORBIDS if how and _FORBIDDING.search(text) else 0.0
            if passage and is_step(passage, text):
                score += STEPS if how else -STEPS
            score += TOLD if how and language == "en" and instructs(text) else 0.0
            score += EXCEPTS if exceptions and excepts(passage, text) else 0.0
            score += SELF if passage and said_to_be & set(tokens(text)) else 0.0
            scored.append(Evidence(text, score, passage, attribute, covered, meaning))
        enough = partial(self._enough, language=language, known=bool(wording))
        if scorer is not None:
            best = best_read(question, scored, scorer, enough=enough)
        else:
            best = max(filter(enough, scored), key=lambda e: e.score, default=None)
        if best is None:
            return None
        return replace(best, text=continued(best.text, best.passage, question, MAX_QUOTE[language]))

    def _enough(self, e: Evidence, language: str, *, known: bool) -> bool:
        """Whether the span answers; a `known` kind of question needs less to be recognised."""
        if language != "en":
            return e.covered >= (KNOWN_WORDS if known else WORDS_ENOUGH)
        mean = (e.covered + e.meaning) / 2
        if known and (e.meaning >= KNOWN_MEANING or mean >= KNOWN_BOTH):
            return True
        return (
            (e.covered >= WORDS_ENOUGH and e.meaning >= 0.25)
            or (e.meaning >= MEANING_ENOUGH and e.covered > 0.0)
            or (mean >= BOTH_ENOUGH and e.covered >= 0.35)
        )

    def _all_known(self, question: str, candidates: list[Span]) -> bool:
        """Whether each content word of the question stands in some text looked at."""
        held = {
            t
            for text, p, _ in candidates
            for t in tokens(" ".join((*(p.heading if p else ()), text)))
        }
        asked = {w for w in tokens(question) if w not in HOLLOW and len(w) > 1}
        return asked <= held

    def _covered(self, asked: str, held: str, language: str, drop: frozenset[str]) -> float:
        """The share of the question's content that a span holds, weighted by rarity."""
        if language == "zh":
            return wide_share(asked, held, drop)
        words = [w for w in dict.fromkeys(tokens(asked)) if w not in HOLLOW and w not in drop]
        weights = {w: self._rarity(w) for w in words if len(w) > 1}
        found = set(tokens(held))
        total = sum(weights.values())
        held_by = (v for w, v in weights.items() if w in found or not _same(w).isdisjoint(found))
        return sum(held_by) / total if total else 0.0

    def _rarity(self, word: str) -> float:
        """Words that no text of the shop holds weigh most: they are what was really asked."""
        seen = self._catalogue.text_frequency.get(word, 0)
        return float(np.log(1 + (len(self._catalogue) + 1) / (seen + 0.5)))

    def _meanings(
        self,
        question: str,
        candidates: list[Span],
        language: str,
    ) -> list[float]:
        if language != "en":
            return [0.0] * len(candidates)
        texts = [in_place(text, p) for text, p, _ in candidates]
        vectors = self._vectors([question, *texts])
        return [float(v) for v in vectors[1:] @ vectors[0]]

    def read_ahead(self, ended: Callable[[], bool]) -> int:
        """Encodes the sentences of rules and pages before they are asked about, as many as are kept;
        returns how many. Stops early once `ended` says so."""
        read = 0
        for texts in self._told():
            for at in range(0, len(texts), AT_ONCE):
                if ended() or read + AT_ONCE > VECTORS_KEPT // 2:
                    return read
                some = texts[at : at + AT_ONCE]
                self._vectors(some)
                read += len(some)
                time.sleep(BREATH)  # the encoder serves one at a time: a turn that waits goes first
        return read

    def _told(self) -> Iterator[list[str]]:
        """What passages and records of products tell in English, as it is encoded."""
        for passage in self._searcher.all_passages():
            if passage.source == "comment" or WIDE.search(passage.text):
                continue
            product = self._catalogue.products.get(str(passage.product_id))
            about = product_text(product) if product else ""
            if texts := [in_place(s, passage) for s in spans_of(passage, "en", about)]:
                yield texts
        for product in self._catalogue.products.values():
            if texts := [text for text, _, _ in of_record(product, "en") if not WIDE.search(text)]:
                yield texts

    def _vectors(self, texts: list[str]) -> NDArray[np.float32]:
        """Encodes texts, each once: a shop's sentences are asked about again and again."""
        known = {text: v for text in texts if (v := self._known.get(text)) is not None}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            if len(self._known) > VECTORS_KEPT:
                self._known.clear()
            fresh = dict(zip(missing, self._encode(missing), strict=True))
            known |= fresh
            self._known |= fresh
        return np.stack([known[text] for text in texts])


@cache
def _same(word: str) -> frozenset[str]:
    """The stems that may stand for a stem in a rule: shipping for delivery."""
    groups = [frozenset(t for w in group for t in tokens(w)) for group in signs().same]
    return frozenset().union(*(group for group in groups if word in group))


def self_descriptions(text: str) -> frozenset[str]:
    """The words by which the shopper said what they are: gold, of "I'm a gold member"."""
    return frozenset(t for m in _SELF.finditer(text) for g in m.groups() if g for t in tokens(g))


def nameless(text: str, product: Product) -> str:
    """The text with "it" in the place of the product's name, so that the name makes nothing alike."""
    brand = product.brand or ""
    short = re.sub(rf"^{re.escape(brand)}\s+", "", product.title, flags=re.IGNORECASE)
    for name in (product.title, short):
        if len(name) > 3:
            text = re.sub(rf"\b(?:(?:the|my|your|an?) )?{re.escape(name)}(?!\w)", "it", text, flags=re.IGNORECASE)  # fmt: skip
    return text


def wide_share(asked: str, held: str, drop: frozenset[str]) -> float:
    """The share of a Chinese question's words that a span holds, parts of words in part."""
    total = found = 0.0
    for unit in units(asked):
        if unit.text in drop or unit.text in _HOLLOW_ZH:
            continue
        total += unit.weight
        credits = (c for c, parts in unit.alternatives if all(part in held for part in parts))
        found += unit.weight * max(credits, default=0.0)
    return found / total if total else 0.0
