"""Acts that answer questions about one product, from its record and its page."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.catalogue import FULL
from bot.evidence import Evidence
from bot.facets import kind_of
from bot.fitting import fits, opening
from bot.grounding import act, attribute_citation, slot, stated_rating
from bot.policy.citing import tell_rule
from bot.policy.plan import PERSON, Desk, Plan
from bot.turn import Citation, Slot
from bot.understanding.numbers import digits
from bot.understanding.references import points_beyond
from bot.understanding.values import Request
from bot.variants import named_variant
from db.records import Attribute, Product
from prompts.concepts import concepts
from prompts.facets import facet_kinds
from prompts.topics import topics_of
from retrieval.sentences import sentences

MAX_VALUE = {"en": 200, "zh": 120}
_IT = re.compile(r"\b(?:it|its|it's|that one|this one)\b", re.IGNORECASE)
_PIECES = re.compile(
    r"\b(\d{1,3})\s+(?:of (?:them|those|these|it|the|your)|pieces|pcs|pairs)\b|(?<!第)(?<!\d)(\d{1,3})\s?[个件只套条双瓶盒把台张]"
    r"|\bhow much (?:for|are|would be|is|do|would|will) (\d{1,3})(?: (?:be|cost|come to))?\W*$",
    re.IGNORECASE,
)
_INSTRUCTIONS = re.compile(r"\binstructions (?:for|to|of)\b", re.IGNORECASE)
_ALONE = re.compile(r"^\W*(?:[a-z']+ ){0,3}(\d{1,2})(?: please| then)?\W*$", re.IGNORECASE)


def product_question(plan: Plan, desk: Desk, request: Request) -> None:
    """Answers a question about a product that is named, pointed at or in focus."""
    product = meant(plan, desk, request)
    if request.goal == "coupon" and product is None:
        refuse_price(plan, None)
        return
    if product is None:
        plan.say(act("ask_product"), "no product named")
        return
    _choose_variant(plan, product, request)
    plan.state = replace(plan.state, focus=(str(product.id),), topic="products")
    if request.goal == "coupon":
        refuse_price(plan, product)
        return
    if request.goal == "buy" and product.price is not None:
        count = pieces_of(request.text)
        (total(plan, product, count) if count else price(plan, product))
        plan.show([plan.card(product)])  # it leads to the shop's own page
        return
    if (
        request.goal == "pieces"
        and product.price is not None
        and (count := pieces_of(request.text))
    ):
        total(plan, product, count)
        return
    if request.goal == "describe" and not request.concepts:
        describe(plan, product)
        return
    if request.goal == "describe" and request.references:
        plan.show([plan.card(product)])
    answer_about(plan, desk, request, product)
    if request.links or request.references:
        plan.show([plan.card(product)])


def meant(plan: Plan, desk: Desk, request: Request) -> Product | None:
    """The product a question is about: named, pointed at, in focus, or alone in the last list."""
    if not request.references and points_beyond(request.text, plan.state.last_list):
        return None
    # "is it waterproof?" asks about the tent in focus, though some blanket is called waterproof
    named = [
        link.product_id
        for link in request.links[:1]
        if link.share >= FULL or not _IT.search(request.text)
    ]
    pointed = () if request.goal == "pieces" else request.references[:1]
    ids = [*pointed, *named]
    ids += plan.state.focus[:1] or plan.state.last_list[:1]
    ids += [link.product_id for link in request.links[:1]]
    return next((p for pid in ids if (p := desk.catalogue.products.get(pid))), None)


def _choose_variant(plan: Plan, product: Product, request: Request) -> None:
    """The form that the question names, else the one that was wished of what was shown."""
    plan.choose([product], request.text, request.constraints.facets)
    state, pid = plan.state, str(product.id)
    if not request.constraints.facets and pid in state.last_list and not plan.book.variant(product):
        plan.choose([product], state.wish, state.constraints.facets)


def _asks_variant(plan: Plan, product: Product, request: Request) -> bool:
    """Whether what is asked is whether, or for how much, a form can be had: "and in blue?"."""
    named = plan.book.variant(product)
    if named is None or not named_variant(product, request.text, request.constraints.facets):
        return False
    kinds = {kind_of(option.name) for option in named.options}
    own = {facet_kinds()[kind].concept for kind in kinds & set(facet_kinds())}
    asked = {concepts()[name].card or name for name in request.concepts}
    told = plan.book.price(product) if "price" in asked else plan.book.stock(product)
    return bool(asked) and asked <= own | {"price", "stock"} and told is not None


def answer_about(plan: Plan, desk: Desk, request: Request, product: Product) -> None:
    """Says the fact that was asked: a field of the record, an attribute, a sentence, or that none tells."""
    if told := desk.answerer.asked_before(product, request.text, plan.language):
        tell_evidence(plan, product, told)
        return
    if _asks_variant(plan, product, request):
        asks_price = any(concepts()[name].card == "price" for name in request.concepts)
        (price if asks_price else stock)(plan, product)
        return
    cards = [concepts()[name].card for name in request.concepts if concepts()[name].card]
    plain = [name for name in request.concepts if not concepts()[name].card]
    if plain and (attribute := desk.answerer.attribute(product, request.text, plain)):
        tell_attribute(plan, product, attribute)
        return
    if "price" in cards and product.price is not None:
        pieces = pieces_of(request.text)
        (total(plan, product, pieces) if pieces else price(plan, product))
        return
    if "stock" in cards:
        stock(plan, product)
        return
    if attribute := desk.answerer.attribute(product, request.text, request.concepts):
        tell_attribute(plan, product, attribute)
        return
    if "rating" in cards and stated_rating(product) is not None:
        label = plan.book.add("product", str(product.id), "label:rating", {"en": "rating", "zh": "评分"}[plan.language], product.title)  # fmt: skip
        value = plan.book.add(
            "product", str(product.id), "rating", f"{product.rating:g}", product.title
        )
        plan.say(act("attribute", [slot("title_1", plan.book.title(product)), slot("label_1", label), slot("value_1", value)]), "rating")  # fmt: skip
        return
    if request.goal == "describe" and not request.concepts:
        describe(plan, product)
        return
    evidence = desk.answerer.about_product(product, request.text, plan.language)
    if evidence is not None:
        tell_evidence(plan, product, evidence)
        return
    if not request.concepts and topics_of(request.text):
        # how it is sent or paid is no matter of its page
        rule = desk.answerer.about_rules(request.text, plan.language)
        if rule is not None and rule.passage is not None and _instructs(request.text, rule.text):
            tell_rule(plan, "policy", rule)
            return
    unknown(plan, product, request)


def _instructs(question: str, rule: str) -> bool:
    """False where instructions were asked for and the rule gives none: what a repair costs, say."""
    return not _INSTRUCTIONS.search(question) or fits(question, rule)


def price(plan: Plan, product: Product) -> None:
    fact = plan.book.price(product)
    assert fact is not None
    slots = [slot("title_1", plan.book.title(product)), slot("price_1", fact)]
    named = variant_slots(plan, product)
    plan.say(act("describe" if named else "price", [*slots, *named]), "record")
    plan.show([plan.card(product)])


def variant_slots(plan: Plan, product: Product) -> list[Slot]:
    """Label and value of the options that were named, the first two; none where none was."""
    named = plan.book.variant(product)
    slots = []
    for number, option in enumerate(named.options[:2] if named else (), 1):
        label, value = plan.book.attribute(product, option)
        slots += [slot(f"label_{number}", label), slot(f"value_{number}", value)]
    return slots


def total(plan: Plan, product: Product, pieces: int) -> None:
    """Says what several pieces cost, with the working."""
    price, _ = plan.book.amount(product)
    assert price is not None
    amount = price.amount * pieces
    fact = plan.book.computed(amount, price.currency, "product", (str(price.amount), str(pieces)))
    quantity = plan.book.add("shopper", "message", "quantity", str(pieces))
    unit = plan.book.price(product)
    plan.say(
        act("total", [slot("title_1", plan.book.title(product)), slot("quantity", quantity), slot("amount", fact), slot("price_1", unit) if unit else None]),
        "price times pieces",
    )  # fmt: skip


def stock(plan: Plan, product: Product) -> None:
    fact = plan.book.stock(product)
    if fact is None:
        asked = {"en": "whether it is in stock", "zh": "是否有货"}[plan.language]
        absent = plan.book.add("product", str(product.id), "absent", asked, product.title)
        plan.say(act("unknown_fact", [slot("title_1", plan.book.title(product)), slot("asked", absent)]), "stock is not stated")  # fmt: skip
        return
    plan.say(
        act("stock", [slot("title_1", plan.book.title(product)), slot("stock_1", fact)]), "record"
    )
    plan.show([plan.card(product)])


def tell_attribute(plan: Plan, product: Product, attribute: Attribute) -> None:
    text = attribute.value
    if len(text) > MAX_VALUE[plan.language]:
        parts = sentences(text)
        text = (
            parts[0]
            if parts and len(parts[0]) <= MAX_VALUE[plan.language]
            else text[: MAX_VALUE[plan.language]]
        )
    label, value = plan.book.attribute(product, replace(attribute, value=text))
    plan.say(
        act("attribute", [slot("title_1", plan.book.title(product)), slot("label_1", label), slot("value_1", value)]),
        f"attribute {attribute.name}",
    )  # fmt: skip
    plan.citations.append(attribute_citation(product, attribute))


def tell_evidence(plan: Plan, product: Product, evidence: Evidence) -> None:
    """Answers with the sentence (or attribute) that holds the answer."""
    if evidence.attribute is not None:
        tell_attribute(plan, product, evidence.attribute)
        return
    source = str(evidence.passage.id) if evidence.passage else str(product.id)
    fact = plan.book.quote(product, source, evidence.text)
    plan.say(
        act("product_quote", [slot("title_1", plan.book.title(product)), slot("quote_1", fact)]),
        f"sentence with words {evidence.covered:.2f}, meaning {evidence.meaning:.2f}"
        + ("" if evidence.odds is None else f", log-odds that it answers {evidence.odds:.2f}"),
    )
    plan.citations.append(Citation("product", str(product.id), product.title, evidence.text))


def unknown(plan: Plan, product: Product, request: Request) -> None:
    """Says that the page does not tell, and offers to ask the team."""
    slots: list[Slot | None] = [slot("title_1", plan.book.title(product))]
    asked = _asked(request, product)
    if asked:
        slots.append(
            slot("asked", plan.book.add("product", str(product.id), "absent", asked, product.title))
        )
    else:
        plan.book.add("product", str(product.id), "absent", "", product.title)
    plan.say(act("unknown_fact", slots), "no sentence holds the answer")
    plan.state = replace(plan.state, awaiting="team")
    plan.suggestions.append(PERSON[plan.language])


def _asked(request: Request, product: Product) -> str:
    """What was asked, as a noun, where the feed's kind of thing is known; else nothing."""
    for name in request.concepts:
        words = {"origin": "where it is made", "weight": "its weight", "dimensions": "its dimensions",
                 "material": "its material", "battery": "its battery", "colour": "its colours",
                 "size": "its sizes", "warranty": "its warranty"}  # fmt: skip
        if name in words and all(ord(c) < 128 for c in request.text):
            return words[name]
    return ""


def describe(plan: Plan, product: Product) -> None:
    """Tells about a product: price, first sentence of its description, two attributes."""
    slots: list[Slot | None] = [slot("title_1", plan.book.title(product))]
    if fact := plan.book.price(product):
        slots.append(slot("price_1", fact))
    name = " ".join((product.title, product.brand or "", *product.category, *product.tags))
    first = opening(product.description, name)
    if first and len(first) <= MAX_VALUE[plan.language]:
        slots.append(slot("quote_1", plan.book.quote(product, str(product.id), first)))
        plan.citations.append(Citation("product", str(product.id), product.title, first))
    named = variant_slots(plan, product)
    slots += named
    for number, attribute in enumerate([] if named else salient(product)[:2], 1):
        label, value = plan.book.attribute(product, attribute)
        slots += [slot(f"label_{number}", label), slot(f"value_{number}", value)]
    plan.say(act("describe", slots), "told about it")
    plan.show([plan.card(product)])
    plan.state = replace(plan.state, focus=(str(product.id),), topic="products")


def salient(product: Product) -> list[Attribute]:
    """Short attributes that shoppers ask for most."""
    known = [c for c in concepts().values() if c.label]
    short = [a for a in product.attributes if 0 < len(a.value) <= 40]
    return [a for a in short if any(c.label and c.label.search(a.name) for c in known)]


def refuse_price(plan: Plan, product: Product | None) -> None:
    """Prices are not made in the chat; says the listed one."""
    slots: list[Slot | None] = []
    if product is not None and (fact := plan.book.price(product)):
        slots = [slot("title_1", plan.book.title(product)), slot("price_1", fact)]
        plan.show([plan.card(product)])
    plan.book.add("shop", "prices", "absent", "")
    plan.say(act("refuse_price", slots), "prices are as listed")


def pieces_of(text: str) -> int:
    """How many pieces the price is asked of, 0 where of one or of more than a shop would tell."""
    match = _PIECES.search(digits(text)) or _ALONE.search(digits(text))
    if not match:
        return 0
    count = int(next(g for g in match.groups() if g))
    return count if 2 <= count <= 20 else 0
