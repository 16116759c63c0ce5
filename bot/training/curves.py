"""Draws the curves of a training from its log: loss, and slot error of each part of the probe.

matplotlib is an extra; without it nothing is drawn. Knows nothing about the training itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def reports(log: Path) -> list[dict[str, Any]]:
    """Lists the reports of a training log, oldest first."""
    with log.open(encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    return [record for record in records if record["event"] == "report"]


def draw(log: Path, picture: Path) -> bool:
    """Draws `picture` (PNG); returns False where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        return False
    found = reports(log)
    minutes = [record["minutes"] for record in found]
    figure = Figure(figsize=(10, 4), layout="constrained")
    losses, errors = figure.subplots(1, 2)
    for name in ("train_loss", "valid_loss"):
        losses.plot(minutes, [r[name] for r in found], marker=".", label=name.replace("_", " "))
    for part in sorted({part for record in found for part in record.get("valid_losses", ())}):
        values = [r["valid_losses"][part] for r in found]
        losses.plot(minutes, values, ":", marker=".", label=f"valid loss, {part}")
    losses.set(xlabel="minutes of work", ylabel="loss, nats per reply token", ylim=(0, None))
    losses.legend()
    parts = sorted({part for record in found for part in record["slot_error"]})
    for number, part in enumerate(parts):
        for how, line in (("greedy", "-"), ("best_of_4", ":")):
            values = [100 * record["slot_error"][part][how] for record in found]
            errors.plot(
                minutes, values, line, marker=".", color=f"C{number}", label=f"{part}, {how}"
            )
    errors.set(xlabel="minutes of work", ylabel="slot error, % (lower is better)", ylim=(0, None))
    errors.legend(fontsize="small")
    figure.savefig(picture, dpi=110)
    return True
