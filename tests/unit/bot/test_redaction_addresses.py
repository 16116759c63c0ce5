"""Where somebody lives leaves a message; where a shop ships to stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding.orders import order_pattern
from bot.understanding.redaction import redact

ORDERS = order_pattern(["FK-20519", "FK-20528"])
SHORT_ORDERS = order_pattern(["1001", "1002"])


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("please ship it to 48 Larch Lane, Hillford HF3 8QT", "please ship it to [address]"),
        ("I live at 9B Tanner Street now", "I live at [address] now"),
        ("my new address is 70 Cedar Ave NW, Ashby, OH 43001", "my new address is [address]"),
        ("Flat 6, 31 Beech Grove, Norwick", "[address]"),
        ("it went to 12 Quarry Rd Apt. 4, Milton, VT 05468.", "it went to [address]."),
        ("P.O. Box 771, Fairview, TX 75069", "[address]"),
        ("Unit 2201 Box 0417\nAPO AE 09021", "[address]"),
        ("stop at the corner of Mill Road and Abbey Close please", "stop at [address] please"),
        ("Liefert bitte an Ahornweg 17, 10243 Berlin", "Liefert bitte an [address]"),
        ("my address: 8 rue des Lilas, 69003 Lyon, France", "my address: [address]"),
        ("Via Verdi 44, 20121 Milano, Italy", "[address]"),
        ("moved to ul. Lipowa 5, Kraków", "moved to [address]"),
        ("send it to 15 willow lane, dunmore please", "send it to [address] please"),
        ("> 15 Willow Lane\n> Dunmore\n> Ireland", "> [address]"),
        ("ΟΔΟΣ Αθηνάς 12, 10551 Αθήνα, Greece", "[address]"),
    ],
)
def test_that_a_postal_address_is_taken_out(said: str, kept: str) -> None:
    assert redact(said).text == kept


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("寄到江苏省苏州市吴中区梅花路77号4幢301室可以吗", "寄到[address]可以吗"),
        ("地址：海棠街9号", "地址：[address]"),
        ("我住在滨江区江虹路66号", "我住在[address]"),
        ("改成内蒙古自治区包头市青山区富强路8号院，谢谢", "改成[address]，谢谢"),
        ("湖北省 武汉市 洪山区 珞喻路 5号", "[address]"),
        ("送到长沙市天心区湘府社区和平家园(北门)吗", "送到[address]吗"),
        ("收货地址填错了，应该是重庆市渝北区桃源小区", "收货地址填错了，应该是[address]"),
    ],
)
def test_that_a_chinese_address_is_taken_out(said: str, kept: str) -> None:
    assert redact(said).text == kept


@pytest.mark.parametrize(
    "said",
    [
        "do you ship to Berlin?",
        "do you ship to Berlin, Germany?",
        "My brother lives in Paris",
        "we moved to Ashby 3 years ago",
        "is it good for Mount Rainier?",
        "a 200 Watt Street Light",
        "5 Park Lane tents",
        "2 Galaxy Buds 2 and 3 iPhone 14",
        "does a 2 TB Hard Drive fit?",
        "is the shop on Oxford Street open?",
        "can it be delivered to Level 5?",
        "the corner of the sofa and the wall",
        "the 6 Person Tent with a 2 Year Warranty",
        "HP 15 Pro, Windows 10, 8 GB, 256 GB",
        "Cat6 45 ft Blue 10000 mAh",
        "能寄到北京市朝阳区吗",
        "寄到上海要几天",
        "有没有北京大学的T恤",
        "南京路步行街附近有店吗",
        "5号电池有吗",
        "山东省特产有哪些",
        "上海市浦东新区有几家门店",
        "广州市天河区体育中心店营业时间",
        "上海市黄浦区南京东路店还开吗",
    ],
)
def test_that_places_and_things_stay(said: str) -> None:
    assert redact(said).text == said


def test_that_an_address_is_handed_on_as_typed_and_in_one_piece() -> None:
    found = redact("order FK-20519 to Flat 6, 31 Beech Grove,\nNorwick NR4 7TQ", keep=ORDERS)
    assert found.text == "order FK-20519 to [address]"
    assert found.addresses == ("Flat 6, 31 Beech Grove,\nNorwick NR4 7TQ",)
    assert found.given == (("address", found.addresses[0]),)


def test_that_a_house_number_like_an_order_number_goes_with_its_address() -> None:
    found = redact("send order 1001 to 1002 Larch Lane, Hillford", keep=SHORT_ORDERS)
    assert found.text == "send order 1001 to [address]"


HOUSES = st.integers(min_value=1, max_value=9999).map(str)
STREETS = st.sampled_from(["Larch Lane", "Old Mill Road", "St. Mark's Avenue", "Tanner Street"])
PLACES = st.sampled_from(["Hillford", "New Ashby", "Norwick NR4 7TQ", "Milton, VT 05468"])


@settings(derandomize=True, max_examples=200, deadline=None)
@given(house=HOUSES, street=STREETS, place=PLACES, before=st.sampled_from(["to ", "", "at "]))
def test_that_an_address_is_hidden_wherever_it_stands(
    house: str, street: str, place: str, before: str
) -> None:
    found = redact(f"{before}{house} {street}, {place}", keep=ORDERS)
    assert found.text == f"{before}[address]"


TALK = st.lists(
    st.sampled_from(
        ["ship", "to", "12", "Larch", "Lane", ",", "\n", "Apt.", "4", "my", "name", "is", "Jo",
         "call", "555-0142", "[phone]", "order", "FK-20519", "#", "90210", "Germany", "a@b.co", "12/27",
         "Dr.", "我叫", "王芳", "，", "寄到", "杭州市", "西湖区", "文三路", "100号", "电话", "(", "-"]
    ),
    max_size=24,
).map(" ".join)  # fmt: skip


@settings(derandomize=True, max_examples=400, deadline=None)
@given(TALK)
def test_that_nothing_but_what_was_given_changes(text: str) -> None:
    text = text.replace("[phone]", "")
    found = redact(text, keep=ORDERS)
    given = iter(said for _, said in found.given)
    assert (
        re.sub(r"\[(?:email|phone|card|id|address|name)\]", lambda m: next(given), found.text)
        == text
    )
    assert found.text.count("FK-20519") == text.count("FK-20519")


@settings(derandomize=True, max_examples=400, deadline=None)
@given(TALK)
def test_that_talk_of_every_kind_is_redacted_once_and_for_all(text: str) -> None:
    once = redact(text, keep=ORDERS)
    again = redact(once.text, keep=ORDERS)
    assert (again.text, again.given) == (once.text, ())
