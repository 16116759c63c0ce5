"""Text as a shop writes it, made clean: entities, HTML, white space, and keys for comparison.

Knows nothing about columns or products.
"""

from __future__ import annotations

import html
import re
import unicodedata
from decimal import Decimal

_TAG = re.compile(r"<(?:[a-zA-Z][a-zA-Z0-9]*(?:\s[^<>]*)?/?|/[a-zA-Z][a-zA-Z0-9]*\s*|!--)")
_BLOCKS = (
    "address,article,aside,blockquote,br,dd,div,dl,dt,figure,h1,h2,h3,h4,h5,h6,hr,li,ol,p,"
    "pre,section,table,tr,ul"
)
_SILENT = "script,style,noscript,template,iframe,object,svg,head > title"
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
_LINE_BREAK = "\ue000"  # private use: marks a block's edge until the white space is collapsed


def clean_line(text: str) -> str:
    """One line: entities decoded, control characters dropped, white space collapsed."""
    if text.isprintable() and "&" not in text:
        return " ".join(text.split())  # most cells: nothing to decode or to drop
    return " ".join(_CONTROL.sub("", html.unescape(text)).split())


def clean_text(text: str) -> str:
    """Readable text of several lines: HTML becomes its words, never its scripts and styles."""
    if text.isprintable() and "<" not in text and "&" not in text:
        return " ".join(text.split())  # most cells: nothing to decode, and only one line
    text = _html_words(text) if _TAG.search(text) else html.unescape(text)
    lines = (" ".join(line.split()) for line in _CONTROL.sub("", text).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _html_words(source: str) -> str:
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415 - only feeds with HTML pay

    tree = LexborHTMLParser(source)
    for node in tree.css(_SILENT):
        node.decompose()
    for node in tree.css(_BLOCKS):
        node.insert_before(_LINE_BREAK)
        node.insert_after(_LINE_BREAK)
    words = tree.body.text() if tree.body else ""
    words = " ".join(words.split())
    return re.sub(rf"\s*(?:{_LINE_BREAK}\s*)+", "\n", words)


def plain_value(value: object) -> str:
    """A feed value as text: booleans in lower case, numbers as written, lists joined by ", ".

    An object becomes lines of `key: value`, so that each line can be quoted as it stands.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list):
        return ", ".join(filter(None, map(plain_value, value)))
    if isinstance(value, dict):
        told = ((str(key), plain_value(inner)) for key, inner in value.items())
        return "\n".join(f"{clean_line(key)}: {text}" for key, text in told if text)
    return clean_text(str(value))


def match_key(text: str) -> str:
    """A title as titles are compared: one width and case, white space collapsed."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
