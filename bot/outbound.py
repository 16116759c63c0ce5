"""A TLS connection to a host of the public internet and to no other.

A name is looked up once; every address it has must be public; and the connection goes to one of
the addresses that were checked, with the name in SNI, certificate check and Host header. So a name
that means another machine a moment later (DNS rebinding) leads nowhere. Knows nothing about what
is fetched.
"""

from __future__ import annotations

import http.client
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from bot.errors import ShopbotError

Resolve = Callable[[str, int], Sequence[str]]
Dial = Callable[[tuple[str, int], float], socket.socket]

_ONE_OF_SEVERAL = 10.0  # seconds that an address gets while there are others
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


class OutboundError(ShopbotError):
    """Something could not be fetched; the message names the host at most, never path or secrets."""


def system_addresses(host: str, port: int) -> list[str]:
    """What the system's resolver knows of a host, in its order. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def connect_to(address: tuple[str, int], seconds: float) -> socket.socket:
    """A TCP connection to a numeric address. Raises OSError."""
    return socket.create_connection(address, timeout=seconds)


@dataclass(frozen=True)
class Outbound:
    """How the internet is reached. Tests hand in a resolver, a dialler and a trusted authority of
    their own; the check of the addresses is always made, on what the resolver says."""

    resolve: Resolve = system_addresses
    dial: Dial = connect_to
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)


def is_public(address: str) -> bool:
    """Whether a numeric address belongs to the public internet.

    Not loopback, private, link-local, shared, multicast, documentation or reserved ones; nor IPv6
    addresses that carry such an IPv4 address, as mapped, 6to4, Teredo and NAT64 ones do.
    """
    try:
        read = ip_address(address)
    except ValueError:  # a scope (`fe80::1%eth0`) or no address at all
        return False
    if isinstance(read, IPv6Address):
        inner = [read.ipv4_mapped, read.sixtofour, *(read.teredo or ())]
        if any(read in network for network in _NAT64):
            inner.append(IPv4Address(int(read) & 0xFFFFFFFF))
        if not all(_is_plain_public(one) for one in inner if one is not None):
            return False
        if read.ipv4_mapped is not None:
            return True
    return _is_plain_public(read)


def _is_plain_public(address: IPv4Address | IPv6Address) -> bool:
    site_local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified or site_local
    )


def checked_addresses(outbound: Outbound, host: str, port: int, *, seconds: float) -> list[str]:
    """The addresses of a host, all of them public, within `seconds`. Raises OutboundError."""
    answers: queue.SimpleQueue[Sequence[str] | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(outbound.resolve(host, port))
        except (OSError, UnicodeError):
            answers.put(None)

    # the system's resolver knows no time limit of ours
    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        raise OutboundError(f"the name {host} was not resolved in time") from None
    if not found:
        raise OutboundError(f"the name {host} cannot be resolved: check the address")
    if not all(map(is_public, found)):
        raise OutboundError(
            f"{host} is an address of this machine or a private network, which is never fetched from"
        )
    return list(found)


class CheckedConnection(http.client.HTTPSConnection):
    """An HTTPS connection to an address that was checked.

    `expire` ends it from another thread, whatever it waits for.
    """

    def __init__(self, outbound: Outbound, host: str, port: int, *, seconds: float) -> None:
        super().__init__(host, port, timeout=seconds, context=outbound.trust)
        self._outbound = outbound
        self._ends = time.monotonic() + seconds
        self._expired = False

    def connect(self) -> None:
        """Connects. Raises OutboundError, and OSError when no address answers or the certificate
        is not the host's."""
        addresses = checked_addresses(self._outbound, self.host, self.port, seconds=self._left())
        plain = self._dialled(addresses)
        plain.settimeout(self._left())
        # a connection that is cut short is an error, not the end of the feed
        self.sock = self._outbound.trust.wrap_socket(
            plain,
            server_hostname=self.host,
            do_handshake_on_connect=False,
            suppress_ragged_eofs=False,
        )
        self._left()
        self.sock.do_handshake()

    def _dialled(self, addresses: Sequence[str]) -> socket.socket:
        """A connection to the first address that answers; the others get a part of the time."""
        for address in addresses[:-1]:
            try:
                return self._outbound.dial((address, self.port), min(self._left(), _ONE_OF_SEVERAL))
            except OSError:
                continue
        return self._outbound.dial((addresses[-1], self.port), self._left())

    def _left(self) -> float:
        """Seconds that are left. Raises TimeoutError when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0 or self._expired:
            raise TimeoutError
        return left

    def expire(self) -> None:
        self._expired = True
        if (sock := self.sock) is not None:
            try:
                # that of the plain socket: the other thread may be reading the encrypted one
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                return
