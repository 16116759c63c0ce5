"""From the queue to a review to the next turn by keyboard, and corrections that have no source."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser_support import barriers
from console_support import Counter, Seat
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

PRICE = "how much is the copper kettle?"


def chosen(page: Page) -> str:
    """The message of the turn that is looked at."""
    return page.locator(".dk-chosen .dk-shopper p").inner_text()


def test_that_the_queue_is_worked_through_without_a_mouse(
    seat: Callable[..., Seat], counter: Counter
) -> None:
    for message in ("hello", "what is your return policy?", PRICE):
        counter.ask(message)
    one = seat("Mia", "queue")
    page = one.page
    assert barriers(page) == []
    page.keyboard.press("j")
    expect(page.locator("[data-row]").nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.locator(".dk-chosen")).to_be_focused()
    assert chosen(page) == PRICE
    page.keyboard.press("g")
    said = page.locator(".dk-said")
    expect(said).to_have_text("Saved: this reply is good.")
    expect(page.locator("#dk-spoken")).to_have_text("Saved: this reply is good.")
    page.keyboard.press("n")
    expect(page.locator(".dk-chosen .dk-shopper p")).to_have_text("what is your return policy?")
    page.keyboard.press("b")
    expect(page.get_by_label("Bad, because it is")).to_be_focused()
    page.get_by_label("Bad, because it is").select_option("tone")
    page.keyboard.press("Control+Enter")
    expect(said).to_have_text("Saved: this reply is bad.")
    page.keyboard.press("n")
    expect(page.locator(".dk-chosen .dk-shopper p")).to_have_text("hello")
    expect(page.get_by_text("the last of the queue")).to_be_visible()
    page.keyboard.press("q")
    expect(page.locator("[data-row]")).to_have_count(1)
    page.keyboard.press("/")
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{counter.address}/console/#/queue?kind=unreviewed&search=hello")
    expect(page.locator("[data-row]")).to_have_count(1)


def test_that_a_correction_without_a_source_is_refused_and_nothing_of_it_is_lost(
    seat: Callable[..., Seat], counter: Counter
) -> None:
    reply = counter.ask(PRICE)
    one = seat("Mia", f"turn/{reply.turn_id}?kind=all")
    page = one.page
    text = page.get_by_label("What should have been said")
    expect(text).to_have_value(reply.text)
    untrue = "The Copper Kettle costs $39.00."
    page.get_by_label("Bad, because it is").select_option("incorrect")
    text.fill(untrue)
    page.reload()
    one.settled()
    expect(text).to_have_value(untrue)  # not even a reload loses it
    page.get_by_role("button", name="Save as bad").click()
    expect(page.locator(".dk-said")).to_contain_text("Not saved")
    expect(page.locator(".dk-lacking mark")).to_have_text("$39.00")
    expect(page.locator(".dk-lacking")).to_contain_text("No source for: “$39.00”")
    expect(text).to_have_value(untrue)
    expect(text).to_be_focused()
    expect(page.get_by_label("Bad, because it is")).to_have_value("incorrect")
    assert barriers(page) == []

    text.fill("The Copper Kettle costs $49.00.")
    page.get_by_role("button", name="Check the text").click()
    expect(page.locator(".dk-said")).to_have_text("Every claim of the text has a source.")
    page.get_by_role("button", name="Save as bad").click()
    expect(page.locator(".dk-reviews blockquote")).to_have_text("The Copper Kettle costs $49.00.")
    page.get_by_text("A fact is wrong?").click()
    mended = page.get_by_role("link", name="Copper Kettle").last
    expect(mended).to_have_attribute("href", "https://shop.example/p/k1")


def test_that_two_who_correct_one_turn_lose_nothing_and_the_later_sees_the_earlier(
    seat: Callable[..., Seat], counter: Counter
) -> None:
    reply = counter.ask(PRICE)
    first, second = (seat(name, f"turn/{reply.turn_id}") for name in ("Mia", "Lea"))
    texts = ["The Copper Kettle is $49.00.", "Copper Kettle: $49.00."]
    for one, text in zip((first, second), texts, strict=True):
        one.page.get_by_label("What should have been said").fill(text)
        one.page.get_by_label("Bad, because it is").select_option("tone")
        one.page.get_by_role("button", name="Save as bad").click()
        expect(one.page.locator(".dk-said")).to_contain_text("Saved")
    expect(second.page.locator(".dk-said")).to_contain_text("Mia had corrected it meanwhile")
    expect(second.page.locator(".dk-reviews blockquote")).to_have_text(texts[::-1])


def test_that_a_case_is_kept_from_the_page(seat: Callable[..., Seat], counter: Counter) -> None:
    reply = counter.ask("hello")
    page = seat("Mia", f"turn/{reply.turn_id}?kind=all").page
    said = page.locator(".dk-said")
    page.keyboard.press("a")
    expect(said).to_have_text("Assigned to Mia.")
    page.get_by_label("Tags, parted by commas").fill("<b>vip</b>, late")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(said).to_have_text("The tags are saved.")
    page.keyboard.press("t")
    page.keyboard.type("<i>calls back</i>")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".dk-notes")).to_contain_text("<i>calls back</i>")
    expect(page.get_by_label("Note for the team")).to_have_value("")
    page.get_by_label("Outcome").select_option("handed_over")
    page.get_by_role("button", name="Save the outcome").click()
    expect(said).to_have_text("Say why it was handed over.")
    page.get_by_label("Outcome").select_option("resolved")
    page.get_by_role("button", name="Save the outcome").click()
    expect(said).to_have_text("The conversation is resolved.")
    expect(page.get_by_label("Tags, parted by commas")).to_have_value("<b>vip</b>, late")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_that_nothing_is_wider_than_the_screen_and_no_barrier_is_found(
    seat: Callable[..., Seat], counter: Counter, width: int, scheme: str
) -> None:
    reply = counter.ask(PRICE, "a kettle made of " + "x" * 300, "compare the kettle and the lamp")
    one = seat("Mia", viewport={"width": width, "height": 800}, color_scheme=scheme)
    for to in ("queue?kind=all", f"turn/{reply.turn_id}?kind=all", f"turn/{reply.turn_id - 1}"):
        page = one.go(to)
        page.evaluate("document.querySelectorAll('#desk details').forEach(one => one.open = true)")
        assert page.evaluate(
            "() => { const at = document.querySelector('#desk');"
            " return at.scrollWidth <= at.clientWidth }"
        ), to
        assert barriers(page) == [], to
