"""Real questions of shoppers with the text that answers them, as contexts for our acts.

From the contextual product QA sets (ePQA, hetPQA, semiPQA): an answering field of the product is a
label and its value, an answering sentence a quotation. The reply comes from our phrasings, since
the sets' own answers say in free words what may only be quoted; only their sentences about one field
(semiPQA, data to text) are learned as they stand, in the tone `casual`. Licence: docs/data.md.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.training.examples import Example, Split
from bot.training.files import lines

MOST_CHARS = 240
HELD_OUT = 10  # per cent of the questions, by their words
_FIELD = re.compile(r'\s*(?P<label>[a-z_]+):\s*\{\s*value:\s*"?(?P<value>[^"{}]+?)"?\s*\}\s*')
_SENTENCE = re.compile(r"[\w\"'(].{15,}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Context:
    """A question, and the values that answer it: `label_1` and `value_1`, or `quote_1`."""

    message: str
    values: dict[str, str]
    split: Split

    def serves(self, slots: tuple[str, ...]) -> bool:
        return set(self.values) - {"title_1"} <= set(slots)


def contexts(data: Path) -> list[Context]:
    """Lists each question once, with the first text that answers it."""
    found: dict[str, Context] = {}
    for question, title, evidence in _pairs(data / "product-qa"):
        values = _values(evidence)
        if values and len(question) <= 120:
            extra = {"title_1": title} if title and len(title) <= 90 else {}
            found.setdefault(question, Context(question, values | extra, _split(question)))
    return list(found.values())


def sentences(data: Path) -> Iterator[Example]:
    """Yields people's sentences about one field of a product, slot-marked where they say it once."""
    for row in lines(data / "product-qa" / "semipqa_data_to_text.jsonl"):
        field = _FIELD.fullmatch(str(row["data"]))
        if field is None:
            continue
        label, value = field["label"].replace("_", " "), field["value"].strip()
        text = str(row["text"]).strip()
        word = label.split()[-1]
        marked = text
        for slot, said in (("value_1", value), ("label_1", label), ("label_1", word)):
            form = re.compile(rf"(?<![\w<]){re.escape(said)}(?![\w>])", re.IGNORECASE)
            if f"<{slot}>" not in marked and len(form.findall(marked)) == 1:
                marked = form.sub(f"<{slot}>", marked)
                label = word if said == word and slot == "label_1" else label
        if "<value_1>" in marked and "<label_1>" in marked and not re.search(r"\d", re.sub("<[^>]+>", "", marked)):  # fmt: skip
            yield Example(
                "en", "details", ("label_1", "value_1"), "", marked, "train", "product-qa", "casual",
                {"label_1": label, "value_1": value},
            )  # fmt: skip


def _pairs(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yields (question, title or nothing, evidence)."""
    for row in lines(folder / "epqa.jsonl.gz"):
        for candidate in row["candidates"]:
            if candidate["label"] == 2 and candidate["source"] not in {"cqa", "review"}:
                yield row["question"], row["title"], candidate["text"]
    for row in lines(folder / "semipqa_attributes.jsonl.gz"):
        for candidate in row["candidates"]:
            if candidate["label"] == 1:
                yield row["question"], "", candidate["text"]
    for row in lines(folder / "hetpqa_answers_train.jsonl.gz"):
        if row["source"] != "CQA":
            yield row["question"], "", row["evidence"]


def _values(evidence: str) -> dict[str, str] | None:
    field = _FIELD.fullmatch(evidence)
    if field is not None:
        return {"label_1": field["label"].replace("_", " "), "value_1": field["value"].strip()}
    text = " ".join(evidence.split())
    if "{" in text or len(text) > MOST_CHARS or not _SENTENCE.fullmatch(text):
        return None
    return {"quote_1": text[0].upper() + text[1:]}


def _split(question: str) -> Split:
    return "valid" if zlib.crc32(question.encode()) % 100 < HELD_OUT else "train"
