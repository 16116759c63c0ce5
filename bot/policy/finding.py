"""Acts that show products: a new wish, its refinement, more of the same."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from bot.grounding import COLON, act, card, readable, slot, stated_rating
from bot.kinds import Rank, is_general
from bot.policy.measuring import magnitude
from bot.policy.plan import Desk, Plan
from bot.recommend import Found, Pick, head_of
from bot.turn import Fact, Slot
from bot.understanding.constraints import COLOUR, SORT_WORDS, Constraints
from bot.understanding.language import WIDE
from bot.understanding.values import Request
from db.records import Product
from prompts.concepts import concepts
from retrieval.text import tokens

LOOKED_AT = 24  # products found before those that suit a comparison are picked
MAX_NAMED = 6  # words of a wish that still names goods
MAX_WISH = {"en": 48, "zh": 24}


def recommend(plan: Plan, desk: Desk, request: Request) -> None:
    """Answers a wish, new or revised."""
    state = plan.state
    if request.goal == "restart":
        state = replace(state, wish="", constraints=Constraints(), shown=(), focus=(), topic="")
        plan.state = state
        if not tokens(_restarted(request.query)):
            plan.say(act("restart"), "start over")
            return
        request = replace(request, intent="recommend", query=_restarted(request.query))
    if request.intent == "refine" and not _other_kind(plan, desk, request):
        wish, constraints = _revised(plan, desk, request)
    else:
        wish, constraints = request.query, request.constraints
        state = replace(state, shown=(), focus=())
    wish = _unsorted(wish, plan.language) if constraints.sort else wish
    if not wish and constraints.empty and not state.wish:
        plan.say(act("ask_wish"), "nothing was wished yet")
        return
    exclude = state.shown if request.goal == "more" else ()
    found = desk.recommender.find(
        wish, constraints, language=plan.language, exclude=exclude, most=LOOKED_AT
    )
    if not found.sold and is_general(head_of(wish, plan.language)) and not constraints.empty:
        # a gift for so much: any thing may be one, so what others rated best within the conditions
        best = replace(constraints, sort=constraints.sort or "rating_desc")
        found = desk.recommender.find(
            "", best, language=plan.language, exclude=exclude, most=LOOKED_AT
        )
    if request.intent == "refine":
        found = _beyond(plan, desk, request, found)
    found = replace(found, picks=found.picks[: desk.most_products])
    plan.hits += found.hits
    plan.state = replace(state, wish=wish, constraints=constraints, topic="products")
    _tell(plan, desk, request, found, wish, constraints)


def _beyond(plan: Plan, desk: Desk, request: Request, found: Found) -> Found:
    """Of what was found, what is bigger (lighter, …) than the product talked about, if so asked."""
    ids = request.references or plan.state.focus[:1] or plan.state.last_list[:1]
    anchor = desk.catalogue.products.get(ids[0]) if ids else None
    unmeasured = False
    for concept in concepts().values():
        direction = concept.direction(request.text) if concept.label and anchor else 0
        if not direction or anchor is None:
            continue

        def size(product: Product, name: str = concept.name) -> float | None:
            attribute = desk.answerer.attribute(product, "", [name])
            return magnitude(attribute.value) if attribute else None

        if (own := size(anchor)) is None:
            unmeasured = True
            continue
        kept = [p for p in found.picks if ((size(p.product) or own) - own) * direction > 0]
        return replace(found, picks=tuple(kept))
    if unmeasured and anchor is not None:  # at least it is not the same again
        return replace(found, picks=tuple(p for p in found.picks if p.product.id != anchor.id))
    return found


def _unsorted(wish: str, language: str) -> str:
    """The wish without "cheapest" and the like; nothing where "thing" alone is left."""
    rest = " ".join(SORT_WORDS.sub(" ", wish).split()).strip(" ,")
    return "" if is_general(head_of(rest, language)) and len(tokens(rest)) == 1 else rest


def _other_kind(plan: Plan, desk: Desk, request: Request) -> bool:
    """Whether another kind of thing is named than the one talked about: a rug after towels."""
    head = head_of(request.query, plan.language)
    kinds = desk.catalogue.kinds
    return (
        plan.language == "en"
        and not request.constraints.brands
        and kinds.best(head) is Rank.IS
        and head not in tokens(plan.state.wish)
        and not any(kinds.is_a(pid, head) for pid in plan.state.last_list)
    )


def _restarted(query: str) -> str:
    return re.sub(
        r"\b(?:start over|start again|start from scratch|forget (?:that|it|all that)|scratch that|actually|new search)\b|重新(?:来|开始|找)|算了|我想",
        " ",
        query,
        flags=re.IGNORECASE,
    ).strip(" ,，.")


def _revised(plan: Plan, desk: Desk, request: Request) -> tuple[str, Constraints]:
    """The wish and conditions so far, changed by what was said now."""
    state = plan.state
    constraints = state.constraints.updated(request.constraints)
    anchor = _anchor(plan, desk, request)
    if "cheaper" in request.relative and request.constraints.price_max is None and anchor:
        constraints = replace(constraints, price_min=None, price_max=anchor - Decimal("0.01"))
    elif "dearer" in request.relative:
        constraints = replace(constraints, price_max=None)
    words = [w for w in request.query.split() if w] if request.goal != "more" else []
    kept = " ".join(words)
    kept = re.sub(
        r"\b(?:anything|something|cheaper|less|more|expensive|only|ones?|it|in|of|and|the|that|those|them|other|have|also|with|no|not|im|i'm|oh|tho|though|by|do|you|does|come|comes|he|she|already|got|else|please|similar|like|comparable|bigger|larger|smaller|lighter|heavier|longer|shorter|wider|taller|narrower)\b"
        r"|[大小轻重长短宽高]一?[点些]|便宜一?点|太?贵了?一?点?|再|也行|就行|要|的|有|也|点",
        " ",
        kept,
        flags=re.IGNORECASE,
    )
    extra = " ".join(kept.split())
    extra = "" if extra.casefold() in state.wish.casefold() else extra
    for brand in (*request.constraints.brands, *request.constraints.exclude_brands):
        extra = re.sub(re.escape(brand), " ", extra, flags=re.IGNORECASE).strip()
    return _joined(state.wish, extra), constraints


def _joined(wish: str, extra: str) -> str:
    """The wish with a further property; a new colour takes the place of the old one."""
    if not extra:
        return wish
    if COLOUR.search(extra):
        wish = re.sub(r"^的", "", " ".join(COLOUR.sub(" ", wish).split()))
        if WIDE.search(extra):
            return f"{extra}的{wish}"
    return f"{wish}, {extra}".strip(" ,")


def _anchor(plan: Plan, desk: Desk, request: Request) -> Decimal | None:
    ids = request.references or plan.state.focus[:1] or plan.state.last_list[:1]
    product = desk.catalogue.products.get(ids[0]) if ids else None
    return product.price.amount if product and product.price else None


def _tell(
    plan: Plan, desk: Desk, request: Request, found: Found, wish: str, constraints: Constraints
) -> None:
    said = (
        constraints
        if not request.relative
        else replace(constraints, price_min=None, price_max=None)
    )
    told = _wish_slot(plan, wish, said)
    if not found.sold and is_general(head_of(wish, plan.language)):
        plan.say(act("ask_wish"), "what kind of thing was not said")
    elif not found.sold and told is None and len(wish.split()) > MAX_NAMED:
        # a sentence is no name of goods, and somebody's words are not said again at length
        plan.say(act("ask_wish"), "no such goods, and nothing that names any")
    elif not found.sold:
        near = _category_slot(plan, found.category)
        plan.say(act("not_sold", [_absent(plan, told, wish, request), near]), "no such goods")
        plan.state = replace(plan.state, wish="", constraints=Constraints())
    elif found.dropped:
        _tell_near(plan, request, found, told, constraints)
    elif not found.picks:
        if request.goal == "more" or plan.state.shown:
            plan.say(act("no_more", [told]), "all that fits was shown")
        else:
            plan.say(act("no_match", [_absent(plan, told, wish, request)]), "nothing fits")
    else:
        _present(plan, request, found, told)


def _present(plan: Plan, request: Request, found: Found, told: Slot | None) -> None:
    if all(pick.product.in_stock is False for pick in found.picks):
        _out_of_stock(plan, found)
        return
    name = "recommend_more" if request.goal == "more" else "recommend"
    slots: list[Slot | None] = [told]
    named = found.picks[:3]
    reasons = [_reason(plan, pick) for pick in named]
    prices = [plan.book.price(pick.product) for pick in named]
    for number, pick in enumerate(named, 1):
        slots.append(slot(f"title_{number}", plan.book.title(pick.product)))
        if all(prices):
            slots.append(_numbered("price", number, prices[number - 1]))
        if all(reasons):
            slots.append(_numbered("reason", number, reasons[number - 1]))
    plan.say(act(name, slots), f"{len(found.picks)} fit")
    cards = [card(p.product, _reason_text(plan, p)) for p in found.picks]
    for pick in found.picks:
        _facts_of(plan, pick.product)
    plan.show(cards)
    ids = tuple(c.id for c in cards)
    plan.state = replace(plan.state.with_list(ids), focus=ids[:1])


def _out_of_stock(plan: Plan, found: Found) -> None:
    """Says of the best fits that they are out of stock, instead of praising them."""
    for pick in found.picks[:2]:
        state = plan.book.stock(pick.product)
        assert state is not None
        title = slot("title_1", plan.book.title(pick.product))
        plan.say(act("stock", [title, slot("stock_1", state)]), "fits, but is out of stock")
    cards = [card(p.product, _reason_text(plan, p)) for p in found.picks[:2]]
    plan.show(cards)
    ids = tuple(c.id for c in cards)
    plan.state = replace(plan.state.with_list(ids), focus=ids[:1])


def _numbered(name: str, number: int, fact: Fact | None) -> Slot | None:
    return None if fact is None else slot(f"{name}_{number}", fact)


def _tell_near(
    plan: Plan, request: Request, found: Found, told: Slot | None, constraints: Constraints
) -> None:
    near = found.picks[:2]
    slots: list[Slot | None] = [_absent(plan, told, plan.state.wish, request)]
    relax = _condition(plan, found.dropped, constraints)
    if relax:
        slots.append(slot("relax", plan.book.add("shopper", "message", "condition", relax)))
    prices = [plan.book.price(pick.product) for pick in near]
    for number, pick in enumerate(near, 1):
        slots.append(slot(f"title_{number}", plan.book.title(pick.product)))
        if all(prices):
            slots.append(_numbered("price", number, prices[number - 1]))
    plan.say(act("no_match", slots), f"only without the condition on {found.dropped}")
    if found.dropped in ("colour", "kind"):  # what was not wished can be seen to be so
        plan.show([card(pick.product, _reason_text(plan, pick)) for pick in near])
    plan.state = replace(plan.state, focus=tuple(str(p.product.id) for p in near[:1]))


def _facts_of(plan: Plan, product: Product) -> None:
    plan.book.title(product)
    plan.book.price(product)
    plan.book.stock(product)


def _reason_text(plan: Plan, pick: Pick) -> str:
    if pick.reason is not None:
        return f"{readable(pick.reason.name)}{COLON[plan.language]}{pick.reason.value}"
    if stated_rating(pick.product) is not None:
        words = {"en": "Rating", "zh": "评分"}[plan.language]
        return f"{words}{COLON[plan.language]}{pick.product.rating:g}"
    if pick.product.brand:
        words = {"en": "Brand", "zh": "品牌"}[plan.language]
        return f"{words}{COLON[plan.language]}{pick.product.brand}"
    return ""


def _reason(plan: Plan, pick: Pick) -> Fact | None:
    text = _reason_text(plan, pick)
    if not text:
        return None
    return plan.book.add(
        "product", str(pick.product.id), "attribute:reason", text, pick.product.title
    )


def _wish_slot(plan: Plan, wish: str, constraints: Constraints) -> Slot | None:
    """The wish as a noun phrase, or None where the words would not read well."""
    words = wish.strip(" ,，")
    if not words or len(words) > MAX_WISH[plan.language] or len(words.split()) > MAX_NAMED:
        return None
    if re.search(
        r"\b(?:i|you|he|she|is|are|have|has|can|had|my|me|that|to|him|her)\b", words, re.I
    ):
        return None
    text = _as_noun(words if words.isupper() is False else words.lower())
    price = _condition(plan, "price", constraints)
    if plan.language == "zh":
        text = text.replace(" ", "")
        text = f"{price}的{text}" if price else text
    else:
        text = f"{text} {price}".strip()
    return slot("wish", plan.book.add("shopper", "message", "wish", text))


def _as_noun(words: str) -> str:
    """A purpose read as a thing: "to heat up leftovers" is something to heat up leftovers."""
    return f"something {words}" if re.match(r"(?:to|for) \w", words) else words


def _absent(plan: Plan, told: Slot | None, wish: str, request: Request) -> Slot:
    """What the shop does not have, in the shopper's words."""
    words = told.value if told else (wish or request.text)[: MAX_WISH[plan.language]].strip()
    words = _as_noun(words)
    return slot("wish", plan.book.add("shopper", "message", "absent", words))


def _condition(plan: Plan, name: str, constraints: Constraints) -> str:
    """A condition in words, as the shopper meant it."""
    language = plan.language
    if name == "brand" and constraints.brands:
        return " / ".join(constraints.brands)
    if name == "colour" and (colour := COLOUR.search(plan.state.wish)):
        return colour.group()
    if name == "rating" and constraints.rating_min:
        return {
            "en": f"at least {constraints.rating_min:g} stars",
            "zh": f"{constraints.rating_min:g}星以上",
        }[language]
    if name == "stock":
        return {"en": "in stock", "zh": "有货"}[language]
    if name != "price":
        return ""
    if constraints.price_min is None and constraints.price_max is None:
        return ""
    said = [words for kind, words in constraints.words if kind == "price"]
    return said[-1] if said else ""


def _category_slot(plan: Plan, category: str) -> Slot | None:
    if not category:
        return None
    plan.suggestions.append(category)
    return slot("category", plan.book.add("shop", "categories", "category", category))
