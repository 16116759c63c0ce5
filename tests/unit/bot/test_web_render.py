"""What the page shows of a reply: every word of a shop or shopper is text, every link a link."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_shop import HOSTILE, ScriptedService
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from bot.turn import ChatRequest
from bot.web import chat_render as render
from bot.web.payload import reply_payload
from bot.web.turns import pieces


def payload(message: str) -> dict[str, object]:
    return reply_payload(ScriptedService().chat(ChatRequest(message)))


def test_that_markup_in_any_field_is_shown_as_text() -> None:
    tree = HTMLParser(render.reply_html(payload("html")))

    assert tree.css("b, script, img") == []
    for selector in (".sb-text", "h2", ".sb-reason", "th[scope=col]", "td", "blockquote", "button"):
        assert any(HOSTILE in node.text() for node in tree.css(selector)), selector
    assert tree.css("a") == []  # javascript: is no link


@given(st.text())
def test_that_no_text_makes_an_element(text: str) -> None:
    html = render.shopper_html(text, language="en") + render.partial_html(text, language="en")

    assert set(re.findall(r"<(\w+)", html)) <= {"div", "span", "p", "ul", "li", "br"}


@given(st.text())
def test_that_the_pieces_of_a_text_join_to_it(text: str) -> None:
    assert "".join(pieces(text)) == text


def test_that_words_and_pairs_of_characters_are_the_pieces() -> None:
    assert pieces("It is here.") == ["It", " is", " here."]
    assert pieces("两款都有") == ["两款", "都有"]


def test_that_a_form_that_was_named_shows_its_own_price_and_stock() -> None:
    said = payload("a tent")
    card = said["products"][0]  # type: ignore[index]
    plain = HTMLParser(render.reply_html(said))
    assert plain.css(".sb-variant") == [] and "189.00" in plain.css_first(".sb-price").text()

    card["variant"] = {
        "label": f"Moss {HOSTILE}", "options": [], "ids": ["t-1"], "price": "205.00",
        "price_to": None, "currency": "USD", "in_stock": False,
    }  # fmt: skip
    named = HTMLParser(render.reply_html(said)).css_first(".sb-card")
    assert named.css_first(".sb-variant").text() == f"Moss {HOSTILE}"
    assert "205.00" in named.css_first(".sb-price").text()
    assert named.css(".sb-no") and not named.css(".sb-yes")

    del card["variant"]  # a reply that was stored before there were any
    assert "189.00" in HTMLParser(render.reply_html(said)).css_first(".sb-price").text()


def test_that_lists_and_line_breaks_are_kept() -> None:
    assert render.blocks("One\ntwo\n- a\n- b\n\nEnd") == [
        ("text", ["One", "two"]),
        ("list", ["a", "b"]),
        ("text", ["End"]),
    ]


def test_that_the_cells_of_a_quoted_row_stand_apart() -> None:
    assert render.blocks("“Express | 2 days”") == [("text", ["“Express · 2 days”"])]


@pytest.mark.parametrize(
    ("url", "link", "picture"),
    [
        ("https://shop.example/p", True, True),
        ("http://shop.example/p", True, True),
        ("/media/a.png", False, True),
        ("//elsewhere.example/a.png", False, False),
        ("/\\elsewhere.example/a.png", False, False),
        ("javascript:alert(1)", False, False),
        ("JAVASCRIPT:alert(1)", False, False),
        ("data:text/html,x", False, False),
        ("http://[bad", False, False),
        ("", False, False),
        (None, False, False),
    ],
)
def test_that_only_web_addresses_become_links_and_pictures(
    url: str | None, link: bool, picture: bool
) -> None:
    assert render.link(url) == (url if link else None)
    assert render.picture(url) == (url if picture else None)


@pytest.mark.parametrize(
    ("item", "language", "shown"),
    [
        ({"price": "129.00", "currency": "USD"}, "en", "$129.00"),
        ({"price": "129", "currency": "USD"}, "en", "$129.00"),
        (
            {"price": "1129.00", "price_to": "1149.50", "currency": "EUR"},
            "en",
            "€1,129.00 – €1,149.50",
        ),
        ({"price": "59.90", "currency": "CNY"}, "zh", "¥59.90"),
        ({"price": "0.125", "currency": "USD"}, "en", "$0.125"),
        ({"price": "5", "currency": None}, "en", "5"),
        ({"price": None, "currency": "USD"}, "en", None),
    ],
)
def test_that_a_price_is_written_as_the_language_writes_money(
    item: dict[str, str | None], language: str, shown: str | None
) -> None:
    assert render.price(item, language) == shown


def test_that_a_card_says_what_is_not_stated_rather_than_guess() -> None:
    cards = HTMLParser(render.reply_html(payload("a tent"))).css(".sb-card")

    assert "Stock not listed" in cards[2].text() and "Price not listed" in cards[2].text()
    assert cards[2].css_first(".sb-rating") is None and cards[2].css_first("a") is None
    assert cards[2].css_first(".sb-pic span").text() == "O"
    assert "Out of stock" in cards[1].text() and "$129.00 – $149.00" in cards[1].text()


def test_that_a_comparison_is_headed_by_titles_and_a_gap_is_a_dash() -> None:
    tree = HTMLParser(render.reply_html(payload("compare")))

    heads = [node.text() for node in tree.css("th[scope=col]")]
    assert heads == ["Pinecrest Two-Person Tent", "Harbour Light Solo Shelter"]
    assert [node.text() for node in tree.css("tbody tr")[3].css("td")] == ["3", "—"]


def test_that_the_thumb_given_before_is_shown_pressed() -> None:
    tree = HTMLParser(render.reply_html(payload("a tent"), score=-1))

    pressed = {
        n.attributes["data-act"]: n.attributes["aria-pressed"] for n in tree.css("[aria-pressed]")
    }
    assert pressed == {"up": "false", "down": "true"}


def test_that_both_languages_have_the_same_words() -> None:
    english, chinese = render.words("en"), render.words("zh")

    assert set(english.chrome) == set(chinese.chrome)
    assert set(english.reply) == set(chinese.reply)
    for name, text in english.reply.items():
        if isinstance(text, str):
            assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", chinese.reply[name])


def test_that_a_screen_reader_hears_the_reply_and_how_many_products() -> None:
    said = payload("想买茶杯")

    assert render.spoken(said).startswith(str(said["reply"]))
    assert render.spoken(said).endswith("共展示 2 件商品")
