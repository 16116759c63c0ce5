"""Real shoppers' messages of public data sets, by the situation they were written in.

Reads the folder that `--data` names; every part of it may be absent. Sources and licences stand in
`docs/training.md`. Knows nothing about phrasings or models.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from bot.training.files import document, lines, rows

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


def messages(data: Path) -> dict[tuple[str, str], list[str]]:
    """Collects real messages by (language, family), each once, at most MAX_CHARS long."""
    found: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for language, family, text in itertools.chain(_english(data), _chinese(data)):
        if 0 < len(text) <= MAX_CHARS:
            found[language, family][text] = None
    return {key: list(texts) for key, texts in found.items()}


def _english(data: Path) -> Iterator[tuple[str, str, str]]:
    for row in rows(data / "intents-customer-service" / "train.csv"):
        if row["intent"] in _INTENTS and "W" not in row["tags"]:  # W: offensive wording
            yield "en", _INTENTS[row["intent"]], row["utterance"]
    for row in rows(data / "intents-oos-clinc" / "train_sample.csv"):
        if row["intent"] in _CLINC:
            yield "en", _CLINC[row["intent"]], row["text"]
    for line in lines(data / "shopping-goals" / "webshop_goals.jsonl"):
        for wish in (line["goal"], *line["queries"]):
            yield "en", "wish", wish
    for row in rows(data / "wands-queries" / "queries.csv"):
        yield "en", "wish", row["query"]
    for line in lines(data / "product-qa" / "epqa.jsonl.gz"):
        yield "en", "about", line["question"]
    polite = {frozenset({"GOODBYE"}): "goodbye", frozenset({"THANK_YOU"}): "thanks"}
    for turn in lines(data / "sgd-dialogue-acts" / "dev.jsonl.gz"):
        family = polite.get(frozenset(act[0] for act in turn["acts"]))
        if family and turn["speaker"] == "user":
            yield "en", family, turn["text"]


def _chinese(data: Path) -> Iterator[tuple[str, str, str]]:
    for line in lines(data / "litemall-zh" / "faq.jsonl"):
        yield "zh", "policy", line["question"]
    for line in lines(data / "litemall-zh" / "goods.jsonl"):
        yield "zh", "wish", line["name"]
    for line in lines(data / "presales-dialogues-zh" / "dialogues.jsonl"):
        for turn in line["turns"]:
            if turn["role"] == "customer":
                yield "zh", "wish", turn["text"]
    for row in rows(data / "oos-travel-zh" / "utterances.csv"):
        yield "zh", "off_topic", row["text"]


def vocabulary_text(data: Path) -> Iterator[str]:
    """Yields further text for the tokenizer alone: titles, descriptions, Chinese talk."""
    for line in lines(data / "litemall-zh" / "goods.jsonl"):
        yield f"{line['name']} {line['brief']}"
    for line in lines(data / "litemall-zh" / "comments.jsonl"):
        yield str(line.get("content", ""))
    for line in lines(data / "contoso-outdoor" / "faq.jsonl"):
        yield " ".join(str(value) for value in line.values())
    # the templates, not the dialogues: those are kept back to measure on
    for texts in document(data / "crosswoz-dialogue-acts" / "system_templates.json.gz").values():
        yield from map(str, texts[:8])
