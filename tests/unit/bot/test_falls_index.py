"""An index that is lost, damaged or replaced by a broken one while the shop serves, or before it does."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from shop_homes import build_tiny, copy_of, settings_of, shop_in

from bot.app import Shop, make_embedder
from bot.errors import NotReadyError
from bot.indexing import build_index
from bot.turn import ChatRequest
from db.records import Money, Product, ProductId
from retrieval.store import IndexStore

KETTLE = Product(ProductId("k1"), "Copper Kettle", price=Money(Decimal("49.00"), "USD"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny(tmp_path_factory.mktemp("tiny") / "home", products=[KETTLE])


@pytest.fixture
def home(tiny: Path, tmp_path: Path) -> Path:
    return copy_of(tiny, tmp_path / "home")


def answers(shop: Shop) -> bool:
    return "$49.00" in shop.chat(ChatRequest("How much is the Copper Kettle?")).text


def index_anew(shop: Shop) -> None:
    embedder = make_embedder(shop.settings)
    store = IndexStore(shop.settings.index_folder, embedder)
    build_index(shop.catalog, store, embedder, progress=lambda _done, _total: None)


def lose(folder: Path) -> None:
    shutil.rmtree(folder)


def damage(folder: Path) -> None:
    """Cuts every file of the served build in half, as a copy of it that another program made."""
    for file in folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            file.unlink()  # what is mapped into memory stays as it was
            file.write_bytes(content[: len(content) // 2])


FALLS = pytest.mark.parametrize("befalls", [lose, damage])


@FALLS
def test_that_the_loaded_index_goes_on_answering_and_the_next_is_taken_up(
    home: Path, befalls: Callable[[Path], None]
) -> None:
    with closing(shop_in(home)) as shop:
        assert answers(shop)
        befalls(shop.settings.index_folder)
        assert answers(shop)
        readiness = shop.readiness()
        assert readiness.ready
        assert any("shopbot index" in reason for reason in readiness.reasons)
        index_anew(shop)
        assert answers(shop)
        assert shop.readiness().reasons == ()


@FALLS
def test_that_a_shop_that_starts_without_says_what_to_run_and_needs_no_restart(
    home: Path, befalls: Callable[[Path], None]
) -> None:
    befalls(settings_of(home).index_folder)
    with closing(shop_in(home)) as shop:
        with pytest.raises(NotReadyError, match="shopbot index"):
            answers(shop)
        readiness = shop.readiness()
        assert not readiness.ready
        assert "shopbot index" in readiness.reasons[0]
        index_anew(shop)
        assert answers(shop)
        assert shop.readiness().ready


def test_that_a_new_index_that_is_broken_is_not_taken_up(home: Path) -> None:
    with closing(shop_in(home)) as shop:
        assert answers(shop)
        other = Product(ProductId("k1"), "Copper Kettle", price=Money(Decimal("59.00"), "USD"))
        shop.catalog.apply_products(
            [other], partial=False, may_withdraw_many=True, now=shop.settings.clock()()
        )
        index_anew(shop)
        pointer = shop.settings.index_folder
        newest = max(
            (file for file in pointer.iterdir() if file.is_dir()), key=lambda f: f.stat().st_mtime
        )
        damage(newest)
        assert answers(shop)  # of the prices that belong to the loaded index
        assert any("shopbot index" in reason for reason in shop.readiness().reasons)
        index_anew(shop)
        assert "$59.00" in shop.chat(ChatRequest("How much is the Copper Kettle?")).text
