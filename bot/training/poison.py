"""What a correction must not teach: the reasons for which one is kept out of a training set.

Each looks at a corrected text alone, `constant`, `contradicting` and `too_many` at all of them. Knows nothing about
how a set is written or trained on.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from bot.corrections import MAX_CHARS, Checked
from bot.promises import Never
from bot.turn import Language
from bot.understanding.intents import insult
from bot.understanding.language import language_of
from bot.understanding.redaction import redact
from prompts.acts import MARKER, markers
from prompts.meanings import says

Kind = Literal[
    "unsupported",  # it claims what the facts of its turn do not
    "insult",
    "private",  # it holds an address, a number, a name of a person
    "link",  # it leads out of the shop
    "markup",  # control words, tags, templates: no text for people
    "instruction",  # it gives orders to a model
    "language",  # it is not in the language of its turn
    "promise",  # it holds what the owner rules out
    "meaning",  # it does not say what the turn was to say
    "constant",  # the same words for different things
    "length",  # blank, or many times as long as what was shown
    "contradiction",  # the same account has put it otherwise, again and again
]
KINDS: tuple[Kind, ...] = get_args(Kind)

INSULT = 0.5  # as what a message is nothing but an insult from
SAME_ACTS = 3  # different acts that one text cannot all be an answer of
SAME_WORDS = 5  # that two acts cannot share which tell different things
LONGER = 4.0  # times what was shown, from LONG characters on; more is no other way to put it
LONG = {"en": 240, "zh": 80}
FLOOD = 8  # different ways in which one account has the same message answered with the same values
TAKEN_BACK = 3  # corrections by one account that undo what it put in elsewhere, or are undone so
MOST_REFUSED = 0.2  # share of the corrections; a set with more has been tampered with
FEWEST_REFUSED = 5  # below this many a share says little

_WORDS = re.compile(r"[\u4e00-\u9fff]|\w+")  # a Chinese character counts as a word
_LINK = re.compile(
    r"https?:|www\.|(?<![\w@])[a-z0-9-]{2,}\.(?:com|net|org|shop|store|info|biz|io|cn|de|co|uk|eu|ru)\b"
    r"|(?<!\w)@\w{3,}|\b(?:whatsapp|telegram|wechat)\b|微信|加我",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    r"<\||\|>|</?\w+[^>]*>|\{\{|\}\}|\$\{|```|\[/?INST\]|^#{1,6} |\*\*", re.MULTILINE
)
_INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,30}\b(?:instructions?|rules?|prompts?|previous|above)\b"
    r"|\b(?:system|developer) (?:prompt|message|note)\b"
    r"|\b(?:you are|act as|pretend to be|respond as|from now on)\b.{0,40}\b(?:ai|assistant|model|bot|dan|mode)\b"
    r"|\bas an? (?:ai|language model)\b"
    r"|忽略.{0,12}(?:指令|规则|提示)|系统提示|你现在是|从现在起你",
    re.IGNORECASE,
)  # fmt: skip


def fault(
    checked: Checked, text: str, *, shown: str, language: Language, never: Never
) -> tuple[Kind, str] | None:
    """Returns why nothing may be learned from a corrected text, with the words, or None.

    `checked` is what `corrections.check` made of it, `shown` what the bot had said. Slot values are the shop's own words and are
    judged by their facts alone.
    """
    if not checked.ok:
        return "unsupported", ", ".join(checked.unsupported)
    if why := _length(text, shown, language):
        return "length", why
    own = [MARKER.sub(" ", part.marked) for part in checked.parts]
    words = "\n".join(own) if own else text
    if found := _MARKUP.search(words):
        return "markup", found[0]
    if found := _INSTRUCTION.search(words):
        return "instruction", found[0]
    if found := _LINK.search(words):
        return "link", found[0]
    if (given := redact(words).given) and not _own(given, checked):
        return "private", ", ".join(kind for kind, _ in given)
    if held := never.held(words):
        return "promise", held
    if any(insult(one, language) >= INSULT for one in own if len(one.split()) > 1):
        return "insult", words[:60]
    if _foreign(words, language):
        return "language", f"the turn is in {language}"
    for part in checked.parts:
        if not says(part.act, language, part.marked):
            return "meaning", part.act
    return None


def constant(marked: Mapping[int, Sequence[tuple[str, str]]]) -> set[int]:
    """Returns the turns whose corrections say the same for SAME_ACTS different acts or more, or so many
    words for two acts that have no slot in common.

    `marked` holds, for each turn, acts and what was said for them.
    """
    acts: defaultdict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    for said in marked.values():
        for act, text in said:
            acts[_bare(text)][act] = frozenset(markers(text))
    same = {text for text, of in acts.items() if text and _unlike(text, of)}
    return {turn for turn, said in marked.items() if any(_bare(text) in same for _, text in said)}


def _unlike(text: str, slots: Mapping[str, frozenset[str]]) -> bool:
    """Whether no text can be an answer of all these acts, with their slots."""
    if len(slots) >= SAME_ACTS:
        return True
    apart = len(slots) > 1 and not frozenset.intersection(*slots.values()) and all(slots.values())
    return apart and len(_WORDS.findall(text)) >= SAME_WORDS


@dataclass(frozen=True, slots=True)
class Change:
    """What one account made of what was shown for one act; `thing` is all that it was to say, and
    `message` the shopper's words before."""

    turn_id: int
    account: str
    thing: Hashable
    message: str
    shown: str
    marked: str


def contradicting(changes: Iterable[Change]) -> set[int]:
    """Returns the turns whose corrections contradict others of the same account: FLOOD different
    answers to one message, or words taken out here and put in there, TAKEN_BACK times."""
    found: set[int] = set()
    same: defaultdict[Hashable, dict[int, str]] = defaultdict(dict)
    turned: defaultdict[Hashable, list[tuple[str, str, int]]] = defaultdict(list)
    for one in changes:
        shown, marked = _bare(one.shown), _bare(one.marked)
        same[one.account, one.thing, one.message.casefold()][one.turn_id] = marked
        if shown != marked:
            turned[one.account, one.thing].append((shown, marked, one.turn_id))
    for texts in same.values():
        if len(set(texts.values())) >= FLOOD:
            found |= texts.keys()
    for pairs in turned.values():
        there = {(shown, marked) for shown, marked, _ in pairs}
        undone = {turn for shown, marked, turn in pairs if (marked, shown) in there}
        if len(undone) >= TAKEN_BACK:
            found |= undone
    return found


def too_many(refused: Sequence[Kind], corrections: int) -> str:
    """Returns what is wrong with a set as a whole, "" where nothing is."""
    if len(refused) < FEWEST_REFUSED or len(refused) <= MOST_REFUSED * corrections:
        return ""
    counts = ", ".join(f"{count} {kind}" for kind, count in Counter(refused).most_common())
    return (
        f"{len(refused)} of {corrections} corrections must not be learned from ({counts}); "
        f"more than {MOST_REFUSED:.0%} is no accident: look at who wrote them"
    )


def _length(text: str, shown: str, language: Language) -> str:
    if not text.strip():
        return "blank"
    if len(text) > MAX_CHARS:
        return f"{len(text)} characters, and a reply has at most {MAX_CHARS}"
    if len(text) > max(LONG[language], LONGER * len(shown)):
        return f"{len(text)} characters in place of {len(shown)}"
    return ""


def _bare(marked: str) -> str:
    return re.sub(r"\W+", " ", MARKER.sub(" ", marked)).strip().casefold()


def _own(given: Sequence[tuple[str, str]], checked: Checked) -> bool:
    """Whether all that looks private is a value that the shop itself states."""
    values = " ".join(value for part in checked.parts for value in part.values.values())
    return all(said in values for _, said in given)


def _foreign(words: str, language: Language) -> bool:
    found, neither = language_of(words, before=language, locale=language)
    return neither or found != language
