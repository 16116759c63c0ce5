"""Cells as values: money, stock, ratings, dates, lists. What cannot be read for certain is refused.

Knows nothing about columns, files or records.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from datetime import date
from decimal import Decimal, InvalidOperation

from babel.numbers import list_currencies
from price_parser import Price

from db.feeds.text import clean_line

_UNSTATED = frozenset(
    {"", "-", "--", "—", "n/a", "na", "nan", "none", "null", "nil", "undefined", "无", "暂无"}
)
_LONGEST_UNSTATED = 32  # characters, with white space around
_SPACED = re.compile(r"\d{1,3}(?:\s\d{3})+(?:[.,]\d+)?")
_PLAIN_PRICE = re.compile(r"\d{1,9}(?:\.\d\d?)?", re.ASCII)
_WRITE_PRICE = "write one number, or leave it empty"
_CENT = Decimal("0.01")
_MOST = Decimal("1e12")

# Signs that stand for one currency only. "$" and "¥" stand for several and decide nothing.
_SIGNS = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₫": "VND",
    "₴": "UAH", "₪": "ILS", "฿": "THB", "元": "CNY", "人民币": "CNY", "RMB": "CNY", "US$": "USD",
    "A$": "AUD", "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "HK$": "HKD", "R$": "BRL",
    "zł": "PLN", "Kč": "CZK",
}  # fmt: skip
_SHARED_SIGNS = {
    "$": frozenset(
        "USD CAD AUD NZD HKD SGD TWD MXN BRL ARS CLP COP UYU DOP JMD TTD BSD BBD BZD FJD NAD BMD "
        "KYD XCD GYD LRD SRD SBD BND CUP CVE NIO TOP MOP".split()
    ),
    "¥": frozenset({"CNY", "JPY"}),
    "￥": frozenset({"CNY", "JPY"}),
    "块": frozenset({"CNY"}),
    "kr": frozenset({"SEK", "NOK", "DKK", "ISK"}),
}
_LOOSE_SIGNS = ("$", "¥", "kr", "￥", "块")
# "1.234" is a thousand in one country and one and a bit in another; these three-decimal
# currencies write it with the second meaning.
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})

_IN_STOCK = frozenset((
    "instock", "available", "yes", "true", "y", "1", "low", "lowstock", "limitedavailability",
    "limitedstock", "onlineonly", "instoreonly", "有货", "现货", "有库存", "有", "是", "在售",
    "库存充足", "库存紧张",
))  # fmt: skip
_OUT_OF_STOCK = frozenset((
    "outofstock", "soldout", "unavailable", "notavailable", "no", "false", "n", "0",
    "discontinued", "缺货", "无货", "没货", "售罄", "已售罄", "已下架", "下架", "无库存", "否",
    "停售", "断货",
))  # fmt: skip


class Unreadable(ValueError):
    """A cell states something that cannot be read for certain; the message says what."""


def stated(value: object) -> bool:
    """Whether a cell says anything: not empty, and not a word for "nothing"."""
    if isinstance(value, str):
        text = value if len(value) > _LONGEST_UNSTATED else value.strip().casefold()
        return bool(text.strip()) and text not in _UNSTATED
    return value is not None and value not in ([], {})


@functools.cache
def known_currencies() -> frozenset[str]:
    return frozenset(list_currencies())


def currency_code(text: object) -> str | None:
    """The ISO 4217 code that a text names for certain ("usd", "€", "元"), else None."""
    word = clean_line(str(text)).strip("() ")
    if word.upper() in known_currencies():
        return word.upper()
    return _SIGNS.get(unicodedata.normalize("NFKC", word)) or _SIGNS.get(word.upper())


def money_amount(value: object) -> tuple[Decimal, str | None]:
    """Read an amount and, where the text names one for certain, its currency.

    A JSON number is exact; a text must hold one number and at most a currency. Raises Unreadable
    for anything else, for negative amounts, and where a dot could mean thousands or decimals.
    """
    if isinstance(value, bool):
        raise Unreadable(f"price cannot be read: {str(value).lower()}")
    if isinstance(value, int | float | Decimal):
        return _checked(Decimal(str(value)), str(value)), None
    if isinstance(value, str) and _PLAIN_PRICE.fullmatch(value):
        return cents(Decimal(value)), None
    text = clean_line(unicodedata.normalize("NFKC", str(value)))
    text = re.sub(r"(?<=\d)['’](?=\d{3})", "", text)  # Swiss thousands
    if re.fullmatch(r"[-−]\s*\S.*", text) and re.search(r"\d", text):
        raise Unreadable(f"price is negative: {text[:40]} ({_WRITE_PRICE})")
    digits = Price.fromstring(text).amount_text or ""
    before, _, after = text.partition(digits) if digits else (text, "", "")
    sign = f"{before} {after}".strip()
    code = _named_currency(sign)
    if not digits or (sign and code is None and not _loose(sign)):
        raise Unreadable(f"price cannot be read: {text[:40]} ({_WRITE_PRICE})")
    return _checked(_decimal(digits, code), text), code


def sign_contradicts(value: object, currency: str) -> bool:
    """Whether a price is written with a sign that several currencies share, but not this one."""
    if not isinstance(value, str):
        return False
    return any(
        sign in value
        and currency not in known
        and currency_code(value.strip(" 0123456789.,")) is None
        for sign, known in _SHARED_SIGNS.items()
    )


def _named_currency(sign: str) -> str | None:
    """The one currency that all words beside an amount name; None where they say anything else."""
    for whole in (sign, sign.strip(" .:/-")):
        if code := currency_code(whole):
            return code
    words = [word.strip(".:/-") for word in sign.split()]
    codes = {currency_code(word) for word in words if word and word not in _LOOSE_SIGNS}
    return codes.pop() if len(codes) == 1 else None


def _loose(sign: str) -> bool:
    return all(part.casefold() in _LOOSE_SIGNS for part in sign.split())


def _decimal(digits: str, code: str | None) -> Decimal:
    if re.search(r"\s", digits) and not _SPACED.fullmatch(digits):
        raise Unreadable(f"price cannot be read: {digits[:40]} ({_WRITE_PRICE})")
    text = re.sub(r"[\s'’_]", "", digits)
    last_dot, last_comma = text.rfind("."), text.rfind(",")
    if last_dot >= 0 and last_comma >= 0:
        thousands, point = (",", ".") if last_dot > last_comma else (".", ",")
        text = text.replace(thousands, "").replace(point, ".")
    elif last_comma >= 0:
        groups = text.split(",")
        if all(len(group) == 3 for group in groups[1:]) and 1 <= len(groups[0]) <= 3:
            text = text.replace(",", "")
        elif len(groups) == 2:
            text = text.replace(",", ".")
    elif last_dot >= 0:
        groups = text.split(".")
        if len(groups) > 2 and all(len(group) == 3 for group in groups[1:]):
            text = text.replace(".", "")
        elif (
            len(groups) == 2
            and len(groups[1]) == 3
            and groups[0].strip("0")
            and code not in _THREE_DECIMALS
        ):
            raise Unreadable(
                f"price {digits} could be {groups[0]}{groups[1]} or {groups[0]}.{groups[1]}: "
                "write it with two decimals"
            )
    try:
        return Decimal(text)
    except InvalidOperation:
        raise Unreadable(f"price cannot be read: {digits[:40]} ({_WRITE_PRICE})") from None


def _checked(amount: Decimal, shown: str) -> Decimal:
    if not amount.is_finite() or amount > _MOST:
        raise Unreadable(f"price cannot be read: {shown[:40]} ({_WRITE_PRICE})")
    if amount < 0:
        raise Unreadable(f"price is negative: {shown[:40]} ({_WRITE_PRICE})")
    return cents(amount)


def cents(amount: Decimal) -> Decimal:
    """At least two decimals, more where they are given: 250.0 → 250.00, 4.995 → 4.995."""
    shown = amount.normalize()
    exponent = shown.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -2:
        return amount.quantize(_CENT)
    return shown


def whole_number(value: object) -> int | None:
    """A count ("12", 12.0, "1,200"), or None when the cell holds something else."""
    if isinstance(value, bool) or value is None:
        return None
    text = clean_line(str(value))
    if not re.fullmatch(r"-?\d{1,3}(?:,\d{3})+|-?\d{1,12}(?:\.0+)?", text):
        return None
    return int(Decimal(text.replace(",", "")))


def availability(value: object) -> bool | None:
    """What a cell says about stock in words or as a truth value; None when it decides nothing."""
    if isinstance(value, bool):
        return value
    word = clean_line(str(value)).casefold().removeprefix("http://").removeprefix("https://")
    word = re.sub(r"[\s_\-.!]+", "", word.removeprefix("schema.org/"))
    if word in _IN_STOCK:
        return True
    if word in _OUT_OF_STOCK:
        return False
    return True if re.fullmatch(r"\d+\+", word) else None


def truth(value: object) -> bool | None:
    """A plain yes or no (true, "1", "是"), else None."""
    if isinstance(value, bool):
        return value
    word = clean_line(str(value)).casefold()
    if word in {"true", "1", "yes", "y", "是", "上架", "已上架"}:
        return True
    return False if word in {"false", "0", "no", "n", "否", "下架", "已下架"} else None


def rating_value(value: object) -> float | None:
    """Stars from 0 to 5 ("4.5", "4.5/5", "4.5 out of 5"), else None: no scale is guessed."""
    if isinstance(value, bool) or value is None:
        return None
    text = unicodedata.normalize("NFKC", clean_line(str(value))).replace(",", ".")
    found = re.fullmatch(
        r"(\d(?:\.\d+)?)(?:\s*(?:/|out of)\s*5(?:\.0)?)?(?:\s*(?:stars?|星|分))?", text
    )
    if found is None or float(found[1]) > 5:
        return None
    return float(found[1])


def day(value: object) -> date | None:
    """A date written year first (2026-11-21, 2026/11/21, 2026年11月21日, with or without a time).

    Returns None for a cell that states nothing. Raises Unreadable for other orders, which mean
    different days in different countries.
    """
    if not stated(value):
        return None
    text = unicodedata.normalize("NFKC", clean_line(str(value)))
    found = re.match(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})(?!\d)", text)
    try:
        if found is None:
            raise ValueError
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise Unreadable(f"date cannot be read: {text[:40]} (write it as 2026-11-21)") from None


def string_list(value: object, separators: str = ",;，；、|") -> tuple[str, ...]:
    """Distinct, non-empty texts of a list, of objects with a name, or of a separated string."""
    if isinstance(value, list):
        parts = [name_of(item) for item in value]
    else:
        parts = re.split(f"[{re.escape(separators)}]", name_of(value))
    return tuple(dict.fromkeys(filter(None, map(clean_line, parts))))


def name_of(value: object) -> str:
    """The text of a value; of an object its name, title, label, value, src or url."""
    if isinstance(value, dict):
        for key in ("name", "title", "label", "value", "src", "url", "名称", "name_en"):
            if stated(value.get(key)):
                return name_of(value[key])
        return ""
    return "" if value is None else str(value)


def category_path(value: object) -> tuple[str, ...]:
    """A path from the root: a list, an object's name, or a string cut at ">" or a spaced "/"."""
    if isinstance(value, list):
        parts = [name_of(item) for item in value]
        if len(parts) == 1:
            return category_path(parts[0])
    else:
        text = clean_line(name_of(value))
        if text.startswith("/"):
            parts = text.split("/")
        else:
            parts = re.split(r"\s*(?:->|>|»|›|＞)\s*|\s+/\s+", text)
    return tuple(filter(None, map(clean_line, parts)))
