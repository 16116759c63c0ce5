"""Tricky texts, true and untrue, each against a few facts written out."""

from __future__ import annotations

import random

import pytest

from bot.turn import Fact, FactSource, Language
from bot.verifier import Verifier, verify

TENT, TARP = "TrailMaster X4 Tent", "Alpine Explorer Tent"
LAMP, FLOOR = "清欢日式可调节台灯", "山月北欧落地灯"


def facts(*rows: tuple[FactSource, str, str, str]) -> tuple[Fact, ...]:
    return tuple(Fact(f"F{i}", s, f, f, t, subject) for i, (s, f, t, subject) in enumerate(rows, 1))


TENTS = facts(
    ("product", "title", TENT, TENT),
    ("product", "price", "$250.00", TENT),
    ("product", "attribute:Weight", "12 lbs", TENT),
    ("product", "attribute:Material", "polyester", TENT),
    ("product", "stock", "in stock", TENT),
    ("product", "text", "The rainfly is waterproof. It is not fire-resistant.", TENT),
    ("product", "title", TARP, TARP),
    ("product", "price", "$350.00", TARP),
    ("product", "attribute:Weight", "17 lbs", TARP),
    ("product", "attribute:Material", "nylon", TARP),
    ("product", "stock", "out of stock", TARP),
    ("policy", "text", "Orders over $75 ship free. Refunds take 7 business days.", ""),
    ("policy", "text", "We do not ship to PO boxes.", ""),
    ("shopper", "message", "is the tent waterproof, and do you have one under $300?", ""),
    ("derived", "difference", "$100.00", ""),
)
LAMPS = facts(
    ("product", "title", LAMP, LAMP),
    ("product", "price", "199元", LAMP),
    ("product", "attribute:重量", "1.2千克", LAMP),
    ("product", "stock", "有货", LAMP),
    ("product", "title", FLOOR, FLOOR),
    ("product", "price", "358元", FLOOR),
    ("product", "attribute:重量", "3.5千克", FLOOR),
    ("product", "stock", "仅剩4件", FLOOR),
    ("policy", "text", "满88元免邮费。定制商品不支持退换。", ""),
    ("shopper", "message", "有没有防水的灯，300元以下", ""),
    ("derived", "difference", "159元", ""),
)

TRUE_EN = [
    f"{TENT} costs $250.00, {TARP} $350.00.",
    f"{TENT} ($250.00) weighs 12 lbs; {TARP} weighs 17 lbs.",
    f"Between {TENT} and {TARP}, the prices are $250.00 and $350.00.",
    f"It is $250.00 for {TENT} and $350.00 for {TARP}.",
    f"{TENT} versus {TARP}:\n- Weight: 12 lbs against 17 lbs\n- Material: polyester / nylon",
    f"{TENT} costs $250.00, {TARP} costs $350.00.\n- Material: Polyester against Nylon",
    f"{TENT} is $100.00 cheaper than {TARP}.",
    f"{TARP} costs $100.00 more than {TENT}.",
    f"{TENT} is in stock, {TARP} is out of stock.",
    f"The rainfly of the {TENT} is waterproof.",
    f"The page of {TENT} says: “It is not fire-resistant.”",
    "We do not ship to PO boxes.",
    "Orders over $75 ship free.",
    f"You asked for one under $300: {TENT} is $250.00.",
    "I found two tents for you.",
]
UNTRUE_EN = [
    f"{TENT} costs $350.00.",
    f"{TENT} costs $250.00, {TARP} $250.00.",
    f"{TENT} costs €250.00.",
    f"{TENT} weighs 17 lbs.",
    f"{TENT} weighs 12 kg.",
    f"{TENT} weighs twelve kilos.",
    f"Between {TENT} and {TARP}, the prices are $350.00 and $250.00.",
    f"It is $350.00 for {TENT} and $250.00 for {TARP}.",
    f"{TENT} versus {TARP}:\n- Weight: 17 lbs against 12 lbs",
    f"{TENT} versus {TARP}:\n- Material: nylon / polyester",
    f"{TENT} is made of nylon.",
    f"{TARP} is $100.00 cheaper than {TENT}.",
    f"{TENT} costs $100.00 more than {TARP}.",
    f"{TARP} is the cheaper one.",
    f"{TENT} costs $100.00.",
    f"{TENT} costs $75.",
    f"{TENT} costs $300.",
    f"{TENT} is out of stock.",
    f"{TARP} is available.",
    f"{TENT} is fire-resistant.",
    f"{TARP} is waterproof.",
    f"The page of {TARP} says: “The rainfly is waterproof.”",
    f"The page of {TENT} says: “It is fire-resistant.”",
    "We ship to PO boxes.",
    "Everything ships free.",
    "Refunds take 7 days.",
    "Refunds take 7 business weeks.",
    "Refunds are free.",
    f"{TENT} is not waterproof.",
    f"{TENT} doesn't cost $250.00.",
    "TrailMaster X5 Tent costs $250.00.",
    "TrailMaster Tent X4 costs $250.00.",
    "Alpine Explorer Backpack costs $350.00.",
    f"{TENT} Pro costs $250.00.",
    "See https://example.com/tents for more.",
    "Write to us at sales@example.com.",
    "Call +1-800-555-0199.",
    "Your request is R-1042.",
    "I found three tents for you.",
    "It arrives on Monday.",
    "It arrives on December 3.",
    f"{TENT} costs $250\u200b.00.",
    "We have kayaks.",
    "Ihr Zelt ist wasserdicht.",
    "Тент стоит дорого.",
    "Hello qzv brafti ulomp!",
]
TRUE_ZH = [
    f"{LAMP}售价199元，{FLOOR}售价358元。",
    f"{LAMP}比{FLOOR}便宜159元。",
    f"{LAMP}目前有货，{FLOOR}仅剩4件。",
    f"{LAMP}和{FLOOR}对比：\n- 重量：1.2千克 / 3.5千克",
    f"{LAMP}售价一百九十九元。",
    "满88元免邮费。",
    "定制商品不支持退换。",
    f"为您找到两款：{LAMP}、{FLOOR}。",
]
UNTRUE_ZH = [
    f"{LAMP}售价358元。",
    f"{LAMP}售价一百八十九元。",
    f"{LAMP}售价199美元。",
    f"{FLOOR}比{LAMP}便宜159元。",
    f"{LAMP}缺货。",
    f"{FLOOR}仅剩3件。",
    f"{LAMP}和{FLOOR}对比：\n- 重量：3.5千克 / 1.2千克",
    f"{LAMP}重1.2克。",
    f"{LAMP}是防水的。",
    f"{LAMP}售价300元。",
    "清欢日式可调节吊灯售价199元。",
    "满99元免邮费。",
    "全场免邮费。",
    "定制商品支持退换。",
    f"{LAMP}不是199元。",
    "为您找到三款。",
    "请拨打400-800-1234。",
    "明天送达。",
    "嘛饕窨鹄龘",
]


@pytest.mark.parametrize("text", TRUE_EN)
def test_that_a_true_english_text_passes(text: str) -> None:
    assert verify(text, TENTS, language="en").unsupported == ()


@pytest.mark.parametrize("text", UNTRUE_EN)
def test_that_an_untrue_english_text_is_named(text: str) -> None:
    assert not verify(text, TENTS, language="en").ok


@pytest.mark.parametrize("text", TRUE_ZH)
def test_that_a_true_chinese_text_passes(text: str) -> None:
    assert verify(text, LAMPS, language="zh").unsupported == ()


@pytest.mark.parametrize("text", UNTRUE_ZH)
def test_that_an_untrue_chinese_text_is_named(text: str) -> None:
    assert not verify(text, LAMPS, language="zh").ok


@pytest.mark.parametrize("text", ["", "   ", "x" * 5000])
def test_that_empty_and_overlong_text_is_unsupported(text: str) -> None:
    assert not verify(text, TENTS, language="en").ok


def test_that_the_offending_words_are_named() -> None:
    verdict = verify(f"{TENT} costs $205.00 and glows.", TENTS, language="en")
    assert verdict.unsupported == ("$205.00", "glows")


def test_that_a_converted_weight_passes_only_as_a_derived_fact() -> None:
    text = f"{TENT} weighs 5.4 kg."
    assert not verify(text, TENTS, language="en").ok
    converted = (*TENTS, Fact("F99", "derived", "convert", "value", "5.4 kg", TENT))
    assert verify(text, converted, language="en").ok


def test_that_a_date_beside_the_wrong_verb_is_caught() -> None:
    order = facts(
        ("order", "shipped_on", "November 19, 2026", ""),
        ("order", "expected_on", "November 24, 2026", ""),
    )
    assert verify("It was shipped on 2026-11-19.", order, language="en").ok
    assert not verify("It was shipped on November 24, 2026.", order, language="en").ok
    assert not verify("It is expected on November 19.", order, language="en").ok


def test_that_a_weekday_must_be_that_of_a_date() -> None:
    order = facts(("order", "expected_on", "November 24, 2026", ""))
    assert verify("It is expected on Tuesday, November 24.", order, language="en").ok
    assert not verify("It is expected on Friday, November 24.", order, language="en").ok


def test_that_an_order_number_is_no_tracking_number() -> None:
    order = facts(("order", "id", "GS-5004", ""), ("order", "tracking", "1Z880418916", ""))
    assert verify("The tracking number is 1Z880418916.", order, language="en").ok
    assert not verify("The tracking number is GS-5004.", order, language="en").ok


def test_that_stock_is_left_open_only_where_it_is_not_stated() -> None:
    unknown = facts(
        ("product", "title", TENT, TENT), ("product", "absent", "whether it is in stock", TENT)
    )
    assert verify("I can't tell whether it is in stock.", unknown, language="en").ok
    assert not verify("It is in stock.", unknown, language="en").ok


def test_that_what_is_absent_is_neither_had_nor_another_thing() -> None:
    none = facts(("shopper", "message", "kayaks?", ""), ("shopper", "absent", "kayaks", ""))
    assert verify("We don't sell kayaks.", none, language="en").ok
    assert not verify("We sell kayaks.", none, language="en").ok
    assert not verify("We don't sell tents.", none, language="en").ok


def test_that_a_comparison_in_what_is_absent_is_denied_and_never_affirmed() -> None:
    none = facts(
        ("shopper", "message", "cheaper", ""),
        ("shopper", "absent", "a cheaper tent", ""),
        ("product", "title", TENT, TENT),
        ("product", "price", "$250.00", TENT),
    )
    assert verify(
        "I found nothing that fits a cheaper tent.", none, language="en", act="no_match"
    ).ok
    assert not verify(f"There is a cheaper tent: {TENT}.", none, language="en", act="no_match").ok
    assert not verify(f"{TENT} is cheaper.", none, language="en", act="no_match").ok


def test_that_something_done_needs_the_act_that_does_it() -> None:
    kind = facts(("request", "kind", "cancellation", ""), ("request", "id", "R-1042", ""))
    recorded = "Your cancellation is recorded as R-1042."
    assert verify(recorded, kind, language="en", act="request_recorded").ok
    done = "I have cancelled your order, R-1042."
    assert not verify(done, kind, language="en", act="request_recorded").ok


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("act", ["greet", "goodbye", "thanks", "unclear", "ask_wish"])
def test_that_shuffled_letters_are_caught_in_acts_without_facts(
    language: Language, act: str
) -> None:
    rng = random.Random(f"{language}{act}")
    letters = "abcdefghijklmnopqrstuvwxyz" if language == "en" else "龙凤麒麟鹤鹿龟蛇虎豹狼狐"
    for _ in range(50):
        size = rng.randint(4, 7)
        words = ["".join(rng.choice(letters) for _ in range(size)) for _ in range(4)]
        text = (" " if language == "en" else "").join(words)
        assert not verify(text, (), language=language, act=act).ok


def test_that_the_verifier_object_judges_as_the_function_does() -> None:
    text = f"{TENT} costs $999.00."
    verifier = Verifier()
    assert verifier.verify(text, TENTS, language="en") == verify(text, TENTS, language="en")


BOARD = "Acacia Cutting Board"
REFUSING = facts(
    ("product", "title", BOARD, BOARD),
    ("product", "attribute:Dishwasher safe", "No", BOARD),
    ("product", "attribute:Material", "Acacia", BOARD),
)


@pytest.mark.parametrize(
    "text",
    [
        f"The page for {BOARD} lists Dishwasher safe as No.",
        f"{BOARD} — Dishwasher safe: No.",
        f"{BOARD} is not dishwasher safe.",
    ],
)
def test_that_an_attribute_that_says_no_may_be_told(text: str) -> None:
    assert verify(text, REFUSING, language="en", act="attribute").ok


@pytest.mark.parametrize(
    "text",
    [
        f"{BOARD} is dishwasher safe.",
        f"{BOARD} is dishwasher safe and made of acacia.",
        f"Good news: the {BOARD} is safe in the dishwasher.",
        f"The page for {BOARD} lists Dishwasher safe as Yes.",
        f"The page for {BOARD} lists Material as No.",
    ],
)
def test_that_an_attribute_that_says_no_is_not_turned_round(text: str) -> None:
    assert not verify(text, REFUSING, language="en", act="attribute").ok


@pytest.mark.parametrize("said", ["9:00至18:30", "9:00–18:30", "10:00至17:30", "9:00至4455:30"])
def test_that_no_time_of_a_span_of_hours_can_be_altered(said: str) -> None:
    hours = (Fact("F1", "shop", "hours", "hours", "9:00至17:30"),)
    assert verify("人工服务时间：9:00至17:30", hours, language="zh", act="callback_recorded").ok
    assert not verify(f"人工服务时间：{said}", hours, language="zh", act="callback_recorded").ok


def test_that_the_pieces_of_a_set_in_a_title_support_no_other_count() -> None:
    facts = (Fact("F1", "product", "p1", "title", "云朵四件套", "云朵四件套"),)
    assert not verify("云朵四件套：4件可选。", facts, language="zh", act="attribute").ok


TRACKED = facts(
    ("order", "id", "GS-4834", ""),
    ("order", "status", "已发货", ""),
    ("order", "tracking", "1Z679657615", ""),
)


def test_that_the_word_for_an_order_number_is_not_taken_for_that_of_a_parcel() -> None:
    said = "订单号GS-4834，目前的状态是已发货（运单号1Z679657615）。"
    assert verify(said, TRACKED, language="zh", act="order_status").ok
    swapped = "订单号1Z679657615，目前的状态是已发货（运单号GS-4834）。"
    assert not verify(swapped, TRACKED, language="zh", act="order_status").ok


RANGED = facts(
    ("product", "title", LAMP, LAMP),
    ("product", "price", "199元至259元", LAMP),
    ("product", "title", FLOOR, FLOOR),
    ("product", "price", "358元", FLOOR),
)


@pytest.mark.parametrize("row", ["199元至259元 / 358元", "358元 / 199元至259元"])
def test_that_a_range_of_prices_right_behind_a_label_belongs_to_its_product(row: str) -> None:
    said = f"对比一下{LAMP}和{FLOOR}：\n- 价格：{row}"
    assert verify(said, RANGED, language="zh", act="compare").ok == row.startswith("199")


REFUSED = facts(
    ("order", "id", "GS-7980", ""),
    ("order", "status", "shipped", ""),
    ("request", "kind", "exchange", ""),
)


@pytest.mark.parametrize("possible", ["not possible", "possible"])
def test_that_a_refusal_may_begin_with_either_article_and_must_refuse(possible: str) -> None:
    said = f"An exchange is {possible} when order GS-7980 is listed as shipped."
    verdict = verify(said, REFUSED, language="en", act="request_refused")
    assert verdict.ok == (possible == "not possible")


def test_that_cannot_turned_into_can_is_noticed() -> None:
    said = "抱歉，我{}改变自己的职责。不过商品、订单和店铺规则可以问我。"
    nothing = facts(("shop", "absent", "", ""))
    assert verify(said.format("无法"), nothing, language="zh", act="refuse_instruction").ok
    assert not verify(said.format("可以"), nothing, language="zh", act="refuse_instruction").ok


def test_that_quotation_marks_within_a_title_quote_nothing() -> None:
    case, other = "20寸 纯PC“铝框”（非全铝）登机箱", "20寸 铝镁合金登机箱"
    known = facts(
        ("product", "title", case, case),
        ("product", "price", "¥349.00", case),
        ("product", "title", other, other),
        ("product", "price", "¥859.00", other),
        ("shopper", "wish", "20寸的登机箱", ""),
    )
    told = f"想找20寸的登机箱的话，可以看看这几款：\n- {case}，¥349.00\n- {other}，¥859.00"
    assert verify(told, known, language="zh", act="recommend").ok
    swapped = told.replace("¥349.00", "¥859.00")
    assert not verify(swapped, known, language="zh", act="recommend").ok


def test_that_a_wish_of_one_chinese_character_may_be_said_again() -> None:
    pan = "铸铁炒锅"
    known = facts(
        ("product", "title", pan, pan), ("product", "price", "259元", pan), ("shopper", "wish", "锅", "")
    )  # fmt: skip
    assert verify(f"想找锅的话，可以看看{pan}，259元。", known, language="zh", act="recommend").ok


def test_that_what_is_absent_names_no_product_that_its_words_hold() -> None:
    food = "Dog Food"
    known = facts(
        ("product", "title", food, food),
        ("product", "price", "$10.99", food),
        ("shopper", "absent", "grain free dog food", ""),
        ("shopper", "condition", "grain free", ""),
    )
    told = "I found nothing that fits grain free dog food on every point."
    near = " Without one condition (grain free), there would be Dog Food at $10.99."
    assert verify(told + near, known, language="en", act="no_match").ok
    assert not verify("We don't have Dog Food.", known, language="en", act="no_match").ok
    assert not verify(
        f"Here is grain free dog food: {food}.", known, language="en", act="no_match"
    ).ok
