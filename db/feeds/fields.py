"""Which column of a feed holds which field: names in English and Chinese, and the owner's own map.

Knows nothing about files, values or records.
"""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from db.feeds.errors import FeedError
from db.feeds.values import cents, currency_code, money_amount

# Best first; names are compared without case, spaces, "_", "-", "." and brackets.
_PRODUCT_NAMES = {
    "id": (
        "id productid goodsid itemid 商品id 产品id 商品编号 产品编号 编号 货号 handle sku "
        "商品编码 slug"
    ),
    "title": (
        "title name productname producttitle goodsname itemname displayname goodstitle "
        "商品名称 产品名称 名称 商品标题 标题 商品名 品名 名字"
    ),
    "model": "model modelname modelnumber 型号",
    "paid": (
        "saleprice specialprice promoprice discountedprice offerprice 促销价 优惠价 特价 "
        "活动价 折后价"
    ),
    "price": (
        "price currentprice retailprice sellingprice finalprice unitprice ourprice "
        "priceamount variantprice pricetaxincluded pricetaxincl priceinctax pricewithtax "
        "pricetaxexcluded pricetaxexcl 商品价格 价格 售价 现价 零售价 销售价 单价"
    ),
    "price_to": "priceto highprice pricemax maxprice",
    "usual": "regularprice",
    "compare_at": (
        "compareatprice compareat listprice counterprice marketprice originalprice oldprice "
        "wasprice was msrp rrp strikeprice 原价 市场价 专柜价 划线价 吊牌价"
    ),
    "currency": "currency currencycode pricecurrency 币种 货币",
    "brand": "brand brandname manufacturer vendor supplier maker 品牌 品牌名称 品牌名 厂家 厂商",
    "category": (
        "category categories categorypath categoryname productcategory producttype department "
        "type category1 defaultcategory googleproductcategory 分类 商品分类 类目 商品类目 类别 品类 分类名称"
    ),
    "subcategory": "subcategory subcategories 子分类 二级分类 二级类目",
    "description": (
        "description productdescription longdescription bodyhtml body desc details detail "
        "content text shortdescription summary brief intro 商品描述 描述 产品描述 商品详情 详情 "
        "商品介绍 介绍 简介 摘要"
    ),
    "stock": (
        "stock quantity inventory stockquantity inventoryquantity currentstock inventorycount "
        "stockqty qty onhand inventorycount availablequantity quantityavailable stocklevel 库存 库存数量 库存量 "
        "存货"
    ),
    "in_stock": (
        "instock isinstock availability availabilitystatus available isavailable stockstatus "
        "库存状态 是否有货 有货"
    ),
    "listed": "onsale isonsale active isactive productonline 是否上架 上架 上架状态 商品状态 在售",
    "rating": (
        "rating ratingvalue averagerating avgrating ratingaverage ratings stars aggregaterating "
        "reviewscore 评分 平均评分 商品评分"
    ),
    "rating_count": (
        "ratingcount reviewcount reviewscount ratingscount numreviews numberofreviews "
        "reviewnumber 评论数 评价数 评价数量"
    ),
    "reviews": "reviews comments 评论 评价 用户评价",
    "url": "url producturl link permalink href productlink weburl 链接 商品链接 网址",
    "image": (
        "image images imageurl imageurls imagelink thumbnail picture pictures picurl img photo "
        "photos gallery additionalimagelink imagesrc baseimage 图片 主图 商品图片 图片链接"
    ),
    "tags": "tags tag keywords 标签 关键词 关键字",
    "variants": "variants skus variations children 规格列表",
    "options": "options 选项 规格选项",
    "attributes": (
        "attributes specs specifications attrs properties params parameters technicaldetails "
        "属性 参数 规格参数 商品参数 商品属性"
    ),
    "alias": (
        "sku skuid skucode barcode ean ean13 gtin gtin8 gtin12 gtin13 gtin14 gtinupceanorisbn upc isbn asin mpn "
        "slug handle reference productid goodsid itemid 条码 条形码 货号 商品编码"
    ),
}
PRODUCT_NAMES = {key: tuple(names.split()) for key, names in _PRODUCT_NAMES.items()}

MAPPABLE = (
    "id", "title", "price", "compare_at", "currency", "brand", "category", "description", "stock",
    "in_stock", "rating", "rating_count", "url", "image", "tags", "sku",
)  # fmt: skip
_HINT = re.compile(r"\s*(?:\((?:0/1|x,\s*y,\s*z[^)]*)\)|[*#])\s*$")
_MAPPED_AS = {"sku": "alias"}
_NEVER_BESIDE_MAP = {"price": ("paid", "usual")}


@functools.lru_cache(maxsize=16_384)  # a feed repeats its columns on every row
def key_form(name: str) -> str:
    """A column name as names are compared: `Product_ID`, `product id` and `productId` are one."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\s_\-.()\[\]/:'\"]+", "", text)


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One `--map` entry: the column, or a dotted path into objects, and its figure's divisor."""

    column: str
    divisor: Decimal | None = None

    def read(self, row: Mapping[str, object]) -> object:
        """The cell, divided where the map says so; None where the row has no such column.

        Raises Unreadable when a cell to be divided holds no number.
        """
        value = _at(row, self.column)
        if self.divisor is None or value is None or value == "":
            return value
        amount, _ = money_amount(value)
        return cents(amount / self.divisor)


def _at(row: Mapping[str, object], path: str) -> object:
    if path in row:
        return row[path]
    value: object = row
    for step in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value


class Columns:
    """Finds a field in a row: by the owner's map first, then by the usual names.

    Raises FeedError for a map with an unknown field or an empty column.
    """

    def __init__(self, mapping: Mapping[str, str] | None = None) -> None:
        self.mapped: dict[str, MappedColumn] = {}
        for field, column in (mapping or {}).items():
            if field not in MAPPABLE:
                near = difflib.get_close_matches(field, MAPPABLE, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(MAPPABLE)}"
                raise FeedError(f"--map {field}={column}: no field is called {field!r}; {hint}")
            self.mapped[_MAPPED_AS.get(field, field)] = _mapped_column(field, column)
        self._guesses: dict[tuple[str, ...], dict[str, tuple[str, ...]]] = {}

    def of(self, row: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
        """Field → the row's columns that usually hold it, best first."""
        keys = tuple(row)
        if (found := self._guesses.get(keys)) is None:
            found = self._guesses[keys] = guess(keys)
            for field in self.mapped:
                for gone in (field, *_NEVER_BESIDE_MAP.get(field, ())):
                    if field != "alias":
                        found.pop(gone, None)
        return found

    def check(self, columns: Iterable[str], *, name: str) -> None:
        """Raise FeedError when a mapped column is missing from the feed called `name`."""
        present = list(columns)
        for mapped in self.mapped.values():
            if mapped.column not in present and mapped.column.split(".")[0] not in present:
                raise FeedError(
                    f"--map: {name} has no column {mapped.column!r}; "
                    f"it has {', '.join(present[:30])}"
                )


def _mapped_column(field: str, column: str) -> MappedColumn:
    found = re.fullmatch(r"(.+?)\s*/\s*(\d+)", column.strip())
    if not column.strip():
        raise FeedError(f"--map {field}=: name the column, for example --map {field}=my_{field}")
    if found is None:
        return MappedColumn(column.strip())
    try:
        divisor = Decimal(found[2])
    except InvalidOperation:
        divisor = Decimal(0)
    if divisor <= 0:
        raise FeedError(f"--map {field}={column}: divide by a number above zero, such as /100")
    return MappedColumn(found[1].strip(), divisor)


def guess(
    columns: Iterable[str], names: Mapping[str, tuple[str, ...]] = PRODUCT_NAMES
) -> dict[str, tuple[str, ...]]:
    """Field → columns, by the table of names; "price (USD)" counts as "price"."""
    by_form: dict[str, list[str]] = {}
    for column in columns:
        by_form.setdefault(_without_currency(key_form(bare(column))), []).append(column)
    found = {}
    for field, forms in names.items():
        if hits := tuple(column for form in forms for column in by_form.get(form, ())):
            found[field] = hits
    return found


def bare(column: str) -> str:
    """A column's name without a namespace and without hints to who fills it in: "Active (0/1)"."""
    return _HINT.sub("", column.removeprefix("g:"))


def _without_currency(form: str) -> str:
    found = re.fullmatch(r"(.*(?:price|价格|售价|现价|原价|单价))(元|[a-z]{3}|[€£])", form)
    return found[1] if found and currency_code(found[2]) else form


def column_currency(column: str) -> str | None:
    """The currency that a column's own name states: "Price (USD)", "价格（元）"."""
    found = re.fullmatch(
        r".*(?:price|价格|售价|现价|原价|单价)(元|[a-z]{3}|[€£])", key_form(column)
    )
    return currency_code(found[1]) if found else None


def map_columns(mapping: Mapping[str, str]) -> dict[str, str]:
    """Field → the bare column of each map entry. Raises FeedError for an entry that is wrong."""
    Columns(mapping)
    return {field: _mapped_column(field, column).column for field, column in mapping.items()}


def parse_map(entries: Iterable[str]) -> dict[str, str]:
    """`FIELD=COLUMN` texts as a mapping. Raises FeedError for a text without "="."""
    mapping = {}
    for entry in entries:
        field, sign, column = entry.partition("=")
        if not sign or not field.strip() or not column.strip():
            raise FeedError(f"--map {entry!r}: write FIELD=COLUMN, such as price=price_cents/100")
        mapping[field.strip()] = column.strip()
    Columns(mapping)
    return mapping
