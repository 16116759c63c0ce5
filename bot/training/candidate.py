"""A trained generator that waits to be judged: its folder in the home, what it learned from, and the
entry that says so.

The folder is written beside its place and then renamed, and registered last: a crash leaves no half of
a version. Knows nothing about how it was trained or whether it is any good.

    models/<version>/          a GPT-2 folder, with
        learned.json           parent, sets by digest, settings, code version, metrics
        approved.json          the texts it was taught word for word; see Gpt2Folder
        log.jsonl, curves.png  how the training went
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from bot.errors import ConfigError
from bot.generators.folder import APPROVED, LEARNED, Gpt2Folder
from bot.versions import KIND, register
from db.models import ModelVersion, ModelVersionStore

_ACCOUNT = ("log.jsonl", "curves.png")  # of the training, kept beside the model


@dataclass(frozen=True, slots=True)
class Learned:
    """What a generator was trained from: `parent` is the version it began with, of this home or
    not, `exports` the digests of its sets, `corpus` that of all examples it saw, and `approved`
    the texts of the shop's own people among them."""

    parent: str
    parent_path: Path
    exports: tuple[str, ...]
    corpus: str
    settings: Mapping[str, Any]
    metrics: Mapping[str, Any]
    approved: Iterable[str] = ()


def keep(
    training: Path,
    trained: Path,
    learned: Learned,
    *,
    name: str,
    home: Path,
    place: Path,
    store: ModelVersionStore,
    now: datetime,
) -> ModelVersion:
    """Puts a copy of the model `trained` into `place` and registers it, not in use.

    Raises ConfigError where it cannot be written.
    """
    about = {
        "kind": KIND,
        "name": name,
        "version": Gpt2Folder(trained).version,
        "parent": learned.parent,
        "parent_path": str(learned.parent_path.resolve()),
        "exports": list(learned.exports),
        "corpus": learned.corpus,
        "settings": dict(learned.settings),
        "metrics": dict(learned.metrics),
        "code_version": installed("shopbot"),
        "created_at": now.isoformat(),
    }
    fresh = place.with_name(f".{place.name}.new")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(trained, fresh)
        for file in _ACCOUNT:
            if (training / file).exists():
                shutil.copy(training / file, fresh / file)
        _write(fresh / LEARNED, about)
        _write(fresh / APPROVED, sorted(set(learned.approved)))
        if not (place / LEARNED).exists() and place.exists() and any(place.iterdir()):
            raise ConfigError(f"{place} holds something else: name another folder by --out")
        shutil.rmtree(place, ignore_errors=True)
        os.replace(fresh, place)
    except OSError as error:
        raise ConfigError(f"the model cannot be written to {place}: {error.strerror}") from None
    return register(store, place, home=home, now=now)


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
