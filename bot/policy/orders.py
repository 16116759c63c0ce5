"""Acts about an own order: proof first, then its facts."""

from __future__ import annotations

from dataclasses import replace

from bot.grounding import act, day, money, slot
from bot.orders import detail_in_words, prove
from bot.policy import changes
from bot.policy.people import hand_over, offer_person
from bot.policy.plan import PERSON, Desk, Plan
from bot.turn import Citation, Slot
from bot.understanding.values import Request
from db.records import Money, Order

MAX_ITEMS = 3
CHANGES = ("cancel", "return", "exchange", "change")


def order_request(plan: Plan, desk: Desk, request: Request) -> None:
    """Tells or changes an own order; asks for number and proof where they are missing."""
    state = plan.state
    if request.goal == "why":
        _why(plan)
        return
    if request.goal == "lost":
        _no_number(plan, desk)
        return
    if request.goal == "dropped":
        plan.state = replace(state, order_goal="", order_id="", topic="")
        offer_person(plan, "the order is left alone")
        return
    if state.awaiting in ("confirm", "detail") and request.goal in ("yes", "no", "detail"):
        changes.answered(plan, desk, request.goal)
        return
    if request.intent == "order_change" and request.goal in CHANGES:
        plan.state = state = replace(state, order_goal=f"order_change:{request.goal}")
    elif (
        request.intent == "order_status"
        and request.goal != "again"
        and request.why != "answer to a question"
    ):
        plan.state = state = replace(state, order_goal=f"order_status:{request.goal}")
    goal = (plan.state.order_goal or f"{request.intent}:{request.goal}").partition(":")[2]
    order = proven(plan, desk)
    if order is None:
        return
    if plan.state.order_goal.startswith("order_change"):
        changes.change(plan, desk, order, goal or "change")
    else:
        _tell(plan, order, goal)


def proven(plan: Plan, desk: Desk) -> Order | None:
    """The order that is meant, once number and proof are there; None where they are asked for, do
    not match, or a person has to take over, all of which is said."""
    state, understood = plan.state, plan.understood
    order_id = understood.order_ids[0] if understood.order_ids else state.order_id
    contacts = tuple(dict.fromkeys((*state.contacts, *understood.contacts)))
    plan.state = state = replace(state, contacts=contacts[-4:], order_id=order_id, topic="order")
    if not order_id:
        name = "ask_order_number" if contacts else "ask_order"
        plan.state = replace(state, awaiting="order")
        plan.say(act(name), "no order number")
        return None
    number = plan.book.add("shopper", "message", "order_id", order_id)
    if not contacts and not state.may_see(order_id, plan.now):
        plan.state = replace(state, awaiting="contact")
        plan.say(act("ask_order_contact", [slot("order_id", number)]), "no proof yet")
        return None
    proof, state = prove(
        order_id,
        contacts,
        state=state,
        orders=desk.orders,
        attempts=desk.attempts,
        secret=desk.secret,
        now=plan.now,
    )
    plan.state = state
    if proof.locked:
        hand_over(plan, desk, "proof failed")
        return None
    if proof.order is None:
        plan.state = replace(state, awaiting="contact", contacts=())
        plan.book.add("order", order_id, "absent", "")
        plan.say(
            act("order_mismatch", [slot("order_id", number)]), "number and contact do not match"
        )
        return None
    plan.state = replace(state, awaiting="")
    return proof.order


def _why(plan: Plan) -> None:
    """Says what the proof of an order, or what a request needs, is asked for; the question stays."""
    if plan.state.awaiting == "detail":
        wanted = detail_in_words(plan.state.wanted, plan.language)
        detail = plan.book.add("request", "why", "detail", wanted)
        plan.say(act("why_detail", [slot("detail", detail)]), "asked what it is needed for")
    else:
        plan.say(act("why_proof"), "asked what it is needed for")


def _no_number(plan: Plan, desk: Desk) -> None:
    """Helps who has no order number, or not the contact of the order; the second time a person does."""
    helped = {"order_number_help", "offer_person"} & set(plan.state.tried)
    if helped:
        hand_over(plan, desk, "proof failed")
    elif plan.state.awaiting == "order":
        plan.say(act("order_number_help"), "has no order number")
        plan.suggestions.append(PERSON[plan.language])
    else:
        offer_person(plan, "without its contact an order is not shown")


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
