"""Answers to what the bot asked for a request: an address, a way to be reached, what instead.

An address or a contact that redaction does not know by its shape is masked here as a whole, since
what was asked for tells what it is. Knows nothing about what becomes of it.
"""

from __future__ import annotations

import re
from dataclasses import replace

from bot.state import DialogState
from bot.understanding.redaction import Redacted
from prompts.cues import cue
from retrieval.text import units

ADDRESS, CONTACT = "[address]", "[contact]"
# what is said instead of an answer; a question may follow, an order number may not be asked again
_NO_ANSWER = (
    "handoff", "callback", "yes", "no", "thanks", "goodbye", "greet", "restart", "instruction",
    "private", "need", "identity",
)  # fmt: skip
_MASK = re.compile(r"\[(?:email|phone|address|contact)\]")
_REACHED = re.compile(
    r"@|微信|\b(?:wechat|whatsapp|telegram|signal|skype|line)\b|(?:\d[\s./()-]{0,2}){6,}",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w-])\+?\d(?:[\s./()-]{0,2}\d){5,14}(?![\w-])")
_FIGURE = re.compile(r"\d|[一二三四五六七八九十百]+[号弄幢栋室层]")
MAX_WORDS = 60  # a longer text is a story, not an answer
FEW_WORDS = 4


def answers(text: str, state: DialogState) -> bool:
    """Whether the redacted text can be the detail that the bot waits for."""
    if state.awaiting != "detail":
        return False
    if ADDRESS in text:
        return True
    words = len(units(text))
    if not 0 < words <= MAX_WORDS or any(cue(name, text) for name in _NO_ANSWER):
        return False
    asks = cue("question", text)
    if state.wanted == "address":
        return bool(_FIGURE.search(text)) or (words >= FEW_WORDS and not asks)
    return not asks


def gives_contact(text: str, state: DialogState) -> bool:
    """Whether the redacted text tells where the shopper can be reached, having been asked."""
    if not _MASK.search(text):
        return False
    if state.awaiting == "callback":
        return True
    bare = len(units(_MASK.sub(" ", text))) <= FEW_WORDS
    return bare and state.handed_off and not state.awaiting and state.topic != "order"


def masked_answer(
    message: str, redacted: Redacted, state: DialogState, *, keep: re.Pattern[str]
) -> Redacted:
    """Masks an answer as a whole where it is one and redaction left something of it; and the number
    in "call me back on 0171 …", in whatever way it is written. What `keep` matches stays."""
    if state.awaiting == "detail" and state.wanted == "address" and answers(redacted.text, state):
        others = tuple(part for part in redacted.given if part[0] != "address")
        return replace(redacted, text=ADDRESS, given=(*others, ("address", message)))
    if state.awaiting == "callback" and not redacted.given and _REACHED.search(redacted.text):
        return replace(redacted, text=CONTACT, given=(("contact", message),))
    if not redacted.given and cue("callback", redacted.text):
        found = _NUMBER.search(keep.sub("", redacted.text))
        if found is not None:
            masked = redacted.text.replace(found.group(), "[phone]")
            return replace(redacted, text=masked, given=(("phone", found.group()),))
    return redacted
