"""A generator that throws, hangs or cannot be loaded costs the shop its wording and no reply."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from shop_homes import build_tiny, copy_of, settings_of, shop_in
from tiny_gpt2 import write_tiny

from bot.app import Shop, web_settings
from bot.doctor import examine
from bot.generators.base import PhraseRequest
from bot.generators.plain import PlainGenerator
from bot.turn import Candidate, ChatRequest, Reply
from bot.web.app import create_app
from db.records import Money, Product, ProductId

KETTLE = Product(ProductId("k1"), "Copper Kettle", price=Money(Decimal("49.00"), "USD"))


class Faulty:
    """Speaks plain sentences under another name, until something befalls it."""

    name = "faulty"
    version = "1"

    def __init__(self) -> None:
        self.fault: Callable[[], None] = lambda: None
        self._plain = PlainGenerator()

    def phrase(self, request: PhraseRequest) -> list[Candidate]:
        self.fault()
        return self._plain.phrase(request)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = build_tiny(tmp_path_factory.mktemp("tiny") / "home", products=[KETTLE])
    with closing(shop_in(home)) as shop:
        asked(shop)  # what is loaded once is loaded: the budgets below are short
    return home


@pytest.fixture
def home(tiny: Path, tmp_path: Path) -> Path:
    return copy_of(tiny, tmp_path / "home")


def asked(shop: Shop) -> Reply:
    return shop.chat(ChatRequest("How much is the Copper Kettle?"))


def ready(shop: Shop) -> tuple[int, str, str]:
    """Status and reasons of readiness, and what the metrics tell."""
    client = TestClient(create_app(shop, web_settings(shop.settings)))
    answer = client.get("/health/ready")
    lines = client.get("/metrics").text.splitlines()
    told = next(line for line in lines if line.startswith("shopbot_generator_resting"))
    return answer.status_code, "; ".join(answer.json()["reasons"]), told.split()[-1]


def throws() -> None:
    raise RuntimeError("out of memory")


@pytest.fixture
def hangs() -> Iterator[Callable[[], None]]:
    released = threading.Event()
    yield lambda: bool(released.wait()) and None
    released.set()


@pytest.mark.parametrize("kind", ["throws", "hangs"])
def test_that_a_fault_is_answered_plainly_told_and_got_over(
    home: Path, kind: str, hangs: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.generators.guarded.GRACE", 0.05)
    monkeypatch.setattr("bot.generators.guarded.FIRST_REST", 0.0)  # tried again with the next reply
    more = {"SHOPBOT_GENERATOR__SECONDS": "1.0"}
    generator = Faulty()
    shop = Shop(settings_of(home, more=more), generator=generator)
    try:
        assert (asked(shop).generator_name, ready(shop)) == ("faulty", (200, "", "0.0"))
        generator.fault = throws if kind == "throws" else hangs
        for _ in range(3):
            reply = asked(shop)
            assert "$49.00" in reply.text
            assert reply.fallback
        status, reason, resting = ready(shop)
        assert (status, resting) == (200, "1.0")
        assert "plain sentences" in reason
        generator.fault = lambda: None
        assert asked(shop).generator_name == "faulty"
        assert ready(shop) == (200, "", "0.0")
    finally:
        shop.close()


@pytest.mark.parametrize("runtime", ["ctranslate2", "transformers"])
@pytest.mark.parametrize("damage", ["missing", "cut off", "no model", "no words"])
def test_that_a_model_that_cannot_be_loaded_leaves_plain_sentences_and_says_what_to_set(
    home: Path, tmp_path: Path, damage: str, runtime: str
) -> None:
    model = tmp_path / "model"
    if damage != "missing":
        write_tiny(model)
        name = "tokenizer.json" if damage == "no words" else "model.safetensors"
        whole = (model / name).read_bytes()
        (model / name).write_bytes(whole[: len(whole) // 2] if damage == "cut off" else b"nothing")
    more = {
        "SHOPBOT_GENERATOR__KIND": "gpt2",
        "SHOPBOT_GENERATOR__MODEL": str(model),
        "SHOPBOT_GENERATOR__RUNTIME": runtime,
    }
    shop = shop_in(home, more=more)
    try:
        reply = asked(shop)
        status, reason, resting = ready(shop)
    finally:
        shop.close()
    assert "$49.00" in reply.text
    assert reply.generator_name == "plain"
    assert (status, resting) == (200, "1.0")
    assert "plain sentences" in reason
    assert str(model) in reason
    check = {one.name: one for one in examine(settings_of(home, more=more))}["generator"]
    assert not check.ok
    assert str(model) in check.text
