"""The script for other sites' pages and the pretend shop: what they hold, and what they cannot do."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from scripted_shop import HOSTILE, TENTS, ScriptedService
from selectolax.lexbor import LexborHTMLParser

from bot.errors import NotReadyError
from bot.turn import Card
from bot.web.app import create_app
from bot.web.embedding import widget_script
from bot.web.service import WebSettings

SETTINGS = WebSettings(secret=b"secret", shop_name='Tea "& </script> Things')


class Hostile(ScriptedService):
    def showcase(self, count: int) -> tuple[Card, ...]:
        return tuple(replace(card, title=HOSTILE, image_url="javascript:x") for card in TENTS)


class Closed(ScriptedService):
    def showcase(self, count: int) -> tuple[Card, ...]:
        raise NotReadyError("no index yet: run `shopbot index`")


def client_of(service: ScriptedService, settings: WebSettings = SETTINGS) -> TestClient:
    return TestClient(create_app(service, settings), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client() -> TestClient:
    return client_of(ScriptedService())


def test_that_the_script_may_be_loaded_by_any_site_and_is_asked_for_anew(
    client: TestClient,
) -> None:
    found = client.get("/widget.js")

    assert found.status_code == 200
    assert found.headers["content-type"].startswith("text/javascript")
    assert found.headers["cross-origin-resource-policy"] == "cross-origin"
    assert found.headers["x-content-type-options"] == "nosniff"
    assert re.fullmatch(r"public, max-age=\d+", found.headers["cache-control"])
    again = client.get("/widget.js", headers={"if-none-match": found.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.head("/widget.js").status_code == 200


def test_that_the_script_holds_names_and_words_and_no_secret(client: TestClient) -> None:
    text = client.get("/widget.js").text
    given = json.loads(re.search(r"\((\{.*\})\);\n$", text).group(1))  # type: ignore[union-attr]

    assert given["title"] == SETTINGS.shop_name
    assert given["words"]["zh"]["close"] == "关闭对话"
    assert set(given["words"]["en"]) == set(given["words"]["zh"])
    assert "secret" not in text
    assert widget_script(SETTINGS).isascii()


def test_that_a_script_changes_its_tag_with_the_shop() -> None:
    tags = {
        client_of(ScriptedService(), replace(SETTINGS, shop_name=name))
        .get("/widget.js")
        .headers["etag"]
        for name in ("One", "Two")
    }
    assert len(tags) == 2


def test_that_what_a_shop_is_called_and_sells_is_text_in_the_pretend_shop() -> None:
    page = client_of(Hostile()).get("/embed-demo")
    tree = LexborHTMLParser(page.text)

    assert [node.text(strip=True) for node in tree.css("h2")] == [HOSTILE] * len(TENTS)
    assert tree.css("img") == []
    assert [node.attributes.get("src") for node in tree.css("script")] == ["widget.js"]
    assert SETTINGS.shop_name in (tree.css_first("title").text() or "")


def test_that_the_pretend_shop_runs_only_the_shops_own_script_and_cannot_be_framed(
    client: TestClient,
) -> None:
    page = client.get("/embed-demo")

    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["x-robots-tag"] == "noindex"
    assert (
        f'src="{client.base_url}/widget.js"' in LexborHTMLParser(page.text).css_first("pre").text()
    )


def test_that_a_shop_without_an_index_still_shows_the_line_to_paste() -> None:
    page = client_of(Closed()).get("/embed-demo")

    assert page.status_code == 200
    assert "shopbot index" in page.text
    assert "widget.js" in LexborHTMLParser(page.text).css_first("pre").text()
