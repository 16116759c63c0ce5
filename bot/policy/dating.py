"""The notice of which day the prices are, under a reply that tells any."""

from __future__ import annotations

import re

from bot.grounding import act, day, slot
from bot.policy.plan import Desk, Plan

_MONEY = re.compile(r"price_\d|amount")


def date_prices(plan: Plan, desk: Desk) -> None:
    """Says as of which day the prices of this turn are, where the feed is older than it may be."""
    if not _tells_prices(plan):
        return
    as_of = desk.freshness.prices_as_of(plan.now)
    if as_of is not None:
        fact = plan.book.add("shop", "feed", "imported", day(as_of, plan.language))
        plan.notice(act("prices_as_of", [slot("date", fact)]), "older than feed.max_age")


def _tells_prices(plan: Plan) -> bool:
    return any(card.price for card in plan.cards) or any(
        _MONEY.fullmatch(slot.name) for said in plan.acts for slot in said.slots
    )
