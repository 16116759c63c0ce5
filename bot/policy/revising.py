"""How a wish changes with what is said next: refined, measured against what was shown, or replaced.

Knows nothing about how the outcome is told.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from bot.kinds import Rank, head_of
from bot.policy.measuring import magnitude
from bot.policy.plan import Desk, Plan
from bot.policy.wording import before_noun, limit_in_words
from bot.recommend import Found, Pick
from bot.understanding.constraints import SAID_OTHERWISE, Constraints, Facet
from bot.understanding.language import WIDE
from bot.understanding.values import Request
from db.records import Product
from prompts.concepts import concepts
from prompts.facets import vague_word
from prompts.filling import indefinite_article
from retrieval.english import is_common_word
from retrieval.text import tokens

CENT = Decimal("0.01")
ANYTHING = "something"
UNHEARD = "word"  # the name of a condition that is but a word of the shopper's
MIN_PROPERTY = 4  # letters
MOST_BEFORE = 2  # words of a property that stands before its noun
_BEHIND = re.compile(
    r"(?:with|without|for|in|on|of|at|from|to|by|that|which|under|over|and|or)\b", re.I
)
# what a change is wrapped in, and is no property itself
_AROUND_CHANGE = re.compile(
    r"\b(?:anything|something|cheaper|less|more|expensive|only|ones?|it|in|of|and|the|that|those|them|other|have|also|with|no|nah|nope|most|least|not|im|i'm|oh|tho|though|by|do|you|does|come|comes|he|she|already|got|else|please|similar|like|comparable|even|still|much|far|way|bit|lot|slightly|bigger|larger|smaller|lighter|heavier|longer|shorter|wider|taller|narrower|actually|instead|rather|than|then|there|at|least|ok|okay|so|said|meant|i|make|made|prefer|maybe|pricey|dear|too|but|what|about|how|if|possible|must|be|should|a|an|another|different)\b"
    r"|[大小轻重长短宽高]一?[点些]|便宜一?[点些]?|太?贵了?一?[点些]?|(?:太|好|这么|有点儿?|挺|真|蛮)贵了?[啊呀哦吧]*|再|最|是?哪一?[个款]|是(?=$|的)|也行|就行|还是|换成?|改成?|要|的|有|也|[点些]|吧|呢|吗|没有|最好|必须",
    re.IGNORECASE,
)

_PROPERTY = re.compile(
    r"\b(?!(?:the|any|and|for|with|are|not|get|very)\b)[a-z]{3,}[- ](?:free|safe|proof|resistant|friendly)\b"
    r"(?! (?:shipping|delivery|postage|returns?|gifts?|samples?)\b)",
    re.IGNORECASE,
)
_MODEL = re.compile(  # a name and its number, and no "set of 4" or "for 4"
    r"\b(?!(?:of|for|in|with|to|at|by|from|and|or|under|over|about|up|than|only|need|want|buy|get|take|have)\b)"
    r"([a-z]{2,}) ?-?(\d{1,4}[a-z]{0,2})\b(?![.,]\d)"
)
# "有没有真丝的", "要金属的": what it should be like, not what it should be
_PROPERTY_ZH = re.compile(r"的(?:吗|么|就行|也行|呢|吧|话|也可以|都行)?\W*$")


def revised(plan: Plan, desk: Desk, request: Request) -> tuple[str, Constraints]:
    """The wish and conditions so far, changed by what was said now."""
    state = plan.state
    constraints = state.constraints.updated(request.constraints)
    anchor = _anchor(plan, desk, request)
    if request.than_shown == "cheaper" and anchor:
        constraints = _limited(constraints, limit_in_words(plan, None, anchor), most=anchor - CENT)
    elif request.than_shown == "dearer" and anchor:
        constraints = _limited(constraints, limit_in_words(plan, anchor, None), least=anchor + CENT)
    wish = state.wish or _kind_talked_about(plan, desk)
    renewed = {facet.kind for facet in request.constraints.facets}
    for kind in (name.partition(":")[2] for name in request.relative if ":" in name):
        old = [facet for facet in constraints.facets if facet.kind == kind]
        renewed.add(kind)
        if not request.constraints.facets:
            constraints = _without(constraints, old)
    for facet in state.constraints.facets:
        if facet.kind in renewed or facet.value in request.constraints.words_none:
            wish = _leaving_out(wish, facet.said)
    words = request.query if request.goal != "more" else ""
    extra = " ".join(_AROUND_CHANGE.sub(" ", words).split())
    extra = "" if extra.casefold() in wish.casefold() else extra
    for brand in (*request.constraints.brands, *request.constraints.exclude_brands):
        extra = re.sub(re.escape(brand), " ", extra, flags=re.IGNORECASE).strip()
    return _joined(wish, extra, request.constraints.facets), constraints


def _kind_talked_about(plan: Plan, desk: Desk) -> str:
    """What the product talked about is, as a wish for its like; "" where none is or its title does
    not tell: "anything cheaper" than a tripod lamp is a lamp."""
    product = desk.catalogue.products.get(plan.state.focus[0]) if plan.state.focus else None
    if product is None:
        return ""
    if plan.language == "zh":
        return product.category[-1] if product.category else ""
    head = desk.catalogue.kinds.head(str(product.id))
    said = re.findall(r"[A-Za-z][\w'-]*", product.title)
    named = [word.lower() for word in said if head and tokens(word)[-1:] == [head]]
    if not named or named[0].endswith("s"):
        return named[0] if named else ""
    return f"{indefinite_article(named[0])} {named[0]}"


def _limited(
    constraints: Constraints,
    words: str,
    *,
    least: Decimal | None = None,
    most: Decimal | None = None,
) -> Constraints:
    """The conditions with a bound that comes from a product shown, in words of its own: what was said
    of money before does not fit it."""
    others = tuple(pair for pair in constraints.words if pair[0] not in ("price", SAID_OTHERWISE))
    return replace(
        constraints, price_min=least, price_max=most, total=None, words=(*others, ("price", words))
    )


def _without(constraints: Constraints, old: list[Facet]) -> Constraints:
    """The conditions with another value wished than the old ones: "another colour"."""
    unwanted = tuple(dict.fromkeys((*constraints.words_none, *(f.value for f in old))))
    kept = tuple(facet for facet in constraints.facets if facet not in old)
    return replace(constraints, facets=kept, words_none=unwanted)


def _leaving_out(wish: str, said: str) -> str:
    rest = re.sub(re.escape(said), " ", wish, count=1, flags=re.IGNORECASE)
    rest = re.sub(r"\b(?:in|of|made of|size)\s*(?=$|,)", " ", rest, flags=re.IGNORECASE)
    return re.sub(r"^的|(?<=\s)的", "", " ".join(rest.split())).strip(" ,，")


def _joined(wish: str, extra: str, facets: tuple[Facet, ...]) -> str:
    """The wish with a further property, before its noun where it is nothing but a colour or so."""
    if not extra:
        return wish
    if WIDE.search(extra):
        return f"{extra}的{wish}" if wish else extra
    if any(facet.strict and facet.said.casefold() == extra.casefold() for facet in facets):
        if wish.casefold() == ANYTHING:
            return f"{wish} {extra}"
        return before_noun(extra, wish)
    if extra.casefold().startswith("for "):
        return f"{wish} {extra}".strip()
    if len(extra.split()) <= MOST_BEFORE and not _BEHIND.match(extra):
        return before_noun(extra, wish)
    return f"{wish}, {extra}".strip(" ,")


def _anchor(plan: Plan, desk: Desk, request: Request) -> Decimal | None:
    """The price that "cheaper" is measured by: of what is pointed at, else of what stood first."""
    ids = request.references or plan.state.focus[:1] or plan.state.last_list[:1]
    product = desk.catalogue.products.get(ids[0]) if ids else None
    return product.price.amount if product and product.price else None


def beyond(plan: Plan, desk: Desk, request: Request, found: Found) -> Found:
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


def other_kind(plan: Plan, desk: Desk, request: Request) -> bool:
    """Whether another kind of thing is named than the one talked about: a rug after towels."""
    head = head_of(request.query, plan.language)
    state = plan.state
    if not head or request.constraints.brands or request.goal == "more":
        return False
    if any(
        head in tokens(facet.said) or head in facet.said for facet in request.constraints.facets
    ):
        return False
    if plan.language == "zh":
        if _PROPERTY_ZH.search(request.text):
            return False
        names = [
            f"{p.title} {' '.join(p.category)}"
            for pid in state.last_list
            if (p := desk.catalogue.products.get(pid))
        ]
        known = len(head) > 1 and head in desk.catalogue.names and head not in state.wish
        return known and not any(head in name for name in names)
    kinds = desk.catalogue.kinds
    return (
        kinds.best(head) is Rank.IS
        and head not in tokens(state.wish)
        and not any(kinds.is_a(pid, head) for pid in state.last_list)
    )


def told_by(desk: Desk, wish: str, language: str) -> str:
    """The word that stands before the thing wished and tells which is meant: "velvet" of "a velvet
    armchair"; "" where there is none, or where it only praises ("a nice armchair")."""
    head = head_of(wish, language)
    if language != "en" or desk.catalogue.kinds.best(head) is not Rank.IS:
        return ""
    said = re.findall(r"[A-Za-z][\w'-]*", wish)
    for before, word in pairwise(said):
        if tokens(word)[-1:] == [head]:
            low = before.casefold()
            vague = not tokens(low) or vague_word().search(low) or len(low) < MIN_PROPERTY
            return "" if vague else before
    return ""


def property_in(wish: str) -> str:
    """What a wish asks to be free of, safe for or proof against: "grain free"; "" where nothing."""
    found = _PROPERTY.search(wish)
    return found[0] if found else ""


def other_models(title: str, wish: str) -> str:
    """The model that is wished where the title names another of its name: "iphone 13", of an iPhone 12
    case; "" where it names none or this one."""
    named = {(word, number) for word, number in _MODEL.findall(title.casefold())}
    for word, number in _MODEL.findall(wish.casefold()):
        others = {n for w, n in named if w == word}
        if others and number not in others:
            return f"{word} {number}"
    return ""


def so_told(desk: Desk, found: Found, word: str, wish: str, language: str) -> tuple[Pick, ...]:
    """Those found that may be said to be what the word tells: all of them where the page of one says
    so, except where goods are named by it. There is an "Electric Kettle", so that a stovetop kettle,
    which works on electric hobs, is none."""
    head, low = head_of(wish, language), word.casefold()
    facets = [Facet("", way, low) for way in _ways(low)]
    has = desk.catalogue.facets.has
    is_sort = any(desk.catalogue.kinds.is_sort(stem, head) for stem in tokens(low))
    said = tuple(
        pick for pick in found.picks if any(has(str(pick.product.id), facet) for facet in facets)
    )
    if not is_sort:
        # what is no word is a name or a slip, which search has mended or forgiven
        known = any(map(is_common_word, re.split(r"[- ]", low)))
        if _PROPERTY.fullmatch(low) and (said or known):
            return said
        return found.picks if said or not known else ()
    return tuple(pick for pick in said if set(tokens(low)) <= set(tokens(_stated(pick.product))))


def without_it(desk: Desk, picks: tuple[Pick, ...], word: str) -> tuple[Pick, ...]:
    """Of those found, such as do not hold what a wish is to be free of, where there are any."""
    thing = re.sub(r"[- ]free$", "", word.casefold())
    facet = Facet("", thing, word)
    kept = tuple(p for p in picks if not desk.catalogue.facets.has(str(p.product.id), facet))
    return kept or picks


def _ways(words: str) -> tuple[str, ...]:
    """How a page may put it: what is free of a thing is without it."""
    thing = re.sub(r"[- ]free$", "", words)
    if thing == words:
        return (words,)
    return words, f"without {thing}", f"no {thing}", f"free of {thing}", f"free from {thing}"


def _stated(product: Product) -> str:
    """What a product's record states of it in fields, and not in running text."""
    values = (f"{a.name} {a.value}" for a in product.attributes)
    return " ".join((product.title, *product.category, *product.tags, *values))


def only_like(wish: str, constraints: Constraints) -> bool:
    """Whether the wish says what a thing should be like and names no thing: "anything in blue"."""
    strict = [facet for facet in constraints.facets if facet.strict]
    rest = wish
    for facet in strict:
        rest = re.sub(re.escape(facet.said), " ", rest, flags=re.IGNORECASE)
    return bool(strict) and not tokens(unchanged(rest))


def any_such(constraints: Constraints, language: str) -> str:
    """A thing of which only the properties were said, as a noun phrase."""
    said = " ".join(facet.said for facet in constraints.facets if facet.strict)
    return {"en": f"{ANYTHING} {said}", "zh": f"{said}的"}[language]


def unchanged(words: str) -> str:
    """The words without those that only ask for something other than before."""
    rest = _AROUND_CHANGE.sub(" ", words)
    return re.sub(
        r"\b(?:else|others?|yes|no|more)\b|别的|其他|换", " ", rest, flags=re.IGNORECASE
    ).strip()


def restarted(query: str) -> str:
    """What is wished anew, of a message that starts over."""
    return re.sub(
        r"\b(?:start over|start again|start from scratch|forget (?:that|it|all that)|scratch that|actually|new search)\b|重新(?:来|开始|找)|算了|我想",
        " ",
        query,
        flags=re.IGNORECASE,
    ).strip(" ,，.")
