"""What agents approved and corrected, as pairs of an act and the words for it.

Only conversations whose shopper agreed to training are read; what belongs to a person's order is
masked, and what must not be learned from is kept out with the reason. Knows nothing about files.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, cast

from bot.corrections import Checked, check
from bot.promises import Never
from bot.training import poison
from bot.turn import Language
from bot.understanding.redaction import redact
from db.conversations import Conversation, TurnRecord
from db.reviews import Review
from prompts.acts import inventory
from prompts.filling import Tone, fill

Split = Literal["train", "held_back"]
Source = Literal["approved", "corrected"]

HELD_BACK = 0.25  # share of the conversations that no training sees
FEWEST = 20  # pairs to train on; fewer teach a model their words and no manner
_PRIVATE = frozenset({"order", "request"})  # sources of facts that are one person's
_LONG_NUMBER = re.compile(r"\d{4,}")  # an order's, whether it was proven or not


@dataclass(frozen=True, slots=True)
class Pair:
    """One act of a reviewed turn, and the words it should be said with.

    `marked` is what is to be learned, `shown` what the bot had said; both hold markers for values.
    `conversation` is a keyed hash. Values that are one person's are masked.
    """

    turn_id: int
    conversation: str
    split: Split
    language: Language
    act: str
    slots: tuple[str, ...]
    values: dict[str, str]
    tone: Tone
    message: str
    marked: str
    shown: str
    source: Source

    @property
    def text(self) -> str:
        """What is to be learned, with its values."""
        return fill(self.marked, self.values)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A reviewed turn, or one act of it, that nothing is learned from."""

    turn_id: int
    user_name: str
    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class ReviewedTurn:
    """A turn of which something is learned, as it is told outside the database.

    `reply` is what should have been said; `context` the messages before, the oldest first.
    """

    turn_id: int
    conversation: str
    split: Split
    language: str
    intent: str
    acts: tuple[str, ...]
    message: str
    shown: str
    reply: str
    verdict: str
    reason: str
    reviewer: str
    fallback: bool
    generator: str
    at: datetime
    context: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Harvest:
    """What the reviews of a shop come to. `refused` must not be learned from; `unaligned` cannot."""

    pairs: list[Pair] = field(default_factory=list)
    turns: list[ReviewedTurn] = field(default_factory=list)
    members: list[tuple[int, int]] = field(default_factory=list)  # (turn id, conversation id)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    refused: list[LeftOut] = field(default_factory=list)
    unaligned: list[LeftOut] = field(default_factory=list)
    corrections: int = 0
    without_consent: int = 0
    rejected: int = 0  # judged bad, and nobody said what would have been right
    duplicates: int = 0

    @property
    def fault(self) -> str:
        """What is wrong with the set as a whole, "" where nothing is."""
        kinds = [cast(poison.Kind, one.kind) for one in self.refused]
        return poison.too_many(kinds, self.corrections)

    @property
    def too_few(self) -> str:
        """Why nothing can be learned from so little, "" where there is enough."""
        counts = self.counts()
        train, held = counts["pairs"]["train"], counts["pairs"]["held_back"]
        if train >= FEWEST:
            return ""
        corrected = sum(any(p.source == "corrected" for p in self.pairs if p.turn_id == turn.turn_id)
                        for turn in self.turns)  # fmt: skip
        return (
            f"{corrected} corrections and {len(self.turns) - corrected} approvals are too few: they come "
            f"to {train} pairs to train on, with {held} held back and {self.duplicates} said before, and "
            f"{FEWEST} is the least that teaches more than its own words; review more conversations"
        )

    def counts(self) -> dict[str, Any]:
        """Everything that is counted of the set."""
        splits = Counter(pair.split for pair in self.pairs)
        return {
            "pairs": {"train": splits["train"], "held_back": splits["held_back"]},
            "sources": dict(Counter(pair.source for pair in self.pairs)),
            "languages": dict(Counter(pair.language for pair in self.pairs)),
            "acts": dict(Counter(pair.act for pair in self.pairs).most_common()),
            "turns": len(self.turns),
            "conversations": len(self.conversations),
            "corrections": self.corrections,
            "refused": dict(Counter(one.kind for one in self.refused)),
            "unaligned": len(self.unaligned),
            "without_consent": self.without_consent,
            "rejected_without_correction": self.rejected,
            "duplicates": self.duplicates,
        }


class Turns(Protocol):
    """What is read of the conversations."""

    def turn(self, turn_id: int) -> TurnRecord | None: ...
    def turns(self, conversation_id: int) -> list[TurnRecord]: ...
    def get(self, conversation_id: int) -> Conversation | None: ...


def harvest(
    conversations: Turns,
    reviews: Sequence[Review],
    *,
    secret: bytes,
    tone: Tone,
    never: Never,
    since: datetime | None = None,
) -> Harvest:
    """Reads the standing reviews; `secret` keys the names of conversations, `tone` is the shop's."""
    found = Harvest()
    judged: list[tuple[TurnRecord, Conversation, Review, Checked | None]] = []
    for review in reviews:
        if since is not None and review.created_at < since:
            continue
        turn = conversations.turn(review.turn_id)
        if turn is None or not turn.trace.get("segments"):
            continue
        talk = conversations.get(turn.conversation_id)
        if talk is None:
            continue
        if not talk.training_consent:
            found.without_consent += 1
        elif review.correction is not None:
            found.corrections += 1
            judged.append((turn, talk, review, check(turn, review.correction)))
        elif review.verdict == "good":
            judged.append((turn, talk, review, None))
        else:
            found.rejected += 1
    sound = _sound(judged, found, never)
    for turn, talk, review, checked in sound:
        name = _name(talk.id, secret)
        split: Split = "held_back" if _share(name) < HELD_BACK else "train"
        pairs = list(_pairs(turn, checked, name=name, split=split, tone=tone))
        if checked is not None:
            found.unaligned += [
                LeftOut(turn.id, review.user_name, "unaligned", why) for why in checked.unaligned
            ]
        if not pairs:
            continue
        found.pairs += pairs
        found.conversations[name] = talk
        found.members.append((turn.id, talk.id))
        found.turns.append(_told(turn, review, pairs, conversations.turns(talk.id)))
    _drop_duplicates(found)
    return found


def _sound(
    judged: Sequence[tuple[TurnRecord, Conversation, Review, Checked | None]],
    found: Harvest,
    never: Never,
) -> Iterator[tuple[TurnRecord, Conversation, Review, Checked | None]]:
    """Yields those that may be learned from, and notes the others."""
    corrected = {turn.id: checked for turn, _, _, checked in judged if checked is not None}
    said = {
        turn_id: [(part.act, part.marked) for part in checked.parts]
        for turn_id, checked in corrected.items()
    }
    alike = poison.constant(said)
    torn = poison.contradicting(_changes(judged))
    for turn, talk, review, checked in judged:
        if checked is not None:
            language = cast(Language, turn.language)
            why = poison.fault(
                checked,
                review.correction or "",
                shown=turn.reply_text,
                language=language,
                never=never,
            )
            if why is None and turn.id in alike:
                why = "constant", "the same words for different acts"
            if why is None and turn.id in torn:
                why = "contradiction", f"{review.user_name} has put the same otherwise elsewhere"
            if why is not None:
                found.refused.append(LeftOut(turn.id, review.user_name, *why))
                continue
        yield turn, talk, review, checked


def _changes(
    judged: Sequence[tuple[TurnRecord, Conversation, Review, Checked | None]],
) -> Iterator[poison.Change]:
    for turn, _, review, checked in judged:
        for part in checked.parts if checked else ():
            shown = next(
                segment["marked"]
                for segment in turn.trace["segments"]
                if (segment["act"], segment["slots"]) == (part.act, part.values)
            )
            thing = turn.language, part.act, tuple(part.values.items())
            yield poison.Change(
                turn.id, review.user_name, thing, turn.user_text, shown, part.marked
            )


def _pairs(
    turn: TurnRecord, checked: Checked | None, *, name: str, split: Split, tone: Tone
) -> Iterator[Pair]:
    """The acts of a turn with the words to learn; a notice is said in one way and not learned."""
    said = [(part.act, part.values, part.marked) for part in checked.parts] if checked else None
    sources = {fact["id"]: fact["source"] for fact in turn.trace["facts"]}
    for segment in turn.trace["segments"]:
        if segment["act"] not in inventory().acts:
            continue
        if said is None:
            marked = segment["marked"]
        else:
            own = [text for act, values, text in said
                   if act == segment["act"] and values == segment["slots"]]  # fmt: skip
            if not own:
                continue
            marked = own[0]
        values = {
            slot: _masked(value) if sources.get(segment["slot_facts"][slot]) in _PRIVATE else value
            for slot, value in segment["slots"].items()
        }
        yield Pair(
            turn_id=turn.id,
            conversation=name,
            split=split,
            language=cast(Language, turn.language),
            act=segment["act"],
            slots=tuple(segment["slots"]),
            values=values,
            tone=tone,
            message=_public(turn.user_text, turn),
            marked=marked,
            shown=segment["marked"],
            source="approved" if marked == segment["marked"] else "corrected",
        )


def _told(
    turn: TurnRecord, review: Review, pairs: Sequence[Pair], talk: Sequence[TurnRecord]
) -> ReviewedTurn:
    before = [one for one in talk if one.id < turn.id][-3:]
    context = [
        (role, _public(text, one))
        for one in before
        for role, text in (("user", one.user_text), ("assistant", one.reply_text))
    ]
    first = pairs[0]
    return ReviewedTurn(
        turn_id=turn.id,
        conversation=first.conversation,
        split=first.split,
        language=turn.language,
        intent=turn.intent,
        acts=tuple(pair.act for pair in pairs),
        message=first.message,
        shown="\n\n".join(fill(pair.shown, pair.values) for pair in pairs),
        reply="\n\n".join(pair.text for pair in pairs),
        verdict=review.verdict,
        reason=review.reason or "",
        reviewer=review.user_name,
        fallback=turn.fallback,
        generator=f"{turn.generator_name} {turn.generator_version}".strip(),
        at=turn.created_at,
        context=tuple(context),
    )


def _public(text: str, turn: TurnRecord) -> str:
    """A text of the turn without personal data, what is one person's masked, nor long numbers."""
    for fact in turn.trace["facts"]:
        if fact["source"] in _PRIVATE and fact["text"]:
            text = text.replace(fact["text"], _masked(fact["text"]))
    return _LONG_NUMBER.sub(lambda found: _masked(found[0]), redact(text).text)


def _drop_duplicates(found: Harvest) -> None:
    """Keeps the first of equal pairs, of the part that is trained on where both have it."""
    kept: dict[tuple[object, ...], Pair] = {}
    for pair in sorted(found.pairs, key=lambda one: (one.split != "train", one.turn_id)):
        key = (pair.language, pair.act, pair.slots, tuple(pair.values.items()),
               pair.message.casefold(), pair.marked)  # fmt: skip
        kept.setdefault(key, pair)
    found.duplicates = len(found.pairs) - len(kept)
    found.pairs = sorted(kept.values(), key=lambda one: (one.turn_id, one.act))


def _masked(value: str) -> str:
    """The value with its figures as 0: a date stays a date, and nobody's order can be told by it."""
    return re.sub(r"\d", "0", value)


def _name(conversation_id: int, secret: bytes) -> str:
    message = f"export/{conversation_id}".encode()
    return hmac.new(secret, message, hashlib.sha256).hexdigest()[:16]


def _share(name: str) -> float:
    """Where a name stands between 0 and 1; the same in every export of a home."""
    return int(name[:8], 16) / 16**8


def by_conversation(turns: Sequence[ReviewedTurn]) -> Mapping[str, list[ReviewedTurn]]:
    """The turns of each conversation, in order."""
    grouped: dict[str, list[ReviewedTurn]] = {}
    for turn in turns:
        grouped.setdefault(turn.conversation, []).append(turn)
    return grouped
