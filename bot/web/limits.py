"""How often one client and one conversation may ask. Token buckets in memory.

One process is one shop, so memory is enough; a restart forgives. Knows nothing about routes.
"""

from __future__ import annotations

import ipaddress
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.errors import ShopbotError
from bot.web.service import Limits

MAX_BUCKETS = 10_000


class RateLimitedError(ShopbotError):
    """Too many requests; `retry_after` is whole seconds until the next one is accepted."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many messages; try again in {retry_after} s.")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks: the address limits are counted on, and whether limits hold for it at all."""

    address: str
    limited: bool


def client_of(host: str | None, headers: Mapping[str, str]) -> Client:
    """Returns who asks, from the peer's address and the request's headers (names lower-case).

    The owner's own machine is not limited, unless a proxy there speaks for somebody else. Only
    a loopback proxy is believed, and of its list only the last address, the one it wrote itself.
    """
    peer = host or "unknown"
    forwarded = headers.get("x-forwarded-for")
    if not _loopback(peer):
        return Client(peer, limited=True)
    if forwarded:
        return Client(forwarded.rsplit(",", 1)[-1].strip()[:64] or peer, limited=True)
    return Client(peer, limited=any(name in headers for name in ("forwarded", "x-real-ip")))


def _loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


class Buckets:
    """Token buckets by key. The least recently used key is forgotten beyond MAX_BUCKETS."""

    def __init__(self, *, per_minute: int, clock: Callable[[], float]) -> None:
        self._capacity = float(per_minute)
        self._rate = per_minute / 60.0  # tokens per second
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> float:
        """Takes a token and returns 0, or takes none and returns the seconds until there is one."""
        with self._lock:
            now = self._clock()
            level, since = self._levels.pop(key, (self._capacity, now))
            level = min(self._capacity, level + (now - since) * self._rate)
            wait = 0.0 if level >= 1.0 else (1.0 - level) / self._rate
            self._levels[key] = (level if wait else level - 1.0, now)
            if len(self._levels) > MAX_BUCKETS:
                self._levels.popitem(last=False)
            return wait


class Limiter:
    """Admits requests per client and, for messages, per conversation."""

    def __init__(self, limits: Limits, *, clock: Callable[[], float]) -> None:
        self._clients = Buckets(per_minute=limits.per_client_per_minute, clock=clock)
        self._sessions = Buckets(per_minute=limits.per_session_per_minute, clock=clock)

    def admit(self, client: Client, *, session_id: str | None = None) -> None:
        """Counts one request. Raises RateLimitedError."""
        if not client.limited:
            return
        wait = self._clients.take(client.address)
        if not wait and session_id:
            wait = self._sessions.take(session_id)
        if wait:
            raise RateLimitedError(math.ceil(wait))
