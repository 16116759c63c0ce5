"""Token buckets, and whom they are counted on."""

from __future__ import annotations

import pytest

from bot.web.limits import MAX_BUCKETS, Buckets, Client, client_of


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_that_a_bucket_refills_evenly_and_says_how_long_to_wait() -> None:
    clock = Clock()
    buckets = Buckets(per_minute=6, clock=clock)

    assert [buckets.take("a") for _ in range(7)] == [0.0] * 6 + [10.0]
    clock.now = 4.0
    assert buckets.take("a") == pytest.approx(6.0)
    clock.now = 10.0
    assert buckets.take("a") == 0.0
    assert buckets.take("b") == 0.0


def test_that_memory_is_bounded_and_the_busiest_is_remembered() -> None:
    buckets = Buckets(per_minute=2, clock=Clock())
    buckets.take("busy")
    for number in range(MAX_BUCKETS + 5):
        buckets.take(f"passing-{number}")
        if number == 5:
            buckets.take("busy")

    assert buckets.take("passing-0") == 0.0
    assert len(buckets._levels) == MAX_BUCKETS


@pytest.mark.parametrize(
    ("host", "headers", "client"),
    [
        ("127.0.0.1", {}, Client("127.0.0.1", limited=False)),
        ("::1", {}, Client("::1", limited=False)),
        ("::ffff:127.0.0.1", {}, Client("::ffff:127.0.0.1", limited=False)),
        ("203.0.113.7", {}, Client("203.0.113.7", limited=True)),
        ("127.0.0.1", {"x-forwarded-for": "a, b"}, Client("b", limited=True)),
        ("127.0.0.1", {"forwarded": "for=a"}, Client("127.0.0.1", limited=True)),
        ("203.0.113.7", {"x-forwarded-for": "127.0.0.1"}, Client("203.0.113.7", limited=True)),
        (None, {}, Client("unknown", limited=True)),
    ],
)
def test_that_only_the_bare_loopback_is_free(
    host: str | None, headers: dict[str, str], client: Client
) -> None:
    assert client_of(host, headers) == client
