"""Makes grounded replies of every act from made-up catalogues, and untrue variants of them."""

from __future__ import annotations

import datetime as dt
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from bot.turn import Fact
from prompts.acts import inventory
from prompts.combinations import combinations
from prompts.filling import fill
from prompts.phrasing import phrasebook

GOLDEN = Path(__file__).parents[2] / "golden"
SHOPS = json.loads((GOLDEN / "made_up_shops.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Grounded:
    """A reply with its facts; `price` etc. of products by title for making untrue variants."""

    language: str
    act: str
    text: str
    facts: tuple[Fact, ...]
    marked: str
    values: dict[str, str]


@dataclass
class _Product:
    id: str
    title: str
    price: str
    amount: Decimal
    attributes: dict[str, str]
    stock: str
    brand: str
    category: str
    text: str


class Maker:
    """Draws products, orders and rules; every draw is repeatable by its seed."""

    def __init__(self, language: str, seed: int) -> None:
        self.rng = random.Random(f"{language}{seed}")
        self.language = language
        self.data = SHOPS[language]

    def pick(self, key: str) -> str:
        return self.fill(self.rng.choice(self.data[key]))

    def fill(self, text: str) -> str:
        text = text.replace("{n}", str(self.rng.randint(2, 9))).replace(
            "{m}", str(self.rng.randint(10, 19))
        )
        return text.replace("{p}", str(self.rng.randrange(40, 400)))

    def money(self, amount: Decimal) -> str:
        text = f"{amount:,.2f}"
        return self.data["money"].format(
            text if self.language == "en" else text.removesuffix(".00")
        )

    def products(self, count: int) -> list[_Product]:
        labels = self.rng.sample(list(self.data["attributes"]), 4)
        seen: set[str] = set()
        found: list[_Product] = []
        while len(found) < count:
            join = " " if self.language == "en" else ""
            title = join.join(self.rng.choice(self.data[k]) for k in ("first", "second", "noun"))
            if title in seen:
                continue
            seen.add(title)
            amount = (
                Decimal(self.rng.randrange(900, 49900)) / 100
                if self.rng.random() < 0.5
                else Decimal(self.rng.randrange(20, 900))
            )
            price = self.money(amount)
            if self.rng.random() < 0.15:
                price += (" - " if self.language == "en" else "至") + self.money(amount + 20)
            attributes = {
                label: self.fill(self.rng.choice(self.data["attributes"][label]))
                for label in labels
            }
            own = (self.pick(key) for key in ("stock", "brand", "category", "text"))
            found.append(_Product(str(100 + len(found)), title, price, amount, attributes, *own))
        return found

    def make(self, act: str, *, plain: bool) -> Grounded | None:
        """One reply of the act, or None where no phrasing serves the drawn slots."""
        given = self.rng.choice(combinations(act))
        book = phrasebook(self.language)
        marked = book.plain(act, given) if plain else book.sample(act, given, self.rng)
        if marked is None:
            return None
        values, facts = self.ground(act, given)
        return Grounded(self.language, act, fill(marked, values), tuple(facts), marked, values)

    def ground(  # noqa: PLR0912, PLR0915  (a slot a branch)
        self, act: str, given: tuple[str, ...]
    ) -> tuple[dict[str, str], list[Fact]]:
        """Draws values for the slots, and the facts behind them."""
        values: dict[str, str] = {}
        facts: list[Fact] = []

        def fact(source: str, key: str, field: str, text: str, subject: str = "") -> str:
            facts.append(Fact(f"F{len(facts) + 1}", source, key, field, text, subject))  # type: ignore[arg-type]
            return text

        titles = [s for s in given if s.startswith("title_")]
        if act == "refuse_price" and "price_1" in given and not titles:
            titles = ["title_1"]
        products = self.products(max(len(titles), 1 if act in ("order_status",) else 0))
        if act == "price_difference":
            products.sort(key=lambda p: p.amount)
            if products[0].amount == products[1].amount:
                products[1].amount += 7
            for p in products:
                p.price = self.money(p.amount)
        quoted_by_product = act in {"describe", "product_quote"}
        for i, p in enumerate(products, 1):
            if not titles:
                break
            fact("product", p.id, "title", p.title, p.title)
            fact("product", p.id, "price", p.price, p.title)
            fact("product", p.id, "stock", p.stock, p.title)
            fact("product", p.id, "brand", p.brand, p.title)
            fact("product", p.id, "text", p.text, p.title)
            for label, value in p.attributes.items():
                fact("product", p.id, f"attribute:{label}", value, p.title)
            values[f"title_{i}"], values[f"price_{i}"], values[f"stock_{i}"] = (
                p.title,
                p.price,
                p.stock,
            )
            if f"reason_{i}" in given:
                values[f"reason_{i}"] = fact(
                    "product", p.id, "reason", " · ".join(list(p.attributes.values())[:2]), p.title
                )
        if products and titles:
            labels = list(products[0].attributes)
            for k in (1, 2, 3):
                values[f"label_{k}"] = labels[k - 1]
                values[f"value_{k}"] = products[0].attributes[labels[k - 1]]
                values[f"left_{k}"] = products[0].attributes[labels[k - 1]]
                if len(products) > 1:
                    values[f"right_{k}"] = products[1].attributes[labels[k - 1]]
            if act == "choose" and len(products) > 1:
                values["value_2"] = products[1].attributes[labels[0]]
        else:
            labels = self.rng.sample(list(self.data["label"]), 3)
            for k, label in enumerate(labels, 1):
                if f"label_{k}" in given:
                    values[f"label_{k}"], values[f"value_{k}"] = (
                        label,
                        fact(
                            "order", "o", f"attribute:{label}", self.fill(self.data["label"][label])
                        ),
                    )
        for k in (1, 2):
            if f"quote_{k}" in given:
                if quoted_by_product and titles:
                    values[f"quote_{k}"] = (
                        products[0].text
                        if k == 1
                        else fact(
                            "product", products[0].id, "text", self.pick("text"), products[0].title
                        )
                    )
                else:
                    values[f"quote_{k}"] = fact("policy", "returns", "text", self.pick("policy"))
        if "wish" in given:
            values["wish"] = wish = self.pick("wish")
            fact(
                "shopper",
                "m",
                "message",
                ("I am looking for " if self.language == "en" else "我想找") + wish,
            )
            fact("shopper", "m", "wish", wish)
            if act in {"no_match", "not_sold", "no_more"}:
                fact("shopper", "m", "absent", wish)
        elif act == "no_more":
            fact("shopper", "m", "absent", "more" if self.language == "en" else "更多")
        if "relax" in given:
            values["relax"] = fact("shopper", "m", "relax", self.pick("relax"))
        if act in {"unknown_fact", "policy_unknown", "order_unknown_fact"}:
            asked = self.pick("asked")
            values["asked"] = asked
            subject = products[0].title if act == "unknown_fact" else ""
            fact("product" if subject else "policy", "x", "absent", asked, subject)
        self._simple(given, values, fact, products)
        return values, facts

    def _simple(
        self,
        given: tuple[str, ...],
        values: dict[str, str],
        fact: Callable[..., str],
        products: list[_Product],
    ) -> None:
        """Slots that stand alone: names, dates, numbers of orders and requests, amounts."""
        day = dt.date(2026, 11, 1) + dt.timedelta(days=self.rng.randrange(300))

        def date(offset: int) -> str:
            d = day + dt.timedelta(days=offset)
            if self.rng.random() < 0.3:
                return d.isoformat()
            written = self.data["date"].replace("{d}", str(d.day)).replace("{m}", str(d.month))
            return d.strftime(written)

        def number(prefix: str, low: int, high: int) -> str:
            return f"{prefix}{self.rng.randrange(low, high)}"

        simple: dict[str, tuple[str, str, Callable[[], str]]] = {
            "shop": ("shop", "name", lambda: self.pick("shops")),
            "topic": ("policy", "heading", lambda: self.pick("topic")),
            "category": ("shop", "category", lambda: self.pick("category")),
            "date": ("derived", "days_after", lambda: date(9)),
            "time": ("shop", "time", lambda: f"{self.rng.randrange(10, 20)}:30"),
            "place": ("shop", "place", lambda: self.data["place"]),
            "count": ("derived", "count", lambda: str(self.rng.randrange(2, 40))),
            "order_id": ("order", "id", lambda: number("GS-", 1000, 9999)),
            "order_status": ("order", "status", lambda: self.pick("status")),
            "carrier": ("order", "carrier", lambda: self.pick("carrier")),
            "tracking": ("order", "tracking", lambda: number("1Z", 10**8, 10**9)),
            "shipped_on": ("order", "shipped_on", lambda: date(0)),
            "expected_on": ("order", "expected_on", lambda: date(4)),
            "delivered_on": ("order", "delivered_on", lambda: date(6)),
            "kind": ("request", "kind", lambda: self.pick("kind")),
            "hours": ("shop", "hours", lambda: self.data["hours"]),
            "detail": ("request", "detail", lambda: self.pick("detail")),
            "noted": ("request", "noted", lambda: self.pick("noted")),
            "languages": ("shop", "languages", lambda: self.data["languages"]),
            "currency": ("shop", "currency", lambda: self.data["currency"]),
            "request_id": ("request", "id", lambda: number("R-", 1000, 9999)),
            "contact": ("shop", "contact", lambda: self.data["contact"]),
        }
        for slot in given:
            if slot in simple:
                source, field, draw = simple[slot]
                values[slot] = fact(source, "s", field, draw())
            elif slot.startswith("option_"):
                options = [o for o in self.data["option"] if o not in values.values()]
                values[slot] = fact("shopper", "m", "option", self.rng.choice(options))
        if "items" in given:
            values["items"] = fact(
                "order", "o", "items", f"{self.rng.randint(1, 4)} × {products[0].title}"
            )
        if "quantity" in given:
            count = self.rng.randint(2, 9)
            values["quantity"] = fact("shopper", "m", "quantity", str(count))
            if "amount" in given:
                values["amount"] = fact(
                    "derived", "d", "product", self.money(products[0].amount * count)
                )
        elif "amount" in given:
            difference = products[1].amount - products[0].amount
            values["amount"] = fact(
                "derived", "d", "difference", self.money(difference), products[0].title
            )


def replies(language: str, count: int, *, start: int = 0) -> list[Grounded]:
    """`count` grounded replies over all acts, every fourth the plain fallback's."""
    acts = sorted(inventory().acts)
    found: list[Grounded] = []
    seed = start
    while len(found) < count:
        act = acts[seed % len(acts)]
        maker = Maker(language if act != "other_language" else "en", seed)
        made = maker.make(act, plain=seed % 4 == 0)
        seed += 1
        if made is not None:
            found.append(made)
    return found


def untrue(reply: Grounded, clauses: list[str], seed: int) -> list[tuple[str, str]]:
    """Variants of a reply that say something else than its facts: (kind, text)."""
    rng = random.Random(f"untrue{seed}")
    found: list[tuple[str, str]] = []
    known = " ".join(f.text for f in reply.facts)
    text = reply.text
    for match in list(re.finditer(r"\d+(?:[.,]\d+)*", text)):
        for _ in range(20):
            other = str(rng.randrange(11, 9000))
            if not re.search(rf"(?<!\d){other}(?!\d)", known + text):
                found.append(("number", text[: match.start()] + other + text[match.end() :]))
                break
        words = [
            w
            for w, n in SHOPS["number_words"][reply.language].items()
            if not re.search(rf"(?<!\d){n}(?!\d)", known)
        ]
        if re.search(r"[A-Za-z#-]$", text[: match.start()]) is None and not re.match(
            r"[-:A-Za-z]*\d|[A-Z]", text[match.end() :]
        ):
            found.append(("words", text[: match.start()] + rng.choice(words) + text[match.end() :]))
    found.extend(_same_kind(reply))
    found.extend(_units(reply))
    found.extend(_negations(reply, rng))
    low = any(f.field == "stock" and any(c.isdigit() for c in f.text) for f in reply.facts)
    clause = rng.choice([c for c in clauses if not (low and "few pieces" in c)])
    joiner = " " if reply.language == "en" else ""
    stop = "" if text[-1] in ".!?。！？”" else "。" if reply.language == "zh" else "."
    found.append(("clause", text + stop + joiner + clause))
    found.append(("clause", clause + joiner + text))
    found.extend(_titles(reply, rng))
    return [(kind, other) for kind, other in found if other != text]


def _refill(reply: Grounded, **changes: str) -> str:
    return fill(reply.marked, reply.values | changes)


ALIKE = (
    ("price_1", "price_2"),
    ("price_2", "price_3"),
    ("left_1", "right_1"),
    ("left_2", "right_2"),
    ("left_3", "right_3"),
    ("reason_1", "reason_2"),
    ("stock_1", "stock_2"),
    ("shipped_on", "expected_on"),
    ("expected_on", "delivered_on"),
    ("price_1", "amount"),
    ("value_1", "value_2"),
    ("order_id", "tracking"),
)


def _same_kind(reply: Grounded) -> list[tuple[str, str]]:
    values, found = reply.values, []
    slots = set(re.findall(r"<([a-z_0-9]+)>", reply.marked))
    for left, right in ALIKE:
        if left in slots and right in values and values[left] != values[right]:
            if left == "value_1" and reply.act not in {"choose", "describe"}:
                continue
            found.append(("same kind", _refill(reply, **{left: values[right]})))
        if right in slots and left in values and values[left] != values[right]:
            if left == "value_1" and reply.act not in {"choose", "describe"}:
                continue
            found.append(("same kind", _refill(reply, **{right: values[left]})))
    return found


def _units(reply: Grounded) -> list[tuple[str, str]]:
    found = []
    for unit, other in SHOPS["unit_swaps"].items():
        pattern = rf"(?<=\d){re.escape(unit)}(?![A-Za-z\d])" if unit != "$" else r"\$(?=\d)"
        for match in re.finditer(pattern, reply.text):
            if (
                reply.language == "zh"
                and unit in {"年", "天", "日"}
                and reply.text[match.end() : match.end() + 1].isdigit()
            ):
                continue
            if any(
                reply.text[match.start() - 1 : match.end() + 1] in (t := f.subject) and t
                for f in reply.facts
            ):
                continue
            figure = re.search(r"[\d.,]+$", reply.text[: match.start()])
            if figure and figure.group() + other in " ".join(f.text for f in reply.facts):
                continue
            found.append(("unit", reply.text[: match.start()] + other + reply.text[match.end() :]))
    return found


def _negations(reply: Grounded, rng: random.Random) -> list[tuple[str, str]]:
    text, found = reply.text, []
    if reply.language == "en":
        for match in re.finditer(
            r"\b(?:is|are|was|costs|lists|have|has|can|would|will|could|I'd|says)\b", text
        ):
            if (
                not re.match(r"\s(?:\w+\s){0,4}not\b", text[match.end() :])
                and text.rfind("?", match.end()) < 0
            ):
                found.append(("negation", text[: match.end()] + " not" + text[match.end() :]))
        for match in re.finditer(r"\bnot |n't\b", text):
            found.append(("negation removed", text[: match.start()] + text[match.end() :]))
    else:
        for match in re.finditer(
            r"是|有(?!问题|关|兴趣|什么|没)|可以|能(?!否|不)|为(?!您|了|什么|准)", text
        ):
            before = text[: match.start()]
            if (
                before[-1:] in set("不没还只就要能也最这都以如若要或但可认成作称人未无")
                or "？" in text[match.end() :]
                or "吗" in text[match.end() :]
            ):
                continue
            found.append(
                (
                    "negation",
                    before + ("没" if match.group() == "有" else "不") + text[match.start() :],
                )
            )
        without = {"没有": "有", "没": "", "无法": "可以", "不": "", "未": ""}
        pattern = (
            r"(?<!能)(?<!要)(?<!是)(?<!可)(?<!会)不(?!客气|好意思|妨|过|用|必|限|锈钢)"
            r"|没有|(?<!有)没(?!有)|无法|未"
        )
        for match in re.finditer(pattern, text):
            other = text[: match.start()] + without[match.group()] + text[match.end() :]
            found.append(("negation removed", other))
    return found


def _titles(reply: Grounded, rng: random.Random) -> list[tuple[str, str]]:
    values, found = reply.values, []
    titles = [s for s in ("title_1", "title_2", "title_3", "title_4") if f"<{s}>" in reply.marked]
    known = " ".join(f.text for f in reply.facts)
    for slot in titles:
        title = values[slot]
        if reply.language == "en":
            words = title.split()
            at = rng.randrange(len(words))
            other = rng.choice(
                [
                    w
                    for w in ("Glacier", "X9", "Prime", "Hammock", "Vortex", "Ultra")
                    if w not in known
                ]
            )
            found.append(
                ("name", _refill(reply, **{slot: " ".join([*words[:at], other, *words[at + 1 :]])}))
            )
            found.append(("name", _refill(reply, **{slot: title + " " + other})))
        else:
            at = rng.randrange(len(title))
            other = rng.choice([c for c in "狐铜橙鲸雪旗" if c not in known])
            found.append(("name", _refill(reply, **{slot: title[:at] + other + title[at + 1 :]})))
            found.append(("name", _refill(reply, **{slot: title + other})))
    for first, second in zip(titles, titles[1:], strict=False):
        k, m = first[-1], second[-1]
        pairs = [
            (f"price_{k}", f"price_{m}"),
            (f"reason_{k}", f"reason_{m}"),
            *((f"left_{i}", f"right_{i}") for i in (1, 2, 3)),
            ("value_1", "value_2"),
        ]
        differ = [
            p
            for p in pairs
            if f"<{p[0]}>" in reply.marked
            and f"<{p[1]}>" in reply.marked
            and values[p[0]] != values[p[1]]
        ]
        if reply.act == "price_difference" or (differ and reply.act != "describe"):
            found.append(
                ("titles swapped", _refill(reply, **{first: values[second], second: values[first]}))
            )
    return found


def untrue_paraphrases(reply: Grounded, clauses: list[str], seed: int) -> list[tuple[str, str]]:
    """As `untrue`, for free text: names and values are found in the text itself."""
    found = [(k, t) for k, t in untrue(reply, clauses, seed) if k not in {"name", "same kind"}]
    text = reply.text
    for fact in reply.facts:
        if fact.field == "title" and fact.text in text:
            if reply.language == "en":
                for at, word in enumerate(fact.text.split()):
                    words = fact.text.split()
                    words[at] = "Glacier" if word.isalpha() else "X9"
                    found.append(("name", text.replace(fact.text, " ".join(words))))
            else:
                found.append(("name", text.replace(fact.text, "鲸" + fact.text[1:])))
                found.append(("name", text.replace(fact.text, fact.text[:-1] + "雪")))
    prices = [f for f in reply.facts if f.field in {"price"} or f.field.startswith("attribute:")]
    for one in prices:
        for other in prices:
            if one.field == other.field and one.text != other.text and one.text in text:
                if other.text not in text:
                    found.append(("same kind", text.replace(one.text, other.text)))
                elif one.subject < other.subject:
                    swapped = text.replace(one.text, "\0").replace(other.text, one.text)
                    found.append(("same kind", swapped.replace("\0", other.text)))
    return found
