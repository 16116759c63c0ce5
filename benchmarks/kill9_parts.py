"""What `kill9.py` is made of: a shop in a process of its own, shoppers that talk to it over HTTP,
and a database server that can be crashed. Knows nothing of what is checked."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 120.0
TALKS = (
    (
        "I need a kettle under $80", "the cheaper one", "what is your return policy?",
        "compare the first two", "I want to return something", "no", "thanks",
    ),
    (
        "hello", "I'm looking for a lamp", "which one is in stock?", "how much is shipping?",
        "I'd like to talk to a person", "show me something else",
    ),
)  # fmt: skip


class ServedShop:
    """`shopbot serve` in a process of its own; in English and plain, so that a start is cheap."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.home = folder / "var" / "demo"
        self.log = folder / "serve.log"
        self.database_url = database_url or f"sqlite:///{self.home / 'shopbot.db'}"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._environment = {
            **{name: value for name, value in os.environ.items() if "SHOPBOT_" not in name},
            "PYTHONPATH": str(ROOT),
            "SHOPBOT_HOME": str(self.home),
            "SHOPBOT_DATABASE_URL": self.database_url,
            "SHOPBOT_GENERATOR__KIND": "plain",
            "SHOPBOT_SHOP__LANGUAGES": "en",
            "SHOPBOT_RETRIEVAL__ENCODER": "hashing",
            "SHOPBOT_LIMITS__PER_SESSION_PER_MINUTE": "100000",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Imports and indexes the example shop; the only command beside `serve` that is ever run."""
        subprocess.run(
            self._command("demo", "--prepare"),
            cwd=self.folder, env=self._environment, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command("serve", "--port", str(self._port)),
                cwd=self.folder, env=self._environment, stdout=log, stderr=log,
            )  # fmt: skip

    def wait_until_ready(self) -> float:
        """Returns after how many seconds the shop says without reservation that it is ready."""
        began = time.monotonic()
        while time.monotonic() - began < START_SECONDS:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                told = httpx.get(f"{self.url}/health/ready", timeout=5.0)
                if told.status_code == 200 and not told.json()["reasons"]:
                    return time.monotonic() - began
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise SystemExit(f"the shop did not start by itself; see {self.log}")

    def kill(self) -> None:
        """SIGKILL: nothing of the process's own is run any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", "from bot.cli import main; main()", *arguments]


@dataclass(frozen=True, slots=True)
class Received:
    """What reached a shopper. `turn_id` is 0 where a stream was cut after some words of the reply."""

    client_message_id: str
    turn_id: int
    text: str


@dataclass
class Shopper:
    """Talks without a pause until told to stop; repeats a message that got no whole answer."""

    number: int
    url: str
    received: list[Received] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    repeated: int = 0
    session_id: str | None = None
    waits: tuple[str, str] | None = None  # client message id and message without an answer yet
    said: int = 0

    def talk(self, stop: threading.Event) -> None:
        with httpx.Client(timeout=60.0) as client:
            while not stop.is_set():
                if self.waits is None:
                    self.waits = (uuid.uuid4().hex, self._next_message())
                else:
                    self.repeated += 1
                try:
                    self._say(client, *self.waits)
                except httpx.TransportError:
                    return  # the shop died; the message is said again when it is back

    def _next_message(self) -> str:
        talk = TALKS[self.number % len(TALKS)]
        message = talk[self.said % len(talk)]
        self.said += 1
        return message

    def _say(self, client: httpx.Client, key: str, message: str) -> None:
        body = {"message": message, "session_id": self.session_id, "client_message_id": key}
        if self.number % 2:  # the other half reads streams
            answer = self._streamed(client, key, body)
        else:
            response = client.post(f"{self.url}/api/chat", json=body)
            answer = response.json() if response.status_code == 200 else None
            if answer is None:
                self.refused.append(f"{response.status_code} {response.text[:200]}")
        self.waits = None
        if answer is not None:
            self.session_id = answer["session_id"]
            self.received.append(Received(key, answer["turn_id"], answer["reply"]))

    def _streamed(
        self, client: httpx.Client, key: str, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        shown, name = "", ""
        try:
            with client.stream("POST", f"{self.url}/api/chat/stream", json=body) as response:
                for line in response.iter_lines():
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        data = json.loads(line.removeprefix("data: "))
                        if name == "token":
                            shown += data["text"]
                        elif name == "done":
                            return dict(data)
        except (httpx.TransportError, ValueError) as error:
            if shown:
                self.received.append(Received(key, 0, shown))
            raise httpx.TransportError(str(error)) from error
        self.refused.append(f"{response.status_code} stream without an end")
        return None


class Crowd:
    """Shoppers who talk at the same time."""

    def __init__(self, number: int, url: str) -> None:
        self.shoppers = [Shopper(n, url) for n in range(number)]

    @contextmanager
    def talking(self) -> Iterator[None]:
        """Lets them talk while the block runs; each ends with the message it is at."""
        stop = threading.Event()
        threads = [threading.Thread(target=one.talk, args=(stop,)) for one in self.shoppers]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def went_on(self, before: list[int], *, everybody: bool) -> bool:
        """Whether all of them, or any, have an answer more than `before`, or were refused."""
        more = [len(one.received) > had for one, had in zip(self.shoppers, before, strict=True)]
        return (all if everybody else any)(more) or any(one.refused for one in self.shoppers)

    def answers(self) -> int:
        return sum(len(one.received) for one in self.shoppers)


class PostgresServer:
    """A throw-away PostgreSQL on a Unix socket, with the settings that a server has by default."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="shopbot-kill9-"))
        self._become: list[str] = []
        if os.geteuid() == 0:  # it does not run as root
            shutil.chown(self._folder, "postgres", "postgres")
            self._become = ["runuser", "-u", "postgres", "--"]
        self.url = f"postgresql://postgres@/postgres?host={self._folder}"
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8")
        self.start()

    def start(self) -> None:
        options = f"-c listen_addresses= -c unix_socket_directories={self._folder}"
        log = self._folder / "log"
        self._run("pg_ctl", "start", "--wait", f"--log={log}", f"--options={options}")

    def crash(self) -> None:
        """Ends it without a checkpoint: it comes back by its write-ahead log alone."""
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate")

    def remove(self) -> None:
        self.crash()
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._become, str(self._programs / program), "-D", str(self._folder / "data"), *arguments],
            check=True, cwd=self._folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip
