"""Homes of shops for tests of the whole dialogue: imported and indexed once, then copied."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from bot.app import Shop, make_embedder, open_store
from bot.example_shop import materialise
from bot.importing import import_shop
from bot.indexing import build_index
from bot.settings import Settings, load_settings
from db.catalog import CatalogStore
from db.orders import OrderStore
from db.records import Document, Order, Product
from retrieval.store import IndexStore

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
NAME = "Fern & Kettle"


def settings_of(
    home: Path, *, encoder: str = "hashing", more: Mapping[str, str] | None = None
) -> Settings:
    """The settings of a shop that speaks plainly on a fixed day; `more` adds to the environment."""
    environment = {
        "SHOPBOT_NOW": NOW.isoformat(),
        "SHOPBOT_SHOP__NAME": NAME,
        "SHOPBOT_GENERATOR__KIND": "plain",
        "SHOPBOT_RETRIEVAL__ENCODER": encoder,
    }
    return load_settings(environment | dict(more or {}), home=home)


def build_example(home: Path, *, encoder: str) -> Path:
    """Imports and indexes the example shop, its orders dated around NOW; returns `home`."""
    settings = settings_of(home, encoder=encoder)
    folder = materialise(home / "shop", settings.media_folder, today=NOW.date())
    with open_store(settings) as database:
        import_shop(
            [folder / "products.jsonl", folder / "comments.jsonl"],
            policies=folder / "policies",
            orders=folder / "orders.jsonl",
            catalog=CatalogStore(database),
            order_store=OrderStore(database),
            now=NOW,
        )
    _index(settings)
    return home


def build_tiny(
    home: Path,
    *,
    products: Iterable[Product],
    documents: Iterable[Document] = (),
    orders: Iterable[Order] = (),
    more: Mapping[str, str] | None = None,
) -> Path:
    """Stores and indexes a shop of a few records, its documents being policies; returns `home`.

    `more` adds to the environment.
    """
    settings = settings_of(home, more=more)
    with open_store(settings) as database:
        catalog = CatalogStore(database)
        catalog.apply_products(products, partial=False, may_withdraw_many=True, now=NOW)
        catalog.apply_documents(documents, source="policy", partial=False, now=NOW)
        OrderStore(database).apply_orders(orders, now=NOW)
    _index(settings)
    return home


def copy_of(home: Path, target: Path) -> Path:
    """A home of one's own with what `home` holds."""
    shutil.copytree(home, target)
    return target


def shop_in(home: Path, *, encoder: str = "hashing", more: Mapping[str, str] | None = None) -> Shop:
    return Shop(settings_of(home, encoder=encoder, more=more))


def _index(settings: Settings) -> None:
    embedder = make_embedder(settings)
    with open_store(settings) as database:
        build_index(
            CatalogStore(database),
            IndexStore(settings.index_folder, embedder),
            embedder,
            progress=lambda done, total: None,
        )
