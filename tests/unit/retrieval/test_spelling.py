from __future__ import annotations

import pytest

from retrieval.spelling import Lexicon

SHOP = Lexicon.of(
    [
        "wireless headphones, smart phones, smartphones and earphones for the ear",
        "hiking boots waterproof skin printed back pack backpack",
        "大头风扇 桌面 旅行箱 双肩包 羊毛毯 羊毛 细羊毛被",
    ]
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wierless hedphones", "wireless headphones"),
        ("hikking bootz waterprof pls", "hiking boots waterproof pls"),
        ("volleybal", "volleyball"),
        ("Hikking, please!", "hiking, please!"),
        ("放桌上的小电风善", "放桌上的小电风扇"),
        ("旅行香", "旅行箱"),
        ("双肩报", "双肩包"),
    ],
)
def test_that_a_mistyped_word_is_mended(text: str, expected: str) -> None:
    assert SHOP.correct(text)[0] == expected


@pytest.mark.parametrize(
    "text",
    ["kayaks", "skis", "printer ink", "stroller", "boot", "asdkjh qwe zxmnb", "X4 A57 GS-5014",
     "羊毛被", "羊毛衫", "电冰箱", "", "where is my order"],
)  # fmt: skip
def test_that_what_is_no_mistake_stays(text: str) -> None:
    assert SHOP.correct(text) == (text, {})


def test_that_it_is_told_what_was_mended() -> None:
    assert SHOP.correct("wierless boots")[1] == {"wierless": "wireless"}


def test_that_compounds_are_found_by_their_head() -> None:
    assert SHOP.compounds("phones") == ("earphon", "smartphon")
    assert SHOP.compounds("pack") == ("backpack",)
    assert SHOP.compounds("boots") == ()
