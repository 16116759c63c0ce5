"""What a remote model is told: the act, its slots with their values, the rules and the message.

The words are data, `remote/LANGUAGE.toml`. Knows nothing about models or how they are reached.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from prompts.acts import inventory
from prompts.filling import Tone

MESSAGE_CHARS = 1000  # of the shopper's last message
# a JSON string stands on one line and holds no word of a chat template, such as <|im_end|>
_ESCAPED = {ord(c): f"\\u{ord(c):04x}" for c in "<>\x7f\x85\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class Briefing:
    """The templates of one language; `digest` is the SHA-256 of their file."""

    system: str
    some: str
    none: str
    user: str
    tones: Mapping[str, str]
    digest: str

    def messages(
        self, act: str, slots: Sequence[str], values: Mapping[str, str], message: str, tone: Tone
    ) -> list[dict[str, str]]:
        """Returns the chat messages for one act. Raises UnknownActError."""
        about = inventory().act(act).about
        lines = [_slot(name, values.get(name)) for name in slots]
        system = self.system.format(
            act=act,
            about=about,
            slots="\n".join([self.some, *lines]) if lines else self.none,
            tone=self.tones[tone],
        )
        user = self.user.format(message=quoted(message[:MESSAGE_CHARS]))
        return [
            {"role": "system", "content": system.strip()},
            {"role": "user", "content": user.strip()},
        ]


def quoted(text: str) -> str:
    """Writes `text` as a JSON string of one line, without angle brackets; `json.loads` reads it."""
    return json.dumps(text, ensure_ascii=False).translate(_ESCAPED)


def _slot(name: str, value: str | None) -> str:
    known = inventory().notes.get(name)
    about = f" ({known})" if known else ""
    return f"<{name}>{about}" if value is None else f"<{name}>{about}: {quoted(value)}"


@cache
def briefing(language: str) -> Briefing:
    """Loads `remote/LANGUAGE.toml`."""
    raw = files("prompts").joinpath("remote", f"{language}.toml").read_bytes()
    data = tomllib.loads(raw.decode("utf-8"))
    return Briefing(**data, digest=hashlib.sha256(raw).hexdigest())
