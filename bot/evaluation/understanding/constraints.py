"""How many of the conditions in shoppers' words are read: price, budget, properties, services.

Works on a folder `shopping-goals` (its README tells the fields). Prices are counted as exact pairs
of bounds, budgets as exact figures. Brands and properties are read with the vocabulary of a
catalogue; here it is one of all the goods that the goals are about (`kinds`, as in a shop that sells
them), and one without the goods of the goal being read (`kinds_unseen`: what the words alone give).
A gold value counts where the goal says it in so many words. Terms of vouchers are no condition that
this bot reads, and count as missed. Knows nothing about dialogue.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.facets import Facets
from bot.understanding.constraints import parse_constraints
from bot.understanding.numbers import digits
from bot.understanding.prices import read_prices
from db.records import Attribute, Product, ProductId, Variant
from prompts.facets import facet_kinds
from retrieval.text import sequence

FOLDER = "shopping-goals"
FOLDS = 5  # of the goals one part is read with what the others taught
MOST_LOSSES = 60
Bounds = tuple[Decimal | None, Decimal | None]
_GENERAL = {"color": "colour", "material": "material", "size": "size", "brand": "brand"}
_NAMED = frozenset(_GENERAL.values())
_SERVICES = {"freeShipping": "free_shipping", "COD": "cash_on_delivery", "flashsale": "flash_sale"}
_AUTHORED = re.compile(
    r"(?P<high>\b(?:up to|less than|lower than|under|below|at most|cheaper than)\b)"
    r"|(?P<low>\b(?:more than|higher than|over|above|at least)\b)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Tally:
    """Hits, false finds and misses of one kind; precision, recall and F1 are greater-is-better."""

    hit: int = 0
    false: int = 0
    missed: int = 0

    def add(self, found: Counter[Any], gold: Counter[Any]) -> bool:
        """Counts one goal; returns whether it was read without fault."""
        both = found & gold
        self.hit += both.total()
        self.false += (found - gold).total()
        self.missed += (gold - found).total()
        return found == gold

    def as_dict(self) -> dict[str, Any]:
        precision = self.hit / (self.hit + self.false) if self.hit + self.false else None
        recall = self.hit / (self.hit + self.missed) if self.hit + self.missed else None
        both = 2 * self.hit + self.false + self.missed
        return {
            "gold": self.hit + self.missed,
            "precision": None if precision is None else round(precision, 4),
            "recall": None if recall is None else round(recall, 4),
            "f1": round(2 * self.hit / both, 4) if both else None,
        }


@dataclass(slots=True)
class _Measured:
    tallies: dict[str, Tally] = field(default_factory=dict)
    losses: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {kind: tally.as_dict() for kind, tally in sorted(self.tallies.items())}

    def count(self, kind: str, row_id: str, found: Iterable[Any], gold: Iterable[Any]) -> None:
        told, wanted = Counter(found), Counter(gold)
        if not self.tallies.setdefault(kind, Tally()).add(told, wanted):
            false, missed = _shown(told - wanted), _shown(wanted - told)
            self.losses.append({"kind": kind, "id": row_id, "false": false, "missed": missed})


def measure(data: Path) -> dict[str, Any]:
    """Reads every goal below `data` and returns counts, precision, recall and F1 per kind of
    condition, and a list of losses (price first). Raises FileNotFoundError without the folder."""
    goals = _rows(data / FOLDER / "shoppingbench_queries.jsonl")
    done, unseen = _Measured(), _Measured()
    whole = _vocabulary(goals)
    for goal in goals:
        _read(goal, whole, done)
    for part in range(FOLDS):
        others = [goal for at, goal in enumerate(goals) if at % FOLDS != part]
        vocabulary = _vocabulary(others)
        for goal in goals[part::FOLDS]:
            _read_properties(goal, vocabulary, unseen)
    typed = _Measured()
    for number, row in enumerate(_rows(data / FOLDER / "webshop_goals.jsonl")):
        for query in row["queries"]:
            _read_typed(f"webshop-{number}", query, typed)
    losses = done.losses + typed.losses
    losses.sort(key=lambda loss: loss["kind"] not in ("price", "budget"))
    return {
        "goals": len(goals),
        "kinds": done.as_dict(),
        "kinds_unseen": unseen.as_dict(),
        "webshop": typed.as_dict(),
        "losses": losses[:MOST_LOSSES],
        "all_losses": len(losses),
    }


Vocabulary = tuple[Facets, dict[str, str]]


def _read(goal: Mapping[str, Any], vocabulary: Vocabulary, done: _Measured) -> None:
    text, row_id = goal["query"], goal["id"]
    prices = [(price.low, price.high) for price in read_prices(digits(text))]
    if voucher := goal.get("voucher"):
        budget = (None, Decimal(str(voucher["budget"])))
        said = [budget] if budget in prices else []
        for bounds in said:
            prices.remove(bounds)
        done.count("budget", row_id, said, [budget])
        done.count("voucher", row_id, [], [str(voucher["threshold"])])
    targets = goal["targets"]
    done.count("price", row_id, prices, _gold_prices(targets))
    services = parse_constraints(text, brands={}).constraints.services
    wanted = {_SERVICES.get(s, s) for target in targets for s in target.get("service", ())}
    for service in {*services, *wanted}:
        done.count(f"service {service}", row_id, {service} & {*services}, {service} & wanted)
    _read_properties(goal, vocabulary, done)


def _read_properties(goal: Mapping[str, Any], vocabulary: Vocabulary, done: _Measured) -> None:
    facets, brands = vocabulary
    text, row_id = goal["query"], goal["id"]
    gold = Counter(_gold_facets(goal["targets"], text))
    parsed = parse_constraints(text, brands=brands, facets=facets).constraints
    read = Counter((facet.kind, _plain(facet.kind, facet.value)) for facet in parsed.facets)
    read.update(("brand", _plain("brand", brand)) for brand in parsed.brands)
    for kind in dict.fromkeys(k if k in _NAMED else "other" for k, _ in gold | read):
        done.count(
            kind,
            row_id,
            _of_kind(read, kind).elements(),
            _of_kind(gold, kind).elements(),
        )


def _of_kind(rows: Counter[tuple[str, str]], kind: str) -> Counter[str]:
    """The values of one general kind, each once; those of no general kind together as "other"."""
    if kind != "other":
        return Counter({value for name, value in rows if name == kind})
    return Counter({value for name, value in rows if name not in _NAMED})


def _read_typed(row_id: str, query: str, typed: _Measured) -> None:
    """A typed query whose last words are a limit in dollars, which is then surely the price."""
    ending = re.search(r"(\d+(?:\.\d+)?) dollars\W*$", query, re.IGNORECASE)
    marks = list(_AUTHORED.finditer(query, 0, ending.start())) if ending else []
    if not ending or not marks or query[marks[-1].end() : ending.start()].strip(" $"):
        return
    amount = Decimal(ending.group(1))
    gold: Bounds = (None, amount) if marks[-1]["high"] else (amount, None)
    typed.count("price", row_id, [(p.low, p.high) for p in read_prices(digits(query))], [gold])


def _gold_prices(targets: Iterable[Mapping[str, Any]]) -> Iterator[Bounds]:
    for target in targets:
        for condition in target.get("price", ()):
            for low, high in condition.values():
                yield _money(low), _money(high)


def _money(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _gold_facets(targets: Iterable[Mapping[str, Any]], text: str) -> Iterator[tuple[str, str]]:
    """Gold values that the goal says in so many words: the others no reader could find in it."""
    said = f" {' '.join(sequence(text))} "
    for target in targets:
        for name, value in _labelled(target):
            kind = _kind(name)
            ways = facet_kinds()[kind].ways(value) if kind in facet_kinds() else (value,)
            if any(f" {' '.join(sequence(way))} " in said for way in ways if sequence(way)):
                yield kind, _plain(kind, value)


def _plain(kind: str, value: str) -> str:
    """One spelling for all ways to say a value."""
    general = facet_kinds().get(kind)
    ways = general.ways(value) if general else (value,)
    return min(" ".join(sequence(way)) for way in ways)


def _labelled(target: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for option in target.get("sku_options", ()):
        yield from option.items()
    for attribute in target.get("attributes", ()):
        for name, values in attribute.items():
            for value in values:
                yield name, str(value)


def _kind(name: str) -> str:
    low = name.casefold()
    return next((kind for word, kind in _GENERAL.items() if word in low), low.replace("_", " "))


def _vocabulary(goals: Iterable[Mapping[str, Any]]) -> Vocabulary:
    """What a shop that sells the goods of these goals would know of their properties."""
    products = {}
    brands: dict[str, str] = {}
    for goal in goals:
        for at, target in enumerate(goal["targets"]):
            pid = f"{goal['id']}-{at}"
            title = target["title"]
            options = tuple(
                Attribute(_kind(name), str(value))
                for option in target.get("sku_options", ())
                for name, value in option.items()
            )
            stated = tuple(
                Attribute(_kind(name), str(value))
                for attribute in target.get("attributes", ())
                for name, values in attribute.items()
                for value in values
                if _kind(name) != "brand"
            )
            brands |= {v.casefold(): v for name, v in _labelled(target) if _kind(name) == "brand"}
            products[pid] = Product(
                id=ProductId(pid),
                title=title if isinstance(title, str) else title[0],
                variants=(Variant(pid, options=options),) if options else (),
                attributes=stated,
            )
    return Facets(products, is_kind=lambda word: False), brands


def _rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _shown(counter: Counter[Any]) -> list[str]:
    return [
        "–".join("" if part is None else str(part) for part in value)
        if isinstance(value, tuple)
        else str(value)
        for value in counter.elements()
    ]
