"""How often the verifier refuses what is true and passes what is not.

    python benchmarks/verifier.py [--replies 1000] [--out FILE]

Grounded replies of every act are drawn from the phrasings; each is altered in every way that
`tests/unit/bot/grounded_replies.py` knows (numbers, units, names, negations, clauses). Paraphrases
and made-up clauses were written by hand and stand in `tests/golden/`; every clause is put behind
every true paraphrase.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "unit" / "bot"))

from grounded_replies import Grounded, replies, untrue, untrue_paraphrases  # noqa: E402
from test_verifier_replies import LANGUAGES, clauses, paraphrases, refused  # noqa: E402

from bot.turn import Language  # noqa: E402


def behind(reply: Grounded, clause: str) -> str:
    """The reply with a clause after it, as each language writes on."""
    return reply.text + (" " if reply.language == "en" else "") + clause


def measure(language: Language, count: int) -> dict[str, int]:
    """Counts for one language; `count` replies are drawn, a quarter of them altered."""
    pool, told = clauses(language), paraphrases(language)
    drawn = replies(language, count)
    altered = [
        (reply, text)
        for seed, reply in enumerate(drawn[: count // 4])
        for _, text in untrue(reply, pool, seed)
    ]
    altered += [
        (reply, text)
        for seed, reply in enumerate(told)
        for _, text in untrue_paraphrases(reply, pool, seed)
    ]
    added = [(reply, behind(reply, clause)) for reply in told for clause in pool]
    return {
        "replies": len(drawn),
        "replies_refused": sum(bool(refused(reply)) for reply in drawn),
        "paraphrases": len(told),
        "paraphrases_refused": sum(bool(refused(reply)) for reply in told),
        "alterations": len(altered),
        "alterations_missed": sum(not refused(*pair) for pair in altered),
        "clauses_added": len(added),
        "clauses_missed": sum(not refused(*pair) for pair in added),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--replies", type=int, default=1000, help="per language")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "verifier.json")
    options = parser.parse_args()
    shown = {language: measure(language, options.replies) for language in LANGUAGES}
    print(json.dumps(shown, indent=1))
    options.out.write_text(json.dumps(shown, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
