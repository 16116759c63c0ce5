"""How much personal data redaction hides in marked sentences, and what else it alters.

Reads the `safety-pii` set and, for false alarms, shop talk and titles that hold no personal data.
What is hidden is told from the redacted text alone; knows nothing of how redaction finds it.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from bot.understanding.redaction import redact

PLACEHOLDER = re.compile(r"\[(?:email|phone|card|id|address|name)\]")
# A shop need not hide these (README of the set); a sentence with nothing else has nothing to hide.
PUBLIC = frozenset({"GPE", "ORGANIZATION", "NRP", "TITLE", "DATE_TIME"})
# Names and ages are hidden where certain, websites never: no bar holds for them.
UNCERTAIN = PUBLIC | {"PERSON", "AGE", "DOMAIN_NAME"}
TITLES_READ = 3000  # of a catalogue; more add time and no other kind of title


@dataclass(slots=True)
class _Recall:
    spans: int = 0
    hidden: int = 0
    characters: int = 0
    hidden_characters: int = 0

    def add(self, hidden: list[bool]) -> None:
        self.spans += 1
        self.hidden += all(hidden)
        self.characters += len(hidden)
        self.hidden_characters += sum(hidden)

    def figures(self) -> dict[str, Any]:
        return {
            "spans": self.spans,
            "hidden": self.hidden,
            "recall": _share(self.hidden, self.spans),
            "character_recall": _share(self.hidden_characters, self.characters),
        }


@dataclass(slots=True)
class _Altered:
    texts: int = 0
    examples: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, text: str) -> None:
        self.texts += 1
        after = redact(text).text
        if after != text:
            self.examples.append(_around_first(after))
            self.kinds.update(set(PLACEHOLDER.findall(after)) or {"width"})

    def figures(self) -> dict[str, Any]:
        count = len(self.examples)
        return {
            "texts": self.texts,
            "altered": count,
            "share": _share(count, self.texts),
            "kinds": dict(sorted(self.kinds.items())),
        }


def measure(data: Path) -> dict[str, Any]:
    """Returns recall by language and type, what was altered wrongly, and `losses` to read.

    `recall` is the share of spans of which no letter and no figure is left, `character_recall` the
    share of their characters; both are better when greater, every `share` when smaller.
    Raises FileNotFoundError where `safety-pii` is missing; other sets are left out where they are.
    """
    losses: list[dict[str, str]] = []
    folder = data / "safety-pii"
    english = _english(list(_lines(folder / "english.jsonl")), losses)
    chinese = _chinese(list(_lines(folder / "chinese_messages.jsonl")), losses)
    alarms = {}
    for name, texts in _shop_texts(data):
        found = _Altered()
        for text in texts:
            found.add(text)
        alarms[name] = found.figures()
        losses += [{"type": f"false alarm: {name}", "excerpt": e} for e in found.examples]
    return {"english": english, "chinese": chinese, "false_alarms": alarms, "losses": losses}


def _english(rows: list[dict[str, Any]], losses: list[dict[str, str]]) -> dict[str, Any]:
    free = {"no_span": _Altered(), "nothing_to_hide": _Altered(), "no_barred_span": _Altered()}
    for row in rows:
        types = {span["type"] for span in row["spans"]}
        for name, sorts in zip(free, (frozenset[str](), PUBLIC, UNCERTAIN), strict=True):
            if types <= sorts:
                free[name].add(row["text"])
    for name in ("no_span", "nothing_to_hide"):
        losses += [{"type": f"altered: {name}", "excerpt": e} for e in free[name].examples]
    return {
        "recall": _recall(rows, losses, lambda span: [span["type"]]),
        "span_free": {name: found.figures() for name, found in free.items()},
    }


def _chinese(rows: list[dict[str, Any]], losses: list[dict[str, str]]) -> dict[str, Any]:
    kept = altered = 0
    for row in rows:
        hidden = hidden_characters(row["text"], redact(row["text"]).text)
        for span in row["keep"]:
            kept += 1
            if any(hidden[span["start"] : span["end"]]):
                altered += 1
                losses.append({"type": f"keep: {span['type']}", "excerpt": span["value"]})

    def kinds(span: dict[str, Any]) -> list[str]:
        if span["type"] != "PHONE":
            return [span["type"]]
        return ["PHONE", "PHONE well formed" if span["well_formed"] else "PHONE malformed"]

    return {
        "recall": _recall(rows, losses, kinds),
        "keep": {"spans": kept, "altered": altered, "untouched": _share(kept - altered, kept)},
    }


def _recall(
    rows: list[dict[str, Any]], losses: list[dict[str, str]], kinds: Any
) -> dict[str, dict[str, Any]]:
    found: dict[str, _Recall] = defaultdict(_Recall)
    for row in rows:
        hidden = hidden_characters(row["text"], redact(row["text"]).text)
        for span in row["spans"]:
            # what separates words tells nothing of a person
            of_span = [
                hidden[i] for i in range(span["start"], span["end"]) if row["text"][i].isalnum()
            ]
            for kind in kinds(span):
                found[kind].add(of_span)
            if span["type"] not in PUBLIC and not all(of_span):
                losses.append({"type": span["type"], "excerpt": span["value"][:80]})
    return {kind: found[kind].figures() for kind in sorted(found)}


def hidden_characters(text: str, redacted: str) -> list[bool]:
    """Which characters of `text` a placeholder of `redacted` stands for; all, where they differ more."""
    kept = PLACEHOLDER.split(redacted)
    pattern = "(.+?)".join(f"({re.escape(part)})" for part in kept)
    match = re.fullmatch(pattern, text, re.DOTALL)
    if match is None:
        # full-width figures are kept as plain ones: compare without regard to their width
        match = re.fullmatch(pattern, redact_nothing(text), re.DOTALL)
    if match is None:
        return [True] * len(text)
    hidden = [False] * len(text)
    for group in range(2, len(kept) * 2, 2):
        start, end = match.span(group)
        hidden[start:end] = [True] * (end - start)
    return hidden


def redact_nothing(text: str) -> str:
    """The text as `redact` keeps it where there is nothing to hide."""
    return "".join(c if PLACEHOLDER.search(kept := redact(c).text) else kept for c in text)


def _around_first(text: str) -> str:
    match = PLACEHOLDER.search(text)
    return text[max(0, match.start() - 60) : match.end() + 60] if match else text[:120]


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    packed = path.suffix == ".gz"
    with gzip.open(path) if packed else path.open("rb") as file:
        yield from map(json.loads, file)


def _shop_texts(data: Path) -> Iterator[tuple[str, Iterable[str]]]:
    """The sets at hand that hold talk and titles, each by its name."""
    for name, path, key in (
        ("product questions: epqa", "product-qa/epqa.jsonl.gz", "question"),
        ("product questions: hetpqa", "product-qa/hetpqa_answers.jsonl", "question"),
        ("product questions: semipqa", "product-qa/semipqa_attributes.jsonl.gz", "question"),
        ("titles: chorus-electronics", "chorus-electronics/products.jsonl.gz", "title"),
        ("titles: dummyjson", "dummyjson/products.jsonl", "title"),
        ("titles: litemall-zh", "litemall-zh/goods.jsonl", "name"),
        ("titles: retail-demo-store", "retail-demo-store/products.jsonl.gz", "name"),
    ):
        if (data / path).is_file():
            yield name, (row[key] for row in islice(_lines(data / path), TITLES_READ))
    for name, path, key in (
        ("service requests: test", "intents-customer-service/test.csv", "utterance"),
        ("service requests: train", "intents-customer-service/train.csv", "utterance"),
        ("titles: contoso-outdoor", "contoso-outdoor/products.csv", "name"),
        ("titles: eshop-support", "eshop-support/products.csv", "model"),
    ):
        if (data / path).is_file():
            yield name, _column(data / path, key)
    if (tickets := data / "eshop-support/tickets.jsonl").is_file():
        yield "ticket openings", (row["messages"][0]["text"] for row in _lines(tickets))


def _column(path: Path, column: str) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row[column]
