"""One event of the console: an address or a form of a browser becomes a drawn page.

Every value that comes from a browser is checked here or by the service it is handed to; who asks is
told by the session alone. Knows nothing about Gradio.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.desk.office import Office
from bot.desk.roles import may
from bot.errors import NotAllowedError, ShopbotError
from bot.web.console.page import Asked, Page, Shown, read_address
from bot.web.console.pages import FIRST, PAGES, page_of
from bot.web.console.render import render
from bot.web.problems import log_failure
from db.accounts import User
from db.errors import StoreError

logger = logging.getLogger(__name__)

Data = dict[str, Any]
MOST_FIELDS, LONGEST_FIELD = 40, 20_000  # of a form; a service bounds each field by its meaning


@dataclass(frozen=True, slots=True)
class Console:
    """The pages over one desk."""

    office: Office

    def go(self, user: User | None, data: Mapping[str, Any]) -> Data:
        """Draws what a browser asks for, after doing what its form says.

        `again` asks for the living parts of the page that is shown already.
        """
        asked = Asked(user, read_address(data.get("address")), _form(data.get("form")))
        said, bad, done = "", False, False
        page, shown = self._page(asked)
        if asked.form:
            acted = self._acted(page, asked)
            said, bad, done = acted.said, acted.bad, acted.done
            if acted.go is not None:
                asked = replace(asked, address=acted.go)
                page, shown = self._page(asked)
            shown = shown or self._drawn(page, asked)
            shown = replace(shown, values=dict(shown.values) | dict(acted.values))
        again = data.get("again") is True
        shown = shown or (Shown() if again and not page.living else self._drawn(page, asked))
        if shown.said and not said:
            said, bad = shown.said, shown.bad
        html = render(
            "console.html",
            shop=self.office.shop_name,
            user=asked.user,
            pages=[one for one in PAGES if one.label and may(asked.user, one.role)],
            keys=page.keys,
            page=page,
            address=asked.address,
            said=said,
            bad=bad,
            badges=self._badges(asked.user),
            body="" if again and not page.living else self._body(page, asked, shown, said_bad=bad),
        )
        return {
            "seq": _number(data.get("seq")),
            "address": str(asked.address),
            "title": f"{page.title} · {self.office.shop_name}",
            "html": html,
            "said": said,
            "bad": bad,
            "done": done,
            "again": again,
            "every": page.every,
        }

    def _page(self, asked: Asked) -> tuple[Page, Shown | None]:
        """The page of an address; with what is shown instead where it is not for this account."""
        page = page_of(asked.address.page) if asked.address.page else FIRST
        if page is None:
            return MISSING, Shown(said="There is no such page.", bad=True)
        if not may(asked.user, page.role):
            return REFUSED, Shown(said=f"This page is for a {page.role}.", bad=True)
        return page, None

    def _acted(self, page: Page, asked: Asked) -> Shown:
        act = page.acts.get(asked.text("act"))
        if act is None:
            return Shown(said="Nothing here does that.", bad=True)
        return _answered(lambda: act(self.office, asked))

    def _drawn(self, page: Page, asked: Asked) -> Shown:
        return _answered(lambda: page.draw(self.office, asked))

    def _body(self, page: Page, asked: Asked, shown: Shown, *, said_bad: bool) -> str:
        if shown.bad and not shown.values:
            return render("nothing.html", page=page, said=shown.said)
        return render(
            page.template,
            page_title=page.title,
            address=asked.address,
            user=asked.user,
            said_bad=said_bad,
            **shown.values,
        )

    def _badges(self, user: User | None) -> dict[str, int]:
        """The counts beside the labels of the pages that have one."""
        counts = {}
        for page in PAGES:
            if page.badge is not None and user is not None and may(user, page.role):
                try:
                    counts[page.path] = page.badge(self.office, user)
                except StoreError as error:
                    log_failure(error)
        return counts


def _answered(work: Any) -> Shown:
    """What a handler shows; what it refuses is told in its own words."""
    try:
        shown = work()
        assert isinstance(shown, Shown)
        return shown
    except NotAllowedError as error:
        return Shown(said=_sentence(str(error)), bad=True)
    except (ShopbotError, StoreError) as error:
        log_failure(error)
        return Shown(said=_sentence(str(error)), bad=True)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?")) else ".")


def _form(given: object) -> dict[str, str]:
    """The fields of a form as text; halves of characters are no text and are dropped."""
    if not isinstance(given, dict) or len(given) > MOST_FIELDS:
        return {}
    return {
        name: value.encode("utf-8", "ignore").decode()
        for name, value in given.items()
        if isinstance(name, str) and isinstance(value, str) and len(value) <= LONGEST_FIELD
    }


def _number(given: object) -> int:
    return given if type(given) is int and 0 <= given <= 2**53 else 0


def _nothing(office: Office, asked: Asked) -> Shown:
    return Shown()


MISSING = Page(path="", title="Not found", role="agent", template="nothing.html", draw=_nothing)
REFUSED = Page(path="", title="Not for you", role="agent", template="nothing.html", draw=_nothing)
