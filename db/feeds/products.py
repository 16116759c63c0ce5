"""One row of a feed as a product, with the texts that belong to it.

Knows nothing about files and formats. A row states or it does not: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from db.feeds.attributes import LONG_VALUE, attributes_of, option_attributes
from db.feeds.fields import Columns, bare, column_currency, key_form
from db.feeds.rows import Row
from db.feeds.source import MAX_FIELD
from db.feeds.text import clean_line, clean_text
from db.feeds.values import (
    Unreadable,
    category_path,
    currency_code,
    money_amount,
    rating_value,
    sign_contradicts,
    stated,
    string_list,
    truth,
    whole_number,
)
from db.feeds.variants import price_range, read_variants, stock_of
from db.records import Attribute, Document, Money, Product, ProductId, RejectedRow, Variant

_MAX_NAME = 1_000  # characters of an id, title or alias
_WORDS_OF_REVIEW = ("comment", "text", "review", "content", "body", "reviewBody", "评论", "内容")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_DISCOUNT_FORMS = frozenset({"regularprice", "saleprice", "specialprice", "discount"})
_DISTINCT_ALIASES = 50
_FORMULA = re.compile(r"=\s*[\w(\"'+@-]|[+@-]\s*\w+[\w.]*\(|[+=@-].*\|.*!")
_SHEET_ERROR = re.compile(r"#(?:REF!|N/A|NAME\?|VALUE!|DIV/0!|NULL!|NUM!|SPILL!|CALC!)")
_LINK = re.compile(r"https?://[^\s<>\"']+")
# pictures may also lie in the shop's own media folder, which is served under this path
_PICTURE = re.compile(rf"{_LINK.pattern}|/media/[\w-][\w./-]*")


class ProductReader:
    """Turns the rows of one feed into products; `currency` holds where the feed names none."""

    def __init__(self, *, columns: Columns, currency: str | None = None) -> None:
        self._columns = columns
        self._currency = currency

    def read(self, row: Row) -> Iterator[Product | Document | RejectedRow]:
        """The product of a row and its documents, or the row rejected with its reason."""
        try:
            yield from _Reading(row.cells, self._columns, self._currency).records()
        except Unreadable as error:
            yield RejectedRow(row.where, str(error))
        except RecursionError:
            yield RejectedRow(row.where, "is nested too deeply: export it again")


class _Reading:
    """One row while it is read; remembers which columns are used up."""

    def __init__(self, cells: Mapping[str, Any], columns: Columns, currency: str | None) -> None:
        # one-to-one objects of bookkeeping ("meta") hold fields of the product itself
        self.cells = {**cells}
        for key, value in cells.items():
            if key_form(key) in {"meta", "extra"} and isinstance(value, dict):
                del self.cells[key]
                self.cells |= {k: v for k, v in value.items() if k not in self.cells}
        for key, value in self.cells.items():
            if isinstance(value, str) and len(value) > MAX_FIELD:
                raise Unreadable(f"{key} is longer than {MAX_FIELD:,} characters: shorten it")
        self.columns = columns.of(self.cells)
        self.mapped = columns.mapped
        self.currency = currency
        self.used: set[str] = set()

    def take(self, field: str) -> Any:
        """The first stated cell of a field, which is thereby used up; None if there is none."""
        return self.take_with_column(field)[0]

    def take_with_column(self, field: str) -> tuple[Any, str]:
        if mapped := self.mapped.get(field):
            self.used.add(mapped.column.split(".")[0])
            value = mapped.read(self.cells)
            return (value if stated(value) else None), mapped.column
        for column in self.columns.get(field, ()):
            if column not in self.used and stated(self.cells[column]):
                self.used.add(column)
                return self.cells[column], column
        return None, ""

    def records(self) -> Iterator[Product | Document | RejectedRow]:
        product_id = ProductId(self._identity())
        brand = clean_line(category_text(self.take("brand"))) or None
        title = self._title(brand)
        money = self._money
        options = option_attributes(self.take("options"))
        rejected: list[RejectedRow] = []
        variants, variant_codes = read_variants(
            self.take("variants"),
            product_id=product_id,
            option_names=tuple(options),
            money=money,
            rejected=rejected,
        )
        price, price_to, compare_at = self._prices(variants)
        stock, in_stock = self._stock(variants, title)
        rating, rating_count = self._rating()
        category = category_path(self.take("category"))
        category += tuple(c for c in category_path(self.take("subcategory")) if c not in category)
        description = clean_text(category_text(self.take("description")))
        tags = string_list(self.take("tags"))
        url = next(iter(_links(self.take("url"))), None)
        images = tuple(
            dict.fromkeys(
                link
                for column in self.columns.get("image", ())
                for link in _links(self.cells[column], _PICTURE)
            )
        )
        reviews = self.take("reviews")
        aliases = self._aliases(product_id, variant_codes)
        attributes, long_ones = self._attributes(options, variants)
        yield Product(
            id=product_id,
            title=title,
            aliases=aliases,
            description=description,
            price=price,
            price_to=price_to,
            compare_at=compare_at,
            in_stock=in_stock,
            stock=stock,
            brand=brand,
            category=category,
            images=images,
            url=url,
            rating=rating,
            rating_count=rating_count if rating_count is not None else _count_of(reviews),
            tags=tags,
            variants=variants,
            attributes=attributes,
        )
        if long_ones:
            sections = "\n\n".join(f"## {a.name}\n\n{a.value}" for a in long_ones)
            yield Document(
                f"{product_id}-details", "page", title, f"# {title}\n\n{sections}\n", product_id
            )
        yield from _reviews(reviews, product_id, title)
        yield from rejected

    def _identity(self) -> str:
        if mapped := self.mapped.get("id"):
            self.used.add(mapped.column.split(".")[0])
            value = mapped.read(self.cells)
        else:
            column = next(iter(self.columns.get("id", ())), None)
            if column is None:
                raise Unreadable("has no id: give it one, or name its column with --map id=COLUMN")
            self.used.add(column)
            value = self.cells[column]
        if isinstance(value, bool | dict | list) or not stated(value):
            raise Unreadable("has no id: give it one")
        return _bounded("id", _typed("id", clean_line(str(value))))

    def _title(self, brand: str | None) -> str:
        value = self.take("title")
        title = clean_line(str(value)) if isinstance(value, str | int | Decimal) else ""
        if not title:
            column = next(iter(self.columns.get("model", ())), None)
            model = clean_line(str(self.cells[column])) if column else ""
            title = f"{brand or ''} {model}".strip() if model else ""
        if not title:
            raise Unreadable("has no title: give it one")
        return _bounded("title", _typed("title", title))

    def _money(self, row: Mapping[str, Any], value: object, column: str) -> Money | None:
        if isinstance(value, dict):
            inner = ("amount", "value", "price", "金额")
            found = next((value[key] for key in inner if stated(value.get(key))), None)
            code = next(
                (c for k in ("currency", "currencyCode", "currency_code") if (c := value.get(k))),
                None,
            )
            if found is None:
                raise Unreadable(f"price states no amount: {str(value)[:40]}")
            named = currency_code(code) if code else None
            value, column = found, ""
            stated_code = named or self._row_currency()
        else:
            stated_code = self._row_currency() or column_currency(column)
        amount, written = money_amount(value)
        currency = written or stated_code or self.currency
        if currency is None:
            raise Unreadable("price has no currency: import with --currency CODE, such as USD")
        if stated_code not in (None, currency) or sign_contradicts(value, currency):
            raise Unreadable(
                f"price {str(value)[:30]} and the currency {stated_code or currency} contradict: "
                "write one currency"
            )
        return Money(amount, currency)

    def _row_currency(self) -> str | None:
        if mapped := self.mapped.get("currency"):
            self.used.add(mapped.column.split(".")[0])
            cell = mapped.read(self.cells)
        else:
            names = self.columns.get("currency", ())
            self.used.update(names)
            cell = next((self.cells[c] for c in names if stated(self.cells[c])), None)
        if cell is None or not stated(cell):
            return None
        if (code := currency_code(cell)) is None:
            raise Unreadable(f"currency is not known: {str(cell)[:20]} (write a code such as USD)")
        return code

    def _prices(
        self, variants: tuple[Variant, ...]
    ) -> tuple[Money | None, Money | None, Money | None]:
        """(price, highest price, price before) of the product itself or of its variants."""
        own, compare = self._own_price(), self._read_price("compare_at")
        low, high = price_range(variants)
        price = own if low is None else low
        if low is None and own is not None and (most := self._read_price("price_to")) is not None:
            if most.currency != own.currency:
                raise Unreadable("price range is in two currencies: export one")
            high = most if most.amount > own.amount else None
        if own is not None and compare is None and (usual := self._read_price("usual")):
            compare = usual
        if price is None or compare is None or compare.currency != price.currency:
            return price, high, None
        return price, high, compare if compare.amount > price.amount else None

    def _own_price(self) -> Money | None:
        reduced = None if self._reduction_is_dated() else self._read_price("paid")
        full = self._read_price("price")
        if reduced is None or reduced.amount == 0:
            return full if full is not None else self._read_price("usual")
        if full is not None and full.amount > reduced.amount and "compare_at" not in self.columns:
            self._before_reduction = full
        return reduced

    _before_reduction: Money | None = None

    def _read_price(self, field: str) -> Money | None:
        value, column = self.take_with_column(field)
        if value is None:
            return self._before_reduction if field == "compare_at" else None
        return self._money(self.cells, value, column)

    def _reduction_is_dated(self) -> bool:
        return any(
            stated(value) and "date" in (form := key_form(key)) and re.search("sale|special", form)
            for key, value in self.cells.items()
        )

    def _stock(self, variants: tuple[Variant, ...], title: str) -> tuple[int | None, bool | None]:
        number, word = self.take("stock"), None
        column = next((c for c in self.columns.get("in_stock", ()) if stated(self.cells[c])), None)
        if mapped := self.mapped.get("in_stock"):
            self.used.add(mapped.column.split(".")[0])
            word = mapped.read(self.cells)
        elif column is not None:
            word = self.cells[column]
        stock, in_stock = stock_of(number, word)
        if in_stock is None and variants:
            told = [variant.in_stock for variant in variants]
            in_stock = True if True in told else False if told and None not in told else None
            stock = variants[0].stock if len(variants) == 1 else None
        if self._is_unlisted(title):
            stock, in_stock = None, False
        if column is not None and (
            isinstance(word, bool) or (in_stock is not None and stock_of(None, word)[1] != in_stock)
        ):
            self.used.add(column)
        return stock, in_stock

    def _is_unlisted(self, title: str) -> bool:
        """Whether the feed says that the product is off sale.

        "on_sale" means "listed" in Chinese shop systems and "reduced" in others, so it counts only
        for Chinese products of a feed that marks no reductions by it.
        """
        for column in self.columns.get("listed", ()):
            value = self.cells[column]
            if key_form(bare(column)) in {"onsale", "isonsale"}:
                forms = {key_form(key) for key in self.cells}
                if not _CHINESE.search(title) or forms & _DISCOUNT_FORMS:
                    continue
                self.used.add(column)
            if isinstance(value, bool):
                self.used.add(column)
            if truth(value) is False or (
                isinstance(value, str) and stock_of(None, value)[1] is False
            ):
                return True
        return False

    def _rating(self) -> tuple[float | None, int | None]:
        count = whole_number(self.take("rating_count"))
        column = next((c for c in self.columns.get("rating", ()) if stated(self.cells[c])), None)
        if "rating" in self.mapped:
            value, _ = self.take_with_column("rating")
        else:
            value = self.cells[column] if column else None
        if isinstance(value, dict):
            inner = {key_form(str(key)): held for key, held in value.items()}
            for key in ("count", "ratingcount", "reviewcount", "votes"):
                count = count if count is not None else whole_number(inner.get(key))
            stars = ("rate", "average", "value", "ratingvalue", "rating", "score", "stars")
            value = next((inner[key] for key in stars if key in inner), None)
        rating = rating_value(value)
        if rating is not None and column:
            self.used.add(column)
        if count == 0 and rating == 0:
            return None, 0
        return rating, count

    def _aliases(self, product_id: str, codes: tuple[str, ...]) -> tuple[str, ...]:
        found: list[str] = []
        if mapped := self.mapped.get("alias"):
            self.used.add(mapped.column.split(".")[0])
            found += [str(v) for v in (mapped.read(self.cells),) if stated(v)]
        for column in self.columns.get("alias", ()):
            value = self.cells[column]
            if stated(value) and isinstance(value, str | int):
                found.append(str(value))
                if key_form(column) not in {"sku", "mpn"}:
                    self.used.add(column)
        found += codes
        names = dict.fromkeys(_bounded("alias", clean_line(name)) for name in found)
        return tuple(n for n in names if n and n != product_id)

    def _attributes(
        self, options: dict[str, tuple[str, ...]], variants: tuple[Variant, ...]
    ) -> tuple[tuple[Attribute, ...], tuple[Attribute, ...]]:
        """Short attributes, and those so long that they are read as a page."""
        ignored = {c for field in ("currency", "image") for c in self.columns.get(field, ())}
        left = {k: v for k, v in self.cells.items() if k not in self.used and k not in ignored}
        found = list(attributes_of(left))
        names = {attribute.name for attribute in found}
        if not options:
            for variant in variants:
                for option in variant.options:
                    values = options.get(option.name, ())
                    if option.value not in values:
                        options[option.name] = (*values, option.value)
        found += [
            Attribute(name, ", ".join(values[:_DISTINCT_ALIASES]))
            for name, values in options.items()
            if name not in names
        ]
        short = tuple(a for a in found if len(a.value) <= LONG_VALUE)
        return short, tuple(a for a in found if len(a.value) > LONG_VALUE)


def category_text(value: object) -> str:
    """A cell that may be an object or a list as the text of its names."""
    if isinstance(value, dict | list):
        return ", ".join(string_list(value if isinstance(value, list) else [value]))
    return "" if value is None else str(value)


def _bounded(field: str, text: str) -> str:
    if len(text) > _MAX_NAME:
        raise Unreadable(f"{field} is longer than {_MAX_NAME} characters: shorten it")
    return text


def _typed(field: str, text: str) -> str:
    """The text, which a person typed: neither a formula nor the error that one came to."""
    if _SHEET_ERROR.fullmatch(text):
        raise Unreadable(f"{field} is the spreadsheet error {text}: mend the formula")
    if _FORMULA.match(text):
        raise Unreadable(f"{field} is a spreadsheet formula ({text[:30]}): write its value")
    return text


def _links(value: object, form: re.Pattern[str] = _LINK) -> list[str]:
    texts = string_list(value, " ,;|\n") if stated(value) else ()
    return [t for t in texts if form.fullmatch(t)]


def _count_of(reviews: object) -> int | None:
    return whole_number(reviews) if not isinstance(reviews, list) else None


def _reviews(value: object, product_id: ProductId, title: str) -> Iterator[Document]:
    """The words of each review, without the person who wrote it."""
    for number, item in enumerate(value if isinstance(value, list) else (), 1):
        if isinstance(item, dict):
            text = next((item[k] for k in _WORDS_OF_REVIEW if stated(item.get(k))), None)
        else:
            text = item
        if isinstance(text, str) and (words := clean_text(text)):
            yield Document(f"{product_id}-review-{number}", "comment", title, words, product_id)
