"""Acts that answer a complaint: sorry, the rule for it, and what can be done; else a person."""

from __future__ import annotations

from dataclasses import replace

from bot.grounding import act
from bot.orders import allowed, rule_question
from bot.policy import changes
from bot.policy.citing import tell_rule
from bot.policy.orders import proven
from bot.policy.people import calm_and_hand_over, hand_over, offer_person
from bot.policy.plan import PERSON, Desk, Plan
from bot.understanding.values import Request
from db.records import Order
from prompts.cues import cue

UPSET_BEFORE_HANDOVER = 3  # complaints of a conversation


def complaint(plan: Plan, desk: Desk, request: Request) -> None:
    """Says sorry, what the shop's rules offer for it, and asks for the order once.

    Who has to say the same again, or complains again and again, is passed to a person.
    """
    if request.why == "answer to a question" and plan.state.awaiting in ("order", "contact"):
        order = proven(plan, desk)
        if order is not None:
            _solve(plan, desk, order)
        return
    if request.goal == "lost":  # no rule finds a parcel: a person has to ask the carrier
        calm_and_hand_over(plan, desk, "complaint")
        return
    words = rule_question("complaint", plan.language)
    follow = request.goal == "follow"
    context = plan.state.asked if follow else ""
    evidence = desk.answerer.about_rules(
        words if follow else f"{words}. {request.text}"[:160], plan.language, context=context[:80]
    )
    evidence = evidence or desk.answerer.about_rules(words, plan.language)
    if not (follow or cue("complaint", request.text)):
        evidence = None
    told = evidence.text if evidence is not None else "no rule"
    before = plan.state
    plan.state = replace(
        before, asked=request.text[:200], topic="complaint", complained=told[:80],
        upset=before.upset + (not follow),
    )  # fmt: skip
    again = before.complained == told[:80]
    if plan.state.upset >= UPSET_BEFORE_HANDOVER or (again and before.upset and not follow):
        calm_and_hand_over(plan, desk, "complaint")
        return
    if again and before.complained:  # the rule was told: neither it nor the question is said again
        plan.state = replace(plan.state, upset=before.upset + 1)
        plan.say(act("calm"), "the rule was told")
        offer_person(plan, "a person may do better")
        plan.state = replace(plan.state, awaiting=before.awaiting or "team")
        return
    known = plan.understood.order_ids or plan.state.order_id
    if evidence is not None:
        tell_rule(plan, "complaint", evidence)
    elif not known:
        plan.say(act("complaint"), "no rule fits")  # asks for the order's number itself
    else:
        plan.say(act("calm"), "no rule fits, and the order is known")
    plan.suggestions.append(PERSON[plan.language])
    if follow:
        return
    if not known:
        plan.state = replace(plan.state, order_goal="complaint:", awaiting="order")
        if evidence is not None:
            plan.say(act("ask_order"), "what can be done depends on the order")
        return
    plan.state = replace(plan.state, order_goal="complaint:")
    order = proven(plan, desk)
    if order is not None:
        _solve(plan, desk, order)


def _solve(plan: Plan, desk: Desk, order: Order) -> None:
    """Offers what may be requested of the order; a person where nothing may."""
    plan.state = replace(plan.state, order_goal="")
    if allowed("return", order):
        changes.change(plan, desk, order, "return", rule=False)
        other = {"en": "An exchange instead", "zh": "换货"}[plan.language]
        plan.suggestions[:] = [changes.SUGGESTED[plan.language][0], other, PERSON[plan.language]]
    else:
        hand_over(plan, desk, "complaint")
