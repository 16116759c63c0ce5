"""Numbered facts of one turn, and how values are written in each language.

Every slot of every act is made here from a fact, so nothing can be said that has no source. Knows
nothing about why a fact was chosen.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_currency

from bot.turn import (
    Card,
    Citation,
    Derived,
    DialogAct,
    Fact,
    FactSource,
    Language,
    Slot,
    VariantCard,
)
from bot.variants import NamedVariant
from db.records import Attribute, Money, Order, Passage, Product
from prompts.acts import inventory
from prompts.filling import OUT_OF_STOCK

LOCALES = {"en": "en_US", "zh": "zh_CN"}
IN_STOCK = {"en": "in stock", "zh": "有货"}
PRICE_RANGE = {"en": "{} to {}", "zh": "{}至{}"}
OF_VARIANT = {"en": "{} ({})", "zh": "{}（{}）"}
COLON = {"en": ": ", "zh": "："}


def money(value: Money, language: Language) -> str:
    """Writes an amount as the language does: $1,999.99, ¥299.00."""
    return str(format_currency(value.amount, value.currency, locale=LOCALES[language]))


def day(value: date, language: Language) -> str:
    """Writes a date in words: November 24, 2026; 2026年11月24日."""
    return str(format_date(value, format="long", locale=LOCALES[language]))


def readable(label: str) -> str:
    """A feed's label as a person writes it: warrantyInformation → warranty information."""
    if label.isascii() and any(
        a.islower() and b.isupper() for a, b in zip(label, label[1:], strict=False)
    ):
        spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in label)
        return spaced.strip()
    return label.replace("_", " ").strip("* ")


class FactBook:
    """Collects the facts of one turn and makes slots over them.

    `variants`: product id → the forms of it that were named, whose price and stock are then told.
    """

    def __init__(self, language: Language, currency: str) -> None:
        self.language = language
        self.currency = currency
        self.facts: list[Fact] = []
        self.derived: list[Derived] = []
        self.variants: dict[str, NamedVariant] = {}
        self._known: dict[tuple[str, str, str, str], Fact] = {}

    def add(
        self, source: FactSource, source_id: str, field: str, text: str, subject: str = ""
    ) -> Fact:
        """Returns the numbered fact, the same one when it was added before."""
        key = (source, source_id, field, text)
        if key not in self._known:
            fact = Fact(f"F{len(self.facts) + 1}", source, source_id, field, text, subject)
            self._known[key] = fact
            self.facts.append(fact)
        return self._known[key]

    # -- products ---------------------------------------------------------------------------------
    def title(self, product: Product) -> Fact:
        return self.add("product", str(product.id), "title", product.title, product.title)

    def variant(self, product: Product) -> NamedVariant | None:
        return self.variants.get(str(product.id))

    def amount(self, product: Product) -> tuple[Money | None, Money | None]:
        """What the product costs, from and to: of the forms that were named, else of all."""
        named = self.variant(product)
        if named is not None and named.price is not None:
            return named.price, named.price_to
        return product.price, product.price_to

    def price(self, product: Product) -> Fact | None:
        low, high = self.amount(product)
        if low is None:
            return None
        text = money(low, self.language)
        if high is not None and high != low:
            text = PRICE_RANGE[self.language].format(text, money(high, self.language))
        return self.add("product", str(product.id), "price", text, product.title)

    def stock(self, product: Product) -> Fact | None:
        """Whether it is in stock; of forms that were named it says of which."""
        named = self.variant(product)
        in_stock = named.in_stock if named else product.in_stock
        if in_stock is None:
            return None
        text = (IN_STOCK if in_stock else OUT_OF_STOCK)[self.language]
        if named:
            text = OF_VARIANT[self.language].format(text, named.label)
            for option in named.options:
                self.attribute(product, option)
        return self.add("product", str(product.id), "stock", text, product.title)

    def attribute(self, product: Product, attribute: Attribute) -> tuple[Fact, Fact]:
        """Returns the facts of label and value; both belong to the product."""
        field = f"attribute:{attribute.name}"
        label = self.add("product", str(product.id), f"label:{attribute.name}", readable(attribute.name), product.title)  # fmt: skip
        return label, self.add("product", str(product.id), field, attribute.value, product.title)

    def quote(self, product: Product, source_id: str, text: str) -> Fact:
        return self.add("product", source_id, "text", text, product.title)

    # -- the rest ---------------------------------------------------------------------------------
    def rule(self, passage: Passage, text: str) -> Fact:
        return self.add("policy", str(passage.id), "text", text)

    def order(self, order: Order, field: str, text: str) -> Fact:
        return self.add("order", str(order.id), field, text)

    def computed(self, value: Decimal, currency: str, op: str, of: tuple[str, ...]) -> Fact:
        """Adds a derived amount with its working."""
        self.derived.append(Derived(f"{value:.2f}", op, of))  # type: ignore[arg-type]
        return self.add("derived", op, "value", money(Money(value, currency), self.language))


def slot(name: str, fact: Fact) -> Slot:
    """A slot filled with the fact as it stands."""
    return Slot(name, fact.text, fact)


def act(name: str, slots: Iterable[Slot | None] = ()) -> DialogAct:
    """Makes an act with its slots in canonical order; None slots are left out.

    Raises UnknownActError for an act that is not in the closed list and ValueError for slots that
    it cannot carry.
    """
    spec = inventory().act(name)
    given = {s.name: s for s in slots if s is not None}
    if unknown := set(given) - set(spec.slots):
        raise ValueError(f"act {name!r} carries no {sorted(unknown)}")
    if missing := set(spec.required) - set(given):
        raise ValueError(f"act {name!r} needs {sorted(missing)}")
    return DialogAct(name, tuple(given[s] for s in spec.slots if s in given))


def stated_rating(product: Product) -> float | None:
    """The rating as the feed states it; a mean computed from reviews is nobody's statement."""
    return None if product.rating_computed else product.rating


def card(product: Product, reason: str = "", named: NamedVariant | None = None) -> Card:
    """Draws a product as the HTTP contract does: what the feed does not state is None."""
    price = product.price
    return Card(
        id=str(product.id),
        title=product.title,
        price=None if price is None else f"{price.amount:.2f}",
        price_to=None if product.price_to is None else f"{product.price_to.amount:.2f}",
        currency=None if price is None else price.currency,
        url=product.url,
        image_url=product.images[0] if product.images else None,
        in_stock=product.in_stock,
        rating=stated_rating(product),
        reason=reason,
        variant=variant_card(named) if named else None,
    )


def variant_card(named: NamedVariant) -> VariantCard:
    """Draws the forms of a product that were named, with their own price and stock."""
    low, high = named.price, named.price_to
    return VariantCard(
        label=named.label,
        options=named.options,
        ids=tuple(variant.id for variant in named.variants),
        price=f"{low.amount:.2f}" if low else None,
        price_to=f"{high.amount:.2f}" if high else None,
        currency=low.currency if low else None,
        in_stock=named.in_stock,
    )


def attribute_citation(product: Product, attribute: Attribute) -> Citation:
    """Cites an attribute as the feed labels it."""
    return Citation(
        "product", str(product.id), product.title, f"{attribute.name}: {attribute.value}"
    )
