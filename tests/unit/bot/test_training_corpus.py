from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.training import corpus, data_card, examples, public
from bot.training.catalogues import ValueBank
from bot.training.examples import Example
from bot.training.messages import families, message_for, situations
from bot.turn import Language
from prompts.acts import inventory, markers
from prompts.combinations import combinations
from prompts.filling import agree, fill
from prompts.phrasing import Node, phrasebook


@pytest.fixture(scope="module")
def drawn() -> list[Example]:
    return corpus.build(size=500, valid=120, seed=7)


def test_that_every_reply_says_each_slot_exactly_once(drawn: list[Example]) -> None:
    for example in drawn:
        assert sorted(markers(example.reply)) == sorted(example.slots)


def test_that_slots_stand_in_canonical_order_in_the_prompt(drawn: list[Example]) -> None:
    for example in drawn:
        known = inventory().act(example.act).slots
        assert list(example.slots) == [slot for slot in known if slot in example.slots]


def test_that_both_languages_have_half_of_the_training_examples(drawn: list[Example]) -> None:
    english = [e for e in drawn if e.language == "en" and e.split == "train"]
    assert len(english) == 250


def test_that_an_equal_seed_draws_an_equal_corpus_and_another_seed_does_not() -> None:
    one = corpus.build(size=30, valid=5, seed=1)
    assert one == corpus.build(size=30, valid=5, seed=1)
    assert one != corpus.build(size=30, valid=5, seed=2)


def test_that_slot_sets_held_out_never_meet_training(drawn: list[Example]) -> None:
    assert corpus.held_out_sets("recommend")
    for example in drawn:
        if example.split == "train":
            assert example.slots not in corpus.held_out_sets(example.act)


def test_that_few_templates_are_held_out_and_never_the_plain_one() -> None:
    for language in corpus.LANGUAGES:
        for phrasings in phrasebook(language).acts.values():
            held = corpus.held_out([p.source for p in phrasings])
            assert 0 not in held
            assert len(held) <= max(1, len(phrasings) // 5)
            assert bool(held) == (len(phrasings) >= 8)


def pattern(nodes: Sequence[Node]) -> str:
    """Every text that a phrasing can write, as a regular expression."""
    out = []
    for node in nodes:
        if isinstance(node, str):
            out.append(re.escape(node))
        else:
            kind, branches = node
            among = "|".join(pattern(branch) for branch in branches)
            out.append(f"(?:{among})" + ("?" if kind == "option" else ""))
    return "".join(out)


def test_that_validation_replies_come_from_held_out_templates_only(drawn: list[Example]) -> None:
    """The template cannot be read off a text, so each is asked whether it could write it."""
    for example in [e for e in drawn if e.split == "valid"][:40]:
        book = phrasebook(example.language).acts[example.act]
        held = corpus.held_out([p.source for p in book])
        assert any(re.fullmatch(pattern(book[i].nodes), example.reply) for i in held)


def test_that_acts_with_more_slot_sets_get_more_examples() -> None:
    weights = corpus.act_weights()
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["recommend"] == max(weights.values())
    assert len(combinations("order_status")) > len(combinations("greet"))
    assert weights["order_status"] > weights["greet"]


def test_that_a_corpus_reads_back_as_written(drawn: list[Example], tmp_path: Path) -> None:
    examples.write(drawn, tmp_path / "corpus.jsonl")
    assert examples.read(tmp_path / "corpus.jsonl") == drawn


def test_that_every_slot_has_a_value_and_the_filled_reply_agrees_with_it(
    drawn: list[Example],
) -> None:
    for example in drawn:
        assert set(example.values) == set(example.slots)
        assert all(example.values.values())
        assert agree(example.reply, example.hints) == example.reply
        assert "<" not in fill(example.reply, example.values)


def test_that_a_long_value_ends_its_line_in_most_replies_that_have_one(
    drawn: list[Example],
) -> None:
    """Not in all: some acts have no phrasing that puts every value last."""
    long = [e for e in drawn if "long" in e.hints.values() and "quote_1" not in e.hints]
    ends = [corpus.ends_lines(e.reply, e.hints) for e in long]
    assert len(ends) > 20
    assert sum(ends) / len(ends) > 0.6


@pytest.mark.parametrize("language", corpus.LANGUAGES)
def test_that_validation_is_filled_from_values_that_training_never_uses(language: Language) -> None:
    rng = random.Random(1)
    slots = ("title_1", "price_1", "wish", "reason_1")
    seen = {
        split: {v for _ in range(200) for v in ValueBank(language, split).draw("recommend", slots, rng).values()}
        for split in ("train", "valid")
    }  # fmt: skip
    assert seen["train"] and not seen["train"] & seen["valid"]


def test_that_the_data_card_counts_the_corpus_and_names_its_licences(
    drawn: list[Example], tmp_path: Path
) -> None:
    examples.write(drawn, tmp_path / "corpus.jsonl")
    own = data_card.card(drawn, tmp_path / "corpus.jsonl", seed=7, public=False)
    assert "500 examples to train on" in own
    assert "Apache-2.0" in own and "SHA-256" in own
    assert "MIT" not in own
    assert "MIT" in data_card.card(drawn, tmp_path / "corpus.jsonl", seed=7, public=True)


def test_that_no_module_of_training_reads_hostile_strings_or_personal_data() -> None:
    folder = Path(corpus.__file__).parent
    for module in folder.glob("*.py"):
        text = module.read_text(encoding="utf-8")
        if module.name == "heads.py":  # learns to tell insults, and writes no text
            text = text.replace("safety-abuse", "")
        assert "safety-" not in text, module
    generator = [m for m in folder.glob("*.py") if m.name != "heads.py"]
    assert not [m for m in generator if "training.heads" in m.read_text(encoding="utf-8")]


def test_that_every_act_has_a_situation_and_every_family_messages() -> None:
    assert set(situations()) == set(inventory().acts)
    used = {family for names in situations().values() for family in names}
    for language in corpus.LANGUAGES:
        assert used == set(families(language))


@pytest.mark.parametrize("language", corpus.LANGUAGES)
def test_that_messages_vary_and_are_sometimes_absent(language: Language) -> None:
    rng = random.Random(1)
    for act in inventory().acts:
        messages = [message_for(language, act, rng) for _ in range(200)]
        assert len(set(messages)) >= 20
        assert "" in messages
        assert not any(mark in message for message in messages for mark in "⟦⟧{}|@")


def test_that_public_messages_of_the_right_family_are_used() -> None:
    rng = random.Random(0)
    real = {("en", "wish"): ["a very special wish"]}
    drawn = [message_for("en", "recommend", rng, real) for _ in range(100)]
    assert "a very special wish" in drawn


def test_that_a_folder_without_public_data_adds_nothing(tmp_path: Path) -> None:
    assert public.messages(tmp_path) == {}
    assert list(public.vocabulary_text(tmp_path)) == []


def test_that_public_messages_are_sorted_into_families(tmp_path: Path) -> None:
    (tmp_path / "oos-travel-zh").mkdir()
    (tmp_path / "oos-travel-zh" / "utterances.csv").write_text("text\n酒店在哪\n", encoding="utf-8")
    (tmp_path / "intents-customer-service").mkdir()
    (tmp_path / "intents-customer-service" / "train.csv").write_text(
        "utterance,intent,tags\nwhere is it,track_order,B\nwhere the hell,track_order,BW\n",
        encoding="utf-8",
    )
    assert public.messages(tmp_path) == {
        ("en", "order"): ["where is it"],
        ("zh", "off_topic"): ["酒店在哪"],
    }


def test_that_warm_replies_say_more_and_brief_ones_less() -> None:
    sampler = corpus._Sampler(phrasebook("en"))
    rng = random.Random(3)
    slots = ("title_1", "price_1")
    mean = {
        tone: sum(len(sampler.draw_in(tone, "price", slots, "train", rng) or "") for _ in range(60))
        for tone in corpus.TONE_SHARES
    }
    assert mean["brief"] < mean["neutral"] < mean["warm"]
