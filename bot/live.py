"""While a person speaks in a conversation: what the shopper writes is kept, and the bot is silent.

Knows nothing of how the person is told, or how the shopper's page learns what they wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from bot.turn import ChatRequest, Language, Reply
from bot.understanding.language import language_of
from bot.understanding.redaction import redact
from bot.web.payload import reply_payload
from bot.web.service import Presence, TranscriptEntry
from db.conversations import Conversation, NewTurn, TurnRecord
from db.desk import AgentMessage, Case

PERSON = "person"  # in the place of a generator's name
_ARRIVED = {
    "en": "{} has joined the conversation and answers you here.",
    "zh": "{}已加入对话，会在这里回复您。",
}


def taken_turn(
    request: ChatRequest, message: str, conversation: Conversation, *, name: str, first: bool
) -> tuple[NewTurn, Reply]:
    """Returns the turn of a message to the person `name`, and the reply to it.

    The first message is told who is there; the others get no words, the person writes them.
    """
    language = _language(message, conversation, request)
    reply = Reply(
        session_id="",
        turn_id=0,
        text=_ARRIVED[language].format(name) if first else "",
        language=language,
        intents=("handoff",),
        handoff=True,
        generator_name=PERSON,
        speaker=name,
    )
    payload = reply_payload(reply)
    payload.pop("session_id")
    payload.pop("turn_id")
    turn = NewTurn(
        user_text=redact(message).text,
        reply_text=reply.text,
        language=language,
        intent="handoff",
        intents=("handoff",),
        acts=(),
        payload=payload,
        trace={
            "understanding": {"requests": []},
            "decisions": [f"{name} speaks in this conversation"],
            "hits": [],
            "facts": [],
            "segments": [],
            "timings_ms": payload["timings_ms"],
        },
        generator_name=PERSON,
        generator_version="",
        prompt_version="",
        fallback=False,
        client_message_id=request.client_message_id,
    )
    return turn, reply


def is_first(turns: Sequence[TurnRecord], name: str) -> bool:
    """Whether the shopper has not been told yet that this person is there."""
    return not turns or turns[-1].payload.get("speaker") != name


def presence(case: Case, said: Sequence[AgentMessage]) -> Presence:
    """What the shopper's page is told of who is there."""
    return Presence(
        case.taken_by, case.waiting_since is not None, tuple(_entry(message) for message in said)
    )


def woven(
    entries: Sequence[TranscriptEntry], said: Sequence[AgentMessage]
) -> tuple[TranscriptEntry, ...]:
    """Returns the messages of shopper and bot with those of agents where they were written.

    A reply without words is left out.
    """
    woven: list[TranscriptEntry] = []
    waiting = [_entry(message) for message in said]
    shown = [entry for entry in entries if entry.text or entry.role == "shopper"]
    for entry in shown:
        while waiting and waiting[0].turn_id < entry.turn_id:
            woven.append(waiting.pop(0))
        woven.append(entry)
    return (*woven, *waiting)


def _entry(message: AgentMessage) -> TranscriptEntry:
    return TranscriptEntry(
        "agent",
        message.text,
        message.created_at,
        message.after_turn or 0,
        speaker=message.user_name,
        message_id=message.id,
    )


def _language(message: str, conversation: Conversation, request: ChatRequest) -> Language:
    told, _ = language_of(message, before=conversation.language, locale=request.locale)
    return cast(Language, told)
