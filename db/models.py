"""Which versions of each model the shop has, where they lie, and which one is in use.

Knows nothing about what a model does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, insert, select, update

from db.engine import Database
from db.tables import model_versions


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One trained version: `digest` is of the files under `path`, `parent` the version before."""

    kind: str
    name: str
    version: str
    path: str
    digest: str
    metrics: dict[str, Any]
    parent: str | None
    active: bool
    registered_at: datetime


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

    def active(self, kind: str) -> ModelVersion | None:
        """The version of this kind that is in use."""
        versions = self._select(model_versions.c.kind == kind, model_versions.c.active)
        return versions[0] if versions else None

    def all(self) -> list[ModelVersion]:
        """Every version of every kind, in the order they were first registered."""
        return self._select()

    def _select(self, *where: ColumnElement[bool]) -> list[ModelVersion]:
        query = select(model_versions).where(*where).order_by(model_versions.c.number)
        with self._database.read() as connection:
            return [_version(row) for row in connection.execute(query)]


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
    )
