"""The queue at the desk: which turns want an eye, how many of each kind there are, and the next one.

Knows nothing about pages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from bot.desk.roles import needs
from bot.errors import DeskError
from bot.understanding.redaction import visible
from db.accounts import AccountStore, User
from db.catalog import CatalogStore
from db.queue import KINDS, Asked, Entry, Kind, QueueStore
from retrieval.text import tokens

PAGE = 25  # turns of a page
LONGEST = 200  # characters of a search or a tag
WORDS = 20  # words of a search that are looked for
# a hit that shares no word with what was asked scores by its meaning alone, which stays below this
WEAK = 0.6


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an agent asks of the queue, as they wrote it; "" asks for nothing. Days are inclusive, in
    UTC; `agent` is the name of an account."""

    kind: Kind = "unreviewed"
    intent: str = ""
    language: str = ""
    product: str = ""
    tag: str = ""
    agent: str = ""
    since: str = ""
    until: str = ""
    search: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether anything but the kind is asked."""
        return replace(self, kind="all") != Wanted(kind="all")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the queue, newest first. `older` is the turn that the next page begins before."""

    entries: tuple[Entry, ...]
    counts: dict[Kind, int]
    older: int | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer."""

    intents: tuple[str, ...]
    agents: tuple[str, ...]


class Queue:
    """The queue of one shop."""

    def __init__(self, store: QueueStore, accounts: AccountStore, catalog: CatalogStore) -> None:
        self._store = store
        self._accounts = accounts
        self._catalog = catalog

    @needs("agent")
    def page(self, user: User, wanted: Wanted, *, before: int | None = None) -> Page:
        """Returns a page of the turns that are asked for. Raises DeskError."""
        asked = self._asked(wanted)
        found = self._store.entries(asked, most=PAGE + 1, before=before)
        older = found[PAGE - 1].turn_id if len(found) > PAGE else None
        return Page(tuple(found[:PAGE]), self._store.counts(asked), older)

    @needs("agent")
    def choices(self, user: User) -> Choices:
        """Returns what the filters can be set to."""
        agents = tuple(one.name for one in self._accounts.all() if one.active)
        return Choices(tuple(self._store.intents()), agents)

    @needs("agent")
    def following(self, user: User, wanted: Wanted, turn_id: int) -> int | None:
        """Returns the turn behind this one in the queue, None where it is the last. DeskError."""
        return self._store.following(self._asked(wanted), turn_id)

    def _asked(self, wanted: Wanted) -> Asked:
        if wanted.kind not in KINDS:
            raise DeskError(f"there is no queue {wanted.kind!r}")
        for text in (wanted.search, wanted.tag, wanted.product, wanted.agent, wanted.intent):
            if len(text) > LONGEST:
                raise DeskError(f"at most {LONGEST} characters are looked for")
        words = words_of(wanted.search)
        if wanted.search.strip() and not words:
            raise DeskError("there is no word in it to look for")
        agent = None
        if wanted.agent:
            found = self._accounts.find(wanted.agent)
            if found is None:
                raise DeskError(f"there is no account {wanted.agent!r}")
            agent = found.id
        until = _day(wanted.until)
        return Asked(
            kind=wanted.kind,
            intent=wanted.intent or None,
            language=wanted.language or None,
            product_id=self._product(wanted.product),
            assigned_to=agent,
            tag=wanted.tag.strip() or None,
            since=_day(wanted.since),
            until=None if until is None else until + timedelta(days=1),
            words=words,
            below=WEAK,
        )

    def _product(self, given: str) -> str | None:
        """The id of the product that is meant by its id or one of its other numbers."""
        given = given.strip()
        if not given:
            return None
        found = self._catalog.resolve(given)
        return str(found.id) if found else given


def words_of(search: str) -> tuple[str, ...]:
    """Returns the words to look for, cut as the turns were (`bot.replies.found_by`)."""
    return tuple(dict.fromkeys(tokens(visible(search))))[:WORDS]


def _day(given: str) -> datetime | None:
    if not given.strip():
        return None
    try:
        day = date.fromisoformat(given.strip())
        datetime.combine(day, time(), UTC) + timedelta(days=2)
    except (ValueError, OverflowError):
        raise DeskError(f"{given!r} is no day: write it like 2026-03-01") from None
    return datetime.combine(day, time(), UTC)


def kind_named(name: str) -> Kind:
    """Returns the kind of this name; that of the queue as it opens where there is none."""
    return name if name in KINDS else "unreviewed"
