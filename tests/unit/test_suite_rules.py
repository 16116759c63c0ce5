"""The suite keeps its own rules: no outside connection, no silent skip."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_socket import SocketConnectBlockedError

ROOT = Path(__file__).parents[2]


def test_that_a_connection_that_leaves_the_machine_is_refused() -> None:
    # The refusal warns before it raises, and warnings are errors here.
    with (
        pytest.raises((SocketConnectBlockedError, UserWarning), match=r"192\.0\.2\.1"),
        socket.socket() as outside,
    ):
        outside.connect(("192.0.2.1", 443))


def test_that_a_connection_within_the_machine_is_made() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


@pytest.mark.parametrize(
    ("required", "outcome"), [("", "1 skipped"), ("acceptance,postgres", "1 failed")]
)
def test_that_a_skipped_test_fails_where_it_is_required_and_is_named_in_the_end(
    tmp_path: Path, required: str, outcome: str
) -> None:
    path = tmp_path / "test_something.py"
    path.write_text(
        "import pytest\n"
        "@pytest.mark.postgres\n"
        "def test_that_needs_a_server():\n"
        "    pytest.skip('the server is on holiday')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "--rootdir", ROOT,
         "-p", "tests.conftest", "-p", "no:cacheprovider", path],
        cwd=ROOT,
        env=os.environ | {"SHOPBOT_TEST_REQUIRE": required},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert outcome in ended.stdout
    if required:
        assert "postgres is required, but: the server is on holiday" in ended.stdout
    else:
        assert "not run: 1 test(s): the server is on holiday" in ended.stdout
