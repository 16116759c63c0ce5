"""What every generator promises, whatever stands behind it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from remote_server import phrases_plainly, remote

from bot.errors import UntaughtError
from bot.generators.base import Generator, PhraseRequest
from bot.generators.ctranslate import CTranslateGenerator
from bot.generators.plain import PlainGenerator
from bot.turn import Language
from prompts.acts import UnknownActError, inventory, markers
from prompts.combinations import combinations
from prompts.phrasing import phrasebook

LANGUAGES: tuple[Language, ...] = ("en", "zh")
SHIPPED = Path(__file__).parents[2] / "bot" / "checkpoints" / "shop-gpt2"


@pytest.fixture(scope="module")
def random_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2 of two layers with random weights and a tokenizer of our format."""
    from bot.training.checkpoint import export, new_model
    from bot.training.tokenizer import train

    texts = [book.plain("greet", []) or "" for book in map(phrasebook, LANGUAGES)]
    tokenizer = train(texts, vocabulary=500)
    folder = tmp_path_factory.mktemp("models") / "random"
    export(new_model(tokenizer, layers=2, width=32, heads=2, seed=0), tokenizer, folder)
    return folder


@pytest.fixture(
    scope="module", params=["plain", "random", "shipped", "random fast", "shipped fast", "remote"]
)
def generator(
    request: pytest.FixtureRequest, random_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Generator:
    if request.param == "plain":
        return PlainGenerator()
    if request.param == "remote":
        return remote(phrases_plainly())
    folder = random_folder if request.param.startswith("random") else SHIPPED
    if request.param.endswith("fast"):
        cache = tmp_path_factory.mktemp("cache")
        return CTranslateGenerator(folder, cache=cache, seconds=60)
    from bot.generators.gpt2 import Gpt2Generator

    return Gpt2Generator(folder, seconds=60)


def requests(act: str, sample: int) -> list[PhraseRequest]:
    every = combinations(act)
    some = [every[0], *random.Random(act).sample(every, min(sample, len(every)))]
    return [
        PhraseRequest(language, act, slots, "hello", k=2, seed=3)
        for language in LANGUAGES
        for slots in dict.fromkeys(some)
    ]


@pytest.mark.parametrize("act", inventory().acts)
def test_that_candidates_hold_only_given_markers_and_none_twice(
    generator: Generator, act: str
) -> None:
    # random weights hardly ever come to an end, and only the slow runtime makes them
    least = 0 if generator.name == "random" and isinstance(generator, CTranslateGenerator) else 1
    for request in requests(act, 1):
        try:
            candidates = generator.phrase(request)
        except UntaughtError:  # a checkpoint may be older than the act
            continue
        assert least <= len(candidates) <= request.k
        for candidate in candidates:
            found = markers(candidate.marked)
            assert set(found) <= set(request.slots)
            assert len(found) == len(set(found))
            assert "<|" not in candidate.marked


@pytest.mark.parametrize("act", ["greet", "recommend", "order_status"])
def test_that_an_equal_request_gets_equal_candidates(generator: Generator, act: str) -> None:
    for request in requests(act, 0):
        assert generator.phrase(request) == generator.phrase(request)


def test_that_an_unknown_act_is_refused(generator: Generator) -> None:
    with pytest.raises(UnknownActError):
        generator.phrase(PhraseRequest("en", "sing", ()))


def test_that_a_generator_names_itself_and_its_version(generator: Generator) -> None:
    assert generator.name
    assert generator.version
