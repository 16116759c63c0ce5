"""The example shop that comes with the package, laid out as an owner's files on a given day.

Its orders are stored as days before or after today, so that "arrives on Thursday" is never in the
past. Knows nothing about imports, databases or the dialogue.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from bot.errors import ConfigError

_TEMPLATE = "orders.template.jsonl"
_COPIED = ("products.jsonl", "comments.jsonl")


def example_folder() -> Path:
    """The folder of the bundled shop: inside the installed package, or beside it in a checkout.

    Raises ConfigError when neither is there.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "examples" / "shop", package.parent / "examples" / "shop"):
        if (folder / _TEMPLATE).is_file():
            return folder
    raise ConfigError("the example shop is missing from this installation: install shopbot again")


def example_orders(today: date, *, folder: Path | None = None) -> Iterator[dict[str, Any]]:
    """The orders of the shop as `shopbot import --orders` reads them, dated around `today`.

    Every field of the template that ends in `_on` is a number of days after today, negative for
    days before; it becomes an ISO date.
    """
    template = (folder or example_folder()) / _TEMPLATE
    for line in template.read_text(encoding="utf-8").splitlines():
        yield {
            name: (today + timedelta(days=value)).isoformat()
            if name.endswith("_on") and value is not None
            else value
            for name, value in json.loads(line).items()
        }


def materialise(target: Path, media: Path, *, today: date, folder: Path | None = None) -> Path:
    """Write the shop into `target` and its pictures into `media`; returns `target`.

    `target` then holds `products.jsonl`, `comments.jsonl`, `policies/` and `orders.jsonl`. Files
    of those names are replaced, so a second call on a later day only moves the dates. Raises
    ConfigError when the bundled shop is missing.
    """
    source = folder or example_folder()
    target.mkdir(parents=True, exist_ok=True)
    for name in _COPIED:
        shutil.copyfile(source / name, target / name)
    shutil.copytree(source / "policies", target / "policies", dirs_exist_ok=True)
    shutil.copytree(source / "media", media, dirs_exist_ok=True)
    lines = [
        json.dumps(order, ensure_ascii=False) for order in example_orders(today, folder=source)
    ]
    (target / "orders.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return target
