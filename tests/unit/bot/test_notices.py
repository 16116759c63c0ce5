"""Notices leave in the background, by command, web address or e-mail, and a failure harms nobody."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bot.notices import WAITING, Notifier, mail, make_notifier
from bot.settings import HandoffSettings

NOTICE = {"conversation": 7, "reason": "asked", "products": ["铜壶"]}


def test_that_a_command_gets_the_notice_and_none_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPBOT_GENERATOR__REMOTE_KEY", "hush")
    target = tmp_path / "told; touch x"  # no shell reads it
    code = (
        "import json, os, sys; "
        "json.dump([json.load(sys.stdin), dict(os.environ)], open(sys.argv[1], 'w'))"
    )
    notifier = make_notifier(
        HandoffSettings(notify="command", command=(sys.executable, "-c", code, str(target)))
    )
    notifier.notify(NOTICE)
    notifier.close()
    told, environment = json.loads(target.read_text(encoding="utf-8"))
    assert told == NOTICE
    assert "hush" not in environment.values()
    assert list(tmp_path.iterdir()) == [target]


class _Received(BaseHTTPRequestHandler):
    bodies: list[tuple[str, object]] = []
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.bodies.append((self.path, json.loads(body)))
        self.send_response(self.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, type[_Received]]]:
    class Handler(_Received):
        bodies: list[tuple[str, object]] = []

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/hook", Handler
        running.shutdown()
        thread.join()


def test_that_a_web_address_gets_the_notice(server: tuple[str, type[_Received]]) -> None:
    url, handler = server
    notifier = make_notifier(HandoffSettings(notify="webhook", webhook_url=url))
    notifier.notify(NOTICE)
    notifier.notify(NOTICE | {"conversation": 8})
    notifier.close()
    assert handler.bodies == [("/hook", NOTICE), ("/hook", NOTICE | {"conversation": 8})]


@pytest.mark.parametrize("status", [302, 307, 500])
def test_that_a_refusal_or_redirect_is_logged_by_its_kind_and_followed_by_the_next_notice(
    server: tuple[str, type[_Received]], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    url, handler = server
    handler.status = status
    notifier = make_notifier(HandoffSettings(notify="webhook", webhook_url=url))
    notifier.notify(NOTICE)
    notifier.notify(NOTICE)
    notifier.close()
    assert [path for path, _ in handler.bodies] == ["/hook", "/hook"]
    assert [record.getMessage() for record in caplog.records] == ["notice not sent"] * 2
    assert "铜壶" not in caplog.text


@pytest.mark.parametrize(
    "settings",
    [
        HandoffSettings(notify="command", command=("/no/such/program",)),
        HandoffSettings(notify="command", command=(sys.executable, "-c", "raise SystemExit(3)")),
        HandoffSettings(notify="webhook", webhook_url="http://127.0.0.1:9/", seconds=1),
    ],
)
def test_that_a_way_that_does_not_work_is_logged_and_stops_nothing(
    settings: HandoffSettings, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = make_notifier(settings)
    notifier.notify(NOTICE)
    notifier.close()
    assert "notice not sent" in caplog.text


def test_that_nothing_is_sent_by_default() -> None:
    notifier = make_notifier(HandoffSettings())
    notifier.notify(NOTICE)
    notifier.close()


def test_that_who_notifies_never_waits_and_too_many_are_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR)
    begun, go, sent = threading.Event(), threading.Event(), []

    def send(notice: object) -> None:
        begun.set()
        go.wait()
        sent.append(notice)

    notifier = Notifier(send)
    notifier.notify(NOTICE)
    begun.wait()
    for _ in range(WAITING + 3):
        notifier.notify(NOTICE)
    assert caplog.text.count("one is dropped") == 3
    go.set()
    notifier.close()
    assert len(sent) == WAITING + 1


class _Post:
    """An SMTP server that keeps what it is told."""

    said: list[object]

    def __init__(self, host: str, port: int, *, timeout: float) -> None:
        self.said = [(host, port, timeout)]
        _Post.last = self

    last: _Post

    def __enter__(self) -> _Post:
        return self

    def __exit__(self, *_: object) -> None:
        self.said.append("quit")

    def starttls(self, *, context: object) -> None:
        self.said.append("starttls")

    def login(self, user: str, password: str) -> None:
        self.said.append((user, password))

    def send_message(self, message: object) -> None:
        self.said.append(str(message))


def test_that_an_e_mail_goes_out_encrypted_and_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.notices.smtplib.SMTP", _Post)
    mail(
        HandoffSettings(
            notify="smtp", smtp_host="mail.example", mail_from="bot@shop.example",
            mail_to="team@shop.example", smtp_user="bot", smtp_password="hush",
        ),
        NOTICE | {"products": ["Kettle", "Mug"]},
    )  # fmt: skip
    host, tls, login, message, ended = _Post.last.said
    assert (host, tls, login, ended) == (
        ("mail.example", 587, 10.0),
        "starttls",
        ("bot", "hush"),
        "quit",
    )
    assert "Subject: Conversation 7 needs a person" in str(message)
    assert "products: Kettle, Mug" in str(message)
