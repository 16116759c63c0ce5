"""Acts that set products side by side: a comparison of two, a choice among several."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.grounding import act, readable, slot, stated_rating
from bot.policy.measuring import magnitude
from bot.policy.plan import Desk, Plan
from bot.policy.products import answer_about, tell_evidence
from bot.turn import Comparison, ComparisonRow, Fact, Slot
from bot.understanding.values import Request
from db.records import Attribute, Product
from prompts.concepts import Concept, concepts
from prompts.cues import cue

COMPARED = 3  # rows told in words; the table holds up to TABLE rows
TABLE = 8
MAX_CELL = 60
_COMPARING = re.compile(
    r"\b(?:compar\w+|difference|between|versus|vs|differ|two|2|your|the|with)\b|比较|对比|区别|两[个款]|一下",
    re.IGNORECASE,
)


def compare(plan: Plan, desk: Desk, request: Request) -> None:
    """Compares two products, or chooses among several by what was asked."""
    ids = [link.product_id for link in request.links][:2] or list(request.references)
    if request.goal in ("choose", "which"):
        ids = list(request.references) or list(plan.state.last_list)
    if len(ids) < 2:
        ids = list(plan.state.last_list)
    products = [p for pid in ids if (p := desk.catalogue.products.get(pid))]
    if len(products) < 2:
        products = _named_by_kind(plan, desk, request)
    if len(products) < 2:
        plan.say(act("ask_product"), "nothing to compare")
        return
    if request.goal == "choose" and _choose(plan, desk, request, products):
        return
    if request.goal in ("choose", "which") and _which(plan, desk, request, products):
        return
    _compare_two(plan, products[0], products[1])


def _named_by_kind(plan: Plan, desk: Desk, request: Request) -> list[Product]:
    """The best of a kind, where no two products were named: "compare your electric kettles"."""
    wish = _COMPARING.sub(" ", request.query).strip()
    if not wish:
        return []
    found = desk.recommender.find(wish, request.constraints, language=plan.language, most=2)
    return [pick.product for pick in found.picks if not found.dropped]


def _compare_two(plan: Plan, first: Product, second: Product) -> None:
    slots: list[Slot | None] = [
        slot("title_1", plan.book.title(first)),
        slot("title_2", plan.book.title(second)),
    ]
    prices = [plan.book.price(first), plan.book.price(second)]
    if all(prices):
        slots += [slot(f"price_{n}", fact) for n, fact in enumerate(prices, 1) if fact]
    rows = _differences(first, second)
    for number, (a, b) in enumerate(rows[:COMPARED], 1):
        label, left = plan.book.attribute(first, a)
        _, right = plan.book.attribute(second, b)
        slots += [
            slot(f"label_{number}", label),
            slot(f"left_{number}", left),
            slot(f"right_{number}", right),
        ]
    plan.say(act("compare", slots), f"{len(rows)} attributes differ")
    table = [ComparisonRow(readable(a.name), (a.value, b.value)) for a, b in rows[:TABLE]]
    if all(prices):
        word = {"en": "Price", "zh": "价格"}[plan.language]
        table.insert(0, ComparisonRow(word, tuple(f.text for f in prices if f)))
    plan.comparison = Comparison((str(first.id), str(second.id)), tuple(table))
    plan.show([plan.card(first), plan.card(second)])
    ids = (str(first.id), str(second.id))
    plan.state = replace(plan.state.with_list(ids), focus=ids, topic="products")


def _differences(first: Product, second: Product) -> list[tuple[Attribute, Attribute]]:
    """Attributes both have, that differ and are short enough to tell; figures first."""
    other = {a.name.casefold(): a for a in second.attributes}
    rows = [
        (a, b)
        for a in first.attributes
        if (b := other.get(a.name.casefold())) and a.value != b.value
        and max(len(a.value), len(b.value)) <= MAX_CELL
    ]  # fmt: skip
    known = [c for c in concepts().values() if c.label]
    return sorted(
        rows, key=lambda row: not any(c.label and c.label.search(row[0].name) for c in known)
    )


def _choose(plan: Plan, desk: Desk, request: Request, products: list[Product]) -> bool:
    for name in request.concepts:
        concept = concepts()[name]
        direction = concept.direction(request.text)
        if not direction:
            continue
        ranked = _ranked(products, concept, direction, desk, request.text)
        if ranked:
            _tell_choice(plan, desk, request, concept, ranked)
            return True
    return False


def _ranked(
    products: list[Product], concept: Concept, direction: int, desk: Desk, text: str
) -> list[tuple[Product, float, Attribute | None]]:
    rows: list[tuple[Product, float, Attribute | None]] = []
    for product in products:
        if concept.card == "price" and product.price is not None:
            rows.append((product, float(product.price.amount), None))
        elif concept.card == "rating" and stated_rating(product) is not None:
            rows.append((product, product.rating or 0.0, None))
        elif attribute := desk.answerer.attribute(product, "", [concept.name]):
            value = magnitude(attribute.value)
            if value is not None:
                rows.append((product, value, attribute))
    return sorted(rows, key=lambda row: row[1] * -direction) if len(rows) >= 2 else []


def _tell_choice(
    plan: Plan,
    desk: Desk,
    request: Request,
    concept: Concept,
    ranked: list[tuple[Product, float, Attribute | None]],
) -> None:
    best, second = ranked[0], ranked[1]
    label, values = _choice_facts(plan, concept, best, second)
    slots = [
        slot("title_1", plan.book.title(best[0])),
        slot("label_1", label),
        slot("value_1", values[0]),
        slot("title_2", plan.book.title(second[0])),
        slot("value_2", values[1]),
    ]
    plan.say(act("choose", slots), f"{concept.name} decides")
    plan.show([plan.card(best[0])])
    plan.state = replace(plan.state, focus=(str(best[0].id),), topic="products")
    follow = [n for n in request.concepts if n != concept.name]
    if (
        follow
        and re.search(r"[.?!]\s*\S|how long|how much|多", request.text)
        and cue("question", request.text)
    ):
        answer_about(
            plan, desk, replace(request, concepts=tuple(follow), text=_after(request.text)), best[0]
        )


def _after(text: str) -> str:
    parts = [p for p in re.split(r"(?<=[.!?。！？])\s*", text) if p.strip()]
    return parts[-1] if parts else text


def _choice_facts(
    plan: Plan,
    concept: Concept,
    best: tuple[Product, float, Attribute | None],
    second: tuple[Product, float, Attribute | None],
) -> tuple[Fact, tuple[Fact, Fact]]:
    if best[2] is not None and second[2] is not None:
        label, value = plan.book.attribute(best[0], best[2])
        return label, (value, plan.book.attribute(second[0], second[2])[1])
    words = {
        "price": {"en": "price", "zh": "价格"},
        "rating": {"en": "rating", "zh": "评分"},
    }[concept.card][plan.language]
    facts = []
    for product, size, _ in (best, second):
        fact = plan.book.price(product) if concept.card == "price" else None
        rating = f"{size:g}"
        facts.append(
            fact or plan.book.add("product", str(product.id), "rating", rating, product.title)
        )
    label = plan.book.add("product", str(best[0].id), f"label:{concept.card}", words, best[0].title)
    return label, (facts[0], facts[1])


def _which(plan: Plan, desk: Desk, request: Request, products: list[Product]) -> bool:
    """Answers "which of them has …" with the product whose page holds it best."""
    found = [
        (evidence, product)
        for product in products
        if (
            evidence := desk.answerer.about_product(
                product, request.text, plan.language, several=True
            )
        )
    ]
    if not found:
        return False
    evidence, product = max(found, key=lambda pair: pair[0].score)
    tell_evidence(plan, product, evidence)
    plan.show([plan.card(product)])
    plan.state = replace(plan.state, focus=(str(product.id),), topic="products")
    return True
