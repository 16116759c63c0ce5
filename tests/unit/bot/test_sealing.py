"""What is sealed is read with the same secret alone, and only as it was sealed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.sealing import SealError, open_details, seal, unseal
from db.requests import StoredRequest

SECRET, OTHER = b"s" * 32, b"o" * 32
DETAILS = {"address": "12 Mill Lane, 伦敦", "items": "Copper Kettle"}


def test_that_details_come_back_with_the_same_secret() -> None:
    assert unseal(seal(DETAILS, SECRET), SECRET) == DETAILS
    assert seal({}, SECRET) == b""
    assert unseal(b"", SECRET) == {}


def test_that_the_token_tells_nothing_and_is_another_each_time() -> None:
    token = seal(DETAILS, SECRET)
    assert b"Mill" not in token
    assert token != seal(DETAILS, SECRET)
    assert token.startswith(b"gAAAA")  # what ConversationStore.unfinished looks for


@pytest.mark.parametrize("token", [seal(DETAILS, OTHER), seal(DETAILS, SECRET)[:-4], b"garbage"])
def test_that_another_secret_or_an_altered_token_fails_with_the_remedy(token: bytes) -> None:
    with pytest.raises(SealError, match="put the home's own `secret` file back"):
        unseal(token, SECRET)


def test_that_a_recorded_request_is_opened() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    request = StoredRequest("R-1", "change", "recorded", 1, "A-1", seal(DETAILS, SECRET), now)
    assert open_details(request, SECRET) == DETAILS
    bare = StoredRequest("R-2", "cancel", "recorded", 1, "A-1", None, now)
    assert open_details(bare, SECRET) == {}
