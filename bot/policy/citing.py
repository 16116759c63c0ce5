"""How a rule of the shop is told: as a quotation, with its heading and a citation."""

from __future__ import annotations

from bot.evidence import Evidence
from bot.grounding import act, slot
from bot.policy.plan import Plan
from bot.turn import Citation, Slot
from db.records import Passage


def tell_rule(
    plan: Plan, name: str, evidence: Evidence, slots: list[Slot | None] | None = None
) -> None:
    """Says an act that carries a rule as `quote_1`, and cites it."""
    assert evidence.passage is not None
    given = list(slots or [])
    given.append(slot("quote_1", plan.book.rule(evidence.passage, evidence.text)))
    if name == "policy" and evidence.passage.heading:
        heading = evidence.passage.heading[-1]
        given.append(
            slot("topic", plan.book.add("policy", str(evidence.passage.id), "heading", heading))
        )
    plan.say(
        act(name, given), f"rule with words {evidence.covered:.2f}, meaning {evidence.meaning:.2f}"
    )
    cite(plan, evidence.passage, evidence.text)


def cite(plan: Plan, passage: Passage, text: str) -> None:
    title = " › ".join(passage.heading) or passage.document_id
    plan.citations.append(Citation("policy", str(passage.id), title, text))
