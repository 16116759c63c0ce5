"""Which trained generator a shop uses: what the gate said of one is kept, a better one is promoted, and
a promotion taken back.

Only a version that passed the gate against what is in use today is promoted, and only while its files are
what was judged. Knows nothing about how a generator is judged or how a served shop takes it up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.errors import ConfigError
from bot.generators.folder import Gpt2Folder
from bot.settings import Settings
from bot.versions import KIND, digest_of
from db.accounts import AccountStore, User
from db.engine import Database
from db.exports import ExportStore
from db.models import ModelVersion, ModelVersionStore, Promotion

GATE = "gate"  # what the gate said of a version, among its metrics
COMMAND_LINE = "command line"


class Versions:
    """The generators of one shop. Safe to call from several threads."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._store = ModelVersionStore(database)
        self._exports = ExportStore(database)
        self._audit = AccountStore(database)

    def all(self) -> list[ModelVersion]:
        """Every registered generator, in the order of their registration."""
        return [one for one in self._store.all() if one.kind == KIND]

    def promotions(self) -> list[Promotion]:
        """Every change of what is in use, the oldest first."""
        return self._store.promotions(KIND)

    def named(self, which: str) -> ModelVersion:
        """The generator of this version, of its beginning, or of a folder. Raises ConfigError."""
        found = [one for one in self.all() if one.version.startswith(which)]
        if len(found) != 1:
            known = ", ".join(one.version for one in found or self.all()) or "none yet"
            few = "no version" if not found else "several versions"
            raise ConfigError(
                f"{few} {which!r}: there are {known}; `shopbot models list` tells more"
            )
        return found[0]

    def folder(self, version: ModelVersion) -> Path:
        """Where its files lie."""
        return self._settings.home / version.path

    def in_use(self) -> tuple[str, str]:
        """Name and version of the generator in use: promoted, or that of the settings. ConfigError."""
        if active := self._store.active(KIND):
            return active.name, active.version
        model = Gpt2Folder(Path(self._settings.generator.model))
        return model.name, model.version

    def in_use_folder(self) -> Path:
        """Where the files of the generator in use lie."""
        active = self._store.active(KIND)
        return self.folder(active) if active else Path(self._settings.generator.model)

    def erased(self, version: ModelVersion) -> int:
        """How many turns that it, or what it was trained on from, learned from were erased since."""
        known = {one.version: one for one in self.all()}
        digests: set[str] = set()
        line: ModelVersion | None = version
        while line is not None:
            digests |= set((line.learned or {}).get("sets", ()))
            del known[line.version]
            line = known.get(line.parent or "")
        return sum(one.erased_turns for one in self._exports.all() if one.digest in digests)

    def judged(self, version: ModelVersion, report: Mapping[str, Any]) -> None:
        """Keeps what the gate said of a version."""
        self._store.note(KIND, version.name, version.version, {GATE: dict(report)})

    def promote(self, which: str, *, user: User | None, now: datetime) -> Promotion:
        """Puts a version in use, in one transaction. Raises ConfigError where it must not be, and
        UnknownVersion where it is in use already."""
        version = self.named(which)
        if faults := self.faults(version):
            raise ConfigError(
                f"{version.name} {version.version} is not promoted: {'; '.join(faults)}"
            )
        done = self._store.promote(
            KIND, version.name, version.version,
            user_name=user.name if user else COMMAND_LINE, report=version.metrics[GATE], now=now,
        )  # fmt: skip
        self._note("promote", done, user, now)
        return done

    def rollback(self, *, user: User | None, now: datetime) -> Promotion:
        """Puts in use again what was so before the newest promotion that stands. UnknownVersion."""
        done = self._store.rollback(
            KIND, user_name=user.name if user else COMMAND_LINE, now=now
        )  # fmt: skip
        self._note("roll back", done, user, now)
        return done

    def faults(self, version: ModelVersion) -> Sequence[str]:
        """Why a version must not be put in use, with what to do; none where it may."""
        if self._settings.generator.kind != "gpt2":
            return [
                f"generator.kind is {self._settings.generator.kind}, which speaks whatever is promoted"
            ]
        folder = self.folder(version)
        try:
            Gpt2Folder(folder).check_weights()
            changed = digest_of(folder) != version.digest
        except ConfigError as error:
            return [str(error)]
        if changed:
            return [f"the files in {folder} are not what was registered: train it again"]
        if erased := self.erased(version):
            return [f"{erased} turns that it learned from were erased: export and train again"]
        report = version.metrics.get(GATE)
        judge = f"run `shopbot evaluate gate {version.version}`"
        if report is None:
            return [f"the gate has not judged it: {judge}"]
        if report["candidate"]["digest"] != version.digest:
            return [f"the gate judged other files: {judge}"]
        if not report["passed"]:
            return [f"the gate refused it: {'; '.join(report['reasons'])}"]
        against = report["incumbent"]["name"], report["incumbent"]["version"]
        if not version.active and against != self.in_use():
            return [
                f"the gate judged it against {' '.join(against)}, which is not in use now: {judge}"
            ]
        return []

    def _note(self, action: str, done: Promotion, user: User | None, now: datetime) -> None:
        told = [
            " ".join(one) if one else "the settings' own" for one in (done.before, done.version)
        ]
        self._audit.note(user, f"{action} generator", told[1], details={"before": told[0]}, now=now)
