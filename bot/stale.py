"""Past answers that the shop's facts of today contradict: told, so that nobody learns from them.

Each fact that a turn said of a product or a rule is looked up again where it came from. Knows nothing
of what is done about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from bot.grounding import COLON, FactBook, stated_rating
from bot.turn import Fact, Language
from db.catalog import CatalogStore
from db.conversations import TurnRecord
from db.records import Product

GONE = "no longer sold"


@dataclass(frozen=True, slots=True)
class Stale:
    """The turn said `was` of `subject`; today it is `now`, None where the shop says nothing of it."""

    turn_id: int
    conversation_id: int
    subject: str
    field: str
    was: str
    now: str | None


class Sweep:
    """Compares turns with the catalogue and the rules as they are now; each is read once."""

    def __init__(self, catalog: CatalogStore) -> None:
        self._catalog = catalog
        self._products: dict[str, Product | None] = {}
        self._pages: dict[str, str] = {}
        self._rules: str | None = None

    def over(self, turns: Iterable[TurnRecord]) -> Iterator[Stale]:
        """Yields what no longer holds, in the order of the turns; each fact of a turn once. Of a turn
        whose trace was deleted nothing is known."""
        for turn in turns:
            if not turn.trace:
                continue
            said = {id for one in turn.trace["segments"] for id in one["slot_facts"].values()}
            for fact in (Fact(**one) for one in turn.trace["facts"] if one["id"] in said):
                if fact.source == "product":
                    stale, now = self._product_fact(fact, cast(Language, turn.language))
                elif fact.source == "policy" and fact.field == "text":
                    stale, now = not _within(fact.text, self._rules_text()), None
                else:
                    continue
                if stale:
                    subject = fact.subject or fact.source_id
                    yield Stale(turn.id, turn.conversation_id, subject, fact.field, fact.text, now)

    def _product_fact(self, fact: Fact, language: Language) -> tuple[bool, str | None]:
        """Whether the fact fails today, and what is true instead."""
        product = self._product(fact)
        if product is None or product.withdrawn:
            return True, GONE
        match fact.field:
            case "title":
                return fact.text != product.title, product.title
            case "price" | "stock":
                book = FactBook(language, "")
                today = book.price(product) if fact.field == "price" else book.stock(product)
                text = today.text if today else None
                return fact.text != text, text
            case "rating":
                rating = stated_rating(product)
                text = None if rating is None else f"{rating:g}"
                return fact.text != text, text
            case "text":
                return not _within(fact.text, self._page(product)), None
            case "attribute:reason":
                value = fact.text.split(COLON[language], 1)[-1]
                return not _within(value, self._page(product)), None
            case field if field.startswith("attribute:"):
                name = field.removeprefix("attribute:")
                values = [one.value for one in product.attributes if one.name == name]
                holds = any(_within(fact.text, value) for value in values)
                return not (holds or _within(fact.text, self._page(product))), next(
                    iter(values), None
                )
        return False, None

    def _product(self, fact: Fact) -> Product | None:
        """The product a fact is of; a quotation's source may be a page of it."""
        if fact.source_id not in self._products:
            found = self._catalog.product(fact.source_id)
            if found is None and (passage := self._catalog.passage(fact.source_id)) is not None:
                found = self._catalog.product(passage.product_id) if passage.product_id else None
            self._products[fact.source_id] = found
        return self._products[fact.source_id]

    def _page(self, product: Product) -> str:
        """All that the shop says of a product."""
        if product.id not in self._pages:
            rating = stated_rating(product)
            own = [product.title, product.description, product.brand or "", *product.category]
            own += [one.value for one in product.attributes]
            own += [option.value for one in product.variants for option in one.options]
            own += [] if rating is None else [f"{rating:g}"]
            own += [passage.text for passage in self._catalog.passages_of(product.id)]
            self._pages[product.id] = _plain("\n".join(own))
        return self._pages[product.id]

    def _rules_text(self) -> str:
        if self._rules is None:
            rules = self._catalog.documents("policy")
            self._rules = _plain("\n".join(document.markdown for document in rules))
        return self._rules


def _within(text: str, whole: str) -> bool:
    """Whether every line of `text` stands in `whole`, however both are spaced or marked up."""
    place = _plain(whole)
    return all(_plain(line) in place for line in text.splitlines())


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isalnum())
