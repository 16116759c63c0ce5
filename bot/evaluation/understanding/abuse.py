"""How well insults are told from civil talk, and that none of their words reaches a reply.

The posts are what the shipped head was fitted to, so recall is that of heads fitted without the
fifth that each post is in. Knows nothing about what is answered to an insult.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bot.evaluation.understanding.intents import opening
from bot.training.files import lines, rows
from bot.training.heads import abuse_rows, unseen_scores
from bot.understanding.intents import INSULT, insult


def measure(data: Path) -> dict[str, Any]:
    """Returns recall and false alarms by language; false alarms on tickets are the shipped head's."""
    losses: list[dict[str, str]] = []
    figures: dict[str, Any] = {}
    for language in ("en", "zh"):
        found = abuse_rows(language, data)
        scores = unseen_scores(found, language, None)
        chance = 1 / (1 + np.exp(scores[:, 0] - scores[:, 1]))
        posts = {row["text"] for row in rows(data / "safety-abuse" / f"offensive_{language}.csv")}
        at = np.array([row.text in posts for row in found])
        insults = np.array([row.label == "insult" for row in found])[at]
        told = chance[at] >= INSULT
        figures[language] = {
            "posts": len(insults),
            "recall": round(float(told[insults].mean()), 4),
            "civil_posts_misread": round(float(told[~insults].mean()), 4),
        }
    tickets = [opening(line) for line in lines(data / "eshop-support" / "tickets.jsonl")]
    misread = [text for text in tickets if insult(text, "en") >= INSULT]
    losses += [{"set": "tickets", "text": text[:200]} for text in misread]
    figures["tickets_misread"] = round(len(misread) / len(tickets), 4) if tickets else 0.0
    return figures | {"losses": losses}
