"""A stand-in for an OpenAI-compatible server that phrases acts from the plain phrasebook."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx

from bot.generators.remote import RemoteGenerator
from prompts.filling import fill
from prompts.phrasing import phrasebook

URL = "https://llm.example/v1"
MODEL = "big-1"
_ACT = re.compile(r"(Act: |对话行为：)([a-z_]+)")
_SLOT = re.compile(r'^<([a-z_\d]+)>(?: \(.*?\))?(?:: (".*"))?$', re.MULTILINE)

Handler = Callable[[httpx.Request], httpx.Response]


def choices(*texts: Any) -> httpx.Response:
    """The response that offers these texts."""
    offered = [{"message": {"role": "assistant", "content": text}} for text in texts]
    return httpx.Response(200, json={"choices": offered})


def phrases_plainly(*, in_values: bool = False) -> Handler:
    """Answers each request with the plain sentence, with markers or with values in it."""

    def handle(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        told = body["messages"][0]["content"]
        act = _ACT.search(told)
        assert act is not None
        given = {name: json.loads(value or '""') for name, value in _SLOT.findall(told)}
        marked = phrasebook("en" if act[1].isascii() else "zh").plain(act[2], given)
        assert marked is not None
        text = fill(marked, given) if in_values else marked
        return choices(*[text] * body.get("n", 1))

    return handle


def remote(handler: Handler, *, key: str = "", seconds: float = 10) -> RemoteGenerator:
    transport = httpx.MockTransport(handler)
    return RemoteGenerator(URL, MODEL, api_key=key, seconds=seconds, transport=transport)
