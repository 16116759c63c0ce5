"""A person takes over, as the shopper's page shows it: Chromium against a running shop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from browser_support import OPEN, Visitor
from playwright.sync_api import expect
from scripted_shop import ScriptedService

from bot.web.service import Presence, TranscriptEntry

pytestmark = pytest.mark.browser

expect.set_options(timeout=15_000)  # milliseconds; the machine may be busy
AT = datetime(2026, 3, 2, tzinfo=UTC)


def said(number: int, text: str) -> TranscriptEntry:
    return TranscriptEntry("agent", text, AT, 1, speaker="Mia", message_id=number)


def test_that_a_person_who_takes_over_is_seen_and_read_without_a_reload(
    visitor: Callable[..., Visitor], address: str, shop: ScriptedService
) -> None:
    one = visitor()
    page = one.visit(address)
    before = set(shop.store)
    status = page.locator(".sb-status")
    expect(status).to_be_hidden()
    one.ask("I want a person")
    (session,) = set(shop.store) - before
    expect(status).to_have_text(
        "A person of the shop has been asked to join. You can go on writing."
    )

    shop.people[session] = Presence("Mia", said=(said(1, "Hello, this is Mia."),))
    expect(status).to_have_text("Mia of the shop answers you here.")
    expect(page.locator(".sb-agent")).to_have_count(1)
    expect(page.locator(".sb-agent .sb-who")).to_contain_text("Mia · Shop team")
    expect(page.locator("#sb-spoken")).to_contain_text("Mia: Hello, this is Mia.")

    shop.people[session] = Presence(
        "Mia", said=(said(1, "Hello, this is Mia."), said(2, "And now?"))
    )
    expect(page.locator(".sb-agent")).to_have_count(2)
    shop.store[session].append(said(1, "Hello, this is Mia."))
    shop.store[session].append(said(2, "And now?"))
    page.reload()
    page.wait_for_selector(OPEN)
    expect(page.locator(".sb-agent")).to_have_count(2)
    expect(status).to_have_text("Mia of the shop answers you here.")

    shop.people[session] = Presence()
    expect(status).to_be_hidden()
    expect(page.locator(".sb-agent")).to_have_count(2)
