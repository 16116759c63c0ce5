"""Acts about an own order, complaints and people: proof first, then facts, requests, hand-over."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal, cast

from bot.grounding import act, day, money, slot
from bot.orders import allowed, kind_in_words, prove, rule_question
from bot.policy.plan import Desk, Plan
from bot.policy.rules import tell_rule
from bot.state import PendingRequest
from bot.turn import Citation, Slot
from bot.understanding.values import Request
from db.records import Money, Order
from prompts.cues import cue

MAX_ITEMS = 3
_CONTACT = re.compile(r"contact|people|team|support|help|客服|联系|人工", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|\+?\d[\d -]{7,}\d")


def order_request(plan: Plan, desk: Desk, request: Request) -> None:
    """Tells or changes an own order; asks for number and proof where they are missing."""
    state = plan.state
    if state.awaiting == "confirm" and request.goal in ("yes", "no"):
        _confirmed(plan, desk, request.goal)
        return
    understood = plan.understood
    goal = request.goal or state.order_goal
    if request.intent == "order_change" and request.goal in (
        "cancel",
        "return",
        "exchange",
        "change",
    ):
        plan.state = state = replace(state, order_goal=f"order_change:{request.goal}")
    elif request.intent == "order_status" and request.why != "answer to a question":
        plan.state = state = replace(state, order_goal=f"order_status:{request.goal}")
    goal = (plan.state.order_goal or f"{request.intent}:{request.goal}").partition(":")[2]
    order_id = understood.order_ids[0] if understood.order_ids else state.order_id
    contacts = tuple(dict.fromkeys((*state.contacts, *understood.contacts)))
    plan.state = state = replace(state, contacts=contacts[-4:], order_id=order_id, topic="order")
    if not order_id:
        name = "ask_order_number" if contacts else "ask_order"
        plan.state = replace(state, awaiting="order")
        plan.say(act(name), "no order number")
        return
    number = plan.book.add("shopper", "message", "order_id", order_id)
    if not contacts and not state.may_see(order_id, plan.now):
        plan.state = replace(state, awaiting="contact")
        plan.say(act("ask_order_contact", [slot("order_id", number)]), "no proof yet")
        return
    proof, state = prove(
        order_id, contacts, state=state, orders=desk.orders, secret=desk.secret, now=plan.now
    )
    plan.state = state
    if proof.locked:
        hand_over(plan, desk)
        return
    if proof.order is None:
        plan.state = replace(state, awaiting="contact", contacts=())
        plan.book.add("order", order_id, "absent", "")
        plan.say(
            act("order_mismatch", [slot("order_id", number)]), "number and contact do not match"
        )
        return
    plan.state = replace(state, awaiting="")
    if plan.state.order_goal.startswith("order_change"):
        _change(plan, desk, proof.order, goal or "change")
    else:
        _tell(plan, proof.order, goal)


def _tell(plan: Plan, order: Order, goal: str) -> None:
    order_id = slot("order_id", plan.book.order(order, "id", str(order.id)))
    fact = _asked_fact(plan, order, goal)
    if fact is not None:
        label, value = fact
        if value is None:
            absent = plan.book.add("order", str(order.id), "absent", label)
            plan.say(act("order_unknown_fact", [order_id, slot("asked", absent)]), "not stated yet")
            return
        label_fact = plan.book.order(order, f"label:{label}", label)
        value_fact = plan.book.order(order, goal, value)
        plan.say(
            act("order_fact", [order_id, slot("label_1", label_fact), slot("value_1", value_fact)]),
            goal,
        )
        return
    slots: list[Slot | None] = [
        order_id,
        slot("order_status", plan.book.order(order, "status", order.status or "–")),
    ]
    listed = _items(plan, order)
    if listed:
        slots.append(slot("items", plan.book.order(order, "items", listed)))
    for name in ("delivered_on", "expected_on"):
        value = getattr(order, name)
        if value is not None:
            slots.append(slot(name, plan.book.order(order, name, day(value, plan.language))))
            break
    if order.carrier and order.delivered_on is None:
        slots.append(slot("carrier", plan.book.order(order, "carrier", order.carrier)))
    plan.say(act("order_status", slots), "verified")
    plan.citations.append(
        Citation("order", str(order.id), str(order.id), f"status: {order.status}")
    )
    plan.suggestions += {
        "en": ["Tracking number?", "When will it arrive?"],
        "zh": ["快递单号发我", "什么时候到"],
    }[plan.language]


def _items(plan: Plan, order: Order) -> str:
    shown = [
        f"{i.quantity} × {i.title}" if plan.language == "en" else f"{i.title} × {i.quantity}"
        for i in order.items[:MAX_ITEMS]
    ]
    return {"en": ", ", "zh": "、"}[plan.language].join(shown)


def _asked_fact(plan: Plan, order: Order, goal: str) -> tuple[str, str | None] | None:
    lang = plan.language
    names = {
        "tracking": {"en": "tracking number", "zh": "快递单号"},
        "carrier": {"en": "carrier", "zh": "快递公司"},
        "expected": {"en": "expected delivery date", "zh": "预计送达日期"},
        "delivered": {"en": "delivery date", "zh": "送达日期"},
        "total": {"en": "order total", "zh": "订单总额"},
        "contents": {"en": "items", "zh": "商品"},
    }
    if goal not in names:
        return None
    if goal == "tracking":
        return names[goal][lang], order.tracking
    if goal == "carrier":
        return names[goal][lang], order.carrier
    if goal == "expected":
        if order.delivered_on is not None:
            return names["delivered"][lang], day(order.delivered_on, lang)
        return names[goal][lang], day(order.expected_on, lang) if order.expected_on else None
    if goal == "contents":
        return names[goal][lang], _items(plan, order) or None
    if order.total is None or not order.currency:
        return names[goal][lang], None
    return names[goal][lang], money(Money(order.total, order.currency), lang)


def _change(plan: Plan, desk: Desk, order: Order, kind: str) -> None:
    order_id = slot("order_id", plan.book.order(order, "id", str(order.id)))
    word = slot("kind", plan.book.add("request", kind, "kind", kind_in_words(kind, plan.language)))
    rule = desk.answerer.about_rules(rule_question(kind, plan.language), plan.language)
    if not allowed(kind, order):
        status = slot("order_status", plan.book.order(order, "status", order.status or "–"))
        plan.book.add("order", str(order.id), "absent", "")
        slots: list[Slot | None] = [order_id, word, status]
        if rule is not None:
            tell_rule(plan, "request_refused", rule, slots)
        else:
            plan.say(act("request_refused", slots), "not in this state")
        plan.state = replace(plan.state, order_goal="")
        return
    plan.state = replace(
        plan.state, awaiting="confirm", pending=PendingRequest(kind, str(order.id)), order_goal=""
    )
    if rule is not None and kind != "cancel":
        tell_rule(plan, "confirm_request", rule, [order_id, word])
    else:
        plan.say(act("confirm_request", [order_id, word]), "asked once before recording")
    plan.suggestions += {"en": ["Yes, please", "No, leave it"], "zh": ["好的", "不用了"]}[
        plan.language
    ]


def _confirmed(plan: Plan, desk: Desk, answer: str) -> None:
    pending = plan.state.pending
    plan.state = replace(plan.state, awaiting="", pending=None)
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
        _change(plan, desk, order, pending.kind)
        return
    note = plan.requests.record(pending.kind, order_id=pending.order_id)
    plan.request = note
    kind = plan.book.add("request", note.id, "kind", kind_in_words(pending.kind, plan.language))
    number = plan.book.add("request", note.id, "id", note.id)
    named = plan.book.order(order, "id", str(order.id))
    plan.say(act("request_recorded", [slot("kind", kind), slot("request_id", number), slot("order_id", named)]), "recorded")  # fmt: skip


def complaint(plan: Plan, desk: Desk, request: Request) -> None:
    """Says sorry, and what the shop's rules offer for it."""
    context = plan.state.asked if request.goal == "follow" else ""
    words = rule_question("complaint", plan.language)
    follow = request.goal == "follow"
    evidence = desk.answerer.about_rules(
        f"{words}" if follow else f"{words}. {request.text}"[:160],
        plan.language,
        context=context[:80],
    )
    evidence = evidence or desk.answerer.about_rules(words, plan.language)
    plan.state = replace(plan.state, topic="complaint", asked=request.text[:200])
    if evidence is not None and (follow or cue("complaint", request.text)):
        tell_rule(plan, "complaint", evidence)
    else:
        plan.say(act("complaint"), "no rule fits")
    plan.suggestions.append({"en": "Talk to a person", "zh": "转人工"}[plan.language])


def hand_over(plan: Plan, desk: Desk) -> None:
    """Passes the conversation to a person; names the shop's contact as the shop writes it."""
    contact = desk.contact or _contact_rule(desk, plan)
    slots = (
        [slot("contact", plan.book.add("policy", "contact", "contact", contact))] if contact else []
    )
    plan.say(act("handoff", slots), "a person was asked for")
    plan.handoff = True
    plan.state = replace(plan.state, handed_off=True, awaiting="", topic="")


def _contact_rule(desk: Desk, plan: Plan) -> str:
    question = {"en": "contact our team by phone or e-mail", "zh": "人工客服 热线"}[plan.language]
    evidence = desk.answerer.about_rules(question, plan.language)
    if evidence is None or evidence.passage is None:
        return ""
    heading = " ".join(evidence.passage.heading)
    if not (_CONTACT.search(heading) and _ADDRESS.search(evidence.text)):
        return ""
    found = [m.group() for m in _ADDRESS.finditer(evidence.text)]
    return found[0]


RequestKind = Literal["return", "cancel", "change", "exchange", "callback"]


def request_kind(kind: str) -> RequestKind:
    return cast(RequestKind, kind)
