"""Why a turn went as it did, with the names of what it found, and where its facts are mended.

Facts are never corrected at the desk: each has a source. Knows nothing about pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.desk.roles import needs
from bot.errors import DeskError
from db.accounts import User
from db.catalog import CatalogStore
from db.conversations import ConversationStore


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact of a reply comes from: a product, a rule or an order; `url` is the shop's page."""

    kind: str
    id: str
    title: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """The trace of a turn; {} once it was deleted by age. `names` are titles of the hits by their id,
    `sources` where the facts that were told come from, each once."""

    trace: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()


class Traces:
    """The traces of one shop's turns."""

    def __init__(self, conversations: ConversationStore, catalog: CatalogStore) -> None:
        self._conversations = conversations
        self._catalog = catalog

    @needs("agent")
    def why(self, user: User, turn_id: int) -> Why:
        """Returns why a turn went as it did. Raises DeskError."""
        turn = self._conversations.turn(turn_id)
        if turn is None:
            raise DeskError(f"there is no turn {turn_id}: it may have been erased")
        trace = turn.trace
        if not trace:
            return Why()
        told = {id for one in trace["segments"] for id in one["slot_facts"].values()}
        named = dict.fromkeys(
            (str(fact["source"]), str(fact["source_id"]))
            for fact in trace["facts"]
            if fact["id"] in told and fact["source"] in ("product", "policy", "order")
        )
        sources = dict.fromkeys(self._source(kind, id) for kind, id in named)
        return Why(trace, self._names(hit["id"] for hit in trace["hits"]), tuple(sources))

    def _names(self, ids: Iterable[str]) -> dict[str, str]:
        wanted = list(dict.fromkeys(ids))
        found = {str(one.id): one.title for one in self._catalog.products_of(wanted)}
        for id in wanted:
            if id not in found:
                found[id] = self._source("passage", id).title
        return found

    def _source(self, kind: str, id: str) -> Source:
        """The product, rule or order of a fact; of a quotation that which it was quoted from."""
        if kind == "order":
            return Source(kind, id, id)
        product = self._catalog.product(id)
        passage = None if product else self._catalog.passage(id)
        if passage is not None and passage.product_id:
            product = self._catalog.product(passage.product_id)
        if product is not None:
            return Source("product", str(product.id), product.title, product.url)
        if passage is None:
            return Source(kind, id, id)
        return Source(passage.source, passage.document_id, " › ".join(passage.heading) or id)
