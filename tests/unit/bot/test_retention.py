"""What is kept of people goes at its age, each kind by itself, and what is erased leaves training sets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from reviewed_shop import Desk, build, opened
from shop_homes import NOW, copy_of
from typer.testing import CliRunner

from bot.cli import app
from bot.corrections import check
from bot.erasure import delete_sets
from bot.promises import Never
from bot.retention import Deleted, retain
from bot.stale import Sweep
from bot.terminal import trace_as_text
from bot.training import dataset
from bot.training.harvest import harvest
from db.accounts import AccountStore
from db.exports import Export, ExportStore

DAYS = 30
PRICE = "How much is the Copper Kettle?"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny") / "home")


@pytest.fixture
def home(tiny: Path, tmp_path: Path) -> Path:
    return copy_of(tiny, tmp_path / "home")


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    desk = opened(home)
    yield desk
    desk.shop.close()


@pytest.fixture
def after(desk: Desk) -> Callable[..., Deleted]:
    """Runs retention so many days later, with these settings of `privacy`."""

    def run(days: float, **privacy: int) -> Deleted:
        settings = desk.shop.settings
        changed = settings.model_copy(
            update={"privacy": settings.privacy.model_copy(update=privacy)}
        )
        # conversations are dated by the shop's clock, everything else here by NOW too
        return retain(desk.shop._database, changed, now=NOW + timedelta(days))

    return run


def exported(desk: Desk, folder: Path | None = None) -> Export:
    found = harvest(desk.shop.conversations, desk.reviews.standing(), secret=b"s" * 32,
                    tone="neutral", never=Never())  # fmt: skip
    written = dataset.write(found, folder or desk.shop.settings.exports_folder, shop="Fern & Kettle",
                            settings={}, now=NOW)  # fmt: skip
    return ExportStore(desk.shop._database).add(
        path=str(written.path.resolve()), digest=written.digest, counts=written.about["counts"],
        turns=found.members, user_name="Mia", now=NOW,
    )  # fmt: skip


def test_that_nothing_is_deleted_by_age_unless_the_settings_say_so(
    desk: Desk, after: Callable[..., Deleted]
) -> None:
    desk.review(desk.ask(PRICE))
    kept = exported(desk)
    AccountStore(desk.shop._database).note(None, "export", "one", now=NOW)
    assert after(5000) == Deleted()
    assert desk.shop.conversations.count_turns() == 1
    assert Path(kept.path).is_dir()


def test_that_a_conversation_goes_when_it_has_rested_for_its_days_and_takes_its_sets_along(
    desk: Desk, after: Callable[..., Deleted]
) -> None:
    desk.review(desk.ask(PRICE))
    kept = exported(desk)
    assert after(DAYS - 1, conversations_days=DAYS) == Deleted()
    assert after(DAYS + 1, conversations_days=DAYS) == Deleted(conversations=1, exports=1)
    assert desk.shop.conversations.count_turns() == 0
    assert not Path(kept.path).exists()
    (entry,) = ExportStore(desk.shop._database).all()
    assert entry.erased_turns == 1
    assert after(DAYS + 2, conversations_days=DAYS) == Deleted()


def test_that_a_trace_goes_before_its_conversation_and_everything_that_reads_traces_bears_it(
    desk: Desk, after: Callable[..., Deleted]
) -> None:
    reply = desk.ask(PRICE)
    desk.review(reply, "bad", "Our price for the Copper Kettle is $49.00.")
    assert after(DAYS + 1, traces_days=DAYS) == Deleted(traces=1)
    assert after(DAYS + 1, traces_days=DAYS) == Deleted()
    turn = desk.shop.conversations.turn(reply.turn_id)
    assert turn is not None
    assert (turn.reply_text, turn.trace) == (reply.text, {})
    assert "privacy.traces_days" in trace_as_text(turn)
    assert "privacy.traces_days" in check(turn, reply.text).unaligned[0]
    assert list(Sweep(desk.shop.catalog).over([turn])) == []
    assert desk.shop.transcript(reply.session_id)
    found = harvest(desk.shop.conversations, desk.reviews.standing(), secret=b"s" * 32,
                    tone="neutral", never=Never())  # fmt: skip
    assert found.pairs == []


def test_that_a_set_and_the_audit_log_go_at_their_own_age(
    desk: Desk, after: Callable[..., Deleted]
) -> None:
    desk.review(desk.ask(PRICE))
    kept = exported(desk)
    accounts = AccountStore(desk.shop._database)
    accounts.note(None, "export", "old", now=NOW)
    accounts.note(None, "export", "new", now=NOW + timedelta(DAYS))
    assert after(DAYS + 1, exports_days=DAYS + 2, audit_days=DAYS) == Deleted(audit=1)
    assert [entry.subject for entry in accounts.log()] == ["new"]
    assert after(DAYS + 3, exports_days=DAYS + 2) == Deleted(exports=1)
    assert not Path(kept.path).exists()
    assert desk.shop.conversations.count_turns() == 1
    assert [one.digest for one in ExportStore(desk.shop._database).all()] == [kept.digest]


def test_that_an_erased_conversation_leaves_sets_and_unfinished_trainings_at_once(
    desk: Desk, tmp_path: Path
) -> None:
    reply = desk.ask(PRICE)
    desk.review(reply)
    inside, outside = exported(desk), exported(desk, tmp_path / "elsewhere")
    training = desk.shop.settings.training_folder / f"{inside.digest[:12]}-0123456789ab"
    training.mkdir(parents=True)
    (training / "mixture.jsonl").write_text("what a shopper wrote")
    desk.shop.erase(reply.session_id)
    for gone in (Path(inside.path), Path(outside.path), training):
        assert not gone.exists()


def test_that_nothing_is_deleted_that_no_export_wrote(desk: Desk, tmp_path: Path) -> None:
    desk.review(desk.ask(PRICE))
    kept = exported(desk)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "export.json").write_text('{"digest": "another"}')
    assert delete_sets([replace(kept, path=str(tmp_path / "mine"))], tmp_path / "none") == 0
    assert (tmp_path / "mine").is_dir()


def test_that_the_half_of_a_set_that_was_killed_goes_after_a_day(
    desk: Desk, after: Callable[..., Deleted]
) -> None:
    half = desk.shop.settings.exports_folder / ".20260302-100000-0123456789ab.new"
    half.mkdir(parents=True)
    os.utime(half, (NOW.timestamp(), NOW.timestamp()))
    after(0.9)
    assert half.exists()
    after(1.1)
    assert not half.exists()


def test_that_one_command_says_of_each_kind_what_went(
    desk: Desk, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.ask(PRICE)
    monkeypatch.setenv("SHOPBOT_HOME", str(home))
    monkeypatch.setenv("SHOPBOT_NOW", (NOW + timedelta(DAYS + 1)).isoformat())
    monkeypatch.setenv("SHOPBOT_PRIVACY__CONVERSATIONS_DAYS", str(DAYS))
    done = CliRunner().invoke(app, ["retention"])
    assert done.exit_code == 0, done.output
    assert "conversations: deleted 1 (privacy.conversations_days = 30)" in done.output
    assert "audit: deleted 0 (kept at any age, privacy.audit_days is not set)" in done.output
