"""The chat in another site's page, which keeps no cookie of the shop's: two sites, one Chromium.

The page stands at `shop.localhost`, the shop's assistant at `127.0.0.1`: to a browser two sites.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from browser_support import ARGUMENTS, OPEN, SECRET, Site, Visitor, barriers, served, site
from playwright.sync_api import Frame, Page, Playwright, expect
from scripted_shop import NOW, ScriptedService

from bot.web.service import Presence, TranscriptEntry

pytestmark = pytest.mark.browser

expect.set_options(timeout=15_000)  # milliseconds; the machine may be busy
SHOP = "shop.localhost"
STRANGER = "stranger.localhost"
BOT = "127.0.0.1"
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
LAUNCHER = "#shopbot-widget button"
PANEL = "#shopbot-widget .panel"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Fern</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>Fern, a shop</h1><p><a href="/other">Another page</a></p></main>{}</body></html>"""
Visitors = Callable[..., Visitor]


@pytest.fixture
def visitor(playwright: Playwright, chromium_path: str, tmp_path: Path) -> Iterator[Visitors]:
    """Makes visitors whose browsers drop other sites' cookies; `cookies=True` keeps them.

    None may have spoken to a third host or raised an error that the test did not expect.
    """
    with ExitStack() as contexts:
        made: list[Visitor] = []

        def make(*, cookies: bool = False, storage: bool = True, **options: object) -> Visitor:
            home = tmp_path / f"browser-{len(made)}"
            (home / "Default").mkdir(parents=True)
            told = {
                "block_third_party_cookies": not cookies,
                "cookie_controls_mode": int(not cookies),
            }
            (home / "Default" / "Preferences").write_text(json.dumps({"profile": told}))
            # Playwright switches the parting of storage by site off, which every browser has on.
            parted = ("--disable-features=HttpsUpgrades",) if storage else ()
            context = playwright.chromium.launch_persistent_context(
                home,
                executable_path=chromium_path,
                args=[*ARGUMENTS, *parted],
                **({"locale": "en-US"} | options),  # type: ignore[arg-type]
            )
            contexts.callback(context.close)
            made.append(Visitor(context))
            return made[-1]

        yield make
        for one in made:
            assert one.hosts <= {SHOP, STRANGER, BOT}, one.hosts
            assert one.errors == []


class Embedded:
    """A shop's own page with the assistant in it, and the assistant, which may be restarted."""

    def __init__(self, page: Site, media: Path) -> None:
        self.page = page
        self.service = ScriptedService()
        self._media = media
        self._running = ExitStack()
        self.bot = ""
        self.start(0)

    def start(self, port: int) -> None:
        framing = (self.page.address(SHOP),)
        self.bot = self._running.enter_context(
            served(self.service, port=port, frame_ancestors=framing, media_dir=self._media)
        )

    def stop(self) -> int:
        self._running.close()
        return int(self.bot.rsplit(":", 1)[1])

    def put(self, path: str, html: str) -> None:
        self.page.pages[path] = PAGE.format(html)

    def script(self, more: str = "") -> str:
        return f'<script src="{self.bot}/widget.js" async {more}></script>'


@contextmanager
def embedded(media: Path) -> Iterator[Embedded]:
    with site() as page:
        shop = Embedded(page, media)
        shop.put("/", shop.script())
        shop.put("/other", shop.script())
        try:
            yield shop
        finally:
            shop.stop()


@pytest.fixture
def shop(media: Path) -> Iterator[Embedded]:
    with embedded(media) as made:
        yield made


def chat_of(page: Page) -> Frame:
    """The chat's frame, once it is open."""
    frame = page.wait_for_selector("iframe", state="attached").content_frame()
    assert frame is not None
    frame.wait_for_selector(OPEN, state="attached")
    return frame


def ask(frame: Frame, message: str) -> None:
    frame.locator("textarea").fill(message)
    frame.locator("textarea").press("Enter")
    frame.wait_for_selector("#shopbot:not(.sb-busy)")


def test_that_the_browser_of_these_tests_really_drops_another_sites_cookie(
    visitor: Visitors,
) -> None:
    with site() as page, site({"set-cookie": "third=1; SameSite=None; Secure; Path=/"}) as other:
        other.pages["/"] = "a cookie comes with this"
        page.pages["/"] = f'<iframe src="{other.address(BOT)}/"></iframe>'
        brought = []
        for cookies in (True, False):
            one = visitor(cookies=cookies)
            for _ in range(2):
                one.page.goto(page.address(SHOP))
                one.page.wait_for_load_state("networkidle")
            brought.append(other.cookies[-1])

    assert brought == ["third=1", ""]


@pytest.mark.parametrize("how", ["launcher", "frame"])
def test_that_the_conversation_outlives_reload_and_restart_without_any_cookie(
    visitor: Visitors, shop: Embedded, how: str
) -> None:
    if how == "frame":
        frame = f'<iframe src="{shop.bot}/chat/" title="Chat" width="420" height="640"></iframe>'
        shop.put("/", frame)
    one = visitor()
    page = one.page
    address = shop.page.address(SHOP)
    page.goto(address)
    if how == "launcher":
        page.locator(LAUNCHER).click()
    ask(chat_of(page), "a tent")
    expect(chat_of(page).locator(".sb-card")).to_have_count(3)

    page.reload()
    expect(chat_of(page).locator(".sb-said p")).to_have_text("a tent")
    page.goto("about:blank")
    port = shop.stop()
    shop.service = ScriptedService(store=shop.service.store)
    shop.start(port)
    page.goto(address)
    expect(chat_of(page).locator(".sb-said p")).to_have_text("a tent")
    ask(chat_of(page), "compare the first two")
    expect(chat_of(page).locator("table")).to_have_count(1)

    (entries,) = shop.service.store.values()
    assert len(entries) == 4
    assert page.context.cookies() == []
    assert one.hosts == {SHOP, BOT}


def test_that_a_browser_that_refuses_storage_still_chats(visitor: Visitors, shop: Embedded) -> None:
    page = visitor(storage=False).page
    page.goto(shop.page.address(SHOP))
    page.locator(LAUNCHER).click()
    chat = chat_of(page)
    assert chat.evaluate("() => { try { return !!localStorage } catch { return 'refused' } }") == (
        "refused"
    )
    ask(chat, "a tent")
    ask(chat, "compare the first two")

    expect(chat.locator("table")).to_have_count(1)
    (entries,) = shop.service.store.values()
    assert len(entries) == 4


def test_that_a_site_that_is_not_listed_cannot_frame_the_chat(
    visitor: Visitors, shop: Embedded
) -> None:
    one = visitor()
    page = one.page
    page.goto(shop.page.address(STRANGER))
    page.locator(LAUNCHER).click()

    told = page.locator("#shopbot-widget .refused")
    expect(told).to_be_visible()
    expect(told).to_contain_text("The assistant cannot be shown in this page.")
    expect(told.locator("a")).to_have_attribute("href", f"{shop.bot}/chat/")
    assert [frame for frame in page.frames if frame.query_selector("#shopbot")] == []
    assert len(one.errors) == 1
    assert "frame-ancestors" in one.errors.pop()


def test_that_the_launcher_works_by_keyboard_and_hands_the_focus_on_and_back(
    visitor: Visitors, shop: Embedded
) -> None:
    page = visitor().page
    page.goto(shop.page.address(SHOP))
    launcher = page.get_by_role("button", name="Chat with Juniper & Pine")
    expect(launcher).to_have_attribute("aria-expanded", "false")
    launcher.focus()
    page.keyboard.press("Enter")
    chat = chat_of(page)
    expect(page.get_by_role("dialog", name="Chat with Juniper & Pine")).to_be_visible()
    expect(chat.locator("textarea")).to_be_focused()
    page.keyboard.type("a tent")
    page.keyboard.press("Enter")
    expect(chat.locator(".sb-card")).to_have_count(3)
    page.keyboard.press("Escape")

    expect(page.locator(PANEL)).to_be_hidden()
    expect(launcher).to_be_focused()
    expect(launcher).to_have_attribute("aria-expanded", "false")


def test_that_the_chat_stays_as_it_was_left_while_a_shopper_leafs_through_the_shop(
    visitor: Visitors, shop: Embedded
) -> None:
    page = visitor().page
    page.goto(shop.page.address(SHOP))
    page.locator(LAUNCHER).click()
    ask(chat_of(page), "a tent")
    page.get_by_role("link", name="Another page").click()
    page.wait_for_url("**/other")
    expect(chat_of(page).locator(".sb-said p")).to_have_text("a tent")
    expect(page.locator(PANEL)).to_be_visible()
    chat_of(page).get_by_role("button", name="Close the chat").click()
    expect(page.locator(PANEL)).to_be_hidden()

    page.goto(shop.page.address(SHOP))
    expect(page.locator(LAUNCHER)).to_be_visible()
    expect(page.locator(PANEL)).to_be_hidden()


def test_that_a_word_of_a_person_is_told_at_the_launcher(visitor: Visitors, shop: Embedded) -> None:
    page = visitor().page
    page.goto(shop.page.address(SHOP))
    page.locator(LAUNCHER).click()
    chat = chat_of(page)
    ask(chat, "I want a person")
    (session,) = shop.service.store
    chat.get_by_role("button", name="Close the chat").click()
    dot = page.locator("#shopbot-widget .dot")
    expect(dot).to_be_hidden()
    said = TranscriptEntry("agent", "Hello, this is Mia.", NOW, 1, speaker="Mia", message_id=1)
    shop.service.people[session] = Presence("Mia", said=(said,))

    expect(dot).to_be_visible()
    page.get_by_role("button", name="Chat with Juniper & Pine. New message").click()
    expect(chat.locator(".sb-agent")).to_have_count(1)
    expect(dot).to_be_hidden()


def test_that_nothing_is_fetched_of_the_chat_before_the_launcher_is_pressed(
    visitor: Visitors, shop: Embedded
) -> None:
    page = visitor().page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(shop.page.address(SHOP))
    expect(page.locator(LAUNCHER)).to_be_visible()
    page.wait_for_load_state("networkidle")

    assert [url for url in asked if url.startswith(shop.bot)] == [f"{shop.bot}/widget.js"]


def test_that_a_strict_page_policy_and_a_rude_style_sheet_leave_the_launcher_whole(
    visitor: Visitors, media: Path
) -> None:
    rude = "<style>button, section { display: none !important; font-size: 90px } * { color: red }</style>"
    with embedded(media) as shop:
        # only what docs/embedding.md asks for, and no inline style of anybody but the page's own
        shop.page.headers["content-security-policy"] = (
            f"default-src 'none'; script-src {shop.bot}; frame-src {shop.bot}; "
            "style-src 'none'; require-trusted-types-for 'script'"
        )
        page = visitor().page
        page.goto(shop.page.address(SHOP))
        page.locator(LAUNCHER).click()
        ask(chat_of(page), "a tent")
        shop.page.headers.clear()
        shop.put("/rude", rude + shop.script())
        page.goto(f"{shop.page.address(SHOP)}/rude")
        launcher = page.locator(LAUNCHER)
        expect(launcher).to_be_visible()
        expect(launcher).to_have_css("font-size", "16px")
        expect(launcher).to_have_css("color", "rgb(255, 255, 255)")
        expect(page.locator(PANEL)).to_be_visible()


def test_that_the_owner_chooses_side_colour_and_language(visitor: Visitors, shop: Embedded) -> None:
    chosen = 'data-position="left" data-accent="#225588" data-locale="zh"'
    shop.put("/", shop.script(chosen) + shop.script(chosen))  # pasted twice by mistake
    page = visitor().page
    page.goto(shop.page.address(SHOP))
    launcher = page.get_by_role("button", name="咨询Juniper & Pine")
    expect(launcher).to_have_count(1)
    expect(launcher).to_have_css("background-color", "rgb(34, 85, 136)")
    box = launcher.bounding_box()
    assert box is not None and box["x"] < 40
    launcher.click()
    expect(chat_of(page).get_by_text("您正在与 AI 助手对话")).to_be_visible()


def test_that_on_a_phone_the_chat_fills_the_window_and_closes(
    visitor: Visitors, shop: Embedded, pictures: Path | None
) -> None:
    page = visitor(**PHONE).page
    page.goto(shop.page.address(SHOP))
    page.locator(LAUNCHER).tap()
    chat = chat_of(page)
    ask(chat, "a tent")
    assert page.locator(PANEL).bounding_box() == {"x": 0, "y": 0, "width": 360, "height": 740}
    expect(page.locator(LAUNCHER)).to_be_hidden()
    if pictures:
        page.screenshot(path=pictures / "widget-phone.png")
    chat.get_by_role("button", name="Close the chat").tap()
    expect(page.locator(PANEL)).to_be_hidden()
    expect(page.locator(LAUNCHER)).to_be_visible()


def test_that_the_pretend_shop_shows_goods_the_line_and_the_assistant(
    visitor: Visitors, shop: Embedded, pictures: Path | None
) -> None:
    one = visitor()
    page = one.page
    page.goto(f"{shop.bot}/embed-demo")
    expect(page.get_by_role("heading", name="Pinecrest Two-Person Tent")).to_be_visible()
    expect(page.locator("pre").first).to_have_text(
        f'<script src="{shop.bot}/widget.js" async></script>'
    )
    expect(page.locator(LAUNCHER)).to_be_visible()
    assert barriers(page) == []
    page.locator(LAUNCHER).click()
    chat = chat_of(page)
    ask(chat, "a tent")
    page.wait_for_load_state("networkidle")
    if pictures:
        page.screenshot(path=pictures / "embed-demo.png")
    assert barriers(page) == []
    assert barriers(chat) == []
    assert one.hosts == {BOT}


def test_that_another_sites_page_with_the_assistant_has_no_barrier(
    visitor: Visitors, shop: Embedded, pictures: Path | None
) -> None:
    page = visitor().page
    page.goto(shop.page.address(SHOP))
    assert barriers(page) == []
    page.locator(LAUNCHER).click()
    chat = chat_of(page)
    ask(chat, "compare the first two")
    assert barriers(page) == []
    assert barriers(chat) == []
    if pictures:
        page.screenshot(path=pictures / "widget-desktop.png")


def test_that_a_message_of_another_frame_moves_nothing(visitor: Visitors, shop: Embedded) -> None:
    page = visitor().page
    page.goto(shop.page.address(SHOP))
    page.locator(LAUNCHER).click()
    chat_of(page)
    page.evaluate("window.postMessage({ shopbot: 'close' }, '*')")
    page.evaluate("new Promise(done => setTimeout(done, 200))")

    expect(page.locator(PANEL)).to_be_visible()
    assert SECRET.decode() not in page.content()
