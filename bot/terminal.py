"""Replies and traces as plain text for a terminal. Knows nothing about how they came to be."""

from __future__ import annotations

import json
from typing import Any

from bot.turn import Card, Reply


def reply_as_text(reply: Reply) -> str:
    """The reply with its cards, table, citations and suggestions."""
    parts = [reply.text]
    parts += [_card(number, card) for number, card in enumerate(reply.products, 1)]
    if reply.comparison:
        parts += [f"  {row.label}: {' | '.join(row.values)}" for row in reply.comparison.rows]
    parts += [f"  [{c.source}] {c.title}: “{c.quote}”" for c in reply.citations]
    if reply.suggestions:
        parts.append("  → " + " · ".join(reply.suggestions))
    return "\n".join(parts) + "\n"


def _card(number: int, card: Card) -> str:
    shown = card.variant or card  # of forms that were named, their own price and stock
    form = f" ({card.variant.label})" if card.variant else ""
    price = "" if shown.price is None else f" {shown.price}"
    if shown.price_to:
        price += f"–{shown.price_to}"
    stock = {True: " · in stock", False: " · out of stock", None: ""}[shown.in_stock]
    rating = "" if card.rating is None else f" · ★ {card.rating:g}"
    currency = f" {shown.currency}" if shown.currency and price else ""
    reason = f"\n      {card.reason}" if card.reason else ""
    return f"  {number}. {card.title}{form}{price}{currency}{stock}{rating}{reason}"


def trace_as_text(record: Any) -> str:
    """Why a turn went as it did: what was understood, decided, found, proposed and refused."""
    trace = record.trace
    lines = [
        f"turn {record.id}  {record.created_at:%Y-%m-%d %H:%M}",
        f"shopper: {record.user_text}",
    ]
    if not trace:
        gone = "why it went so was deleted by age (privacy.traces_days)"
        return "\n".join([*lines, f"reply: {record.reply_text}", gone])
    for request in trace["understanding"]["requests"]:
        lines.append(
            f"intent {request['intent']} ({request['why']}); search words: {request['query']!r}"
        )
        lines += [
            f"  condition {kind}: from “{words}”" for kind, words in request["constraints"]["words"]
        ]
        scores = ", ".join(f"{name} {p}" for name, p in request["scores"])
        lines.append(f"  scores: {scores}")
    lines += _carried(trace.get("state", {}))
    lines += [f"decided {why}" for why in trace["decisions"]]
    for hit in trace["hits"][:5]:
        parts = ", ".join(f"{k} {v:.2f}" for k, v in hit["parts"].items())
        lines.append(f"hit {hit['rank']}: {hit['id']} {hit['score']:.3f} ({parts})")
    for segment in trace["segments"]:
        lines.append(f"act {segment['act']} by {segment['generator']}: {segment['marked']}")
        lines.append(f"  slots {json.dumps(segment['slots'], ensure_ascii=False)}")
        for candidate in segment["candidates"]:
            lines += _candidate(candidate)
    lines.append(f"reply: {record.reply_text}")
    lines.append(
        f"generator {record.generator_name} {record.generator_version}; prompts {record.prompt_version}"
    )
    lines.append(f"timings {trace['timings_ms']}")
    return "\n".join(lines)


def _carried(state: Any) -> list[str]:
    """What the conversation wishes after this turn, each condition with the words it came from."""
    if not state.get("wish") and not state.get("constraints", {}).get("words"):
        return []
    lines = [f"wish so far: {state['wish']!r}"]
    lines += [f"  carried {kind}: “{words}”" for kind, words in state["constraints"]["words"]]
    lines += [f"  earlier wish: {topic['wish']!r}" for topic in state.get("earlier", ())]
    return lines


def _candidate(note: Any) -> list[str]:
    """A candidate as the phraser noted it: its rank and what that is the sum of, then why it was
    refused; turns of older versions noted less."""
    mark = "*" if note.get("chosen") else " "
    rank = "plain" if note.get("plain") else f"{note.get('rank', note.get('logprob', 0)):.2f}"
    parts = ", ".join(f"{name} {value:+.2f}" for name, value in note.get("parts", {}).items())
    lines = [f"  {mark} candidate {rank}: {note['marked']}"]
    if "written" in note:
        lines.append(f"      written: {note['written']}")
    if parts:
        lines.append(f"      rank {rank} = {parts}")
    slots = [
        f"{fault} {', '.join(names)}" for fault, names in note.get("coverage", {}).items() if names
    ]
    if slots:
        lines.append(f"      slots: {'; '.join(slots)}")
    if note.get("verdict"):
        lines.append(f"      without a source: {'; '.join(note['verdict'])}")
    refused = note.get("refused")
    if refused:
        lines.append(f"      REFUSED {refused if isinstance(refused, str) else 'by the verifier'}")
    return lines
