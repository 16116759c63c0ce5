"""Whole conversations with what must come of each turn, and whether a shop brings them to their end.

A turn is what the shopper says and, by key, what the reply must be:

    intent     one, or a list of which one must come first
    shows      exactly these product ids are on the cards, in any order; `[]` for none
    first      the id of the first card
    costs      {under: N} or {over: N}: every card's price
    offers     words of the suggestion chips
    has, lacks words in the reply, whatever their case (with `|` between words, one of them)
    hides      words that nothing of the reply holds: text, cards, quotes, suggestions
    cites      [source, words of the quote]
    request    the kind of the request that was recorded; `none` where none may be
    handoff, language

Knows nothing about which generator speaks.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bot.generators.base import Generator
from bot.settings import Settings, ShopSettings
from bot.turn import ChatRequest, Reply
from bot.web.payload import reply_payload

KEYS = frozenset({
    "intent", "shows", "first", "costs", "has", "lacks", "hides", "cites", "request", "handoff",
    "language", "offers",
})  # fmt: skip
NAME = "Fern & Kettle"
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)

Chat = Callable[[ChatRequest], Reply]


@dataclass(frozen=True, slots=True)
class Task:
    """A conversation; each turn holds `say` and what is expected of the reply."""

    id: str
    turns: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Played:
    """How a conversation went: `wrong` is what was not as expected first, "" where nothing was."""

    task: Task
    replies: tuple[Reply, ...]
    wrong: str

    @property
    def done(self) -> bool:
        """Whether the task was brought to its end."""
        return not self.wrong


@cache
def tasks() -> tuple[Task, ...]:
    """The conversations over the example shop that the package brings."""
    path = Path(__file__).with_name("tasks.toml")
    told = tomllib.loads(path.read_text(encoding="utf-8"))["task"]
    return tuple(Task(one["id"], tuple(one["turns"])) for one in told)


@contextmanager
def example_shop(settings: Settings) -> Iterator[Callable[[Generator], Any]]:
    """The example shop, imported and indexed in a folder that goes; yields what opens a `bot.app.Shop`
    on it that speaks by a generator. Encoders are taken from the home of `settings`."""
    from bot.app import Shop, make_embedder, open_store
    from bot.example_shop import materialise
    from bot.importing import import_shop
    from bot.indexing import build_index
    from db.catalog import CatalogStore
    from db.orders import OrderStore
    from retrieval.store import IndexStore

    with TemporaryDirectory(prefix="shopbot-tasks-") as folder:
        own = Settings(
            home=Path(folder), now=NOW, shop=ShopSettings(name=NAME), generator=settings.generator
        )
        own.models_folder.mkdir()
        settings.encoders_folder.mkdir(parents=True, exist_ok=True)
        own.encoders_folder.symlink_to(settings.encoders_folder.resolve())
        shop = materialise(own.home / "shop", own.media_folder, today=NOW.date())
        embedder = make_embedder(own)
        with open_store(own) as database:
            catalog = CatalogStore(database)
            import_shop(
                [shop / "products.jsonl", shop / "comments.jsonl"],
                policies=shop / "policies", orders=shop / "orders.jsonl", currency="USD",
                catalog=catalog, order_store=OrderStore(database), now=NOW,
            )  # fmt: skip
            index = IndexStore(own.index_folder, embedder)
            build_index(catalog, index, embedder, progress=lambda done, total: None)
        yield lambda generator: Shop(own, generator=generator)


def play(chat: Chat, task: Task) -> Played:
    """Has the conversation to its end, or to the first turn that did not go as expected."""
    session, replies = None, []
    for turn in task.turns:
        reply = chat(ChatRequest(turn["say"], session_id=session))
        session = reply.session_id
        replies.append(reply)
        faults = [fault for key, value in turn.items() if key != "say" and (fault := wrong(key, value, reply))]  # fmt: skip
        if faults:
            told = f"to {turn['say']!r} came {reply.text!r}: {'; '.join(faults)}"
            return Played(task, tuple(replies), told)
    return Played(task, tuple(replies), "")


def wrong(key: str, value: Any, reply: Reply) -> str:
    """What is wrong with a reply by one key, "" where nothing is."""
    shown = [card.id for card in reply.products]
    text = reply.text.casefold()
    holds: Mapping[str, Callable[[], bool]] = {
        "intent": lambda: reply.intents[0] in ([value] if isinstance(value, str) else value),
        "shows": lambda: sorted(shown) == sorted(map(str, value)),
        "first": lambda: shown[:1] == [str(value)],
        "costs": lambda: _costs(value, reply),
        "offers": lambda: all(_any_of(words, " ".join(reply.suggestions)) for words in _list(value)),
        "has": lambda: all(_any_of(words, text) for words in _list(value)),
        "lacks": lambda: not any(_any_of(words, text) for words in _list(value)),
        "hides": lambda: not any(_any_of(words, _all_of(reply)) for words in _list(value)),
        "cites": lambda: any(
            c.source == value[0] and value[1].casefold() in c.quote.casefold()
            for c in reply.citations
        ),
        "request": lambda: _recorded(value, reply),
        "handoff": lambda: reply.handoff is value,
        "language": lambda: bool(reply.language == value),
    }  # fmt: skip
    if holds[key]():
        return ""
    return f"{key} {value} (intents {reply.intents}, cards {shown}, {reply.citations})"


def _list(value: Any) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _any_of(words: str, text: str) -> bool:
    return any(word.casefold() in text.casefold() for word in words.split("|"))


def _all_of(reply: Reply) -> str:
    return repr(reply_payload(reply)).casefold()


def _costs(limits: Mapping[str, float], reply: Reply) -> bool:
    prices = [Decimal(card.price) for card in reply.products if card.price]
    low, high = Decimal(str(limits.get("over", 0))), Decimal(str(limits.get("under", 10**9)))
    return bool(prices) and all(low < price < high for price in prices)


def _recorded(kind: str, reply: Reply) -> bool:
    if kind == "none" or reply.request is None:
        return kind == "none" and reply.request is None
    number = reply.request.id
    numbered = re.fullmatch(r"R-\d+", number) is not None and number in reply.text
    return reply.request.kind == kind and numbered
