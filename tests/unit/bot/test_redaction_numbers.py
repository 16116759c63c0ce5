"""Numbers of persons leave a message; numbers of things stay."""

from __future__ import annotations

import pytest

from bot.understanding.identity_numbers import chinese_id, iban_end, luhn, trade_item
from bot.understanding.redaction import redact


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("call me on 0123 456789", "call me on [phone]"),
        ("my mobile: 07700 900123", "my mobile: [phone]"),
        ("you can reach me at 555-0142", "you can reach me at [phone]"),
        ("+41 (0)44 555 01 42 is my phone", "[phone] is my phone"),
        ("28-55-01-42 is my number", "[phone] is my number"),
        ("the number I have on file is 655 550 142", "the number I have on file is [phone]"),
        ("Orla\n416 55 014 office", "Orla\n[phone] office"),
        ("555 0142", "[phone]"),
        ("手机号11155501420，麻烦了", "手机号[phone]，麻烦了"),
        ("联系电话 010-62345678", "联系电话 [phone]"),
        ("拨打400-555-0142", "拨打[phone]"),
    ],
)
def test_that_a_number_called_or_dialled_is_a_telephone_number(said: str, kept: str) -> None:
    found = redact(said)
    assert found.text == kept
    assert [kind for kind, _ in found.given] == ["phone"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("IBAN GB33 BUKB 2020 1555 5555 55 thanks", "IBAN [id] thanks"),
        ("my iban is de89370400440532013000", "my iban is [id]"),
        ("my driver's licence number is D123-4567-89", "my driver's licence number is [id]"),
        ("passport no. X1234567 and 2 tents", "passport no. [id] and 2 tents"),
        ("social security number 078 05 1120", "social security number [id]"),
        ("NI number QQ123456C", "NI number [id]"),
        ("it is AB 12 34 56 C", "it is [id]"),
        ("sort code 12-34-56 account number 12345678", "sort code [id] account number [id]"),
        ("身份证号11010519491231002X", "身份证号[id]"),
        ("护照号码E12345678", "护照号码[id]"),
    ],
)
def test_that_an_identity_number_is_taken_out(said: str, kept: str) -> None:
    assert redact(said).text == kept


@pytest.mark.parametrize(
    "said",
    [
        "my card 5610 5910 8101 8250 was declined",
        "credit card number is 1234567890123456",  # mistyped, yet called a card's
        "卡号6222021234567890128",
        "card 501800000009",  # Maestro's may have twelve figures
    ],
)
def test_that_what_is_called_a_card_is_taken_out(said: str) -> None:
    assert redact(said).card


@pytest.mark.parametrize(
    "said",
    [
        "Sony WH-1000XM4",
        "12-34-56 mm",
        "the shelf is 100 200 300 mm",
        "sizes 38 40 42 44",
        "10 10 10 10",
        "item 2125550142",
        "part number 7510 7710 62",
        "order number 314902651602",
        "order #12345678901",
        "订单314902651602什么时候发货",
        "商品ID 100112573665 有货吗",
        "快递单号 SF1234567890123",
        "ISBN 978-3-16-148410-0",
        "EAN 4006381333931",
        "192.168.100.100",
        "version 10.15.7.1234",
        "between 2026-03-02 10:00 and 12/03/2026",
        "1299-1599元",
        "tracking 1Z999AA10123456784",
        "memory card 123456789012",
        "AB12 3456 7890 1234",
        "my number is 20519",
        "Ring Doorbell 2 1080 1920",
    ],
)
def test_that_numbers_of_things_stay(said: str) -> None:
    found = redact(said)
    assert (found.text, found.given) == (said, ())


def test_that_what_was_given_is_handed_on_as_typed() -> None:
    found = redact("jo@example.com, ０７７００ 900123, NI AB 12 34 56 C")
    assert found.text == "[email], [phone], NI [id]"
    assert found.given == (
        ("email", "jo@example.com"),
        ("phone", "０７７００ 900123"),
        ("id", "AB 12 34 56 C"),
    )
    assert found.phones == ("07700900123",)


def test_that_one_figure_wrong_breaks_each_checksum() -> None:
    assert luhn("4111111111111111") and not luhn("4111111111111112")
    assert iban_end("GB33BUKB20201555555555") == 22 and not iban_end("GB33BUKB20201555555556")
    assert chinese_id("11010519491231002X") and not chinese_id("110105194912310021")
    assert trade_item("4006381333931") and not trade_item("4006381333932")
