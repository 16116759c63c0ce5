"""Acts that bring a person in: hand-over, call-backs, and what to say to who is angry."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.grounding import act, slot
from bot.handoff import Reason, summary_of
from bot.orders import detail_in_words
from bot.policy.plan import PERSON, Desk, Plan
from bot.turn import Slot
from bot.understanding.details import CONTACT
from bot.understanding.values import Request

MESSAGE_KEPT = 300
_CONTACT = re.compile(r"contact|people|team|support|help|客服|联系|人工", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|\+?\d[\d -]{7,}\d")
_REACHES = ("phone", "email", "contact")


def person_asked(plan: Plan, desk: Desk, request: Request) -> None:
    """A person was asked for, or a call back, or its contact was given."""
    if request.goal == "why":
        _why_contact(plan)
    elif request.goal == "no":
        plan.state = plan.state.without_pending()
        plan.book.add("request", "none", "absent", "")
        plan.say(act("request_dropped"), "no call back is wanted")
    elif request.goal in ("callback", "contact") or not _on_duty(plan, desk) and _contacts(plan):
        call_back(plan, desk)
    else:
        hand_over(plan, desk, "asked")


def hand_over(plan: Plan, desk: Desk, reason: Reason, *, topic: str = "") -> None:
    """Passes the conversation to a person; says so openly where nobody is there to take it.

    Names the shop's contact as the shop writes it.
    """
    contact = desk.contact or _contact_rule(desk, plan)
    slots: list[Slot | None] = []
    if contact:
        slots.append(slot("contact", plan.book.add("policy", "contact", "contact", contact)))
    if _on_duty(plan, desk):
        plan.say(act("handoff", slots), f"a person is needed: {reason}")
        awaiting = ""
    else:
        plan.book.add("shop", "duty", "absent", "")
        plan.say(act("handoff_closed", [_hours(plan, desk), *slots]), f"nobody on duty: {reason}")
        awaiting = "callback"
    _pass_on(plan, desk, reason, topic)
    plan.state = replace(plan.state.without_pending(), awaiting=awaiting, topic="")


def calm_and_hand_over(plan: Plan, desk: Desk, reason: Reason) -> None:
    """To somebody who is angry: sorry, and a person."""
    plan.say(act("calm"), "anger is met with an apology, not with another question")
    hand_over(plan, desk, reason)


def calm_down(plan: Plan) -> None:
    """To a first insult: sorry, and the choice of a person."""
    plan.say(act("calm"), "an insult is met with an apology")
    offer_person(plan, "a person may do better")
    plan.state = replace(plan.state, pending=None, wanted="", upset=plan.state.upset + 1)


def offer_person(plan: Plan, why: str) -> None:
    plan.say(act("offer_person"), why)
    plan.suggestions.append(PERSON[plan.language])
    plan.state = replace(plan.state, awaiting="team")


def _why_contact(plan: Plan) -> None:
    detail = plan.book.add(
        "request", "callback", "detail", detail_in_words("contact", plan.language)
    )
    plan.say(act("why_detail", [slot("detail", detail)]), "asked what it is needed for")
    plan.state = replace(plan.state, awaiting="callback")


def call_back(plan: Plan, desk: Desk) -> None:
    """Records that the team gets back to the shopper, or asks where that may be."""
    given = _contacts(plan)
    if not given:
        plan.say(act("ask_callback_contact"), "no number or address given")
        _pass_on(plan, desk, "callback", "")
        plan.state = replace(plan.state.without_pending(), awaiting="callback")
        return
    said = "" if plan.understood.text.strip() == CONTACT else plan.understood.text
    details = given | {"message": said[:MESSAGE_KEPT], "question": plan.state.question}
    note = plan.requests.record(
        "callback", order_id=None, details={k: v for k, v in details.items() if v}
    )
    plan.note(note)
    slots: list[Slot | None] = [
        slot("request_id", plan.book.add("request", note.id, "id", note.id))
    ]
    if not _on_duty(plan, desk):
        slots.append(_hours(plan, desk))
    plan.say(act("callback_recorded", slots), "recorded")
    _pass_on(plan, desk, "callback", "")
    plan.state = plan.state.without_pending()


def _pass_on(plan: Plan, desk: Desk, reason: Reason, topic: str) -> None:
    plan.handoff = True
    state = plan.state
    products = tuple(
        desk.catalogue.products[pid].title
        for pid in (state.focus or state.last_list)
        if pid in desk.catalogue.products
    )
    plan.summary = summary_of(
        state,
        reason=reason,
        intents=plan.understood.intents,
        products=products,
        order_proven=bool(state.order_id) and state.may_see(state.order_id, plan.now),
        on_duty=_on_duty(plan, desk),
        topic=topic,
    )
    plan.state = replace(state, handed_off=True)


def _contacts(plan: Plan) -> dict[str, str]:
    """What was given to reach the shopper by, one of a kind."""
    found: dict[str, str] = {}
    for kind, typed in plan.understood.given:
        if kind in _REACHES:
            found.setdefault(kind, typed)
    return found


def _on_duty(plan: Plan, desk: Desk) -> bool:
    """A shop that tells no hours is as one that always has somebody there."""
    return desk.hours is None or desk.hours.open_at(plan.now)


def _hours(plan: Plan, desk: Desk) -> Slot | None:
    if desk.hours is None:
        return None
    told = desk.hours.in_words(plan.language)
    return slot("hours", plan.book.add("shop", "hours", "hours", told))


def _contact_rule(desk: Desk, plan: Plan) -> str:
    question = {"en": "contact our team by phone or e-mail", "zh": "人工客服 热线"}[plan.language]
    evidence = desk.answerer.about_rules(question, plan.language)
    if evidence is None or evidence.passage is None:
        return ""
    heading = " ".join(evidence.passage.heading)
    if not (_CONTACT.search(heading) and _ADDRESS.search(evidence.text)):
        return ""
    return next(m.group() for m in _ADDRESS.finditer(evidence.text))
