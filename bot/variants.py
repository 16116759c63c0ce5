"""Which forms of a product a text names, by the values of the options that tell them apart.

A form is named only by words that say one of its own values: a text that names none, or a
combination that the product does not come in, names no form. Knows nothing of search or dialogue.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bot.facets import kind_of, value_words
from bot.understanding.constraints import Facet
from db.records import Attribute, Money, Product, Variant
from prompts.facets import facet_kinds
from retrieval.text import has_cjk, normalise, sequence, units

Allowed = Callable[[Money | None, bool | None], bool]  # of a form's own price and stock

MOST_WORDS = 8  # of a value that can be said
_FIGURE = re.compile(r"[\d.,/]+")
_MEASURE = re.compile(r"(\d[\d.,]*(?:\s?[x×*]\s?\d[\d.,]*)+)\s?[a-z]{1,4}", re.IGNORECASE)
_LETTERS = 3  # shorter Latin values are sizes, and need a sign that they are meant as such
_CODE = 4  # characters from which a number of the shop's names a form when it is typed
_CODES = re.compile(r"[^\W_][\w./-]*[^\W_]")


@dataclass(frozen=True, slots=True)
class NamedVariant:
    """The forms of a product that a text names: `options` are the values said, `variants` those
    that have them all, in feed order, never none. Price (from, to) and stock are theirs: in stock
    where any of them is, None where the feed does not say."""

    options: tuple[Attribute, ...]
    variants: tuple[Variant, ...]
    price: Money | None
    price_to: Money | None
    in_stock: bool | None

    @property
    def label(self) -> str:
        """What tells them apart from the others, as the feed writes it: "Red / M"."""
        return " / ".join(dict.fromkeys(option.value for option in self.options))


def named_variant(
    product: Product,
    text: str,
    facets: Sequence[Facet] = (),
    *,
    allowed: Allowed = lambda _price, _in_stock: True,
) -> NamedVariant | None:
    """The forms that `text` and the properties read from it name, None where they name none.

    `facets` of the kind of an option name its values too (blue: Ink blue). Forms whose own price
    and stock are not `allowed` are left out. All forms of a product that comes in several are not
    told apart, and so not named.
    """
    coded = _by_code(product, text)
    if coded is not None:
        options, variants = coded.options, [coded]
    else:
        said = _said_options(product, text, facets)
        options = tuple(option for values in said.values() for option in values)
        variants = [v for v in product.variants if all(_has(v, values) for values in said.values())]
        if not said or len(variants) == len(product.variants) > 1:
            return None
    variants = [v for v in variants if allowed(own_price(product, v), own_stock(product, v))]
    if not variants:
        return None
    kept = tuple(o for o in options if any(o in v.options for v in variants))
    prices = [own_price(product, variant) for variant in variants]
    stated = sorted({price.amount: price for price in prices if price}.items())
    low = stated[0][1] if stated and all(prices) else None
    high = stated[-1][1] if low and len(stated) > 1 else None
    stock = [own_stock(product, variant) for variant in variants]
    in_stock = True if True in stock else None if None in stock else False
    return NamedVariant(kept, tuple(variants), low, high, in_stock)


def own_price(product: Product, variant: Variant) -> Money | None:
    """What a form costs: its own price, or the product's where that is one price for all."""
    return variant.price or (product.price if product.price_to is None else None)


def own_stock(product: Product, variant: Variant) -> bool | None:
    """Whether a form is in stock: its own state, or the product's where no form states any."""
    stated = any(one.in_stock is not None for one in product.variants)
    return variant.in_stock if stated else product.in_stock


def _by_code(product: Product, text: str) -> Variant | None:
    """The form whose number (SKU, id) is typed."""
    typed = {match.group().casefold() for match in _CODES.finditer(text)}
    for variant in product.variants:
        for code in (variant.sku, variant.id):
            own = code and code != product.id and len(code) >= _CODE and any(map(str.isdigit, code))
            if own and code and code.casefold() in typed and variant.options:
                return variant
    return None


def _said_options(
    product: Product, text: str, facets: Sequence[Facet]
) -> dict[str, tuple[Attribute, ...]]:
    """Option name → its values that are said, for the options of which any is."""
    options: dict[str, list[Attribute]] = {}
    for variant in product.variants:
        for option in variant.options:
            values = options.setdefault(option.name, [])
            if option not in values:
                values.append(option)
    literal = _literal([option for values in options.values() for option in values], text)
    said = {}
    for name, values in options.items():
        found = [v for v in values if v in literal] or _by_facets(values, kind_of(name), facets)
        if found:
            said[name] = tuple(found)
    return said


def _has(variant: Variant, values: Sequence[Attribute]) -> bool:
    return any(value in variant.options for value in values)


def _literal(options: Sequence[Attribute], text: str) -> list[Attribute]:
    """The options whose value stands in the text, a value within a longer one left out."""
    words = sequence(text)
    found: list[tuple[int, int, Attribute]] = []
    for option in options:
        kind = kind_of(option.name)
        if kind == "colour" and has_cjk(option.value):
            continue  # 红色 of 粉红色 is another colour: only what was read as one names it
        for way in _ways(option.value, kind):
            found += (
                (start, end, option)
                for start, end in _places(words, way)
                if _means(way, option.name, kind, words, start, end, text)
            )
    kept: list[tuple[int, int, Attribute]] = []
    for start, end, option in sorted(found, key=lambda row: row[0] - row[1]):
        if all((start, end) == (s, e) or end <= s or e <= start for s, e, _ in kept):
            kept.append((start, end, option))
    return [option for _, _, option in kept]


def _ways(value: str, kind: str) -> tuple[str, ...]:
    known = facet_kinds().get(kind)
    ways = known.ways(value) if known else (value,)
    measure = _MEASURE.fullmatch(value.strip())
    return (*ways, measure[1]) if measure else ways  # 60 x 90, of 60 x 90 in


def _places(words: Sequence[str], way: str) -> Iterator[tuple[int, int]]:
    """Where the value stands, however it is cut into words: 128GB, 128 GB, 128-GB."""
    wanted = "".join(sequence(way))
    for start in range(len(words) if wanted else 0):
        joined = ""
        for end in range(start, min(start + MOST_WORDS, len(words))):
            joined += words[end]
            if joined == wanted:
                yield start, end + 1
            if len(joined) >= len(wanted):
                break


def _means(
    way: str, name: str, kind: str, words: Sequence[str], start: int, end: int, text: str
) -> bool:
    """Whether words that spell a value mean it: a bare figure or letter may mean anything."""
    label = sequence(name) + ([kind] if kind in facet_kinds() else [])
    if (start and words[start - 1] in label) or (end < len(words) and words[end] in label):
        return True
    plain = normalise(way)
    if _FIGURE.fullmatch(plain):
        return False
    if has_cjk(plain):
        return len(plain) > 1
    if len(plain) < _LETTERS and plain.isalpha():
        # written as sizes are: "red jacket XL", and not the s of "it's"
        mark = rf"(?<![\w'’\-]){re.escape(plain.upper())}(?![\w'’\-])"
        return kind == "size" and not text.isupper() and re.search(mark, text) is not None
    return bool(units(plain))


def _by_facets(values: Sequence[Attribute], kind: str, facets: Sequence[Facet]) -> list[Attribute]:
    """The values that a property of the option's kind names: itself, or a word of it (Ink blue)."""
    exact: list[Attribute] = []
    near: list[Attribute] = []
    for facet in facets:
        if facet.kind != kind:
            continue
        ways = [w for way in _ways(facet.value, kind) if (w := value_words(way, kind))]
        for option in values:
            own = value_words(option.value, kind)
            if own in ways:
                exact.append(option)
            elif not has_cjk(option.value) and any(_within(way, own) for way in ways):
                near.append(option)
    return exact or near


def _within(part: Sequence[str], whole: Sequence[str]) -> bool:
    return all(len(word) > 1 for word in part) and any(
        tuple(whole[at : at + len(part)]) == tuple(part) for at in range(len(whole))
    )
