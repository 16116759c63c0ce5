"""What the benchmarks of the learning loop share: the example shop in a home of its own, its commands, and
what its shoppers say first and last."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bot.example_shop import materialise

ROOT = Path(__file__).resolve().parents[1]
NAME = "Fern & Kettle"
NOW = "2026-03-02T10:00:00+00:00"
HELLO = [f"{a}{b}" for a in ("hello", "good morning", "hi there", "good evening", "hey") for b in
         ("", " :)", ", first time here", " all", ", nice site")]  # fmt: skip
NIHAO = [f"{a}{b}" for a in ("你好", "您好", "早上好", "晚上好") for b in ("", "，在吗", "呀")]


def prepared(
    home: Path, changed: Callable[[Path], object] = lambda feed: None, **settings: str
) -> dict[str, str]:
    """Imports and indexes the example shop with a fixed secret, its shoppers agreeing to training; returns
    its environment. `changed` is shown the folder of its files first."""
    feed = materialise(home / "shop", home / "media", today=datetime.fromisoformat(NOW).date())
    changed(feed)
    (home / "secret").write_bytes(b"a benchmark, and nobody's secret"[:32].ljust(32))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SHOPBOT_")},
        "PYTHONPATH": str(ROOT), "SHOPBOT_HOME": str(home), "SHOPBOT_NOW": NOW,
        "SHOPBOT_SHOP__NAME": NAME, "SHOPBOT_PRIVACY__TRAINING_DEFAULT": "true", **settings,
    }  # fmt: skip
    for arguments in (
        ["import", str(feed / "products.jsonl"), "--policies", str(feed / "policies"),
         "--orders", str(feed / "orders.jsonl")],
        ["index"],
    ):  # fmt: skip
        done = shopbot(environment, *arguments)
        if done.returncode:
            raise SystemExit(done.stderr)
    return environment


def shopbot(
    environment: dict[str, str], *arguments: str, home: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a command as an operator does."""
    own = environment | ({"SHOPBOT_HOME": str(home)} if home else {})
    return subprocess.run(
        [sys.executable, "-c", "from bot.cli import main; main()", *arguments],
        env=own, cwd=own["SHOPBOT_HOME"], capture_output=True, text=True, check=False,
    )  # fmt: skip
