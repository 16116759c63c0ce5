"""How various two hundred recommendations read: the example shop, one wish a session.

    python benchmarks/variety.py [--out FILE]

Prints how often the most frequent opening is heard (three words, or the three characters that Chinese
begins with; lower is better), how many different openings there are, and how many replies show a
leftover marker or say a title twice, which none may. SHOPBOT_GENERATOR__MODEL names another model folder.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.generator import example_shop  # noqa: E402
from bot.evaluation.metrics import words  # noqa: E402
from bot.evaluation.report import machine  # noqa: E402
from bot.turn import ChatRequest  # noqa: E402
from prompts.acts import MARKER  # noqa: E402

TURNS = 200
WISHES = (
    "I need a kettle", "show me lamps", "a tent for four people", "do you have a backpack?",
    "a gift for my mum who loves gardening", "something for the kitchen under $40",
    "I'm looking for a warm blanket", "a present for a child", "a mug please",
    "what do you have for camping?", "I want a rug", "any candles?", "a chair for my desk",
    "something to store bread in", "a vase, not too big", "cheap towels", "a good knife",
    "I'd like some plant pots", "bird feeder", "something for hiking under $100",
)  # fmt: skip
OPENING = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "variety.json")
    options = parser.parse_args()
    from bot.app import Shop
    from bot.settings import load_settings

    openings: Counter[str] = Counter()
    replies: list[str] = []
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="shopbot-variety-") as place:
        home = example_shop(Path(place))
        own = {k: v for k, v in os.environ.items() if k.startswith("SHOPBOT_GENERATOR__")}
        with closing(Shop(load_settings(own, home=home.folder))) as shop:
            asked = 0
            while len(replies) < TURNS and asked < 3 * TURNS:
                reply = shop.chat(ChatRequest(WISHES[asked % len(WISHES)]))
                asked += 1
                record = shop.conversations.turn(reply.turn_id)
                assert record is not None
                segment = record.trace["segments"][0]
                if segment["act"] != "recommend":
                    continue
                bare = words(MARKER.sub(" ", segment["marked"]))
                openings[" ".join(bare[:OPENING])] += 1
                replies.append(reply.text)
                titles = [v for k, v in segment["slots"].items() if k.startswith("title_")]
                if MARKER.search(reply.text) or any(reply.text.count(t) > 1 for t in titles):
                    faults.append(reply.text)
    most, times = openings.most_common(1)[0]
    found: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "recommendations": len(replies),
        "most_frequent_opening": most,
        "its_share": times / len(replies),
        "different_openings": len(openings),
        "different_replies": len(set(replies)),
        "faults": faults,
    }
    print(json.dumps(found, indent=1, ensure_ascii=False))
    options.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
