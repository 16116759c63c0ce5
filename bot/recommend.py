"""Which products to show for a wish, and why each: retrieval, a cut, and reasons from own facts.

Knows nothing about acts or language of the reply beyond where a label ends.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.catalogue import Catalogue
from bot.conditions import CHEAP, Conditions, filters_of, relaxations
from bot.kinds import Rank, head_of, is_general, is_gift, said_as_thing
from bot.understanding.constraints import Constraints
from bot.understanding.language import WIDE
from bot.understanding.numbers import digits
from bot.variants import NamedVariant
from db.records import Attribute, Product
from prompts.concepts import concepts
from retrieval.diversity import surplus
from retrieval.hybrid import Searcher
from retrieval.ranking import WEIGHTS
from retrieval.text import sequence, tokens, units
from retrieval.values import Hit, Query

POOL = 40  # hits looked at before the cut
SOLD_WORDS = 0.5  # share of the wish's weight that must stand in a title or category …
SOLD_MEANING = 0.45  # … or the cosine from which a product is about it all the same
GIFT_MEANING = 0.3  # … for a gift, which may be anything that suits who gets it
NEAR_MEANING = 0.35  # the cosine from which a product's category is worth an offer
ALL_SAID, PARTLY_NAMED = 0.99, 0.25  # where no meaning was compared: on the page, and in its title
AGREEING = 3  # best hits that must be of one category where no meaning was compared
SHORT = 2  # content words of a wish whose head surely names the thing
NEAR_TOP = 0.6  # a hit below this share of the best one's relevance is not shown
MAX_REASON = 60  # columns; a Chinese character takes two


@dataclass(frozen=True, slots=True)
class Pick:
    """A product to show; `reason` is one of its attributes, None where none speaks for it, `named`
    the forms of it that the wish names."""

    product: Product
    hit: Hit
    reason: Attribute | None = None
    named: NamedVariant | None = None

    @property
    def in_stock(self) -> bool | None:
        """Whether what was wished is in stock: the forms named, else the product in any form."""
        return self.named.in_stock if self.named else self.product.in_stock


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to. `sold` tells whether the shop has such things at all; `dropped` names
    the conditions that had to go for `picks` to be possible (none where all conditions hold)."""

    picks: tuple[Pick, ...]
    sold: bool
    dropped: tuple[str, ...] = ()
    category: str = ""
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A wish being served: its words, the head that names the thing, whether only that kind will
    do, how near in meaning products are to a head that the shop does not know (id to cosine; None
    for one it knows), what the best product of the whole shop is worth for it, and the cosine from
    which a product is about it. `any_size` unless it is for so many people that some are too small."""

    words: str
    head: str
    strict: bool
    senses: Mapping[str, float] | None = None
    worth: float = 0.0
    meaning: float = SOLD_MEANING
    any_size: bool = True


class Recommender:
    """Finds and ranks products of one catalogue snapshot."""

    def __init__(self, catalogue: Catalogue, searcher: Searcher) -> None:
        self._catalogue = catalogue
        self._searcher = searcher
        self._kinds = catalogue.kinds
        self._conditions = Conditions(catalogue)
        self._tags = frozenset(
            tag for p in catalogue.products.values() for tag in tokens(" ".join(p.tags))
        )

    def find(
        self,
        wish: str,
        constraints: Constraints,
        *,
        language: str,
        exclude: tuple[str, ...] = (),
        most: int = 4,
        held: frozenset[str] = frozenset(),
    ) -> Found:
        """Returns the best products for `wish` under `constraints`, at most `most`.

        Where nothing fits, conditions are given up, but none of those named in `held`.
        """
        named = head_of(wish, language)
        purpose = _PURPOSE.match(wish) is not None
        head = "" if is_general(named) or purpose else named
        free = self._search(wish, Constraints(), language)
        wanted = Wanted(
            wish, head, self._is_kind(free, head), self._senses(wish, head, language),
            meaning=GIFT_MEANING if is_gift(named) or purpose else SOLD_MEANING,
        )  # fmt: skip
        relevant = self._cut(free, wanted)
        if wish and not relevant:
            return Found((), sold=False, category=self._nearest_category(free), hits=free)
        if self._only_beside(wanted):
            meant = [hit for hit in free if hit.parts.get("dense", 0.0) >= SOLD_MEANING]
            near = [hit for hit in relevant if hit in meant] or meant
            if not near:
                return Found((), sold=False, category=self._nearest_category(free), hits=free)
            if self._kinds.best(head) is Rank.BESIDE:
                picks = self._picks(near, wish, constraints, 2)
                return Found(picks, True, ("kind",), self._category(near[0]), free)
        wanted = replace(wanted, worth=self._worth(relevant[0], wanted) if relevant else 0.0)
        # for so many people some are big enough, so that those too small are no fit
        wanted = replace(wanted, any_size=not any(self._big_enough(h, wish) for h in relevant))
        kind = self._kind(relevant, wanted) if wish else ""
        allowed = self._search(wish, constraints, language, exclude)
        kept = self._kept(allowed, wanted, kind)
        if not kept and exclude:
            kept = self._cut(allowed, wanted)
        alike = self._kept(free, wanted, kind)
        if fit := self._conditions.having(kept, constraints, alike):
            return Found(self._picks(fit, wish, constraints, most), True, (), kind, allowed)
        return self._relaxed(wanted, constraints, held, language, exclude, kind, alike, allowed)

    def _relaxed(
        self,
        wanted: Wanted,
        constraints: Constraints,
        held: frozenset[str],
        language: str,
        exclude: tuple[str, ...],
        kind: str,
        alike: list[Hit],
        allowed: tuple[Hit, ...],
    ) -> Found:
        """What there would be without the condition whose going helps most; of two that help as
        much the one that is easier to give up."""
        best: tuple[int, tuple[str, ...], Constraints, list[Hit]] | None = None
        for names, looser in relaxations(constraints, held):
            if best is not None and len(names) > len(best[1]):
                break
            hits = self._search(wanted.words, looser, language, exclude)
            other = self._conditions.having(self._kept(hits, wanted, kind), looser, alike)
            if other and (best is None or len(other) > best[0]):
                best = len(other), names, looser, other
        if best is None:
            return Found((), True, (), kind, allowed)
        picks = self._picks(self._nearest(best[3], best[1], constraints), wanted.words, best[2], 2)
        return Found(picks, True, best[1], kind, allowed)

    def _nearest(
        self, hits: list[Hit], dropped: tuple[str, ...], constraints: Constraints
    ) -> list[Hit]:
        """Where the price had to go, what misses it by least comes first."""
        limit = constraints.price_max or constraints.price_min
        if "price" not in dropped or limit is None:
            return hits
        prices = {h.id: p.amount for h in hits if (p := self._catalogue.products[h.id].price)}
        return sorted(hits, key=lambda h: abs(prices.get(h.id, Decimal("Infinity")) - limit))

    def _big_enough(self, hit: Hit, wish: str) -> bool:
        return fits_people(self._catalogue.products[hit.id], wish) > 0.0

    def _is_kind(self, free: tuple[Hit, ...], head: str) -> bool:
        """Whether the head names a kind of this shop's, so that nothing else will do."""
        return self._kinds.best(head) is Rank.IS and any(
            self._kinds.is_a(hit.id, head) for hit in free
        )

    def _senses(self, wish: str, head: str, language: str) -> dict[str, float] | None:
        """How near products are to a head of another word than theirs: no jacket is a blanket,
        however waterproof."""
        if not head or WIDE.search(head) or self._kinds.best(head) > Rank.NO:
            return None
        said = tokens(wish)
        named = head in self._tags or any(self._kinds.best(word) is Rank.IS for word in said)
        if named or not (len(said) <= SHORT or said_as_thing(wish, head)):
            return None
        word = next((w for w in re.findall(r"[\w'-]+", wish) if tokens(w)[-1:] == [head]), wish)
        return {
            h.id: h.parts.get("dense", 0.0) for h in self._search(word, Constraints(), language)
        }

    def _only_beside(self, wanted: Wanted) -> bool:
        """Whether a thing is wanted that the shop's words name only beside other things."""
        known = wanted.head and not WIDE.search(wanted.head) and self._catalogue.knows(wanted.head)
        return bool(
            known
            and self._kinds.best(wanted.head) <= Rank.BESIDE
            and said_as_thing(wanted.words, wanted.head)
        )

    def _search(
        self, wish: str, constraints: Constraints, language: str, exclude: tuple[str, ...] = ()
    ) -> tuple[Hit, ...]:
        pool = POOL if wish else len(self._catalogue)  # of all the shop has, any may be cheapest
        query = Query(wish, language, pool, filters_of(constraints, exclude))
        hits = self._searcher.products(query)
        return tuple(hit for hit in hits if self._conditions.allows(hit.id, constraints))

    def _kept(self, hits: tuple[Hit, ...], wanted: Wanted, kind: str) -> list[Hit]:
        """The hits to show: about the wish and of its kind; else the rest of that kind."""
        kept = self._cut(hits, wanted)
        if not kind or wanted.strict:
            return kept
        return [h for h in kept if self._category(h) == kind or self._titled(h, wanted.head)] or [
            h
            for h in hits
            if self._category(h) == kind
            and (not wanted.head or h.parts.get("dense", NEAR_MEANING) >= NEAR_MEANING)
        ]

    def _cut(self, hits: tuple[Hit, ...], wanted: Wanted) -> list[Hit]:
        """Drops what is not about the wish and orders the rest; all stay where nothing was wished."""
        if not hits or not wanted.words:
            return list(hits)
        head, products = wanted.head, self._catalogue.products
        worth = {h.id: self._worth(h, wanted) for h in hits}
        sold = [h for h in hits if self._is_sold(h, wanted)]
        if wanted.strict:
            sold = [h for h in sold if self._kinds.is_a(h.id, head)]
        if not wanted.any_size:
            sold = [h for h in sold if fits_people(products[h.id], wanted.words) >= 0.0]
        top = max([wanted.worth, *(worth[h.id] for h in sold)], default=0.0)
        kept = [h for h in sold if worth[h.id] >= NEAR_TOP * top]
        kept.sort(key=lambda h: -worth[h.id])
        repeated = surplus([" ".join(sequence(products[h.id].title)) for h in kept])
        for hit in (h for h, again in zip(kept, repeated, strict=True) if again):
            worth[hit.id] += WEIGHTS["repeated"]
        kept.sort(key=lambda h: -worth[h.id])
        exact = [h for h in kept if WIDE.search(head) and head in products[h.id].title]
        return exact or [h for h in kept if head and self._named(h, head)] or kept

    def _worth(self, hit: Hit, wanted: Wanted) -> float:
        """How well a product serves the wish: words in its name, in its text, meaning, size."""
        parts, head = hit.parts, wanted.head
        if not head and "dense" in parts and _DEED.match(wanted.words):
            # "to heat up leftovers": what adds heat to a dish has but the word
            return 0.5 * parts.get("title_coverage", 0.0) + parts["dense"]
        worth = (
            0.5 * parts.get("title_coverage", 0.0)
            + 0.4 * parts.get("coverage", 0.0)
            + 0.5 * parts.get("dense", 0.0)
        )
        if head and self._named(hit, head):
            worth += 0.4
        if head and self._of_category(hit, head):
            worth += 0.8
        return worth + 0.3 * fits_people(self._catalogue.products[hit.id], wanted.words)

    def _is_sold(self, hit: Hit, wanted: Wanted) -> bool:
        """Whether the hit shows that the shop has such things."""
        parts, head = hit.parts, wanted.head
        if head and self._named(hit, head):
            return True
        if wanted.senses is not None:
            return wanted.senses.get(hit.id, 0.0) >= SOLD_MEANING
        if head and not self._catalogue.knows(head):
            return parts.get("dense", 0.0) >= SOLD_MEANING
        if "dense" not in parts and parts.get("coverage", 0.0) >= ALL_SAID:
            return parts.get("title_coverage", 0.0) >= PARTLY_NAMED  # 不粘 of 不粘锅
        return (
            parts.get("title_coverage", 0.0) >= SOLD_WORDS
            or parts.get("title_best", 0.0) >= SOLD_WORDS
            or parts.get("dense", 0.0) >= wanted.meaning
        )

    def _named(self, hit: Hit, head: str) -> bool:
        """Whether title, category or tags name the kind of thing."""
        tags = " ".join(self._catalogue.products[hit.id].tags)
        return self._titled(hit, head) or self._of_category(hit, head) or _names(tags, head)

    def _titled(self, hit: Hit, head: str) -> bool:
        """Whether the title itself does; an iPhone case is no phone."""
        title = self._catalogue.products[hit.id].title
        return _names(title, head) if WIDE.search(head) else bool(head) and head in tokens(title)

    def _of_category(self, hit: Hit, head: str) -> bool:
        return _names(" ".join(self._catalogue.products[hit.id].category), head)

    def _kind(self, hits: list[Hit], wanted: Wanted) -> str:
        """The category most of the best hits are in, when they agree."""
        votes: Counter[str] = Counter()
        for hit in hits[:6]:
            votes[self._category(hit)] += self._worth(hit, wanted)  # type: ignore[assignment]
        if not votes:
            return ""
        name, weight = votes.most_common(1)[0]
        agreed = weight >= 0.5 * sum(votes.values()) and name == self._category(hits[0])
        return name if name and agreed else ""

    def _nearest_category(self, hits: tuple[Hit, ...]) -> str:
        """The category to offer instead, "" where nothing is near enough in meaning to be one.

        Where no meaning was compared the best hits must agree on it.
        """
        if not any("dense" in hit.parts for hit in hits):
            agreed = {self._category(hit) for hit in hits[:AGREEING]}
            return agreed.pop() if len(agreed) == 1 and len(hits) >= AGREEING else ""
        near = [h for h in hits if h.parts.get("dense", NEAR_MEANING) >= NEAR_MEANING]
        return self._category(near[0]) if near else ""

    def _category(self, hit: Hit) -> str:
        path = self._catalogue.products[hit.id].category
        return path[-1] if path else ""

    def _picks(
        self, hits: list[Hit], wish: str, constraints: Constraints, most: int
    ) -> tuple[Pick, ...]:
        products = self._catalogue.products
        words = tokens(wish)
        picks = [
            Pick(
                product := products[hit.id],
                hit,
                reason_for(product, words),
                self._conditions.named(product, wish, constraints),
            )
            for hit in hits
        ]
        # what can be bought goes first; the order is otherwise kept
        picks.sort(key=lambda pick: pick.in_stock is False)
        if constraints.sort not in ("", CHEAP):
            key = _sort_key(constraints.sort, products)
            picks.sort(key=lambda pick: key(pick.hit))
        return tuple(picks[:most])


# who or what for, and no thing at all: "for my dad who hikes", "to heat up leftovers"
_PURPOSE = re.compile(
    r"\s*(?:for (?:my|our|his|her|their|a|an|the|someone|somebody)\b|to \w)|[\u4e00-\u9fff]{1,6}用$",
    re.IGNORECASE,
)
_DEED = re.compile(r"\s*(?:something )?to \w", re.IGNORECASE)
_PEOPLE = re.compile(
    r"\b(\d{1,2})[- ]?(?:persons?|people|man|men|adults|of us|kids)\b|\b(?:family|group|party) of (\d{1,2})\b|(\d{1,2})个?人",
    re.IGNORECASE,
)
_COUNT = re.compile(r"(\d{1,2})\s?-?\s?(?:person|people|man|adults|人)|^(\d{1,2})$", re.IGNORECASE)


def _names(names: str, head: str) -> bool:
    if WIDE.search(head):
        return (
            any(
                credit >= 0.5 and all(part in names for part in parts)
                for unit in units(head)
                for credit, parts in unit.alternatives
            )
            or head in names
        )
    # a stem may have lost its final e (smartphon ends in phon)
    tail = head.rstrip("e") if len(head) >= 4 else "\0"
    return any(n == head or n.rstrip("e").endswith(tail) for n in tokens(names))


def fits_people(product: Product, wish: str) -> float:
    """1 where the product's stated capacity is what the wish counts, 0.5 above it, -1 below."""
    match = _PEOPLE.search(digits(wish))
    if not match:
        return 0.0
    need = int(next(g for g in match.groups() if g))
    label = concepts()["capacity"].label
    for attribute in product.attributes:
        if label and label.search(attribute.name) and (count := _COUNT.search(attribute.value)):
            has = int(next(g for g in count.groups() if g))
            return 1.0 if has == need else 0.5 if has > need else -1.0
    return 0.0


def reason_for(product: Product, words: list[str]) -> Attribute | None:
    """The attribute that holds most of the wish's words; else one that every shopper likes to know."""
    named = set(tokens(product.title))  # the title says it already
    wanted = {w for w in words if (len(w) > 1 or not WIDE.match(w)) and w not in named}
    best, most = None, 0
    for attribute in product.attributes:
        width = sum(2 if WIDE.match(c) else 1 for c in attribute.name + attribute.value)
        if width > MAX_REASON or not attribute.value:
            continue
        held = len(wanted & set(tokens(f"{attribute.name} {attribute.value}")))
        if held > most:
            best, most = attribute, held
    return best


def _sort_key(sort: str, products: dict[str, Product]):  # type: ignore[no-untyped-def]
    far = Decimal("Infinity")

    def key(hit: Hit) -> tuple[bool, Decimal | float]:
        product = products[hit.id]
        if sort.startswith("rating"):
            return product.rating is None, -(product.rating or 0.0)
        amount = product.price.amount if product.price else far
        return product.price is None, -amount if sort == "price_desc" else amount

    return key
