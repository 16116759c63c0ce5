"""Which versions of each model the shop has, where they lie, and which one is in use.

Knows nothing about what a model does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from db.engine import Database
from db.errors import UnknownVersion
from db.tables import model_versions, promotions

Action = Literal["promote", "rollback"]


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One trained version: `digest` is of the files under `path`, `parent` the version it was trained
    on from, `learned` what it was trained with: settings, code version, digests of its sets."""

    kind: str
    name: str
    version: str
    path: str
    digest: str
    metrics: dict[str, Any]
    parent: str | None
    active: bool
    registered_at: datetime
    learned: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Promotion:
    """A change of what is in use. None stands for the version that the settings name, which is in use
    while none was promoted. `report` is what the gate said."""

    id: int
    kind: str
    action: Action
    version: tuple[str, str] | None
    before: tuple[str, str] | None
    user_name: str
    report: dict[str, Any]
    at: datetime


class ModelVersionStore:
    """The model versions of one shop; at most one of each kind is active."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(
        self,
        *,
        kind: str,
        name: str,
        version: str,
        path: str,
        digest: str,
        metrics: dict[str, Any],
        parent: str | None,
        active: bool,
        now: datetime,
        learned: dict[str, Any] | None = None,
    ) -> None:
        """Keep what is known of a version, in place of what was known before.

        Making it active retires the active one of its kind, in the same transaction.
        """
        row = {
            "path": path,
            "digest": digest,
            "metrics": metrics,
            "parent": parent,
            "active": active,
            "registered_at": now,
            "learned": learned,
        }
        named = {"kind": kind, "name": name, "version": version}
        with self._database.write() as connection:
            self._database.lock(connection)
            if active:
                connection.execute(
                    update(model_versions).where(model_versions.c.kind == kind).values(active=False)
                )
            known = connection.execute(
                update(model_versions)
                .where(*(model_versions.c[column] == value for column, value in named.items()))
                .values(row)
            )
            if not known.rowcount:
                connection.execute(insert(model_versions).values(named | row))

    def note(self, kind: str, name: str, version: str, metrics: dict[str, Any]) -> None:
        """Keep more metrics of a version, in place of those of the same names. Raises UnknownVersion."""
        named = (
            model_versions.c.kind == kind,
            model_versions.c.name == name,
            model_versions.c.version == version,
        )
        with self._database.write() as connection:
            self._database.lock(connection)
            row = connection.execute(select(model_versions.c.metrics).where(*named)).first()
            if row is None:
                raise _unknown(kind, (name, version))
            connection.execute(
                update(model_versions).where(*named).values(metrics=row.metrics | metrics)
            )

    def active(self, kind: str) -> ModelVersion | None:
        """The version of this kind that is in use."""
        versions = self._select(model_versions.c.kind == kind, model_versions.c.active)
        return versions[0] if versions else None

    def promote(
        self,
        kind: str,
        name: str,
        version: str,
        *,
        user_name: str,
        report: dict[str, Any],
        now: datetime,
    ) -> Promotion:
        """Put a registered version in use, in one transaction with its entry in the history.

        Raises UnknownVersion where there is none such, or where it is in use already.
        """
        with self._database.write() as connection:
            self._database.lock(connection)
            before = _in_use(connection, kind)
            if before == (name, version):
                raise UnknownVersion(f"{name} {version} is in use already")
            _put_in_use(connection, kind, (name, version))
            return _note(connection, {
                "kind": kind, "action": "promote", "name": name, "version": version,
                "before_name": before[0] if before else None,
                "before_version": before[1] if before else None,
                "user_name": user_name, "report": report, "at": now,
            })  # fmt: skip

    def rollback(self, kind: str, *, user_name: str, now: datetime) -> Promotion:
        """Put in use what was so before the newest promotion that stands.

        Raises UnknownVersion where no promotion stands.
        """
        with self._database.write() as connection:
            self._database.lock(connection)
            standing = _standing(_history(connection, kind))
            if not standing:
                raise UnknownVersion(f"no promotion of a {kind} stands: nothing to go back to")
            undone = standing[-1]
            _put_in_use(connection, kind, undone.before)
            name, version = undone.before or (None, None)
            before = undone.version or (None, None)
            return _note(connection, {
                "kind": kind, "action": "rollback", "name": name, "version": version,
                "before_name": before[0], "before_version": before[1],
                "user_name": user_name, "report": {}, "at": now,
            })  # fmt: skip

    def promotions(self, kind: str) -> list[Promotion]:
        """Every change of what is in use, the oldest first."""
        with self._database.read() as connection:
            return _history(connection, kind)

    def within_reach(self, kind: str) -> list[ModelVersion]:
        """The version in use and those that rollbacks lead to, in the order of their registration."""
        with self._database.read() as connection:
            standing = _standing(_history(connection, kind))
        reached = {change.before for change in standing}
        return [
            one
            for one in self._select(model_versions.c.kind == kind)
            if one.active or (one.name, one.version) in reached
        ]

    def learned_from(self, digests: Collection[str]) -> list[ModelVersion]:
        """The versions that were trained with a set of these digests, or on from such a version."""
        found: list[ModelVersion] = []
        for version in self.all():
            sets = (version.learned or {}).get("sets", ())
            heir = any((one.kind, one.version) == (version.kind, version.parent) for one in found)
            if heir or set(digests) & set(sets):
                found.append(version)
        return found

    def all(self) -> list[ModelVersion]:
        """Every version of every kind, in the order they were first registered."""
        return self._select()

    def _select(self, *where: ColumnElement[bool]) -> list[ModelVersion]:
        query = select(model_versions).where(*where).order_by(model_versions.c.number)
        with self._database.read() as connection:
            return [_version(row) for row in connection.execute(query)]


def _in_use(connection: Connection, kind: str) -> tuple[str, str] | None:
    row = connection.execute(
        select(model_versions.c.name, model_versions.c.version).where(
            model_versions.c.kind == kind, model_versions.c.active
        )
    ).first()
    return None if row is None else (row.name, row.version)


def _put_in_use(connection: Connection, kind: str, which: tuple[str, str] | None) -> None:
    """Raises UnknownVersion; None leaves none active."""
    connection.execute(
        update(model_versions).where(model_versions.c.kind == kind).values(active=False)
    )
    if which is None:
        return
    put = connection.execute(
        update(model_versions)
        .where(
            model_versions.c.kind == kind,
            model_versions.c.name == which[0],
            model_versions.c.version == which[1],
        )
        .values(active=True)
    )
    if not put.rowcount:
        raise _unknown(kind, which)


def _unknown(kind: str, which: tuple[str, str]) -> UnknownVersion:
    return UnknownVersion(
        f"there is no {kind} {which[0]} {which[1]}: `shopbot models list` names them"
    )


def _history(connection: Connection, kind: str) -> list[Promotion]:
    query = select(promotions).where(promotions.c.kind == kind).order_by(promotions.c.id)
    return [_promotion(row) for row in connection.execute(query)]


def _standing(history: Sequence[Promotion]) -> list[Promotion]:
    """The promotions that no rollback has undone, the oldest first."""
    standing: list[Promotion] = []
    for change in history:
        if change.action == "promote":
            standing.append(change)
        else:
            standing.pop()
    return standing


def _note(connection: Connection, row: dict[str, Any]) -> Promotion:
    return _promotion(
        connection.execute(insert(promotions).values(row).returning(promotions)).one()
    )


def _promotion(row: Row[Any]) -> Promotion:
    return Promotion(
        row.id,
        row.kind,
        cast(Action, row.action),
        None if row.version is None else (row.name, row.version),
        None if row.before_version is None else (row.before_name, row.before_version),
        row.user_name,
        row.report,
        row.at,
    )


def _version(row: Row[Any]) -> ModelVersion:
    return ModelVersion(
        kind=row.kind,
        name=row.name,
        version=row.version,
        path=row.path,
        digest=row.digest,
        metrics=row.metrics,
        parent=row.parent,
        active=row.active,
        registered_at=row.registered_at,
        learned=row.learned,
    )
