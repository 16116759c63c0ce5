"""From a message to what it asks for: cues first, then the classifier, both held against the catalogue.

Order matters and is written as a list of rules, each of which names itself in the trace. Knows
nothing about what will be answered.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.catalogue import Catalogue
from bot.state import DialogState
from bot.turn import Language
from bot.understanding.constraints import Parsed, parse_constraints
from bot.understanding.intents import IntentClassifier, exemplars
from bot.understanding.language import WIDE, language_of
from bot.understanding.redaction import normal_email, normal_phone, redact
from bot.understanding.references import (
    described_reference,
    means_one,
    means_several,
    ordinal_references,
)
from bot.understanding.values import Request, Understanding
from bot.understanding.wordlist import is_common_word
from prompts.concepts import concepts
from prompts.cues import cue
from prompts.topics import topics_of
from retrieval.hybrid import Searcher
from retrieval.text import tokens, units

CONFIDENT = 0.5
# "有没有真丝的", "要金属的": a property of what is wished, not a new wish
_MODIFIER = re.compile(
    r"(?:^|[，,\s😭])(?:有没有|有|要|想要|来点)?[\u4e00-\u9fff]{1,6}的(?:吗|么|就行|也行|呢|吧)?\W*$"
)
_COLOUR = re.compile(
    r"\b(?:black|white|gr[ae]y|red|blue|green|yellow|orange|pink|purple|brown|beige|navy|silver|gold)\b",
    re.IGNORECASE,
)
_YES_OR_NO = re.compile(
    r"^\W*(?:and |so |but )?(?:does|is|can|could|will|has|did|was)\b", re.IGNORECASE
)
READ_CHARS = 800  # of a message are looked at for what is asked; the rest is kept, not read
LONG = 6  # content words from which a message is searched by its asking clause alone
PLAUSIBLE = 0.3
MAX_REQUESTS = 2
_CLAUSE = re.compile(
    r"[.!?。！？;；\n]+\s*|:\s+|,\s*(?:and|also|but)\s+(?=(?:can|could|do|does|how|is|are|what|when|where|will|would)\b)"
    r"|\s+and\s+(?=(?:can|could|do|how|is|are|what|when|where) (?:i|you|u|long|much|the|your|it|does|do)\b)"
    r"|[，,]?\s*(?:另外|还有就是|还有，|以及|顺便问?|再问)",
    re.IGNORECASE,
)
# where the shop has no orders to learn from, a number counts only when it is called one
_GENERIC_ORDER = re.compile(
    r"(?:(?<=order )|(?<=order number )|(?<=订单)|(?<=订单号)|(?<=#))#?(?=[\w-]*\d{3})[A-Z]{0,4}-?\d{3,14}(?![\w-])",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"^(?:please|pls|plz|hi|hey|hello|so|ok|okay|oh|hm+|well|and|then|lol|您好|你好|请问|那|嗯)\b[,，!！ ]*|\b(?:please|pls|plz)\b",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"\b(?:i|we)(?:'?d| would| am|'?m| are|'?re)? (?:actually |really |just )?(?:need|want|like|love|looking for|searching for|after|was hoping|"
    r"got|have|buy|to buy)\b|\b(?:do|have) (?:you|u|ya)(?: guys)? (?:have|got|sell|carry|stock|offer)\b|\bshow me\b|"
    r"\blook(?:in|ing) for\b|\bgot any\b|\bcan (?:you|u) (?:recommend|suggest|show)\b|\b(?:recommend|suggest) (?:me )?\b|\bneed\b|\bany\b|\bsome\b|\bhave you got\b|"
    r"\b(?:what|which)\b|\bdo you (?:have|sell)\b|\bi can spend\b|\bsomething\b|"
    r"\b(?:but |and )?only(?: what| those| the ones)?(?: you)?(?: actually)?\b|"
    r"(?:我|咱)?(?:想|要|准备)(?:买|要|看|换|找|给)?|有没有|你们|卖不卖|卖|推荐(?:推荐|一下)?|帮我(?:买|选|找|挑)?|吗|呢|请问|看看|一下",
    re.IGNORECASE,
)  # fmt: skip


class Understander:
    """Reads messages of one shop.

    `order_ids` are samples from which the shape of this shop's order numbers is learned; `secret`
    keys the hashes of contacts.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        searcher: Searcher,
        classifier: IntentClassifier,
        order_ids: Sequence[str] = (),
        secret: bytes,
    ) -> None:
        self._catalogue = catalogue
        self._searcher = searcher
        self._classifier = classifier
        self._order = order_pattern(order_ids)
        self._secret = secret

    def understand(self, message: str, *, state: DialogState, locale: str | None) -> Understanding:
        """Redacts and reads one message; `state` is what was said before."""
        redacted = redact(message, keep=self._order)
        language, foreign = language_of(redacted.text, before=state.language, locale=locale)
        lang: Language = "zh" if language == "zh" else "en"
        ids = tuple(
            dict.fromkeys(m.group().lstrip("#").upper() for m in self._order.finditer(message))
        )
        contacts = [contact_hash(normal_email(e), self._secret) for e in redacted.emails]
        contacts += [contact_hash(normal_phone(p), self._secret) for p in redacted.phones]
        said = redacted.text.capitalize() if redacted.text.isupper() else redacted.text
        corrected_text, corrected = self._spelled(said[:READ_CHARS])
        context = _Context(state, lang, bool(ids), bool(contacts), redacted.card)
        whole = self._request(corrected_text, context)
        requests = self._several(corrected_text, context, whole)
        return Understanding(
            text=redacted.text,
            language=lang,
            foreign=foreign,
            requests=requests,
            order_ids=ids,
            contacts=tuple(contacts),
            card=redacted.card,
            corrected=corrected,
        )

    def _spelled(self, text: str) -> tuple[str, dict[str, str]]:
        """Mends typos towards the shop's words, but leaves words that are words."""
        _, mended = self._searcher.correct(text)
        wrong = {w: right for w, right in mended.items() if not is_common_word(w)}
        for word, right in wrong.items():
            text = re.sub(
                rf"(?<!\w){re.escape(word)}(?!\w)" if word.isascii() else re.escape(word),
                right,
                text,
                flags=re.IGNORECASE,
            )
        return text, wrong

    def _several(self, text: str, context: _Context, whole: Request) -> tuple[Request, ...]:
        """Two requests where a product and a rule are asked in one breath, else the whole."""
        if whole.intent in ("handoff", "order_status", "order_change", "out_of_scope", "complaint"):
            return (whole,)
        parts = [part.strip(" ,，") for part in _CLAUSE.split(text) if part and part.strip(" ,，")]
        if not 2 <= len(parts) <= 4:
            return (whole,)
        requests = [self._request(part, context) for part in parts]
        finding = [r for r in requests if r.intent in ("recommend", "product_question", "refine")]
        rules = [r for r in requests if r.intent == "policy_question"]
        sure = [r for r in rules if dict(r.scores).get("policy_question", 0) >= PLAUSIBLE]
        if finding and sure and any(r.links or cue("need", r.text) for r in finding):
            wanted = next(r for r in finding if r.links or cue("need", r.text))
            chosen = sorted((wanted, sure[0]), key=requests.index)
            return tuple(chosen[:MAX_REQUESTS])
        return (whole,)

    def _request(self, text: str, context: _Context) -> Request:
        state = context.state
        # what stands in quotation marks is somebody else's text: data, not a request
        own = _unquoted(text)
        text = own if units(own) else text
        parsed = parse_constraints(text, brands=self._catalogue.brands)
        links = tuple(self._catalogue.links(text))
        references = ordinal_references(text, state.last_list)
        if not references and not links:
            one = described_reference(text, state.last_list, self._words_of(state.last_list))
            references = (one,) if one and not parsed.constraints.words_none else ()
        if not references and not links and means_several(text):
            references = state.last_list
        scores = tuple(self._classifier.probabilities(text, context.language).items())
        asked = tuple(c.name for c in concepts().values() if c.asked(_unquoted(text)))
        base = Request(
            intent="unclear",
            text=text,
            query=self._wanted(parsed.rest, context.language),
            constraints=parsed.constraints,
            relative=parsed.relative,
            links=links,
            references=references,
            concepts=asked,
            scores=scores,
        )
        intent, why, goal = self._decide(base, context, parsed)
        return replace(base, intent=intent, why=why, goal=goal)

    def _words_of(self, ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """The words of each product's title and short attributes."""
        found = {}
        for pid in ids:
            if product := self._catalogue.products.get(pid):
                short = " ".join(a.value for a in product.attributes if len(a.value) < 40)
                found[pid] = frozenset(tokens(f"{product.title} {short}".replace("-", " ")))
        return found

    def _decide(self, r: Request, context: _Context, parsed: Parsed) -> tuple[str, str, str]:
        """Returns intent, the rule that decided, and the goal."""
        for rule in (self._safety, self._service, self._courtesy, self._products):
            if decided := rule(r, context, parsed):
                return decided
        return self._classified(r, context)

    def _safety(self, r: Request, context: _Context, parsed: Parsed) -> tuple[str, str, str] | None:
        text = r.text
        if cue("private", text):
            return "out_of_scope", "cue private", "private"
        if context.card:
            return "policy_question", "card number", "card"
        if cue("instruction", text):
            asks_price = r.links and not cue("question", _unquoted(text))
            return "out_of_scope", "cue instruction", "price" if asks_price else "instruction"
        if cue("coupon", text) and (r.links or context.state.focus):
            return "product_question", "cue coupon", "coupon"
        return None

    def _service(
        self, r: Request, context: _Context, parsed: Parsed
    ) -> tuple[str, str, str] | None:
        text, state = r.text, context.state
        if cue("handoff", text):
            return "handoff", "cue handoff", ""
        if state.awaiting == "confirm" and (cue("yes", text) or cue("no", text)):
            return "order_change", "answer to a question", "yes" if cue("yes", text) else "no"
        goal = next((g for g in ("exchange", "change", "cancel", "return") if cue(g, text)), "")
        about_order = context.order_id or cue("own_order", text)
        if context.order_id and goal:
            return "order_change", "order number and a change", goal
        if state.awaiting in ("order", "contact") and (context.order_id or context.contact):
            return state.order_goal.partition(":")[0] or "order_status", "answer to a question", ""
        if context.order_id:
            return "order_status", "order number", _order_goal(text)
        if state.topic == "order" and (follow := _order_goal(text)) and not r.links:
            return "order_status", "follow-up on the order", follow
        broken = cue("complaint", text)
        if broken and not cue("hypothetical", text):
            return "complaint", "cue complaint", ""
        if about_order and not broken and not cue("policy", text):
            scores = dict(r.scores)
            if goal and scores.get("order_change", 0) >= scores.get("policy_question", 0):
                return "order_change", "own order and a change", goal
            rank = max(scores, key=lambda name: scores[name])
            if rank in ("order_status", "complaint") or scores.get("order_status", 0) >= PLAUSIBLE:
                return "order_status", "own order", _order_goal(text)
        return None

    def _courtesy(
        self, r: Request, context: _Context, parsed: Parsed
    ) -> tuple[str, str, str] | None:
        text = r.text
        if cue("identity", text):
            return "smalltalk", "cue identity", "identity"
        if cue("greet", text):
            return "greet", "cue greet", ""
        short = len(text.split()) <= 8 and len(text) <= 40
        if cue("thanks", text):
            return "feedback", "cue thanks", ""
        if cue("goodbye", text) and short and not r.links:
            return "goodbye", "cue goodbye", ""
        if cue("wellbeing", text) and short:
            return "smalltalk", "cue wellbeing", ""
        return None

    def _products(
        self, r: Request, context: _Context, parsed: Parsed
    ) -> tuple[str, str, str] | None:
        text, state = r.text, context.state
        pointed = len(r.links) + len(r.references)
        several_before = len(state.last_list) > 1
        if cue("compare", text) and (pointed >= 2 or several_before):
            return "compare", "cue compare", ""
        picks = any(concepts()[name].direction(text) for name in r.concepts)
        if picks and several_before and not r.links and (
            cue("which", text) or r.references and cue("question", text)
        ):  # fmt: skip
            return "compare", "which of those", "choose"
        if cue("restart", text):
            return "recommend", "cue restart", "restart"
        if state.wish and cue("more", text) and not r.links:
            return "refine", "cue more", "more"
        if any(topic.rule for topic in topics_of(_unquoted(text))) and cue("question", text):
            return "policy_question", "a topic of the rules", ""
        if state.wish and r.constraints.brands and re.search(r"\bonly\b|\bones?\b", text, re.I):
            return "refine", "only that brand", ""
        if state.wish and not r.links and _COLOUR.search(text) and self._only_colour(r):
            return "refine", "another colour", ""
        conditions = not r.constraints.empty or bool(r.relative)
        question = bool(r.concepts) and cue("question", text)
        known_one = r.references or r.links or (state.focus and means_one(text))
        conditions = conditions or bool(WIDE.search(text) and _MODIFIER.search(text))
        if state.wish and conditions and not r.links and self._only_conditions(r):
            return "refine", "new conditions", ""
        if several_before and cue("which", text) and not r.links and not self._new_type(r, state):
            return "compare", "which of those", "which"
        if cue("describe", text) and known_one:
            return "product_question", "cue describe", "describe"
        if question and state.focus and means_one(text) and not self._wishes(r):
            return "product_question", "asks about the product in focus", ""
        if len(r.references) == 1:
            told = "" if r.concepts or cue("question", text) else "describe"
            return "product_question", "points at one product", told
        stated = bool(r.concepts) and not cue("policy", text)
        asks = dict(r.scores).get("product_question", 0.0) >= max(p for _, p in r.scores)
        asks = asks or _YES_OR_NO.search(text) is not None
        if r.links and (question or stated or (asks and not self._wishes(r))):
            return "product_question", "names a product", ""
        return None

    def _classified(self, r: Request, context: _Context) -> tuple[str, str, str]:
        state = context.state
        scores = dict(r.scores)
        best = max(scores, key=lambda name: scores[name])
        sure = scores[best] >= PLAUSIBLE
        if self._wishes(r) and best not in ("policy_question", "out_of_scope", "order_change"):
            return "recommend", "asks for goods", ""
        follows = len(tokens(r.text)) <= 6 or r.text.lower().startswith(
            ("and ", "so ", "那", "then ", "what about")
        )
        if (
            state.topic == "complaint"
            and follows
            and best not in ("recommend", "goodbye", "feedback")
        ):
            return "complaint", "follow-up on the complaint", "follow"
        if state.topic == "policy" and follows and best in (
            "policy_question", "product_question", "order_change", "order_status", "refine", "handoff",
            "complaint",
        ):  # fmt: skip
            return "policy_question", "follow-up on the rule", "follow"
        if scores[best] < CONFIDENT and self._gibberish(r.text, context.language):
            return "unclear", "no known word", ""
        if best == "compare" and len(state.last_list) < 2:
            best = "recommend"
        if best == "refine" and not state.wish:
            best = "recommend"
        if best == "product_question" and not (r.links or state.focus or state.last_list):
            best = "recommend" if r.query else "product_question"
        if best in ("order_change", "order_status") and not cue("own_order", r.text):
            best = "policy_question"
        if best == "out_of_scope" and scores[best] < CONFIDENT and self._evidence(r, context):
            best = "recommend"
        if best in ("greet", "goodbye", "feedback", "smalltalk", "complaint") and not sure:
            best = "recommend" if self._evidence(r, context) else "unclear"
        if (
            not sure
            and best in ("recommend", "product_question")
            and not self._evidence(r, context)
        ):
            best = "recommend" if cue("need", r.text) or len(r.query.split()) <= 2 else "unclear"
        return best, f"classifier {scores[max(scores, key=lambda n: scores[n])]:.2f}", ""

    def _wanted(self, text: str, language: str) -> str:
        """The words to search for: of a long message only the clause that asks, or what is known."""
        words = search_words(text)
        if language == "zh":
            parts = [c for c in re.split(r"[，,。！!？?；;\s]+", text) if c.strip()]
            rated_zh = [(self._rated_zh(c), at, search_words(c)) for at, c in enumerate(parts)]
            if len(rated_zh) > 2 and max(rated_zh)[0] >= 2:
                return max(rated_zh)[2]
            return words
        clauses = [
            c for c in re.split(r"[,.;!?\n]+|\b(?:but|because|so|anyway)\b", text) if c.strip()
        ]
        rated = [(self._rated(c), at, c) for at, c in enumerate(clauses) if units(search_words(c))]
        if len(rated) > 1 and max(rated)[0] > 0:
            words = search_words(max(rated)[2])
        if len(tokens(words)) <= LONG:
            return words
        known = [
            w for w in re.findall(r"[\w'-]+", words) if any(self._titled(t) for t in tokens(w))
        ]
        return " ".join(dict.fromkeys(known)) or words

    def _rated_zh(self, clause: str) -> int:
        named = any(
            credit >= 0.5 and all(part in self._catalogue.names for part in parts)
            for unit in units(search_words(clause))
            if unit.weight >= 1.0
            for credit, parts in unit.alternatives
        )
        return cue("need", clause) + 2 * named

    def _rated(self, clause: str) -> int:
        """How likely a clause is the one that says what is wanted."""
        said = tokens(search_words(clause))
        titled = any(self._titled(w) for w in said)
        known = any(self._catalogue.knows(w) for w in said)
        return 4 * cue("need", clause) + 2 * titled + known

    def _wishes(self, r: Request) -> bool:
        text = _unquoted(r.text)
        return cue("need", text) and not re.search(
            r"\bneed to know\b|\bi want to know\b", text, re.I
        )

    def _only_conditions(self, r: Request) -> bool:
        """Whether nothing but conditions was said: no new kind of product."""
        words = [w for w in tokens(r.query) if self._catalogue.knows(w)]
        if WIDE.search(r.text):
            return _MODIFIER.search(r.text) is not None or not self._sold(r.query, "zh")
        return not any(self._titled(word) for word in words)

    def _only_colour(self, r: Request) -> bool:
        rest = _COLOUR.sub(" ", r.query)
        return not any(self._titled(word) for word in tokens(rest)) and not WIDE.search(rest)

    def _new_type(self, r: Request, state: DialogState) -> bool:
        words = [w for w in tokens(r.query) if self._titled(w)]
        before = set(tokens(state.wish))
        return any(w not in before for w in words) and cue("need", r.text)

    def _titled(self, word: str) -> bool:
        return self._catalogue.weight(word) < self._catalogue.weight("\0")

    def _sold(self, query: str, language: str) -> bool:
        from retrieval.values import Query

        hits = self._searcher.products(Query(query, language, k=1)) if query.strip() else []
        return bool(hits) and hits[0].parts.get("title_coverage", 0.0) >= 0.5

    def _evidence(self, r: Request, context: _Context) -> bool:
        return bool(r.links) or self._sold(r.query or r.text, context.language)

    def _gibberish(self, text: str, language: str) -> bool:
        if language == "zh":
            known = {w for t in exemplars("zh").texts for w in tokens(t) if len(w) > 1}
            words = tokens(text)
            return bool(words) and not any(
                w in known or self._catalogue.knows(w) for w in words if len(w) > 1
            )
        known = {w for t in exemplars("en").texts for w in tokens(t)}
        words = tokens(text)
        letters = [w for w in words if w.isalpha()]
        return len(letters) >= 2 and not any(
            w in known or self._catalogue.knows(w) for w in letters
        )


@dataclass(frozen=True, slots=True)
class _Context:
    state: DialogState
    language: Language
    order_id: bool
    contact: bool
    card: bool


def order_pattern(samples: Sequence[str]) -> re.Pattern[str]:
    """Learns the shape of order numbers: letters stay, runs of digits keep their length."""
    shapes = set()
    for sample in samples:
        parts = re.findall(r"\d+|\D+", sample)
        shape = "".join(
            f"\\d{{{len(p)}}}"
            if p.isdigit()
            else f"{re.escape(p.rstrip('-'))}{'[- ]?' if p.endswith('-') else ''}"
            for p in parts
        )
        shapes.add(shape)
    learned = "|".join(sorted(shapes, key=len, reverse=True)[:20])
    own = rf"(?<![A-Za-z0-9])(?:{learned})(?![A-Za-z0-9])|" if learned else ""
    return re.compile(f"{own}{_GENERIC_ORDER.pattern}", re.IGNORECASE)


def contact_hash(value: str, secret: bytes) -> str:
    """A keyed hash, so that the state tells nothing about the address (HMAC-SHA-256)."""
    return hmac.new(secret, value.encode(), hashlib.sha256).hexdigest()


def search_words(text: str) -> str:
    """What remains of a request when its politeness is taken off: the words to search for."""
    text = _FILLER.sub(" ", text)
    text = _ASKING.sub(" ", text)
    text = re.sub(r"\bones?\b|[?!.。！？，,;:…]+|[^\w\s'&$€£¥%/+-]", " ", text)
    return re.sub(r"\s*的$", "", " ".join(text.split()))


def _order_goal(text: str) -> str:
    for name in ("tracking", "carrier", "contents", "expected", "total"):
        if cue(name, text):
            return name
    return ""


def _unquoted(text: str) -> str:
    return re.sub(r"\"[^\"]*\"|“[^”]*”", " ", text)
