"""The chat page as a shopper meets it: Chromium against a running shop."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser_support import OPEN, Visitor, served
from playwright.sync_api import Page, expect
from scripted_shop import HOSTILE, ScriptedService

pytestmark = pytest.mark.browser

expect.set_options(timeout=15_000)  # milliseconds; the machine may be busy
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
Visitors = Callable[..., Visitor]


def overflow(page: Page) -> int:
    """Pixels that the page is wider than the window."""
    return int(
        page.evaluate(
            "Math.max(document.documentElement.scrollWidth,"
            " document.querySelector('.sb-log').scrollWidth) - innerWidth"
        )
    )


def test_that_a_message_is_answered_with_text_cards_and_sources(
    visitor: Visitors, address: str
) -> None:
    one = visitor()
    page = one.visit(address)
    expect(page.get_by_text("You are talking to an AI assistant")).to_be_visible()
    expect(page).to_have_title("Juniper & Pine")
    one.ask("I need a tent")

    expect(page.locator(".sb-said p")).to_have_text("I need a tent")
    expect(page.locator(".sb-text").last).to_contain_text("Pinecrest Two-Person Tent at $189.00")
    expect(page.locator(".sb-card")).to_have_count(3)
    expect(page.locator(".sb-card").first).to_contain_text("In stock")
    expect(page.get_by_role("link", name=re.compile("View in shop.*Pinecrest"))).to_have_attribute(
        "href", "https://shop.example/p/pinecrest"
    )
    expect(page.locator(".sb-card img")).to_have_js_property("complete", True)
    assert page.locator(".sb-card img").evaluate("image => image.naturalWidth") > 0
    quote = page.locator("blockquote").first
    expect(quote).to_be_hidden()
    page.get_by_text("Where this comes from (2)").click()
    expect(quote).to_be_visible()
    expect(quote).to_have_text("Sleeps: 2")
    expect(page.locator("textarea")).to_have_value("")
    expect(page.locator("#sb-spoken")).to_contain_text("3 products shown")


def test_that_stage_words_are_shown_before_any_text(
    visitor: Visitors, address: str, shop: ScriptedService
) -> None:
    one = visitor()
    page = one.visit(address)
    shop.released.clear()
    page.locator("textarea").fill("slow, a tent please")
    page.keyboard.press("Enter")

    expect(page.locator(".sb-stage")).to_have_text("Searching the shop…")
    expect(page.locator(".sb-turn").last.locator(".sb-text")).to_have_count(0)
    page.locator("textarea").fill("meanwhile")
    page.keyboard.press("Enter")  # one turn at a time: the second waits in the box
    expect(page.locator("textarea")).to_have_value("meanwhile")
    shop.released.set()
    one.settled()
    expect(page.locator(".sb-said")).to_have_count(1)
    expect(page.locator(".sb-stage")).to_have_count(0)
    expect(page.locator(".sb-card")).to_have_count(3)


def test_that_a_chip_sends_its_words_and_old_chips_go(visitor: Visitors, address: str) -> None:
    one = visitor()
    page = one.visit(address)
    one.ask("a tent")
    page.get_by_role("button", name="Compare the first two").click()
    one.settled()

    expect(page.locator(".sb-said").last).to_contain_text("Compare the first two")
    expect(page.get_by_role("columnheader", name="Harbour Light Solo Shelter")).to_be_visible()
    expect(page.get_by_role("cell", name="2.1 kg")).to_be_visible()
    expect(page.get_by_role("button", name="Only those in stock")).to_be_hidden()
    expect(page.get_by_role("button", name="Which is in stock?")).to_be_visible()


def test_that_thumbs_are_stored_and_shown_again_after_a_reload(
    visitor: Visitors, address: str, shop: ScriptedService
) -> None:
    one = visitor()
    page = one.visit(address)
    one.ask("a tent")
    turn = int(page.locator(".sb-thumbs").get_attribute("data-turn") or 0)
    up = page.get_by_role("button", name="This answer helped")
    down = page.get_by_role("button", name="This answer did not help")
    up.click()
    expect(up).to_have_attribute("aria-pressed", "true")
    down.click()
    expect(down).to_have_attribute("aria-pressed", "true")
    expect(up).to_have_attribute("aria-pressed", "false")

    assert shop.ratings[turn] == -1
    page.reload()
    page.wait_for_selector(OPEN)
    expect(down).to_have_attribute("aria-pressed", "true")


def test_that_history_survives_a_reload_and_a_restart_of_the_server(
    visitor: Visitors, media: Path
) -> None:
    service = ScriptedService()
    one = visitor()
    with served(service, media_dir=media) as url:
        page = one.visit(url)
        one.ask("a tent")
        page.reload()
        page.wait_for_selector(OPEN)
        expect(page.locator(".sb-card")).to_have_count(3)
        page.goto("about:blank")  # an open page would look for persons while the server is away
        port = int(url.rsplit(":", 1)[1])
    restarted = ScriptedService(store=service.store)
    with served(restarted, port=port, media_dir=media) as url:
        page = one.visit(url)
        expect(page.locator(".sb-card")).to_have_count(3)
        expect(page.locator(".sb-said p")).to_have_text("a tent")
        one.ask("compare the first two")
        expect(page.locator("table")).to_have_count(1)

    (entries,) = service.store.values()
    assert len(entries) == 4  # one conversation, before and after


def test_that_a_page_left_open_goes_on_after_a_restart(visitor: Visitors, media: Path) -> None:
    service = ScriptedService()
    one = visitor()
    with served(service, media_dir=media) as url:
        page = one.visit(url)
        one.ask("a tent")
        port = int(url.rsplit(":", 1)[1])
    with served(service, port=port, media_dir=media):
        one.ask("compare the first two")
        expect(page.locator("table")).to_have_count(1)


def test_that_a_new_chat_starts_empty_and_erasing_asks_once_more(visitor: Visitors) -> None:
    service = ScriptedService()
    one = visitor()
    with served(service) as url:
        page = one.visit(url)
        one.ask("return it")
        page.get_by_role("button", name="New chat").click()
        expect(page.locator(".sb-said")).to_have_count(0)
        expect(page.get_by_text("Welcome to Juniper & Pine.")).to_be_visible()
        assert len(service.store) == 1
        one.ask("return it")
        assert len(service.store) == 2
        page.get_by_text("Privacy").click()
        page.get_by_role("button", name="Erase this conversation").click()
        assert len(service.store) == 2
        page.get_by_role("button", name="Really erase it?").click()
        expect(page.locator(".sb-said")).to_have_count(0)
        expect(page.locator("#sb-spoken")).to_have_text("The conversation has been erased.")
        assert len(service.store) == 1
        assert page.evaluate("localStorage.length") == 0


def test_that_consent_is_the_shoppers_to_give(visitor: Visitors) -> None:
    service = ScriptedService()
    one = visitor()
    with served(service) as url:
        page = one.visit(url)
        page.get_by_text("Privacy").click()
        box = page.get_by_label("may be used to improve the assistant")
        expect(box).not_to_be_checked()
        box.check()
        one.ask("return it")

    assert service.requests[-1].training_consent is True


def test_that_a_person_is_one_press_away(visitor: Visitors, address: str) -> None:
    one = visitor()
    page = one.visit(address)
    page.get_by_role("button", name="Talk to a person").click()
    one.settled()

    expect(page.get_by_text("Passed on to a person")).to_be_visible()


def test_that_a_failed_turn_can_be_tried_again(
    visitor: Visitors, shop: ScriptedService, address: str
) -> None:
    one = visitor()
    page = one.visit(address)
    one.ask("fail")
    expect(page.get_by_role("alert")).to_contain_text("That did not work")
    before = len(shop.requests)
    page.get_by_role("button", name="Try again").click()
    one.settled()

    expect(page.locator(".sb-said")).to_have_count(1)
    again = shop.requests[before:]
    assert [request.message for request in again] == ["fail"]
    assert again[0].client_message_id == shop.requests[before - 1].client_message_id


def test_that_the_keyboard_is_enough(visitor: Visitors, address: str) -> None:
    one = visitor()
    page = one.visit(address)
    box = page.locator("textarea")
    box.focus()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    expect(box).to_have_value("one\ntwo")
    page.keyboard.press("Enter")
    one.settled()
    expect(page.locator(".sb-said p")).to_have_text("one\ntwo", use_inner_text=True)
    expect(box).to_be_focused()

    for _ in range(30):  # Tab round the page until a chip has the focus
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.act") == "chip":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    one.settled()
    expect(page.locator(".sb-said")).to_have_count(2)


def test_that_enter_while_composing_chooses_a_word_and_sends_nothing(
    visitor: Visitors, address: str
) -> None:
    page = visitor().visit(address)
    page.locator("textarea").fill("ni")
    page.locator("textarea").dispatch_event(
        "keydown", {"key": "Enter", "isComposing": True, "bubbles": True, "cancelable": True}
    )

    expect(page.locator("textarea")).to_have_value("ni")
    expect(page.locator(".sb-said")).to_have_count(0)


def test_that_markup_is_shown_as_text_and_runs_nothing(visitor: Visitors, address: str) -> None:
    one = visitor()
    page = one.visit(address)
    one.ask(f"html {HOSTILE}")

    expect(page.locator(".sb-said p")).to_have_text(f"html {HOSTILE}")
    expect(page.locator(".sb-card h2")).to_have_text(HOSTILE)
    expect(page.locator(".sb-card a")).to_have_count(0)
    expect(page.locator(".sb-log b, .sb-log img")).to_have_count(0)
    page.get_by_role("button", name="<img").click()  # the chip sends its words, as words
    one.settled()
    assert page.evaluate("window.hacked") is None


def test_that_a_phone_shows_everything_without_scrolling_sideways(
    visitor: Visitors, address: str
) -> None:
    one = visitor(**PHONE)
    page = one.visit(address)
    assert overflow(page) <= 0
    for message in ("a tent", "compare", "return it", f"html {HOSTILE}{'x' * 300}", "想买茶杯"):
        one.ask(message)
        assert overflow(page) <= 0, message
    small = page.evaluate(
        "[...document.querySelectorAll('.sb-head button, .sb-composer button, .sb-chips button')]"
        ".filter(b => b.offsetParent && b.offsetHeight < 36).length"
    )
    assert small == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_that_the_page_follows_the_systems_colours_and_stays_readable(
    visitor: Visitors, address: str, scheme: str
) -> None:
    one = visitor(color_scheme=scheme)
    page = one.visit(address)
    one.ask("a tent")

    def luminance(selector: str, style: str) -> float:
        red, green, blue = page.locator(selector).last.evaluate(
            f"node => getComputedStyle(node).{style}.match(/[\\d.]+/g).slice(0, 3).map(Number)"
        )
        linear = [
            (c / 255) / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4
            for c in (red, green, blue)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    paper = luminance("#shopbot", "backgroundColor")
    panel = luminance(".sb-card", "backgroundColor")
    assert (paper < 0.1) == (scheme == "dark")
    for selector, ground in (
        (".sb-text", paper), (".sb-notice", paper), (".sb-card h2", panel), (".sb-reason", panel),
        (".sb-yes", panel), (".sb-no", panel),
    ):  # fmt: skip
        ink = luminance(selector, "color")
        contrast = (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05)
        assert contrast >= 4.5, (selector, contrast)  # WCAG 2.2, 1.4.3


def test_that_a_chinese_browser_is_met_in_chinese(visitor: Visitors, address: str) -> None:
    one = visitor(locale="zh-CN")
    page = one.visit(address)
    expect(page.get_by_text("您正在与 AI 助手对话")).to_be_visible()
    expect(page.get_by_role("button", name="转人工")).to_be_visible()
    one.ask("想买茶杯送人")

    expect(page.locator(".sb-card").first).to_contain_text("有货")
    expect(page.locator(".sb-price").first).to_have_text("¥59.00")
    assert page.evaluate("document.documentElement.lang") == "zh"


def test_that_a_token_of_ones_own_making_opens_nothing(
    visitor: Visitors, address: str, shop: ScriptedService
) -> None:
    one = visitor()
    page = one.visit(address)
    one.ask("a tent")
    other = next(iter(shop.store))
    page.evaluate(
        "id => { for (const key of Object.keys(localStorage)) localStorage.setItem(key, id) }",
        other,
    )
    page.reload()
    page.wait_for_selector(OPEN)

    expect(page.locator(".sb-said")).to_have_count(0)


@pytest.mark.parametrize(
    "scene",
    [
        ("welcome", {}, []),
        ("desktop", {}, ["I need a light tent for two"]),
        ("desktop-dark", {"color_scheme": "dark"}, ["a tent", "compare the first two"]),
        ("phone", {**PHONE, "viewport": {"width": 390, "height": 844}}, ["a light tent for two"]),
        (
            "phone-dark",
            {**PHONE, "viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
            ["can I return a tent?"],
        ),
        ("desktop-zh", {"locale": "zh-CN"}, ["想买茶杯送人"]),
    ],
)
def test_that_the_composer_stays_in_view_below_every_conversation(
    visitor: Visitors,
    address: str,
    pictures: Path | None,
    scene: tuple[str, dict[str, Any], list[str]],
) -> None:
    name, options, messages = scene
    one = visitor(**({"viewport": {"width": 1280, "height": 900}} | options))
    page = one.visit(address)
    for message in messages:
        one.ask(message)
    expect(page.locator("textarea")).to_be_in_viewport(ratio=1)
    if messages:
        expect(page.locator(".sb-said").last).to_be_in_viewport(ratio=1)
    if pictures is not None:
        page.wait_for_timeout(400)
        page.screenshot(path=pictures / f"chat-{name}.png", animations="disabled")
