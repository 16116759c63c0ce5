"""A real server under load is saved by the real command, and the restored home serves."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from shop_homes import build_tiny

from db.records import Money, Product, ProductId

KETTLE = Product(ProductId("k1"), "Copper Kettle", price=Money(Decimal("49.00"), "USD"))
ROOT = Path(__file__).parents[3]
QUESTION = {"message": "How much is the Copper Kettle?"}
SESSION = "X-Shopbot-Session"


def environment(home: Path, database_url: str) -> Mapping[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SHOPBOT_")},
        "PYTHONPATH": str(ROOT),
        "SHOPBOT_HOME": str(home),
        **({"SHOPBOT_DATABASE_URL": database_url} if database_url else {}),
        "SHOPBOT_GENERATOR__KIND": "plain",
        "SHOPBOT_RETRIEVAL__ENCODER": "hashing",
    }


def shopbot(home: Path, database_url: str, *arguments: str) -> str:
    command = [sys.executable, "-c", "from bot.cli import main; main()", *arguments]
    ended = subprocess.run(
        command,
        env=environment(home, database_url),
        cwd=home.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@contextmanager
def served(home: Path, database_url: str) -> Iterator[str]:
    """The address of a server of the home."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-c",
        "from bot.cli import main; main()",
        "serve",
        "--port",
        str(port),
    ]
    with subprocess.Popen(
        command, env=environment(home, database_url), cwd=home.parent, stdout=subprocess.DEVNULL
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            while process.poll() is None:
                try:
                    if httpx.get(f"{url}/health/ready", trust_env=False).status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            assert process.poll() is None, "the server ended"
            yield url
        finally:
            process.terminate()


@pytest.mark.slow
def test_that_every_reply_shown_before_a_backup_is_in_it(
    empty_database_url: str, tmp_path: Path
) -> None:
    """SQLite comes back in the new home; PostgreSQL is put back in place, by force."""
    url = empty_database_url if empty_database_url.startswith("postgresql") else ""
    more = {"SHOPBOT_DATABASE_URL": url} if url else {}
    home = build_tiny(tmp_path / "home", products=[KETTLE], more=more)
    new = tmp_path / "new"
    shown: list[tuple[str, int]] = []
    ended = threading.Event()
    with served(home, url) as address:

        def talk() -> None:
            with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
                while not ended.is_set():
                    reply = client.post("/api/chat", json=QUESTION).json()
                    shown.append((reply["session_id"], reply["turn_id"]))

        threads = [threading.Thread(target=talk) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            while len(shown) < 10 and any(thread.is_alive() for thread in threads):
                time.sleep(0.02)
            before = list(shown)
            shopbot(home, url, "backup", str(tmp_path / "shop.zip"))
            during = len(shown) - len(before)
        finally:
            ended.set()
            for thread in threads:
                thread.join()
    assert len(before) >= 10
    assert during > 0  # the shop went on answering
    force = ["--force"] if url else []
    shopbot(new, url, "restore", *force, str(tmp_path / "shop.zip"))
    with (
        served(new, url) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=60) as client,
    ):
        for session, turn in before:
            said = client.get("/api/conversations/current", headers={SESSION: session})
            assert said.status_code == 200
            assert f'"turn_id":{turn}' in said.text.replace(" ", "")
        assert "$49.00" in client.post("/api/chat", json=QUESTION).json()["reply"]
