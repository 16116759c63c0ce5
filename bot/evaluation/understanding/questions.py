"""How questions on one product are answered: what its page does not tell, and what it does.

Two sets pull in opposite directions. Of `eshop-support` the answers stand in manuals that the shop
does not have, so that a claim is a fault. Of `contoso-outdoor` they stand in the products' pages,
and the citation has to be the section that holds the answer.

A reply claims where one of its acts tells a fact of a product or a rule (CLAIMS). A claim is right
where its values hold at least half of the content words of the written answer.

Which section is right is judged by words alone: each section of the page (the text under one
heading) is scored by the share of the written answer's content words that it holds in the best
window of its lines. Right in the strict sense are the sections with the highest share, in the
lenient one those that hold at least LENIENT of it. A citation is in a section where its quote
stands there, white space and marks aside; a row of the feed counts for the section that holds its
value. A question is answerable where the best section holds at least ANSWERABLE of the answer.
Knows nothing of how an answer is found.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.app import Shop
from bot.evaluation.understanding.shops import shop_of
from bot.evaluation.understanding.turns import Told, rows, say
from retrieval.text import tokens

CLAIMS = frozenset(
    """product_quote attribute details describe policy stock price price_difference total compare
    choose deadline""".split()
)
INSTEAD = frozenset("recommend recommend_more no_match not_sold no_more".split())
HONEST = frozenset("unknown_fact policy_unknown".split())
RIGHT = 0.5  # share of the answer's words from which a claim is right
ANSWERABLE = 0.6  # share of the answer's words from which a section answers
LENIENT = 0.8  # of the best share
WINDOW = 4  # lines of a section that may hold an answer together
_HEADING = re.compile(r"^#{1,6}\s+(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """The text under one heading of a page."""

    heading: str
    text: str


def measure(data: Path, home: Path) -> dict[str, Any]:
    """Returns the figures of both sets and `losses` to read.

    `unanswerable.wrong_claims` and `instead` are better when smaller, the shares of right sections
    when greater. Raises ConfigError where a set is missing.
    """
    with shop_of("eshop-support", data, home / "eshop-support") as shop:
        untold = unanswerable(shop, rows(data / "eshop-support" / "questions.jsonl"))
    with shop_of("contoso-outdoor", data, home / "contoso-outdoor") as shop:
        pages = {
            path.stem.rpartition("_")[2]: path.read_text(encoding="utf-8")
            for path in (data / "contoso-outdoor" / "manuals").glob("*.md")
        }
        told = answerable(shop, rows(data / "contoso-outdoor" / "faq.jsonl"), pages)
    losses = {"unanswerable": untold.pop("losses"), "pages": told.pop("losses")}
    return {"unanswerable": untold, "pages": told, "losses": losses}


def unanswerable(shop: Shop, questions: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Figures of questions whose answers the shop does not have; a claim counts unless it is right."""
    kinds: Counter[str] = Counter()
    named = asked = 0
    losses = []
    for row in questions:
        before = [] if row["names_product"] else [f"Tell me about {row['product']}"]
        reply = say(shop, *before, row["question"])
        kind = kind_of(reply)
        if kind == "claim":
            kind = "right_claim" if held(row["answer"], _said(reply)) >= RIGHT else "wrong_claim"
        rightly = names(reply, row["product"])
        asked += 1
        kinds[kind] += 1
        named += rightly
        if kind in ("wrong_claim", "instead", "other") or not rightly:
            losses.append(_loss(row, reply, kind, product_named=rightly))
    return {
        "questions": asked,
        "claims": _share(kinds["wrong_claim"] + kinds["right_claim"], asked),
        "wrong_claims": _share(kinds["wrong_claim"], asked),
        "honest": _share(kinds["honest"], asked),
        "instead": _share(kinds["instead"], asked),
        "handoff": _share(kinds["handoff"], asked),
        "other": _share(kinds["other"], asked),
        "product_named": _share(named, asked),
        "losses": losses,
    }


def answerable(
    shop: Shop, questions: Iterable[dict[str, Any]], pages: dict[str, str]
) -> dict[str, Any]:
    """Figures of questions on pages: `lenient` is over all questions, `of_answerable` over those
    whose answer a section holds."""
    counts: Counter[str] = Counter()
    losses = []
    for row in questions:
        sections = sections_of(pages[row["product_id"]])
        shares = [best_share(row["answer"], section.text) for section in sections]
        best = max(shares, default=0.0)
        reply = say(shop, row["question"])
        cited = {
            at
            for citation in reply.citations
            if citation.source == "product" and citation.title == row["product"]
            for at, section in enumerate(sections)
            if stands_in(citation.quote, section.text)
        }
        strict = any(shares[at] >= best for at in cited)
        lenient = any(shares[at] >= LENIENT * best for at in cited)
        there = best >= ANSWERABLE
        counts.update(
            {
                "all": 1, "strict": strict, "lenient": lenient, "answerable": there,
                "strict_there": strict and there, "lenient_there": lenient and there,
                "honest": kind_of(reply) == "honest", "instead": kind_of(reply) == "instead",
            }
        )  # fmt: skip
        if not lenient:
            right = [s.heading for s, share in zip(sections, shares, strict=True) if share >= LENIENT * best]  # fmt: skip
            losses.append(_loss(row, reply, kind_of(reply), best=round(best, 2), right=right))
    return {
        "questions": counts["all"],
        "strict": _share(counts["strict"], counts["all"]),
        "lenient": _share(counts["lenient"], counts["all"]),
        "honest": _share(counts["honest"], counts["all"]),
        "instead": _share(counts["instead"], counts["all"]),
        "answerable": counts["answerable"],
        "strict_of_answerable": _share(counts["strict_there"], counts["answerable"]),
        "lenient_of_answerable": _share(counts["lenient_there"], counts["answerable"]),
        "losses": losses,
    }


def kind_of(reply: Told) -> str:
    """What a reply is: claim, instead (goods shown where an answer was asked), honest, handoff."""
    acts = set(reply.acts)
    for kind, some in (("claim", CLAIMS), ("instead", INSTEAD), ("honest", HONEST)):
        if acts & some:
            return kind
    return "handoff" if "handoff" in acts else "other"


def names(reply: Told, product: str) -> bool:
    """Whether the reply says the product's title."""
    return _squeezed(product) in _squeezed(reply.text)


def held(answer: str, text: str) -> float:
    """The share of the answer's content words that the text holds."""
    words = set(tokens(answer))
    return len(words & set(tokens(text))) / len(words) if words else 0.0


def sections_of(page: str) -> list[Section]:
    """The sections of a Markdown page; what stands before the first heading is one too."""
    marks = list(_HEADING.finditer(page))
    ends = [mark.start() for mark in marks[1:]] + [len(page)]
    found = [
        Section(mark.group(1).strip(), page[mark.end() : end])
        for mark, end in zip(marks, ends, strict=True)
    ]
    return [section for section in found if section.text.strip()]


def best_share(answer: str, section: str) -> float:
    """The greatest share of the answer that WINDOW lines of the section hold together."""
    lines = [line for line in section.splitlines() if line.strip()]
    windows = ["\n".join(lines[at : at + WINDOW]) for at in range(max(1, len(lines) - WINDOW + 1))]
    return max((held(answer, window) for window in windows), default=0.0)


def stands_in(quote: str, section: str) -> bool:
    """Whether the quote stands in the section, marks and white space aside, or, of a row of the
    feed ("Label: value"), its value."""
    said, text = _squeezed(quote), _squeezed(section)
    return said in text or _squeezed(quote.partition(": ")[2] or quote) in text


def _said(reply: Told) -> str:
    return " ".join(value for name, value in reply.values if not name.startswith("title"))


def _squeezed(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _loss(row: dict[str, Any], reply: Told, kind: str, **more: Any) -> dict[str, Any]:
    quotes: Sequence[str] = [c.quote[:160] for c in reply.citations]
    return {
        "product": row["product"],
        "question": row["question"],
        "answer": row["answer"],
        "kind": kind,
        "reply": reply.text[:240],
        "quotes": quotes,
        **more,
    }
