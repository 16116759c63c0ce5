"""Grounded replies of every act pass; each untrue variant of one is caught."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from grounded_replies import GOLDEN, Grounded, Maker, replies, untrue, untrue_paraphrases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.turn import Fact, Language
from bot.verifier import verify
from prompts.acts import inventory

LANGUAGES: tuple[Language, ...] = ("en", "zh")
GROUNDED = 1000  # per language
ALTERED = 250  # replies per language that variants are made of
PASSING = 0.98  # of paraphrases


def clauses(language: str) -> list[str]:
    return (GOLDEN / f"untrue_clauses_{language}.txt").read_text(encoding="utf-8").splitlines()


def refused(reply: Grounded, text: str | None = None) -> tuple[str, ...]:
    language: Language = "en" if reply.language == "en" else "zh"
    said = reply.text if text is None else text
    return verify(said, reply.facts, language=language, act=reply.act).unsupported


def paraphrases(language: str) -> list[Grounded]:
    facts: dict[str, tuple[Fact, ...]] = {}
    found = []
    path = GOLDEN / f"paraphrases_{language}.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if "list" in row:
            facts[row["facts"]] = tuple(Fact(f"F{i}", *f) for i, f in enumerate(row["list"], 1))
        else:
            text = row["text"]
            found.append(Grounded(language, row["act"], text, facts[row["with"]], text, {}))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_grounded_replies_of_every_act_raise_no_alarm(language: Language) -> None:
    alarms = [(r.text, found) for r in replies(language, GROUNDED) if (found := refused(r))]
    assert alarms == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_every_untrue_variant_of_a_reply_is_caught(language: Language) -> None:
    made: Counter[str] = Counter()
    missed = []
    for i, reply in enumerate(replies(language, ALTERED, start=7000)):
        if reply.language != language:
            continue
        for kind, text in untrue(reply, clauses(language), i):
            made[kind] += 1
            if not refused(reply, text):
                missed.append((kind, text, reply.text))
    assert missed == []
    kinds = {"number", "words", "unit", "same kind", "negation", "negation removed", "clause"}
    assert kinds | {"name", "titles swapped"} <= set(made)


@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6), act=st.sampled_from(sorted(inventory().acts)), data=st.data())
def test_that_any_drawn_reply_passes_and_its_variants_do_not(
    seed: int, act: str, data: st.DataObject
) -> None:
    language = "en" if act == "other_language" else data.draw(st.sampled_from(LANGUAGES))
    reply = Maker(language, seed).make(act, plain=False)
    if reply is None:
        return
    assert refused(reply) == ()
    variants = untrue(reply, clauses(language), seed)
    kind, text = data.draw(st.sampled_from(variants))
    assert refused(reply, text), (kind, text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_true_paraphrases_pass(language: Language) -> None:
    texts = paraphrases(language)
    alarms = [(p.text, found) for p in texts if (found := refused(p))]
    assert len(texts) >= {"en": 200, "zh": 100}[language]
    assert len(alarms) <= (1 - PASSING) * len(texts), alarms


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_every_untrue_variant_of_a_paraphrase_is_caught(language: Language) -> None:
    missed = []
    for i, paraphrase in enumerate(paraphrases(language)):
        for kind, text in untrue_paraphrases(paraphrase, clauses(language), i):
            if not refused(paraphrase, text):
                missed.append((kind, text, paraphrase.text))
    assert missed == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_each_made_up_clause_is_caught_without_any_facts(language: Language) -> None:
    pool = clauses(language)
    assert len(pool) >= {"en": 60, "zh": 40}[language]
    assert [c for c in pool if verify(c, (), language=language).ok] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_a_reply_of_several_segments_passes_with_all_its_acts(language: Language) -> None:
    for seed in range(40):
        facts: list[Fact] = []
        texts = []
        acts = ("policy", "order_status", "recommend")
        for act in acts:
            reply = Maker(language, seed).make(act, plain=True)
            assert reply is not None
            texts.append(reply.text)
            facts.extend(reply.facts)
        verdict = verify("\n\n".join(texts), facts, language=language, act=acts)
        assert verdict.ok, (verdict.unsupported, texts)
