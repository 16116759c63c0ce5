"""The pages of the console, a module each; `PAGES` is the list of them, in the order of the navigation."""

from __future__ import annotations

from bot.web.console.page import Page
from bot.web.console.pages import live, people, queue, requests, turn

PAGES: tuple[Page, ...] = (queue.PAGE, turn.PAGE, live.PAGE, requests.PAGE, people.PAGE)
FIRST = queue.PAGE


def page_of(path: str) -> Page | None:
    """Returns the page of this path."""
    return next((page for page in PAGES if page.path == path), None)
