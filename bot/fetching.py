"""One file over https: limited in size, time and redirects, and asked for only when it changed.

Knows nothing about feeds; where connections may go is `bot/outbound.py`'s.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import ssl
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from bot.outbound import CheckedConnection, Outbound, OutboundError

MAX_REDIRECTS = 5
_CHUNK = 1 << 16
_GZIP = b"\x1f\x8b"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_MODIFIED = 304
_HEADER_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said of the version that was fetched last; "" where it said nothing."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was written: its SHA-256 (hexadecimal, of the bytes as written), and validators."""

    sha256: str
    validators: Validators


@dataclass(frozen=True, slots=True)
class Limits:
    """`most_bytes` holds for what is sent and for what is unpacked; `seconds` for all of it."""

    most_bytes: int
    seconds: float


def fetch(
    url: str,
    into: Path,
    *,
    limits: Limits,
    outbound: Outbound,
    known: Validators = Validators(),
    user: str = "",
    password: str = "",
) -> Fetched | None:
    """Writes what `url` serves to the file `into`, unpacked where it is gzip; None when the server
    says that `known` is still what it serves.

    https alone, in every hop of a redirect. Name and password go to the host of `url` alone.
    Raises OutboundError; `into` is then not to be used.
    """
    ends = time.monotonic() + limits.seconds
    start = _read_url(url)
    at = start
    for _ in range(MAX_REDIRECTS + 1):
        headers = {
            "User-Agent": "shopbot", "Accept": "*/*", "Accept-Encoding": "gzip",
            "Connection": "close",
        }  # fmt: skip
        if known.etag:
            headers["If-None-Match"] = known.etag
        if known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        if (user or password) and _origin(at) == _origin(start):
            told = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
            headers["Authorization"] = f"Basic {told}"
        with _response(at, headers, outbound=outbound, ends=ends) as response:
            if response.status in _REDIRECTS:
                at = _read_url(urljoin(at.geturl(), response.headers.get("Location", "")))
                continue
            if response.status == _NOT_MODIFIED and known != Validators():
                return None
            _check(response, at, most=limits.most_bytes)
            with into.open("wb") as file:
                digest = _write(_body(response, limits.most_bytes), file, limits.most_bytes)
            return Fetched(digest, _validators(response.headers))
    raise OutboundError(f"{start.hostname} redirects more than {MAX_REDIRECTS} times")


def _read_url(url: str) -> SplitResult:
    """Raises OutboundError for what is no https address, or holds a name and password."""
    try:
        read = urlsplit(url)
        host, port = read.hostname, read.port
    except ValueError:
        host = port = None
    if not host or read.scheme.lower() != "https" or port == 0:
        raise OutboundError("the feed is fetched over https:// alone, and something else was named")
    if read.username is not None or read.password is not None:
        raise OutboundError("an address with a name or password in it is not fetched")
    return read


def _origin(url: SplitResult) -> tuple[str, int]:
    return (url.hostname or "").lower(), url.port or 443


@contextmanager
def _response(
    url: SplitResult, headers: Mapping[str, str], *, outbound: Outbound, ends: float
) -> Iterator[http.client.HTTPResponse]:
    """The answer to one GET; whatever goes wrong while it is read becomes an OutboundError."""
    host, port = _origin(url)
    left = ends - time.monotonic()
    late = OutboundError(f"{host} did not send the whole feed in time: raise feed.seconds")
    if left <= 0:
        raise late
    try:
        host = host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:
        raise OutboundError("the name of the feed's host cannot be read") from None
    target = quote(url.path or "/", safe="/%:@!$&'()*+,;=~")
    if url.query:
        target += "?" + quote(url.query, safe="/%:@!$&'()*+,;=~?")
    connection = CheckedConnection(outbound, host, port, seconds=left)
    # a socket's own time limit begins anew with every byte
    watch = threading.Timer(left, connection.expire)
    watch.daemon = True
    watch.start()
    try:
        with closing(connection):
            connection.request("GET", target, headers=dict(headers))
            with connection.getresponse() as response:
                yield response
    except OutboundError:
        raise
    except ssl.SSLCertVerificationError:
        raise OutboundError(f"the certificate of {host} is not trusted or not its own") from None
    except (OSError, http.client.HTTPException, zlib.error) as error:
        if time.monotonic() >= ends or isinstance(error, TimeoutError):
            raise late from None
        raise OutboundError(
            f"{host} broke off or did not answer ({type(error).__name__})"
        ) from None
    finally:
        watch.cancel()


def _check(response: http.client.HTTPResponse, url: SplitResult, *, most: int) -> None:
    host = url.hostname
    if response.status in (401, 403):
        raise OutboundError(
            f"{host} refuses access ({response.status}): check feed.user, feed.password or the address"
        )
    if response.status != 200:
        raise OutboundError(f"{host} answered {response.status} instead of the feed")
    if response.headers.get_content_type() == "text/html":
        raise OutboundError(f"{host} answered with a web page instead of a feed: check the address")
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip", "x-gzip", ""):
        raise OutboundError(
            f"{host} packs the feed in a way that was not asked for ({coding[:20]!r})"
        )
    if response.length is not None and response.length > most:
        raise _too_large(most)


def _too_large(most: int) -> OutboundError:
    return OutboundError(
        f"the feed is larger than {most // 1_000_000} MB: raise feed.max_megabytes if that is right"
    )


def _body(response: http.client.HTTPResponse, most: int) -> Iterator[bytes]:
    """The bytes as sent. A body shorter than it was announced is an error."""
    announced, read = response.length, 0
    while chunk := response.read(_CHUNK):
        read += len(chunk)
        if read > most:
            raise _too_large(most)
        yield chunk
    if announced is not None and read != announced:
        raise http.client.IncompleteRead(b"")


def _write(chunks: Iterator[bytes], file: BinaryIO, most: int) -> str:
    """Writes the body, unpacked where it is gzip, whatever the headers say; returns its digest."""
    digest, written = hashlib.sha256(), 0
    first = next(chunks, b"")
    while len(first) < len(_GZIP) and (more := next(chunks, b"")):
        first += more

    def all_of() -> Iterator[bytes]:
        yield first
        yield from chunks

    for piece in _unpacked(all_of()) if first.startswith(_GZIP) else all_of():
        written += len(piece)
        if written > most:
            raise _too_large(most)
        digest.update(piece)
        file.write(piece)
    if not written:
        raise OutboundError("the feed is empty")
    return digest.hexdigest()


def _unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What gzip holds, in pieces of bounded size. Raises zlib.error when it is cut or damaged."""
    member = zlib.decompressobj(wbits=31)
    begun = False
    for chunk in chunks:
        rest = chunk
        while rest:
            begun = True
            yield member.decompress(rest, _CHUNK)
            rest = member.unconsumed_tail
            if member.eof:
                rest = member.unused_data
                member, begun = zlib.decompressobj(wbits=31), False
    # what the last member still held back when its input ended
    while begun and (piece := member.decompress(member.unconsumed_tail, _CHUNK)):
        yield piece
    if begun and not member.eof:
        raise zlib.error("gzip ends early")


def _validators(headers: Message) -> Validators:
    """Those that can be sent again as they are."""
    etag, modified = (
        value if len(value) <= _HEADER_CHARS and value.isascii() and value.isprintable() else ""
        for value in (headers.get("ETag", ""), headers.get("Last-Modified", ""))
    )
    return Validators(etag, modified)
