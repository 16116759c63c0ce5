"""What to do with a limit in a currency that the shop's prices are not in: ask for one that is.

Rates are no fact of a shop, so nothing is converted.
"""

from __future__ import annotations

from dataclasses import replace

from babel.numbers import get_currency_name

from bot.grounding import LOCALES, act, slot
from bot.policy.plan import Plan
from bot.understanding.constraints import Constraints
from bot.understanding.prices import currencies_said


def in_another(plan: Plan, constraints: Constraints) -> bool:
    """Whether the limit of these conditions is in another currency than the shop's."""
    said = " ".join(words for name, words in constraints.words if name == "price")
    codes = currencies_said(said)
    return bool(codes and plan.book.currency) and plan.book.currency not in codes


def without_limit(constraints: Constraints) -> Constraints:
    """The conditions without their limit on the price."""
    words = tuple(pair for pair in constraints.words if pair[0] != "price")
    return replace(constraints, price_min=None, price_max=None, total=None, words=words)


def ask_limit(plan: Plan) -> None:
    """Asks for a limit in the shop's own currency; the next bare figure is taken for it."""
    name = get_currency_name(plan.book.currency, count=2, locale=LOCALES[plan.language])
    plan.book.add("shop", "currency", "absent", "")
    known = plan.book.add("shop", "currency", "currency", name)
    plan.say(act("other_currency", [slot("currency", known)]), "a limit in another currency")
    plan.state = replace(plan.state, awaiting="budget")
