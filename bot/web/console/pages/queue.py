"""The queue: turns by what they are and what they say, worked through by keyboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields

from bot.desk.office import Office
from bot.desk.queue import Wanted, kind_named
from bot.turn import INTENTS
from bot.web.console.page import Address, Asked, Page, Shown
from db.queue import KINDS, Kind

KINDS_TOLD: dict[Kind, str] = {
    "unreviewed": "Unreviewed",
    "thumbs_down": "Thumbs down",
    "fallback": "Plain fallback",
    "low_score": "Weak search",
    "handed_over": "Handed over",
    "waiting": "Waiting",
    "corrected": "Corrected",
    "all": "All turns",
}
assert set(KINDS_TOLD) == set(KINDS)


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """Returns what an address asks of the queue."""
    given = {one.name: query[one.name] for one in fields(Wanted) if one.name in query}
    return Wanted(**given | {"kind": kind_named(query.get("kind", ""))})  # type: ignore[arg-type]


def query_of(wanted: Wanted) -> dict[str, str]:
    """Returns the query of an address that asks for this."""
    return {name: str(value) for name, value in asdict(wanted).items() if value}


def draw(office: Office, asked: Asked) -> Shown:
    wanted = wanted_of(asked.address.query)
    before = Address("", asked.address.query.get("before", "")).number
    page = office.queue.page(asked.user, wanted, before=before)
    query = query_of(wanted)
    choices = office.queue.choices(asked.user)
    return Shown(
        {
            "wanted": wanted,
            "page": page,
            "choices": choices,
            "intents": [one for one in INTENTS if one in choices.intents],
            "kinds": [
                (name, told, page.counts[name], Address("queue", "", query | {"kind": name}))
                for name, told in KINDS_TOLD.items()
            ],
            "kind_told": KINDS_TOLD[wanted.kind],
            "links": {
                entry.turn_id: Address("turn", str(entry.turn_id), query) for entry in page.entries
            },
            "older": page.older and Address("queue", "", query | {"before": str(page.older)}),
            "newest": Address("queue", "", query) if before else None,
            "clear": Address("queue", "", {"kind": wanted.kind}) if wanted.narrowed else None,
        }
    )


PAGE = Page(
    path="queue",
    title="Queue",
    label="Queue",
    role="agent",
    template="queue.html",
    draw=draw,
    keys={"j / k": "next or previous turn of the list", "Enter": "open it", "/": "search"},
)
