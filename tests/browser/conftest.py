"""A running shop and a Chromium for the browser tests; skipped where there is no Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_support import ARGUMENTS, PICTURE, Visitor, served
from console_support import Counter, Seat, opened
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright
from scripted_shop import ScriptedService


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    (folder / "tent.svg").write_text(PICTURE)
    return folder


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium_path() -> str:
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("no Chromium: install chromium")
    return found


@pytest.fixture(scope="session")
def chromium(playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium_path, args=list(ARGUMENTS))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def shop() -> ScriptedService:
    return ScriptedService()


@pytest.fixture(scope="module")
def address(shop: ScriptedService, media: Path) -> Iterator[str]:
    with served(shop, media_dir=media) as url:
        yield url


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors; each must have stayed on this machine and raised no error."""
    made: list[tuple[BrowserContext, Visitor]] = []

    def make(**options: Any) -> Visitor:
        context = chromium.new_context(**({"locale": "en-US"} | options))
        made.append((context, Visitor(context)))
        return made[-1][1]

    yield make
    for context, one in made:
        context.close()
        assert one.hosts <= {"127.0.0.1"}, one.hosts
        assert one.errors == []


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where to write screenshots: the folder SHOPBOT_TEST_SCREENSHOTS names, if any."""
    folder = os.environ.get("SHOPBOT_TEST_SCREENSHOTS")
    return Path(folder) if folder else None


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    """A tiny shop with people at its desk."""
    with opened(tmp_path_factory.mktemp("desk") / "home") as counter:
        yield counter


@pytest.fixture
def seat(visitor: Callable[..., Visitor], counter: Counter) -> Callable[..., Seat]:
    """Makes browsers at the desk; with a name they are signed in, and shown a page."""

    def make(name: str = "", to: str = "", **options: Any) -> Seat:
        one = Seat(visitor(**options), counter.address)
        return one.sign_in(name, to) if name else one

    return make
