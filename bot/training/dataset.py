"""A training set as a folder: what was harvested in files that people and other programs read, with a
data card, and read back for a training.

It is written beside its place and then renamed, so that nobody meets half of one. Knows nothing
about where reviews come from or how they are learned.

    pairs.jsonl          acts with slots and the marked text to learn; what `shopbot finetune` reads
    preferences.jsonl    prompt, chosen (corrected), rejected (shown)
    chat.jsonl           messages as chat models are tuned on, the last one the reply to learn
    turns.csv            one reviewed turn a row
    conversations.csv    one conversation a row
    refused.csv          what must not be learned from, with the reason
    unaligned.csv        what cannot be read back into acts and slots, with the reason
    export.json          counts, digest, settings
    DATA_CARD.md         the same for people
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from bot.errors import ConfigError
from bot.training.harvest import Harvest, LeftOut, Pair, ReviewedTurn, by_conversation
from prompts.acts import inventory
from prompts.filling import FORMAT_VERSION, hints_of, prompt_of

PAIRS = "pairs.jsonl"
ABOUT = "export.json"
VERSION = 1
_DIGESTED = (PAIRS, "preferences.jsonl", "chat.jsonl", "turns.csv", "conversations.csv")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run what begins so


@dataclass(frozen=True, slots=True)
class Exported:
    """A training set that was read back."""

    path: Path
    digest: str
    about: dict[str, Any]
    pairs: tuple[Pair, ...]


def write(
    found: Harvest,
    folder: Path,
    *,
    shop: str,
    settings: Mapping[str, Any],
    now: datetime,
    known: Callable[[Exported], object] = lambda exported: None,
) -> Exported:
    """Writes a set into a new folder below `folder` and returns it.

    `known` is told of it before the folder has its name, so that no set lies about that erasing a
    conversation would not find. Raises ConfigError where the folder cannot be written.
    """
    files = {
        PAIRS: _lines(_pair(pair) for pair in found.pairs),
        "preferences.jsonl": _lines(_preference(pair) for pair in found.pairs if pair.source == "corrected"),
        "chat.jsonl": _lines(_chat(turn) for turn in found.turns),
        "turns.csv": _turns(found.turns),
        "conversations.csv": _conversations(found),
        "refused.csv": _left_out(found.refused),
        "unaligned.csv": _left_out(found.unaligned),
    }  # fmt: skip
    digest = _digest({name: files[name].encode() for name in _DIGESTED})
    about = {
        "version": VERSION,
        "shop": shop,
        "created_at": now.isoformat(),
        "digest": digest,
        "acts": inventory().version,
        "prompt_format": FORMAT_VERSION,
        "settings": dict(settings),
        "counts": found.counts(),
    }
    files[ABOUT] = json.dumps(about, ensure_ascii=False, indent=1) + "\n"
    files["DATA_CARD.md"] = card(about)
    target = folder / f"{now:%Y%m%d-%H%M%S}-{digest[:12]}"
    fresh = folder / f".{target.name}.new"
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        for name, text in files.items():
            with (fresh / name).open("w", encoding="utf-8", newline="") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
        exported = Exported(target, digest, about, tuple(found.pairs))
        known(exported)
        if target.exists():  # the same reviews in the same second
            shutil.rmtree(target)
        fresh.rename(target)
    except OSError as error:
        raise ConfigError(f"the set cannot be written to {folder}: {error.strerror}") from None
    return exported


def read(folder: Path) -> Exported:
    """Reads a set back. Raises ConfigError where it is none, or was changed since it was written."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        held = {name: (folder / name).read_bytes() for name in _DIGESTED}
        if about["version"] != VERSION:
            raise ConfigError(
                f"{folder} was written by another release: run `shopbot export` again"
            )
        if _digest(held) != about["digest"]:
            raise ConfigError(
                f"{folder} was changed after it was written: run `shopbot export` again"
            )
        rows = [json.loads(line) for line in held[PAIRS].decode("utf-8").splitlines()]
        pairs = tuple(Pair(**_of(row)) for row in rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{folder} is no set of `shopbot export` ({error})") from None
    return Exported(folder, about["digest"], about, pairs)


def card(about: Mapping[str, Any]) -> str:
    """The data card, as Markdown."""
    counts = about["counts"]
    lines = [
        f"# Training set of {about['shop'] or 'the shop'}",
        "",
        f"Written {about['created_at']}; SHA-256 {about['digest']}; acts version {about['acts']}, "
        f"prompt format {about['prompt_format']}.",
        "",
        "Replies that the shop's own people approved or corrected, from conversations whose shopper "
        "agreed to training. Personal data is redacted; of orders and requests every figure is 0. "
        "Whole conversations are held back, so that no training sees a turn that it is judged on.",
        "",
        "| | |",
        "|---|---:|",
        f"| pairs to train on | {counts['pairs']['train']} |",
        f"| pairs held back | {counts['pairs']['held_back']} |",
        f"| of corrected text, of approved text | {counts['sources'].get('corrected', 0)}, {counts['sources'].get('approved', 0)} |",
        f"| turns, conversations | {counts['turns']}, {counts['conversations']} |",
        f"| duplicates dropped | {counts['duplicates']} |",
        f"| acts of corrections that could not be read back into slots | {counts['unaligned']} |",
        f"| reviews without the shopper's consent | {counts['without_consent']} |",
        f"| judged bad without a correction | {counts['rejected_without_correction']} |",
        f"| corrections that must not be learned from | {sum(counts['refused'].values())} |",
        *(f"| … {kind} | {count} |" for kind, count in counts["refused"].items()),
        "",
        "| language, act | pairs |",
        "|---|---:|",
        *(f"| {name} | {count} |" for name, count in counts["languages"].items()),
        *(f"| {name} | {count} |" for name, count in counts["acts"].items()),
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def _pair(pair: Pair) -> dict[str, Any]:
    return asdict(pair) | {"text": pair.text}


def _of(row: dict[str, Any]) -> dict[str, Any]:
    row = {name: value for name, value in row.items() if name != "text"}
    return row | {"slots": tuple(cast(Sequence[str], row["slots"]))}


def _preference(pair: Pair) -> dict[str, Any]:
    hints = hints_of(pair.language, pair.values)
    prompt = prompt_of(
        pair.language, pair.act, pair.slots, pair.message, tone=pair.tone, hints=hints
    )
    return {
        "turn_id": pair.turn_id,
        "split": pair.split,
        "prompt": prompt,
        "chosen": pair.marked,
        "rejected": pair.shown,
    }


def _chat(turn: ReviewedTurn) -> dict[str, Any]:
    said = [*turn.context, ("user", turn.message), ("assistant", turn.reply)]
    messages = [{"role": role, "content": text} for role, text in said if text]
    return {"turn_id": turn.turn_id, "split": turn.split, "messages": messages}


def _lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _turns(turns: Sequence[ReviewedTurn]) -> str:
    head = ("turn_id", "conversation", "split", "at", "language", "intent", "acts", "message", "shown",
            "reply", "verdict", "reason", "reviewer", "fallback", "generator")  # fmt: skip
    rows = (
        (t.turn_id, t.conversation, t.split, t.at.isoformat(), t.language, t.intent,
         " ".join(t.acts), t.message, t.shown, t.reply, t.verdict, t.reason, t.reviewer,
         int(t.fallback), t.generator)
        for t in turns
    )  # fmt: skip
    return _csv(head, rows)


def _conversations(found: Harvest) -> str:
    head = ("conversation", "split", "began_at", "language", "reviewed_turns", "corrected",
            "handed_over")  # fmt: skip
    corrected = {pair.turn_id for pair in found.pairs if pair.source == "corrected"}
    rows = (
        (name, turns[0].split, found.conversations[name].created_at.isoformat(),
         found.conversations[name].language, len(turns),
         sum(turn.turn_id in corrected for turn in turns),
         int(found.conversations[name].handed_off))
        for name, turns in by_conversation(found.turns).items()
    )  # fmt: skip
    return _csv(head, rows)


def _left_out(found: Sequence[LeftOut]) -> str:
    rows = ((one.turn_id, one.user_name, one.kind, one.why) for one in found)
    return _csv(("turn_id", "reviewer", "kind", "why"), rows)


def _csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
    return out.getvalue()


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    return digest.hexdigest()
