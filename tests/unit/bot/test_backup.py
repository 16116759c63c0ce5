"""A home as one file and back: whole, private, made while the shop serves, and trusting nothing."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import threading
import zipfile
from collections.abc import Callable, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from shop_homes import build_tiny, settings_of, shop_in

from bot import backup
from bot.app import Shop, open_store
from bot.archive import ArchiveError, is_safe
from bot.backup import back_up, restore
from bot.turn import ChatRequest
from db.conversations import ConversationStore
from db.errors import DatabaseTooNew
from db.records import Money, Product, ProductId

KETTLE = Product(ProductId("k1"), "Copper Kettle", price=Money(Decimal("49.00"), "USD"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = build_tiny(tmp_path_factory.mktemp("tiny") / "home", products=[KETTLE])
    (home / "shopbot.toml").write_text("[chat]\nmax_products = 3\n")
    (home / "media" / "sub").mkdir(parents=True)
    (home / "media" / "sub" / "铜壶.jpg").write_bytes(b"picture")
    return home


def saved(home: Path, file: Path, **more: bool) -> backup.Manifest:
    settings = settings_of(home)
    with open_store(settings) as database:
        return back_up(settings, database, file, **more)


@pytest.fixture
def file(home: Path, tmp_path: Path) -> Path:
    saved(home, tmp_path / "shop.zip")
    return tmp_path / "shop.zip"


def ask(shop: Shop) -> str:
    return shop.chat(ChatRequest("How much is the Copper Kettle?")).text


# ---- there and back ------------------------------------------------------------------------------


def test_that_a_restored_home_is_the_one_that_was_saved(
    home: Path, tmp_path: Path, opened: Callable[..., Shop]
) -> None:
    (home / "media" / "link.jpg").symlink_to("/etc/hostname")
    session = opened().chat(ChatRequest("How much is the Copper Kettle?")).session_id
    made = saved(home, tmp_path / "shop.zip")
    assert made.counts["turns"] == made.counts["products"] == 1
    assert made.notes == ()
    target = tmp_path / "new"
    assert restore(settings_of(target), tmp_path / "shop.zip") == made
    assert (target / "secret").read_bytes() == (home / "secret").read_bytes()
    assert settings_of(target).chat.max_products == 3
    assert (target / "media" / "sub" / "铜壶.jpg").read_bytes() == b"picture"
    assert not (target / "media" / "link.jpg").exists()
    assert not (target / ".restore").exists()
    with closing(shop_in(target)) as shop:
        assert shop.readiness().ready
        assert shop.transcript(session)[0].text == "How much is the Copper Kettle?"
        assert "$49.00" in ask(shop)


def test_that_nobody_else_can_read_a_backup_or_what_is_restored(file: Path, tmp_path: Path) -> None:
    restore(settings_of(tmp_path / "new"), file)
    for path in (file, tmp_path / "new" / "secret", tmp_path / "new" / "shopbot.db"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_that_secret_and_index_may_be_left_out_and_the_remedy_is_told(
    home: Path, tmp_path: Path
) -> None:
    made = saved(home, tmp_path / "shop.zip", secret=False, index=False)
    assert not [name for name in made.files if "secret" in name or "index" in name]
    assert "run `shopbot index`" in " ".join(made.notes)
    restore(settings_of(tmp_path / "new"), tmp_path / "shop.zip")
    with closing(shop_in(tmp_path / "new")) as shop:
        assert "run `shopbot index`" in shop.readiness().reasons[0]


def test_that_a_backup_replaces_no_file(home: Path, file: Path) -> None:
    with pytest.raises(ArchiveError, match="is there already"):
        saved(home, file)
    with pytest.raises(ArchiveError, match="there is no folder"):
        saved(home, file.parent / "none" / "shop.zip")


def test_that_a_shop_is_saved_while_it_answers(
    home: Path, tmp_path: Path, opened: Callable[..., Shop]
) -> None:
    shop, ended = opened(), threading.Event()
    shown: list[int] = []

    def talk() -> None:
        while not ended.is_set():
            shown.append(shop.chat(ChatRequest("How much is the Copper Kettle?")).turn_id)

    threads = [threading.Thread(target=talk) for _ in range(3)]
    for thread in threads:
        thread.start()
    before: list[list[int]] = []
    try:
        for number in range(3):
            while len(shown) < 5 * (number + 1):
                ended.wait(0.01)
            before.append(list(shown))
            saved(home, tmp_path / f"{number}.zip")
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    for number, turns in enumerate(before):
        target = tmp_path / f"new{number}"
        restore(settings_of(target), tmp_path / f"{number}.zip")
        with closing(shop_in(target)) as restored:
            assert all(restored.conversations.turn(turn) for turn in turns)
            assert "$49.00" in ask(restored)


# ---- what is refused -----------------------------------------------------------------------------


def test_that_a_home_that_is_there_is_replaced_only_by_force(
    home: Path, file: Path, tmp_path: Path
) -> None:
    (home / "mine.txt").write_text("old")
    with pytest.raises(ArchiveError, match="not empty.*--force"):
        restore(settings_of(home), file)
    assert (home / "mine.txt").exists()
    restore(settings_of(home), file, force=True)
    assert not (home / "mine.txt").exists()
    assert not (home / ".restore").exists()
    with closing(shop_in(home)) as shop:
        assert "$49.00" in ask(shop)


def test_that_a_running_shop_is_not_replaced(
    home: Path, file: Path, opened: Callable[..., Shop]
) -> None:
    shop = opened()
    ask(shop)
    with pytest.raises(ArchiveError, match="stop it first"):
        restore(settings_of(home), file, force=True)
    assert "$49.00" in ask(shop)


def test_that_a_restore_that_fails_or_is_killed_leaves_the_old_home(
    home: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = sorted(path.name for path in home.iterdir())
    rename, done = Path.rename, []

    def fails(path: Path, target: Path) -> Path:
        if path.parent.name == "home" and path.parent.parent.name == "new" and len(done) == 2:
            raise OSError("disk")
        done.append(path) if path.parent.name == "home" and "new" in path.parts else None
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OSError, match="disk"):
        restore(settings_of(home), file, force=True)
    monkeypatch.undo()
    assert sorted(path.name for path in home.iterdir()) == names
    # killed between the two halves of a swap: the next run begins by putting the old home back
    (home / ".restore" / "old").mkdir(parents=True)
    for name in names:
        (home / name).rename(home / ".restore" / "old" / name)
    (home / "secret").write_bytes(b"half")
    with pytest.raises(ArchiveError, match="not empty"):
        restore(settings_of(home), file)
    assert sorted(path.name for path in home.iterdir()) == names
    with closing(shop_in(home)) as shop:
        assert "$49.00" in ask(shop)


def altered(
    file: Path,
    *,
    manifest: Mapping[str, object] | None = None,
    more: Mapping[str, bytes] | None = None,
    listed: bool = True,
    mode: int = 0,
) -> Path:
    """A copy of a backup with another manifest, and with files that it lists or does not."""
    target = file.with_name("altered.zip")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        stated = json.loads(old.read("manifest.json")) | dict(manifest or {})
        for name in stated["files"]:
            new.writestr(name, old.read(name))
        for name, body in (more or {}).items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            new.writestr(info, body)
            if listed:
                digest = backup.archive.hashlib.sha256(body).hexdigest()
                stated["files"][name] = {"bytes": len(body), "sha256": digest}
        new.writestr("manifest.json", json.dumps(stated))
    return target


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("../outside", 0), ("home/../../outside", 0), ("/outside", 0), ("home//x", 0),
        ("home/link", stat.S_IFLNK | 0o777), ("home/.restore/old/x", 0), ("elsewhere/x", 0),
        ("home/a\\b", 0),
    ],
)  # fmt: skip
def test_that_what_leads_elsewhere_is_refused(
    file: Path, tmp_path: Path, name: str, mode: int
) -> None:
    with pytest.raises(ArchiveError):
        restore(settings_of(tmp_path / "new"), altered(file, more={name: b"/etc"}, mode=mode))
    assert list((tmp_path / "new").iterdir()) == []
    assert not (tmp_path / "outside").exists()


def test_that_what_is_not_listed_or_not_as_listed_is_refused(file: Path, tmp_path: Path) -> None:
    target = settings_of(tmp_path / "new")
    with pytest.raises(ArchiveError, match="does not hold what its manifest lists"):
        restore(target, altered(file, more={"home/x": b"x"}, listed=False))
    with zipfile.ZipFile(file) as archive:
        files = json.loads(archive.read("manifest.json"))["files"]
    name = "home/shopbot.toml"
    for change, told in (({"bytes": 3}, "another size"), ({"sha256": "0" * 64}, "is not what")):
        with pytest.raises(ArchiveError, match=told):
            restore(target, altered(file, manifest={"files": files | {name: files[name] | change}}))
    with pytest.raises(ArchiveError, match="other rows"):
        restore(target, altered(file, manifest={"counts": {"turns": 5}}))
    with pytest.raises(ArchiveError, match="format 2"):
        restore(target, altered(file, manifest={"format": 2}))
    assert list(target.home.iterdir()) == []


def test_that_a_newer_schema_is_refused(home: Path, file: Path, tmp_path: Path) -> None:
    with pytest.raises(DatabaseTooNew, match="newer shopbot"):
        restore(settings_of(tmp_path / "new"), altered(file, manifest={"schema": "9999"}))
    copy = tmp_path / "newer.zip"
    saved(home, copy)
    database = tmp_path / "x.db"
    with zipfile.ZipFile(copy) as archive:
        database.write_bytes(archive.read("database/shopbot.db"))
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseTooNew):  # whatever its manifest says
        backup._sound(database, saved(home, tmp_path / "again.zip"))


@pytest.mark.parametrize("body", [b"", b"PK", b"no zip at all", b"\x80\x04cos\nsystem\n."])
def test_that_what_is_no_backup_is_one_line(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "shop.zip"
    path.write_bytes(body)
    with pytest.raises(ArchiveError, match="is no backup"):
        restore(settings_of(tmp_path / "new"), path)
    with pytest.raises(ArchiveError, match="there is no file"):
        restore(settings_of(tmp_path / "new"), tmp_path / "none.zip")


def test_that_a_cut_backup_is_refused(file: Path, tmp_path: Path) -> None:
    file.write_bytes(file.read_bytes()[: os.path.getsize(file) // 2])
    with pytest.raises(ArchiveError, match="cut short"):
        restore(settings_of(tmp_path / "new"), file)


@pytest.mark.parametrize("name", ["home/x", "home/壶/a b.jpg", "a..b"])
def test_that_ordinary_names_are_safe(name: str) -> None:
    assert is_safe(name)


# ---- PostgreSQL ----------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.parametrize("empty_database_url", ["postgres"], indirect=True)
def test_that_a_postgres_shop_comes_back(
    empty_database_url: str, home: Path, tmp_path: Path
) -> None:
    """Numbers go on where they stopped, and what refers to what still does."""
    more = {"SHOPBOT_DATABASE_URL": empty_database_url}
    settings = settings_of(home, more=more)
    file = tmp_path / "shop.zip"
    with closing(shop_in(home, more=more)) as shop:
        shop.catalog.apply_products(
            [KETTLE], partial=False, may_withdraw_many=True, now=shop._now()
        )
        conversation = shop.conversations.open(
            "s", language="en", customer_id=None, training_consent=False, now=shop._now()
        )
        back_up(settings, shop._database, file)
        state = shop.conversations.find("s")
    with pytest.raises(ArchiveError, match="database is not empty"):
        restore(settings_of(tmp_path / "new", more=more), file)
    restore(settings_of(tmp_path / "new", more=more), file, force=True)
    with open_store(settings_of(tmp_path / "new", more=more)) as database:
        store = ConversationStore(database)
        assert store.find("s") == state
        assert (
            store.open(
                "t", language="en", customer_id=None, training_consent=False, now=settings.clock()()
            ).id
            > conversation.id
        )
