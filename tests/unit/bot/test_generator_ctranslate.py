"""The fast runtime: equal to transformers, safe under load, and made from any GPT-2 folder."""

from __future__ import annotations

import itertools
import logging
import random
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_gpt2 import write_tiny

from bot.app import make_generator
from bot.errors import GeneratorError
from bot.generators.base import PhraseRequest
from bot.generators.conversion import Compute, convert
from bot.generators.ctranslate import (
    CTranslateGenerator,
    Start,
    drawn,
    forks_of,
    rows_under_load,
)
from bot.generators.folder import LONGEST_REPEAT, Gpt2Folder
from bot.generators.gpt2 import Gpt2Generator
from bot.settings import DEFAULT_CHECKPOINT, load_settings
from bot.turn import Language
from prompts.acts import inventory, markers
from prompts.combinations import combinations

REQUEST = PhraseRequest("en", "price", ("title_1", "price_1"), "how much is it", k=4, seed=1)
LANGUAGES: tuple[Language, ...] = ("en", "zh")
PROMPTS = 200


# -- folders --------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def random_one(tiny: Path, cache: Path) -> CTranslateGenerator:
    return CTranslateGenerator(tiny, cache=cache, seconds=60)


@pytest.fixture(scope="module")
def shipped(cache: Path) -> CTranslateGenerator:
    return CTranslateGenerator(DEFAULT_CHECKPOINT, cache=cache, seconds=60)


def requests(folder: Gpt2Folder, count: int) -> list[PhraseRequest]:
    """Requests over the acts that the model of `folder` was taught, in both languages."""
    found = []
    for language, act in itertools.product(LANGUAGES, inventory().acts):
        for slots in combinations(act)[:12]:
            message = random.Random(act).choice(
                ["", "how much is it", "谢谢", "do you have a tent?"]
            )
            request = PhraseRequest(language, act, slots, message, seed=5)
            try:
                folder.task(request)
            except GeneratorError:
                continue
            found.append(request)
    assert len(found) >= count
    return random.Random(0).sample(found, count)


# -- equal to transformers ------------------------------------------------------------------------
@pytest.fixture(scope="module")
def reference() -> Any:
    import torch
    from transformers import GPT2LMHeadModel

    torch.set_num_threads(1)  # as Gpt2Generator does: on busy cores two are far slower
    return GPT2LMHeadModel.from_pretrained(DEFAULT_CHECKPOINT, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def greedy(reference: Any) -> list[tuple[list[int], list[int]]]:
    """Prompts, and what transformers writes after each, up to its end or 40 tokens."""
    import torch

    folder = Gpt2Folder(DEFAULT_CHECKPOINT)
    end = folder.ends[0]
    prompts = sorted((list(folder.task(r).prompt) for r in requests(folder, PROMPTS)), key=len)
    pairs = []
    for _, group in itertools.groupby(prompts, key=len):  # of one length: nothing is padded
        batch = list(group)
        ids = torch.tensor(batch)
        out = reference.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=40,
            eos_token_id=end,
            pad_token_id=end,
        )
        for prompt, row in zip(batch, out.tolist(), strict=True):
            text = row[len(prompt) :]
            pairs.append((prompt, text[: text.index(end) + 1] if end in text else text))
    return pairs


def loaded(compute: Compute, cache: Path) -> tuple[Any, list[str]]:
    """CTranslate2's own generator of the shipped checkpoint, and its words."""
    import ctranslate2

    folder = Gpt2Folder(DEFAULT_CHECKPOINT)
    place = convert(folder, cache / compute, compute)
    return ctranslate2.Generator(str(place), compute_type=compute, intra_threads=1), folder.rows


def test_that_greedy_float32_equals_transformers_token_for_token(
    greedy: list[tuple[list[int], list[int]]], cache: Path
) -> None:
    model, rows = loaded("float32", cache)
    written = []
    for _, group in itertools.groupby(greedy, key=lambda pair: len(pair[0])):
        written += model.generate_batch(
            [[rows[number] for number in prompt] for prompt, _ in group],
            max_length=40,
            include_prompt_in_result=False,
            return_end_token=True,
        )
    assert len(written) == PROMPTS
    differing = [
        (wanted, result.sequences_ids[0])
        for (_, wanted), result in zip(greedy, written, strict=True)
        if result.sequences_ids[0] != wanted
    ]
    assert differing == []


def test_that_int8_loses_less_than_a_twentieth_of_a_nat_per_token(
    greedy: list[tuple[list[int], list[int]]], reference: Any, cache: Path
) -> None:
    import torch

    model, rows = loaded("int8", cache)
    scored = model.score_batch(
        [[rows[number] for number in prompt + text] for prompt, text in greedy], max_batch_size=32
    )
    exact, rounded = [], []
    for (prompt, text), result in zip(greedy, scored, strict=True):
        with torch.inference_mode():
            logprobs = reference(torch.tensor([prompt + text])).logits[0].log_softmax(-1)
        places = range(len(prompt) - 1, len(prompt) + len(text) - 1)
        exact += [float(logprobs[at, token]) for at, token in zip(places, text, strict=True)]
        rounded += result.log_probs[-len(text) :]
    assert len(exact) == len(rounded) > 10 * PROMPTS
    assert abs(np.mean(exact) - np.mean(rounded)) < 0.05


def test_that_both_runtimes_say_the_same_first_and_score_it_alike(cache: Path) -> None:
    fast = CTranslateGenerator(
        DEFAULT_CHECKPOINT, cache=cache / "float32", seconds=60, compute="float32"
    )
    slow = Gpt2Generator(DEFAULT_CHECKPOINT, seconds=60)
    assert (fast.name, fast.version) == (slow.name, slow.version)
    for request in requests(Gpt2Folder(DEFAULT_CHECKPOINT), 25):
        (one,), (other,) = fast.phrase(replace(request, k=1)), slow.phrase(replace(request, k=1))
        assert one.marked == other.marked
        assert one.logprob == pytest.approx(other.logprob, abs=0.02)


# -- what it writes -------------------------------------------------------------------------------
def test_that_random_weights_say_no_marker_that_was_not_given(
    random_one: CTranslateGenerator,
) -> None:
    found = 0
    for request in requests(Gpt2Folder(DEFAULT_CHECKPOINT), 60):
        for attempt in (0, 1):
            for candidate in random_one.phrase(replace(request, attempt=attempt)):
                said = markers(candidate.marked)
                assert set(said) <= set(request.slots)
                assert len(said) == len(set(said))
                assert candidate.marked.count("<") == len(said)
                assert "<|" not in candidate.marked
                found += 1
    assert found > 50


def test_that_a_text_that_is_cut_off_or_says_a_marker_twice_is_no_candidate(
    shipped: CTranslateGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Gpt2Folder(DEFAULT_CHECKPOINT)
    title, price, end = (folder.words[word] for word in ("<title_1>", "<price_1>", "<|end|>"))
    word = folder.tokenizer.encode(" costs").ids[0]
    play(
        shipped,
        monkeypatch,
        [
            [title, word, price],  # no end
            [title, word, title, price, end],
            [title, word, end],
            [title, word, price, end],
        ],
    )
    found = [candidate.marked for candidate in shipped.phrase(REQUEST)]
    assert found == ["<title_1> costs<price_1>", "<title_1> costs"]


def play(
    generator: CTranslateGenerator, monkeypatch: pytest.MonkeyPatch, texts: list[list[int]]
) -> None:
    """Lets the model write these texts; the draft is the last of them."""

    class Result:
        scores = [-0.5]

        def __init__(self, text: list[int]) -> None:
            self.sequences_ids = [text]

    class Scripted:
        def generate_batch(self, prompts: Sequence[Any], **_: Any) -> list[Result]:
            return [Result(text) for text in texts]

    monkeypatch.setattr(generator, "_model", Scripted())
    monkeypatch.setattr(generator, "_starts", lambda *_: [_start() for _ in texts])


def _start() -> Any:
    from bot.generators.ctranslate import Start

    return Start(())


def test_that_candidates_differ_and_begin_each_with_another_word(
    shipped: CTranslateGenerator,
) -> None:
    for seed in range(5):
        texts = [candidate.marked for candidate in shipped.phrase(replace(REQUEST, seed=seed))]
        assert len(set(texts)) == 4
        assert len({text.split()[0] for text in texts}) >= 3  # a word may be of two tokens


def test_that_beginnings_are_drawn_apart_before_any_is_drawn_twice() -> None:
    forks = [Start((head, tail), weight=0.9 if head == 1 else 0.1) for head in (1, 2, 3) for tail in (7, 8)]  # fmt: skip
    for seed in range(20):
        three = drawn(forks, 3, random.Random(seed))
        assert {start.tokens[0] for start in three} == {1, 2, 3}
        assert set(drawn(forks, 9, random.Random(seed))) == set(forks)
    assert drawn(forks, 3, random.Random(1)) == drawn(forks, 3, random.Random(1))
    assert drawn([], 3, random.Random(1)) == []


def test_that_seed_and_attempt_change_what_is_said(shipped: CTranslateGenerator) -> None:
    def texts(**change: int) -> set[str]:
        return {candidate.marked for candidate in shipped.phrase(replace(REQUEST, **change))}

    assert texts() == texts()
    assert len({text for seed in range(5) for text in texts(seed=seed)}) > 6
    assert texts(attempt=1) - texts()


def test_that_no_run_of_words_is_written_twice(random_one: CTranslateGenerator) -> None:
    folder = Gpt2Folder(DEFAULT_CHECKPOINT)
    encode = Gpt2Folder(random_one._folder.path).tokenizer.encode
    for request in requests(folder, 20):
        for candidate in random_one.phrase(request):
            ids = encode(candidate.marked).ids
            runs = [
                tuple(ids[at : at + LONGEST_REPEAT]) for at in range(len(ids) - LONGEST_REPEAT + 1)
            ]
            assert len(runs) == len(set(runs))


def test_that_forks_are_what_sampling_would_say_instead() -> None:
    def row(**share: float) -> Any:
        logits = np.full(100, np.finfo(np.float32).min, dtype=np.float32)
        for name, value in share.items():
            logits[int(name[1:])] = np.log(value)
        return logits

    logits = [row(t5=0.6, t6=0.3, t7=0.1), row(t8=0.9, t1=0.1), row(t1=0.7, t9=0.3)]
    first, forks = forks_of([5, 8, 1], logits, avoid={1})
    assert first.tokens == (5,)
    assert first.logprob == pytest.approx(np.log(0.6))
    # the last tenth is never sampled, and an end is no way to go on
    assert [fork.tokens for fork in forks] == [(6,), (5, 8, 9)]
    assert forks[1].logprob == pytest.approx(np.log(0.6 * 0.9 * 0.3))
    assert sum(fork.weight for fork in forks) < 1
    _, anywhere = forks_of([5, 8, 1], logits, avoid={1}, anywhere=True)
    assert anywhere[1].weight > forks[1].weight


# -- any folder -----------------------------------------------------------------------------------
def test_that_a_foreign_gpt2_is_served_with_our_words_added(tmp_path: Path) -> None:
    from tokenizers import ByteLevelBPETokenizer
    from transformers import GPT2Config, GPT2LMHeadModel

    path = tmp_path / "foreign"
    path.mkdir()
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(["a plain text"], 300, special_tokens=["<|endoftext|>"])
    tokenizer.save_model(str(path))
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(), n_positions=256, n_layer=1, n_embd=16, n_head=2,
        n_inner=24, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(path)
    generator = CTranslateGenerator(path, cache=tmp_path / "cache", seconds=60)
    for candidate in generator.phrase(REQUEST):
        assert set(markers(candidate.marked)) <= set(REQUEST.slots)


def test_that_serving_loads_neither_torch_nor_transformers(tiny: Path, cache: Path) -> None:
    import subprocess

    CTranslateGenerator(tiny, cache=cache)
    code = (
        "import sys; from pathlib import Path\n"
        "from bot.generators.base import PhraseRequest\n"
        "from bot.generators.ctranslate import CTranslateGenerator\n"
        f"g = CTranslateGenerator(Path({str(tiny)!r}), cache=Path({str(cache)!r}), seconds=60)\n"
        "g.phrase(PhraseRequest('en', 'greet', ()))\n"
        "print(*sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""


# -- the choice of runtime ------------------------------------------------------------------------
def chosen(tmp_path: Path, model: Path, **more: str) -> Any:
    environment = {"SHOPBOT_GENERATOR__MODEL": str(model)} | more
    return make_generator(load_settings(environment, home=tmp_path / "home"))


def test_that_the_fast_runtime_is_chosen_and_keeps_its_model_in_the_home(
    tmp_path: Path, tiny: Path
) -> None:
    assert isinstance(chosen(tmp_path, tiny), CTranslateGenerator)
    assert [path.name.rpartition("-")[0] for path in (tmp_path / "home/models").iterdir()] == [
        "tiny"
    ]


def test_that_transformers_serves_where_it_is_set(tmp_path: Path, tiny: Path) -> None:
    generator = chosen(tmp_path, tiny, SHOPBOT_GENERATOR__RUNTIME="transformers")
    assert isinstance(generator, Gpt2Generator)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("obstacle", ["activation", "library", "disk"])
def test_that_transformers_takes_its_place_and_the_log_says_why(
    tmp_path: Path,
    tiny: Path,
    obstacle: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = tiny
    if obstacle == "activation":
        model = write_tiny(tmp_path / "odd", activation_function="relu")
    elif obstacle == "library":
        monkeypatch.setitem(sys.modules, "ctranslate2", None)
    else:
        (tmp_path / "home").write_text("a file where the home should be")
    with caplog.at_level(logging.WARNING):
        generator = chosen(tmp_path, model)
    assert isinstance(generator, Gpt2Generator)
    (line,) = caplog.messages
    assert line.startswith("ctranslate2 does not serve, transformers takes its place: ")


# -- load and time --------------------------------------------------------------------------------
def test_that_candidates_become_fewer_under_load() -> None:
    assert [rows_under_load(4, n, 2) for n in range(1, 7)] == [4, 4, 2, 2, 1, 1]
    assert [rows_under_load(1, n, 1) for n in (1, 2, 50)] == [1, 1, 1]
    for k, n, workers in itertools.product((1, 3, 4, 16), range(1, 30), (1, 2, 4)):
        rows = rows_under_load(k, n, workers)
        assert 1 <= rows <= k
        assert rows == 1 or n * rows <= k * workers


class Gate:
    """A clock that holds the first request which a worker begins, until it is opened."""

    def __init__(self) -> None:
        self.inside, self.open = threading.Event(), threading.Event()

    def __call__(self) -> float:
        if threading.current_thread().name.startswith("ctranslate2") and not self.inside.is_set():
            self.inside.set()
            assert self.open.wait(30)
        return 0.0


def apart(*calls: Callable[[], Any]) -> tuple[list[threading.Thread], list[Any]]:
    """Starts each call in a thread of its own."""
    found: list[Any] = []
    threads = [threading.Thread(target=lambda c=call: found.append(c())) for call in calls]
    for thread in threads:
        thread.start()
    return threads, found


@pytest.fixture
def gated(tiny: Path, cache: Path) -> Iterator[tuple[CTranslateGenerator, Gate]]:
    gate = Gate()
    yield CTranslateGenerator(tiny, cache=cache, seconds=30, workers=1, clock=gate), gate
    gate.open.set()


def test_that_a_busy_worker_gives_who_waits_fewer_candidates(
    gated: tuple[CTranslateGenerator, Gate], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator, gate = gated
    asked: list[int] = []
    starts = generator._starts
    monkeypatch.setattr(
        generator, "_starts", lambda t, r, k, o: asked.append(k) or starts(t, r, k, o)
    )
    threads, _ = apart(*[lambda: generator.phrase(REQUEST)] * 4)
    assert gate.inside.wait(30)
    while generator._open < 4:
        threading.Event().wait(0.01)
    gate.open.set()
    for thread in threads:
        thread.join()
    assert asked == [2, 4]  # the first two were asked for one text, and need no draft
    assert generator._open == 0


def test_that_waiting_counts_against_the_budget_and_spares_the_work(
    gated: tuple[CTranslateGenerator, Gate],
) -> None:
    generator, gate = gated
    threads, found = apart(lambda: generator.phrase(REQUEST))
    assert gate.inside.wait(30)
    generator._seconds = 0.05
    with pytest.raises(GeneratorError, match=r"within 0\.05 s"):
        generator.phrase(REQUEST)
    assert generator._open == 1  # who gave up waits no more
    gate.open.set()
    threads[0].join()
    assert len(found) == 1


def test_that_an_exhausted_time_budget_is_an_error(tiny: Path, cache: Path) -> None:
    ticks = itertools.count(step=10.0)
    slow = CTranslateGenerator(tiny, cache=cache, seconds=5, clock=lambda: next(ticks))
    with pytest.raises(GeneratorError, match="finished no text within 5 s"):
        slow.phrase(REQUEST)


def test_that_what_the_library_refuses_is_an_error_of_the_generator(
    random_one: CTranslateGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def generate_batch(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("out of memory")

    monkeypatch.setattr(random_one, "_model", Broken())
    with pytest.raises(GeneratorError, match="out of memory"):
        random_one.phrase(REQUEST)


def test_that_threads_get_the_greedy_text_that_each_gets_alone(
    shipped: CTranslateGenerator,
) -> None:
    asked = [replace(r, k=1) for r in requests(Gpt2Folder(DEFAULT_CHECKPOINT), 12)]
    alone = [shipped.phrase(request) for request in asked]
    threads, found = apart(*[lambda: [shipped.phrase(request) for request in asked]] * 4)
    for thread in threads:
        thread.join()
    assert found == [alone] * 4
