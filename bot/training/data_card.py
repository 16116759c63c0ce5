"""Writes what a training corpus is made of beside it: parts, shares, splits, sources and licences.

Counts are taken from the corpus itself. Knows nothing about how it is drawn.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bot.training.examples import Example
from prompts.acts import inventory
from prompts.filling import FORMAT_VERSION

_OWN = ("our own phrasings, messages and values", "Apache-2.0")
_SOURCES = {
    "phrasings": (
        "our own phrasings, filled from catalogues (Retail Demo Store MIT-0, eShop MIT, Spree "
        "BSD-3-Clause, tau retail MIT, litemall MIT) and from values of our own; messages of "
        "shoppers from CLINC150 (CC BY 3.0), Bitext (CDLA-Sharing-1.0), WebShop (MIT), WANDS (MIT), "
        "product QA (CDLA-Sharing-1.0), litemall (MIT), U-NEED (MIT), CrossWOZ (Apache-2.0)",
        "Apache-2.0",
    ),
    "sgd-dialogue-acts": ("Schema-Guided Dialogue, © Google", "CC BY-SA 4.0"),
    "crosswoz-dialogue-acts": ("CrossWOZ, templates written by people", "Apache-2.0"),
    "product-qa": ("semiPQA, data to text", "CDLA-Sharing-1.0"),
}


def card(examples: Sequence[Example], path: Path, *, seed: int, public: bool) -> str:
    """Returns the card of the corpus that `path` holds, as Markdown.

    `public` says whether a folder of public data was drawn from.
    """
    train = [e for e in examples if e.split == "train"]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    lines = [
        "# Training corpus of the generator",
        "",
        f"{len(train)} examples to train on, {len(examples) - len(train)} to validate; acts and slots "
        f"version {inventory().version}, prompt format {FORMAT_VERSION}, seed {seed}, "
        f"SHA-256 {digest}. Equal data, size and seed give an equal file.",
        "",
        "An example is a dialogue act with its slots, the shopper's message before it, and a reply "
        "with markers in the place of values. Loss is taken on the reply alone.",
        "",
        "| replies from | licence | examples | distinct replies |",
        "|---|---|---:|---:|",
    ]
    for source, count in Counter(e.source for e in train).most_common():
        own = source == "phrasings" and not public
        about, licence = _OWN if own else _SOURCES[source]
        distinct = len({e.reply for e in train if e.source == source})
        lines.append(f"| {about} | {licence} | {count} | {distinct} |")
    lines += ["", "| | English | Chinese |", "|---|---:|---:|"]
    for name, key in (("tone", "tone"), ("act", "act")):
        for value, _ in Counter(getattr(e, key) for e in train).most_common():
            counts = Counter(e.language for e in train if getattr(e, key) == value)
            lines.append(f"| {name} {value} | {counts['en']} | {counts['zh']} |")
    lines += [
        "",
        "**Split.** Validation replies come from phrasing templates, slot sets and catalogues that no "
        "training example uses. Of the public dialogues only the training part is read: the "
        "development dialogues of Schema-Guided Dialogue and all dialogues of CrossWOZ are for "
        "measuring.",
        "",
        "**Left out.** Hostile and offensive strings and personal data sets are never read. Replies of "
        "service talk are taken only where every value, and the words of every label, stand in the "
        "text once and no other figure does.",
        "",
        "**Known weaknesses.** Service talk is about travel and leisure, in the tone `casual`, which no "
        "shop speaks in. Real product questions are misspelt at times; they are context only.",
        "",
    ]
    return "\n".join(lines)
