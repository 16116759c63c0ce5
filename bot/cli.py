"""The `shopbot` command. Each verb ends non-zero with one clear line on bad input.

Knows nothing but how to read arguments and print results; heavy imports stand in the verbs.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bot.cli_backup import backup, restore
from bot.cli_desk import retention, stale
from bot.cli_evaluate import evaluate_app
from bot.cli_finetune import finetune
from bot.cli_gate import gate
from bot.cli_learning import export
from bot.cli_models import models_app
from bot.cli_training import answering, corpus_app, heads
from bot.cli_users import users_app
from bot.errors import ConfigError, NotReadyError, ShopbotError
from bot.settings import Settings, load_settings

if TYPE_CHECKING:
    from bot.app import Shop

app = typer.Typer(
    name="shopbot",
    help="A customer-service and shopping chatbot that says nothing the shop did not.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(corpus_app, name="corpus")
app.add_typer(evaluate_app, name="evaluate")
evaluate_app.command()(gate)
app.command()(finetune)
app.command()(heads)
app.command()(backup)
app.command()(restore)
app.command()(answering)
app.command()(stale)
app.command()(retention)
app.command()(export)
requests_app = typer.Typer(
    name="requests",
    help="What shoppers asked the shop to do.",
    no_args_is_help=True,
)
app.add_typer(requests_app)
app.add_typer(users_app, name="users")
app.add_typer(models_app, name="models")
out = Console(soft_wrap=True)

DEMO_HOME = Path("var/demo")
DEMO_NAME = "Fern & Kettle"
TAKEN_UP_EVERY = 2.0  # seconds until a served shop speaks with what was promoted
Host = Annotated[str, typer.Option(help="address to listen on")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="port to listen on")]


def main() -> None:
    """Runs the command; errors that the user can mend are one line on stderr, exit status 1."""
    # nothing is ever downloaded: libraries that would ask a hub are told so before they load
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from db.errors import StoreError
    from retrieval.store import IndexUnusable

    try:
        app()
    except (ShopbotError, StoreError, IndexUnusable) as error:
        print(f"shopbot: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


@app.command("import")
def import_(
    paths: Annotated[list[Path] | None, typer.Argument(help="feeds, pages, comments")] = None,
    policies: Annotated[Path | None, typer.Option(help="folder of policy pages")] = None,
    orders: Annotated[Path | None, typer.Option(help="orders, JSON lines or CSV")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO code where the feed has none")] = None,
    map_: Annotated[list[str] | None, typer.Option("--map", help="FIELD=COLUMN")] = None,
    partial: Annotated[bool, typer.Option(help="withdraw nothing that is missing")] = False,
    yes: Annotated[bool, typer.Option(help="allow withdrawing more than 30 %")] = False,
) -> None:
    """Load catalogue feeds, product pages, comments, policies and orders."""
    from rich.progress import Progress

    from bot.app import open_store
    from bot.importing import import_shop
    from db.catalog import CatalogStore
    from db.orders import OrderStore

    settings = load_settings()
    mapping = _mapping(map_ or [])
    if not (paths or policies or orders):
        raise ConfigError("nothing to import: name a feed, --policies DIR or --orders FILE")
    with open_store(settings) as database, Progress(console=out, transient=True) as bar:
        task = bar.add_task("reading", total=None)
        reports = import_shop(
            paths or [],
            policies=policies,
            orders=orders,
            currency=currency or settings.shop.currency,
            mapping=mapping,
            partial=partial,
            yes=yes,
            catalog=CatalogStore(database),
            order_store=OrderStore(database),
            now=settings.clock()(),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    print_reports(reports)


def print_reports(reports: Any) -> None:
    table = Table("", "added", "changed", "unchanged", "withdrawn", "rejected", box=None)
    for report in reports:
        counts = (report.added, report.changed, report.unchanged, report.withdrawn)
        table.add_row(report.kind, *map(str, counts), str(len(report.rejected)))
    out.print(table)
    for report in reports:
        for row in report.rejected[:50]:
            out.print(f"  rejected {row.where}: {row.reason}", markup=False)
        if len(report.rejected) > 50:
            out.print(f"  … and {len(report.rejected) - 50} more")


def _mapping(pairs: list[str]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals or not field or not column:
            raise ConfigError(f"--map wants FIELD=COLUMN, got {pair!r}")
        mapping[field] = column
    return mapping


@app.command()
def sync(
    yes: Annotated[
        bool, typer.Option(help="believe the feed, however many products it withdraws")
    ] = False,
) -> None:
    """Take the feed of the settings (`feed.source`) over if it has changed, and index it."""
    from rich.progress import Progress

    from bot.app import make_embedder, make_sync, open_store

    settings = load_settings()
    with open_store(settings) as database, Progress(console=out, transient=True) as bar:
        task = bar.add_task("feed", total=None)
        done = make_sync(
            settings,
            database,
            make_embedder(settings),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        ).run(yes=yes)
    if done.reports:
        print_reports(done.reports)
    else:
        out.print("the feed has not changed")
    if done.indexed:
        out.print("the index is up to date again")


@app.command()
def index() -> None:
    """Embed what changed and swap the index atomically."""
    from bot.app import open_store

    settings = load_settings()
    with open_store(settings) as database:
        build(settings, database)


def build(settings: Settings, database: Any) -> None:
    """Builds the index of a shop with a progress bar."""
    from rich.progress import Progress

    from bot.app import make_embedder
    from bot.indexing import build_index
    from db.catalog import CatalogStore
    from retrieval.store import IndexStore

    catalog = CatalogStore(database)
    if not catalog.count():
        raise NotReadyError("no products yet: run `shopbot import FEED`")
    embedder = make_embedder(settings)
    with Progress(console=out, transient=True) as bar:
        task = bar.add_task("embedding", total=None)
        manifest = build_index(
            catalog,
            IndexStore(settings.index_folder, embedder),
            embedder,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    out.print(f"indexed {manifest.products} products and {manifest.passages} passages")


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 7860) -> None:
    """Serve the API, the chat page and the console of the shop's people."""
    run_server(load_settings(), host, port)


def run_server(settings: Settings, host: str, port: int) -> None:
    """Serves one shop until it is stopped."""
    import uvicorn

    from bot.app import Shop, web_settings
    from bot.background import in_background, repeated
    from bot.retention import every_day
    from bot.syncing import by_interval, due
    from bot.web.app import create_app

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("bot").setLevel(
        logging.INFO
    )  # libraries speak up only when something is wrong
    with closing(Shop(settings)) as shop, ExitStack() as tasks:
        readiness = shop.readiness()
        for reason in readiness.reasons:
            out.print(f"{'note' if readiness.ready else 'not ready'}: {reason}", markup=False)
        shop.warm()
        tasks.enter_context(every_day(shop.purge))
        if (interval := settings.feed.interval) is not None:
            first = due(shop.catalog.imported_at(), now=settings.clock()(), interval=interval)
            tasks.enter_context(by_interval(shop.sync, interval=interval, first=first))
        tasks.enter_context(
            in_background(lambda ended: shop.read_ahead(ended.is_set), name="reading")
        )
        tasks.enter_context(repeated(shop.take_up_promoted, every=TAKEN_UP_EVERY, name="promoted"))
        out.print(
            f"chat:    http://{host}:{port}/chat\nconsole: http://{host}:{port}/console\n"
            f"API:     http://{host}:{port}/api/chat"
        )
        uvicorn.run(
            create_app(shop, web_settings(settings), office=shop.office()),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
        )


@app.command()
def demo(
    host: Host = "127.0.0.1",
    port: Port = 7860,
    prepare: Annotated[bool, typer.Option(help="import and index only, do not serve")] = False,
) -> None:
    """Import the bundled example shop into a home of its own, index it and serve it."""
    from bot.app import open_store
    from bot.example_shop import materialise
    from bot.importing import import_shop
    from db.catalog import CatalogStore
    from db.orders import OrderStore

    settings = load_settings(home=DEMO_HOME)
    if not settings.shop.name:
        settings = settings.model_copy(
            update={"shop": settings.shop.model_copy(update={"name": DEMO_NAME})}
        )
    now = settings.clock()()
    folder = materialise(settings.home / "shop", settings.media_folder, today=now.date())
    with open_store(settings) as database:
        reports = import_shop(
            [folder / "products.jsonl", folder / "comments.jsonl"],
            policies=folder / "policies",
            orders=folder / "orders.jsonl",
            currency="USD",
            mapping={},
            partial=False,
            yes=True,
            catalog=CatalogStore(database),
            order_store=OrderStore(database),
            now=now,
        )
        print_reports(reports)
        build(settings, database)
    if not prepare:
        run_server(settings, host, port)


@app.command()
def chat() -> None:
    """Talk to the shop in the terminal; product cards are shown as text."""
    from bot.errors import MessageError
    from bot.terminal import reply_as_text
    from bot.turn import ChatRequest

    with closing(_shop()) as shop:
        out.print(f"{shop.greeting(shop.settings.shop.locale)}\n(an empty line ends)", markup=False)
        session: str | None = None
        while line := _ask():
            try:
                reply = shop.chat(ChatRequest(line, session_id=session))
            except MessageError as error:
                out.print(str(error), markup=False)
                continue
            session = reply.session_id
            out.print(reply_as_text(reply), markup=False, highlight=False)


def _ask() -> str:
    try:
        return input("> ").strip()
    except EOFError:
        return ""


@app.command()
def search(
    query: str,
    k: Annotated[int, typer.Option(min=1, max=100)] = 10,
    explain: Annotated[
        bool, typer.Option(help="show what made each score: words, fields, vectors, weights")
    ] = False,
) -> None:
    """Search the catalogue as the chat does."""
    from retrieval.values import Filters

    with closing(_shop()) as shop:
        found = shop.search(query=query, k=k, filters=Filters(), explain=True)
    if not found["found"]:
        nearest = " The nearest there is:" if found["hits"] else ""
        out.print(f"Nothing here is what was asked.{nearest}", markup=False, highlight=False)
    for hit in found["hits"]:
        line = f"{hit['rank']:>3}  {hit['title']}  {_cost(hit['product'])}"
        out.print(line, markup=False, highlight=False)
        if named := hit["variant"]:
            out.print(f"       {_form(named)}", markup=False, highlight=False)
        if explain:
            for line in _explained(hit["score"], hit["explanation"]):
                out.print(f"       {line}", markup=False, highlight=False)


def _cost(priced: Mapping[str, Any]) -> str:
    to = f"–{priced['price_to']}" if priced["price_to"] else ""
    return f"{priced['price']}{to} {priced['currency']}" if priced["price"] else "–"


def _form(named: Mapping[str, Any]) -> str:
    """The forms that the query names, with their own price and stock."""
    stock = {True: "in stock", False: "out of stock", None: "stock not stated"}[named["in_stock"]]
    options = ", ".join(f"{option['name']}: {option['value']}" for option in named["options"])
    return f"{options}  {_cost(named)}  {stock}"


def _explained(score: float, why: Mapping[str, Any]) -> Iterator[str]:
    """What made a hit's score, and where its words stand, line by line."""
    sums = " + ".join(f"{one['name']} {one['value']:.2f}·{one['weight']:g}" for one in why["score"])
    yield f"score {score:.3f} = {sums or 0}"
    words = [
        f"{one['word']} {one['score']:.2f} in {', '.join(one['fields'])}" for one in why["words"]
    ]
    yield f"words: {'; '.join(words) or 'none'}"
    cosine = why["parts"].get("dense")
    yield "vector: " + ("not compared" if cosine is None else f"cosine {cosine:.3f}")


@app.command()
def explain(turn: int) -> None:
    """Show why a turn went as it did."""
    from bot.terminal import trace_as_text

    with closing(_shop()) as shop:
        record = shop.conversations.turn(turn)
    if record is None:
        raise ShopbotError(f"no turn {turn} in this shop")
    out.print(trace_as_text(record), markup=False, highlight=False)


@app.command()
def doctor() -> None:
    """Tell what is installed, loaded, stale or missing, and the command that mends each."""
    from bot.doctor import examine

    healthy = True
    for check in examine(load_settings()):
        out.print(f"{'ok ' if check.ok else '!! '} {check.name}: {check.text}", markup=False)
        healthy = healthy and check.ok
    if not healthy:
        raise SystemExit(1)


@requests_app.callback()
def _requests() -> None:
    """Makes `purge` a verb of its own although it is the only one."""


@requests_app.command()
def purge() -> None:
    """Delete the sealed details of requests that were closed `privacy.retention_days` ago."""
    from bot.app import open_store
    from bot.retention import purge_details
    from db.conversations import ConversationStore
    from db.requests import RequestStore

    settings = load_settings()
    with open_store(settings) as database:
        purged = purge_details(
            ConversationStore(database),
            RequestStore(database),
            now=settings.clock()(),
            days=settings.privacy.retention_days,
        )
    out.print(f"deleted the details of {purged} requests")


def _shop() -> Shop:
    from bot.app import Shop

    return Shop(load_settings())
