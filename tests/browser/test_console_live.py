"""A shopper and somebody of the shop, each in a browser of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser_support import OPEN, Visitor, barriers
from console_support import Counter, Seat
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

expect.set_options(timeout=15_000)  # milliseconds; the machine may be busy


def test_that_a_shopper_is_taken_over_spoken_with_and_handed_back(
    visitor: Callable[..., Visitor], seat: Callable[..., Seat], counter: Counter
) -> None:
    agent = seat("Mia", "live")
    desk = agent.page
    expect(desk.get_by_text("Nobody waits for a person.")).to_be_visible()
    shopper = visitor()
    chat = shopper.visit(counter.address)
    shopper.ask("how much is the copper kettle?")
    shopper.ask("I want to talk to a person")

    badge = desk.locator(".dk-badge")
    expect(badge).to_have_text("1")  # without a reload
    expect(desk.locator("#dk-spoken")).to_have_text("1 waiting for a person")
    assert barriers(desk) == []
    desk.keyboard.press("j")
    desk.keyboard.press("Enter")
    expect(desk.locator(".dk-facts").first).to_contain_text("asked")
    expect(desk.locator(".dk-log .sb-card")).to_contain_text("Copper Kettle")
    desk.keyboard.press("t")
    expect(desk.locator(".dk-said")).to_contain_text("You speak here now")
    text = desk.get_by_label("Message to the shopper")
    expect(text).to_be_focused()
    expect(chat.locator(".sb-status")).to_have_text("Mia of the shop answers you here.")

    desk.keyboard.type("Hello, this is Mia.")
    desk.reload()
    agent.settled()
    expect(text).to_have_value("Hello, this is Mia.")  # nor does a reload lose it
    text.focus()
    desk.keyboard.press("Enter")
    expect(text).to_have_value("")
    expect(desk.locator(".dk-log .dk-agent")).to_contain_text("Hello, this is Mia.")
    expect(chat.locator(".sb-agent")).to_contain_text("Hello, this is Mia.")
    chat.reload()
    chat.wait_for_selector(OPEN)
    expect(chat.locator(".sb-agent")).to_contain_text("Hello, this is Mia.")

    desk.keyboard.type("I am still writing")
    shopper.ask("is it <b>heavy</b>?")
    expect(desk.locator(".dk-log .dk-shopper").last).to_contain_text("is it <b>heavy</b>?")
    expect(desk.locator("#dk-spoken")).to_have_text("is it <b>heavy</b>?")
    expect(text).to_have_value("I am still writing")
    expect(text).to_be_focused()
    assert barriers(desk) == []
    assert chat.locator(".sb-turn").last.locator(".sb-text").count() == 0  # the bot is silent

    desk.keyboard.press("Escape")
    desk.keyboard.press("h")
    expect(desk.locator(".dk-said")).to_have_text("The assistant speaks again.")
    expect(desk.get_by_text("Nobody waits for a person.")).to_be_visible()
    expect(chat.locator(".sb-status")).to_be_hidden()
    shopper.ask("what is your return policy?")
    expect(chat.locator(".sb-turn").last).to_contain_text("30 days")


def test_that_one_person_speaks_at_a_time_and_what_cannot_be_sent_stays(
    seat: Callable[..., Seat], counter: Counter
) -> None:
    counter.ask("I want to talk to a person")
    number = counter.shop.desk.waiting()[-1].conversation_id
    mia, lea = (seat(name, f"live/{number}").page for name in ("Mia", "Lea"))
    mia.keyboard.press("t")
    expect(mia.get_by_label("Message to the shopper")).to_be_focused()
    expect(lea.locator("[data-live=state]")).to_have_text("Mia speaks here.")
    expect(lea.get_by_label("Message to the shopper")).to_have_count(0)
    mia.keyboard.type("One moment")
    lea.keyboard.press("h")  # a lead may take it out of her hands
    expect(mia.locator("[data-live=state]")).to_have_text("The assistant speaks here.")
    mia.keyboard.press("Enter")
    expect(mia.locator(".dk-said")).to_contain_text("ask them to hand it back")
    mia.keyboard.press("t")
    expect(mia.get_by_label("Message to the shopper")).to_have_value("One moment")


@pytest.mark.parametrize("width", [1280, 390])
def test_that_the_pages_fit_the_screen_and_have_no_barrier(
    seat: Callable[..., Seat], counter: Counter, width: int
) -> None:
    counter.ask("how much is the copper kettle?", "I want to talk to a person")
    number = counter.shop.desk.waiting()[-1].conversation_id
    counter.ask("I want to return order TS-1001, my e-mail is ann@example.org", "the kettle", "yes")
    one = seat("Ada", viewport={"width": width, "height": 800})
    for to in ("live", f"live/{number}", "requests", "people"):
        page = one.go(to)
        assert page.evaluate(
            "() => { const at = document.querySelector('#desk');"
            " return at.scrollWidth <= at.clientWidth }"
        ), to
        assert barriers(page) == [], to
