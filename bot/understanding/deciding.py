"""What a message asks for: rules in a fixed order, then the classifier, both held against the shop.

Each rule names itself in the trace. Knows nothing about what will be answered.
"""

from __future__ import annotations

import re

from bot.catalogue import Catalogue, product_text
from bot.fitting import ASKS_HOW
from bot.kinds import Rank, head_of, is_general
from bot.state import DialogState
from bot.understanding.constraints import SORT_WORDS
from bot.understanding.language import WIDE
from bot.understanding.noise import is_noise
from bot.understanding.numbers import digits
from bot.understanding.references import means_one, means_several
from bot.understanding.returning import chosen_option, earlier_topic
from bot.understanding.serving import (
    CONFIDENT,
    MOST_ASKED,
    PLAUSIBLE,
    SURE,
    change_goal,
    courtesy,
    safety,
    service,
    unquoted,
)
from bot.understanding.values import Context, Decision, Request
from bot.understanding.wanted import WantedWords, asks_for_goods, priced_goods, tastes
from prompts.concepts import concepts
from prompts.cues import cue, without_cue
from prompts.facets import facet_kinds
from prompts.topics import topics_of
from retrieval.hybrid import Searcher
from retrieval.text import tokens, units
from retrieval.values import Query

OF_RULES = "a topic of the rules"
FEW_WORDS = 6
FEW_CHARACTERS = 8  # of a Chinese message
ADDED = 2  # words of a property said alone
FAINT = 0.05  # from which a question about nothing in the shop is none of its business
OUTSIDE = 0.4  # from which a message that names nothing of the shop is none of its business
NO_WISH = frozenset(
    "handoff complaint feedback order_status order_change policy_question goodbye".split()
)
SHORT_QUESTION = 48  # characters of a question that is nothing but one
# "有没有真丝的", "要金属的": a property of what is wished, not a new wish
_MODIFIER = re.compile(
    r"(?:^|[，,\s😭])(?:有没有|有|要|想要|来点)?(?:(?!是)[\u4e00-\u9fff]){1,6}的(?:吗|么|就行|也行|呢|吧)?\W*$"
)
_OF_SHOP = re.compile(r"\b(?:you|your|yours|we|my)\b|你们|贵店|我的", re.IGNORECASE)
_OF_TEAM = re.compile(r"\b(?:you|your|yours)\b|你们|您|贵店", re.IGNORECASE)
_FOR_SOME = re.compile(
    r"^\W*(?:and |so |ok |what about |how about )*(?:how much (?:for|are|would be|is) \d{1,3}(?: of (?:them|those|these|it))?"
    r"|(?:for )?\d{1,3} of (?:them|those|these|it)|add \d{1,2}(?: to (?:my |the )?(?:cart|basket))?|(?:i(?:'ll| will|'d like to)? (?:take|need|want|buy) |just |only )?\d{1,2}(?: please| then))\W*$"
    r"|^\W*(?:那|我)?(?:来|要|买|拿|给我|如果买)?\d{1,2}[个件条只套把台双盒瓶张床块](?:的话|呢)?(?:要|一共|总共|是)*(?:多少钱?)?\W*$",
    re.IGNORECASE,
)
# "a desk one": of what is wished, but otherwise
_OF_THAT_KIND = re.compile(
    r"^\W*(?:(?:no|ok|and|or|maybe|actually|rather|hm+|what about|how about|i (?:want|need|meant)|do you have)[, ]+)*(?:an?|some|any) "
    r"(?!(?:first|second|third|fourth|last|other|another|new|same|right|good|best|better|nice|only|different|similar|cheap\w*|more|less)\b)"
    r"([\w-]+(?: [\w-]+)?) ones?(?: please| then| instead| maybe)?\W*$",
    re.IGNORECASE,
)
_BARE = re.compile(r"(?:and |what about |how about )?[\w' -]{2,24}[?？]", re.IGNORECASE)
_OTHERS = re.compile(r"\b(?:anything|something|others?|another|ones?)\b|别的|其他", re.IGNORECASE)
_ASKS = re.compile(r"\?|^\W*(?:and |so |ok )?(?:what|how|which)\b", re.IGNORECASE)
_BARE_ZH = re.compile(r"(?:那|那么|如果)?([\u4e00-\u9fff]{1,6}?)呢[?？]?")
_PART = re.compile(
    r"\b(?:about|of|on) (?:the |its )((?:[\w-]+ ){0,2}[\w-]+) (?:of|in|on|for) (?:the|this|that|these|those|it|them|its)\b",
    re.IGNORECASE,
)


class IntentRules:
    """Decides the intent of requests to one shop."""

    def __init__(self, *, catalogue: Catalogue, searcher: Searcher, wanted: WantedWords) -> None:
        self._catalogue = catalogue
        self._searcher = searcher
        self._wanted = wanted

    def decide(self, r: Request, context: Context) -> Decision:
        """Returns intent, the rule that decided, and the goal."""
        for rule in (
            safety, service, courtesy, self._priced, self._in_focus, self._several, self._taken_up,
            self._elsewhere, self._ruled, self._refined, self._asked, self._unanswered,
        ):  # fmt: skip
            if decided := rule(r, context):
                return decided
        return self._classified(r, context)

    def _in_focus(self, r: Request, context: Context) -> Decision | None:
        """Asked how to do something, or about a word of its page, while one product is talked about."""
        state, text = context.state, unquoted(r.text)
        if r.links and ASKS_HOW.search(text) and not (topics_of(text) or self._wishes(r)):
            return "product_question", "asks how to use a product", ""
        bare = _BARE_ZH.fullmatch(text.strip())
        if state.topic == "policy" and bare and not self._of_goods(bare[1]):
            return "policy_question", "a word asked after a rule", "follow"
        if state.topic == "policy" and not r.links and _BARE.fullmatch(text.strip()) and not (
            r.constraints.facets or self._evidence(r, context)
        ):  # fmt: skip
            return "policy_question", "a word asked after a rule", "follow"
        product = self._catalogue.products.get(state.focus[0]) if state.focus else None
        if product is None or state.topic != "products" or state.awaiting or r.links:
            return None
        if not cue("question", text) or self._wishes(r) or topics_of(text):
            return None
        if cue("compare", text) or cue("which", text):
            return None
        if len(text) > MOST_ASKED or _OF_TEAM.search(text) or cue("own_order", text):
            return None
        if ASKS_HOW.search(text):
            return "product_question", "asks how to use the product in focus", ""
        alone = means_one(text) and not (r.relative or _OTHERS.search(text))
        if alone and len(text) <= SHORT_QUESTION:
            return "product_question", "a short question on the product in focus", ""
        held = set(tokens(product_text(product)))
        if dict(r.scores)["out_of_scope"] >= OUTSIDE and not held.isdisjoint(
            t for t in tokens(text) if not t.isdigit()
        ):
            return "product_question", "asks about a word of the product in focus", ""
        return None

    def _elsewhere(self, r: Request, context: Context) -> Decision | None:
        """No business of a shop, whatever it borrows from one: "I need a recipe for pancakes"."""
        state = context.state
        chance = dict(r.scores)["out_of_scope"]
        if chance < OUTSIDE or r.links or r.references or context.foreign:
            return None
        if state.awaiting or state.offered:
            return None
        if chance < SURE and self._gibberish(r, context):
            return None
        topics = topics_of(unquoted(r.text))
        if topics and (chance < SURE or any(topic.rule for topic in topics)):
            return None
        if self._goes_on(r, state):
            return None
        if (state.focus or state.last_list) and (r.concepts or means_one(r.text)):
            return None
        conditions = not r.constraints.only_facets or r.relative
        if (conditions and chance < SURE) or cue("bought", r.text) or cue("buy", r.text):
            return None
        if self._evidence(r, context):
            return None
        return "out_of_scope", f"no business of a shop {chance:.2f}", ""

    def _several(self, r: Request, context: Context) -> Decision | None:
        """Several products, or several pieces of one, are talked about."""
        text, state = r.text, context.state
        pointed = len(r.links) + len(r.references)
        several_before = len(state.last_list) > 1
        which = cue("which", text)
        if state.focus and not r.links and _FOR_SOME.search(digits(text)):
            return "product_question", "asks the price of several", "pieces"
        brief = len(tokens(text)) <= FEW_WORDS and not (r.concepts or cue("question", text))
        if pointed >= 2 and brief and means_several(text):
            return "compare", "points at several", ""
        if pointed == 2 and which and not r.concepts:
            return "compare", "which of two that are named", ""
        if cue("compare", text) and (pointed >= 2 or several_before):
            return "compare", "cue compare", ""
        if cue("compare", text) and not r.links and self._sold(r.query, context.language):
            return "compare", "compare a kind", "kind"
        picks = any(concepts()[name].direction(text) for name in r.concepts)
        asked = which or (r.references and cue("question", text))
        if picks and several_before and not r.links and asked:
            return "compare", "which of those", "choose"
        return None

    def _taken_up(self, r: Request, context: Context) -> Decision | None:
        """A wish is begun anew, gone on with, or come back to."""
        text, state = r.text, context.state
        if cue("restart", text):
            return "recommend", "cue restart", "restart"
        choice = chosen_option(text, state.offered)
        if choice is not None and not r.references:
            return "recommend", "answers which was meant", f"choice:{choice}"
        if named := [d for d in state.departments if d.casefold() == text.strip(" .!?").casefold()]:
            return "recommend", "picks a department", f"department:{named[0]}"
        at = earlier_topic(text, state.earlier)
        if at is not None and not r.references:
            return "recommend", "comes back to an earlier wish", f"back:{at}"
        if cue("suggestion", text) and not r.links:
            if state.wish and state.last_list and not tokens(without_cue("suggestion", r.query)):
                return "refine", "asks for a suggestion", "more"
            return "recommend", "asks for a suggestion", ""
        if not state.wish or r.links:
            return None
        if cue("more", text) or cue("not_that", text) or cue("disliked", text):
            return "refine", "cue more", "more"
        if tastes(text) and is_general(head_of(state.wish, context.language)):
            return "recommend", "tells what they like who gets it", ""
        like = _OF_THAT_KIND.match(text)
        if like and not (r.references or r.relative or r.constraints.facets):
            return "recommend", "another of that kind", f"kind:{like[1].strip()}"
        return None

    def _priced(self, r: Request, context: Context) -> Decision | None:
        """The price of a kind of goods is asked: "how much is the cheapest mug"."""
        if "price" not in r.concepts or not cue("question", r.text) or r.links or r.references:
            return None
        goods = priced_goods(r.text)
        head = head_of(goods, context.language)
        talked = any(self._catalogue.kinds.is_a(pid, head) for pid in context.state.focus[:1])
        if not head or head.isdigit() or (talked and not SORT_WORDS.search(r.text)):
            return None  # "how much is the tent", of the one that is talked about
        if 0 < len(units(goods)) <= FEW_WORDS and self._sold(goods, context.language):
            return "recommend", "asks what a kind of goods costs", "price"
        return None

    def _ruled(self, r: Request, context: Context) -> Decision | None:
        """A rule of the shop is asked for."""
        of_rules = any(topic.rule for topic in topics_of(unquoted(r.text)))
        if of_rules and cue("question", r.text) and not self._stated(r, context.state):
            return "policy_question", OF_RULES, ""
        return None

    def _refined(self, r: Request, context: Context) -> Decision | None:
        """The wish so far is revised: other properties, other conditions, one of what was shown."""
        text, state = r.text, context.state
        if state.wish and not (r.links or r.references) and self._adds(r):
            return "refine", "another property", "adds"
        if not state.wish and state.focus and not (r.links or r.references) and self._like_it(r):
            return "refine", "measured by what is talked about", ""
        if cue("yes_or_no", text) and re.search(r"\bthe\b", text) and not r.relative:
            return None
        if state.wish and r.constraints.brands and re.search(r"\bonly\b|\bones?\b", text, re.I):
            return "refine", "only that brand", ""
        # "does it come in red?" asks for a red one; "is it in stock in red?" is about this one
        of_another = bool(set(r.concepts) - set(facet_kinds()))
        about_one = bool(state.focus) and means_one(text) and of_another
        about_one = about_one or (bool(r.references) and cue("question", text))
        if state.wish and not r.links and not about_one and self._only_facets(r):
            return "refine", "another property", ""
        conditions = not r.constraints.only_facets or bool(r.relative)
        conditions = conditions or bool(WIDE.search(text) and _MODIFIER.search(text))
        if state.wish and conditions and not r.links and self._only_conditions(r):
            return "refine", "new conditions", ""
        shown = state.last_list or state.focus
        if shown and cue("which", text) and not r.links and not self._new_type(r, state):
            if len(shown) == 1:
                return "product_question", "which, of one that was shown", ""
            return "compare", "which of those", "which"
        return None

    def _asked(self, r: Request, context: Context) -> Decision | None:
        """A question on one product: named, pointed at, or talked about."""
        text, state = r.text, context.state
        known_one = r.references or r.links or (state.focus and means_one(text))
        if cue("why_that", text) and state.focus and state.topic == "products":
            return "product_question", "asks why that one", "describe"
        if cue("describe", text) and known_one:
            goal = "" if self._of_a_part(r, state) else "describe"
            return "product_question", "cue describe", goal
        if cue("buy", text) and (known_one or state.last_list):
            return "product_question", "cue buy", "buy"
        question = bool(r.concepts) and cue("question", text)
        if state.focus and not r.links and self._asks_of_focus(r, question=question):
            return "product_question", "asks about the product in focus", ""
        nothing_shown = not (state.last_list or state.focus or r.links or self._wishes(r))
        if nothing_shown and cue("this_one", text) and cue("question", text):
            return "product_question", "points at a product that was never shown", ""
        if (
            question
            and len(text) <= SHORT_QUESTION
            and nothing_shown
            and (means_one(text) or not r.constraints.facets)  # "anything in blue?" is a wish
            and not _OF_SHOP.search(text)
            and not topics_of(text)
            and not self._evidence(r, context)
        ):
            return "product_question", "a fact of no product in sight", ""
        if not state.last_list and not r.links and cue("points", text):
            return "product_question", "points at a list that was never shown", ""
        if state.focus and not r.references and cue("the_one", text) and not self._wishes(r):
            return "product_question", "points at one by a property", ""
        if len(r.references) == 1:
            told = "" if r.concepts or cue("question", text) else "describe"
            return "product_question", "points at one product", told
        stated = bool(r.concepts) and not cue("policy", text)
        asks = dict(r.scores).get("product_question", 0.0) >= max(p for _, p in r.scores)
        asks = asks or cue("yes_or_no", text)
        if r.links and (question or stated or (asks and not self._wishes(r))):
            return "product_question", "names a product", ""
        return None

    def _unanswered(self, r: Request, context: Context) -> Decision | None:
        """Something else is said than the number that was asked for, and nothing that can be served."""
        state, scores = context.state, dict(r.scores)
        if state.awaiting not in ("order", "contact") or state.topic == "complaint":
            return None
        if r.links or r.references or r.concepts:
            return None
        best = max(scores, key=lambda name: scores[name])
        if best not in ("recommend", "refine", "product_question", "unclear", "out_of_scope"):
            return None
        if scores["out_of_scope"] >= SURE or self._wishes(r) or self._evidence(r, context):
            return None
        waits = "order_change" if state.order_goal.startswith("order_change") else "order_status"
        return waits, "no answer to what was asked", "again"

    def _asks_of_focus(self, r: Request, *, question: bool) -> bool:
        text = r.text
        compares = any(concepts()[name].direction(text) for name in r.concepts)
        if question and len(text.split()) <= 3 and _ASKS.search(text) and not compares:
            return True
        about_it = question or (cue("of_it", text) and cue("question", text))
        about_it = about_it and means_one(text) and not self._wishes(r)
        return about_it or cue("get_it_in", text)

    def _classified(self, r: Request, context: Context) -> Decision:
        state = context.state
        scores = dict(r.scores)
        wishes = self._wishes(r)
        if cue("of_all", r.text) and not self._evidence(r, context):
            return "policy_question", "a fact of all the shop has", ""
        ours = r.links or cue("bought", r.text) or self._goes_on(r, state)
        if scores["out_of_scope"] < SURE:
            ours = ours or not r.constraints.only_facets
        if not ours and (wishes or scores["out_of_scope"] < SURE):
            ours = self._evidence(r, context)
        # what they own, name or could buy is the shop's business
        if ours or context.foreign or state.offered:
            scores["out_of_scope"] = 0.0
        best = max(scores, key=lambda name: scores[name])
        sure = scores[best] >= PLAUSIBLE
        goods = asks_for_goods(unquoted(r.text)) and best == "out_of_scope"
        if wishes and (goods or best not in ("policy_question", "out_of_scope")):
            return "recommend", "asks for goods", ""
        follows = _follows(r.text)
        about_goods = best == "recommend" and (wishes or self._evidence(r, context))
        if (
            state.topic == "complaint"
            and follows
            and not (about_goods or best in ("goodbye", "feedback"))
        ):
            return "complaint", "follow-up on the complaint", "follow"
        rules_on = best in (
            "policy_question", "product_question", "order_change", "order_status", "refine", "handoff",
            "complaint",
        )  # fmt: skip
        if state.topic == "policy" and follows and (
            rules_on or not (sure or wishes or self._evidence(r, context))
        ):  # fmt: skip
            return "policy_question", "follow-up on the rule", "follow"
        if not sure and cue("question", r.text) and self._goes_on(r, state):
            return "policy_question", "follow-up on the order", "follow"
        unsure = scores[best] < SURE or best in ("recommend", "refine", "product_question")
        if unsure and self._gibberish(r, context):
            return "unclear", "no known word", ""
        if best == "compare" and len(state.last_list) < 2:
            best = "recommend"
        if best == "refine" and not state.wish:
            best = "recommend"
        if best == "product_question" and not (r.links or state.focus or state.last_list):
            if scores["out_of_scope"] >= FAINT and _OF_TEAM.search(r.text) and r.concepts:
                return "policy_question", "a fact of all the shop has", ""
            if scores["out_of_scope"] >= FAINT and not self._evidence(r, context):
                return "out_of_scope", "a fact of nothing the shop has", ""
            asks = cue("bought", r.text) or not r.query
            best = "product_question" if asks else "recommend"
        if best == "order_change" and scores[best] >= CONFIDENT:
            return best, f"classifier {scores[best]:.2f}", change_goal(r.text)
        if best in ("order_change", "order_status") and scores[best] < CONFIDENT:
            best = "policy_question"
        if best in ("greet", "goodbye", "feedback", "smalltalk", "complaint") and not sure:
            best = "recommend" if self._evidence(r, context) else "unclear"
        if (
            not sure
            and best in ("recommend", "product_question")
            and not self._evidence(r, context)
        ):
            best = "recommend" if cue("need", r.text) or len(r.query.split()) <= 2 else "unclear"
        return best, f"classifier {scores[max(scores, key=lambda n: scores[n])]:.2f}", ""

    def _goes_on(self, r: Request, state: DialogState) -> bool:
        """Whether it follows up on what was told of a rule, an order or a complaint."""
        return state.topic in ("policy", "order", "complaint") and _follows(r.text)

    def _stated(self, r: Request, state: DialogState) -> bool:
        """Whether the product pointed at says itself what is asked: its own return policy."""
        ids = [*r.references[:1], *(link.product_id for link in r.links[:1])] or state.focus[:1]
        products = [p for pid in ids if (p := self._catalogue.products.get(pid))]
        labels = [label for name in r.concepts if (label := concepts()[name].label)]
        return any(label.search(a.name) for p in products for a in p.attributes for label in labels)

    def _wishes(self, r: Request) -> bool:
        """Whether goods are wished for: "I need", where the whole is no request of another kind."""
        text = unquoted(r.text)
        if not cue("need", text) or re.search(r"\bneed to know\b|\bi want to know\b", text, re.I):
            return False
        best, chance = r.scores[0]
        other = best in NO_WISH or (best == "product_question" and r.links)
        return chance < CONFIDENT or not other

    def _like_it(self, r: Request) -> bool:
        """Whether another of its kind is asked for: "anything lighter"."""
        compares = bool(r.relative) or any(c.direction(r.text) for c in concepts().values())
        other = _OTHERS.search(r.text) is not None and not r.constraints.sort
        return compares and other and self._only_conditions(r)

    def _adds(self, r: Request) -> bool:
        """Whether it only says more of what is wished: "wireless", "for women"."""
        if cue("for_whom", r.text) or (cue("property", r.text) and not cue("question", r.text)):
            return True
        words = tokens(r.query)
        kinds = self._catalogue.kinds
        if WIDE.search(r.query) and self._of_goods(r.query):
            return False
        return (
            0 < len(words) == len(tokens(r.text)) <= ADDED
            and all(self._catalogue.knows(w) and kinds.best(w) is not Rank.IS for w in words)
            and not cue("question", r.text)
        )

    def _of_a_part(self, r: Request, state: DialogState) -> bool:
        """Whether more is asked of one thing about a product: "about the shelf life of these"."""
        part = _PART.search(r.text)
        ids = [*(link.product_id for link in r.links), *r.references, *state.focus[:1]]
        titles = [p.title for pid in ids if (p := self._catalogue.products.get(pid))]
        return part is not None and not set(tokens(part[1])) <= {
            t for title in titles for t in tokens(title)
        }

    def _only_conditions(self, r: Request) -> bool:
        """Whether nothing but conditions was said: no new kind of product."""
        words = [w for w in tokens(r.query) if self._catalogue.knows(w)]
        if WIDE.search(r.text):
            return _MODIFIER.search(r.text) is not None or not self._sold(r.query, "zh")
        return not any(self._wanted.titled(word) for word in words)

    def _only_facets(self, r: Request) -> bool:
        """Whether properties were named and no kind of product."""
        if not r.constraints.facets or not any(facet.strict for facet in r.constraints.facets):
            return False
        rest = r.query
        for facet in r.constraints.facets:
            rest = re.sub(re.escape(facet.said), " ", rest, flags=re.IGNORECASE)
        if WIDE.search(rest):
            return not self._sold(rest, "zh")
        return not any(self._wanted.titled(word) for word in tokens(rest))

    def _new_type(self, r: Request, state: DialogState) -> bool:
        words = [w for w in tokens(r.query) if self._wanted.titled(w)]
        before = set(tokens(state.wish))
        return any(w not in before for w in words) and cue("need", r.text)

    def _sold(self, query: str, language: str) -> bool:
        hits = self._searcher.products(Query(query, language, k=1)) if query.strip() else []
        return bool(hits) and hits[0].parts.get("title_coverage", 0.0) >= 0.5

    def _of_goods(self, word: str) -> bool:
        """Whether a Chinese word is what goods are called: the end of a title, or a category."""
        return any(
            p.title.rstrip(" 0123456789").endswith(word) or any(word in c for c in p.category)
            for p in self._catalogue.products.values()
        )

    def _evidence(self, r: Request, context: Context) -> bool:
        if r.links or self._sold(r.query or r.text, context.language):
            return True
        kinds = self._catalogue.kinds
        return any(kinds.best(word) is Rank.IS for word in tokens(r.query))

    def _gibberish(self, r: Request, context: Context) -> bool:
        return is_noise(r.text, context.language, knows=self._catalogue.knows)


def _follows(text: str) -> bool:
    """Whether a message leans on the one before it: it is short, or begins as one that goes on."""
    begins = text.lower().startswith(("and ", "so ", "那", "then ", "what about"))
    short = len(text) <= FEW_CHARACTERS if WIDE.search(text) else len(tokens(text)) <= FEW_WORDS
    return begins or short
