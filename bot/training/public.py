"""What public data adds to the corpus: real shoppers' messages, and polite replies without facts.

Reads the folder that `--data` names; every part of it may be absent. Sources and licences stand in
`docs/training.md`. Knows nothing about phrasings or models.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_CHARS = 120
_INTENTS = {  # bitext customer-service intent → family
    "track_order": "order", "delivery_period": "policy", "cancel_order": "request",
    "change_order": "request", "change_shipping_address": "request", "complaint": "complaint",
    "contact_human_agent": "handoff", "contact_customer_service": "handoff",
    "check_refund_policy": "policy", "check_payment_methods": "policy",
    "delivery_options": "policy", "get_refund": "request", "check_cancellation_fee": "policy",
}  # fmt: skip
_CLINC = {
    "greeting": "greet", "goodbye": "goodbye", "thank_you": "thanks", "are_you_a_bot": "identify",
    "what_is_your_name": "identify", "who_made_you": "identify", "tell_joke": "smalltalk",
    "what_are_your_hobbies": "smalltalk", "how_old_are_you": "smalltalk",
    "do_you_have_pets": "smalltalk", "meaning_of_life": "smalltalk", "fun_fact": "smalltalk",
    "oos": "off_topic", "weather": "off_topic", "translate": "off_topic", "recipe": "off_topic",
    "play_music": "off_topic", "flight_status": "off_topic", "calculator": "off_topic",
}  # fmt: skip
# SGD replies are kept only when every word stands here: no domain, no name, no figure gets through
_POLITE = frozenset(
    """a again all always and any anything are as ask assist assistance assisting back be been bye
    can care come contact contacting day do else enjoy enjoyed ever everything feel for free
    friend further glad good goodbye great happy have helped help helpful helping hesitate here hope
    how i i'd i'll i'm if in is it it's just know let lovely made may me mine moment more most my
    need needed nice night no not now of ok okay one or other our out please pleasure problem
    questions rest see sure take talk thank thanks that that's the then there this time to today
    until use very want was way we welcome well what when will with wonderful worries would yes
    you you'd you're your yourself""".split()
)
_SENTENCE = re.compile(r"[A-Z][A-Za-z', !?.]{6,110}[.!?]")
_CLUMSY = re.compile(
    r"\b(your welcome|of you day|hope have|you have a great day ok|bye to you)\b", re.IGNORECASE
)
_REACTION = re.compile(r"\b(welcome|pleasure|glad|happy|problem|worries)\b")
_FAREWELL = re.compile(r"\b(bye|goodbye|day|night|care|see you|until next)\b")


def replies(data: Path) -> list[tuple[str, str, str]]:
    """Lists (act, user message, reply) from SGD: GOODBYE as `goodbye`, REQ_MORE as `thanks`.

    A reply is kept once, when it has no word outside the polite list and reads as a whole sentence.
    """
    out: dict[str, tuple[str, str, str]] = {}
    before = ""
    for turn in _lines(data / "sgd-dialogue-acts" / "train.jsonl.gz"):
        text = str(turn["text"]).strip()
        acts = {str(act[0]) for act in turn["acts"]}
        if turn["speaker"] == "system":
            if acts == {"GOODBYE"} and _FAREWELL.search(text.lower()) and _polite(text):
                out.setdefault(text, ("goodbye", before, text))
            if acts == {"REQ_MORE"} and _REACTION.search(text.lower()) and _polite(text):
                out.setdefault(text, ("thanks", before, text))
        before = text[:MAX_CHARS]
    return list(out.values())


def _polite(text: str) -> bool:
    words = re.findall(r"[a-z']+", text.lower())
    whole = _SENTENCE.fullmatch(text) is not None and not re.search(r"\bi\b|[.!?]{2}| [,.!?]", text)
    clumsy = _CLUMSY.search(text) is not None
    return whole and not clumsy and all(word in _POLITE for word in words)


def messages(data: Path) -> dict[tuple[str, str], list[str]]:
    """Collects real messages by (language, family), each once, at most MAX_CHARS long."""
    found: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for language, family, text in itertools.chain(_english(data), _chinese(data)):
        if 0 < len(text) <= MAX_CHARS:
            found[language, family][text] = None
    return {key: list(texts) for key, texts in found.items()}


def _english(data: Path) -> Iterator[tuple[str, str, str]]:
    for row in _rows(data / "intents-customer-service" / "train.csv"):
        if row["intent"] in _INTENTS and "W" not in row["tags"]:  # W: offensive wording
            yield "en", _INTENTS[row["intent"]], row["utterance"]
    for row in _rows(data / "intents-oos-clinc" / "train_sample.csv"):
        if row["intent"] in _CLINC:
            yield "en", _CLINC[row["intent"]], row["text"]
    for line in _lines(data / "shopping-goals" / "webshop_goals.jsonl"):
        for wish in (line["goal"], *line["queries"]):
            yield "en", "wish", wish
    for row in _rows(data / "wands-queries" / "queries.csv"):
        yield "en", "wish", row["query"]
    for line in _lines(data / "product-qa" / "epqa.jsonl.gz"):
        yield "en", "about", line["question"]
    polite = {frozenset({"GOODBYE"}): "goodbye", frozenset({"THANK_YOU"}): "thanks"}
    for turn in _lines(data / "sgd-dialogue-acts" / "dev.jsonl.gz"):
        family = polite.get(frozenset(act[0] for act in turn["acts"]))
        if family and turn["speaker"] == "user":
            yield "en", family, turn["text"]


def _chinese(data: Path) -> Iterator[tuple[str, str, str]]:
    for line in _lines(data / "litemall-zh" / "faq.jsonl"):
        yield "zh", "policy", line["question"]
    for line in _lines(data / "litemall-zh" / "goods.jsonl"):
        yield "zh", "wish", line["name"]
    for line in _lines(data / "presales-dialogues-zh" / "dialogues.jsonl"):
        for turn in line["turns"]:
            if turn["role"] == "customer":
                yield "zh", "wish", turn["text"]
    for row in _rows(data / "oos-travel-zh" / "utterances.csv"):
        yield "zh", "off_topic", row["text"]


def vocabulary_text(data: Path) -> Iterator[str]:
    """Yields further text for the tokenizer alone: titles, descriptions, Chinese talk."""
    for line in _lines(data / "litemall-zh" / "goods.jsonl"):
        yield f"{line['name']} {line['brief']}"
    for line in _lines(data / "litemall-zh" / "comments.jsonl"):
        yield str(line.get("content", ""))
    for line in _lines(data / "contoso-outdoor" / "faq.jsonl"):
        yield " ".join(str(value) for value in line.values())
    for turn in _lines(data / "crosswoz-dialogue-acts" / "dialogues.jsonl.gz"):
        yield str(turn["text"])


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        yield from csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
