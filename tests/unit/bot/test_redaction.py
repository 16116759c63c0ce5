"""Personal data leaves a message before anything keeps it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding.orders import order_pattern
from bot.understanding.redaction import holds_card, normal_email, normal_phone, redact, visible

ORDERS = order_pattern(["FK-20519", "FK-20528"])
ADDRESS = st.from_regex(
    re.compile(r"[a-z0-9]{1,8}([.+_-][a-z0-9]{1,6})?@[a-z0-9-]{1,8}\.[a-z]{2,5}", re.ASCII),
    fullmatch=True,
)
AROUND = st.text(alphabet="abc XY,;:<>()\n？，请用邮箱", max_size=12)


@pytest.mark.parametrize(
    ("said", "kept", "email"),
    [
        ("mail Jo.Bloggs+x@Example.CO.uk!", "mail [email]!", "jo.bloggs+x@example.co.uk"),
        ("邮箱是zhang@qq.com谢谢", "邮箱是[email]谢谢", "zhang@qq.com"),
        ("it is 'jo@example.com'", "it is '[email]'", "jo@example.com"),
        ("o'brien@example.com", "[email]", "o'brien@example.com"),
        ("jö@exämple.com", "[email]", "jö@exämple.com"),
        ("jo @ example.com", "[email]", "jo@example.com"),
        ("ｊｏ＠example.com", "[email]", "jo@example.com"),
        ("用户@例子.中国", "[email]", "用户@例子.中国"),
    ],
)
def test_that_an_address_is_taken_out_and_handed_on(said: str, kept: str, email: str) -> None:
    found = redact(said)
    assert (found.text, found.emails) == (kept, (email,))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("call (312) 555-0142", "call [phone]"),
        ("312-555-0142", "[phone]"),
        ("my number is 3125550142", "my number is [phone]"),
        ("1-800-555-0199 or 1.800.555.0199", "[phone] or [phone]"),
        ("+1 312 555 0142", "[phone]"),
        ("+86 138 1234 5678", "[phone]"),
        ("我的电话13812345678，谢谢", "我的电话[phone]，谢谢"),
        ("電話 １３８１２３４５６７８", "電話 [phone]"),
    ],
)
def test_that_a_telephone_number_is_taken_out(said: str, kept: str) -> None:
    found = redact(said)
    assert found.text == kept
    assert len(found.phones) == kept.count("[phone]")
    assert not found.card


@pytest.mark.parametrize(
    "said",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4111  1111  1111  1111",
        "卡号4111111111111111",
        "４１１１１１１１１１１１１１１１",
        "my card 4111 1111 1111 1111 12 27",
        "4111 1111 1111 1111 123",
        "2 4111 1111 1111 1111",
        "3782 822463 10005",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    ],
)
def test_that_a_card_number_is_taken_out_with_what_stands_beside_it(said: str) -> None:
    found = redact(said)
    assert found.card
    assert "[card]" in found.text
    assert not re.search(r"\d", found.text)


@pytest.mark.parametrize("said", ["cvv 123", "security code: 1234", "exp 12/27", "有效期12/27"])
def test_that_the_rest_of_a_card_is_taken_out_too(said: str) -> None:
    found = redact(said)
    assert (found.text, found.card) == ("[card]", True)


@pytest.mark.parametrize("said", ["110101199003071234", "123-45-6789"])
def test_that_a_personal_number_is_taken_out(said: str) -> None:
    assert redact(said).text == "[id]"


@pytest.mark.parametrize(
    "said",
    [
        "order FK-20519",
        "under $1,299.00",
        "delivered 2026-03-02",
        "30 x 20 x 10 in",
        "1234 5678 9012 3456",  # fails the checksum of cards
        "2 @ $5.00 each",
        "EAN 4006381333931",
        "jo@localhost",
    ],
)
def test_that_what_is_no_personal_data_stays(said: str) -> None:
    found = redact(said, keep=ORDERS)
    assert (found.text, found.card) == (said, False)


def test_that_an_order_number_stays_and_one_inside_an_address_goes() -> None:
    found = redact("order FK-20519, FK-20528@example.com", keep=ORDERS)
    assert found.text == "order FK-20519, [email]"


def test_that_a_number_is_the_same_with_and_without_its_country() -> None:
    home = normal_phone("(312) 555-0142")
    assert normal_phone("+1 312 555 0142") == normal_phone("13125550142") == home
    assert normal_phone("+86 138 1234 5678") == normal_phone("13812345678")
    assert normal_phone("312 555 0143") != home


def test_that_an_address_is_the_same_in_any_case_and_width() -> None:
    assert normal_email(" Jo@Example.com") == normal_email("ｊｏ＠example.COM")


def test_that_a_run_of_single_figures_is_no_card() -> None:
    assert not holds_card("1 2 3 4 5 6 7 8 9 10 11 12 13")


@pytest.mark.parametrize(
    "hidden",
    ["\u0000", "\u200b", "\u202e", "\u2066", "\ufeff", "\u061c", "\U000e0041", "\u2800", "\ud800"],
)
def test_that_what_is_not_seen_is_removed(hidden: str) -> None:
    assert visible(f"{hidden} te{hidden}nt {hidden}") == "tent"
    assert visible(hidden * 3) == ""


def test_that_line_ends_of_every_kind_become_one() -> None:
    assert visible("a\r\nb\rc\u2028d") == "a\nb\nc\nd"


@settings(derandomize=True, max_examples=300, deadline=None)
@given(before=AROUND, address=ADDRESS, after=AROUND)
def test_that_no_address_is_left(before: str, address: str, after: str) -> None:
    found = redact(f"{before}{address}{after}", keep=ORDERS)
    assert "@" not in found.text
    assert any(address in email for email in found.emails)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_that_any_text_is_redacted_once_and_for_all(text: str) -> None:
    once = redact(visible(text), keep=ORDERS).text
    again = redact(once, keep=ORDERS)
    assert (again.text, again.emails) == (once, ())
    once.encode()


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789 -.()+@a'/4111FK", max_size=200))
def test_that_figures_in_any_disorder_are_read_without_failing(text: str) -> None:
    assert len(redact(text, keep=ORDERS).text) <= len(text) + 8 * len(text)
