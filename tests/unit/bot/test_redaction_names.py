"""Names that are introduced leave a message; brands and words stay."""

from __future__ import annotations

import pytest

from bot.understanding.redaction import redact


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("my name is Orla Fennimore. Where is it?", "my name is [name]. Where is it?"),
        ("my name is orla and i want a tent", "my name is [name] and i want a tent"),
        ("My name's Ludwig van den Berg", "My name's [name]"),
        ("I'm Sarah Quill and it is late", "I'm [name] and it is late"),
        ("Hi, this is Tom", "Hi, this is [name]"),
        ("Hello, Emma here. Any news?", "Hello, [name] here. Any news?"),
        ("ask Mr. Okonkwo or Dr. Ines Falk", "ask Mr. [name] or Dr. [name]"),
        ("the order is under the name Orla Fennimore", "the order is under the name [name]"),
        ("Where is it?\n\nKind regards,\nOrla Fennimore", "Where is it?\n\nKind regards,\n[name]"),
        ("Thanks, Sarah", "Thanks, [name]"),
        ("Name: Orla Fennimore\nPhone: 555-0142", "Name: [name]\nPhone: [phone]"),
        ("Orla Fennimore\n48 Larch Lane, Hillford", "[name]\n[address]"),
        ("我叫赵晓峰，想退货", "我叫[name]，想退货"),
        ("我叫王芳想问一下订单", "我叫[name]想问一下订单"),
        ("收件人：欧阳明月", "收件人：[name]"),
        ("收货人改成李晓东，谢谢", "收货人改成[name]，谢谢"),
        ("赵晓峰收，电话13800138000", "[name]收，电话[phone]"),
        ("陈女士，电话13800138000", "[name]女士，电话[phone]"),
        ("发票抬头写孙小梅就行", "发票抬头写[name]就行"),
        ("我叫Anna Bell", "我叫[name]"),
    ],
)
def test_that_an_introduced_name_is_taken_out(said: str, kept: str) -> None:
    assert redact(said).text == kept


@pytest.mark.parametrize(
    "said",
    [
        "I'm a gold member",
        "I'm Looking For A Tent",
        "I'm Canadian",
        "this is Great Value coffee",
        "This is Sony Bravia 55",
        "my name is wrong on the order",
        "product name: Garden Chair",
        "do you have Dr. Martens boots?",
        "Dr. Brown's bottles",
        "Mr. Coffee maker",
        "MS Office licence",
        "is mr foam any good?",
        "Thanks, Sony",
        "Jordan shoes under 100",
        "我是会员，能打折吗",
        "我是白金卡会员",
        "我是江苏人，包邮吗",
        "收货人信息，怎么改",
        "李宁运动鞋有吗",
        "张小泉剪刀多少钱",
        "王老吉，红罐的",
    ],
)
def test_that_brands_and_words_are_no_names(said: str) -> None:
    assert redact(said).text == said
