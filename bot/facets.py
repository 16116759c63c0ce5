"""The properties by which one catalogue's goods differ, learned from its options and attributes.

Answers "which property do these words name?" and "has this product it?". No value is known here
that the catalogue or the plain words of the language (`prompts/facets.toml`) do not give. Knows
nothing of dialogue or search.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from rapidfuzz import fuzz, process

from bot.kinds import head_of
from bot.understanding.constraints import Facet
from db.records import Product
from prompts.concepts import concepts
from prompts.facets import facet_kinds, idle_value
from retrieval.text import has_cjk, sequence, units

Words = tuple[str, ...]
MAX_VALUE = 60  # characters: what is longer describes, and is no value to choose by
MAX_WORDS = 4
TYPO = 85  # rapidfuzz ratio from which a marked word is a mistyped value
USUAL = 0.2  # share of the products that state a kind, from which silence is no statement
_PART = re.compile(r"[,;，、；|/()（）]|\s+(?:and|or|with|&)\s+|和|及|\d+(?:\.\d+)?\s?%")
_SAID = re.compile(r"[A-Za-z0-9]+(?:['’.\-][A-Za-z0-9]+)*|[\u3400-\u9fff]")
_FIGURE = re.compile(r"[\d.,x×*/\-\s]+")
_ENDING = re.compile(r"[的吗么呢吧\W]+$")
_COUNT = re.compile(r"\d+[\u4e00-\u9fff]{1,2}")
_ANSWERS = frozenset({"yes", "no", "none", "n", "y", "是", "否", "有", "无"})


class Facets:
    """The properties of one catalogue snapshot.

    `is_kind` tells of a stemmed word whether it names a kind of thing there: "bag" of "a leather
    bag" is what is wished, not what it is like.
    """

    def __init__(self, products: Mapping[str, Product], *, is_kind: Callable[[str], bool]) -> None:
        self._products = products
        self._is_kind = is_kind
        # kind → product id → its values; options are what a buyer may choose between
        self._stated: dict[str, dict[str, list[Words]]] = defaultdict(lambda: defaultdict(list))
        self._options: dict[str, dict[str, list[Words]]] = defaultdict(lambda: defaultdict(list))
        self._terms: dict[Words, Counter[str]] = defaultdict(Counter)
        self._spelled: dict[str, set[str]] = defaultdict(set)
        self._ends: dict[tuple[str, str], set[Words]] = defaultdict(set)
        self._texts: dict[str, Words] = {}
        for pid, product in products.items():
            for kind, value, option in _values(product):
                self._learn(pid, kind, value, option)
        for (kind, word), values in self._ends.items():
            if len(values) > 1:  # "ink blue" and "sky blue" are blues, "as shown" alone no colour
                self._count((word,), kind)

    def _learn(self, pid: str, kind: str, value: str, option: bool) -> None:
        whole = value_words(value, kind)
        if not whole:
            return
        self._stated[kind][pid].append(whole)
        if option:
            self._options[kind][pid].append(whole)
        parts = {whole} if option else set()
        for part in _PART.split(value):
            if words := value_words(part, kind):
                parts.add(words)
                self._spelled[kind].add(" ".join(part.casefold().split()))
                if kind in facet_kinds() and kind != "size" and not has_cjk(part):
                    self._ends[kind, words[-1]].add(words)
        for words in parts:
            self._count(words, kind)

    def _count(self, words: Words, kind: str) -> None:
        said = " ".join(words)
        if len(words) <= 2 * MAX_WORDS and not _ANSWERS.issuperset(words) and units(said):
            self._terms[words][kind] += 1

    @cached_property
    def colours(self) -> re.Pattern[str]:
        """The colours of this shop and of the language, to be left out of names."""
        basic = facet_kinds()["colour"].basic
        told = sorted(
            {
                option.value.strip().casefold()
                for product in self._products.values()
                for variant in product.variants
                for option in variant.options
                if kind_of(option.name) == "colour" and not _FIGURE.fullmatch(option.value)
            },
            key=len,
            reverse=True,
        )
        return re.compile(
            "|".join([basic.pattern if basic else r"(?!)", *(_bounded(value) for value in told)]),
            re.IGNORECASE,
        )

    # -- reading ----------------------------------------------------------------------------------
    def read(self, text: str) -> tuple[Facet, ...]:
        """Lists the properties that `text` names, each with its words, in the order said."""
        found = {**self._known(text), **self._marked(text)}
        kept: list[tuple[tuple[int, int], Facet]] = []
        for span, facet in sorted(found.items(), key=lambda row: (row[0][0] - row[0][1], row[0])):
            if all(span[1] <= start or end <= span[0] for (start, end), _ in kept):
                kept.append((span, facet))
        return tuple(facet for _, facet in sorted(kept, key=lambda row: row[0]))

    def _known(self, text: str) -> dict[tuple[int, int], Facet]:
        """Words that are a value of this catalogue, the longest ones first."""
        pieces = [(m.start(), m.end(), tuple(sequence(m.group()))) for m in _SAID.finditer(text)]
        found: dict[tuple[int, int], Facet] = {}
        at = 0
        while at < len(pieces):
            for size in range(min(2 * MAX_WORDS, len(pieces) - at), 0, -1):
                some = pieces[at : at + size]
                words = tuple(word for piece in some for word in piece[2])
                span = (some[0][0], some[-1][1])
                if (kinds := self._terms.get(words)) and self._says(words, text, span):
                    kind = max(kinds, key=lambda name: (name in facet_kinds(), kinds[name]))
                    said = text[slice(*span)]
                    sure = self._is_option(kind, words) or kind in facet_kinds()
                    found[span] = Facet(kind, said.casefold(), said, sure)
                    at += size - 1
                    break
            at += 1
        return found

    def _says(self, words: Words, text: str, span: tuple[int, int]) -> bool:
        """Whether these words stand for a value here, and not for a thing or a figure."""
        said = text[slice(*span)]
        if _FIGURE.fullmatch(said) or idle_value().search(said):
            return False
        if has_cjk(said):
            # 四件 of 四件套 is a part of the thing, not what it is like
            return len(words) > 1 and not _COUNT.fullmatch(said) and not self._of_thing(said, text)
        if len(said) < 3:  # S and M are sizes where something says so
            return False
        return not self._is_kind(words[-1])

    def _of_thing(self, said: str, text: str) -> bool:
        head = head_of(_ENDING.sub("", text), "zh")
        return said in head or head in said

    def _marked(self, text: str) -> dict[tuple[int, int], Facet]:
        """Words that stand where a value stands: "in teal", "made of oak", "size 9", 蓝色."""
        found: dict[tuple[int, int], Facet] = {}
        for kind in facet_kinds().values():
            patterns = [(p, 1, False) for p in kind.marked] + [(p, 1, True) for p in kind.sure]
            if kind.basic:
                patterns.append((kind.basic, 0, True))
            for pattern, group, sure in patterns:
                for match in pattern.finditer(text):
                    span, said = match.span(group), match.group(group)
                    if kind.name == "colour" and has_cjk(said) and match.end() > span[1]:
                        span, said = match.span(), match.group()  # 色 belongs to the word
                    if has_cjk(said) and said.endswith("的"):
                        span, said = (span[0], span[1] - 1), said[:-1]
                    value = self._value(kind.name, said, sure)
                    if value:
                        start = span[0] + said.casefold().find(value.casefold().split()[0])
                        plain = value.casefold() in said.casefold() and not has_cjk(said)
                        at = (start, start + len(value)) if plain else span
                        found[at] = Facet(kind.name, value.casefold(), text[slice(*at)], True)
        return found

    def _value(self, kind: str, said: str, sure: bool) -> str:
        """The value that marked words are, "" where they are none."""
        for part in dict.fromkeys([said, said.split(" ", maxsplit=1)[0]]):
            bare = part.removesuffix("的").strip()
            if idle_value().search(bare.removesuffix("色")):
                continue
            words = value_words(bare, kind)
            ways = [value_words(way, kind) for way in facet_kinds()[kind].ways(bare)]
            if any(way in self._terms and self._terms[way][kind] for way in ways):
                return bare
            if sure and words and not any(map(self._is_kind, words)):
                return bare
            near = self._mistyped(kind, bare)
            if near:
                return near
        return ""

    def _mistyped(self, kind: str, word: str) -> str:
        if len(word) < 4 or has_cjk(word):
            return ""
        values = self._spelled[kind]
        near = process.extractOne(word.casefold(), values, scorer=fuzz.ratio, score_cutoff=TYPO)
        return near[0] if near else ""

    # -- having -----------------------------------------------------------------------------------
    def has(self, product_id: str, facet: Facet) -> bool:
        """Whether the product is stated to be so, or, where nothing is stated, said to be."""
        ways = [w for way in self._ways(facet) if (w := value_words(way, facet.kind))]
        stated = self._stated.get(facet.kind, {}).get(product_id)
        if stated and any(_within(way, value) for way in ways for value in stated):
            return True
        if all(len("".join(way)) < 2 for way in ways) and not any(map(has_cjk, facet.value)):
            return False
        if facet.kind in facet_kinds() and (stated or self._usually_stated(facet.kind)):
            # where colours are stated, the red light of a headlamp makes it no red one
            product = self._products[product_id]
            text = tuple(sequence(" ¶ ".join([product.title, *product.tags])))
        else:
            text = self._text(product_id)
        return any(_within(way, text) for way in ways)

    def _usually_stated(self, kind: str) -> bool:
        return len(self._stated.get(kind, ())) >= USUAL * len(self._products)

    def states(self, product_id: str, kind: str) -> bool:
        """Whether the product's record says anything of this kind."""
        return product_id in self._stated.get(kind, {})

    def only(self, product_id: str, word: str) -> bool | None:
        """Whether all of a product's choices of a kind are `word`; None where it has no such choice.

        A kettle in black and red is no black kettle to who wants none.
        """
        for kind, held in self._options.items():
            words = value_words(word, kind)
            values = held.get(product_id)
            if values and words and any(_within(words, value) for value in values):
                return all(_within(words, value) for value in values)
        return None

    def _is_option(self, kind: str, words: Words) -> bool:
        return any(words in values for values in self._options.get(kind, {}).values())

    def _ways(self, facet: Facet) -> tuple[str, ...]:
        kind = facet_kinds().get(facet.kind)
        return kind.ways(facet.value) if kind else (facet.value,)

    def _text(self, product_id: str) -> Words:
        if product_id not in self._texts:
            product = self._products[product_id]
            told = [product.title, " ".join(product.tags), product.description]
            told += [f"{a.name} ¶ {a.value}" for a in product.attributes]
            told += [o.value for v in product.variants for o in v.options]
            self._texts[product_id] = tuple(w for part in told for w in (*sequence(part), "¶"))
        return self._texts[product_id]


def kind_of(label: str) -> str:
    """The kind that a feed's label names: a general one, or the label itself."""
    for kind in facet_kinds().values():
        pattern = concepts()[kind.concept].label
        if pattern is not None and pattern.search(label):
            return kind.name
    return " ".join(label.casefold().replace("_", " ").split())


def _values(product: Product) -> Iterator[tuple[str, str, bool]]:
    """Yields (kind, value, whether it is a choice) of all that a product states."""
    options = {(o.name, o.value) for variant in product.variants for o in variant.options}
    for name, value in sorted(options):
        yield kind_of(name), value, True
    for attribute in product.attributes:
        if len(attribute.value) <= MAX_VALUE:
            yield kind_of(attribute.name), attribute.value, False


def value_words(value: str, kind: str) -> Words:
    words = tuple(sequence(value))
    return words[:-1] if kind == "colour" and len(words) > 1 and words[-1] == "色" else words


def _within(part: Words, whole: Words) -> bool:
    width = len(part)
    return any(whole[at : at + width] == part for at in range(len(whole) - width + 1))


def _bounded(word: str) -> str:
    return re.escape(word) if has_cjk(word) else rf"\b{re.escape(word)}\b"
