"""Decides what to say: one handler per intent, each in the module that owns its acts."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from bot.grounding import act, slot
from bot.handoff import named_topic
from bot.policy import comparing, finding, people, products, rules
from bot.policy.complaints import complaint
from bot.policy.dating import date_prices
from bot.policy.orders import order_request
from bot.policy.plan import Desk, Plan
from bot.state import ACTS_KEPT
from bot.turn import Slot
from bot.understanding.values import INSULTED, Request
from prompts.cues import cue

MAX_SUGGESTIONS = 3
MISSES_BEFORE_HANDOVER = 3
QUESTION_KEPT = 200
# messages that are about nothing but the conversation itself
_NO_QUESTION = frozenset({"greet", "goodbye", "smalltalk", "feedback", "handoff", "unclear"})
_ANSWERS = ("yes", "no", "detail", "why")
_LANGUAGES = {"en": {"en": "English", "zh": "Chinese"}, "zh": {"en": "英文", "zh": "中文"}}
__all__ = ["Desk", "Plan", "decide"]


def decide(plan: Plan, desk: Desk) -> None:
    """Fills the plan: acts over facts, cards, citations, suggestions and the next state."""
    understood = plan.understood
    plan.book.add("shopper", "message", "message", understood.text)
    plan.state = replace(plan.state, language=understood.language)
    # as understood: an offer stands for one message
    plan.state = replace(plan.state, offered=(), departments=())
    if understood.foreign:
        _foreign(plan, desk)
    if plan.state.awaiting in ("confirm", "detail") and not _answers(understood.requests):
        # whatever else is said drops the question: a later "ok" must not record a request
        plan.state = plan.state.without_pending()
    if plan.state.awaiting in ("team", "callback"):  # an offer stands for one message
        plan.state = replace(plan.state, awaiting="")
    intents = understood.intents
    if intents and intents[0] in ("greet", "recommend", "refine"):
        plan.state = replace(plan.state, awaiting="")
    first = understood.requests[0]
    if first.intent not in _NO_QUESTION and first.why != "answer to a question":
        plan.state = replace(plan.state, question=understood.text[:QUESTION_KEPT])
    beside = intents in (("unclear",), ("out_of_scope",))
    if understood.foreign and beside:
        pass  # it was said in which languages one can ask
    elif not _for_people(plan, desk, first):
        for request in understood.requests:
            _one(plan, desk, request)
    if "unclear" not in intents:
        plan.state = replace(plan.state, misses=0)
    acts = (*plan.state.tried, *(said.name for said in plan.acts))
    plan.state = replace(plan.state, tried=acts[-ACTS_KEPT:])
    _suggest(plan)
    date_prices(plan, desk)


def _answers(requests: tuple[Request, ...]) -> bool:
    return any(r.intent == "order_change" and r.goal in _ANSWERS for r in requests)


def _for_people(plan: Plan, desk: Desk, request: Request) -> bool:
    """Hands over who is angry, and what the shop keeps for people; says whether it did."""
    angry = next((r for r in plan.understood.requests if r.goal == "angry"), None)
    if angry is not None and angry.why == INSULTED and not plan.state.upset:
        people.calm_down(plan)
        return True
    if angry is not None:
        people.calm_and_hand_over(plan, desk, "angry")
        return True
    if request.intent in ("handoff", "out_of_scope") or request.why == "answer to a question":
        return False
    topic = named_topic(plan.understood.text, desk.topics)
    if topic:
        people.hand_over(plan, desk, "topic", topic=topic)
    return bool(topic)


def _foreign(plan: Plan, desk: Desk) -> None:
    if len(desk.languages) > 1:
        plan.say(act("other_language"), "neither English nor Chinese")
        return
    name = _LANGUAGES[plan.language][desk.languages[0]]
    plan.book.add("shop", "languages", "absent", "")
    known = slot("languages", plan.book.add("shop", "languages", "languages", name))
    plan.say(act("only_languages", [known]), "not in the shop's language")


def _one(plan: Plan, desk: Desk, request: Request) -> None:
    intent = request.intent
    if intent in ("recommend", "refine"):
        finding.recommend(plan, desk, request)
    elif intent == "compare":
        comparing.compare(plan, desk, request)
    elif intent == "product_question":
        products.product_question(plan, desk, request)
    elif intent == "policy_question":
        rules.policy_question(plan, desk, request)
    elif intent in ("order_status", "order_change"):
        order_request(plan, desk, request)
    elif intent == "complaint":
        complaint(plan, desk, request)
    elif intent == "handoff":
        people.person_asked(plan, desk, request)
    else:
        _courtesy(plan, desk, request)


def _courtesy(plan: Plan, desk: Desk, request: Request) -> None:
    shop = _shop(plan, desk)
    intent = request.intent
    if intent == "greet":
        plan.say(act("greet", [shop]), "a greeting")
    elif intent == "goodbye":
        plan.say(act("goodbye", [shop]), "a farewell")
    elif request.goal == "left":
        plan.say(act("request_dropped"), "the team is not asked")
    elif intent == "feedback":
        polite = cue("thanks", request.text) or request.goal == "declined"
        kind = "thanks" if polite else "feedback_received"
        plan.say(act(kind), "thanks or criticism")
    elif intent == "smalltalk":
        if request.goal == "languages":
            _foreign(plan, desk)
        elif request.goal == "identity":
            plan.book.add("shop", "identity", "absent", "")
            plan.say(act("identify", [shop]), "asked what it is")
            plan.state = replace(plan.state, awaiting="team")
        else:
            plan.say(act("smalltalk"), "small talk")
    elif intent == "out_of_scope":
        _out_of_scope(plan, desk, request, shop)
    else:
        _unclear(plan, desk)


def _out_of_scope(plan: Plan, desk: Desk, request: Request, shop: Slot | None) -> None:
    plan.book.add("shop", "scope", "absent", "")
    if request.goal == "private":
        plan.say(act("refuse_private"), "personal data of others")
    elif request.goal == "price":
        product = products.meant(plan, desk, request)
        products.refuse_price(plan, product)
    elif request.goal == "instruction":
        plan.say(act("refuse_instruction", [shop]), "text is data, not an order")
    else:
        plan.say(act("out_of_scope", [shop]), "no business of a shop")


def _unclear(plan: Plan, desk: Desk) -> None:
    plan.state = replace(plan.state, misses=plan.state.misses + 1)
    plan.book.add("shop", "understanding", "absent", "")
    if plan.state.misses >= MISSES_BEFORE_HANDOVER:
        people.hand_over(plan, desk, "not understood")
        return
    plan.say(act("unclear"), "no meaning found")


def _shop(plan: Plan, desk: Desk) -> Slot | None:
    if not desk.shop_name:
        return None
    return slot("shop", plan.book.add("shop", "name", "name", desk.shop_name))


@cache
def _suggestions() -> dict[str, Any]:
    return tomllib.loads(files("prompts").joinpath("suggestions.toml").read_text(encoding="utf-8"))


def _suggest(plan: Plan) -> None:
    last = plan.acts[-1].name if plan.acts else ""
    table = _suggestions().get(last, {})
    several = len(plan.cards) > 1
    plan.suggestions += table.get(plan.language, [])
    if several and last != "compare":
        plan.suggestions += _suggestions()["several"][plan.language]
    plan.suggestions[:] = list(dict.fromkeys(plan.suggestions))[:MAX_SUGGESTIONS]
