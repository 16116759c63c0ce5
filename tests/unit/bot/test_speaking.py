"""Which generator speaks, and that a change of it costs no turn."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from shop_homes import build_tiny, copy_of, settings_of
from tiny_gpt2 import write_tiny

from bot.app import Shop
from bot.errors import ConfigError
from bot.generators.base import PhraseRequest
from bot.generators.plain import PlainGenerator
from bot.speaking import Speaker
from bot.turn import Candidate, ChatRequest
from bot.versions import KIND, register
from db.models import ModelVersion, ModelVersionStore
from db.records import Money, Product, ProductId

NOW = datetime(2026, 3, 2, tzinfo=UTC)
KETTLE = Product(ProductId("k1"), "Copper Kettle", price=Money(Decimal("49.00"), "USD"))


class Named:
    """Speaks plain sentences under a name."""

    def __init__(self, version: ModelVersion | None) -> None:
        self.name = version.name if version else "own"
        self.version = version.version if version else "0"
        self._plain = PlainGenerator()

    def phrase(self, request: PhraseRequest) -> list[Candidate]:
        return self._plain.phrase(request)


def version(name: str) -> ModelVersion:
    return ModelVersion(KIND, name, "1", "models/1", "", {}, None, True, NOW)


class Home:
    """What was promoted, and which versions cannot be loaded."""

    def __init__(self, promoted: ModelVersion | None = None, *broken: str) -> None:
        self.promoted = promoted
        self.broken = set(broken)
        self.loads: list[str] = []
        self.speaker = Speaker(lambda: self.promoted, self._load)

    def _load(self, version: ModelVersion | None) -> Named:
        made = Named(version)
        self.loads.append(made.name)
        if made.name in self.broken:
            raise ConfigError(f"{made.name} is broken")
        return made

    @property
    def speaks(self) -> str:
        return self.speaker.generator().name


def test_that_the_settings_speak_until_something_is_promoted_and_after_it_was_rolled_back() -> None:
    home = Home()
    assert (home.speaks, home.speaker.take_up()) == ("own", False)
    home.promoted = version("better")
    assert (home.speaks, home.speaker.take_up(), home.speaks) == ("own", True, "better")
    assert not home.speaker.take_up()
    home.promoted = None
    assert (home.speaker.take_up(), home.speaks, home.speaker.trouble) == (True, "own", "")
    assert home.loads == ["own", "better", "own"]


def test_that_what_was_promoted_speaks_from_the_start() -> None:
    assert Home(version("better")).speaks == "better"


def test_that_what_cannot_be_loaded_is_told_once_and_the_one_before_goes_on() -> None:
    home = Home(None, "broken")
    assert home.speaks == "own"
    home.promoted = version("broken")
    for _ in range(3):
        assert (home.speaker.take_up(), home.speaks) == (False, "own")
    assert home.loads == ["own", "broken"]
    assert "broken is broken" in home.speaker.trouble
    assert "models rollback" in home.speaker.trouble
    assert home.speaker.speaks  # a generator does
    home.promoted = None
    assert (home.speaker.take_up(), home.speaker.trouble) == (False, "")


def test_that_at_the_start_the_settings_stand_in_and_plain_sentences_for_these() -> None:
    home = Home(version("broken"), "broken")
    assert home.speaks == "own"
    assert "broken is broken" in home.speaker.trouble
    assert home.speaker.speaks
    dumb = Home(version("broken"), "broken", "own")
    assert dumb.speaks == "plain"
    assert "own is broken" in dumb.speaker.trouble
    assert not dumb.speaker.speaks
    assert not dumb.speaker.take_up()
    assert not dumb.speaker.speaks


def test_that_a_given_generator_speaks_whatever_was_promoted() -> None:
    speaker = Speaker(lambda: version("better"), Named, given=Named(None))
    assert not speaker.take_up()
    assert speaker.generator().name == "own"


# ---- a shop at work ------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    home = build_tiny(tmp_path / "home", products=[KETTLE])
    write_tiny(tmp_path / "own")
    more = {"SHOPBOT_GENERATOR__KIND": "gpt2", "SHOPBOT_GENERATOR__MODEL": str(tmp_path / "own")}
    shop = Shop(settings_of(home, more=more))
    yield shop
    shop.close()


def promoted(shop: Shop, folder: Path, seed: int) -> ModelVersion:
    """Another tiny model, registered and in use."""
    write_tiny(folder, seed=seed)
    store = ModelVersionStore(shop._database)
    kept = register(store, folder, home=shop.settings.home, now=NOW)
    store.promote(KIND, kept.name, kept.version, user_name="Mia", report={}, now=NOW)
    return kept


def spoken_by(shop: Shop) -> str:
    shop.chat(ChatRequest("How much is the Copper Kettle?"))
    return shop._speaker.generator().name


def test_that_a_served_shop_changes_over_while_shoppers_talk_and_drops_no_turn(
    shop: Shop, tmp_path: Path
) -> None:
    assert spoken_by(shop) == "own"
    ended, replies, faults = threading.Event(), [], []

    def talk() -> None:
        while not ended.is_set():
            try:
                replies.append(shop.chat(ChatRequest("How much is the Copper Kettle?")))
            except Exception as error:
                faults.append(error)

    shoppers = [threading.Thread(target=talk) for _ in range(4)]
    for shopper in shoppers:
        shopper.start()
    for seed in range(1, 4):
        kept = promoted(shop, tmp_path / f"model-{seed}", seed)
        shop.take_up_promoted()
        assert shop._speaker.generator().version == kept.version
    ModelVersionStore(shop._database).rollback(KIND, user_name="Mia", now=NOW)
    shop.take_up_promoted()
    ended.set()
    for shopper in shoppers:
        shopper.join()
    assert spoken_by(shop) == "model-2"
    assert faults == []
    assert len(replies) > 4
    assert all("$49.00" in reply.text for reply in replies)
    stored = {turn.id for turn in shop.conversations.every_turn()}
    assert {reply.turn_id for reply in replies} <= stored


def test_that_a_promoted_folder_that_is_gone_leaves_the_settings_speaking_and_says_so(
    shop: Shop, tmp_path: Path
) -> None:
    kept = promoted(shop, tmp_path / "model", 1)
    (tmp_path / "model" / "model.safetensors").write_bytes(b"nothing")
    assert spoken_by(shop) == "own"
    readiness = shop.readiness()
    assert readiness.ready
    assert kept.version in "; ".join(readiness.reasons)
    assert not readiness.generator_resting


def test_that_plain_sentences_of_the_settings_speak_whatever_was_promoted(
    shop: Shop, tmp_path: Path
) -> None:
    promoted(shop, tmp_path / "model", 1)
    other = Shop(settings_of(copy_of(shop.settings.home, tmp_path / "other")))
    assert spoken_by(other) == "plain"
    other.close()
