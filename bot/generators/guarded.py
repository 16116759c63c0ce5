"""A generator that may throw or hang, made one that only ever answers or says that it cannot.

Each request runs in a thread of its own and is waited for only so long. After a hang, or FAILURES
errors in a row, the generator is left alone for a while, twice as long each time, so that a reply
costs no wait; then one request tries it. Knows nothing about what a generator computes.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from bot.errors import GeneratorError, UntaughtError
from bot.generators.base import Generator, PhraseRequest
from bot.turn import Candidate
from prompts.acts import UnknownActError

log = logging.getLogger(__name__)

GRACE = 1.0  # seconds beyond its own budget until a generator counts as hung
FAILURES = 3  # errors in a row until it is left alone
FIRST_REST, LONGEST_REST = 5.0, 300.0  # seconds
MOST_HUNG = 8  # threads that were given up; with more of them it is not tried again

_NO_FAULTS = (UntaughtError, UnknownActError)  # of the request


@dataclass(frozen=True, slots=True)
class _Rest:
    """The generator is left alone until `until`; `reason` is what it did."""

    seconds: float
    until: float
    reason: str


class GuardedGenerator:
    """Stands before `inner` and bears its name. Safe to call from several threads."""

    def __init__(
        self,
        inner: Generator,
        *,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds` is the time budget that `inner` keeps by itself, where it can."""
        self.name = inner.name
        self.version = inner.version
        self._inner = inner
        self._seconds = seconds + GRACE
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._hung = 0
        self._rest: _Rest | None = None
        self._trying = False  # one request tries whether the rest has helped

    @property
    def trouble(self) -> str:
        """Why the generator is left alone at present, "" where it is not."""
        with self._lock:
            rest = self._rest
        if rest is None:
            return ""
        return f"the generator {self.name} fails ({rest.reason}): plain sentences speak meanwhile"

    def phrase(self, request: PhraseRequest) -> list[Candidate]:
        """Returns what `inner` does. Raises UnknownActError, and GeneratorError for whatever else it
        throws, when it has not answered in time, and at once while it is left alone."""
        tries = self._admit()
        try:
            candidates = self._ask(request)
        except _NO_FAULTS:
            self._succeeded(tries=tries)
            raise
        except GeneratorError as error:
            self._failed(str(error), tries=tries, hung=isinstance(error, _HungError))
            raise
        self._succeeded(tries=tries)
        return candidates

    def _admit(self) -> bool:
        """Returns whether this request tries if a rest has helped. Raises GeneratorError."""
        with self._lock:
            if self._rest is None:
                return False
            due = self._clock() >= self._rest.until
            if self._trying or not due or self._hung >= MOST_HUNG:
                raise GeneratorError(f"{self.name} is left alone")
            self._trying = True
            return True

    def _ask(self, request: PhraseRequest) -> list[Candidate]:
        """Asks in a daemon thread: a hang keeps neither the turn nor the end of the shop."""
        answers: queue.SimpleQueue[list[Candidate] | Exception] = queue.SimpleQueue()
        given_up = threading.Event()

        def ask() -> None:
            try:
                answers.put(self._inner.phrase(request))
            except Exception as error:
                answers.put(error)
            with self._lock:
                self._hung -= given_up.is_set()

        threading.Thread(target=ask, name="generator", daemon=True).start()
        try:
            answer = answers.get(timeout=self._seconds)
        except queue.Empty:
            with self._lock:
                if answers.empty():
                    given_up.set()
                    self._hung += 1
            raise _HungError(f"no answer within {self._seconds:g} s") from None
        if isinstance(answer, (GeneratorError, UnknownActError)):
            raise answer
        if isinstance(answer, Exception):  # its words may quote what was asked
            kind, place = type(answer).__name__, traceback.extract_tb(answer.__traceback__)[-1]
            log.error("the generator threw %s in %s:%s", kind, place.filename, place.lineno)
            raise GeneratorError(kind) from None
        return answer

    def _succeeded(self, *, tries: bool) -> None:
        with self._lock:
            self._failures = 0
            if tries:
                log.warning("the generator %s answers again", self.name)
                self._rest, self._trying = None, False

    def _failed(self, reason: str, *, tries: bool, hung: bool) -> None:
        with self._lock:
            self._failures += 1
            if tries:
                self._trying = False
            elif self._rest is not None or not (hung or self._failures >= FAILURES):
                return
            before = self._rest.seconds if self._rest else FIRST_REST / 2
            seconds = min(2 * before, LONGEST_REST)
            self._rest = _Rest(seconds, self._clock() + seconds, reason)
        log.error("the generator %s is left alone for %g s: %s", self.name, seconds, reason)


class _HungError(GeneratorError):
    """No answer came in time, not even the error that a generator with a budget raises."""
