"""Public dialogues and product questions become examples of our acts, or are left out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bot.training.product_answers import contexts, sentences
from bot.training.service_talk import (
    Turn,
    read_crosswoz,
    read_crosswoz_templates,
    read_sgd,
)


def sgd(tmp_path: Path, acts: list[Any], text: str, before: str = "hello") -> Turn:
    path = tmp_path / "dialogues.jsonl.gz"
    turns = [
        {"speaker": "user", "acts": [], "text": before},
        {"speaker": "system", "acts": acts, "text": text},
    ]
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(turn) + "\n" for turn in turns)
    (turn,) = read_sgd(path)
    return turn


def test_that_an_offer_gives_each_value_the_slot_of_its_type(tmp_path: Path) -> None:
    turn = sgd(
        tmp_path,
        [["OFFER", "event_name", ["Blue Night"]], ["OFFER", "date", ["March 12th"]],
         ["OFFER", "time", ["7:30 pm"]], ["INFORM_COUNT", "count", ["4"]]],
        "I found 4 events. Blue Night is on March 12th at 7:30 pm",
    )  # fmt: skip
    assert turn.kind == "INFORM_COUNT+OFFER" and turn.learnable
    assert turn.example is not None
    assert turn.example.act == "offer"
    assert turn.example.slots == ("title_1", "count", "date", "time")
    assert turn.example.reply == "I found <count> events. <title_1> is on <date> at <time>."
    assert turn.example.tone == "casual"
    assert turn.example.message == "hello"


def test_that_what_has_no_slot_becomes_a_label_in_the_words_of_the_text(tmp_path: Path) -> None:
    turn = sgd(
        tmp_path, [["INFORM", "phone_number", ["707-304"]]], "Their phone number is 707-304."
    )
    assert turn.example is not None
    assert turn.example.reply == "Their <label_1> is <value_1>."
    assert turn.example.values == {"label_1": "phone number", "value_1": "707-304"}


@pytest.mark.parametrize(
    ("acts", "text"),
    [
        ([["INFORM", "phone_number", ["707-304"]]], "You can reach them at 707-304."),
        ([["INFORM", "fare", ["$50"]]], "The fare is $500."),
        ([["INFORM", "wind", ["2"]]], "The wind is 2 to 5 miles, so wind matters."),
        ([["REQUEST", "visit", []]], "When do you want to visit?"),
    ],
    ids=["no label", "part of a figure", "another figure", "a label that is a verb"],
)
def test_that_a_text_which_does_not_say_it_all_is_mapped_but_not_learned(
    tmp_path: Path, acts: list[Any], text: str
) -> None:
    turn = sgd(tmp_path, acts, text)
    assert turn.example is not None
    assert not turn.learnable
    assert turn.example.reply == text


@pytest.mark.parametrize(
    "acts",
    [
        [["INFORM", "has_live_music", ["True"]]],
        [["NOTIFY_SUCCESS", "", []]],
        [["REQUEST", "category", ["museum", "park"]]],
    ],
    ids=["yes or no", "nothing of ours", "a choice of values"],
)
def test_that_acts_which_fit_none_of_ours_are_not_mapped(tmp_path: Path, acts: list[Any]) -> None:
    assert sgd(tmp_path, acts, "Yes, they have it.").example is None


def crosswoz_templates(tmp_path: Path, key: str, text: str) -> Turn:
    path = tmp_path / "templates.json.gz"
    path.write_bytes(gzip.compress(json.dumps({key: [text]}).encode()))
    (turn,) = read_crosswoz_templates(path)
    return turn


def test_that_a_list_of_places_is_one_value(tmp_path: Path) -> None:
    key = "Inform+餐馆+周边景点*Inform+餐馆+周边景点*Inform+餐馆+评分"
    text = "周边景点有[Inform+餐馆+周边景点2]和[Inform+餐馆+周边景点1]，评分是[Inform+餐馆+评分]。"
    turn = crosswoz_templates(tmp_path, key, text)
    assert turn.example is not None and turn.learnable
    assert turn.example.act == "details"
    assert turn.example.reply == "<label_1>有<value_1>，<label_2>是<value_2>。"


def test_that_several_names_are_recommended(tmp_path: Path) -> None:
    key = "Recommend+酒店+名称*Recommend+酒店+名称"
    turn = crosswoz_templates(
        tmp_path, key, "推荐您去[Recommend+酒店+名称2]和[Recommend+酒店+名称1]"
    )
    assert turn.example is not None and turn.learnable
    assert turn.example.act == "recommend"
    assert turn.example.reply == "推荐您去<title_2>和<title_1>。"


def test_that_what_a_place_lacks_is_not_mapped(tmp_path: Path) -> None:
    turn = crosswoz_templates(tmp_path, "Inform+酒店+周边景点+无", "周边没有景点。")
    assert turn.example is None


def test_that_chinese_dialogues_keep_the_message_before(tmp_path: Path) -> None:
    path = tmp_path / "dialogues.jsonl.gz"
    turns = [
        {"speaker": "usr", "acts": [], "text": "电话是多少？"},
        {
            "speaker": "sys",
            "acts": [["Inform", "餐馆", "电话", "56018131"]],
            "text": "电话56018131",
        },
    ]
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(turn, ensure_ascii=False) + "\n" for turn in turns)
    (turn,) = read_crosswoz(path)
    assert turn.example is not None
    assert (turn.example.message, turn.example.reply) == ("电话是多少？", "<label_1><value_1>。")


def test_that_product_questions_come_with_the_field_or_sentence_that_answers_them(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "product-qa"
    folder.mkdir()
    fields = {"question": "how heavy?", "candidates": [
        {"text": 'item_weight:  { value:"3 kg" }', "label": 1},
        {"text": "colour:  { value:red }", "label": 0}]}  # fmt: skip
    with gzip.open(folder / "semipqa_attributes.jsonl.gz", "wt") as out:
        out.write(json.dumps(fields) + "\n")
    answers = [
        {"question": "is it easy?", "evidence": "easy set-up with no inflation required", "source": "bullet"},
        {"question": "any good?", "evidence": "my son loves it so much", "source": "CQA"},
    ]  # fmt: skip
    with gzip.open(folder / "hetpqa_answers_train.jsonl.gz", "wt") as out:
        out.writelines(json.dumps(row) + "\n" for row in answers)
    found = {context.message: context.values for context in contexts(tmp_path)}
    assert found == {
        "how heavy?": {"label_1": "item weight", "value_1": "3 kg"},
        "is it easy?": {"quote_1": "Easy set-up with no inflation required"},
    }


def test_that_sentences_about_a_field_are_learned_where_they_say_it_once(tmp_path: Path) -> None:
    folder = tmp_path / "product-qa"
    folder.mkdir()
    rows = [
        {"data": "number_of_keys: { value:61 }", "text": "The product has 61 keys."},
        {"data": "number_of_keys: { value:61 }", "text": "It has many keys."},
        {"data": "number_of_keys: { value:61 }", "text": "It has 61 keys and 4 pedals."},
    ]
    (folder / "semipqa_data_to_text.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    (example,) = sentences(tmp_path)
    assert example.reply == "The product has <value_1> <label_1>."
    assert example.values == {"label_1": "keys", "value_1": "61"}
