"""What is left of a row once its fields are taken: label and value, as the feed labels them.

Knows nothing about files or prices. Texts about people, costs and the shop's own machinery are
left out, because whatever is kept here can be told to a shopper.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from db.feeds.fields import key_form
from db.feeds.text import clean_line, plain_value
from db.feeds.values import name_of, stated
from db.records import Attribute

LONG_VALUE = 400  # characters; longer values are read as sections of a page, not as one label

_UNFOLDED = frozenset((
    "attributes", "specs", "specifications", "attrs", "properties", "params", "parameters",
    "technicaldetails", "features", "metafields", "customfields", "extra", "meta", "属性", "参数",
    "规格参数", "商品参数", "商品属性",
))  # fmt: skip
_DROPPED = frozenset((
    "createdat", "updatedat", "created", "updated", "modified", "datecreated", "datemodified",
    "datemodifiedgmt", "datecreatedgmt", "publishedat", "addtime", "updatetime", "creationtime",
    "timestamp", "deleted", "isdeleted", "qrcode", "barcodeimage", "sortorder", "position",
    "menuorder", "featured", "isfeatured", "isnew", "ishot", "promoted", "wherevisible",
    "published", "visible", "visibility", "metatitle", "metadescription", "metakeywords",
    "seotitle", "seodescription", "searchterms", "createdby", "cost", "costprice", "costperitem",
    "purchaseprice", "wholesaleprice", "margin", "supplierprice", "buyingprice", "成本", "成本价",
    "进价", "采购价", "email", "phone", "telephone", "邮箱", "电话", "手机", "手机号", "创建时间",
    "更新时间", "修改时间", "二维码", "v",
))  # fmt: skip
_PEOPLE = re.compile(r"reviewer|author|customer|username|e-?mail|评论人|用户名", re.IGNORECASE)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d.*)?")
_ADDRESS = re.compile(r"https?://\S+|[\w.+-]+@[\w-]+\.[\w.]+")
_ENTRY_NAMES = ("name", "key", "label", "attribute", "attributeName", "属性名", "名称")
_ENTRY_VALUES = ("value", "values", "option", "options", "displayValue", "属性值", "值")


def attributes_of(row: Mapping[str, Any]) -> tuple[Attribute, ...]:
    """Label and value of every entry of `row`, in its order.

    An object under a name like "specs" is unfolded into its own entries. Any other object of
    single values is kept whole, one `key: value` line each, and by its inner keys where these
    are not taken ("width", else "package width").
    """
    found: dict[str, str] = {}
    inner: list[tuple[str, str, str]] = []
    for name, value in _entries(row):
        label = clean_line(name)
        text = plain_value(value)
        if not text or label in found:
            continue
        found[label] = text
        if isinstance(value, dict):
            inner += [(label, clean_line(k), plain_value(v)) for k, v in value.items() if _plain(v)]
    for outer, label, text in inner:
        free = label if label not in found else f"{outer} {label}"
        if text and not dropped(label):
            found.setdefault(free, text)
    return tuple(Attribute(name, value) for name, value in found.items())


def _entries(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if not stated(value) or dropped(name):
            continue
        if key_form(name) in _UNFOLDED and isinstance(value, dict):
            yield from _entries(value)
        elif isinstance(value, list) and (pairs := _named_values(value)):
            yield from _entries(pairs)
        elif not _machinery(value):
            yield name, value


@functools.lru_cache(maxsize=16_384)
def dropped(name: str) -> bool:
    """Whether a field of this name is never told: people, costs, timestamps, shop machinery."""
    return key_form(name) in _DROPPED or _PEOPLE.search(name) is not None


def _machinery(value: object) -> bool:
    if isinstance(value, list):
        return all(_machinery(item) for item in value)
    if not isinstance(value, str):
        return False
    text = value.strip()
    return _TIMESTAMP.fullmatch(text) is not None or _ADDRESS.fullmatch(text) is not None


def _plain(value: object) -> bool:
    return stated(value) and not isinstance(value, dict | list) and not _machinery(value)


def _named_values(value: list[Any]) -> dict[str, Any]:
    """`[{"name": "Colour", "value": "Red"}, …]` as one object; empty for any other list."""
    found: dict[str, Any] = {}
    for item in value:
        if not isinstance(item, dict):
            return {}
        name = next((item[k] for k in _ENTRY_NAMES if stated(item.get(k))), None)
        held = next((item[k] for k in _ENTRY_VALUES if k in item), None)
        if not isinstance(name, str) or held is None:
            return {}
        if stated(held):
            found[name] = [name_of(v) for v in held] if isinstance(held, list) else held
    return found


def option_attributes(value: object) -> dict[str, tuple[str, ...]]:
    """A product's options as name → values, from `{"Size": [...]}` or `[{"name", "values"}]`."""
    if isinstance(value, list):
        value = _named_values(value)
    if not isinstance(value, dict):
        return {}
    found = {}
    for name, values in value.items():
        held = values if isinstance(values, list) else [values]
        texts = tuple(dict.fromkeys(t for v in held if (t := clean_line(name_of(v)))))
        if texts and texts != ("Default Title",):
            found[clean_line(str(name))] = texts
    return found
