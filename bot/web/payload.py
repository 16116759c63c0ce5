"""The JSON of the HTTP contract, drawn from the values of a turn. Knows nothing about HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bot.turn import Reply
from bot.web.service import Transcript

STAGES = ("understand", "retrieve", "generate", "verify", "total")


def reply_payload(reply: Reply) -> dict[str, Any]:
    """Returns the body of `POST /api/chat`: every key of the contract, always present."""
    return {
        "session_id": reply.session_id,
        "turn_id": reply.turn_id,
        "reply": reply.text,
        "language": reply.language,
        "intent": reply.intents[0] if reply.intents else "unclear",
        "intents": list(reply.intents),
        "products": [asdict(card) for card in reply.products],
        "comparison": None
        if reply.comparison is None
        else {
            "columns": list(reply.comparison.columns),
            "rows": [
                {"label": row.label, "values": list(row.values)} for row in reply.comparison.rows
            ],
        },
        "citations": [asdict(citation) for citation in reply.citations],
        "derived": [
            {"value": derived.value, "op": derived.op, "of": list(derived.of)}
            for derived in reply.derived
        ],
        "request": None if reply.request is None else asdict(reply.request),
        "suggestions": list(reply.suggestions),
        "handoff": reply.handoff,
        "speaker": reply.speaker,
        "grounding": {
            "checked": True,
            # What is shown has passed: a reply with an unsupported claim is never built.
            "unsupported": [],
            "attempts": reply.attempts,
            "fallback": reply.fallback,
        },
        "generator": {"name": reply.generator_name, "version": reply.generator_version},
        "timings_ms": dict.fromkeys(STAGES, 0.0) | dict(reply.timings_ms),
    }


def transcript_payload(session_id: str, transcript: Transcript) -> dict[str, Any]:
    """Returns the body of `GET /api/conversations/current`."""
    return {
        "session_id": session_id,
        "entries": [
            {
                "role": entry.role,
                "text": entry.text,
                "created_at": entry.created_at.isoformat(),
                "turn_id": entry.turn_id,
                "score": entry.score,
                "speaker": entry.speaker,
                "payload": entry.payload,
            }
            for entry in transcript
        ],
    }
