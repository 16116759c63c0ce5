"""Plays the acceptance conversations of every shop against a real server, and writes what came out.

    python benchmarks/acceptance.py [--acceptance FOLDER] [--shop NAME] [--out FILE]

`--acceptance` holds `run.py` and `shops/NAME/`; each shop is loaded into a home of its own with the
`load:` line of its README, indexed, served, and talked to twice: by the generator, and by the plain
fallback alone. A generator that passes less than the fallback has no business being shipped.

SHOPBOT_GENERATOR__MODEL names another model folder. Knows nothing of how a conversation is judged.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bot.evaluation.report import machine

ROOT = Path(__file__).resolve().parents[1]
BESIDE = ROOT.parent / "shared" / "acceptance"
SHOPBOT = Path(sys.executable).with_name("shopbot")
LIBRARIES = ("torch", "transformers", "sentence-transformers", "faiss-cpu", "gradio", "sqlalchemy")

_LOAD = re.compile(r"^load: `(?P<line>[^`]+)`", re.MULTILINE)
_READY_WITHIN = 300.0  # seconds; models load slowly on a busy machine


@dataclass(frozen=True)
class Home:
    """A loaded and indexed shop: its files, its SHOPBOT_HOME and the environment it needs."""

    shop: Path
    folder: Path
    environment: Mapping[str, str]

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.folder / 'shopbot.db'}"


@dataclass(frozen=True)
class Outcome:
    """What `run.py` said of a shop: summary, last line, what failed and what was untrue."""

    summary: dict[str, Any]
    line: str
    failed: dict[str, list[str]]
    untrue: list[str]


def shops_of(acceptance: Path) -> list[Path]:
    """The shop folders, by name."""
    return sorted(path.parent for path in acceptance.glob("shops/*/README.md"))


def load(shop: Path, folder: Path) -> Home:
    """Imports and indexes the shop into `folder` as its README says. RuntimeError, ValueError."""
    variables, arguments = load_line(shop)
    kept = {
        name: value
        for name, value in os.environ.items()
        # what is set for somebody's own shop must not reach this one, its database least of all
        if not name.startswith("SHOPBOT_") or name.startswith("SHOPBOT_GENERATOR__")
    }
    environment = kept | variables | {"SHOPBOT_HOME": str(folder), "NO_PROXY": "127.0.0.1"}
    folder.mkdir(parents=True, exist_ok=True)
    for command in (arguments, ["index"]):
        _run([str(SHOPBOT), *command], environment, cwd=shop)
    return Home(shop, folder, environment)


def load_line(shop: Path) -> tuple[dict[str, str], list[str]]:
    """The variables and arguments of the README's `load:` line. ValueError where it has none."""
    found = _LOAD.search((shop / "README.md").read_text(encoding="utf-8"))
    before, program, after = found["line"].partition(" shopbot ") if found else ("", "", "")
    if not program:
        raise ValueError(f'{shop / "README.md"} has no line "load: `… shopbot import …`"')
    variables = dict(word.split("=", 1) for word in shlex.split(before))
    return variables, shlex.split(after)


def copied(home: Home, folder: Path) -> Home:
    """The same shop in another home, so that two runs do not share conversations."""
    shutil.copytree(home.folder, folder)
    return Home(home.shop, folder, {**home.environment, "SHOPBOT_HOME": str(folder)})


@contextmanager
def serving(home: Home, extra: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of `shopbot serve` over this home. RuntimeError when it does not come up."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = home.folder / "serve.log"
    with log.open("w", encoding="utf-8") as output:
        server = subprocess.Popen(
            [str(SHOPBOT), "serve", "--port", str(port)],
            cwd=home.folder,
            env={**home.environment, **(extra or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        give_up = time.monotonic() + _READY_WITHIN
        while not _ready(port):
            if server.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"the server did not come up: {log.read_text()[-2000:]}")
            time.sleep(0.25)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def play(home: Home, runner: Path, extra: Mapping[str, str] | None = None) -> Outcome:
    """Serves the home, with `extra` variables, and plays every conversation of its shop."""
    result = home.folder / "acceptance.json"
    with serving(home, extra) as address:
        said = _run(
            [sys.executable, str(runner), "--shop", str(home.shop), "--base-url", address,
             "--json", str(result)],
            home.environment,
            cwd=home.folder,
            fine=(0, 1),  # 1: something failed, which the summary tells
        )  # fmt: skip
    told = json.loads(result.read_text(encoding="utf-8"))
    line = f"{home.shop.name}: {said.strip().splitlines()[-1]}"
    return Outcome(told["summary"], line, told["failed"], told["untrue"])


def _run(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    cwd: Path,
    fine: tuple[int, ...] = (0,),
) -> str:
    ended = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if ended.returncode not in fine:
        raise RuntimeError(f"{shlex.join(command)} failed: {ended.stdout}{ended.stderr}"[-4000:])
    return ended.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--acceptance", type=Path, default=BESIDE)
    parser.add_argument("--shop", default="", help="play the shops whose name contains this text")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "acceptance.json")
    options = parser.parse_args()
    shops = [shop for shop in shops_of(options.acceptance) if options.shop in shop.name]
    if not shops:
        parser.error(f"no shop in {options.acceptance / 'shops'}: name the folder by --acceptance")
    shown: dict[str, dict[str, Any]] = {}
    for shop in shops:
        with tempfile.TemporaryDirectory(prefix="shopbot-acceptance-") as folder:
            home = load(shop, Path(folder) / "generator")
            plain = copied(home, Path(folder) / "plain")
            runs = {
                "generator": (home, None),
                "plain": (plain, {"SHOPBOT_GENERATOR__KIND": "plain"}),
            }
            for kind, (where, extra) in runs.items():
                outcome = play(where, options.acceptance / "run.py", extra)
                print(f"{kind:>9}  {outcome.line}", flush=True)
                shown.setdefault(shop.name, {})[kind] = outcome.summary | {
                    "failed": sorted(outcome.failed)
                }
    options.out.write_text(
        json.dumps(
            {
                "date": datetime.now(UTC).date().isoformat(),
                "machine": machine(),
                "versions": {name: version(name) for name in LIBRARIES},
                "shops": shown,
            },
            indent=1,
        )
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
