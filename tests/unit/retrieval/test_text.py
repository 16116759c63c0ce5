from __future__ import annotations

import pytest

from retrieval.text import cjk_share, normalise, sequence, tokens, units


def spoken(text: str) -> list[str]:
    return [unit.text for unit in units(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ｔｅｎｔ  X4", "tent x4"),
        ("zero\u200bwidth", "zerowidth"),
        ("it\u2019s", "it's"),
    ],
)
def test_that_normalising_folds_width_case_and_invisible_characters(
    text: str, expected: str
) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize("model", ["x4", "m1", "iphone13", "a57"])
def test_that_a_model_number_stays_whole(model: str) -> None:
    assert model in tokens(f"The {model.upper()} phone")


def test_that_a_glued_model_number_also_gives_its_parts() -> None:
    assert tokens("iPhone13") == ["iphone13", "iphon", "13"]


def test_that_inflections_share_a_token() -> None:
    assert tokens("hiking boots") == tokens("hikes boot")


def test_that_british_and_american_spelling_share_a_token() -> None:
    assert tokens("grey colour jewellery") == tokens("gray color jewelry")


def test_that_short_hyphenation_is_found_written_as_one() -> None:
    assert "tshirt" in tokens("T-Shirt")
    assert "wifi" in tokens("Wi-Fi")


def test_that_thousands_and_decimals_are_one_token() -> None:
    assert tokens("1,500 or 15.6") == ["1500", "15.6"]


def test_that_chinese_gives_characters_pairs_and_long_words() -> None:
    found = tokens("电风扇")
    assert {"电", "风", "扇", "电风", "风扇", "电风扇"} == set(found)


def test_that_mixed_text_follows_each_rule_in_its_run() -> None:
    found = tokens("20寸 carry-on登机箱 Bags")
    assert {"20", "寸", "登机", "bag"} <= set(found)


def test_that_asking_is_no_content() -> None:
    assert spoken("I need a volleyball please, do you have any?") == ["volleyball"]
    assert spoken("我想买一个台灯，有没有推荐") == ["台灯"]
    assert spoken("show me something good") == []


def test_that_a_word_asked_twice_counts_once() -> None:
    assert spoken("tent, a tent!") == ["tent"]


def test_that_neighbouring_words_may_be_written_as_one() -> None:
    hand, bag = units("hand bag")
    assert (1.0, ("handbag",)) in hand.alternatives
    assert (1.0, ("handbag",)) in bag.alternatives


def test_that_words_apart_are_not_joined() -> None:
    assert all(len(unit.alternatives) == 1 for unit in units("tents and boots"))


def test_that_a_noun_ending_is_no_condition() -> None:
    (pillow,) = units("枕头")
    assert (0.7, ("枕",)) in pillow.alternatives


def test_that_a_sequence_leaves_nothing_out() -> None:
    assert sequence("not the faux leather 红色") == ["not", "the", "faux", "leather", "红", "色"]


def test_that_the_share_of_chinese_is_of_letters_and_digits() -> None:
    assert cjk_share("红色 ab!") == 0.5
    assert cjk_share("…") == 0.0
