"""A shop in a home of one's own, for modules that build theirs once as the fixture `tiny`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from shop_homes import copy_of, shop_in

from bot.app import Shop


@pytest.fixture
def home(tiny: Path, tmp_path: Path) -> Path:
    return copy_of(tiny, tmp_path / "home")


@pytest.fixture
def opened(home: Path) -> Iterator[Callable[..., Shop]]:
    """Opens the same home as often as a test likes; every shop is closed at the end."""
    with ExitStack() as stack:

        def open_shop(**more: str) -> Shop:
            shop = shop_in(home, more=more)
            stack.callback(shop.close)
            return shop

        yield open_shop


@pytest.fixture
def shop(opened: Callable[..., Shop]) -> Shop:
    return opened()
