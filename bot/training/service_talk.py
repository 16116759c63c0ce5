"""Real service talk as examples: Schema-Guided Dialogue (English) and CrossWOZ (Chinese).

Both were written by people who help somebody find a restaurant, a flight or a sight. Their dialogue
acts are mapped to ours where they fit: whatever is named becomes `title_1`, what it costs
`price_1`, and all that has no slot of its own becomes a label and its value. The texts keep the
tone `casual`, so that their wording stays apart from the shop's.

A turn is *mapped* by its acts alone. To be learned from, its text must moreover say every value, and
the words of every label, once; `Example.reply` is slot-marked then, and else the text as it stands.
Sources and licences: docs/data.md. Knows nothing about models.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.training.examples import Example, Split
from bot.training.files import document, lines
from bot.turn import Language
from prompts.acts import MARKER, inventory, markers

MAX_CHARS = 120  # of a shopper's message
MOST_LABELS = {"details": 3, "offer": 2, "confirm_details": 2}
MOST_TITLES = 4


@dataclass(frozen=True, slots=True)
class Turn:
    """A system turn: its acts as text (`INFORM_COUNT+OFFER`), and the example it gives, if any."""

    kind: str
    example: Example | None

    @property
    def learnable(self) -> bool:
        """Whether the example's reply is slot-marked and whole."""
        e = self.example
        return e is not None and sorted(markers(e.reply)) == sorted(e.slots) and bool(e.reply)


@dataclass(frozen=True, slots=True)
class _Said:
    """What an act says: its name, the values of its slots, and the words each label may go by."""

    act: str
    values: dict[str, str]


# --- Schema-Guided Dialogue ------------------------------------------------------------------------
_SIMPLE = {frozenset({"GOODBYE"}): "goodbye", frozenset({"REQ_MORE"}): "thanks"}
_TYPES = (  # the first that matches the name of an SGD slot names ours
    ("title_1", re.compile(r"(?<!recipient)(?<!contact)_name$|^title$|^movie_title$|^airlines$")),
    ("price_1", re.compile(r"price|fare|^rent$|balance|amount|cost")),
    ("date", re.compile(r"date|^check_(?:in|out)")),
    ("time", re.compile(r"(?<!ride_)time$|_time_|^show_time")),
    ("place", re.compile(r"city|location|address|area|venue|station|^destination|^origin|where_to")),
    ("quantity", re.compile(r"^number_of|travelers|passengers|riders|stay_length|group_size")),
    ("category", re.compile(r"cuisine|category|genre|type$|specialty")),
)  # fmt: skip
_YES_NO = {"True", "False", "dontcare"}


def read_sgd(path: Path, *, split: Split = "train") -> Iterator[Turn]:
    """Yields the system turns of an SGD file of this project's data format, in order."""
    before = ""
    for turn in lines(path):
        text = str(turn["text"]).strip()
        if turn["speaker"] == "system":
            acts = [(str(a[0]), str(a[1]), [str(v) for v in a[2]]) for a in turn["acts"]]
            kind = "+".join(sorted({name for name, _, _ in acts})) or "none"
            said = _sgd_said(acts)
            example = _example("en", said, before, text, split, "sgd-dialogue-acts")
            yield Turn(kind, example)
        before = text[:MAX_CHARS]


def _sgd_said(acts: Sequence[tuple[str, str, Sequence[str]]]) -> _Said | None:
    names = frozenset(name for name, _, _ in acts)
    if simple := _SIMPLE.get(names):
        return _Said(simple, {})
    told = [(slot, values[0]) for name, slot, values in acts if values and name != "INFORM_COUNT"]
    if any(value in _YES_NO for _, value in told) or any(len(v) > 1 for _, _, v in acts):
        return None
    if names == {"REQUEST"}:
        asked = [_words(slot) for _, slot, _ in acts]
        if told or len(set(asked)) != len(asked):
            return None
        return _labelled("ask_detail", [(label, "") for label in asked])
    count = next((values[0] for name, _, values in acts if name == "INFORM_COUNT"), None)
    if names in ({"OFFER"}, {"OFFER", "INFORM_COUNT"}):
        typed = _typed("offer", told)
        if typed and "title_1" in typed.values:
            return _Said("offer", typed.values | ({"count": count} if count else {}))
        return None if count else _labelled("details", [(_words(s), v) for s, v in told])
    if names == {"CONFIRM"}:
        return _typed("confirm_details", told)
    if names == {"INFORM"}:
        return _labelled("details", [(_words(slot), value) for slot, value in told])
    return None


def _typed(act: str, told: Sequence[tuple[str, str]]) -> _Said | None:
    """Gives each value the slot of its type, and those without one a label."""
    values: dict[str, str] = {}
    rest: list[tuple[str, str]] = []
    allowed = inventory().act(act).slots
    for slot, value in told:
        ours = next((name for name, form in _TYPES if form.search(slot)), None)
        if ours in allowed and ours not in values:
            values[str(ours)] = value
        else:
            rest.append((_words(slot), value))
    labelled = _labelled(act, rest) if rest else _Said(act, {})
    return labelled and _Said(act, values | labelled.values)


def _labelled(act: str, told: Sequence[tuple[str, str]]) -> _Said | None:
    """Numbers labels and values; an empty value stands for a label alone. None where too many."""
    if not told or len(told) > MOST_LABELS.get(act, 2):
        return None
    values: dict[str, str] = {}
    for number, (label, value) in enumerate(told, 1):
        values[f"label_{number}"] = label
        if value:
            values[f"value_{number}"] = value
    return _Said(act, values)


def _words(slot: str) -> str:
    return slot.replace("_", " ")


# --- CrossWOZ ------------------------------------------------------------------------------------
_GENERAL = {"welcome": "thanks", "reqmore": "thanks", "bye": "goodbye", "greet": "greet"}
_OURS = {"价格": "price_1", "人均消费": "price_1", "门票": "price_1", "地址": "place"}
_NAME = "名称"
_PLACEHOLDER = re.compile(r"\[([^\[\]+]+)\+([^\[\]+]+)\+([^\[\]+]+?)(\d*)\]")


def read_crosswoz(path: Path, *, split: Split = "valid") -> Iterator[Turn]:
    """Yields the system turns of CrossWOZ dialogues, in order."""
    before = ""
    for turn in lines(path):
        text = str(turn["text"]).strip()
        if turn["speaker"] in {"sys", "system"}:
            acts = [tuple(map(str, act)) for act in turn["acts"]]
            kind = "+".join(sorted({f"{a[0]}-{a[1]}" if a[0] == "General" else a[0] for a in acts}))
            said = _crosswoz_said([(a[0], a[1], a[2], a[3]) for a in acts])
            example = _example("zh", said, before, text, split, "crosswoz-dialogue-acts")
            yield Turn(kind or "none", example)
        before = text[:MAX_CHARS]


def read_crosswoz_templates(path: Path) -> Iterator[Turn]:
    """Yields what people wrote for an act combination, with the values taken out; no messages."""
    for key, texts in document(path).items():
        acts = []
        seen: Counter[tuple[str, str, str]] = Counter()
        repeated = Counter(tuple(part.split("+")[:3]) for part in key.split("*"))
        for part in key.split("*"):
            pieces = part.split("+")
            if len(pieces) < 3:
                break
            act, domain, slot = pieces[:3]
            seen[act, domain, slot] += 1
            number = str(seen[act, domain, slot]) if repeated[act, domain, slot] > 1 else ""
            value = pieces[3] if len(pieces) > 3 else f"[{act}+{domain}+{slot}{number}]"
            acts.append((act, domain, slot, value))
        else:
            kind = "+".join(sorted({act for act, *_ in acts}))
            said = _crosswoz_said(acts)
            for text in texts:
                example = _example(
                    "zh", said, "", str(text).strip(), "train", "crosswoz-dialogue-acts"
                )
                yield Turn(kind, example)


def _crosswoz_said(acts: Sequence[tuple[str, str, str, str]]) -> _Said | None:
    if not acts:
        return None
    if all(act == "General" for act, *_ in acts):
        said = {_GENERAL.get(domain) for _, domain, *_ in acts}
        first = next((name for name in ("goodbye", "greet", "thanks") if name in said), None)
        return _Said(first, {}) if first else None
    if {act for act, *_ in acts} not in ({"Inform"}, {"Recommend"}):
        return None
    grouped: dict[str, list[str]] = {}
    for _, _, slot, value in acts:
        if value == "无" or "设施" in slot:  # what a place lacks, or has or not
            return None
        grouped.setdefault(slot, []).append(value)
    names = list(dict.fromkeys(grouped.pop(_NAME, [])))
    rest = {slot: "、".join(dict.fromkeys(values)) for slot, values in grouped.items()}
    if len(names) > 1:
        titles = {f"title_{n}": name for n, name in enumerate(names, 1)}
        return None if rest or len(names) > MOST_TITLES else _Said("recommend", titles)
    if not names:
        return _labelled("details", list(rest.items()))
    values = {"title_1": names[0]}
    for slot, ours in _OURS.items():
        if slot in rest and ours not in values:
            values[ours] = rest.pop(slot)
    labelled = _labelled("offer", list(rest.items())) if rest else _Said("offer", {})
    return labelled and _Said("offer", values | labelled.values)


# --- text with its values taken out ----------------------------------------------------------------
def _example(
    language: Language, said: _Said | None, message: str, text: str, split: Split, source: str
) -> Example | None:
    if said is None:
        return None
    slots = tuple(slot for slot in inventory().act(said.act).slots if slot in said.values)
    marked, values = _marked(language, said, text)
    return Example(
        language, said.act, slots, message, marked or text, split, source, "casual", values
    )


# a label that is asked for is a noun: "which <label_1>", not "when do you <label_1>"
_ASKED = re.compile(
    r"\b(?:what|which|the|your|an?|this|any|preferred)\b(?: [a-z]+)? <label_1>", re.I
)
_DOUBTFUL = re.compile(r"[+=*_\d\[\]{}<>\t#]|\s{2}|[?!.。！？，,]{3}|\$")
_LIST = r"(?:[、，,]\s*|\s*(?:和|以及|及|与|还有)\s*)"


def _marked(language: Language, said: _Said, text: str) -> tuple[str | None, dict[str, str]]:
    """Returns the slot-marked text, None where it does not say all, and the values as it puts them."""
    values = dict(said.values)
    marked = text
    for slot in sorted(values, key=lambda s: -len(values[s])):
        if slot.startswith("label_"):
            continue
        form = _value_form(language, values[slot])
        if len(form.findall(marked)) != 1:
            return None, values
        marked = form.sub(f"<{slot}>", marked)
    for slot in [name for name in values if name.startswith("label_")]:
        found = next(
            (m for words in _label_forms(language, values[slot]) if (m := words.search(marked))),
            None,
        )
        if found is None:
            return None, values
        values[slot] = found[0].lower() if language == "en" else found[0]
        marked = f"{marked[: found.start()]}<{slot}>{marked[found.end() :]}"
    bare = MARKER.sub("x", marked)
    if _DOUBTFUL.search(bare) or not 4 <= len(marked) <= 220:
        return None, values
    if said.act == "ask_detail" and not _ASKED.search(marked):
        return None, values
    marked = marked[0].upper() + marked[1:]
    if marked[-1] not in ".!?。！？…”":
        marked += "." if language == "en" else "。"
    return marked, values


def _value_form(language: Language, value: str) -> re.Pattern[str]:
    if "、" in value and language == "zh":  # several values, in any order, listed in any manner
        parts = [re.escape(part) for part in value.split("、")]
        one = f"(?:{'|'.join(sorted(parts, key=len, reverse=True))})"
        return re.compile(one + f"(?:{_LIST}{one}){{{len(parts) - 1}}}")
    edge = r"(?<![A-Za-z0-9$]){}(?![A-Za-z0-9]|[.,]\d)" if language == "en" else "{}"
    return re.compile(edge.format(re.escape(value)), re.IGNORECASE)


def _label_forms(language: Language, label: str) -> list[re.Pattern[str]]:
    """The words a label may go by in a text: all of them, or those that say the most."""
    if language == "zh":
        return [
            re.compile(re.escape(label)),
            re.compile(re.escape(label.replace("周边", "周边的"))),
        ]
    words = label.split()
    whole = [label, " ".join(words[-2:]), words[-1], words[0] if len(words) > 1 else label]
    return [
        re.compile(rf"(?<![<\w]){re.escape(form)}(?![\w>])", re.IGNORECASE)
        for form in dict.fromkeys(whole)
        if len(form) > 3
    ]
