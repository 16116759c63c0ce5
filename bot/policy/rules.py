"""Acts that answer questions about the shop's rules, by quoting them."""

from __future__ import annotations

from dataclasses import replace

from bot.answers import self_descriptions
from bot.grounding import act
from bot.policy.citing import tell_rule
from bot.policy.finding import recommend
from bot.policy.plan import PERSON, Desk, Plan
from bot.understanding.values import Request
from bot.understanding.wanted import asks_for_goods
from prompts.topics import topics_of

SHOPPER_KEPT = 4


def policy_question(plan: Plan, desk: Desk, request: Request) -> None:
    """Quotes the rule that answers, or says that the rules do not mention it.

    "Do you sell drones?" sounds like a question on rules; where no rule knows of drones it is a wish.
    """
    if request.goal == "card":
        card_warning(plan, desk)
        return
    # what names a rule of its own goes on from none
    follows = request.goal == "follow" and not topics_of(request.text)
    context = plan.state.asked if follows else ""
    shopper = tuple(dict.fromkeys((*plan.state.shopper, *sorted(self_descriptions(request.text)))))
    evidence = desk.answerer.about_rules(
        request.text, plan.language, context=context, shopper=shopper
    )
    plan.state = replace(
        plan.state,
        topic="policy",
        asked=f"{context} {request.text}".strip()[-200:],
        shopper=shopper[-SHOPPER_KEPT:],
    )
    if evidence is None and request.goal != "follow" and asks_for_goods(request.text):
        recommend(plan, desk, replace(request, intent="recommend"))
        return
    if evidence is None or evidence.passage is None:
        plan.book.add("policy", "rules", "absent", "")
        plan.say(act("policy_unknown"), "no rule mentions it")
        plan.state = replace(plan.state, awaiting="team")
        plan.suggestions.append(PERSON[plan.language])
        return
    tell_rule(plan, "policy", evidence)


def card_warning(plan: Plan, desk: Desk) -> None:
    """Asks not to send card numbers, with the shop's own rule where it has one."""
    plan.book.add("shop", "cards", "absent", "")
    asked = {"en": "do not send card numbers in the chat", "zh": "不要在聊天里发送银行卡号"}[
        plan.language
    ]
    evidence = desk.answerer.about_rules(asked, plan.language)
    if evidence is not None and evidence.passage is not None:
        tell_rule(plan, "card_warning", evidence)
    else:
        plan.say(act("card_warning"), "a card number was sent")
