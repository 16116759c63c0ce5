"""From a message to what it asks for: redacted, its language and typos told, its requests read.

Knows nothing about what will be answered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from bot.catalogue import NO_NAMES, Catalogue
from bot.state import DialogState
from bot.turn import Language
from bot.understanding.constraints import parse_constraints
from bot.understanding.deciding import OF_RULES, IntentRules
from bot.understanding.details import masked_answer
from bot.understanding.intents import INSULT, IntentClassifier, insult
from bot.understanding.language import language_of
from bot.understanding.numbers import digits
from bot.understanding.orders import contact_hash, order_numbers, order_pattern
from bot.understanding.prices import read_prices
from bot.understanding.redaction import normal_email, normal_phone, redact
from bot.understanding.references import (
    cheapest_or_dearest,
    counted_back,
    described_reference,
    last_several,
    means_one,
    means_several,
    named_reference,
    two_sides,
)
from bot.understanding.returning import earlier_product
from bot.understanding.serving import PLAUSIBLE, SURE, unquoted
from bot.understanding.spelling import service_typos, without_shorthand
from bot.understanding.values import INSULTED, Context, Request, Understanding
from bot.understanding.wanted import WantedWords
from prompts.concepts import concepts
from prompts.cues import cue
from retrieval.hybrid import Searcher
from retrieval.text import tokens, units

READ_CHARS = 800  # of a message are looked at for what is asked; the rest is kept, not read
MAX_REQUESTS = 2
CLEARLY = 0.5  # from which a wish without a thing or condition is an insult
_NOT = re.compile(r"\W*(?:no[ ,]+)?not\b", re.IGNORECASE)  # "not those, something classic"
FEW_WORDS = 5  # of an answer that is a figure
SURELY = 0.8  # from which a complaint is one
_FIGURE = re.compile(r"(?<![\w.-])\d[\d,]*(?:\.\d+)?(?![\w-])")
_CORRECTS = re.compile(
    r"^\W*(?:no|nah|nope|sorry|i (?:said|meant)|不是?|我说的是)\b", re.IGNORECASE
)
_CLAUSE = re.compile(
    r"[.!?。！？;；\n]+\s*|:\s+|,\s*(?:and|also|but)\s+(?=(?:can|could|do|does|how|is|are|what|when|where|will|would)\b)"
    r"|\s+and\s+(?=(?:can|could|do|how|is|are|what|when|where) (?:i|you|u|long|much|the|your|it|does|do)\b)"
    r"|[，,]?\s*(?:另外|还有就是|还有，|以及|顺便问?|再问)",
    re.IGNORECASE,
)


class Understander:
    """Reads messages of one shop.

    `order_ids` are samples from which the shape of this shop's order numbers is learned; `secret`
    keys the hashes of contacts; `languages` are those that are answered, the first also for the others.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        searcher: Searcher,
        classifier: IntentClassifier,
        order_ids: Sequence[str] = (),
        secret: bytes,
        languages: Sequence[Language] = ("en", "zh"),
    ) -> None:
        self._catalogue = catalogue
        self._searcher = searcher
        self._classifier = classifier
        self._order = order_pattern(order_ids)
        self._secret = secret
        self._languages = tuple(languages)
        self._wanted = WantedWords(catalogue)
        self._rules = IntentRules(catalogue=catalogue, searcher=searcher, wanted=self._wanted)

    def understand(self, message: str, *, state: DialogState, locale: str | None) -> Understanding:
        """Redacts and reads one message; `state` is what was said before."""
        redacted = redact(message, keep=self._order)
        redacted = masked_answer(message, redacted, state, keep=self._order)
        language, foreign = language_of(redacted.text, before=state.language, locale=locale)
        read: Language = "zh" if language == "zh" else "en"
        lang = read if read in self._languages else self._languages[0]
        ids = order_numbers(
            redacted.text, self._order, asked=state.awaiting in ("order", "contact")
        )
        contacts = [contact_hash(normal_email(e), self._secret) for e in redacted.emails]
        contacts += [contact_hash(normal_phone(p), self._secret) for p in redacted.phones]
        said = redacted.text.capitalize() if redacted.text.isupper() else redacted.text
        corrected_text, corrected = self._spelled(said[:READ_CHARS])
        corrected_text = _as_answer(corrected_text, state)
        context = Context(state, read, bool(ids), bool(contacts), redacted.card, foreign)
        whole = self._request(corrected_text, context)
        requests = self._several(corrected_text, context, whole)
        abuse = insult(redacted.text, lang)
        if abuse >= INSULT and len(requests) == 1 and _asks_nothing(whole, abuse):
            requests = (replace(whole, intent="complaint", why=INSULTED, goal="angry"),)
        return Understanding(
            text=redacted.text,
            language=lang,
            foreign=foreign or lang != read,
            requests=requests,
            order_ids=ids,
            contacts=tuple(contacts),
            card=redacted.card,
            given=redacted.given,
            corrected=corrected,
            abuse=abuse,
        )

    def _spelled(self, text: str) -> tuple[str, dict[str, str]]:
        """Mends typos towards the words of shop and service, but leaves words that are words."""
        knows = self._catalogue.knows
        text = without_shorthand(text, knows=knows)
        _, mended = self._searcher.correct(text)
        mended = service_typos(text, knows=knows) | mended
        for word, right in mended.items():
            text = re.sub(
                rf"(?<!\w){re.escape(word)}(?!\w)" if word.isascii() else re.escape(word),
                right,
                text,
                flags=re.IGNORECASE,
            )
        return text, mended

    def _several(self, text: str, context: Context, whole: Request) -> tuple[Request, ...]:
        """Two requests where a product and a rule are asked in one breath, else the whole."""
        if whole.intent in ("handoff", "order_status", "order_change", "out_of_scope", "complaint"):
            return (whole,)
        parts = [part.strip(" ,，") for part in _CLAUSE.split(text) if part and part.strip(" ,，")]
        if not 2 <= len(parts) <= 4:
            return (whole,)
        requests = [self._request(part, context) for part in parts]
        finding = [r for r in requests if r.intent in ("recommend", "product_question", "refine")]
        rules = [r for r in requests if r.intent == "policy_question"]
        sure = [
            r
            for r in rules
            if dict(r.scores).get("policy_question", 0) >= PLAUSIBLE or r.why == OF_RULES
        ]
        if finding and sure and any(r.links or cue("need", r.text) for r in finding):
            wanted = next(r for r in finding if r.links or cue("need", r.text))
            chosen = sorted((wanted, sure[0]), key=requests.index)
            return tuple(chosen[:MAX_REQUESTS])
        first, second = requests[:2]
        if first.intent in ("recommend", "refine") and first.query and _asks_about_it(second):
            about = replace(
                second, intent="product_question", why="asks about what is shown", goal=""
            )
            return first, about
        return (whole,)

    def _request(self, text: str, context: Context) -> Request:
        state = context.state
        # what stands in quotation marks is somebody else's text: data, not a request
        own = unquoted(text)
        text = own if units(own) else text
        chosen, rest = cheapest_or_dearest(text, state.last_list, self._price_of)
        text = rest or text
        parsed = parse_constraints(
            text, brands=self._catalogue.brands, facets=self._catalogue.facets
        )
        # "max 30" names no AirPods Max
        prices = [said for name, said in parsed.constraints.words if name == "price"]
        unwanted = (*parsed.constraints.words_none, *prices)
        links = tuple(self._catalogue.links(_without(text, unwanted)))
        references = (chosen,) if chosen else counted_back(text, state.lists)
        if not references and len(links) < 2 and (cue("compare", text) or cue("which", text)):
            shown = self._titles_of(state.recently_shown)
            references = two_sides(text, lambda phrase: self._alone(phrase, shown))
        if not references and not links and not cue("back", text):
            one = described_reference(text, state.last_list, self._words_of(state.last_list))
            one = one or named_reference(
                text,
                state.recently_shown,
                self._titles_of(state.recently_shown),
                self._catalogue.alone,
            )
            references = (one,) if one and not parsed.constraints.words_none else ()
        if (
            not references
            and cue("question", text)
            and any(c.asked(text) for c in concepts().values())
        ):
            before = earlier_product(text, state.earlier, self._catalogue.kinds.is_a)
            references = (before,) if before else ()
        if not references and not links and means_several(text) and not _NOT.match(text):
            references = last_several(state.lists)
        scores = tuple(self._classifier.probabilities(text, context.language).items())
        asked = tuple(c.name for c in concepts().values() if c.asked(unquoted(text)))
        base = Request(
            intent="unclear",
            text=text,
            query=self._wanted.of(parsed.rest, context.language),
            constraints=parsed.constraints,
            relative=parsed.relative,
            links=links,
            references=references,
            concepts=asked,
            scores=scores,
        )
        intent, why, goal = self._rules.decide(base, context)
        return replace(base, intent=intent, why=why, goal=goal)

    def _price_of(self, product_id: str) -> Decimal | None:
        product = self._catalogue.products.get(product_id)
        return product.price.amount if product and product.price else None

    def _alone(self, phrase: str, shown: Mapping[str, Sequence[str]]) -> str:
        """The one product that a phrase names, of those shown or else of the shop."""
        said = set(tokens(phrase)) - NO_NAMES
        held = [pid for pid, title in shown.items() if said and said <= set(title)]
        return held[0] if len(held) == 1 else self._catalogue.alone(phrase)

    def _titles_of(self, ids: Sequence[str]) -> dict[str, list[str]]:
        titles = {pid: p.title for pid in ids if (p := self._catalogue.products.get(pid))}
        return {pid: tokens(title.replace("-", " ")) for pid, title in titles.items()}

    def _words_of(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """The words of each product's title and short attributes, in order."""
        found = {}
        for pid in ids:
            if product := self._catalogue.products.get(pid):
                short = " ".join(a.value for a in product.attributes if len(a.value) < 40)
                found[pid] = tokens(f"{product.title} {short}".replace("-", " "))
        return found


def _as_answer(text: str, state: DialogState) -> str:
    """A bare figure as the limit that was asked for, or is corrected: "60 then" is "under 60"."""
    priced = state.constraints.price_max is not None and _CORRECTS.match(text)
    if state.awaiting != "budget" and not priced:
        return text
    figure = _FIGURE.search(digits(text))
    if figure is None or len(units(text)) > FEW_WORDS or read_prices(digits(text)):
        return text
    return f"under {figure.group()}" if state.language == "en" else f"{figure.group()}元以内"


def _without(text: str, phrases: Sequence[str]) -> str:
    """`text` without phrases that name no product, such as what the shopper does not want."""
    for phrase in phrases:
        text = re.sub(re.escape(phrase), " ", text, flags=re.IGNORECASE)
    return text


def _asks_nothing(r: Request, abuse: float) -> bool:
    """Whether a message is nothing but an insult: it holds no request that could be served.

    A wish and a complaint look like many things, so that they must be rated surer; noise is none.
    """
    if r.links or r.references or not r.constraints.empty:
        return False
    if cue("why_asked", r.text) or cue("follow_up", r.text):
        return False
    if r.intent in ("recommend", "refine", "product_question", "policy_question"):
        return abuse >= CLEARLY and r.scores[0][1] < SURE
    if r.intent == "complaint":
        return abuse >= SURELY
    return r.intent in ("out_of_scope", "smalltalk", "feedback", "greet", "goodbye")


def _asks_about_it(r: Request) -> bool:
    """Whether a clause asks for a fact of what the clause before it is about to find."""
    return bool(
        r.concepts
        and not (r.links or r.references)
        and means_one(r.text)
        and cue("question", r.text)
    )
