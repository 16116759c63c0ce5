"""What a page of the console is: its address, who may see it, how it is drawn, what can be done there.

Knows nothing about Gradio, and nothing about what any page shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from bot.desk.office import Office
from db.accounts import Role, User

LONGEST = 2000  # characters of an address


@dataclass(frozen=True, slots=True)
class Address:
    """`#/turn/12?kind=all` is the page `turn`, the rest `12`, and what follows the question mark."""

    page: str
    rest: str = ""
    query: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        path = "/".join(filter(None, (self.page, self.rest)))
        query = urlencode({name: value for name, value in self.query.items() if value})
        return f"#/{path}?{query}" if query else f"#/{path}"

    def with_(self, **query: str) -> Address:
        """The same address with other values in its query; "" takes one out."""
        return replace(self, query=dict(self.query) | query)

    @property
    def number(self) -> int | None:
        """The rest as the number of a row, None where it is none that a database can hold."""
        rest = self.rest
        return int(rest) if rest.isascii() and rest.isdigit() and len(rest) < 16 else None


def read_address(given: object) -> Address:
    """Reads what a browser shows behind `#`; whatever cannot be read leads to the first page."""
    text = given if isinstance(given, str) and len(given) <= LONGEST else ""
    path, _, query = text.removeprefix("#").strip("/").partition("?")
    page, _, rest = path.strip("/").partition("/")
    try:
        pairs = dict(parse_qsl(query, max_num_fields=30))
    except ValueError:
        pairs = {}
    return Address(page, rest, pairs)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an agent's browser asks for: a page, or with `form` something to be done there."""

    user: User | None
    address: Address
    form: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A field of the form, "" where it was not sent."""
        return self.form.get(name, "")


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as it is drawn: `values` fill its template, `said` is told once, `bad` says that it is a
    refusal, `go` another address to show instead, `done` that what was typed is kept now."""

    values: Mapping[str, Any] = field(default_factory=dict)
    said: str = ""
    bad: bool = False
    go: Address | None = None
    done: bool = False


Draw = Callable[[Office, Asked], Shown]
Act = Callable[[Office, Asked], Shown]


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `template` lies in `templates/`; `acts` are the forms it takes, by their `act` field.

    `every` is in how many seconds what lives is drawn anew: the counts in the navigation, and where the
    page is `living` its parts marked `data-live`. A page without `label` is not in the navigation;
    `under` names the page that is marked there instead. `badge` is the count beside its label, `news`
    what is said when that changes.
    """

    path: str
    title: str
    role: Role
    template: str
    draw: Draw
    acts: Mapping[str, Act] = field(default_factory=dict)
    label: str = ""
    under: str = ""
    every: float = 20.0
    living: bool = False
    badge: Callable[[Office, User], int] | None = None
    news: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)  # told by the help: key → what it does
