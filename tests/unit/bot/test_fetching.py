"""One file over https: what is refused, what is limited, and what a name may lead to."""

from __future__ import annotations

import gzip
import hashlib
import io
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from https_server import HOST, OTHER, PUBLIC, Internet, internet, send

from bot.fetching import Fetched, Limits, Validators, fetch
from bot.outbound import Outbound, OutboundError, is_public

BODY = b"id,title,price\n1,Kettle,9.00 USD\n" * 50
URL = f"https://{HOST}/feed.csv?key=topsecret"


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Internet]:
    with internet(tmp_path) as found:
        yield found


def get(
    net: Internet,
    tmp_path: Path,
    url: str = URL,
    *,
    most: int = 100_000,
    seconds: float = 10,
    known: Validators = Validators(),  # noqa: B008 - frozen
    user: str = "",
    password: str = "",
) -> Fetched | None:
    return fetch(
        url, tmp_path / "got", limits=Limits(most, seconds), outbound=net.outbound,
        known=known, user=user, password=password,
    )  # fmt: skip


def serve(net: Internet, body: bytes = BODY, **headers: str) -> None:
    net.pages[f"{HOST}/feed.csv"] = lambda handler: send(handler, body, **headers)


def refused(net: Internet, tmp_path: Path, url: str = URL, **more: float) -> str:
    with pytest.raises(OutboundError) as error:
        get(net, tmp_path, url, **more)  # type: ignore[arg-type]
    assert "topsecret" not in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_that_a_file_is_written_as_it_was_sent(net: Internet, tmp_path: Path) -> None:
    serve(net, ETag='"v1"', Last_Modified="Mon, 02 Mar 2026 10:00:00 GMT")
    got = get(net, tmp_path)
    assert got == Fetched(
        hashlib.sha256(BODY).hexdigest(), Validators('"v1"', "Mon, 02 Mar 2026 10:00:00 GMT")
    )
    assert (tmp_path / "got").read_bytes() == BODY
    (path, headers) = net.asked[0]
    assert path == f"{HOST}/feed.csv?key=topsecret"
    assert "If-None-Match" not in headers
    assert "Authorization" not in headers


def test_that_what_has_not_changed_is_not_sent_again(net: Internet, tmp_path: Path) -> None:
    def page(handler: BaseHTTPRequestHandler) -> None:
        known = handler.headers["If-None-Match"] == '"v1"'
        send(handler, b"" if known else BODY, status=304 if known else 200, ETag='"v1"')

    net.pages[f"{HOST}/feed.csv"] = page
    first = get(net, tmp_path)
    assert first is not None
    assert get(net, tmp_path, known=first.validators) is None


def test_that_gzip_is_unpacked_whether_the_headers_say_so_or_not(
    net: Internet, tmp_path: Path
) -> None:
    halves = gzip.compress(BODY[:700]) + gzip.compress(BODY[700:])
    for packed, headers in [
        (gzip.compress(BODY), {"Content_Encoding": "gzip"}),
        (gzip.compress(BODY), {}),
        (halves, {}),
    ]:
        serve(net, packed, **headers)
        get(net, tmp_path)
        assert (tmp_path / "got").read_bytes() == BODY


def test_that_a_gzip_bomb_ends_at_the_limit(net: Internet, tmp_path: Path) -> None:
    serve(net, gzip.compress(bytes(50_000_000)))
    assert "larger than" in refused(net, tmp_path, most=1_000_000)
    assert (tmp_path / "got").stat().st_size <= 1_000_000


def test_that_a_damaged_or_cut_gzip_is_refused(net: Internet, tmp_path: Path) -> None:
    packed = gzip.compress(BODY)
    for broken in (packed[:-9], packed[: len(packed) // 2], packed[:20] + b"x" + packed[21:]):
        serve(net, broken)
        assert "broke off" in refused(net, tmp_path)


def test_that_too_large_a_file_is_refused_announced_or_not(net: Internet, tmp_path: Path) -> None:
    serve(net)
    assert "feed.max_megabytes" in refused(net, tmp_path, most=1000)

    def chunked(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for _ in range(40):
            handler.wfile.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
        handler.wfile.write(b"0\r\n\r\n")

    net.pages[f"{HOST}/feed.csv"] = chunked
    assert "feed.max_megabytes" in refused(net, tmp_path, most=20_000)
    assert get(net, tmp_path) is not None


def test_that_a_body_that_ends_early_is_refused(net: Internet, tmp_path: Path) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        send(handler, BODY, length=len(BODY) + 10)
        handler.close_connection = True

    net.pages[f"{HOST}/feed.csv"] = cut
    assert "broke off" in refused(net, tmp_path)


def test_that_a_server_that_drips_is_left_when_the_time_is_over(
    net: Internet, tmp_path: Path
) -> None:
    gone = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        try:
            while not gone.wait(0.02):
                handler.wfile.write(b"x")
        except OSError:
            gone.set()

    net.pages[f"{HOST}/feed.csv"] = drip
    assert "in time" in refused(net, tmp_path, seconds=0.4)
    gone.set()


def test_that_a_resolver_that_hangs_is_not_waited_for(net: Internet, tmp_path: Path) -> None:
    answered = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        answered.wait(10)
        return [PUBLIC]

    net.outbound = Outbound(resolve, net.outbound.dial, net.outbound.trust)
    assert "in time" in refused(net, tmp_path, seconds=0.1)
    answered.set()
    assert net.dialled == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1",
        "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1",
        "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::1", "2002:a00:1::1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "localhost", "",
    ],
)  # fmt: skip
def test_that_an_address_within_is_never_dialled(
    net: Internet, tmp_path: Path, address: str
) -> None:
    serve(net)
    net.addresses[HOST] = [[address]]
    assert "private network" in refused(net, tmp_path)
    net.addresses[HOST] = [[PUBLIC, address]]  # nor when a public one stands before it
    assert "private network" in refused(net, tmp_path)
    assert net.dialled == []
    assert net.asked == []


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f:cb07::1", "::ffff:93.184.215.14"])
def test_that_a_public_address_is_public(address: str) -> None:
    assert is_public(address)


def test_that_a_numeric_address_in_the_url_is_checked_too(net: Internet, tmp_path: Path) -> None:
    outbound = Outbound(dial=net.outbound.dial, trust=net.outbound.trust)  # the system's resolver
    for host in ("127.0.0.1", "[::1]", "169.254.169.254", "2130706433"):
        with pytest.raises(OutboundError, match="private network"):
            fetch(f"https://{host}/", tmp_path / "got", limits=Limits(9, 9), outbound=outbound)
    assert net.dialled == []


def test_that_the_address_that_was_checked_is_the_one_that_is_dialled(
    net: Internet, tmp_path: Path
) -> None:
    serve(net)
    net.addresses[HOST] = [[PUBLIC], ["127.0.0.1"]]  # rebinds after the first look-up
    assert get(net, tmp_path) is not None
    assert net.dialled == [PUBLIC]
    assert "private network" in refused(net, tmp_path)
    assert net.dialled == [PUBLIC]


def test_that_every_hop_is_checked(net: Internet, tmp_path: Path) -> None:
    net.pages[f"{OTHER}/new.csv"] = lambda handler: send(handler, BODY)

    def to(place: str) -> None:
        net.pages[f"{HOST}/feed.csv"] = lambda handler: send(handler, status=302, Location=place)

    to(f"https://{OTHER}/new.csv")
    assert get(net, tmp_path) is not None
    net.addresses[OTHER] = [["10.1.2.3"]]
    assert "private network" in refused(net, tmp_path)
    dialled = len(net.dialled)
    for place in (f"http://{OTHER}/new.csv", "file:///etc/passwd", "ftp://x/", "https://u:p@x/"):
        to(place)
        refused(net, tmp_path)
    assert net.dialled[dialled:] == [PUBLIC] * 4  # the first host alone
    to(URL)
    assert "more than 5 times" in refused(net, tmp_path)


def test_that_a_password_goes_to_its_own_host_alone(net: Internet, tmp_path: Path) -> None:
    net.pages[f"{HOST}/feed.csv"] = lambda handler: send(
        handler, status=307, Location=f"https://{OTHER}/new.csv"
    )
    net.pages[f"{OTHER}/new.csv"] = lambda handler: send(handler, BODY)
    get(net, tmp_path, user="shop", password="hush")
    first, second = (headers for _, headers in net.asked)
    assert first["Authorization"] == "Basic c2hvcDpodXNo"
    assert "Authorization" not in second


def test_that_a_certificate_must_be_the_hosts_and_trusted(net: Internet, tmp_path: Path) -> None:
    serve(net)
    assert "certificate" in refused(net, tmp_path, "https://elsewhere.example/feed.csv")
    net.outbound = Outbound(net.resolve, net.outbound.dial, ssl.create_default_context())
    assert "certificate" in refused(net, tmp_path)
    assert net.asked == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://shop.example/feed.csv", "https:// alone"),
        ("https://", "https:// alone"),
        ("https://shop.example:0/", "https:// alone"),
        ("https://[bad/", "https:// alone"),
        ("https://a:b@shop.example/", "name or password"),
    ],
)
def test_that_nothing_but_https_is_asked_for(
    net: Internet, tmp_path: Path, url: str, told: str
) -> None:
    assert told in refused(net, tmp_path, url)
    assert net.dialled == []


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [
        (500, {}, "answered 500"),
        (401, {}, "feed.password"),
        (200, {"Content_Type": "text/html; charset=utf-8"}, "web page"),
        (200, {"Content_Encoding": "br"}, "not asked for"),
        (304, {}, "answered 304"),  # nothing was fetched before
    ],
)
def test_that_an_answer_that_is_no_feed_is_told(
    net: Internet, tmp_path: Path, status: int, headers: dict[str, str], told: str
) -> None:
    net.pages[f"{HOST}/feed.csv"] = lambda handler: send(
        handler, b"" if status == 304 else BODY, status=status, **headers
    )
    assert told in refused(net, tmp_path)


def test_that_an_empty_feed_and_one_that_is_not_there_are_told(
    net: Internet, tmp_path: Path
) -> None:
    assert "answered 404" in refused(net, tmp_path)
    serve(net, b"")
    assert "is empty" in refused(net, tmp_path)
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb"):
        pass
    serve(net, buffer.getvalue())
    assert "is empty" in refused(net, tmp_path)
