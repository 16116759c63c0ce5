"""Phrases acts with a model behind any OpenAI-compatible server.

One `POST {base_url}/chat/completions` asks for all candidates of a request; a server that ignores
`n` gives one, and one that refuses what we add to model and messages is asked with these two alone.
The server is not trusted: time and size are bounded, redirects are refused, and whatever goes wrong
is a GeneratorError that quotes neither key nor messages. Knows nothing about verification; what
such a model writes may hold markers, values or both.
"""

from __future__ import annotations

import hashlib
import json
import logging
import queue
import ssl
import threading
import time
from typing import Any

import httpx
from pydantic import SecretStr

from bot.errors import ConfigError, GeneratorError
from bot.generators.base import PhraseRequest
from bot.turn import Candidate
from prompts.acts import inventory
from prompts.briefing import briefing

log = logging.getLogger(__name__)

TEMPERATURES = (0.7, 1.0)  # of the first attempt and of a retry
MAX_TOKENS = 800  # of one candidate; the phraser says 900 characters at most
MAX_CHARS = 4000  # of one candidate; the verifier reads no more
MAX_BYTES = 512 * 1024  # of a response: 16 candidates, and what servers say of themselves
REFUSED = frozenset({400, 422})  # what servers answer to a parameter they do not know


class RemoteGenerator:
    """Speaks to one model of one server. `name` is the model's, `version` that of what it is told.

    Safe to call from several threads. Nothing connects before the first request.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str = "",
        seconds: float,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`base_url` is what stands before `/chat/completions`; `seconds` is the budget of one
        request from name look-up to last byte. `transport` stands in for the network in tests.

        Raises ConfigError that names the setting, without its value.
        """
        if not model.strip():
            raise ConfigError("generator.remote_model is not set: name a model of the server")
        self._url = _checked(base_url)
        self._key = SecretStr(api_key.strip())
        if not all("!" <= character <= "~" for character in self._key.get_secret_value()):
            raise ConfigError("generator.remote_key holds characters that no key has; copy it anew")
        self._model = model.strip()
        self._seconds = seconds
        self._transport = transport
        self._tls = ssl.create_default_context()  # the machine's own certificates
        self._bare = False  # whether the server takes model and messages only
        digests = [briefing("en").digest, briefing("zh").digest, inventory().digest]
        self.name = f"remote/{self._model}"
        self.version = hashlib.sha256("".join(digests).encode()).hexdigest()[:12]

    def phrase(self, request: PhraseRequest) -> list[Candidate]:
        """Returns up to `request.k` distinct candidates in the server's order.

        Raises UnknownActError, and GeneratorError when no finished text came within the time.
        """
        messages = briefing(request.language).messages(
            request.act, request.slots, request.values, request.message, request.tone
        )
        try:
            texts = _texts(self._ask(messages, request))
        except GeneratorError as error:
            log.warning("remote generator failed: %s", error)
            raise
        return [Candidate(text) for text in texts[: max(1, request.k)]]

    def _ask(self, messages: list[dict[str, str]], request: PhraseRequest) -> bytes:
        """Returns the body of the answer; asks again without parameters where they are refused."""
        deadline = time.monotonic() + self._seconds
        least: dict[str, Any] = {"model": self._model, "messages": messages}
        if self._bare:
            return self._post(least, deadline)
        asked = {
            "n": max(1, request.k),
            "temperature": TEMPERATURES[min(request.attempt, 1)],
            "max_tokens": MAX_TOKENS,
            "seed": request.seed,
        }
        try:
            return self._post(least | asked, deadline)
        except _Refused:
            body = self._post(least, deadline)
            self._bare = True
            return body

    def _post(self, body: dict[str, Any], deadline: float) -> bytes:
        """Posts in a thread of its own: a time-out of httpx is one of each step, not of them all."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise self._late()
        client = httpx.Client(
            transport=self._transport,
            verify=self._tls,
            timeout=left,
            follow_redirects=False,
            trust_env=False,  # no proxy, no .netrc: what is sent where, the settings alone say
        )
        answers: queue.SimpleQueue[bytes | GeneratorError] = queue.SimpleQueue()

        def run() -> None:
            try:
                with client:
                    answers.put(self._exchange(client, body, deadline))
            except GeneratorError as error:
                answers.put(error)
            except httpx.TimeoutException:
                answers.put(self._late())
            except Exception as error:  # its words may quote what was sent
                answers.put(GeneratorError(f"the exchange failed: {type(error).__name__}"))

        threading.Thread(target=run, name="remote-generator", daemon=True).start()
        try:
            answer = answers.get(timeout=left)
        except queue.Empty:
            client.close()  # ends what the thread still waits for
            raise self._late() from None
        if isinstance(answer, GeneratorError):
            raise answer
        return answer

    def _exchange(self, client: httpx.Client, body: dict[str, Any], deadline: float) -> bytes:
        headers = {"Accept-Encoding": "identity"}  # nothing small that unpacks into something large
        if key := self._key.get_secret_value():
            headers["Authorization"] = f"Bearer {key}"
        with client.stream("POST", self._url, json=body, headers=headers) as response:
            _expect_ok(response.status_code)
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise GeneratorError("the answer is packed, and nothing packed was asked for")
            read = bytearray()
            for chunk in response.iter_bytes():
                read += chunk
                if len(read) > MAX_BYTES:
                    raise GeneratorError(f"the answer is longer than {MAX_BYTES} bytes")
                if time.monotonic() > deadline:
                    raise self._late()
            return bytes(read)

    def _late(self) -> GeneratorError:
        return GeneratorError(
            f"no answer within {self._seconds:g} s; generator.seconds gives it more"
        )


class _Refused(GeneratorError):
    """The server did not accept the request as it was put."""


def _checked(base_url: str) -> str:
    """Returns the address to post to. Raises ConfigError, which does not quote what may hold a key."""
    setting = "generator.remote_url"
    if not base_url.strip():
        raise ConfigError(f"{setting} is not set: give the address before /chat/completions")
    try:
        url = httpx.URL(base_url.strip())
    except (httpx.InvalidURL, ValueError):
        raise ConfigError(f"{setting} is no address") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigError(f"{setting} has to begin with http:// or https:// and name a host")
    if url.userinfo or url.query or url.fragment:
        raise ConfigError(
            f"{setting} may hold no user, password, query or fragment; "
            "a key goes into generator.remote_key"
        )
    return f"{str(url).rstrip('/')}/chat/completions"


def _expect_ok(status: int) -> None:
    """Raises GeneratorError with what to look at, unless the status is 200."""
    if status in REFUSED:
        raise _Refused(f"the server refused the request with status {status}")
    if status in {401, 403}:
        raise GeneratorError(f"status {status}: look at generator.remote_key")
    if status == 404:
        raise GeneratorError("status 404: look at generator.remote_url and generator.remote_model")
    if 300 <= status < 400:
        raise GeneratorError(f"status {status}: a redirect, and none is followed")
    if status != 200:
        raise GeneratorError(f"status {status}")


def _texts(raw: bytes) -> list[str]:
    """Returns the distinct finished texts of a response. Raises GeneratorError if there is none."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise GeneratorError("the answer is no JSON") from None
    choices = body.get("choices") if isinstance(body, dict) else None
    if not isinstance(choices, list) or not choices:
        raise GeneratorError("the answer holds no choices")
    texts: dict[str, None] = {}
    for choice in choices:
        match choice:
            case {"finish_reason": "length" | "content_filter"}:
                continue  # cut off
            case {"message": {"content": str(content)}} if _readable(content):
                texts[content.strip()] = None
    if not texts:
        raise GeneratorError(f"the answer holds no finished text of up to {MAX_CHARS} characters")
    return list(texts)


def _readable(text: str) -> bool:
    """Whether there is text, not too much of it, and nothing that cannot be written down."""
    lone = any("\ud800" <= character <= "\udfff" for character in text[:MAX_CHARS])
    return bool(text.strip()) and len(text) <= MAX_CHARS and not lone
