"""Takes the shop's feed over by itself: from a path or an https address, whenever it has changed.

A feed that cannot be had, read or believed leaves the shop as it is. Knows nothing about formats
or connections; what was taken over last is remembered in the home's `feed/state.json`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import urlsplit

from bot.background import in_background
from bot.errors import ConfigError, ShopbotError
from bot.fetching import Limits, Validators, fetch
from bot.importing import FEED_SUFFIXES, Catalog, ImportFailed, Orders, import_shop
from bot.outbound import Outbound, OutboundError
from bot.settings import FeedSettings, Settings
from db.errors import StoreError, WithdrawalTooLarge
from db.feeds import FeedError
from db.feeds.source import files_of
from db.records import ImportReport

log = logging.getLogger(__name__)

FIRST_RETRY = timedelta(minutes=1)  # doubled with every failure, up to feed.interval
_STATE = "state.json"


class SyncFailed(ShopbotError):
    """The feed was not taken over and the shop is as it was; the message says why."""


class SyncedCatalog(Catalog, Protocol):
    """What this asks of the catalogue's store beyond what an import does."""

    def last_import(self) -> int: ...

    def confirm(self, *, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Memory:
    """What was taken over last, and what went wrong since.

    `asked` is a hash of the settings it was taken over with, `number` that of its import,
    `sha256` the feed's. `failures` in a row, the last one for `reason`; 0 and "" when all is well.
    """

    asked: str = ""
    number: int = 0
    sha256: str = ""
    etag: str = ""
    last_modified: str = ""
    failures: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Synced:
    """What a run came to. `reports` is empty when the feed had not changed."""

    reports: tuple[ImportReport, ...]
    indexed: bool


def read_memory(folder: Path) -> Memory:
    """What is remembered; nothing where that cannot be read, which costs one more import."""
    try:
        return Memory(**json.loads((folder / _STATE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return Memory()


def place_of(feed: FeedSettings) -> str:
    """Where the feed comes from, in words that give no key away: an address may hold one."""
    return f"https://{urlsplit(feed.source).hostname}/…" if feed.remote else feed.source


class Sync:
    """The feed of one shop. `refresh` brings the index up to date and says whether it had to."""

    def __init__(
        self,
        settings: Settings,
        *,
        catalog: SyncedCatalog,
        order_store: Orders,
        refresh: Callable[[], bool],
        outbound: Outbound | None = None,
    ) -> None:
        self._feed = settings.feed
        self._currency = settings.feed.currency or settings.shop.currency
        self._folder = settings.feed_folder
        self._now = settings.clock()
        self._catalog = catalog
        self._orders = order_store
        self._refresh = refresh
        self._outbound = outbound

    def run(self, *, yes: bool = False) -> Synced:
        """Takes the feed over if it has changed, and indexes it; `yes` believes it whatever it
        withdraws, and reads it even if it has not changed.

        Raises ConfigError without a feed, and SyncFailed.
        """
        if not self._feed.source:
            raise ConfigError("no feed to take over: set feed.source to a path or https:// address")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._alone():
            memory = read_memory(self._folder)
            try:
                memory, reports = self._take_over(memory, yes=yes)
                # kept before the index is built: if that fails, the next run builds it
                self._remember(memory)
                return Synced(reports, self._refresh())
            except (OutboundError, ImportFailed, FeedError, StoreError, OSError) as error:
                reason = _reason(error)
                self._remember(replace(memory, failures=memory.failures + 1, reason=reason))
                raise SyncFailed(reason) from error

    def _take_over(self, memory: Memory, *, yes: bool) -> tuple[Memory, tuple[ImportReport, ...]]:
        asked = self._asked()
        # another import since then has made the catalogue something else than this feed
        ours = memory.asked == asked and memory.number == self._catalog.last_import() and not yes
        if not ours:
            memory = replace(memory, sha256="", etag="", last_modified="")
        with tempfile.TemporaryDirectory(dir=self._folder, prefix="fetch-") as folder:
            path, sha256, validators = self._feed_now(memory, Path(folder))
            if path is None or sha256 == memory.sha256:
                reports: tuple[ImportReport, ...] = ()
                self._catalog.confirm(now=self._now())
            else:
                reports = tuple(
                    import_shop(
                        [path],
                        catalog=self._catalog,
                        order_store=self._orders,
                        now=self._now(),
                        currency=self._currency,
                        mapping=self._feed.map,
                        partial=self._feed.partial,
                        yes=yes,
                        most_withdrawn=self._feed.max_withdrawn,
                    )
                )
        number = self._catalog.last_import()
        return Memory(asked, number, sha256, validators.etag, validators.last_modified), reports

    def _feed_now(self, memory: Memory, folder: Path) -> tuple[Path | None, str, Validators]:
        """The feed on disk, its digest and validators; no path when it is said not to have changed."""
        if not self._feed.remote:
            path = Path(self._feed.source)
            return path, _digest(files_of(path)), Validators()
        known = Validators(memory.etag, memory.last_modified)
        suffix = PurePosixPath(urlsplit(self._feed.source).path.removesuffix(".gz")).suffix.lower()
        path = folder / f"feed{suffix if suffix in FEED_SUFFIXES else ''}"
        fetched = fetch(
            self._feed.source,
            path,
            limits=Limits(self._feed.max_megabytes * 1_000_000, self._feed.seconds),
            outbound=self._outbound or Outbound(),
            known=known,
            user=self._feed.user,
            password=self._feed.password.get_secret_value(),
        )
        if fetched is None:
            return None, memory.sha256, known
        return path, fetched.sha256, fetched.validators

    def _asked(self) -> str:
        feed = self._feed
        options = [feed.source, self._currency, sorted(feed.map.items()), feed.partial]
        return hashlib.sha256(json.dumps(options).encode()).hexdigest()

    def _remember(self, memory: Memory) -> None:
        draft = self._folder / f"{_STATE}.new"
        draft.write_text(json.dumps(asdict(memory)), "utf-8")
        draft.replace(self._folder / _STATE)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Holds the home's feed, so that a command and a server do not take it over at once."""
        with (self._folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SyncFailed("the feed is being taken over already; wait for that") from None
            yield


def _reason(error: Exception) -> str:
    if isinstance(many := error.__cause__, WithdrawalTooLarge):
        return (
            f"the feed lacks {many.withdrawn} of {many.active} active products, which is more than "
            "feed.max_withdrawn, and nothing was changed: run `shopbot sync --yes` if that is meant"
        )
    if isinstance(error, OSError):
        return f"the feed could not be kept on disk ({error.strerror})"
    return str(error)


def _digest(files: list[Path]) -> str:
    """SHA-256 of the files with their names."""
    whole = hashlib.sha256()
    for path in files:
        try:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise FeedError(f"{path} cannot be read: {error.strerror}") from error
        whole.update(f"{path}\n{content}\n".encode())
    return whole.hexdigest()


def by_interval(
    task: Callable[[], object], *, interval: timedelta, first: timedelta
) -> AbstractContextManager[None]:
    """Does the task in the background after `first`, then at every interval until the block ends.

    A task that fails is tried again after a minute, then after two, four and so on, at most an
    interval; each reason is logged once, until it goes well again.
    """

    def work(ended: threading.Event) -> None:
        wait, failures, told = first, 0, ""
        while not ended.wait(wait.total_seconds()):
            try:
                task()
            except Exception as error:  # whatever it is, the shop goes on and so does this
                known = isinstance(error, ShopbotError)
                reason = str(error) if known else f"an unforeseen {type(error).__name__}"
                if reason != told:
                    log.error("feed not taken over: %s", reason)
                told, failures = reason, failures + 1
                wait = pause(failures, interval=interval)
            else:
                if told:
                    log.warning("feed taken over again")
                wait, failures, told = interval, 0, ""

    return in_background(work, name="feed")


def pause(failures: int, *, interval: timedelta) -> timedelta:
    """How long to wait after so many failures in a row."""
    return min(interval, FIRST_RETRY * (1 << min(failures - 1, 20)))


def due(imported: datetime | None, *, now: datetime, interval: timedelta) -> timedelta:
    """How long a server that starts waits before it looks for the feed."""
    if imported is None:
        return timedelta(0)
    return min(interval, max(timedelta(0), imported + interval - now))
