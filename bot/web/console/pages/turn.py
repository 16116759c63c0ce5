"""One turn in its conversation: what was said, why, what is thought of it, and how the case stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.desk.conversations import REASONS as HANDED_OVER
from bot.desk.office import Office
from bot.desk.reviews import Judged, parted
from bot.errors import DeskError
from bot.web.console.page import Address, Asked, Page, Shown
from bot.web.console.pages.queue import query_of, wanted_of
from db.desk import OUTCOMES
from db.reviews import REASONS, Review


def draw(office: Office, asked: Asked) -> Shown:
    turn_id = _turn(asked)
    user = asked.user
    dossier = office.conversations.of_turn(user, turn_id)
    exchange = dossier.exchange(turn_id)
    if exchange is None:
        raise DeskError(f"there is no turn {turn_id}: it may have been erased")
    wanted = wanted_of(asked.address.query)
    query = query_of(wanted) if asked.address.query else {}
    following = office.queue.following(user, wanted, turn_id) if query else None
    newest = exchange.reviews[0] if exchange.reviews else None
    corrected = next((one.correction for one in exchange.reviews if one.correction), None)
    return Shown(
        {
            "dossier": dossier,
            "exchange": exchange,
            "why": office.traces.why(user, turn_id),
            "next": Address("turn", str(following), query) if following else None,
            "queue": Address("queue", "", query),
            "in_queue": bool(query),
            "links": {
                one.turn.id: Address("turn", str(one.turn.id), query) for one in dossier.exchanges
            },
            "reasons": REASONS,
            "reason": newest.reason if newest and newest.verdict == "bad" else "",
            "seen": newest.id if newest else "",
            "text": corrected or exchange.turn.reply_text,
            "parts": [],
            "lacking": (),
            "promised": "",
            "checked": None,
            "agents": office.queue.choices(user).agents,
            "outcomes": OUTCOMES,
            "handed_over": HANDED_OVER,
        }
    )


def good(office: Office, asked: Asked) -> Shown:
    judged = office.reviews.good(asked.user, _turn(asked), seen=_seen(asked))
    return Shown(said=_told("Saved: this reply is good.", judged, _seen(asked)), done=True)


def bad(office: Office, asked: Asked) -> Shown:
    text, reason = asked.text("text"), asked.text("reason")
    typed = {"text": text, "reason": reason}
    try:
        judged = office.reviews.bad(
            asked.user, _turn(asked), reason=reason, text=text, seen=_seen(asked)
        )
    except DeskError as error:
        return Shown(typed, said=f"{error}.", bad=True)
    if judged.review is None:
        return _refused(judged, text, typed)
    told = "Saved: this reply is bad"
    told += ", and what should have been said is kept." if judged.review.correction else "."
    if judged.checked and judged.checked.unaligned:
        told += f" Nothing is learned from a part of it: {'; '.join(judged.checked.unaligned)}."
    return Shown(said=_told(told, judged, _seen(asked)), done=True)


def check(office: Office, asked: Asked) -> Shown:
    text = asked.text("text")
    typed = {"text": text, "reason": asked.text("reason")}
    try:
        judged = office.reviews.check(asked.user, _turn(asked), text)
    except DeskError as error:
        return Shown(typed, said=f"{error}.", bad=True)
    if not judged.ok:
        return _refused(judged, text, typed)
    return Shown(typed | {"checked": judged.checked}, said="Every claim of the text has a source.")


def _refused(judged: Judged, text: str, typed: dict[str, str]) -> Shown:
    words = judged.checked.unsupported if judged.checked else ()
    marked = [*words, judged.promised]
    told = "Not saved: the marked words have no source among the facts of this turn."
    if not words:
        told = f"Not saved: the shop never promises “{judged.promised}” (chat.promise_never)."
    values = {"parts": parted(text, marked), "lacking": words, "promised": judged.promised}
    return Shown(typed | values, said=told, bad=True)


def _told(text: str, judged: Judged, seen: int | None) -> str:
    """What is said of a review that was kept, and of those that came in between."""
    others = [one for one in judged.unseen if seen is not None or one.correction]
    return f"{text} {' '.join(map(_came_between, others))}".strip()


def _came_between(review: Review) -> str:
    what = "corrected it" if review.correction else f"judged it {review.verdict}"
    return f"{review.user_name} had {what} meanwhile; both are kept, and yours counts."


def _case(change: Callable[[Office, Asked, int], str]) -> Callable[[Office, Asked], Shown]:
    """A form that changes the case of the conversation that the turn is of."""

    def act(office: Office, asked: Asked) -> Shown:
        dossier = office.conversations.of_turn(asked.user, _turn(asked))
        return Shown(said=change(office, asked, dossier.conversation.id), done=True)

    return act


def _assign(office: Office, asked: Asked, number: int) -> str:
    name = asked.text("agent")
    office.conversations.assign(asked.user, number, name)
    return f"Assigned to {name}." if name else "Assigned to nobody."


def _tag(office: Office, asked: Asked, number: int) -> str:
    office.conversations.tag(asked.user, number, asked.text("tags"))
    return "The tags are saved."


def _write_note(office: Office, asked: Asked, number: int) -> str:
    office.conversations.note(asked.user, number, asked.text("note"))
    return "The note is saved; the shopper never sees it."


def _end(office: Office, asked: Asked, number: int) -> str:
    outcome = asked.text("outcome")
    office.conversations.end(asked.user, number, outcome, asked.text("why"))
    return f"The conversation is {outcome.replace('_', ' ')}." if outcome else "It is open again."


def _turn(asked: Asked) -> int:
    number = asked.address.number
    if number is None:
        raise DeskError("this address names no turn")
    return number


def _seen(asked: Asked) -> int | None:
    return replace(asked.address, rest=asked.text("seen")).number


PAGE = Page(
    path="turn",
    title="Turn",
    under="queue",
    role="agent",
    template="turn.html",
    draw=draw,
    acts={
        "good": good,
        "bad": bad,
        "check": check,
        "assign": _case(_assign),
        "tag": _case(_tag),
        "note": _case(_write_note),
        "end": _case(_end),
    },
    keys={
        "n": "next turn of the queue",
        "g": "the reply is good",
        "b": "the reply is bad: choose a reason",
        "e": "write what should have been said",
        "a": "assign it to me",
        "t": "write a note",
        "q": "back to the queue",
    },
)
