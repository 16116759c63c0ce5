"""The Chinese phrasings: they serve whatever an act may carry, and claim nothing of their own."""

from __future__ import annotations

import random
import re

import pytest

from prompts.acts import MARKER, inventory
from prompts.combinations import combinations
from prompts.filling import fill
from prompts.phrasing import phrasebook

ACTS = sorted(inventory().acts)
FREQUENT = [
    *("recommend", "recommend_more", "no_match", "not_sold", "describe", "compare", "choose"),
    *("price", "stock", "attribute", "product_quote", "unknown_fact", "policy", "policy_unknown"),
    *("ask_order", "ask_order_contact", "order_status", "order_fact", "request_recorded"),
    *("request_refused", "complaint", "handoff", "out_of_scope", "unclear", "greet", "goodbye"),
    "thanks",
]
VARIED = [  # what shoppers meet in every conversation: nobody should read the same reply twice
    *("greet", "thanks", "goodbye", "recommend", "recommend_more", "no_match", "not_sold"),
    *("describe", "compare", "attribute", "product_quote", "unknown_fact", "policy"),
    *("policy_unknown", "price", "stock", "ask_order", "order_status", "request_recorded"),
    *("confirm_request", "complaint", "handoff", "out_of_scope"),
]
SAMPLES = 6  # random phrasings drawn per act and set of slots

FIGURE = re.compile(
    r"[0-9０-９%％¥￥$]|[二三四五六七八九十百千万亿两半]|几(?!款)|一(?![下款些位起切般])"
)
CLAIM = re.compile(
    "免费|包邮|便宜|优惠|折扣|打折|特价|有货|现货|缺货|售罄|库存充足|热销|爆款|畅销|质量好|正品|最低|"
    "保证|马上|立即|立刻|尽快|今天|明天|小时|当日|次日|亲[，,！]|！！"
)
DOUBLED = re.compile(r"[，。、；：？！]{2,}|[（“][，。；：、]|[，；：、]$|[，；、]\n|。”。|”。")
STRAY_SPACE = re.compile(
    r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef] | [\u3000-\u9fff\uff00-\uffef]"
)


@pytest.fixture
def rng() -> random.Random:
    return random.Random(20)


def sampled(act: str, rng: random.Random) -> list[str]:
    """Draws phrasings of `act` for every plausible set of slots, the plain ones among them."""
    book = phrasebook("zh")
    texts = [book.plain(act, slots) for slots in combinations(act)]
    texts += [book.sample(act, slots, rng) for slots in combinations(act) for _ in range(SAMPLES)]
    assert None not in texts
    return [text for text in texts if text is not None]


@pytest.mark.parametrize("act", ACTS)
def test_that_the_first_phrasing_serves_every_plausible_set_of_slots(act: str) -> None:
    first = phrasebook("zh").acts[act][0]
    for slots in combinations(act):
        text = first.expand(frozenset(slots))
        assert text is not None, slots
        assert sorted(MARKER.findall(text)) == sorted(slots)


@pytest.mark.parametrize("act", ACTS)
def test_that_a_sampled_phrasing_holds_each_given_slot_once(act: str, rng: random.Random) -> None:
    book = phrasebook("zh")
    for slots in combinations(act):
        for _ in range(SAMPLES):
            text = book.sample(act, slots, rng)
            assert text is not None, slots
            assert sorted(MARKER.findall(text)) == sorted(slots)


@pytest.mark.parametrize("act", ACTS)
def test_that_every_phrasing_serves_some_plausible_set_of_slots(
    act: str, rng: random.Random
) -> None:
    book = phrasebook("zh")
    for index, phrasing in enumerate(book.acts[act]):
        assert any(
            book.sample(act, slots, rng, among=[index]) is not None for slots in combinations(act)
        ), phrasing.source


@pytest.mark.parametrize("act", ACTS)
def test_that_the_words_around_markers_hold_no_figure_and_no_claim(act: str) -> None:
    for phrasing in phrasebook("zh").acts[act]:
        words = MARKER.sub("", re.sub(r"@[a-z_]+(?:\(\d\))?", "", phrasing.source))
        assert not FIGURE.search(words), phrasing.source
        assert not CLAIM.search(words), phrasing.source


@pytest.mark.parametrize("act", ACTS)
def test_that_expanded_phrasings_hold_no_figure_and_no_claim(act: str, rng: random.Random) -> None:
    for text in sampled(act, rng):
        words = MARKER.sub("", text)
        assert not FIGURE.search(words), text
        assert not CLAIM.search(words), text


@pytest.mark.parametrize("act", [act for act in ACTS if act != "other_language"])
def test_that_a_filled_phrasing_reads_without_doubled_or_dangling_punctuation(
    act: str, rng: random.Random
) -> None:
    sentence = dict.fromkeys(inventory().slots, "值") | {"quote_1": "原文。", "quote_2": "原文。"}
    for text in sampled(act, rng):
        shown = fill(text, sentence)
        assert not DOUBLED.search(shown), text
        assert not STRAY_SPACE.search(shown.replace(" / ", "/").replace("\n- ", "\n")), text
        assert shown == shown.strip(), text
        assert len(MARKER.sub("", text)) < 200, text


@pytest.mark.parametrize("act", ACTS)
def test_that_a_quotation_stands_in_quotation_marks_after_its_source(
    act: str, rng: random.Random
) -> None:
    for text in sampled(act, rng):
        for slot in ("<quote_1>", "<quote_2>"):
            if slot in text:
                assert f"“{slot}”" in text, text
        if "<quote_1>" in text:
            source = text[: text.index("<quote_1>")]
            assert re.search("店铺|规则|商品|介绍|页面|说明|原文|资料|写", source), text


def test_that_details_are_asked_for_and_read_back_as_questions(rng: random.Random) -> None:
    for text in sampled("confirm_details", rng):
        assert re.search("[？吗]|确认|核对|不对|没错|对的话", text), text
    for text in sampled("ask_detail", rng):
        assert re.search("[？吗]|请|告诉|麻烦|劳烦|说说|直说", text), text


def test_that_frequent_acts_have_a_dozen_phrasings_and_a_hundred_sentences(
    rng: random.Random,
) -> None:
    book = phrasebook("zh")
    for act in FREQUENT:
        assert len(book.acts[act]) >= 12, act
        drawn = {
            book.sample(act, slots, rng)
            for slots in combinations(act)
            for _ in range(800 // len(combinations(act)))
        }
        assert len(drawn) >= 100, act


@pytest.mark.parametrize("act", VARIED)
def test_that_the_smallest_and_the_fullest_slot_set_are_put_in_well_over_forty_ways(
    act: str, rng: random.Random
) -> None:
    book = phrasebook("zh")
    for slots in (combinations(act)[0], combinations(act)[-1]):
        drawn = {book.sample(act, slots, rng) for _ in range(400)}
        assert len(drawn) >= 100, slots


@pytest.mark.parametrize("act", ACTS)
def test_that_every_act_has_fourteen_phrasings(act: str) -> None:
    assert len(phrasebook("zh").acts[act]) >= 14


def test_that_a_reason_or_price_is_told_for_the_item_it_belongs_to(rng: random.Random) -> None:
    slots = [f"{name}_{n}" for n in (1, 2, 3) for name in ("title", "price", "reason")]
    for _ in range(40):
        text = phrasebook("zh").sample("recommend", slots, rng)
        assert text is not None
        numbers = [marker[-1] for marker in MARKER.findall(text)]
        assert numbers == sorted(numbers), text


def test_that_a_complaint_asks_for_the_order_number_only_when_no_rule_is_quoted(
    rng: random.Random,
) -> None:
    for _ in range(60):
        quoted = phrasebook("zh").sample("complaint", ["quote_1"], rng)
        asking = phrasebook("zh").sample("complaint", [], rng)
        assert quoted is not None
        assert asking is not None
        assert "订单号" not in quoted
        assert re.search("订单", asking), asking
        for text in (quoted, asking):
            assert re.search("抱歉|对不起|不好意思|道歉|致歉|歉意", text), text


def test_that_a_recorded_request_is_never_told_as_done(rng: random.Random) -> None:
    for text in sampled("request_recorded", rng):
        assert "团队" in text, text
        assert "确认" in text, text
