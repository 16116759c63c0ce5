"""The verbs of `shopbot evaluate`: `generator`, `understanding`, `retrieval`, and `blind`, which counts
what a person judged.

Knows nothing but how to read arguments and print results; heavy imports stand in the verbs.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.errors import ConfigError
from bot.settings import Settings, load_settings

if TYPE_CHECKING:
    from bot.generators.base import Generator

evaluate_app = typer.Typer(help="Measure the parts of the shop.", no_args_is_help=True)

SEED = 0
SHOWN = 10  # queries that lost most
EXTRA = ("matplotlib", "sacrebleu")
BACKENDS = {  # the settings that choose each
    "ctranslate2": {"kind": "gpt2", "runtime": "ctranslate2"},
    "transformers": {"kind": "gpt2", "runtime": "transformers"},
    "remote": {"kind": "remote"},
}


@evaluate_app.command("generator")
def evaluate_generator(
    model: Annotated[
        Path | None, typer.Option(help="model folder; that of the settings by default")
    ] = None,
    corpus_file: Annotated[
        Path | None,
        typer.Option(
            "--corpus", help="corpus.jsonl whose held-out part is used; else one is drawn"
        ),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="own, sgd or crosswoz; may be repeated")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="folder with public data sets; see docs/data.md")
    ] = None,
    out: Annotated[Path, typer.Option(help="folder for report, plots and pages")] = Path(
        "var/evaluation/generator"
    ),
    k: Annotated[int, typer.Option(min=1, max=16, help="candidates")] = 4,
    most: Annotated[int, typer.Option(min=2, help="prompts of each set")] = 300,
    backend: Annotated[
        list[str] | None,
        typer.Option(help="ctranslate2, transformers or remote; may be repeated"),
    ] = None,
    blind: Annotated[int, typer.Option(min=0, help="pairs for a person to judge")] = 100,
) -> None:
    """Measure a generator beside the plain fallback, on prompts that training never saw.

    Writes generator.json, generator.md, plots/, samples.html and the blind pages into OUT.
    """
    installed(*EXTRA)
    from rich.progress import Progress

    from bot.evaluation.report import as_tables
    from bot.evaluation.run import evaluate
    from bot.evaluation.sets import chosen, known_to_training

    screen = Console(soft_wrap=True)
    settings = load_settings()
    _usable(out, data)
    known = known_to_training(corpus_file)
    sets = chosen(set_ or ["own"], known, data=data, most=most, seed=SEED)
    generators, folder = _generators(settings, model, backend)
    with refusals_unlogged(), Progress(console=screen, transient=True) as bar:

        def stage(name: str, total: int) -> Callable[[int], None]:
            task = bar.add_task(name, total=total)
            return lambda done: bar.advance(task, done)

        report = evaluate(
            generators,
            sets,
            known,
            folder=folder,
            out=out,
            k=k,
            pairs=blind,
            seed=SEED,
            now=settings.clock()(),
            stage=stage,
        )
    for table in as_tables(report):
        screen.print(table)
        screen.print()
    screen.print(f"written: {out}", markup=False)


@evaluate_app.command("understanding")
def understanding(
    data: Annotated[Path, typer.Option(help="folder with public data sets; see docs/data.md")],
    part: Annotated[
        list[str] | None, typer.Option("--part", help="only this part; may be repeated")
    ] = None,
    out: Annotated[Path, typer.Option(help="JSON file of the figures")] = Path(
        "var/evaluation/understanding.json"
    ),
) -> None:
    """Measure what is made of messages: intents, conditions, answers, privacy, orders to the bot.

    Writes the figures to OUT and, beside it, what was lost (`….losses.json`), and shows each bar.
    """
    from bot.evaluation.report import machine
    from bot.evaluation.understanding.run import PARTS, evaluate, judged

    if unknown := [name for name in part or () if name not in PARTS]:
        raise ConfigError(f"--part: no {unknown[0]!r}; there are {', '.join(PARTS)}")
    _usable(out.parent, data)
    screen = Console(soft_wrap=True)
    try:
        figures, losses = evaluate(
            part or list(PARTS), data, told=lambda name: screen.print(f"measuring {name} …")
        )
    except FileNotFoundError as error:
        raise ConfigError(f"--data: {error.filename} is missing") from None
    rows = judged(figures)
    written = {"machine": machine(), "bars": rows, "figures": figures}
    out.write_text(json.dumps(written, ensure_ascii=False, indent=1), encoding="utf-8")
    lost = out.with_suffix(".losses.json")
    lost.write_text(json.dumps(losses, ensure_ascii=False, indent=1, default=str), encoding="utf-8")
    table = Table("what", "figure", "bar", "met")
    for row in rows:
        table.add_row(
            row["name"], f"{row['figure']:.4g}", row["bar"], "yes" if row["met"] else "NO"
        )
    screen.print(table)
    screen.print(f"written: {out}, {lost}", markup=False)


@evaluate_app.command("retrieval")
def evaluate_retrieval(
    judgments: Annotated[
        Path, typer.Option(help="CSV of judged queries: query, product_id, rating 0 to 3")
    ],
    out: Annotated[Path, typer.Option(help="folder for report, losses and plot")] = Path(
        "var/evaluation/retrieval"
    ),
) -> None:
    """Measure the shop's search on judged queries, beside words, meaning and their fusion.

    Writes retrieval.json, retrieval.md, losses.csv and queries.png into OUT, and shows the queries that
    lost most against the fusion.
    """
    installed("matplotlib")
    from rich.progress import Progress

    from bot.app import make_embedder, open_store
    from bot.evaluation.retrieval import run
    from bot.evaluation.retrieval.baselines import baselines
    from bot.evaluation.retrieval.judgments import read
    from db.catalog import CatalogStore
    from retrieval.store import IndexStore
    from retrieval.values import Query

    _usable(out, None)
    settings, screen = load_settings(), Console(soft_wrap=True)
    judged = read(judgments)
    with open_store(settings) as database:
        products = [p for p in CatalogStore(database).products() if not p.withdrawn]
        digest = CatalogStore(database).digest()
    known = {str(product.id) for product in products}
    if strange := [id for one in judged for id in one.ratings if id not in known]:
        raise ConfigError(f"--judgments: {len(strange)} products are not in this shop, first {strange[0]!r}")  # fmt: skip
    if not any(one.good for one in judged):
        raise ConfigError("--judgments: no query has a product rated 2 or 3")
    embedder = make_embedder(settings)
    searcher = IndexStore(settings.index_folder, embedder).open(digest)

    def ours(query: str, language: str, k: int) -> list[str]:
        return [hit.id for hit in searcher.products(Query(query, language, k))]

    with Progress(console=screen, transient=True) as bar:
        bar.add_task("embedding for the baselines", total=None)
        systems = {run.OURS: ours} | baselines(products, embedder)
        task = bar.add_task("asking", total=len(systems) * sum(bool(one.good) for one in judged))
        found = run.rank_all(systems, judged, tick=lambda: bar.advance(task))
    *_, fusion = systems
    report = run.as_json(found, judged, products=len(products))
    lost = run.losses(found, fusion)
    paths = run.write(out, report, lost, fusion)
    heads, rows = run.table_of(report)
    table = Table(*heads, box=None)
    for row in rows:
        table.add_row(*row)
    screen.print(table)
    for one in [one for one in lost if one["difference"] < 0][:SHOWN]:
        screen.print(f"{one['difference']:+.2f}  {one['query']}", markup=False, highlight=False)
    screen.print(f"written: {', '.join(map(str, paths))}", markup=False)


def installed(*names: str) -> None:
    """Raises ConfigError that names what to install where one of the packages is missing."""
    if missing := [name for name in names if find_spec(name) is None]:
        raise ConfigError(f"{' and '.join(missing)} not installed: pip install 'shopbot[evaluate]'")


@contextmanager
def refusals_unlogged() -> Iterator[None]:
    """Keeps the phraser silent: each refusal is counted, none needs a line of its own."""
    logger = logging.getLogger("bot.phraser")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _usable(out: Path, data: Path | None) -> None:
    """Tells before an hour of measuring what would be told after it."""
    if data is not None and not data.is_dir():
        raise ConfigError(f"--data: no folder {data}")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out: {out} cannot be made: {error.strerror}") from None


def _generators(
    settings: Settings, model: Path | None, names: list[str] | None
) -> tuple[dict[str, Generator], Path | None]:
    """Makes a generator for each back end, and says which folder holds the weights."""
    from bot.app import make_generator

    if names is None:
        remote = settings.generator.kind == "remote" and model is None
        names = ["remote"] if remote else [settings.generator.runtime]
    if unknown := [name for name in names if name not in BACKENDS]:
        raise ConfigError(f"--backend: no {unknown[0]!r}; there are {', '.join(BACKENDS)}")
    folder = str(model or settings.generator.model)
    made = {}
    for name in dict.fromkeys(names):
        own = settings.generator.model_copy(update={"model": folder, **BACKENDS[name]})
        made[name] = make_generator(settings.model_copy(update={"generator": own}))
    return made, None if set(made) == {"remote"} else Path(folder)


@evaluate_app.command("blind")
def count_blind(
    answers: Annotated[Path, typer.Argument(help="blind.txt filled in, or the page's address")],
    key: Annotated[
        Path | None, typer.Option(help="blind-key.json; beside ANSWERS by default")
    ] = None,
) -> None:
    """Count what a person judged on the blind page."""
    from bot.evaluation.blind import KEY, judged

    table = Table("", "generator", "fallback", "equal", "by chance", box=None)
    for name, found in judged(answers, key or answers.with_name(KEY)).items():
        counts = (found.generated, found.fallback, found.equal)
        table.add_row(name, *map(str, counts), f"{found.chance:.3f}")
    Console(soft_wrap=True).print(table)
