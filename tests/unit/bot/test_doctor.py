"""What the doctor finds, and the remedy it names."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from shop_homes import NOW, build_tiny, settings_of

from bot.app import make_generator, open_store
from bot.doctor import Check, examine
from db.catalog import CatalogStore
from db.records import Document, Money, Product, ProductId

KETTLE = Product(ProductId("k1"), "Copper Kettle", price=Money(Decimal("49.00"), "USD"))
RULE = Document("returns", "policy", "Returns", "# Returns\n\nWithin 30 days.\n")


def found(home: Path, **more: str) -> dict[str, Check]:
    checks = list(examine(settings_of(home, more=more)))
    assert len({check.name for check in checks}) == len(checks)
    return {check.name: check for check in checks}


def test_that_a_healthy_shop_is_healthy(tmp_path: Path) -> None:
    checks = found(build_tiny(tmp_path / "home", products=[KETTLE], documents=[RULE]))
    assert [check for check in checks.values() if not check.ok] == []
    assert "1 products" in checks["catalogue"].text
    assert "hashing" in checks["index"].text
    assert NOW.date().isoformat() in checks["clock"].text
    assert checks["torch"].text


def test_that_what_the_owner_decided_is_shown(tmp_path: Path) -> None:
    plain = found(tmp_path / "home")
    assert plain["shop"].text == (
        "Fern & Kettle, speaks en, zh, the assistant's greeting, tone neutral"
    )
    assert "not told" in plain["hours"].text
    assert (
        plain["people"].text
        == "nobody is woken (handoff.notify); they answer: no topics of their own"
    )
    checks = found(
        tmp_path / "home",
        SHOPBOT_SHOP__LANGUAGES="zh",
        SHOPBOT_SHOP__GREETING__ZH="欢迎",
        SHOPBOT_SHOP__HOURS="mon-fri=09:00-17:00;timezone=UTC",
        SHOPBOT_HANDOFF__TOPICS="wholesale",
        SHOPBOT_HANDOFF__NOTIFY="webhook",
        SHOPBOT_HANDOFF__WEBHOOK_URL="https://hooks.example/secret-token",
        SHOPBOT_CHAT__PROMISE_NEVER="best price",
    )
    assert "speaks zh, own greeting in zh" in checks["shop"].text
    assert checks["hours"].text.endswith("somebody is on duty now")
    assert checks["people"].text == "woken by a web address; they answer: wholesale"
    assert checks["promises"].text.startswith("1 phrases")
    assert "secret-token" not in repr(checks)


def test_that_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    check = found(
        tmp_path / "home",
        SHOPBOT_HANDOFF__NOTIFY="command",
        SHOPBOT_HANDOFF__COMMAND="/no/such/program",
    )["people"]
    assert not check.ok
    assert "mend handoff.command" in check.text


def test_that_a_fresh_home_is_told_to_import(tmp_path: Path) -> None:
    checks = found(tmp_path / "home")
    assert not checks["catalogue"].ok
    assert "shopbot import" in checks["catalogue"].text
    assert checks["generator"].ok


def test_that_a_shop_without_rules_and_index_is_told_how_to_get_them(tmp_path: Path) -> None:
    with open_store(settings_of(tmp_path)) as database:
        CatalogStore(database).apply_products(
            [KETTLE], partial=False, may_withdraw_many=True, now=NOW
        )
    checks = found(tmp_path)
    assert "shopbot import --policies" in checks["policies"].text
    assert not checks["policies"].ok
    assert "shopbot index" in checks["index"].text
    assert not checks["index"].ok


def test_that_a_stale_index_is_told(tmp_path: Path) -> None:
    home = build_tiny(tmp_path / "home", products=[KETTLE])
    with open_store(settings_of(home)) as database:
        CatalogStore(database).apply_products(
            [KETTLE, Product(ProductId("l1"), "Lamp")],
            partial=False, may_withdraw_many=True, now=NOW,
        )  # fmt: skip
    check = found(home)["index"]
    assert not check.ok
    assert "shopbot index" in check.text


@pytest.mark.parametrize("empty", [True, False])
def test_that_a_missing_model_is_told_with_its_setting(tmp_path: Path, empty: bool) -> None:
    model = tmp_path / "model"
    if empty:
        model.mkdir()
    checks = found(
        tmp_path / "home", SHOPBOT_GENERATOR__KIND="gpt2", SHOPBOT_GENERATOR__MODEL=str(model)
    )
    assert not checks["generator"].ok
    assert "SHOPBOT_GENERATOR__MODEL" in checks["generator"].text


def test_that_a_database_that_cannot_be_read_is_told_and_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "shopbot.db").write_bytes(b"this is no database, whatever its name says" * 100)
    checks = found(tmp_path)
    assert not checks["database"].ok
    assert checks["generator"].ok


def test_that_an_encoder_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    home = build_tiny(tmp_path / "home", products=[KETTLE])
    checks = found(home, SHOPBOT_RETRIEVAL__ENCODER=str(tmp_path / "nowhere"))
    assert not checks["encoder"].ok
    assert "SHOPBOT_RETRIEVAL__ENCODER" in checks["encoder"].text


def test_that_the_runtime_is_told_and_whether_its_model_is_made(tmp_path: Path) -> None:
    gpt2 = {"SHOPBOT_GENERATOR__KIND": "gpt2"}
    before = found(tmp_path, **gpt2)["generator"]
    assert before.ok
    assert "is made at first start" in before.text
    make_generator(settings_of(tmp_path, more=gpt2))
    after = found(tmp_path, **gpt2)["generator"]
    assert after.ok
    assert f"{tmp_path / 'models' / 'shop-gpt2-'}" in after.text
    assert after.text.endswith("is there")
    slow = found(tmp_path, **gpt2, SHOPBOT_GENERATOR__RUNTIME="transformers")["generator"]
    assert "served by transformers" in slow.text
