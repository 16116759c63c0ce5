"""Acts that show products: a new wish, its refinement, more of the same."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.conditions import relaxations
from bot.grounding import act, slot
from bot.kinds import head_of, is_general
from bot.policy.asking import ask_which, ask_wish
from bot.policy.currencies import ask_limit, in_another, without_limit
from bot.policy.plan import Desk, Plan
from bot.policy.products import pieces_of, total, variant_slots
from bot.policy.revising import (
    UNHEARD,
    any_such,
    beyond,
    only_like,
    other_kind,
    other_models,
    property_in,
    restarted,
    revised,
    so_told,
    told_by,
    unchanged,
    without_it,
)
from bot.policy.wording import (
    absent,
    before_noun,
    category_slot,
    conditions,
    reason,
    reason_text,
    wish_slot,
)
from bot.recommend import Found
from bot.state import DialogState
from bot.turn import Fact, Language, Slot
from bot.understanding.constraints import SAID_OTHERWISE, SORT_WORDS, Constraints, Facet
from bot.understanding.intents import INSULT
from bot.understanding.returning import Topic
from bot.understanding.values import Request
from bot.understanding.wanted import priced_goods
from db.records import Product
from prompts.cues import cue, without_cue
from prompts.facets import vague_word
from retrieval.text import tokens

LOOKED_AT = 24  # products found before those that suit a comparison are picked
_TALK = re.compile(
    r"^(?:in|on|at|by|of|to|from)\b|^(?:the |an? )?with(?:out)?\b|随便|东西|[\u4e00-\u9fff]用$|怎么|什么|为啥|哪[个些里]|^[能会可]|"
    r"\b(?:is|are|was|were|am|be|been|do|does|did|can|could|will|would|should|shall|may|might|must|i|it|its|they|them|he|she|him|you"
    r"|we|us|this|that|these|those|how|why|when|where|who|whom|whose|yes|no|not|ok|okay|please)\b|\w+['’](?:t|s|re|ll|ve|d|m)\b",
    re.IGNORECASE,
)
# told of who wishes, or of how a thing must be, without a word of which
_LIKE = re.compile(
    r"^\W*(?:(?:and|but|well|ok|so|hi|hello)[ ,]+)*(?:(?:i|we)(?:[\u2019']m|[\u2019']ve| am| are| have)?|my|our|only|not|nothing|no)\b"
    r"(?!.*\b(?:need|want|like|show|looking|something|anything)\b)|^(?:我|我们)?(?:只有|预算|不要|不喜欢|对)",
    re.IGNORECASE,
)
MAX_NAMED = 6  # words of a wish that still names goods


def recommend(plan: Plan, desk: Desk, request: Request) -> None:
    """Answers a wish, new or revised."""
    if request.goal == "restart":
        _start_over(plan)
        request = replace(request, intent="recommend", query=restarted(request.query))
        if not tokens(request.query):
            plan.say(act("restart"), "start over")
            return
    kind, _, which = request.goal.partition(":")
    state = plan.state
    if kind == "back":
        _return(plan, desk, request, state.earlier[int(which)])
        return
    if kind == "department":
        wish, constraints = which, Constraints(categories=(which,))
        state = replace(state, shown=(), focus=())
    elif kind == "kind":
        wish, constraints = _of_that_kind(plan, which), state.constraints
        state = replace(state, shown=(), focus=())
    elif kind == "choice":
        wish, constraints = _chosen(plan, desk, which)
    elif request.intent == "refine" and (kind == "adds" or not other_kind(plan, desk, request)):
        wish, constraints = revised(plan, desk, request)
    else:
        wish = priced_goods(request.text) if request.goal == "price" else request.query
        constraints = request.constraints
        if not state.wish:  # "I'm allergic to wool", "I have 50 dollars": said before any wish
            constraints = state.constraints.updated(constraints)
        wish = without_cue("suggestion", wish)  # "surprise me" names nothing
        if only_like(wish, constraints):
            wish = any_such(constraints, plan.language)
        if cue("same_price", request.text):
            constraints = _with_last_price(state, constraints)
            wish = without_cue("same_price", wish)
        state = replace(state, shown=(), focus=())
    wish = _unsorted(wish, plan.language) if constraints.sort else wish
    # "something else" than nothing, "what is popular"
    nothing = not [word for word in tokens(unchanged(wish)) if not vague_word().search(word)]
    told = _LIKE.search(request.text)  # "I only have 250 dollars" wishes for nothing yet
    if nothing and not state.wish and (constraints.empty or told):
        ask_wish(plan, desk, "nothing was wished yet")
        plan.state = replace(plan.state, constraints=constraints)
        return
    if in_another(plan, request.constraints):
        constraints, wish = without_limit(constraints), wish.removeprefix("的")
        if "other_currency" not in plan.state.tried:
            plan.state = replace(state.with_wish(wish, constraints), topic="products")
            ask_limit(plan)
            return
    _find(plan, desk, request, state, wish, constraints)


def _find(
    plan: Plan,
    desk: Desk,
    request: Request,
    state: DialogState,
    wish: str,
    constraints: Constraints,
) -> None:
    exclude = state.shown if request.goal == "more" else ()
    # "something blue" names no thing: any that is so will do
    sought = "" if only_like(wish, constraints) else wish
    # who asks for a cheaper one is not offered those that cost as much
    held = frozenset({"price"} if request.than_shown else ())
    found = desk.recommender.find(
        sought, constraints, language=plan.language, exclude=exclude, most=LOOKED_AT, held=held
    )
    if found.picks and not found.dropped:
        found, constraints = _of_model(found, constraints, wish)
    word = property_in(wish) or told_by(desk, wish, plan.language)
    if word and found.picks and not found.dropped:
        found, constraints = _told_by(desk, found, sought, constraints, word, plan.language)
    if not found.sold and is_general(head_of(wish, plan.language)) and not constraints.empty:
        # a gift for so much: any thing may be one, so what others rated best within the conditions
        best = replace(constraints, sort=constraints.sort or "rating_desc")
        found = desk.recommender.find(
            "", best, language=plan.language, exclude=exclude, most=LOOKED_AT
        )
    if request.intent == "refine":
        found = beyond(plan, desk, request, found)
    plan.hits += found.hits
    before = plan.state
    plan.state = replace(state.with_wish(wish, constraints), topic="products")
    if request.intent == "recommend" and ask_which(plan, desk, found, wish, constraints):
        return
    found = replace(found, picks=found.picks[: desk.most_products])
    plan.book.variants |= {str(p.product.id): p.named for p in found.picks if p.named}
    _tell(plan, desk, request, found, wish, constraints, before)


def _of_model(found: Found, constraints: Constraints, wish: str) -> tuple[Found, Constraints]:
    """Those found that are not of another model than the one wished; where all are, they are what
    there would be without it."""
    models = [other_models(pick.product.title, wish) for pick in found.picks]
    fit = tuple(p for p, other in zip(found.picks, models, strict=True) if not other)
    if fit:
        return replace(found, picks=fit), constraints
    model = models[0]
    told = replace(constraints, facets=(*constraints.facets, Facet(UNHEARD, model, model)))
    return replace(found, picks=found.picks[:2], dropped=(UNHEARD,)), told


def _told_by(
    desk: Desk, found: Found, wish: str, constraints: Constraints, word: str, language: Language
) -> tuple[Found, Constraints]:
    """Those found of which a word of the wish is true. Where it is of none, what there would be
    without another condition, else without the word, since it must not be said of them."""
    if fit := so_told(desk, found, word, wish, language):
        return replace(found, picks=fit), constraints
    for names, looser in relaxations(constraints):
        other = desk.recommender.find(wish, looser, language=language, most=LOOKED_AT)
        fit = () if other.dropped else so_told(desk, other, word, wish, language)
        if fit:
            return replace(other, picks=fit, dropped=names), constraints
    told = replace(constraints, facets=(*constraints.facets, Facet(UNHEARD, word, word)))
    near = without_it(desk, found.picks, word)[:2]
    return replace(found, picks=near, dropped=(UNHEARD,)), told


def _of_that_kind(plan: Plan, like: str) -> str:
    """The thing that is wished, with another word before it: a desk lamp."""
    wish, head = plan.state.wish, head_of(plan.state.wish, plan.language)
    noun = next((w for w in re.findall(r"[\w'-]+", wish) if tokens(w)[-1:] == [head]), wish)
    kept = [f.said for f in plan.state.constraints.facets if f.strict and f.said in wish]
    one = re.match(r"an? ", wish, re.IGNORECASE) is not None
    return before_noun(" ".join((*kept, like)), f"a {noun}" if one else noun)


def _start_over(plan: Plan) -> None:
    state = plan.state.with_wish("", Constraints())
    plan.state = replace(state, shown=(), focus=(), topic="", settled=())


def _return(plan: Plan, desk: Desk, request: Request, topic: Topic) -> None:
    """Takes an earlier wish up again, with its conditions and what was said of it now."""
    state = replace(plan.state, shown=(), focus=())
    constraints = topic.constraints.updated(request.constraints)
    _find(
        plan,
        desk,
        replace(request, intent="refine", goal="", relative=()),
        state,
        topic.wish,
        constraints,
    )


def _chosen(plan: Plan, desk: Desk, option: str) -> tuple[str, Constraints]:
    """The wish with the option that was picked: a category, or the product's own name."""
    state = plan.state
    named = [p for p in desk.catalogue.products.values() if p.title == option and p.category]
    category = named[0].category[-1] if named else option
    if not any(category in p.category for p in desk.catalogue.products.values()):
        return state.wish, state.constraints
    return state.wish, replace(state.constraints, categories=(category,))


def _with_last_price(state: DialogState, now: Constraints) -> Constraints:
    """The conditions with the price that was last named, for this wish or one before."""
    named = (state.constraints, *(topic.constraints for topic in reversed(state.earlier)), now)
    before = next(c for c in named if c is now or c.price_max or c.price_min)
    if now.price_max is not None or now.price_min is not None:
        return now
    words = tuple(pair for pair in before.words if pair[0] in ("price", SAID_OTHERWISE))
    return replace(
        now, price_min=before.price_min, price_max=before.price_max, words=words + now.words
    )


def _unsorted(wish: str, language: str) -> str:
    """The wish without "cheapest" and the like; nothing where "thing" alone is left."""
    rest = " ".join(SORT_WORDS.sub(" ", wish).split()).strip(" ,")
    return "" if is_general(head_of(rest, language)) and len(tokens(rest)) == 1 else rest


def _tell(
    plan: Plan,
    desk: Desk,
    request: Request,
    found: Found,
    wish: str,
    constraints: Constraints,
    before: DialogState,
) -> None:
    said = (
        constraints
        if not request.relative
        else replace(constraints, price_min=None, price_max=None)
    )
    told = wish_slot(plan, wish, said) if request.goal != "price" else None
    if not found.sold and is_general(head_of(wish, plan.language)):
        _ask_what(plan, desk, before, wish, "what kind of thing was not said")
    elif not found.sold and (
        told is None and (len(wish.split()) > MAX_NAMED or plan.understood.abuse >= INSULT)
        or _no_name(wish)
    ):  # fmt: skip
        # a sentence is no name of goods; neither it nor an insult is said again
        _ask_what(plan, desk, before, wish, "no such goods, and nothing that names any")
    elif not found.sold:
        near = category_slot(plan, found.category)
        plan.say(act("not_sold", [absent(plan, told, wish, request), near]), "no such goods")
        plan.state = replace(plan.state, wish="", constraints=Constraints())
        _keep(plan, before)
    elif found.dropped and request.goal == "more":
        plan.say(act("no_more", [told]), "all that fits was shown")
    elif found.dropped:
        _tell_near(plan, request, found, told, constraints)
    elif not found.picks and request.than_shown:
        plan.say(act("no_match", [absent(plan, told, wish, request)]), "what was shown ends there")
        # the search goes on as it was: what comes next need not cost less than what there is
        plan.state = replace(plan.state, constraints=before.constraints, focus=before.focus)
    elif not found.picks:
        if request.goal == "more" or plan.state.shown:
            plan.say(act("no_more", [told]), "all that fits was shown")
        else:
            plan.say(act("no_match", [absent(plan, told, wish, request)]), "nothing fits")
    else:
        _present(plan, request, found, told, constraints)


def _ask_what(plan: Plan, desk: Desk, before: DialogState, wish: str, why: str) -> None:
    """Asks for a kind of goods. What they must be like stays: "I'm allergic to wool"."""
    ask_wish(plan, desk, why)
    _keep(plan, before)
    if _no_name(wish):
        plan.state = replace(plan.state, wish="")


def _keep(plan: Plan, before: DialogState) -> None:
    """What is talked about stays so where nothing else could be shown."""
    plan.state = replace(plan.state, focus=before.focus)


def _no_name(wish: str) -> bool:
    """Whether the words are no name of goods: "is the easiest to clean", "really can't find it"."""
    return _TALK.search(wish) is not None


def _present(
    plan: Plan, request: Request, found: Found, told: Slot | None, constraints: Constraints
) -> None:
    if all(pick.in_stock is False for pick in found.picks):
        _out_of_stock(plan, found)
        return
    name = "recommend_more" if request.goal == "more" else "recommend"
    slots: list[Slot | None] = [told]
    named = found.picks[:3]
    reasons = [reason(plan, pick) for pick in named]
    prices = [plan.book.price(pick.product) for pick in named]
    for number, pick in enumerate(named, 1):
        slots.append(slot(f"title_{number}", plan.book.title(pick.product)))
        if all(prices):
            slots.append(_numbered("price", number, prices[number - 1]))
        if all(reasons):
            slots.append(_numbered("reason", number, reasons[number - 1]))
    plan.say(act(name, slots), f"{len(found.picks)} fit")
    if not all(reasons) and (chosen := variant_slots(plan, named[0].product)):
        title = slot("title_1", plan.book.title(named[0].product))
        plan.say(act("describe", [title, *chosen]), "of a form that was named")
    cards = [plan.card(p.product, reason_text(plan, p)) for p in found.picks]
    for pick in found.picks:
        _facts_of(plan, pick.product)
    plan.show(cards)
    ids = tuple(c.id for c in cards)
    plan.state = replace(plan.state.with_list(ids), focus=ids[:1])
    first, pieces = found.picks[0].product, constraints.quantity or 0
    if request.goal == "price":
        pieces = pieces or pieces_of(request.text)
    if (constraints.total is not None or request.goal == "price") and pieces > 1 and first.price:
        total(plan, first, pieces)  # a sum was named or asked for, so what it comes to is told


def _out_of_stock(plan: Plan, found: Found) -> None:
    """Says of the best fits that they are out of stock, instead of praising them."""
    for pick in found.picks[:2]:
        state = plan.book.stock(pick.product)
        assert state is not None
        title = slot("title_1", plan.book.title(pick.product))
        plan.say(act("stock", [title, slot("stock_1", state)]), "fits, but is out of stock")
    cards = [plan.card(p.product, reason_text(plan, p)) for p in found.picks[:2]]
    plan.show(cards)
    ids = tuple(c.id for c in cards)
    plan.state = replace(plan.state.with_list(ids), focus=ids[:1])


def _numbered(name: str, number: int, fact: Fact | None) -> Slot | None:
    return None if fact is None else slot(f"{name}_{number}", fact)


def _tell_near(
    plan: Plan, request: Request, found: Found, told: Slot | None, constraints: Constraints
) -> None:
    near = found.picks[:2]
    slots: list[Slot | None] = [absent(plan, told, plan.state.wish, request)]
    relax = conditions(plan, found.dropped, constraints)
    if relax:
        slots.append(slot("relax", plan.book.add("shopper", "message", "condition", relax)))
    prices = [plan.book.price(pick.product) for pick in near]
    for number, pick in enumerate(near, 1):
        slots.append(slot(f"title_{number}", plan.book.title(pick.product)))
        if all(prices):
            slots.append(_numbered("price", number, prices[number - 1]))
    plan.say(act("no_match", slots), f"only without the condition on {' and '.join(found.dropped)}")
    if not {"price", "rating", "stock", "brand"} & set(found.dropped):
        # a colour or another kind can be seen to be so; what costs too much is not pushed
        plan.show([plan.card(pick.product, reason_text(plan, pick)) for pick in near])
        plan.state = plan.state.with_list(tuple(str(pick.product.id) for pick in near))
    plan.state = replace(plan.state, focus=tuple(str(p.product.id) for p in near[:1]))


def _facts_of(plan: Plan, product: Product) -> None:
    plan.book.title(product)
    plan.book.price(product)
    plan.book.stock(product)
