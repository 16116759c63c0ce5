"""What the chat page shows of a conversation, as HTML. Everything a shop or shopper wrote is text.

Reads the payloads of the HTTP contract, so a reply looks the same live and after a reload. Knows
nothing about Gradio or where payloads come from.
"""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from babel.numbers import format_currency
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.turn import Language
from bot.web.service import TranscriptEntry

HERE = Path(__file__).parent
TINTS = 6
_LOCALES = {"en": "en_US", "zh": "zh_CN"}


@dataclass(frozen=True, slots=True)
class Words:
    """The page's own words in one language: `chrome` for the frame, `reply` for answers."""

    chrome: Mapping[str, str]
    reply: Mapping[str, Any]


@cache
def words(language: Language) -> Words:
    table = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))[language]
    return Words(chrome=table["chrome"], reply=table["reply"])


def chrome(language: Language, *, shop_name: str) -> dict[str, str]:
    """Returns the words of the page's frame, with the shop's name filled in."""
    return {
        name: text.replace("{shop}", shop_name) for name, text in words(language).chrome.items()
    }


def blocks(text: str) -> list[tuple[str, list[str]]]:
    """Splits a reply into `("text", lines)` and `("list", items)`; an item is a line after `- `.

    The bars between the cells of a quoted table row are drawn as dots.
    """
    parts: list[tuple[str, list[str]]] = []
    for line in text.replace(" | ", " · ").split("\n"):
        kind, content = ("list", line[2:]) if line.startswith("- ") else ("text", line)
        if not line.strip():
            parts.append(("gap", []))
        elif parts and parts[-1][0] == kind:
            parts[-1][1].append(content)
        else:
            parts.append((kind, [content]))
    return [part for part in parts if part[0] != "gap"]


def link(url: str | None) -> str | None:
    """Returns the URL if it is an absolute http or https address; anything else is no link."""
    return url if url and _host(url) else None


def picture(url: str | None) -> str | None:
    """Returns the URL if it may be shown as a picture: https or http, or a path of this shop."""
    if not url:
        return None
    own = url.startswith("/") and not url.startswith(("//", "/\\"))
    return url if own or _host(url) else None


def _host(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def price(item: Mapping[str, Any], language: str) -> str | None:
    """Returns the price, or its range, as `language` writes money; None where none is stated."""
    amounts = [item[key] for key in ("price", "price_to") if item.get(key)]
    return " – ".join(_money(amount, item.get("currency"), language) for amount in amounts) or None


def _money(amount: str, currency: str | None, language: str) -> str:
    try:
        value = Decimal(amount)
    except InvalidOperation:
        return f"{amount} {currency or ''}".strip()
    if not currency:
        return amount
    # The digits stay as the shop states them: 129.00 is not rounded, 5.5 gains no false cent.
    return str(
        format_currency(value, currency, locale=_LOCALES[language], decimal_quantization=False)
        if value != value.quantize(Decimal("0.01"))
        else format_currency(value, currency, locale=_LOCALES[language])
    )


def glyph(title: str) -> str:
    """Returns the letter or sign that stands for a product without a picture."""
    return next((sign.upper() for sign in title if sign.isalnum()), "·")


def tint(product_id: str) -> int:
    """Returns which of the drawn backgrounds a product has, always the same one."""
    return zlib.crc32(product_id.encode("utf-8", "replace")) % TINTS


def titles(payload: Mapping[str, Any]) -> dict[str, str]:
    """Returns the titles of the products of a reply, and of those it cites, by id."""
    cited = {
        item["id"]: item["title"]
        for item in payload.get("citations", ())
        if item["source"] == "product"
    }
    return cited | {item["id"]: item["title"] for item in payload.get("products", ())}


def fill(text: str, **values: object) -> str:
    return text.format(**values)


@cache
def templates() -> Environment:
    """Returns the pages' templates with their filters; what they are given is text, not markup."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters |= {
        "blocks": blocks,
        "link": link,
        "picture": picture,
        "price": price,
        "glyph": glyph,
        "tint": tint,
        "titles": titles,
        "fill": fill,
    }
    return environment


@cache
def _turns() -> Any:
    return templates().get_template("turns.html").module


def shopper_html(text: str, *, language: Language) -> str:
    return str(_turns().shopper(text, words(language).reply))


def stage_html(stage: str, *, language: Language) -> str:
    """Returns the words for a stage under way; a stage without words is shown as the first one."""
    reply = words(language).reply
    return str(_turns().stage(reply.get(stage, reply["understand"])))


def partial_html(text: str, *, language: str) -> str:
    """Returns the beginning of a verified reply."""
    return str(_turns().partial(text, language))


def reply_html(payload: Mapping[str, Any], *, score: int | None = None) -> str:
    """Returns a whole reply: text, cards, comparison, sources, thumbs and suggestions.

    While a person speaks there is at most the line that they have come.
    """
    if payload.get("speaker"):
        return str(_turns().arrival(payload["reply"])) if payload["reply"] else ""
    return str(_turns().reply(payload, words(payload["language"]).reply, score))


def greeting_html(text: str, *, language: Language) -> str:
    return str(_turns().greeting(text, words(language).reply))


def failure_html(text: str, *, language: Language, act: str = "retry") -> str:
    """Returns what went wrong with a button: "retry" sends anew, "reopen" reads anew."""
    return str(_turns().failure(text, words(language).chrome["retry"], act))


def entry_html(entry: TranscriptEntry, *, language: Language) -> str:
    """Returns one stored message."""
    if entry.role == "shopper":
        return shopper_html(entry.text, language=language)
    if entry.role == "agent":
        return str(_turns().agent(entry.text, words(language).reply, entry.speaker))
    if entry.payload is None:
        return partial_html(entry.text, language=language)
    return reply_html(entry.payload, score=entry.score)


def spoken(payload: Mapping[str, Any]) -> str:
    """Returns what a screen reader is told when a reply has arrived."""
    count = len(payload["products"])
    found = fill(words(payload["language"]).reply["products_found"], count=count)
    return f"{payload['reply']}\n{found}" if count else str(payload["reply"])
