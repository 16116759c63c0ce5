"""Which trained generator is put in use: only one that the gate passed against what is in use today, and
whose files and lessons are still what they were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from shop_homes import build_tiny, settings_of
from tiny_gpt2 import write_tiny
from typer.testing import CliRunner

from bot.app import open_store
from bot.backup import back_up, restore
from bot.cli import app
from bot.doctor import Check, examine
from bot.errors import ConfigError
from bot.promotion import Versions
from bot.versions import digest_of, register
from db.accounts import AccountStore
from db.conversations import ConversationStore, NewTurn
from db.engine import Database
from db.errors import UnknownVersion
from db.exports import ExportStore
from db.models import ModelVersion, ModelVersionStore
from db.records import Money, Product, ProductId

NOW = datetime(2026, 3, 2, tzinfo=UTC)
KETTLE = Product(ProductId("k1"), "Copper Kettle", price=Money(Decimal("49.00"), "USD"))


class House:
    """A home whose settings name a tiny model, and more of them beside."""

    def __init__(self, home: Path) -> None:
        write_tiny(home / "own")
        more = {"SHOPBOT_GENERATOR__KIND": "gpt2", "SHOPBOT_GENERATOR__MODEL": str(home / "own")}
        self.settings = settings_of(home, more=more)
        self.database: Database = open_store(self.settings)
        self.store = ModelVersionStore(self.database)
        self.versions = Versions(self.settings, self.database)

    def trained(self, seed: int) -> ModelVersion:
        """A registered model in the home that the gate has not judged."""
        folder = write_tiny(self.settings.models_folder / f"model-{seed}", seed=seed)
        return register(self.store, folder, home=self.settings.home, now=NOW)

    def judged(self, version: ModelVersion, *reasons: str, **changed: Any) -> ModelVersion:
        """What the gate would have kept of a version."""
        name, number = self.versions.in_use()
        report = {
            "passed": not reasons,
            "reasons": list(reasons),
            "candidate": {"name": version.name, "version": version.version, "digest": version.digest},
            "incumbent": {"name": name, "version": number},
        }  # fmt: skip
        self.versions.judged(version, report | changed)
        return self.versions.named(version.version)

    def promote(self, version: ModelVersion) -> None:
        self.versions.promote(version.version, user=None, now=NOW)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "home")
    yield house
    house.database.close()


def test_that_a_version_that_passed_is_put_in_use_and_taken_back_and_both_are_told(
    house: House,
) -> None:
    own = house.versions.in_use()
    first = house.judged(house.trained(1))
    house.promote(first)
    assert house.versions.in_use() == (first.name, first.version)
    second = house.judged(house.trained(2))
    house.promote(second)
    assert house.versions.in_use_folder() == house.settings.home / second.path
    house.versions.rollback(user=None, now=NOW)
    assert house.versions.in_use() == (first.name, first.version)
    house.versions.rollback(user=None, now=NOW)
    assert house.versions.in_use() == own
    with pytest.raises(UnknownVersion, match="nothing to go back to"):
        house.versions.rollback(user=None, now=NOW)
    history = house.versions.promotions()
    assert [one.action for one in history] == ["promote", "promote", "rollback", "rollback"]
    assert history[0].report["passed"]
    noted = [(one.action, one.user_name) for one in AccountStore(house.database).log()]
    assert noted.count(("promote generator", "command line")) == 2
    assert noted.count(("roll back generator", "command line")) == 2


def test_that_what_the_gate_did_not_judge_or_refused_is_not_put_in_use(house: House) -> None:
    version = house.trained(1)
    with pytest.raises(ConfigError, match=f"run `shopbot evaluate gate {version.version}`"):
        house.promote(version)
    house.judged(version, "slot error, greedy: 50.0 %", "tone: 3.0 %")
    with pytest.raises(ConfigError, match="refused it: slot error, greedy: 50.0 %; tone: 3.0 %"):
        house.promote(version)
    assert house.versions.in_use()[0] == "own"


def test_that_a_verdict_holds_only_against_what_is_in_use_now(house: House) -> None:
    first, second = house.judged(house.trained(1)), house.judged(house.trained(2))
    house.promote(first)
    with pytest.raises(ConfigError, match="which is not in use now"):
        house.promote(second)
    house.promote(house.judged(second))
    assert house.versions.in_use()[1] == second.version


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_that_files_that_were_changed_since_are_not_put_in_use(house: House, file: str) -> None:
    version = house.judged(house.trained(1))
    path = house.versions.folder(version) / file
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ConfigError, match=r"not what was registered|cannot be read"):
        house.promote(version)


def test_that_a_verdict_on_other_files_is_none(house: House) -> None:
    version = house.trained(1)
    candidate = {"name": version.name, "version": version.version, "digest": "0"}
    house.judged(version, candidate=candidate)
    with pytest.raises(ConfigError, match="judged other files"):
        house.promote(version)


def test_that_a_folder_that_is_gone_is_named(house: House) -> None:
    version = house.judged(house.trained(1))
    (house.versions.folder(version) / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match="no GPT-2 in"):
        house.promote(version)


def test_that_what_learned_from_erased_turns_is_not_put_in_use(house: House) -> None:
    conversations = ConversationStore(house.database)
    conversation = conversations.open(
        "s" * 32, language="en", customer_id=None, training_consent=True, now=NOW
    )
    turn = conversations.add_turn(
        conversation.id,
        NewTurn(
            user_text="hello", reply_text="Welcome.", language="en", intent="greet",
            intents=("greet",), acts=("greet",), payload={}, trace={},
            generator_name="own", generator_version="1", prompt_version="1", fallback=False,
        ),
        state={}, handed_off=False, now=NOW,
    )  # fmt: skip
    ExportStore(house.database).add(
        path="/gone", digest="ab" * 32, counts={}, turns=[(turn, conversation.id)], user_name="Mia", now=NOW
    )  # fmt: skip
    parent, heir = house.trained(1), house.trained(2)
    for version, before in ((parent, None), (heir, parent.version)):
        house.store.register(
            kind="generator", name=version.name, version=version.version, path=version.path,
            digest=version.digest, metrics={}, parent=before, active=False, now=NOW,
            learned={"sets": ["ab" * 32] if before is None else []},
        )  # fmt: skip
    for version in (parent, heir):
        house.judged(version)
    conversations.erase(conversation.id)
    for version in (parent, heir):
        assert house.versions.erased(house.versions.named(version.version)) == 1
        with pytest.raises(ConfigError, match="1 turns that it learned from were erased"):
            house.promote(version)


def test_that_where_the_settings_speak_plainly_nothing_is_put_in_use(house: House) -> None:
    version = house.judged(house.trained(1))
    plain = Versions(settings_of(house.settings.home), house.database)
    with pytest.raises(ConfigError, match="generator.kind is plain"):
        plain.promote(version.version, user=None, now=NOW)


def test_that_a_version_is_named_by_its_beginning_unless_others_begin_so_too(house: House) -> None:
    first, second = house.trained(1), house.trained(2)
    assert house.versions.named(first.version[:8]) == first
    with pytest.raises(ConfigError, match="no version 'zz'"):
        house.versions.named("zz")
    with pytest.raises(
        ConfigError, match=f"several versions '': there are {first.version}, {second.version}"
    ):
        house.versions.named("")  # fmt: skip


def test_that_the_commands_tell_what_is_in_use_and_end_with_one_line_on_what_cannot_be(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHOPBOT_HOME", str(house.settings.home))
    monkeypatch.setenv("SHOPBOT_GENERATOR__MODEL", house.settings.generator.model)
    call = CliRunner().invoke
    assert "in use: own " in call(app, ["models", "list"]).output
    write_tiny(tmp_path / "brought", seed=3)
    added = call(app, ["models", "add", str(tmp_path / "brought")])
    assert added.exit_code == 0
    version = house.versions.named(added.output.split()[1].rstrip(":"))
    refused = call(app, ["models", "promote", version.version])
    assert isinstance(refused.exception, ConfigError)
    assert "not judged" in call(app, ["models", "list"]).output
    house.judged(version)
    assert "promoted brought" in call(app, ["models", "promote", version.version]).output
    again = call(app, ["models", "promote", version.version])
    assert "in use already" in str(again.exception)
    listed = call(app, ["models", "list"]).output
    assert "in use" in listed and "passed" in listed and "promoted brought" in listed
    assert "rolled back to the settings' own" in call(app, ["models", "rollback"]).output
    assert "in use: own " in call(app, ["models", "list"]).output


def test_that_a_backup_holds_what_is_in_use_and_what_a_rollback_leads_to(
    house: House, tmp_path: Path
) -> None:
    first, second, third = house.trained(1), house.trained(2), house.trained(3)
    for version in (first, second):
        house.promote(house.judged(version))
    back_up(house.settings, house.database, tmp_path / "shop.zip")
    home = tmp_path / "restored"
    more = {"SHOPBOT_GENERATOR__KIND": "gpt2", "SHOPBOT_GENERATOR__MODEL": str(tmp_path / "gone")}
    settings = settings_of(home, more=more)
    restore(settings, tmp_path / "shop.zip")
    assert not (home / third.path).exists()
    with open_store(settings) as database:
        versions = Versions(settings, database)
        assert digest_of(versions.in_use_folder()) == second.digest
        versions.rollback(user=None, now=NOW)
        assert digest_of(versions.in_use_folder()) == first.digest


def test_that_a_promoted_folder_outside_the_home_is_named_in_the_backup(
    house: House, tmp_path: Path
) -> None:
    folder = write_tiny(tmp_path / "elsewhere", seed=1)
    version = register(house.store, folder, home=house.settings.home, now=NOW)
    house.promote(house.judged(version))
    made = back_up(house.settings, house.database, tmp_path / "shop.zip")
    assert any(f"{folder}, which was promoted" in note for note in made.notes)


def test_that_the_doctor_tells_what_was_promoted_and_what_is_wrong_with_it(house: House) -> None:
    def told() -> Check | None:
        checks = examine(house.settings)
        return next((check for check in checks if check.name == "promoted"), None)

    build_tiny(house.settings.home, products=[KETTLE])
    assert told() is None
    version = house.judged(house.trained(1))
    house.promote(version)
    found = told()
    assert found and found.ok and version.version in found.text
    (house.versions.folder(version) / "config.json").write_text("{}")
    found = told()
    assert found and not found.ok and "models rollback" in found.text
    (house.versions.folder(version) / "model.safetensors").unlink()
    found = told()
    assert found and not found.ok and "no GPT-2" in found.text
