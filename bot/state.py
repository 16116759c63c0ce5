"""What a conversation remembers between turns. Kept as JSON with the conversation, so it survives
a restart. Holds no personal data in clear."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.understanding.constraints import Constraints
from bot.understanding.returning import Topic

LISTS_KEPT = 6
REPLIES_KEPT = 6
TOPICS_KEPT = 6
ACTS_KEPT = 12


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A request that waits for the shopper's yes.

    `about` says of a change what is to change ("address"); `noted` names the details in the
    conversation's language; `sealed` holds them, encrypted (see bot/sealing.py).
    """

    kind: str
    order_id: str
    about: str = ""
    noted: tuple[str, ...] = ()
    sealed: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DialogState:
    """`lists` are the product ids of earlier replies, newest last; `shown` those for this wish.

    `earlier` are the wishes talked about before this one, oldest first. `offered` are the options of
    a question or a suggestion, which stand for one message, as do the `departments` named when a wish
    was asked for; `settled` the words asked about so, that
    are not asked about again.

    `awaiting` is what the bot asked for: "", "order", "contact", "confirm", "detail" (which one says
    `wanted`), "callback" or "team". `verified` maps an order number to the ISO time until which it may
    be shown; `contacts` are keyed hashes. `question` is the last message with a request of its own,
    `tried` the latest acts, `recorded` the numbers of requests, `upset` how often the shopper
    complained and `complained` what the last complaint was answered with.
    """

    language: str = ""
    wish: str = ""
    constraints: Constraints = Constraints()
    earlier: tuple[Topic, ...] = ()
    offered: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    lists: tuple[tuple[str, ...], ...] = ()
    shown: tuple[str, ...] = ()
    focus: tuple[str, ...] = ()
    topic: str = ""
    asked: str = ""
    shopper: tuple[str, ...] = ()  # what they said to be: gold, of "I'm a gold member"
    awaiting: str = ""
    order_id: str = ""
    order_goal: str = ""
    verified: tuple[tuple[str, str], ...] = ()
    contacts: tuple[str, ...] = ()
    failed_proofs: int = 0
    pending: PendingRequest | None = None
    misses: int = 0
    recent: tuple[str, ...] = ()
    handed_off: bool = False
    wanted: str = ""
    question: str = ""
    tried: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()
    upset: int = 0
    complained: str = ""

    @property
    def last_list(self) -> tuple[str, ...]:
        return self.lists[-1] if self.lists else ()

    @property
    def recently_shown(self) -> tuple[str, ...]:
        """The products of the latest lists, the newest first."""
        return tuple(dict.fromkeys(pid for ids in reversed(self.lists[-3:]) for pid in ids))

    def with_list(self, ids: tuple[str, ...]) -> DialogState:
        if not ids:
            return self
        return replace(
            self,
            lists=(*self.lists, ids)[-LISTS_KEPT:],
            shown=tuple(dict.fromkeys(self.shown + ids)),
        )

    def with_wish(self, wish: str, constraints: Constraints) -> DialogState:
        """The state with another wish; the one before is kept, to come back to."""
        before = Topic(self.wish, self.constraints, self.last_list)
        kept = tuple(topic for topic in self.earlier if topic.wish not in (self.wish, wish))
        if self.wish and self.wish != wish:
            kept = (*kept, before)[-TOPICS_KEPT:]
        return replace(self, wish=wish, constraints=constraints, earlier=kept)

    def may_see(self, order_id: str, now: datetime) -> bool:
        return any(
            oid == order_id and now <= datetime.fromisoformat(until) for oid, until in self.verified
        )

    def as_dict(self) -> dict[str, Any]:
        data = asdict(replace(self, constraints=Constraints(), earlier=()))
        data["constraints"] = self.constraints.as_dict()
        data["earlier"] = [topic.as_dict() for topic in self.earlier]
        return data

    def as_trace(self) -> dict[str, Any]:
        """As `as_dict`, without the sealed details: traces are kept longer than they may be."""
        data = self.as_dict()
        if data["pending"]:
            data["pending"]["sealed"] = ""
        return data

    def without_pending(self) -> DialogState:
        """The state after a question that nobody will answer any more."""
        return replace(self, awaiting="", pending=None, wanted="")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DialogState:
        """Reads what `as_dict` wrote; fields of other versions are ignored."""
        if not data:
            return cls()
        known = {k: _frozen(v) for k, v in data.items() if k in cls.__dataclass_fields__}
        known["constraints"] = Constraints.from_dict(data.get("constraints", {}))
        known["earlier"] = tuple(Topic.from_dict(topic) for topic in data.get("earlier", ()))
        pending = data.get("pending")
        known["pending"] = _pending(pending) if pending else None
        return cls(**known)


def _pending(data: dict[str, Any]) -> PendingRequest:
    fields = PendingRequest.__dataclass_fields__
    return PendingRequest(**{k: _frozen(v) for k, v in data.items() if k in fields})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list | tuple) else value
