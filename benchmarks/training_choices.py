"""Tries what may make a small GPT-2 learn to bind its markers early: one short training each.

    python benchmarks/training_choices.py --corpus FILE [--minutes 8] [--only NAME …] [--out FILE]

Every choice starts from random weights and the same corpus and gets the same minutes of processor
time (not of the clock: the machine may be shared), one thread. Prints slot error on held-out prompts
at half time and at the end, lower is better, and tokens a second. Knows nothing of serving.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bot.evaluation.report import machine  # noqa: E402
from bot.training.curves import reports  # noqa: E402
from bot.training.trainer import Plan, train  # noqa: E402

BASE = Plan(threads=1, warmup_steps=100)
CHOICES: dict[str, Plan] = {
    "6 × 256, marker drills first": BASE,
    "no curriculum": replace(BASE, curriculum="none"),
    "short examples first": replace(BASE, curriculum="short"),
    "untied matrices": replace(BASE, tied=False),
    "batches of 640 tokens": replace(BASE, batch_tokens=640),
    "batches of 2,560 tokens": replace(BASE, batch_tokens=2560),
    "6 × 192": replace(BASE, width=192, heads=3),
    "6 × 320": replace(BASE, width=320, heads=5),
    "6 × 384": replace(BASE, width=384, heads=6),
    "4 × 320": replace(BASE, layers=4, width=320, heads=5),
    "torch.compile": replace(BASE, compiled=True),
}


def tried(plan: Plan, corpus: Path, minutes: float) -> dict[str, Any]:
    """Trains once; returns parameters, speed, and the reports at half time and at the end."""
    with tempfile.TemporaryDirectory(prefix="shopbot-choice-") as folder:
        out = Path(folder)
        train(
            replace(plan, minutes=minutes, report_every=minutes / 2 - 0.01, save_every=minutes * 2),
            out,
            given=corpus,
            clock=time.process_time,
        )
        first = json.loads((out / "log.jsonl").read_text(encoding="utf-8").splitlines()[0])
        found = reports(out / "log.jsonl")
    return {
        "parameters": first["parameters"],
        "tokens_per_second": found[-1]["tokens_per_second"],
        "reports": [
            {
                "minutes": report["minutes"],
                "tokens": report["tokens"],
                "slot_error": report["slot_error"],
                "valid_loss": report["valid_loss"],
            }
            for report in found
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--corpus", type=Path, required=True, help="of `shopbot corpus build`")
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--only", nargs="*", choices=list(CHOICES), default=list(CHOICES))
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "training_choices.json")
    options = parser.parse_args()
    shown: dict[str, Any] = {"machine": machine(), "minutes": options.minutes, "choices": {}}
    for name in options.only:
        shown["choices"][name] = tried(CHOICES[name], options.corpus, options.minutes)
        last = shown["choices"][name]["reports"][-1]["slot_error"]
        errors = ", ".join(f"{part} {100 * e['greedy']:.1f} %" for part, e in last.items())
        print(f"{name}: {errors}", flush=True)
        options.out.write_text(json.dumps(shown, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
