"""What a correction must not teach: the reasons for which one is kept out of a training set.

Each looks at a corrected text alone, `constant` and `too_many` at all of them. Knows nothing about
how a set is written or trained on.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from bot.corrections import Checked
from bot.promises import Never
from bot.turn import Language
from bot.understanding.intents import insult
from bot.understanding.language import language_of
from bot.understanding.redaction import redact
from prompts.acts import MARKER
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
]
KINDS: tuple[Kind, ...] = get_args(Kind)

INSULT = 0.5  # as what a message is nothing but an insult from
SAME_ACTS = 3  # different acts that one text cannot all be an answer of
MOST_REFUSED = 0.2  # share of the corrections; a set with more has been tampered with
FEWEST_REFUSED = 5  # below this many a share says little

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
    checked: Checked, text: str, *, language: Language, never: Never
) -> tuple[Kind, str] | None:
    """Returns why nothing may be learned from a corrected text, with the words, or None.

    `checked` is what `corrections.check` made of it. Slot values are the shop's own words and are
    judged by their facts alone.
    """
    if not checked.ok:
        return "unsupported", ", ".join(checked.unsupported)
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
    """Returns the turns whose corrections say the same for SAME_ACTS different acts or more.

    `marked` holds, for each turn, acts and what was said for them.
    """
    acts: defaultdict[str, set[str]] = defaultdict(set)
    for said in marked.values():
        for act, text in said:
            acts[_bare(text)].add(act)
    same = {text for text, of in acts.items() if text and len(of) >= SAME_ACTS}
    return {turn for turn, said in marked.items() if any(_bare(text) in same for _, text in said)}


def too_many(refused: Sequence[Kind], corrections: int) -> str:
    """Returns what is wrong with a set as a whole, "" where nothing is."""
    if len(refused) < FEWEST_REFUSED or len(refused) <= MOST_REFUSED * corrections:
        return ""
    counts = ", ".join(f"{count} {kind}" for kind, count in Counter(refused).most_common())
    return (
        f"{len(refused)} of {corrections} corrections must not be learned from ({counts}); "
        f"more than {MOST_REFUSED:.0%} is no accident: look at who wrote them"
    )


def _bare(marked: str) -> str:
    return re.sub(r"\W+", " ", MARKER.sub(" ", marked)).strip().casefold()


def _own(given: Sequence[tuple[str, str]], checked: Checked) -> bool:
    """Whether all that looks private is a value that the shop itself states."""
    values = " ".join(value for part in checked.parts for value in part.values.values())
    return all(said in values for _, said in given)


def _foreign(words: str, language: Language) -> bool:
    found, neither = language_of(words, before=language, locale=language)
    return neither or found != language
