"""Candidates are checked before anything is said; a plain sentence stands behind each generator."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest

from bot.errors import GeneratorError, UntaughtError
from bot.generators.base import PhraseRequest
from bot.generators.plain import PlainGenerator
from bot.grounding import FactBook, act, slot
from bot.phraser import ATTEMPTS, NO_WORDS, Phraser
from bot.promises import Never
from bot.turn import Candidate, DialogAct, Segment
from db.records import Money, Product, ProductId

KETTLE = Product(ProductId("k1"), "Copper Kettle", price=Money(Decimal("49.00"), "USD"))
GOOD = "The price of <title_1> is <price_1>."


class Canned:
    """A generator that says what it is told to, one list of candidates an attempt."""

    name = "canned"
    version = "7"

    def __init__(self, *attempts: list[Candidate] | Exception) -> None:
        self.attempts = list(attempts)
        self.asked: list[PhraseRequest] = []

    def phrase(self, request: PhraseRequest) -> list[Candidate]:
        self.asked.append(request)
        said = self.attempts[min(len(self.asked), len(self.attempts)) - 1]
        if isinstance(said, Exception):
            raise said
        return said


def price_act() -> tuple[DialogAct, FactBook]:
    book = FactBook("en", "USD")
    fact = book.price(KETTLE)
    assert fact is not None
    return act("price", [slot("title_1", book.title(KETTLE)), slot("price_1", fact)]), book


def phrased(generator: Canned, *, recent: tuple[str, ...] = (), room: int = 900) -> Segment:
    said, book = price_act()
    phraser = Phraser(generator=generator, plain=PlainGenerator(), k=3)
    return phraser.phrase(
        said, facts=book.facts, language="en", message="how much?", recent=recent, room=room
    )


def refusals(segment: Segment) -> list[object]:
    return [note.get("refused") for note in segment.candidates]


def test_that_the_likeliest_sound_candidate_is_said() -> None:
    better = "<title_1> costs <price_1>."
    segment = phrased(Canned([Candidate(GOOD, -2.0), Candidate(better, -1.0)]))
    assert (segment.text, segment.generator) == ("Copper Kettle costs $49.00.", "canned")
    assert segment.attempts == 1
    assert [note["logprob"] for note in segment.candidates] == [-2.0, -1.0]


def test_that_what_was_said_before_is_said_last() -> None:
    better = "<title_1> costs <price_1>."
    candidates = [Candidate(GOOD, -2.0), Candidate(better, -1.0)]
    assert phrased(Canned(candidates), recent=(better,)).marked == GOOD
    assert phrased(Canned(candidates), recent=(better, GOOD)).marked == better


def test_that_words_that_people_of_the_shop_taught_are_not_odd() -> None:
    house = "We let you have <title_1> for <price_1>."
    assert phrased(Canned([Candidate(GOOD, -1.0), Candidate(house, -1.0)])).marked == GOOD
    taught = Candidate(house, -1.0, approved=True)
    assert phrased(Canned([Candidate(GOOD, -1.0), taught])).marked == house


def test_that_words_that_people_taught_are_held_to_the_facts_like_any() -> None:
    wrong = Candidate("<title_1> is <price_1>, or $39.00 tomorrow.", -0.1, approved=True)
    segment = phrased(Canned([wrong, Candidate(GOOD, -5.0)]))
    assert segment.marked == GOOD
    assert refusals(segment)[0]


@pytest.mark.parametrize(
    ("marked", "why"),
    [
        ("The <title_1> is cheap.", "slots"),
        ("<title_1> <title_1> <price_1>", "slots"),
        ("<title_1> <price_1> <stock_1>", "slots"),
        ("The <title_1> is <price_1>. " + "Well. " * 200, "length"),
    ],
)
def test_that_a_candidate_with_other_slots_or_too_many_words_is_refused(
    marked: str, why: str
) -> None:
    segment = phrased(Canned([Candidate(marked), Candidate(GOOD, -9.0)]))
    assert segment.marked == GOOD
    assert refusals(segment) == [why, None]


@pytest.mark.parametrize(
    "marked",
    [
        "The <title_1> is <price_1>, reduced from $99.00.",
        "The <title_1> is <price_1> and ships in 2 days.",
        "The <title_1> is <price_1>; see www.example.org.",
    ],
)
def test_that_a_candidate_that_claims_more_is_refused_and_named(marked: str) -> None:
    segment = phrased(Canned([Candidate(marked)], [Candidate(GOOD)]))
    assert (segment.marked, segment.attempts) == (GOOD, 2)
    assert isinstance(refusals(segment)[0], list)


def test_that_a_retry_asks_for_other_candidates() -> None:
    generator = Canned([], [Candidate(GOOD)])
    phrased(generator)
    assert [request.attempt for request in generator.asked] == [0, 1]
    assert generator.asked[0].seed != generator.asked[1].seed
    assert {request.slots for request in generator.asked} == {("title_1", "price_1")}
    assert {request.k for request in generator.asked} == {3}


def test_that_a_generator_without_a_sound_word_is_replaced_by_the_plain_sentence() -> None:
    generator = Canned([Candidate("It is $1.00, <title_1>, <price_1>")])
    segment = phrased(generator)
    assert len(generator.asked) == ATTEMPTS
    assert (segment.generator, segment.attempts) == ("plain", ATTEMPTS + 1)
    assert "Copper Kettle" in segment.text and "$49.00" in segment.text
    assert "$1.00" not in segment.text


def test_that_a_broken_generator_costs_no_retry_and_logs_no_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    generator = Canned(GeneratorError("the model choked on: how much?"))
    with caplog.at_level(logging.DEBUG):
        segment = phrased(generator)
    assert len(generator.asked) == 1
    assert segment.generator == "plain"
    assert "how much" not in caplog.text
    assert "generator failed" in caplog.text


def test_that_an_act_the_model_was_never_taught_is_said_plainly_and_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    segment = phrased(Canned(UntaughtError("m was not taught <|price|>: train it anew")))
    assert segment.text == "Copper Kettle costs $49.00."
    assert caplog.text == ""


def test_that_the_plain_generator_alone_is_no_retry_of_itself() -> None:
    said, book = price_act()
    plain = PlainGenerator()
    segment = Phraser(generator=plain, plain=plain).phrase(
        said, facts=book.facts, language="en", message=""
    )
    assert (segment.generator, segment.attempts) == ("plain", 1)


def test_that_where_not_even_the_plain_sentence_holds_the_values_stand_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said, book = price_act()
    liar = Canned([Candidate("<title_1> was $99.00 and is <price_1>")])
    segment = Phraser(generator=liar, plain=liar).phrase(
        said, facts=book.facts, language="en", message="my secret words"
    )
    assert segment.text == "Copper Kettle\n$49.00"
    assert "plain sentence refused" in caplog.text
    assert "secret" not in caplog.text


def test_that_a_reply_that_begins_and_runs_like_the_last_one_ranks_below_another() -> None:
    again = Candidate("Let me see. The price of <title_1> is <price_1>.", -0.4)
    other = Candidate("<title_1> costs <price_1>.", -1.9)
    said = ("Let me see. The price of <title_2> is <price_2>.",)
    assert phrased(Canned([again, other])).marked == again.marked
    segment = phrased(Canned([again, other]), recent=said)
    assert segment.marked == other.marked
    ranks = [note["rank"] for note in segment.candidates]
    assert ranks[0] < ranks[1]


def test_that_words_between_strange_neighbours_rank_below_a_sentence() -> None:
    broken = Candidate("<title_1> is the of <price_1>.", -0.1)
    sound = Candidate("<title_1> costs <price_1>.", -1.5)
    assert phrased(Canned([broken, sound])).marked == sound.marked


def test_that_candidates_that_are_as_good_are_chosen_by_the_seed() -> None:
    said, book = price_act()
    candidates = [Candidate(GOOD, -1.0), Candidate("<title_1> costs <price_1>.", -1.1)]
    phraser = Phraser(generator=Canned(candidates), plain=PlainGenerator())
    chosen = {
        phraser.phrase(said, facts=book.facts, language="en", message="", seed=seed).marked
        for seed in range(20)
    }
    assert chosen == {candidate.marked for candidate in candidates}


def test_that_the_tone_reaches_the_generator_and_the_time_of_checking_is_told() -> None:
    said, book = price_act()
    generator = Canned([Candidate(GOOD, -1.0)])
    phraser = Phraser(generator=generator, plain=PlainGenerator(), tone="brief")
    segment = phraser.phrase(said, facts=book.facts, language="en", message="")
    assert generator.asked[0].tone == "brief"
    assert segment.verify_seconds > 0


def test_that_values_written_out_are_judged_and_kept_as_markers() -> None:
    generator = Canned([Candidate("The price of Copper Kettle is $49.00.", -1.0)])
    segment = phrased(generator)
    assert dict(generator.asked[0].values) == {"title_1": "Copper Kettle", "price_1": "$49.00"}
    assert (segment.generator, segment.marked) == ("canned", GOOD)
    assert segment.text == "The price of Copper Kettle is $49.00."
    assert segment.candidates[0]["written"] == segment.text


@pytest.mark.parametrize(
    ("written", "missing"),
    [
        ("It costs $49.00.", ["title_1"]),
        ("The Copper Kettle, a Copper Kettle, costs $49.00.", ["title_1"]),
        ("The copper kettle costs $49.", ["title_1", "price_1"]),
        ("The Copper Kettle costs $149.00.", ["price_1"]),
        ("The Copper Kettle costs US$49.00.", ["price_1"]),
    ],
)
def test_that_a_value_that_is_not_there_once_is_a_missing_slot(
    written: str, missing: list[str]
) -> None:
    segment = phrased(Canned([Candidate(written), Candidate(GOOD, -9.0)]))
    assert segment.marked == GOOD
    assert refusals(segment) == ["slots", None]
    assert segment.candidates[0]["coverage"]["missing"] == missing


def test_that_a_claim_beside_written_values_is_refused_as_beside_markers() -> None:
    segment = phrased(
        Canned(
            [
                Candidate("Copper Kettle: $49.00, was $99.00."),
                Candidate("<title_1>: <price_1>, was $99.00."),
                Candidate(GOOD, -9.0),
            ]
        )
    )
    first, second, _ = segment.candidates
    assert first["verdict"] == second["verdict"] == first["refused"] != []
    assert segment.marked == GOOD


def test_that_words_that_filling_would_change_are_refused_and_not_mended() -> None:
    book = FactBook("en", "USD")
    kind = book.add("request", "r", "kind", "exchange")
    number = book.add("request", "r", "id", "R-1")
    said = act("request_recorded", [slot("kind", kind), slot("request_id", number)])
    plain = PlainGenerator()

    def spoken(words: str) -> Segment:
        phraser = Phraser(generator=Canned([Candidate(words)]), plain=plain)
        return phraser.phrase(said, facts=book.facts, language="en", message="")

    wrong = spoken("A exchange is recorded under R-1 for the team.")
    assert wrong.generator == "plain"
    assert wrong.candidates[0]["coverage"]["missing"] == ["kind", "request_id"]
    right = spoken("An exchange is recorded under R-1 for the team.")
    assert right.candidates[0]["coverage"]["missing"] == []
    assert right.candidates[0]["marked"] == "An <kind> is recorded under <request_id> for the team."


def test_that_the_trace_keeps_every_candidate_with_its_scores() -> None:
    again = "<title_1> costs <price_1>."
    segment = phrased(
        Canned(
            [Candidate("<title_1> <title_1> <stock_1>", -0.2), Candidate(again, -0.5)],
            [Candidate("<title_1> costs <price_1>, not $99.00.", -0.3), Candidate(GOOD, -0.4)],
        ),
        recent=(again,),
        room=20,
    )
    assert segment.generator == "plain"
    first, second, third, fourth, plain = segment.candidates
    assert first["coverage"] == {
        "missing": ["price_1"], "added": ["stock_1"], "repeated": ["title_1"],
    }  # fmt: skip
    assert [note["refused"] for note in (first, second)] == ["slots", "length"]
    assert [note["attempt"] for note in segment.candidates[:4]] == [0, 0, 1, 1]
    assert plain["plain"] and plain["chosen"] and plain["verdict"] == []
    for note in (first, second, third, fourth):
        assert set(note["parts"]) == {
            "logprob", "repeats", "opening", "leads", "words", "echo", "odd",
            "approved",
        }  # fmt: skip
        assert note["rank"] == pytest.approx(sum(note["parts"].values()), abs=0.01)
        assert note["verdict"] is None
    assert second["parts"]["repeats"] < 0 and second["parts"]["opening"] < 0
    assert first["parts"]["odd"] < 0


def test_that_a_sentence_without_facts_is_not_put_before_each_answer() -> None:
    leading, plain = f"Let me see. {GOOD}", GOOD
    told = {
        text: phrased(Canned([Candidate(text, -1.0)]), recent=recent).candidates[0]["parts"]
        for text, recent in (
            (leading, ()),
            (plain, ()),
            (f"Sure. {GOOD}", ("I see. <wish> it is.",)),
        )
    }
    assert told[plain]["leads"] == 0 > told[leading]["leads"] > told[f"Sure. {GOOD}"]["leads"]
    assert told[plain]["words"] > told[leading]["words"]


def test_that_one_candidate_is_marked_as_the_chosen_one_and_its_verdict_kept() -> None:
    better = "<title_1> costs <price_1>."
    segment = phrased(Canned([Candidate(GOOD, -3.0), Candidate(better, -1.0)]))
    assert [note.get("chosen", False) for note in segment.candidates] == [False, True]
    assert [note["verdict"] for note in segment.candidates] == [[], []]


# ---- what the shop never promises ----------------------------------------------------------------


def test_that_a_candidate_that_promises_what_the_shop_never_does_is_refused() -> None:
    said, book = price_act()
    generator = Canned([Candidate(GOOD, -0.1), Candidate("<title_1> costs <price_1>.", -0.9)])
    phraser = Phraser(generator=generator, plain=PlainGenerator(), never=Never(("the price of",)))
    segment = phraser.phrase(said, facts=book.facts, language="en", message="?")
    assert segment.text == "Copper Kettle costs $49.00."
    assert "promised: the price of" in refusals(segment)


def test_that_a_title_may_hold_what_the_shop_never_promises() -> None:
    said, book = price_act()
    phraser = Phraser(
        generator=Canned([Candidate(GOOD)]), plain=PlainGenerator(), never=Never(("copper",))
    )
    segment = phraser.phrase(said, facts=book.facts, language="en", message="?")
    assert segment.text == "The price of Copper Kettle is $49.00."


def test_that_a_plain_sentence_that_promises_it_is_replaced_by_the_values_alone() -> None:
    said, book = price_act()
    plain = PlainGenerator()
    words = plain.phrase(PhraseRequest("en", "price", tuple(said.values), "", 1))[0].marked
    phrase = words.split("<")[0].strip() or words.split(">")[1].split("<")[0].strip()
    phraser = Phraser(generator=plain, plain=plain, never=Never((phrase,)))
    segment = phraser.phrase(said, facts=book.facts, language="en", message="?")
    assert segment.text == "Copper Kettle\n$49.00"


def test_that_the_shoppers_words_do_not_smuggle_a_promise_into_the_reply() -> None:
    book = FactBook("en", "USD")
    wish = book.add("shopper", "message", "wish", "tents with a lifetime guarantee")
    book.add("shopper", "message", "absent", "tents with a lifetime guarantee")
    plain = PlainGenerator()
    phraser = Phraser(generator=plain, plain=plain, never=Never(("lifetime guarantee",)))
    segment = phraser.phrase(
        act("not_sold", [slot("wish", wish)]), facts=book.facts, language="en", message="?"
    )
    assert segment.text == NO_WORDS
