"""What counts as an answer to what was asked for, and that it is masked as a whole."""

from __future__ import annotations

import re

import pytest

from bot.state import DialogState
from bot.understanding.details import answers, gives_contact, masked_answer
from bot.understanding.redaction import Redacted, redact

ORDER = re.compile(r"FK-\d{5}|\b10\d{6}\b")
ADDRESS = DialogState(awaiting="detail", wanted="address")
INSTEAD = DialogState(awaiting="detail", wanted="instead")
CALLBACK = DialogState(awaiting="callback")


def read(message: str, state: DialogState) -> Redacted:
    return masked_answer(message, redact(message, keep=ORDER), state, keep=ORDER)


@pytest.mark.parametrize(
    "message",
    [
        "12 Mill Lane, Springfield",
        "it's 5 Elm Street, ok?",
        "Rose Cottage, Church Road, Ludlow",
        "北京市海淀区中关村大街1号",
        "幸福路十二号三单元",
    ],
)
def test_that_an_address_that_was_asked_for_is_masked_as_a_whole(message: str) -> None:
    found = read(message, ADDRESS)
    assert found.text == "[address]"
    assert found.given == (("address", message),)
    assert answers(found.text, ADDRESS)


@pytest.mark.parametrize(
    "message",
    [
        "yes", "no, never mind", "thanks", "I want to talk to a human", "what are your hours?",
        "do you have a kettle?", "好的", "算了", "转人工", "多久能到？", "why?", "x " * 80,
    ],
)  # fmt: skip
def test_that_something_else_is_no_address(message: str) -> None:
    assert read(message, ADDRESS).text == redact(message).text
    assert not answers(message, ADDRESS)


def test_that_nothing_is_an_answer_that_was_not_asked_for() -> None:
    said = "the yellow house behind the mill"
    assert not answers(said, DialogState())
    assert read(said, DialogState()).text == said


@pytest.mark.parametrize(
    ("message", "is_one"),
    [
        ("size L in blue", True),
        ("蓝色大码", True),
        ("ok", False),
        ("which sizes are there?", False),
    ],
)
def test_that_what_instead_is_any_statement(message: str, is_one: bool) -> None:
    assert answers(message, INSTEAD) is is_one


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("jo@example.com", "email"),
        ("(312) 555-0199", "phone"),
        ("13812345678", "phone"),
        ("0171 234 56 78 after five", "contact"),
        ("微信 quiet_heron", "contact"),
    ],
)
def test_that_a_contact_that_was_asked_for_is_kept_for_the_turn_and_masked(
    message: str, kind: str
) -> None:
    found = read(message, CALLBACK)
    assert not re.search(r"\d{3}|@|heron", found.text)
    assert [given for given, _ in found.given] in ([kind], ["phone"])
    assert gives_contact(found.text, CALLBACK)


def test_that_the_number_to_call_back_is_masked_however_it_is_written() -> None:
    found = read("please call me back on 0171 2345678", DialogState())
    assert found.text == "please call me back on [phone]"
    assert found.given == (("phone", "0171 2345678"),)


def test_that_an_order_number_is_no_number_to_call_back() -> None:
    found = read("call me back about 10234567", DialogState())
    assert found.text == "call me back about 10234567"
    assert found.given == ()


@pytest.mark.parametrize(
    ("text", "state", "gives"),
    [
        ("[phone]", DialogState(handed_off=True), True),
        ("my number is [phone]", DialogState(handed_off=True), True),
        ("[phone]", DialogState(), False),
        ("[email]", DialogState(handed_off=True, topic="order"), False),
        ("[email]", DialogState(handed_off=True, awaiting="contact"), False),
        ("hello", CALLBACK, False),
    ],
)
def test_that_a_bare_contact_after_a_hand_over_is_one_to_call_back(
    text: str, state: DialogState, gives: bool
) -> None:
    assert gives_contact(text, state) is gives
