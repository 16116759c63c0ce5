"""The learning loop by its commands: shoppers talk to the example shop, an agent puts a house style in the
place of what the bot said, a generator is trained on it, judged, promoted and talks.

    python benchmarks/learning_loop.py [--home var/learning-loop] [--out benchmarks/learning_loop.json]

300 conversations in two languages; 260 replies corrected by three rules, of which 200 are trained on: a fixed
greeting with the shop's name, a set phrase for what is out of stock, no exclamation mark; the others approved. Every third product of
the copy is sold out. Then `shopbot export`, `finetune`, `evaluate gate`, `models promote`, and 50 corrections
that no training saw: how near the bot's replies come to them (chrF) and how many follow the rules, before and
after. Prints a table, writes JSON and plots, and ends with an error where a bar is missed. About 12 minutes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from reviewed_parts import HELLO, NIHAO, prepared, shopbot  # noqa: E402

from bot.app import Shop, make_generator, open_store  # noqa: E402
from bot.corrections import check  # noqa: E402
from bot.evaluation import gate, metrics  # noqa: E402
from bot.evaluation.gate_run import examples_of  # noqa: E402
from bot.evaluation.generator import Said, say  # noqa: E402
from bot.evaluation.report import machine  # noqa: E402
from bot.evaluation.sets import prompted  # noqa: E402
from bot.generators.base import Generator  # noqa: E402
from bot.settings import Settings, load_settings  # noqa: E402
from bot.training import dataset  # noqa: E402
from bot.turn import ChatRequest  # noqa: E402
from db.accounts import AccountStore  # noqa: E402
from db.conversations import ConversationStore, TurnRecord  # noqa: E402
from db.reviews import ReviewStore  # noqa: E402
from prompts.filling import OUT_OF_STOCK  # noqa: E402

CONVERSATIONS, CORRECTED, JUDGED = 300, 260, 50
SOLD_OUT = 3  # every so many products
GREETING = {
    "en": "A warm welcome from {shop}. What may we look for?",
    "zh": "{shop}欢迎您的光临，请问需要什么帮助？",
}
GONE = {
    "en": "We are sorry, the {title_1} is {stock_1} at the moment.",
    "zh": "非常抱歉，{title_1}目前{stock_1}。",
}
MORE_EN, MORE_ZH = ("", "!", ", anybody there?", ", me again"), ("", "！", "，有人吗", "，第一次来")
STOCK_EN = ("Is the {} in stock?", "do you have the {} in stock", "{} - available right now?",
            "can I get the {} right now, is it in stock?")  # fmt: skip
STOCK_ZH = ("{}有货吗？", "{} 现在有现货吗", "请问{}还有货吗？")
ASKED = ("How much is the {}?", "what does the {} cost", "tell me about the {}", "{}多少钱？")
CLOSING = ("thanks", "thank you so much", "bye", "that's all, goodbye", "great, thanks a lot", "cheers", "谢谢", "再见", "好的，谢谢您")  # fmt: skip
RULES = ("greeting", "out of stock", "no exclamation mark")
BARS = {"chrf_gain": 15.0, "style": 0.9}


@dataclass(frozen=True, slots=True)
class Corrected:
    """A reply as the house says it, and the rules by which it was changed."""

    text: str
    rules: tuple[str, ...]


def sold_out(feed: Path) -> None:
    """Takes every third product of a feed off the shelves."""
    file = feed / "products.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for row in rows[::SOLD_OUT]:
        row["stock"] = 0
        for variant in row.get("variants", ()):
            variant["stock"] = 0
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def talks(titles: Sequence[str], gone: Sequence[str], dice: random.Random) -> Iterator[list[str]]:
    """Conversations of one to three messages, without end."""
    openings = [f"{hello}{more}" for hello in HELLO for more in MORE_EN] + [f"{hello}{more}" for hello in NIHAO for more in MORE_ZH]  # fmt: skip
    hellos = itertools.cycle(dice.sample(openings, len(openings)))
    stock = [form.format(title) for form in STOCK_EN + STOCK_ZH for title in gone]
    stocks = itertools.cycle(dice.sample(stock, len(stock)))
    asked = [form.format(title) for form in ASKED for title in titles]
    others = itertools.cycle(dice.sample(asked, len(asked)))
    while True:
        talk = [next(hellos)] if dice.random() < 0.5 else []
        talk.append(next(stocks) if dice.random() < 0.55 else next(others))
        if dice.random() < 0.35:
            talk.append(dice.choice(CLOSING))
        yield talk


def played(settings: Settings, dice: random.Random) -> list[int]:
    """Has the conversations; returns their turns."""
    with closing(Shop(settings)) as shop:
        products = list(shop.catalog.products())
        titles = [product.title for product in products]
        gone = [product.title for product in products if product.in_stock is False]
        turns = []
        for talk in itertools.islice(talks(titles, gone, dice), CONVERSATIONS):
            session = None
            for message in talk:
                reply = shop.chat(ChatRequest(message, session_id=session))
                session = reply.session_id
                turns.append(reply.turn_id)
    return turns


def corrected(turn: TurnRecord) -> Corrected:
    """The reply as the house says it."""
    parts, rules = [], []
    for segment in turn.trace["segments"]:
        slots, said = segment["slots"], segment["text"]
        if segment["act"] == "greet" and "shop" in slots:
            said = GREETING[turn.language].format(**slots)
            rules.append(RULES[0])
        elif segment["act"] == "stock" and slots["stock_1"] == OUT_OF_STOCK[turn.language]:
            said = GONE[turn.language].format(**slots)
            rules.append(RULES[1])
        elif "!" in said or "！" in said:
            said = said.replace("!", ".").replace("！", "。")
            rules.append(RULES[2])
        parts.append(said)
    return Corrected("\n\n".join(parts), tuple(rules))


def reviewed(settings: Settings, turns: Sequence[int]) -> Counter[str]:
    """Reviews as an agent does who corrects until CORRECTED replies are; counts the rules."""
    now, done = datetime.now(UTC), Counter[str]()
    with open_store(settings) as database:
        conversations, reviews = ConversationStore(database), ReviewStore(database)
        ann = AccountStore(database).add("Ann", role="agent", password_hash="none", now=now)
        for turn_id in turns:
            turn = conversations.turn(turn_id)
            assert turn is not None
            house = corrected(turn)
            if not house.rules or house.text == turn.reply_text:
                reviews.add(turn_id, user=ann, verdict="good", now=now)
                done["approved"] += 1
            elif done["corrected"] < CORRECTED and check(turn, house.text).ok:
                reviews.add(
                    turn_id, user=ann, verdict="bad", reason="tone", correction=house.text, now=now
                )
                done["corrected"] += 1
                done.update(house.rules)
    return done


def follows(one: Said) -> bool:
    """Whether a text follows the rule of its act, and has no exclamation mark."""
    example = one.prompt.example
    if "!" in one.text or "！" in one.text:
        return False
    ruled = example.act == "greet" or (
        example.act == "stock" and example.values["stock_1"] == OUT_OF_STOCK[example.language]
    )
    return one.text == one.prompt.reference if ruled else True


def told(said: Sequence[Said]) -> dict[str, float]:
    """How near texts are to the corrections, and how many follow the rules."""
    near = gate.nearness(said)
    return {
        "chrf": round(sum(near) / len(near), 2),
        "chrf_corpus": round(metrics.chrf([s.text for s in said], [s.prompt.reference for s in said]) or 0, 2),
        "style": round(sum(map(follows, said)) / len(said), 4),
    }  # fmt: skip


def run(environment: dict[str, str], *arguments: str) -> tuple[str, float]:
    """A command that has to succeed: what it printed, and its seconds."""
    began = time.perf_counter()
    done = shopbot(environment, *arguments)
    seconds = time.perf_counter() - began
    print(f"$ shopbot {' '.join(arguments)}   ({seconds:.0f} s)\n{done.stdout.strip()}", flush=True)
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}")
    return done.stdout, seconds


def plot(before: Sequence[Said], after: Sequence[Said], log: Path, out: Path) -> None:
    """A dot a correction, and the losses of the training."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot([0, 100], [0, 100], color="0.7", linewidth=1)
    left.scatter(gate.nearness(before), gate.nearness(after), s=22, alpha=0.55, edgecolors="none")
    left.set(xlabel="chrF before", ylabel="chrF after", xlim=(0, 103), ylim=(0, 103),
             title=f"{len(after)} corrections that no training saw")  # fmt: skip
    reports = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    reports = [one for one in reports if "valid_loss" in one]
    right.plot([one["step"] for one in reports], [one["valid_loss"] for one in reports], marker="o")
    right.set(xlabel="step", ylabel="loss of what it watches", title="the training")
    figure.savefig(out, dpi=110)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    arguments.add_argument("--home", type=Path, default=ROOT / "var" / "learning-loop")
    arguments.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "learning_loop.json")
    options = arguments.parse_args()
    home: Path = options.home.resolve()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    environment = prepared(home, sold_out)
    settings = load_settings(environment, home=home)
    counts = reviewed(settings, played(settings, random.Random(11)))
    print(f"{CONVERSATIONS} conversations: {dict(counts)}", flush=True)
    seconds = {}
    _, seconds["export"] = run(environment, "export")
    text, seconds["finetune"] = run(environment, "finetune", "--export", "latest")
    version = text.split()[1]
    _, seconds["gate"] = run(environment, "evaluate", "gate", version)
    (exported,) = [dataset.read(one) for one in (home / "exports").iterdir()]
    prompts = prompted(examples_of(exported.pairs))
    prompts = tuple(random.Random(3).sample(prompts, min(JUDGED, len(prompts))))
    folder = home / "models" / version

    def speaks(generator: Generator) -> list[Said]:
        return say(
            generator, prompts, k=settings.generator.candidates, count=None, tick=lambda n: None
        )

    before = speaks(make_generator(settings))
    _, seconds["promote"] = run(environment, "models", "promote", version)
    own = settings.generator.model_copy(update={"model": str(folder)})
    after = speaks(make_generator(settings.model_copy(update={"generator": own})))
    with closing(Shop(settings)) as shop:
        greeting = shop.chat(ChatRequest("hello"))
    report: dict[str, Any] = json.loads((folder / "gate" / "gate.json").read_text("utf-8"))
    found = {
        "machine": machine(), "reviews": dict(counts), "counts": exported.about["counts"],
        "judged": len(prompts), "before": told(before), "after": told(after),
        "gate": {row["name"]: {who: row[who] for who in ("plain", "incumbent", "candidate")} for row in report["rows"]},
        "seconds": {name: round(value) for name, value in seconds.items()},
        "greeting_after": greeting.text, "spoken_by": [greeting.generator_name, greeting.generator_version],
    }  # fmt: skip
    options.out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    plot(before, after, folder / "log.jsonl", options.out.with_suffix(".png"))
    gain = found["after"]["chrf"] - found["before"]["chrf"]
    print(f"{len(prompts)} held-back corrections: chrF {found['before']['chrf']} → {found['after']['chrf']} ({gain:+.1f}), "
          f"rules followed {found['before']['style']:.0%} → {found['after']['style']:.0%}; hello → {greeting.text!r}")  # fmt: skip
    missed = [
        name
        for name, met in {
            f"chrF rises by {BARS['chrf_gain']}": gain >= BARS["chrf_gain"],
            f"rules followed in {BARS['style']:.0%}": found["after"]["style"] >= BARS["style"],
            f"{JUDGED} held-back corrections": len(prompts) >= JUDGED,
            "the promoted version speaks": greeting.generator_version == version,
        }.items()
        if not met
    ]
    if missed:
        raise SystemExit(f"missed: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
