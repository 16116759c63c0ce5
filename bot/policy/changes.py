"""Requests about an own order: checked against its state and the rules, completed, confirmed once,
recorded for a person. What they need of the shopper is sealed as soon as it is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.grounding import act, day, slot
from bot.orders import (
    allowed,
    days_to_return,
    detail_in_words,
    items_named,
    kind_in_words,
    noted_in_words,
    rule_question,
)
from bot.policy.citing import cite, tell_rule
from bot.policy.plan import Desk, Plan
from bot.sealing import SealError, seal, unseal
from bot.state import PendingRequest
from bot.turn import Derived, DialogAct, Slot
from db.records import Order
from prompts.cues import cue

ITEM_KINDS = ("return", "exchange")
SUGGESTED = {"en": ["Yes, please", "No, leave it"], "zh": ["好的", "不用了"]}


def change(plan: Plan, desk: Desk, order: Order, kind: str, *, rule: bool = True) -> None:
    """Refuses a request that the order's state rules out; else asks what is missing of it, or
    whether to record it. `rule` is False where a complaint's own rule has just been told."""
    said = plan.state.question or plan.understood.text
    about = "address" if kind == "change" and cue("address", said) else ""
    evidence = desk.answerer.about_rules(rule_question(kind, plan.language), plan.language)
    number = slot("order_id", plan.book.order(order, "id", str(order.id)))
    if not allowed(kind, order):
        word = _word(plan, kind, about)
        status = slot("order_status", plan.book.order(order, "status", order.status or "–"))
        plan.book.add("order", str(order.id), "absent", "")
        slots: list[Slot | None] = [number, word, status]
        if evidence is not None:
            tell_rule(plan, "request_refused", evidence, slots)
        else:
            plan.say(act("request_refused", slots), "not in this state")
        plan.state = replace(plan.state.without_pending(), order_goal="")
        return
    late = rule and kind in ITEM_KINDS and _too_late(plan, desk, order, kind)
    details, noted = _details(plan, order, kind, about, said)
    pending = PendingRequest(
        kind, str(order.id), about, noted, seal(details, desk.secret).decode("ascii")
    )
    plan.state = replace(plan.state, pending=pending, order_goal="")
    missing = _missing(kind, about, details, said)
    told = evidence if rule and not late and kind != "cancel" else None
    if not missing:
        asked = _confirmation(plan, pending)
    else:
        detail = plan.book.add("request", kind, "detail", detail_in_words(missing, plan.language))
        asked = act("ask_request_detail", [slot("detail", detail), number])
        plan.state = replace(plan.state, awaiting="detail", wanted=missing)
    if told is not None:
        tell_rule(plan, asked.name, told, list(asked.slots))
    else:
        plan.say(asked, "asked once before recording")


def answered(plan: Plan, desk: Desk, answer: str) -> None:
    """Goes on with a request that waits for a yes or for a detail.

    A yes without the detail that was asked for records the request without it: the team will ask.
    """
    pending, wanted = plan.state.pending, plan.state.wanted
    plan.state = plan.state.without_pending()
    if answer == "no" or pending is None:
        plan.book.add("request", "none", "absent", "")
        plan.say(act("request_dropped"), "the shopper said no")
        return
    order = desk.orders.order(pending.order_id)
    if order is None or not plan.state.may_see(str(order.id), plan.now):
        plan.state = replace(
            plan.state, awaiting="contact", order_goal=f"order_change:{pending.kind}"
        )
        number = plan.book.add("shopper", "message", "order_id", pending.order_id)
        plan.say(act("ask_order_contact", [slot("order_id", number)]), "the proof has run out")
        return
    if not allowed(pending.kind, order):
        change(plan, desk, order, pending.kind)
        return
    details = _opened(pending, desk)
    if answer == "detail":
        given = [typed for kind, typed in plan.understood.given if kind == wanted]
        details[wanted] = given[-1] if given else plan.understood.text
        word = noted_in_words(wanted, plan.language)
        pending = replace(
            pending,
            noted=(*(known for known in pending.noted if known != word), word),
            sealed=seal(details, desk.secret).decode("ascii"),
        )
        plan.state = replace(plan.state, pending=pending)
        plan.say(_confirmation(plan, pending), "asked once before recording")
        return
    note = plan.requests.record(pending.kind, order_id=pending.order_id, details=details)
    plan.note(note)
    words = kind_in_words(pending.about or pending.kind, plan.language)
    kind = plan.book.add("request", note.id, "kind", words)
    number = plan.book.add("request", note.id, "id", note.id)
    named = plan.book.order(order, "id", str(order.id))
    plan.say(act("request_recorded", [slot("kind", kind), slot("request_id", number), slot("order_id", named)]), "recorded")  # fmt: skip


def _confirmation(plan: Plan, pending: PendingRequest) -> DialogAct:
    """Waits for a yes; returns the act that asks for it."""
    plan.state = replace(plan.state, awaiting="confirm", wanted="")
    slots: list[Slot | None] = [
        slot("order_id", plan.book.add("order", pending.order_id, "id", pending.order_id)),
        _word(plan, pending.kind, pending.about),
    ]
    name = "confirm_request"
    if pending.noted:
        name = "confirm_noted"
        text = {"en": "; ", "zh": "；"}[plan.language].join(pending.noted)
        slots.append(slot("noted", plan.book.add("request", pending.kind, "noted", text)))
    plan.suggestions += SUGGESTED[plan.language]
    return act(name, slots)


def _word(plan: Plan, kind: str, about: str) -> Slot:
    words = kind_in_words(about or kind, plan.language)
    return slot("kind", plan.book.add("request", kind, "kind", words))


def _details(
    plan: Plan, order: Order, kind: str, about: str, said: str
) -> tuple[dict[str, str], tuple[str, ...]]:
    """What the message says that the request needs, and how that is named to the shopper."""
    details: dict[str, str] = {}
    noted: list[str] = []
    if kind in ITEM_KINDS:
        items = items_named(said, order)
        if items:
            details["items"] = "; ".join(item.title for item in items)
            noted.append({"en": ", ", "zh": "、"}[plan.language].join(item.title for item in items))
        if cue("complaint", said):
            details["message"] = said
    addresses = [typed for given, typed in plan.understood.given if given == "address"]
    if about == "address" and addresses:
        details["address"] = "\n".join(addresses)
        noted.append(noted_in_words("address", plan.language))
    if not about and kind in ("exchange", "change") and cue("instead", said):
        wanted = "instead" if kind == "exchange" else "change"
        details[wanted] = said
        noted.append(noted_in_words(wanted, plan.language))
    return details, tuple(noted)


def _missing(kind: str, about: str, details: dict[str, str], said: str) -> str:
    """The detail to ask for, "" where the request needs none or has it."""
    wanted = {"exchange": "instead", "change": about or "change"}.get(kind, "")
    return "" if wanted in details or cue("complaint", said) and kind == "exchange" else wanted


def _opened(pending: PendingRequest, desk: Desk) -> dict[str, str]:
    """The details; none where the home got another secret between two messages."""
    try:
        return unseal(pending.sealed.encode("ascii"), desk.secret)
    except SealError:
        return {}


def _too_late(plan: Plan, desk: Desk, order: Order, kind: str) -> bool:
    """Tells the last day of a return, with its rule, where that is certain and has passed.

    Nothing is refused for it: rules have exceptions, and a person decides.
    """
    if order.delivered_on is None:
        return False
    question = rule_question("window", plan.language)
    evidence = desk.answerer.about_rules(question, plan.language)
    days = days_to_return(evidence.text) if evidence is not None else None
    if evidence is None or evidence.passage is None or days is None:
        return False
    last = order.delivered_on + timedelta(days=days)
    if last >= plan.now.date():
        return False
    delivered = plan.book.order(order, "delivered_on", day(order.delivered_on, plan.language))
    plan.book.derived.append(Derived(last.isoformat(), "days_after", (order.delivered_on.isoformat(), str(days))))  # fmt: skip
    date = plan.book.add("derived", "days_after", "days_after", day(last, plan.language))
    number = plan.book.order(order, "id", str(order.id))
    quote = plan.book.rule(evidence.passage, evidence.text)
    slots = [slot("order_id", number), _word(plan, kind, ""), slot("date", date)]
    slots.append(slot("quote_1", quote))
    plan.say(act("late_request", slots), f"{days} days after {delivered.text}")
    cite(plan, evidence.passage, evidence.text)
    return True
