"""What a backup file is: a zip of plain files with a manifest that names each, its size and digest.

Reading trusts nothing: only names that the manifest lists and that lead into the folder given, only
plain files, no more bytes than stated, each compared with its digest. Knows nothing about shops.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from bot.errors import ShopbotError

FORMAT = 1
MANIFEST = "manifest.json"
MAX_MANIFEST = 32_000_000  # bytes
_CHUNK = 1 << 20
_BAD_NAME = re.compile(r"[\x00-\x1f\x7f\\]")


class ArchiveError(ShopbotError):
    """A backup cannot be written or read; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `made_at` is ISO 8601; `schema` the database's revision, `counts` the rows
    of its tables; `files` maps names to `bytes` and `sha256`; `notes` are for who restores it."""

    version: str
    made_at: str
    engine: str
    schema: str
    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()
    format: int = FORMAT
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def write(target: Path, files: Mapping[str, Path], manifest: Manifest) -> Manifest:
    """Writes an archive of `files` (name → path), readable by its owner only; returns the manifest
    with the files in it. Raises OSError; `target` is then not there."""
    listed: dict[str, dict[str, Any]] = {}
    draft = target.with_name(f".{target.name}.partial")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    try:
        with os.fdopen(handle, "w+b") as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, path in sorted(files.items()):
                    listed[name] = _add(archive, name, path)
                manifest = Manifest(**(asdict(manifest) | {"files": listed}))
                archive.writestr(MANIFEST, json.dumps(asdict(manifest), ensure_ascii=False))
            raw.flush()
            os.fsync(raw.fileno())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return manifest


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as sink:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            sink.write(chunk)
    return {"bytes": size, "sha256": digest.hexdigest()}


def read_manifest(archive: zipfile.ZipFile) -> Manifest:
    """The manifest, and that the archive holds what it lists and nothing else. Raises ArchiveError."""
    entries = {info.filename: info for info in archive.infolist()}
    if len(entries) != len(archive.infolist()):
        raise ArchiveError("the backup holds a file twice: it is damaged or was altered")
    info = entries.pop(MANIFEST, None)
    if info is None or info.file_size > MAX_MANIFEST:
        raise ArchiveError("this is no backup of shopbot: it has no manifest")
    try:
        with archive.open(info) as file:
            stated = json.loads(file.read(MAX_MANIFEST))
        if stated["format"] != FORMAT:
            raise ArchiveError(
                f"the backup has format {stated['format']!r}, this shopbot reads {FORMAT}: upgrade shopbot"
            )
        manifest = Manifest(**stated | {"notes": tuple(stated["notes"])})
        sizes = {name: int(told["bytes"]) for name, told in manifest.files.items()}
    except (ValueError, KeyError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ArchiveError("the backup's manifest cannot be read: it is damaged") from error
    if sizes.keys() != entries.keys():
        raise ArchiveError(
            "the backup does not hold what its manifest lists: it is damaged or altered"
        )
    for name, entry in entries.items():
        plain = stat.S_IFMT(entry.external_attr >> 16) in (0, stat.S_IFREG)
        packed = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if not (is_safe(name) and plain and packed and not entry.flag_bits & 1):
            raise ArchiveError(f"the backup holds something that is no plain file: {name[:80]!r}")
        if entry.file_size != sizes[name] or sizes[name] < 0:
            raise ArchiveError(
                f"{name} has another size than the manifest says: the backup is damaged"
            )
    return manifest


def is_safe(name: str) -> bool:
    """Whether a name leads to a file within whatever folder it is put into."""
    parts = name.split("/")
    plain = not _BAD_NAME.search(name) and not PurePosixPath(name).is_absolute()
    return plain and all(part not in ("", ".", "..") for part in parts)


def extract(archive: zipfile.ZipFile, manifest: Manifest, into: Path) -> None:
    """Writes all listed files below the new folder `into`. Raises ArchiveError and OSError."""
    total = sum(int(told["bytes"]) for told in manifest.files.values())
    into.mkdir(mode=0o700, parents=True)
    if total > shutil.disk_usage(into).free:
        raise ArchiveError(f"the backup needs {total / 1e6:.0f} MB, which are not free there")
    for name, told in manifest.files.items():
        path = into / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest, left = hashlib.sha256(), int(told["bytes"])
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(handle, "wb") as sink, archive.open(name) as source:
                while chunk := source.read(min(_CHUNK, left + 1)):
                    left -= len(chunk)
                    if left < 0:
                        break
                    digest.update(chunk)
                    sink.write(chunk)
                sink.flush()
                os.fsync(sink.fileno())
        except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
            raise ArchiveError(f"{name} cannot be unpacked: the backup is damaged") from error
        if left or digest.hexdigest() != told["sha256"]:
            raise ArchiveError(f"{name} is not what the manifest says: the backup is damaged")
