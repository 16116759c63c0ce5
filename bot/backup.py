"""A shop's home as one file, and a home from it.

The backup is made while the shop serves. What a home is made of is named here; how an archive is
written and read is `bot/archive.py`'s, how a database is copied `db/copying.py`'s.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from bot import archive
from bot.archive import ArchiveError, Manifest
from bot.settings import FILE, Settings
from bot.versions import KIND
from db.copying import copy_sqlite, dump, in_use, is_empty, loaded, sqlite_counts
from db.engine import Database, database_file, open_database, revisions
from db.errors import DatabaseTooNew
from db.models import ModelVersionStore

_SQLITE, _TABLES, _HOME = "database/shopbot.db", "database/tables", "home"
_PLACE = ".restore"  # in the home: what is put in place, and what stood there until that is done
_TRIES = 3


def back_up(
    settings: Settings, database: Database, target: Path, *, secret: bool = True, index: bool = True
) -> Manifest:
    """Writes the shop to the new file `target`, readable by its owner only: database, settings file,
    pictures, and promoted generators,
    the secret and the index unless told otherwise. Raises ArchiveError and OSError.

    Every reply that was given before this is called is in it.
    """
    if target.exists():
        raise ArchiveError(f"{target} is there already: name another file")
    if not target.parent.is_dir():
        raise ArchiveError(f"there is no folder {target.parent}: make it first")
    home, notes = settings.home, []
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as aside:
        stage = Path(aside)
        files: dict[str, Path] = {}
        if settings.url.startswith("sqlite"):
            engine, copy = "sqlite", stage / "shopbot.db"
            copy_sqlite(database, copy)
            schema, counts = sqlite_counts(copy)
            files[_SQLITE] = copy
        else:
            engine, tables = "postgresql", stage / "tables"
            tables.mkdir()
            schema, counts = dump(database, tables)
            files |= {f"{_TABLES}/{path.name}": path for path in tables.iterdir()}
        if secret:
            settings.secret()
            files[f"{_HOME}/secret"] = home / "secret"
        else:
            notes.append("no secret: details of requests cannot be read without the old one")
        if (home / FILE).is_file():
            files[f"{_HOME}/{FILE}"] = home / FILE
        files |= _below(home, settings.media_folder)
        if index and (built := _index(settings, stage)):
            files |= {f"{_HOME}/index/{name}": path for name, path in built.items()}
        else:
            notes.append("no index: run `shopbot index`")
        for promoted in ModelVersionStore(database).within_reach(KIND):
            folder = (home / promoted.path).resolve()
            if folder.is_dir() and folder.is_relative_to(home.resolve()):
                files |= _below(home.resolve(), folder)
            else:
                notes.append(f"{folder}, which was promoted, is not in it: keep that yourself")
        model = Path(settings.generator.model)
        if model.is_dir() and model.resolve().is_relative_to(home.resolve()):
            files |= _below(home.resolve(), model.resolve())
        elif "model" in settings.generator.model_fields_set:
            notes.append(
                "the generator's folder (generator.model) is not in it: keep that yourself"
            )
        if skipped := sorted(name for name in files if not archive.is_safe(name)):
            raise ArchiveError(f"{skipped[0]!r} has a name that a backup cannot hold: rename it")
        made = Manifest(
            version("shopbot"), settings.clock()().isoformat(timespec="seconds"), engine, schema,
            counts, tuple(notes),
        )  # fmt: skip
        return archive.write(target, files, made)


def _below(home: Path, folder: Path) -> dict[str, Path]:
    """The plain files under a folder of the home; links are left out."""
    return {
        f"{_HOME}/{path.relative_to(home).as_posix()}": path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def _index(settings: Settings, stage: Path) -> dict[str, Path]:
    """The served index as it is now, linked aside, since another may be swapped in meanwhile."""
    for attempt in range(_TRIES):
        try:
            name = (settings.index_folder / "current").read_text("utf-8").strip()
            aside = stage / f"index-{attempt}"
            shutil.copytree(settings.index_folder / Path(name).name, aside, copy_function=_link)
        except (OSError, shutil.Error):
            continue
        (stage / "current").write_text(name, "utf-8")
        files = {f"{Path(name).name}/{path.name}": path for path in aside.iterdir()}
        return files | {"current": stage / "current"}
    return {}


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def restore(settings: Settings, source: Path, *, force: bool = False) -> Manifest:
    """Makes the home from a backup; with `force` in place of one that is there already.

    The old home is kept aside until the new one is whole, and put back when anything fails. Raises
    ArchiveError, DatabaseTooNew and OSError.
    """
    home, place = settings.home, settings.home / _PLACE
    home.mkdir(parents=True, exist_ok=True)
    _put_back(home)  # a restore that was killed
    if any(home.iterdir()) and not force:
        raise ArchiveError(f"{home} is not empty: name another SHOPBOT_HOME, or pass --force")
    stage = place / "new"
    try:
        try:
            with zipfile.ZipFile(source) as file:
                manifest = archive.read_manifest(file)
                _check(settings, manifest)
                archive.extract(file, manifest, stage)
        except zipfile.BadZipFile as error:
            raise ArchiveError(f"{source} is no backup of shopbot, or is cut short") from error
        except FileNotFoundError as error:
            raise ArchiveError(f"there is no file {source}") from error
        fresh = stage / _HOME
        fresh.mkdir(exist_ok=True)
        if manifest.engine == "sqlite":
            _sound(stage / _SQLITE, manifest)
            (stage / _SQLITE).rename(fresh / _database_in(settings).name)
            with _swapped(home, fresh):
                pass
        else:
            with open_database(settings.url, migrated=False) as database:
                if not is_empty(database) and not force:
                    raise ArchiveError("the database is not empty: name another, or pass --force")
                with (
                    _swapped(home, fresh),
                    loaded(database, stage / _TABLES, revision=manifest.schema),
                ):
                    pass
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return manifest


def _database_in(settings: Settings) -> Path:
    """The SQLite file of the settings, which has to stand in the home itself."""
    path = database_file(settings.url)
    if path is None or path.resolve().parent != settings.home.resolve():
        raise ArchiveError(
            "the backup is one of SQLite and goes into the home: unset SHOPBOT_DATABASE_URL"
        )
    return path


def _check(settings: Settings, manifest: Manifest) -> None:
    """Whether this release and these settings can take the backup. Raises."""
    if manifest.schema not in revisions():
        raise DatabaseTooNew(manifest.schema)
    if manifest.engine == "sqlite":
        if in_use(_database_in(settings)):
            raise ArchiveError("the shop of this home is running: stop it first")
    elif settings.url.startswith("sqlite"):
        raise ArchiveError(
            "the backup is one of PostgreSQL: set SHOPBOT_DATABASE_URL to a database"
        )
    for name in manifest.files:
        if name != _SQLITE and not name.startswith((f"{_TABLES}/", f"{_HOME}/")):
            raise ArchiveError(f"the backup holds {name[:80]!r}, which is no part of a home")
        if name.startswith(f"{_HOME}/{_PLACE}"):
            raise ArchiveError(f"the backup holds {name[:80]!r}, which is no part of a home")


def _sound(copy: Path, manifest: Manifest) -> None:
    """Whether the copied database is whole, and can be brought to this release's schema."""
    try:
        revision, counts = sqlite_counts(copy)
    except (sqlite3.Error, TypeError, OSError) as error:
        raise ArchiveError("the backup's database is damaged") from error
    if revision not in revisions():
        raise DatabaseTooNew(revision)
    if counts != manifest.counts:
        raise ArchiveError("the backup's database holds other rows than its manifest says")
    open_database(f"sqlite:///{copy.resolve()}").close()


@contextmanager
def _swapped(home: Path, fresh: Path) -> Iterator[None]:
    """What stands in `fresh` in place of what stands in the home; put back if the block raises."""
    old = home / _PLACE / "old"
    old.mkdir()
    try:
        for entry in [entry for entry in home.iterdir() if entry.name != _PLACE]:
            entry.rename(old / entry.name)
        for entry in fresh.iterdir():
            entry.rename(home / entry.name)
        yield
    except BaseException:
        _put_back(home)
        raise
    # from here on nothing goes back: what was old is no longer a whole home
    old.rename(home / _PLACE / "done")


def _put_back(home: Path) -> None:
    """Undoes a swap that was not finished."""
    old = home / _PLACE / "old"
    if old.is_dir():
        for entry in [entry for entry in home.iterdir() if entry.name != _PLACE]:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        for entry in old.iterdir():
            entry.rename(home / entry.name)
    shutil.rmtree(home / _PLACE, ignore_errors=True)
