"""How well intents are told: public customer-service messages by name, others' business kept out.

Every message is a first one: it goes through redaction, the rules and the heads as a shopper's would,
over a shop that is open. Knows nothing about how an intent is decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bot.evaluation.understanding.shops import shop_of
from bot.state import DialogState
from bot.training.files import lines, rows
from bot.training.heads import BITEXT, CLINC, CLINC_LEFT_OUT
from bot.understanding.understand import Understander

OUTSIDE = "out_of_scope"
KEPT_LOSSES = 40
# tags of the customer-service set: typing mistakes, keywords only
VARIATIONS = {"typos": "Z", "keywords": "K"}


def measure(data: Path, home: Path) -> dict[str, Any]:
    """Returns figures and losses; `home` is an empty folder for the shops that are asked."""
    losses: list[dict[str, str]] = []
    with shop_of("contoso-outdoor", data, home / "contoso-outdoor") as shop:
        named = _named(shop.dialog.understander, data, losses)
        english = _outside(shop.dialog.understander, _clinc(data), losses)
    with shop_of("eshop-support", data, home / "eshop-support") as shop:
        tickets = _tickets(shop.dialog.understander, data, losses)
    with shop_of("litemall-zh", data, home / "litemall-zh") as shop:
        travel = [
            (row["text"], row["domain"]) for row in rows(data / "oos-travel-zh/utterances.csv")
        ]
        chinese = _outside(shop.dialog.understander, travel, losses)
    return {
        "customer_service": named,
        "out_of_scope_en": english,
        "out_of_scope_zh": chinese,
        "tickets": tickets,
        "losses": losses,
    }


def _told(understander: Understander, text: str) -> str:
    return understander.understand(text, state=DialogState(), locale=None).intents[0]


def _named(understander: Understander, data: Path, losses: list[dict[str, str]]) -> dict[str, Any]:
    """Macro-F1 over the classes of the mapping, over all rows and over its typos and keywords."""
    pairs, tags = [], []
    for row in rows(data / "intents-customer-service" / "test.csv"):
        wanted = BITEXT.get(row["intent"], "policy_question")
        told = _told(understander, row["utterance"])
        pairs.append((wanted, told))
        tags.append(row["tags"])
        if told != wanted:
            losses.append({"set": "customer service", "text": row["utterance"], "told": told})
    figures: dict[str, Any] = {"messages": len(pairs), "macro_f1": macro_f1(pairs)}
    for name, letter in VARIATIONS.items():
        chosen = [pair for pair, tag in zip(pairs, tags, strict=True) if letter in tag]
        figures[name] = {"messages": len(chosen), "macro_f1": macro_f1(chosen)}
    return figures


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean of F1 over the classes that are wanted; pairs are (wanted, told)."""
    wanted, told, both = Counter(w for w, _ in pairs), Counter(t for _, t in pairs), Counter[str]()
    both.update(w for w, t in pairs if w == t)
    each = [2 * both[name] / (count + told[name]) for name, count in wanted.items()]
    return round(sum(each) / len(each), 4) if each else 0.0


def _clinc(data: Path) -> list[tuple[str, str]]:
    """What a general assistant is asked, without what a shop may serve (and its small talk)."""
    kept = (
        row
        for row in rows(data / "intents-oos-clinc" / "test.csv")
        if row["intent"] not in CLINC_LEFT_OUT and row["intent"] not in CLINC
    )
    return [(row["text"], row["intent"]) for row in kept]


def _outside(
    understander: Understander, texts: Iterable[tuple[str, str]], losses: list[dict[str, str]]
) -> dict[str, Any]:
    told = [(kind, text, _told(understander, text)) for text, kind in texts]
    missed = [entry for entry in told if entry[2] != OUTSIDE]
    losses += [
        {"set": "out of scope", "kind": kind, "text": text, "told": intent}
        for kind, text, intent in missed[:KEPT_LOSSES]
    ]
    unnamed = [intent for kind, _, intent in told if kind == "oos"]
    figures: dict[str, Any] = {
        "messages": len(told),
        "recall": _share(intent == OUTSIDE for _, _, intent in told),
        "told_instead": dict(Counter(intent for *_, intent in missed).most_common()),
    }
    if unnamed:
        figures["recall_of_unnamed"] = _share(intent == OUTSIDE for intent in unnamed)
    return figures


def _tickets(
    understander: Understander, data: Path, losses: list[dict[str, str]]
) -> dict[str, Any]:
    told = []
    for line in lines(data / "eshop-support" / "tickets.jsonl"):
        text = opening(line)
        told.append(_told(understander, text))
        if told[-1] == OUTSIDE:
            losses.append({"set": "tickets", "text": text[:200], "told": OUTSIDE})
    return {
        "messages": len(told),
        "out_of_scope": _share(intent == OUTSIDE for intent in told),
        "intents": dict(Counter(told).most_common()),
    }


def opening(ticket: dict[str, Any]) -> str:
    """The customer's first message of a support thread."""
    first = ticket["messages"][0]
    return str(first if isinstance(first, str) else first["text"])


def _share(held: Iterable[bool]) -> float:
    known = list(held)
    return round(sum(known) / len(known), 4) if known else 0.0
