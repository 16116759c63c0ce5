"""Trained generators as versions of a shop: what is registered of each.

Knows nothing about how one is trained, judged or served.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from bot.errors import ConfigError
from bot.generators.folder import APPROVED, Gpt2Folder
from db.models import ModelVersion, ModelVersionStore

KIND = "generator"
_FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
    APPROVED,
)

Which = tuple[str, str]  # name and version


def digest_of(folder: Path) -> str:
    """SHA-256 of all that makes a model what it is. Raises ConfigError where it cannot be read."""
    digest = hashlib.sha256()
    for name in _FILES:
        try:
            with (folder / name).open("rb") as file:
                own = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ConfigError(f"{folder / name} cannot be read: {error.strerror}") from None
        digest.update(f"{name}\0{own}\0".encode())
    return digest.hexdigest()


def register(store: ModelVersionStore, folder: Path, *, home: Path, now: datetime) -> ModelVersion:
    """Registers the model of a folder by what `learned.json` in it says, and does not put it in use.

    A folder without that file is a model from elsewhere: it has neither parent nor sets. One that lies
    in the home moves with it. Raises ConfigError where nothing can be served from it.
    """
    model = Gpt2Folder(folder)
    model.check_weights()
    learned, name, version = model.learned, model.name, model.version
    known = _found(store, (name, version))
    digest = digest_of(folder)
    if known and known.active and known.digest != digest:
        raise ConfigError(f"{name} {version} is in use with other files: give this one another version")  # fmt: skip
    store.register(
        kind=KIND,
        name=name,
        version=version,
        path=_path_of(folder, home),
        digest=digest,
        metrics=dict(learned.get("metrics", {})),
        parent=learned.get("parent"),
        active=known is not None and known.active,
        now=now,
        learned={
            "sets": list(learned.get("exports", ())),
            **{key: learned.get(key) for key in ("settings", "code_version", "corpus", "parent_path", "created_at")},
        },
    )  # fmt: skip
    registered = _found(store, (name, version))
    assert registered is not None
    return registered


def _path_of(folder: Path, home: Path) -> str:
    """The folder from the home where it lies in it, else from the root."""
    folder, home = folder.resolve(), home.resolve()
    return str(folder.relative_to(home) if folder.is_relative_to(home) else folder)


def _found(store: ModelVersionStore, which: Which) -> ModelVersion | None:
    versions = (one for one in store.all() if one.kind == KIND)
    return next((one for one in versions if (one.name, one.version) == which), None)
