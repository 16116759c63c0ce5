"""A corrected reply: what has no source is named, and what remains is read back into acts and slots."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.corrections import check, cut
from db.conversations import TurnRecord

KETTLE, CUP = "Copper Kettle 1.5 L", "Tin Cup"


def fact(number: int, source: str, field: str, text: str, subject: str = "") -> dict[str, str]:
    return {
        "id": f"F{number}",
        "source": source,
        "source_id": "k1",
        "field": field,
        "text": text,
        "subject": subject,
    }


FACTS = [
    fact(1, "product", "title", KETTLE, KETTLE),
    fact(2, "product", "price", "$49.00", KETTLE),
    fact(3, "product", "stock", "in stock", KETTLE),
    fact(4, "policy", "text", "Return it within 30 days."),
    fact(5, "shop", "name", "Fern & Kettle"),
    fact(6, "product", "title", CUP, CUP),
]
PRICE: dict[str, Any] = {
    "act": "price",
    "slots": {"title_1": KETTLE, "price_1": "$49.00"},
    "slot_facts": {"title_1": "F1", "price_1": "F2"},
    "text": f"The {KETTLE} costs $49.00.",
}
POLICY: dict[str, Any] = {
    "act": "policy",
    "slots": {"quote_1": "Return it within 30 days."},
    "slot_facts": {"quote_1": "F4"},
    "text": "The shop writes: “Return it within 30 days.”",
}


def turn(*segments: dict[str, Any], language: str = "en", facts: Any = FACTS) -> TurnRecord:
    return TurnRecord(
        id=7,
        conversation_id=1,
        created_at=datetime(2025, 3, 1, tzinfo=UTC),
        user_text="how much is the kettle?",
        reply_text="\n\n".join(segment["text"] for segment in segments),
        language=language,
        intent="product_question",
        intents=("product_question",),
        acts=tuple(segment["act"] for segment in segments),
        payload={},
        trace={"facts": list(facts), "segments": list(segments)},
        generator_name="gpt2-shop",
        generator_version="1",
        prompt_version="1",
        fallback=False,
    )


def test_that_a_rewording_is_read_back_into_its_slots() -> None:
    checked = check(turn(PRICE), f"Fern & Kettle: you get the {KETTLE} for $49.00.")
    assert checked.ok
    assert [part.marked for part in checked.parts] == [
        "Fern & Kettle: you get the <title_1> for <price_1>."
    ]
    assert checked.parts[0].values == PRICE["slots"]
    assert checked.unaligned == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"The {KETTLE} costs $39.00.", "$39.00"),
        (f"The {KETTLE} costs $49.00, with free delivery.", "free"),
        (f"The {KETTLE} costs $49.00 at Kettle World.", "World"),
        (f"The {KETTLE} costs $49.00: see https://cheap.example", "cheap.example"),
    ],
)
def test_that_words_without_a_source_are_named(text: str, words: str) -> None:
    checked = check(turn(PRICE), text)
    assert not checked.ok
    assert words in " ".join(checked.unsupported)
    assert checked.parts == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"Here is the {KETTLE}.", "has to say '$49.00'"),
        (f"$49.00 for the {KETTLE}, yes, $49.00.", "has to say '$49.00'"),
        (f"The {KETTLE} costs $49.00 and is in stock.", "no slot of it: "),
        (f"The {KETTLE} costs $49.00. There is also the {CUP}.", "no slot of it: "),
    ],
)
def test_that_what_is_true_but_no_slot_of_the_act_is_told(text: str, told: str) -> None:
    checked = check(turn(PRICE), text)
    assert checked.ok
    assert checked.parts == ()
    assert told in checked.unaligned[0]
    assert checked.unaligned[0].startswith("price: ")


def test_that_several_acts_each_get_what_is_theirs() -> None:
    text = (
        f"Hello from Fern & Kettle. The {KETTLE} is $49.00. Of course. "
        "The shop writes: “Return it within 30 days.” Do ask."
    )
    checked = check(turn(PRICE, POLICY), text)
    assert [part.marked for part in checked.parts] == [
        "Hello from Fern & Kettle. The <title_1> is <price_1>.",
        "Of course. The shop writes: “<quote_1>” Do ask.",
    ]


def test_that_an_act_that_is_left_out_is_told_and_the_other_learned() -> None:
    checked = check(turn(PRICE, POLICY), f"The {KETTLE} is $49.00.")
    assert [part.act for part in checked.parts] == ["price"]
    assert checked.unaligned == ("policy: nothing of it is said",)


def test_that_chinese_is_cut_at_its_own_stops() -> None:
    price = PRICE | {"text": f"{KETTLE} 的价格是 $49.00。"}
    policy = POLICY | {"text": "店铺写道：“Return it within 30 days.”"}
    text = f"您好。{KETTLE} 卖 $49.00。店铺写道：“Return it within 30 days.”"
    checked = check(turn(price, policy, language="zh"), text)
    assert [part.marked for part in checked.parts] == [
        "您好。<title_1> 卖 <price_1>。",
        "店铺写道：“<quote_1>”",
    ]


def test_that_a_denial_needs_its_own_fact() -> None:
    nothing = {
        "act": "not_sold",
        "slots": {"wish": "trombones"},
        "slot_facts": {"wish": "F1"},
        "text": "We do not have trombones.",
    }
    facts = [
        fact(1, "shopper", "message", "trombones"),
        fact(2, "shop", "absent", "trombones") | {"field": "absent"},
    ]
    checked = check(turn(nothing, facts=facts), "Sorry, we do not have trombones.")
    assert [part.marked for part in checked.parts] == ["Sorry, we do not have <wish>."]


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 901])
def test_that_a_text_that_is_no_reply_aligns_to_nothing(text: str) -> None:
    checked = check(turn(PRICE), text)
    assert checked.parts == ()
    assert "1 to 900 characters" in checked.unaligned[0]


@given(st.text(alphabet="ab .!?。\n$49Tin Cup", max_size=80), st.integers(0, 3))
def test_that_cutting_loses_no_word_and_keeps_the_order(text: str, segments: int) -> None:
    every = [PRICE, POLICY, PRICE | {"slots": {"title_1": CUP}}][:segments]
    pieces = cut(text, every)
    assert len(pieces) == segments
    if segments:
        assert "".join("".join(pieces).split()) == "".join(text.split())
