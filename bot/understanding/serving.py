"""Rules on service: safety, orders, complaints, people and courtesies, before goods are thought of.

Each names itself in the trace. They look at the message and the dialogue so far; the catalogue they
do not know.
"""

from __future__ import annotations

import re

from bot.state import DialogState
from bot.understanding.details import answers, gives_contact
from bot.understanding.values import Context, Decision, Request
from prompts.cues import cue

CONFIDENT = 0.5
PLAUSIBLE = 0.3
SURE = 0.9
MOST_ASKED = 120  # characters of a question about what is talked about
_ASKED_FOR = ("order", "contact", "detail", "callback")


def safety(r: Request, context: Context) -> Decision | None:
    """What is refused whatever else is said: data of others, orders to the bot, prices by talking."""
    text = r.text
    if cue("private", text):
        return "out_of_scope", "cue private", "private"
    if context.card:
        return "policy_question", "card number", "card"
    named = cue("identity", text) and not cue("instruction", text)  # "are you chatgpt" only asks
    if (cue("instruction", text) or cue("role", text)) and not named:
        asks_price = r.links and not cue("question", unquoted(text))
        return "out_of_scope", "cue instruction", "price" if asks_price else "instruction"
    if cue("haggle", text) or (cue("coupon", text) and (r.links or context.state.focus)):
        return "product_question", "cue coupon", "coupon"
    return None


def service(r: Request, context: Context) -> Decision | None:
    """Orders, complaints and people, and the answers to what was asked about them."""
    text, state = r.text, context.state
    if state.awaiting not in ("order", "contact") and cue("callback", text):
        return "handoff", "cue callback", "callback"
    if not context.order_id and gives_contact(text, state):
        return "handoff", "answer to a question", "contact"
    if state.awaiting == "callback" and cue("no", text):
        return "handoff", "wants no call back", "no"
    if state.awaiting == "callback" and cue("yes", text):
        return "handoff", "wants a call back", "callback"
    if asked := _instead_of_an_answer(r, context):
        return asked
    if answers(text, state):
        return "order_change", "answer to a question", "detail"
    if cue("handoff", text) and not cue("identity", text):
        return "handoff", "cue handoff", ""
    if state.awaiting == "team" and cue("yes", text):
        return "handoff", "wants the team to be asked", ""
    if state.awaiting == "team" and cue("no", text):
        return "feedback", "does not want the team to be asked", "left"
    if state.awaiting in ("confirm", "detail") and (cue("yes", text) or cue("no", text)):
        return "order_change", "answer to a question", "yes" if cue("yes", text) else "no"
    if cue("anger", text) and not (context.order_id or r.links or cue("need", text)):
        return "complaint", "cue anger", "angry"
    goal = change_goal(text)
    asks = cue("question", text) or cue("policy", text) or cue("hypothetical", text)
    if goal and not asks and not context.order_id and (
        state.awaiting in ("confirm", "detail") or (state.topic == "order" and state.verified)
    ):  # fmt: skip
        return "order_change", "a change of the order in question", goal
    if state.topic == "complaint" and goal and not asks and not context.order_id:
        return "order_change", "what is wanted after a complaint", goal
    own = cue("own_order", text) or (state.topic == "order" and goal and not r.links)
    about_order = context.order_id or own
    if context.order_id and goal:
        return "order_change", "order number and a change", goal
    proves = state.awaiting in ("order", "contact") or (
        state.awaiting == "team" and state.order_goal
    )
    if proves and (context.order_id or context.contact):
        return state.order_goal.partition(":")[0] or "order_status", "answer to a question", ""
    owned = cue("bought", text) or cue("worn", text)
    broken = cue("complaint", text) or (owned and cue("defect", text))
    broken = broken and not cue(
        "elsewhere", text
    )  # "your price is wrong, another shop has it for less"
    if context.order_id and broken and not cue("hypothetical", text):
        return "complaint", "cue complaint", ""
    scores = dict(r.scores)
    if context.order_id and scores.get("order_change", 0) >= CONFIDENT:
        return "order_change", "order number and a change", goal or "change"
    rule = scores.get("policy_question", 0) >= SURE and not own
    if context.order_id and not rule:
        return "order_status", "order number", _order_goal(text)
    if state.topic == "order" and state.verified and cue("not_received", text):
        return "complaint", "it did not come", "lost"
    if state.topic == "order" and not r.links:
        if follow := _order_goal(text):
            return "order_status", "follow-up on the order", follow
        if cue("whereabouts", text):
            return "order_status", "where the order is", ""
    if broken and not cue("hypothetical", text):
        return "complaint", "cue complaint", ""
    if about_order and not broken and not cue("policy", text):
        if goal and scores.get("order_change", 0) >= scores.get("policy_question", 0):
            return "order_change", "own order and a change", goal
        rank = max(scores, key=lambda name: scores[name])
        if rank in ("order_status", "complaint") or scores.get("order_status", 0) >= PLAUSIBLE:
            return "order_status", "own order", _order_goal(text)
    return None


def _gone_on(state: DialogState) -> Decision:
    """A yes where nothing definite was asked: what was offered is gone into."""
    if state.topic == "products" and len(state.last_list) > 1:
        return "compare", "takes up what was offered", ""
    if state.topic == "products" and state.focus:
        return "product_question", "takes up what was offered", "describe"
    return "recommend", "a yes to nothing that was asked", ""


def _instead_of_an_answer(r: Request, context: Context) -> Decision | None:
    """Asked why something is needed, or told that there is no such number."""
    text, state = r.text, context.state
    if context.order_id or context.contact or r.links:
        return None
    if state.awaiting not in _ASKED_FOR and state.topic != "order":
        return None
    if len(text) > MOST_ASKED or cue("handoff", text) or cue("need", text):
        return None
    waits = "order_change" if state.order_goal.startswith("order_change") else "order_status"
    intent = {"detail": "order_change", "callback": "handoff"}.get(state.awaiting, waits)
    if cue("why_asked", text):
        return intent, "asks what that is needed for", "why"
    if state.awaiting in ("order", "contact") and cue("yes", text):
        return intent, "will tell it", "again"
    if state.awaiting in ("order", "contact") and (cue("no", text) or cue("dismissed", text)):
        return intent, "will not tell it", "dropped"
    if state.awaiting in ("order", "contact") and cue("no_number", text):
        return intent, "has no such number", "lost"
    return None


def courtesy(r: Request, context: Context) -> Decision | None:
    """Greetings, thanks and the like."""
    text = r.text
    if cue("identity", text):
        return "smalltalk", "cue identity", "identity"
    if cue("speaks", text):
        return "smalltalk", "cue speaks", "languages"
    open_question = context.state.awaiting or context.state.offered
    if cue("nod", text) and not open_question:
        return "feedback", "nothing but a nod", "declined"
    if cue("yes", text) and not open_question:
        return _gone_on(context.state)
    if cue("greet", text):
        return "greet", "cue greet", ""
    if cue("dismissed", text) and not context.state.awaiting:
        return "feedback", "has no use for it", "declined"
    short = len(text.split()) <= 8 and len(text) <= 40
    if cue("thanks", text):
        return "feedback", "cue thanks", ""
    if cue("goodbye", text) and short and not r.links:
        return "goodbye", "cue goodbye", ""
    if cue("wellbeing", text) and short:
        return "smalltalk", "cue wellbeing", ""
    return None


def change_goal(text: str) -> str:
    return next((g for g in ("exchange", "change", "cancel", "return") if cue(g, text)), "")


def _order_goal(text: str) -> str:
    for name in ("tracking", "carrier", "contents", "expected", "total"):
        if cue(name, text):
            return name
    return ""


def unquoted(text: str) -> str:
    """The shopper's own words: what stands in quotation marks is somebody else's text."""
    return re.sub(r"\"[^\"]*\"|“[^”]*”", " ", text)
