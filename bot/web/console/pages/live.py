"""Shoppers who wait for a person: taken over, written to, handed back, while the page looks by itself."""

from __future__ import annotations

from bot.desk.live import LONGEST
from bot.desk.office import Office
from bot.errors import DeskError
from bot.web.console.page import Address, Asked, Page, Shown


def draw(office: Office, asked: Asked) -> Shown:
    board = office.live.board(asked.user)
    values = {"board": board, "dossier": None, "longest": LONGEST}
    if not asked.address.rest:
        return Shown(values)
    dossier = office.conversations.opened(asked.user, _number(asked))
    last = dossier.exchanges[-1].turn.id if dossier.exchanges else None
    written = sum(len(one.said) for one in dossier.exchanges) + len(dossier.before)
    return Shown(values | {"dossier": dossier, "last": last, "written": written})


def take(office: Office, asked: Asked) -> Shown:
    office.live.take(asked.user, _number(asked))
    return Shown(said="You speak here now; the shopper is told.", go=_here(asked), done=True)


def hand_back(office: Office, asked: Asked) -> Shown:
    office.live.hand_back(asked.user, _number(asked))
    return Shown(said="The assistant speaks again.", go=Address("live"), done=True)


def say(office: Office, asked: Asked) -> Shown:
    office.live.say(asked.user, _number(asked), asked.text("text"))
    return Shown(done=True)


def _here(asked: Asked) -> Address:
    return Address("live", str(_number(asked)))


def _number(asked: Asked) -> int:
    """The conversation: of the form where a list offers several, else of the address."""
    given = asked.text("conversation") or asked.address.rest
    number = Address("live", given).number
    if number is None:
        raise DeskError("this address names no conversation")
    return number


PAGE = Page(
    path="live",
    title="Live",
    label="Live",
    role="agent",
    template="live.html",
    draw=draw,
    acts={"take": take, "hand_back": hand_back, "say": say},
    every=3.0,
    living=True,
    badge=lambda office, user: office.live.count(user),
    news="waiting for a person",
    keys={
        "j / k": "next or previous conversation of the list",
        "t": "take over",
        "e": "write",
        "Enter": "send what is being written",
        "h": "hand back to the assistant",
    },
)
