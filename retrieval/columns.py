"""What conditions are about, product by product, in columns that can be mapped from a file.

Knows nothing of conditions, scores or vectors.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from db.records import Product
from retrieval.strings import StringTable
from retrieval.text import normalise, sequence

Floats = npt.NDArray[np.float64]

BETWEEN_FIELDS = " ¶ ".encode()  # the title is the first


class Groups:
    """The rows under each name: name t has `rows[starts[t]:starts[t + 1]]`, ascending."""

    def __init__(
        self, names: StringTable, starts: npt.NDArray[np.int64], rows: npt.NDArray[np.int32]
    ) -> None:
        """Raises ValueError when the arrays do not belong together."""
        if len(starts) != len(names) + 1 or int(starts[-1]) != len(rows):
            raise ValueError("the arrays of the groups do not fit their names")
        self.names = names
        self._starts = starts
        self._rows = rows

    @classmethod
    def of(cls, names_of_rows: Iterable[Iterable[str]]) -> Groups:
        """From the names of each row; an empty name is none."""
        found: dict[str, array[int]] = {}
        for at, names in enumerate(names_of_rows):
            for name in dict.fromkeys(names):
                if name:
                    found.setdefault(name, array("i")).append(at)
        sizes = [0, *map(len, found.values())]
        rows = [np.array(rows, np.int32) for rows in found.values()]
        joined = np.concatenate(rows) if rows else np.zeros(0, np.int32)
        return cls(StringTable.of(found), np.cumsum(sizes, dtype=np.int64), joined)

    def rows_of(self, name: str) -> npt.NDArray[np.int32]:
        """The rows under one name, none for a name that is not known."""
        at = self.names.find(name)
        if at is None:
            return np.zeros(0, np.int32)
        return self._rows[int(self._starts[at]) : int(self._starts[at + 1])]

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything as plain arrays."""
        names = {f"names-{part}": one for part, one in self.names.arrays().items()}
        return names | {"starts": self._starts, "rows": self._rows}

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Groups:
        """The groups of `arrays()`. Raises ValueError or KeyError when they do not fit."""
        return cls(StringTable.restore(within(arrays, "names")), arrays["starts"], arrays["rows"])


class ProductColumns:
    """The products of one segment, in the order of the catalogue.

    Prices and ratings are floats with NaN for "not stated": a price has few digits, so its float
    is the nearest one and compares as the decimal does. Stock is 1, 0 or -1 (not stated). `words`
    are the stems of all fields in order, in which phrases are sought.
    """

    def __init__(
        self,
        *,
        ids: StringTable,
        words: StringTable,
        price: Floats,
        rating: Floats,
        stock: npt.NDArray[np.int8],
        brands: Groups,
        categories: Groups,
    ) -> None:
        """Raises ValueError when the columns differ in length."""
        if len({len(ids), len(words), len(price), len(rating), len(stock)}) > 1:
            raise ValueError("the columns of the products differ in length")
        self.ids = ids
        self.words = words
        self.price = price
        self.rating = rating
        self.stock = stock
        self.brands = brands
        self.categories = categories

    def __len__(self) -> int:
        return len(self.ids)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything as plain arrays."""
        found: dict[str, npt.NDArray[Any]] = {
            "price": self.price,
            "rating": self.rating,
            "stock": self.stock,
        }
        for name in ("ids", "words", "brands", "categories"):
            found |= {f"{name}-{part}": one for part, one in getattr(self, name).arrays().items()}
        return found

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> ProductColumns:
        """The columns of `arrays()`. Raises ValueError or KeyError when they do not fit."""
        return cls(
            ids=StringTable.restore(within(arrays, "ids")),
            words=StringTable.restore(within(arrays, "words")),
            price=arrays["price"],
            rating=arrays["rating"],
            stock=arrays["stock"],
            brands=Groups.restore(within(arrays, "brands")),
            categories=Groups.restore(within(arrays, "categories")),
        )


class ColumnsBuilder:
    """Takes products one by one and makes their columns."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._words: list[bytes] = []
        self._price, self._rating, self._stock = array("d"), array("d"), array("b")
        self._brands: list[tuple[str, ...]] = []
        self._categories: list[tuple[str, ...]] = []

    def add(self, product: Product, fields: Mapping[str, str]) -> None:
        """The next product; phrases are sought in the words of its `fields`."""
        self._ids.append(product.id)
        # fields are kept apart, so that no phrase begins in one and ends in the next
        told = BETWEEN_FIELDS.join(" ".join(sequence(text)).encode() for text in fields.values())
        self._words.append(b" " + told + b" ")
        self._price.append(np.nan if product.price is None else float(product.price.amount))
        self._rating.append(np.nan if product.rating is None else product.rating)
        self._stock.append(-1 if product.in_stock is None else int(product.in_stock))
        self._brands.append((normalise(product.brand or ""),))
        self._categories.append(tuple(map(normalise, product.category)))

    def build(self) -> ProductColumns:
        """The columns of all products that were added."""
        return ProductColumns(
            ids=StringTable.of(self._ids),
            words=StringTable.of_bytes(self._words, findable=False),
            price=np.array(self._price, np.float64),
            rating=np.array(self._rating, np.float64),
            stock=np.array(self._stock, np.int8),
            brands=Groups.of(self._brands),
            categories=Groups.of(self._categories),
        )


def within(arrays: Mapping[str, npt.NDArray[Any]], part: str) -> dict[str, npt.NDArray[Any]]:
    """The arrays whose name begins with the part, under the rest of their name."""
    begin = f"{part}-"
    return {
        name.removeprefix(begin): array for name, array in arrays.items() if name.startswith(begin)
    }
