"""Wakes a person when a conversation is handed over: a command, a web address or an e-mail.

A notice is sent by a thread of its own, so that no shopper waits for it, and holds what
`bot/handoff.py` puts into it. A failure is logged by its kind and lost otherwise: the hand-over
itself is in the database. Knows nothing about conversations.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import queue
import smtplib
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from email.message import EmailMessage
from typing import Any

from bot.settings import HandoffSettings

log = logging.getLogger(__name__)

WAITING = 100  # notices that may wait; what comes while so many do is dropped and logged
Notice = Mapping[str, Any]
Send = Callable[[Notice], None]
_FAILURES = (
    OSError, subprocess.SubprocessError, smtplib.SMTPException, urllib.error.URLError,
    http.client.HTTPException,
)  # fmt: skip


class Notifier:
    """Sends notices one after another in the background. `send` None sends nothing."""

    def __init__(self, send: Send | None) -> None:
        self._send = send
        self._queue: queue.Queue[Notice | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def notify(self, notice: Notice) -> None:
        """Puts a notice behind those that wait; returns at once."""
        if self._send is None:
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="notices", daemon=True)
                self._thread.start()
        try:
            self._queue.put_nowait(notice)
        except queue.Full:
            log.error("too many notices wait, one is dropped")

    def close(self, *, seconds: float = 5.0) -> None:
        """Sends what waits, for so long at most."""
        if self._thread is None:
            return
        try:
            self._queue.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(seconds)
        self._thread = None

    def _work(self) -> None:
        assert self._send is not None
        while (notice := self._queue.get()) is not None:
            try:
                self._send(notice)
            except _FAILURES as error:
                log.error("notice not sent", extra={"error": type(error).__name__})


def make_notifier(settings: HandoffSettings) -> Notifier:
    """The notifier of the settings."""
    if settings.notify == "command":
        return Notifier(lambda notice: run(settings.command, notice, seconds=settings.seconds))
    if settings.notify == "webhook":
        return Notifier(lambda notice: post(settings.webhook_url, notice, seconds=settings.seconds))
    if settings.notify == "smtp":
        return Notifier(lambda notice: mail(settings, notice))
    return Notifier(None)


def run(command: Sequence[str], notice: Notice, *, seconds: float) -> None:
    """Runs the command without a shell, the notice as JSON on its standard input.

    It inherits no environment, since that may hold keys, and what it prints goes nowhere. Raises
    OSError and SubprocessError.
    """
    subprocess.run(
        list(command),
        input=_json(notice),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        timeout=seconds,
        check=True,
    )


def post(url: str, notice: Notice, *, seconds: float) -> None:
    """Posts the notice as JSON; follows no redirect and no proxy. Raises OSError."""
    request = urllib.request.Request(  # noqa: S310  (the settings allow https and loopback alone)
        url, data=_json(notice), headers={"Content-Type": "application/json"}, method="POST"
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    with opener.open(request, timeout=seconds):
        pass


def mail(settings: HandoffSettings, notice: Notice) -> None:
    """Sends the notice as an e-mail of plain text. Raises OSError and SMTPException."""
    message = EmailMessage()
    message["From"], message["To"] = settings.mail_from, settings.mail_to
    message["Subject"] = f"Conversation {notice['conversation']} needs a person"
    message.set_content("".join(f"{name}: {_told(value)}\n" for name, value in notice.items()))
    context = ssl.create_default_context()
    at = (settings.smtp_host, settings.smtp_port)
    if settings.smtp_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(*at, timeout=settings.seconds, context=context)
    else:
        server = smtplib.SMTP(*at, timeout=settings.seconds)
    with server:
        if settings.smtp_security == "starttls":
            server.starttls(context=context)
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        server.send_message(message)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _json(notice: Notice) -> bytes:
    return json.dumps(dict(notice), ensure_ascii=False).encode()


def _told(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
