"""Conditions, wishes and reasons in words, as facts that a reply may repeat.

Knows nothing about what was found.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from bot.grounding import COLON, money, readable, slot, stated_rating
from bot.policy.plan import Plan
from bot.recommend import Pick
from bot.turn import Fact, Slot
from bot.understanding.constraints import Constraints
from bot.understanding.intents import INSULT
from bot.understanding.values import Request
from db.records import Money
from prompts.filling import indefinite_article

MAX_WISH = {"en": 48, "zh": 24}
_BOUNDS = {  # a price that was said in words that cannot be repeated
    "en": ("between {} and {}", "over {}", "under {}"),
    "zh": ("{}到{}", "{}以上", "{}以内"),
}
_THAN = {
    "en": {"cheaper": "cheaper", "dearer": "more expensive"},
    "zh": {"cheaper": "更便宜的", "dearer": "更贵的"},
}
_ARTICLE = re.compile(r"(?:(an?)|the|some) ", re.IGNORECASE)


def reason_text(plan: Plan, pick: Pick) -> str:
    if named := plan.book.variant(pick.product):
        colon = COLON[plan.language]
        return " · ".join(f"{readable(o.name)}{colon}{o.value}" for o in named.options)
    if pick.reason is not None:
        return f"{readable(pick.reason.name)}{COLON[plan.language]}{pick.reason.value}"
    if stated_rating(pick.product) is not None:
        words = {"en": "Rating", "zh": "评分"}[plan.language]
        return f"{words}{COLON[plan.language]}{pick.product.rating:g}"
    if pick.product.brand:
        words = {"en": "Brand", "zh": "品牌"}[plan.language]
        return f"{words}{COLON[plan.language]}{pick.product.brand}"
    return ""


def reason(plan: Plan, pick: Pick) -> Fact | None:
    text = reason_text(plan, pick)
    if not text:
        return None
    return plan.book.add(
        "product", str(pick.product.id), "attribute:reason", text, pick.product.title
    )


def wish_slot(plan: Plan, wish: str, constraints: Constraints) -> Slot | None:
    """The wish as a noun phrase, or None where the words would not read well."""
    words = wish.strip(" ,，")
    if plan.understood.abuse >= INSULT:  # such words are not said again
        return None
    if not words or len(words) > MAX_WISH[plan.language] or len(words.split()) > 6:
        return None
    if re.search(
        r"\b(?:i|you|he|she|is|are|have|has|can|had|my|me|that|to|him|her)\b", words, re.I
    ):
        return None
    text = _as_noun(words if words.isupper() is False else words.lower())
    price = condition(plan, "price", constraints)
    if plan.language == "zh":
        text = text.replace(" ", "")
        text = text.lstrip("的")
        text = f"{price.removesuffix('的')}的{text}" if price else text
    else:
        text = f"{text} {price}".strip()
    return slot("wish", plan.book.add("shopper", "message", "wish", text))


def _as_noun(words: str) -> str:
    """A purpose read as a thing: "to heat up leftovers" is something to heat up leftovers."""
    return f"something {words}" if re.match(r"(?:to|for) \w", words) else words


def absent(plan: Plan, told: Slot | None, wish: str, request: Request) -> Slot:
    """What the shop does not have, in the shopper's words."""
    words = told.value if told else (wish or request.text)[: MAX_WISH[plan.language]].strip()
    words = _than_shown(plan, _as_noun(words), request)
    return slot("wish", plan.book.add("shopper", "message", "absent", words))


def _than_shown(plan: Plan, words: str, request: Request) -> str:
    """The goods with the comparison that was asked for: "a cheaper kettle"."""
    if not request.than_shown:
        return words
    than = _THAN[plan.language][request.than_shown]
    return f"{than}{words}" if plan.language == "zh" else before_noun(than, words)


def before_noun(words: str, goods: str) -> str:
    """English goods with a property before them: "an orange kettle" of "a kettle"."""
    article = _ARTICLE.match(goods)
    phrase = f"{words} {goods[article.end() :] if article else goods}".strip()
    return f"{indefinite_article(phrase)} {phrase}" if article and article[1] else phrase


def condition(plan: Plan, name: str, constraints: Constraints) -> str:
    """A condition in words, as the shopper meant it."""
    language = plan.language
    if name == "brand" and constraints.brands:
        return " / ".join(constraints.brands)
    if said := [facet.said for facet in constraints.facets if facet.kind == name]:
        return said[-1]
    if name == "category" and constraints.categories:
        return constraints.categories[0]
    if name == "rating" and constraints.rating_min:
        return {
            "en": f"at least {constraints.rating_min:g} stars",
            "zh": f"{constraints.rating_min:g}星以上",
        }[language]
    if name == "stock":
        return {"en": "in stock", "zh": "有货"}[language]
    if name != "price":
        return ""
    if constraints.price_min is None and constraints.price_max is None:
        return ""
    said = [words for kind, words in constraints.words if kind == "price"]
    return said[-1] if said else ""


def conditions(plan: Plan, names: tuple[str, ...], constraints: Constraints) -> str:
    """Several conditions in words, "" where one of them cannot be told."""
    told = [
        condition(plan, name, constraints) or _bounds(plan, name, constraints) for name in names
    ]
    return {"en": " + ", "zh": "、"}[plan.language].join(told) if all(told) else ""


def _bounds(plan: Plan, name: str, constraints: Constraints) -> str:
    if name != "price":
        return ""
    return limit_in_words(plan, constraints.price_min, constraints.price_max)


def limit_in_words(plan: Plan, least: Decimal | None, most: Decimal | None) -> str:
    """Bounds of a price, as a condition on a thing."""
    both, over, under = _BOUNDS[plan.language]
    low, high = (
        None if amount is None else money(Money(amount, plan.book.currency), plan.language)
        for amount in (least, most)
    )
    if low and high:
        return both.format(low, high)
    return over.format(low) if low else under.format(high)


def category_slot(plan: Plan, category: str) -> Slot | None:
    if not category:
        return None
    plan.suggestions.append(category)
    plan.state = replace(plan.state, offered=(category,))
    return slot("category", plan.book.add("shop", "categories", "category", category))
