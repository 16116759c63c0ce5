"""The console's templates: everything that a shop, a shopper or an agent wrote is text in them.

Shares the filters and the parts of a conversation with the chat page. Knows nothing about Gradio.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from bot.desk.roles import may
from bot.web import chat_render

HERE = Path(__file__).parent


def moment(at: datetime | None) -> str:
    """Returns a time as the console writes it, to the minute, in UTC."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M}"


def lasted(seconds: float) -> str:
    """Returns a span in its two largest units: `3 h 20 min`."""
    minutes = int(max(0.0, seconds) // 60)
    if minutes < 1:
        return "less than a minute"
    span = timedelta(minutes=minutes)
    hours = span.seconds // 3600
    parts = ((span.days, "d"), (hours, "h"), (minutes % 60, "min"))
    told = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(told[:2])


def named(text: str) -> str:
    """Returns a name of the code as people read it: `wrong_product` is `wrong product`."""
    return text.replace("_", " ")


@cache
def environment() -> Environment:
    own = chat_render.templates().overlay(
        loader=FileSystemLoader([HERE / "templates", chat_render.HERE / "templates"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    own.filters |= {"moment": moment, "lasted": lasted, "named": named}
    own.globals |= {"may": may, "chat_words": lambda language: chat_render.words(language).reply}
    return own


def render(template: str, **values: Any) -> str:
    """Returns a template of the console filled with these values."""
    return environment().get_template(template).render(**values)
