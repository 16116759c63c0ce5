"""A generator that throws or hangs is told apart, left alone for a while, and tried again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from bot.errors import GeneratorError, UntaughtError
from bot.generators.base import PhraseRequest
from bot.generators.guarded import (
    FAILURES,
    FIRST_REST,
    LONGEST_REST,
    MOST_HUNG,
    GuardedGenerator,
)
from bot.turn import Candidate
from prompts.acts import UnknownActError

REQUEST = PhraseRequest("en", "greet", (), message="my secret words")
GOOD = [Candidate("Hello.")]


class Moody:
    """Answers, throws or hangs, as it is told."""

    name = "moody"
    version = "3"

    def __init__(self) -> None:
        self.mood: Exception | None = None
        self.hangs = False
        self.released = threading.Event()
        self.asked = 0

    def phrase(self, request: PhraseRequest) -> list[Candidate]:
        self.asked += 1
        if self.hangs:
            self.released.wait()
        if self.mood is not None:
            raise self.mood
        return GOOD


@pytest.fixture
def moody() -> Iterator[Moody]:
    inner = Moody()
    yield inner
    inner.released.set()


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def guard(inner: Moody, clock: Callable[[], float] | None = None) -> GuardedGenerator:
    return GuardedGenerator(inner, seconds=-0.95, clock=clock or Hand())  # waits 0.05 s


def fails(guarded: GuardedGenerator, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(GeneratorError):
            guarded.phrase(REQUEST)


def test_that_it_answers_as_the_one_behind_it(moody: Moody) -> None:
    guarded = guard(moody)
    assert (guarded.name, guarded.version, guarded.trouble) == ("moody", "3", "")
    assert guarded.phrase(REQUEST) == GOOD


def test_that_what_it_throws_is_an_error_of_the_generator_without_the_shoppers_words(
    moody: Moody, caplog: pytest.LogCaptureFixture
) -> None:
    moody.mood = RuntimeError(REQUEST.message)
    with caplog.at_level(logging.ERROR), pytest.raises(GeneratorError, match="RuntimeError"):
        guard(moody).phrase(REQUEST)
    assert "test_generator_guarded.py" in caplog.text  # where it was thrown
    assert REQUEST.message not in caplog.text


def test_that_it_is_left_alone_after_errors_in_a_row_and_tried_again_later(moody: Moody) -> None:
    clock = Hand()
    guarded = guard(moody, clock)
    moody.mood = ValueError("broken")
    fails(guarded, FAILURES - 1)
    assert guarded.trouble == ""
    fails(guarded)
    assert "moody" in guarded.trouble
    assert "ValueError" in guarded.trouble
    fails(guarded, 5)
    assert moody.asked == FAILURES  # nobody waited for it again
    clock.now = FIRST_REST
    moody.mood = None
    assert guarded.phrase(REQUEST) == GOOD
    assert guarded.trouble == ""


def test_that_an_answer_in_between_begins_the_count_anew(moody: Moody) -> None:
    guarded = guard(moody)
    for _ in range(3):
        moody.mood = ValueError("broken")
        fails(guarded, FAILURES - 1)
        moody.mood = None
        guarded.phrase(REQUEST)
    assert guarded.trouble == ""


def test_that_each_try_that_fails_doubles_the_rest_up_to_the_longest(moody: Moody) -> None:
    clock = Hand()
    guarded = guard(moody, clock)
    moody.mood = GeneratorError("down")
    fails(guarded, FAILURES)
    rest = FIRST_REST
    for _ in range(9):
        clock.now += rest - 0.1
        asked = moody.asked
        fails(guarded)
        assert moody.asked == asked
        clock.now += 0.1
        fails(guarded)
        assert moody.asked == asked + 1
        rest = min(2 * rest, LONGEST_REST)
    assert rest == LONGEST_REST


def test_that_a_hang_is_given_up_and_makes_it_rest_at_once(moody: Moody) -> None:
    clock = Hand()
    guarded = guard(moody, clock)
    moody.hangs = True
    fails(guarded, 2)
    assert moody.asked == 1
    assert "no answer within" in guarded.trouble
    moody.hangs = False
    clock.now = FIRST_REST
    assert guarded.phrase(REQUEST) == GOOD


def test_that_one_that_goes_on_hanging_is_tried_only_so_often(moody: Moody) -> None:
    clock = Hand()
    guarded = guard(moody, clock)
    moody.hangs = True
    for _ in range(2 * MOST_HUNG):
        fails(guarded)
        clock.now += LONGEST_REST
    assert moody.asked == MOST_HUNG
    hung = [thread for thread in threading.enumerate() if thread.name == "generator"]
    assert all(thread.daemon for thread in hung)  # the shop can end
    moody.hangs = False
    moody.released.set()
    for thread in hung:
        thread.join()
    assert guarded.phrase(REQUEST) == GOOD


def test_that_only_one_request_tries_whether_it_is_well(moody: Moody) -> None:
    clock = Hand()
    guarded = GuardedGenerator(moody, seconds=30, clock=clock)
    moody.mood = GeneratorError("down")
    fails(guarded, FAILURES)
    clock.now = FIRST_REST
    moody.mood, moody.hangs = None, True
    first = threading.Thread(target=guarded.phrase, args=(REQUEST,))
    first.start()
    while moody.asked == FAILURES:
        pass
    fails(guarded, 3)
    assert moody.asked == FAILURES + 1
    moody.released.set()
    first.join()
    assert guarded.phrase(REQUEST) == GOOD


@pytest.mark.parametrize("error", [UntaughtError("too old"), UnknownActError("no such act")])
def test_that_what_it_was_never_taught_is_no_failure(moody: Moody, error: Exception) -> None:
    guarded = guard(moody)
    moody.mood = error
    for _ in range(2 * FAILURES):
        with pytest.raises(type(error)):
            guarded.phrase(REQUEST)
    assert guarded.trouble == ""
