"""What belongs to orders in a message: numbers of the shop's own shape, contacts as keyed hashes.

Knows nothing about which order is meant or whether it exists.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

# where the shop has no orders to learn from, a number counts only when it is called one
_GENERIC_ORDER = re.compile(
    r"(?:(?<=order )|(?<=order number )|(?<=订单)|(?<=订单号)|(?<=#))#?(?=[\w-]*\d{3})[A-Z]{0,4}-?\d{3,14}(?![\w-])",
    re.IGNORECASE,
)


def order_pattern(samples: Sequence[str]) -> re.Pattern[str]:
    """Learns the shape of order numbers: letters stay, runs of digits keep their length."""
    shapes = set()
    for sample in samples:
        parts = re.findall(r"\d+|\D+", sample)
        shape = "".join(
            f"\\d{{{len(p)}}}"
            if p.isdigit()
            else f"{re.escape(p.rstrip('-'))}{'[- ]?' if p.endswith('-') else ''}"
            for p in parts
        )
        shapes.add(shape)
    learned = "|".join(sorted(shapes, key=len, reverse=True)[:20])
    own = rf"(?<![A-Za-z0-9])(?:{learned})(?![A-Za-z0-9])|" if learned else ""
    return re.compile(f"{own}{_GENERIC_ORDER.pattern}", re.IGNORECASE)


_ANY_NUMBER = re.compile(r"(?<![\w-])#?(?=[A-Z]*-?\d)[A-Z]{0,5}-?\d{3,14}(?![\w-])", re.IGNORECASE)


def order_numbers(text: str, pattern: re.Pattern[str], *, asked: bool) -> tuple[str, ...]:
    """The order numbers in a redacted text, each once, as shops write them.

    Where one was `asked` for, any number of a likely shape is meant as one, though no order of this
    shop has such a number.
    """
    found = list(pattern.finditer(text)) or (list(_ANY_NUMBER.finditer(text)) if asked else [])
    return tuple(dict.fromkeys(m.group().lstrip("#").upper() for m in found))


def contact_hash(value: str, secret: bytes) -> str:
    """A keyed hash, so that the state tells nothing about the address (HMAC-SHA-256)."""
    return hmac.new(secret, value.encode(), hashlib.sha256).hexdigest()
