"""One short question where a wish can be read in several ways, with the readings as options.

Nothing is asked twice in a conversation. Knows nothing about how answers are understood.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

from bot.grounding import act, slot
from bot.kinds import head_of
from bot.policy.plan import Desk, Plan
from bot.recommend import Found
from bot.understanding.constraints import Constraints
from db.records import Product
from retrieval.text import tokens, units

MOST = 3  # options of a question
MAX_OPTION = 40


def ask_wish(plan: Plan, desk: Desk, why: str) -> None:
    """Asks what is wished, with the largest departments of the shop as options."""
    plan.say(act("ask_wish"), why)
    sizes = Counter(p.category[0] for p in desk.catalogue.products.values() if p.category)
    largest = [name for name, _ in sizes.most_common(MOST) if len(name) <= MAX_OPTION]
    if len(largest) > 1:
        plan.suggestions += largest
        plan.state = replace(plan.state, departments=tuple(largest))


def ask_which(plan: Plan, desk: Desk, found: Found, wish: str, constraints: Constraints) -> bool:
    """Asks which kind is meant where the one word of the wish names goods of unlike departments.

    Returns whether it asked.
    """
    head = head_of(wish, plan.language)
    if not found.sold or found.dropped or head in plan.state.settled or not constraints.empty:
        return False
    content = [u for u in units(wish) if u.weight >= 1.0]
    if not head or len(content) != 1:
        return False
    options = _readings(desk, found, head, plan.language)
    if not 2 <= len(options) <= MOST:
        return False
    slots = [
        slot(f"option_{n}", plan.book.add("shop", "categories", "category", option))
        for n, option in enumerate(options, 1)
    ]
    plan.say(act("clarify", slots), f"{head!r} may be any of these")
    plan.suggestions += options
    settled = (*plan.state.settled, head)
    plan.state = replace(plan.state, offered=tuple(options), settled=settled)
    return True


def _readings(desk: Desk, found: Found, head: str, language: str) -> list[str]:
    """The departments whose goods the word names, each as its category or its one product."""
    named: dict[str, list[Product]] = defaultdict(list)
    for pick in found.picks:
        product = pick.product
        if not product.category:
            return []
        is_it = (
            head in product.title
            if language == "zh"
            else desk.catalogue.kinds.is_a(str(product.id), head)
        )
        if is_it:
            named[product.category[0]].append(product)
    if not 2 <= len(named) <= MOST:
        return []
    options = []
    for products in named.values():
        leaves = {p.category[-1] for p in products}
        if len(products) == 1 and len(products[0].title) <= MAX_OPTION:
            options.append(products[0].title)
        elif len(leaves) == 1 and set(tokens(next(iter(leaves)))) != {head}:
            options.append(leaves.pop())
        else:
            options.append(products[0].category[0])
    return options if len(set(options)) == len(options) else []
