"""A web server with a certificate of its own on this machine, that stands for the whole internet.

Names resolve to a public address, and dialling that address reaches this server: all checks of
addresses and certificates are made as they are in a shop.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.outbound import Outbound

HOST, OTHER = "shop.example", "cdn.example"
PUBLIC = "93.184.215.14"

Page = Callable[[BaseHTTPRequestHandler], None]


@cache
def _certificate() -> tuple[bytes, bytes]:
    """Certificate and key in PEM, for the names above."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(HOST), x509.DNSName(OTHER)]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM), key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def send(
    handler: BaseHTTPRequestHandler,
    body: bytes = b"",
    *,
    status: int = 200,
    length: int | None = None,
    **headers: str,
) -> None:
    """Answers; `length` is announced instead of that of the body."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


@dataclass
class Internet:
    """What is served: `pages` by host and path. `asked` holds the requests, `dialled` addresses."""

    outbound: Outbound
    pages: dict[str, Page]
    addresses: dict[str, list[list[str]]]
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> list[str]:
        """The next answer for a host, the last one for ever."""
        answers = self.addresses.get(host, [[PUBLIC]])
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def internet(folder: Path) -> Iterator[Internet]:
    """An internet of one machine, its certificate in `folder`."""
    certificate, key = _certificate()
    (folder / "cert.pem").write_bytes(certificate)
    (folder / "key.pem").write_bytes(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            host = self.headers["Host"].split(":")[0]
            net.asked.append((f"{host}{self.path}", dict(self.headers)))
            page = net.pages.get(f"{host}{self.path.split('?')[0]}")
            if page is None:
                send(self, b"nothing here", status=404)
            else:
                page(self)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = False

        def finish_request(self, request: Any, client_address: Any) -> None:
            with context.wrap_socket(request, server_side=True) as secure:
                super().finish_request(secure, client_address)
                try:
                    secure.unwrap()
                except (OSError, ValueError):
                    return

        def handle_error(self, *_: Any) -> None:
            """A client that breaks off is none."""

    with Server(("127.0.0.1", 0), Handler) as server:
        port = server.server_address[1]

        def dial(address: tuple[str, int], seconds: float) -> socket.socket:
            net.dialled.append(address[0])
            return socket.create_connection(("127.0.0.1", port), timeout=seconds)

        def resolve(host: str, at: int) -> list[str]:
            return net.resolve(host, at)

        trust = ssl.create_default_context(cafile=folder / "cert.pem")
        net = Internet(Outbound(resolve, dial, trust), {}, {})
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield net
        finally:
            server.shutdown()
            thread.join()
