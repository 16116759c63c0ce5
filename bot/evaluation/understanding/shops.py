"""Shops made of public data for an evaluation: imported, indexed and opened in a folder of their own.

Their policies are those of the example shop. Knows nothing of what is asked of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.app import Shop, make_embedder, open_store
from bot.errors import ConfigError
from bot.example_shop import example_folder
from bot.importing import import_shop
from bot.indexing import build_index
from bot.settings import Settings, load_settings
from db.catalog import CatalogStore
from db.orders import OrderStore
from retrieval.store import IndexStore


@dataclass(frozen=True, slots=True)
class Source:
    """Which files of a data folder make a shop, and in which currency its bare prices are."""

    paths: tuple[str, ...]
    currency: str
    locale: str = "en"


SOURCES = {
    "contoso-outdoor": Source(("products.csv", "manuals"), "USD"),
    "eshop-support": Source(("products.csv",), "USD"),
    "litemall-zh": Source(("goods.jsonl",), "CNY", "zh"),
}


@contextmanager
def shop_of(
    name: str,
    data: Path,
    home: Path,
    *,
    alter: Callable[[Path], Sequence[Path]] | None = None,
    policies: Path | None = None,
) -> Iterator[Shop]:
    """Opens the shop `name` of SOURCES in `home`, speaking plainly; closes it afterwards.

    `alter(folder)` may hand over other paths than the source's own, and `policies` other rules. Raises ConfigError where the
    data folder lacks a file.
    """
    source = SOURCES[name]
    paths: Sequence[Path] = [data / name / path for path in source.paths]
    if missing := [path for path in paths if not path.exists()]:
        raise ConfigError(
            f"--data: {missing[0]} is missing; hand over the folder that holds {name}/"
        )
    if alter is not None:
        paths = alter(data / name)
    settings = _settings(home, source)
    with open_store(settings) as database:
        catalog = CatalogStore(database)
        import_shop(
            list(paths),
            policies=policies or example_folder() / "policies",
            currency=source.currency,
            catalog=catalog,
            order_store=OrderStore(database),
            now=settings.clock()(),
        )
        embedder = make_embedder(settings)
        store = IndexStore(settings.index_folder, embedder)
        build_index(catalog, store, embedder, progress=lambda _done, _total: None)
    shop = Shop(settings)
    try:
        yield shop
    finally:
        shop.close()


def _settings(home: Path, source: Source) -> Settings:
    environment = {
        "SHOPBOT_GENERATOR__KIND": "plain",
        "SHOPBOT_SHOP__LOCALE": source.locale,
    }
    return load_settings(environment, home=home)
