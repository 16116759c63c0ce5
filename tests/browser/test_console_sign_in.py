"""Signing in and out of the console, as people and their browsers do it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser_support import barriers
from console_support import Counter, Seat
from desk_support import PASSWORD
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

# a refused password and the form in place of a page are told by their status, which the log shows
REFUSED = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"


def test_that_who_signs_in_comes_out_where_the_link_led(
    seat: Callable[..., Seat], counter: Counter
) -> None:
    one = seat()
    page = one.page
    page.goto(f"{counter.address}/console#/queue?kind=all")
    expect(page.get_by_label("Name")).to_be_focused()
    assert barriers(page) == []
    one.fill_in("Mia", "wrong horse")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("Name")).to_have_value("Mia")
    assert barriers(page) == []
    one.fill_in("Mia", PASSWORD)
    one.settled()
    expect(page).to_have_title(f"Queue · {counter.shop.shop_name}")
    assert page.url.endswith("/console/#/queue?kind=all")
    expect(page.get_by_role("link", name="All turns")).to_have_attribute("aria-current", "true")

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Password")).to_be_visible()
    one.forgive(REFUSED)


def test_that_a_session_that_ends_meanwhile_is_told_and_the_form_leads_back(
    seat: Callable[..., Seat], counter: Counter
) -> None:
    one = seat("Mia", "queue?kind=all")
    counter.office.accounts.set_password("Mia", PASSWORD)
    one.page.get_by_role("link", name="Unreviewed").click()
    said = one.page.locator(".dk-said")
    expect(said).to_contain_text("You are signed out")
    said.get_by_role("link", name="Sign in").click()
    one.fill_in("Mia", PASSWORD)
    one.settled()
    expect(one.page.get_by_role("link", name="Unreviewed")).to_have_attribute(
        "aria-current", "true"
    )
    one.forgive(REFUSED)


def test_that_the_keys_are_listed_and_can_be_switched_off(seat: Callable[..., Seat]) -> None:
    page = seat("Mia", "queue?kind=all").page
    dialog = page.get_by_role("dialog")
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    assert barriers(page) == []
    page.get_by_label("Single keys work outside of fields").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("?")
    page.keyboard.press("/")
    expect(dialog).to_be_hidden()
    expect(page.get_by_label("Words of the conversation")).not_to_be_focused()
