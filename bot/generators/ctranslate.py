"""Phrases acts with a GPT-2 from a local folder, computed by CTranslate2.

Markers that were not given, control words and long repetitions are suppressed; that a text came to
its end and says no marker twice is looked at afterwards. Nothing is added to or mended in what the
model wrote. Knows nothing about values or verification.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bot.errors import ConfigError, GeneratorError
from bot.generators.base import PhraseRequest
from bot.generators.conversion import REMEDY, Compute, convert, is_whole, place_of
from bot.generators.folder import (
    LONGEST_REPEAT,
    TEMPERATURE,
    TOP_K,
    TOP_P,
    Gpt2Folder,
    Task,
    dice_of,
)
from bot.turn import Candidate

log = logging.getLogger(__name__)

FLATTER = 0.3  # power of a beginning's likelihood by which it is drawn
DRAFT = 6  # tokens of the greedy text at which other texts may leave it
LEAVES = 0.5  # a house that settled how it says things: where fewer samples leave the greedy text, it stays


@dataclass(frozen=True, slots=True)
class Start:
    """How a text begins: its first tokens, their log-probability, and how likely it is drawn."""

    tokens: tuple[int, ...]
    logprob: float = 0.0
    weight: float = 1.0


class CTranslateGenerator:
    """Serves any Hugging Face GPT-2 folder; see `Gpt2Folder`. Safe to call from several threads.

    One call writes all texts of a request, and no other's: suppressed markers belong to the whole
    call. `workers` requests are computed at once. CTranslate2 seeds its sampling once per thread
    and process, so that no request could be answered twice alike. The draws are therefore made
    here: a short greedy draft shows what a sampled text would say instead, and each text goes on
    greedily from where it left the draft. Equal requests get equal candidates.
    """

    def __init__(
        self,
        folder: Path,
        *,
        cache: Path,
        seconds: float = 4.0,
        workers: int = 2,
        threads: int = 1,
        compute: Compute = "int8",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`cache` holds converted models; the first start makes this one. `seconds` is the time
        budget of a request, waiting included, and `threads` what each worker computes with.

        Raises ConfigError, and OSError where the cache cannot be written.
        """
        self._folder = Gpt2Folder(folder)
        self.name = self._folder.name
        self.version = self._folder.version
        self._model = _loaded(self._folder, cache, compute, workers=workers, threads=threads)
        self._seconds = seconds
        self._workers = workers
        self._clock = clock
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="ctranslate2")
        self._counting = threading.Lock()
        self._open = 0  # requests that wait or run

    def phrase(self, request: PhraseRequest) -> list[Candidate]:
        """Returns up to `request.k` distinct candidates: most slots said first, then likeliest.

        There are fewer under load, and none where no text was sound. One text alone is greedy at
        attempt 0. Raises UnknownActError, and GeneratorError when the time budget is exhausted.
        """
        task = self._folder.task(request)
        deadline = self._clock() + self._seconds
        self._count(1)
        work = self._pool.submit(self._write, task, request, deadline)
        work.add_done_callback(lambda _: self._count(-1))
        try:
            texts = work.result(timeout=max(0.0, deadline - self._clock()))
        except TimeoutError:
            work.cancel()  # spares it where it has not begun; else it ends soon, by its length
            raise self._late() from None
        except (RuntimeError, ValueError) as error:  # CTranslate2's own
            raise GeneratorError(f"{self.name} cannot answer: {error}") from error
        return self._folder.candidates(texts, task.slots)

    def _write(
        self, task: Task, request: PhraseRequest, deadline: float
    ) -> list[tuple[Sequence[int], float]]:
        """Writes the texts of a request; returns the sound ones with their log-probability.

        A log-probability is the mean per token, the end included, among the tokens allowed.
        """
        self._check(deadline)
        k = rows_under_load(max(1, request.k), self._open, self._workers)
        options = self._options(task)
        starts = [Start(())]
        if k > 1 or request.attempt:
            starts = self._starts(task, request, k, options)
            self._check(deadline)
        rows = self._folder.rows
        prompt = [rows[number] for number in task.prompt]
        longest = max(len(start.tokens) for start in starts)
        written = self._model.generate_batch(
            [prompt + [rows[number] for number in start.tokens] for start in starts],
            max_length=min(task.most, self._folder.context - len(prompt) - longest),
            min_length=1 if longest == 0 else 0,  # no text is empty
            **options,
        )
        texts: list[tuple[Sequence[int], float]] = []
        for start, result in zip(starts, written, strict=True):
            more = result.sequences_ids[0]
            tokens = [*start.tokens, *more]
            ended = bool(tokens) and tokens[-1] in self._folder.ends
            if ended and _once(tokens, task.given):
                total = start.logprob + result.scores[0] * len(more)
                texts.append((tokens[:-1], total / len(tokens)))
        return texts

    def _starts(
        self, task: Task, request: PhraseRequest, k: int, options: dict[str, Any]
    ) -> list[Start]:
        """Draws how the texts begin: where they leave a greedy draft, and each with another word.

        Attempt 0 leaves it early. A retry may leave it anywhere, since what was wrong may stand at
        its end. The greedy text itself is written where there are too few others.
        """
        draft = self._model.generate_batch(
            [[self._folder.rows[number] for number in task.prompt]],
            max_length=task.most // 2 if request.attempt else min(DRAFT, task.most),
            min_length=1,
            return_logits_vocab=True,
            **options,
        )[0]
        path, logits = draft.sequences_ids[0], draft.logits[0]
        greedy, forks = forks_of(
            path, logits, avoid={*self._folder.ends}, anywhere=request.attempt > 0
        )
        forks = [fork for fork in forks if _once(fork.tokens, task.given)]
        others = drawn(forks, k, dice_of(request))
        settled = self._folder.approved and sum(fork.weight for fork in forks) < LEAVES
        if settled and not request.attempt:
            return [greedy, *others][:k]
        return [*others, greedy][:k]

    def _options(self, task: Task) -> dict[str, Any]:
        suppressed = self._folder.never - task.given
        return {
            "suppress_sequences": [[self._folder.rows[number]] for number in sorted(suppressed)],
            "no_repeat_ngram_size": LONGEST_REPEAT,
            "end_token": self._folder.ends,
            "return_end_token": True,
            "include_prompt_in_result": False,
            "return_scores": True,
        }

    def _count(self, change: int) -> None:
        with self._counting:
            self._open += change

    def _check(self, deadline: float) -> None:
        if self._clock() > deadline:
            raise self._late()

    def _late(self) -> GeneratorError:
        return GeneratorError(f"{self.name} finished no text within {self._seconds:g} s")


def rows_under_load(k: int, requests: int, workers: int) -> int:
    """Returns how many texts a request gets while `requests` wait or run, itself included.

    All of them together ask for no more than `workers` undisturbed ones do, as far as one each
    allows: with k = 4 and two workers 4, 4, 2, 2 and then 1.
    """
    return max(1, k * workers // max(workers, requests))


def forks_of(
    path: Sequence[int], logits: Sequence[Any], *, avoid: set[int], anywhere: bool = False
) -> tuple[Start, list[Start]]:
    """Returns the first token of a greedy text, and the starts that leave the text after any of it.

    `logits` holds (V,) for each token of `path`; what is not allowed is the lowest float. A weight
    is the probability that sampling with TEMPERATURE, TOP_K and TOP_P goes along the text and
    leaves it there; with `anywhere`, that it leaves it once it is there.
    """
    forks = []
    reach, said = 1.0, 0.0
    first = Start(())
    for at, (own, row) in enumerate(zip(path, logits, strict=True)):
        scores = np.array(row, dtype=np.float64).reshape(-1)  # (V,)
        logprobs = scores - scores.max()
        logprobs -= np.log(np.exp(logprobs).sum())
        top = np.argpartition(-logprobs, min(TOP_K, len(logprobs)) - 1)[:TOP_K]
        top = top[np.argsort(-logprobs[top], kind="stable")]
        warm = np.exp(logprobs[top] / TEMPERATURE)
        warm /= np.exp(logprobs / TEMPERATURE).sum()
        kept = np.cumsum(warm) - warm < TOP_P  # the likeliest is always kept
        shares = dict(
            zip(top[kept].tolist(), (warm[kept] / warm[kept].sum()).tolist(), strict=True)
        )
        for token, share in shares.items():
            if token != own and token not in avoid:
                logprob = said + float(logprobs[token])
                forks.append(Start((*path[:at], token), logprob, reach * share))
        said += float(logprobs[own])
        if at == 0:
            first = Start((own,), said)
        if not anywhere:
            reach *= shares.get(own, 0.0)
        if reach == 0.0:
            break
    return first, forks


def drawn(forks: Sequence[Start], k: int, dice: random.Random) -> list[Start]:
    """Draws at most `k` without replacement, such as begin with a word of their own first.

    Each is as likely as FLATTER of its weight says (Efraimidis and Spirakis, IPL 97, 2006): drawn by
    their weight alone, with the greedy text among them, a fifth of 200 recommendations began alike
    (`benchmarks/variety.py`).
    """
    order = sorted(forks, key=lambda fork: dice.expovariate(fork.weight**FLATTER))
    apart: dict[int, Start] = {}
    for fork in order:
        apart.setdefault(fork.tokens[0], fork)
    first = list(apart.values())
    chosen = {fork.tokens for fork in first}
    return [*first, *(fork for fork in order if fork.tokens not in chosen)][:k]


def _once(tokens: Sequence[int], given: frozenset[int]) -> bool:
    """Whether no marker stands twice."""
    said = [token for token in tokens if token in given]
    return len(said) == len(set(said))


def _loaded(
    folder: Gpt2Folder, cache: Path, compute: Compute, *, workers: int, threads: int
) -> Any:
    """Loads the converted model; makes it where it is missing or cannot be read."""
    try:
        import ctranslate2
    except ImportError as error:
        raise ConfigError(f"ctranslate2 cannot be loaded ({error}): {REMEDY}") from error

    def load(place: Path) -> Any:
        return ctranslate2.Generator(
            str(place), compute_type=compute, inter_threads=workers, intra_threads=threads
        )

    place = place_of(folder, cache, compute)
    if is_whole(place):
        try:
            return load(place)
        except RuntimeError:
            log.warning("converted model cannot be read, it is made anew")
    began = time.perf_counter()
    place = convert(folder, cache, compute)
    seconds = round(time.perf_counter() - began, 1)
    log.info("model converted", extra={"model": folder.name, "seconds": seconds})
    try:
        return load(place)
    except RuntimeError as error:
        raise ConfigError(f"CTranslate2 cannot load {folder.path} ({error}): {REMEDY}") from error
