"""The command: each verb works, and bad input is one clear line and a status that is not zero."""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from shop_homes import NOW, build_tiny, copy_of, settings_of, shop_in

from bot import cli
from bot.app import Shop
from bot.turn import ChatRequest
from db.records import Money, Product, ProductId

KETTLE = Product(ProductId("k1"), "Copper Kettle", price=Money(Decimal("49.00"), "USD"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny(tmp_path_factory.mktemp("tiny") / "home", products=[KETTLE])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home that the command works in."""
    home = tmp_path / "home"
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "HOME": str(home),
        "NOW": NOW.isoformat(),
        "GENERATOR__KIND": "plain",
        "RETRIEVAL__ENCODER": "hashing",
    }.items():
        monkeypatch.setenv(f"SHOPBOT_{name}", value)
    return home


class Ran:
    """What a run of the command came to."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path):  # type: ignore[no-untyped-def]
    def command(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["shopbot", *arguments])
        monkeypatch.setattr(cli.out, "file", sys.stdout)
        with pytest.raises(SystemExit) as ended:
            cli.main()
            raise SystemExit(0)
        printed = capsys.readouterr()
        return Ran(int(ended.value.code or 0), printed.out, printed.err)

    return command


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["import", "nowhere.csv"], "nowhere.csv does not exist"),
        (["import", "--policies", "nowhere"], "nowhere does not exist"),
        (["import", "--orders", "nowhere.jsonl"], "nowhere.jsonl does not exist"),
        (["import", "--map", "price"], "--map wants FIELD=COLUMN, got 'price'"),
        (["import"], "nothing to import"),
        (["restore", "none.zip"], "there is no file none.zip"),
        (["backup", "nowhere/shop.zip"], "there is no folder nowhere"),
        (["sync"], "set feed.source to a path or https:// address"),
        (["index"], "no products yet: run `shopbot import FEED`"),
        (["search", "kettle"], "no index yet: run `shopbot index`"),
        (["explain", "1"], "no turn 1 in this shop"),
    ],
)
def test_that_bad_input_is_one_clear_line(run, arguments: list[str], told: str) -> None:  # type: ignore[no-untyped-def]
    ran = run(*arguments)
    assert ran.status == 1
    assert ran.err.startswith("shopbot: ")
    assert told in ran.err
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.err + ran.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["sing"],
        ["search"],
        ["search", "x", "--k", "0"],
        ["explain", "first"],
        ["serve", "--port", "99999"],
        ["import", "--colour", "red"],
    ],
)
def test_that_wrong_usage_is_told_without_a_trace(run, arguments: list[str]) -> None:  # type: ignore[no-untyped-def]
    ran = run(*arguments)
    assert ran.status == 2
    assert "--help" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("verb", ["import", "index", "search", "explain", "chat", "doctor"])
def test_that_a_wrong_setting_is_one_line_in_every_verb(  # type: ignore[no-untyped-def]
    run, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setenv("SHOPBOT_CHAT__MAX_PRODUCT", "3")
    ran = run(verb, *{"search": ["x"], "explain": ["1"], "import": ["x"]}.get(verb, []))
    assert ran.status == 1
    assert "did you mean chat.max_products?" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    "verb",
    [
        "import",
        "sync",
        "backup",
        "restore",
        "index",
        "serve",
        "chat",
        "search",
        "explain",
        "doctor",
        "demo",
    ],
)
def test_that_every_verb_has_help(run, verb: str) -> None:  # type: ignore[no-untyped-def]
    ran = run(verb, "--help")
    assert ran.status == 0
    assert "Usage" in ran.out


def test_that_a_feed_becomes_a_shop_that_can_be_searched(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    feed = tmp_path / "feed.csv"
    feed.write_text(
        "id,title,price,currency\n1,Copper Kettle,49.00,USD\n2,Desk Lamp,64.00,USD\n3,,1,USD\n"
    )
    imported = run("import", str(feed))
    assert imported.status == 0
    assert "rejected" in imported.out
    assert "feed.csv" in imported.out
    indexed = run("index")
    assert "indexed 2 products" in indexed.out
    found = run("search", "kettle", "--explain")
    assert found.status == 0
    assert found.out.index("Copper Kettle") < found.out.index("words:")
    assert "49.00 USD" in found.out
    assert re.search(r"score \d\.\d+ = .*words \d\.\d+·1", found.out)
    assert "in title" in found.out
    assert "Nothing here" not in found.out
    absent = run("search", "lawn mower")
    assert absent.out.startswith("Nothing here is what was asked.")


def test_that_a_conversation_in_the_terminal_can_be_explained(  # type: ignore[no-untyped-def]
    run, tiny: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_of(tiny, home)
    lines = iter(["I need a kettle under $60", "\u200b", "x" * 4001, ""])
    monkeypatch.setattr("builtins.input", lambda prompt: next(lines))
    talked = run("chat")
    assert talked.status == 0
    assert "1. Copper Kettle 49.00 USD" in talked.out
    assert "4000 are accepted" in talked.out
    explained = run("explain", "1")
    assert explained.status == 0
    for told in (
        "shopper: I need a kettle",
        "intent recommend",
        "condition price",
        "act recommend",
    ):
        assert told in explained.out


def test_that_the_end_of_input_ends_the_conversation(  # type: ignore[no-untyped-def]
    run, tiny: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_of(tiny, home)

    def closed(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", closed)
    assert run("chat").status == 0


def test_that_an_interrupt_ends_quietly(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupted)
    ran = run("chat")
    assert (ran.status, ran.err) == (130, "")


def test_that_the_doctor_ends_with_a_status_that_tells(run, tiny: Path, home: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("doctor").status == 1
    home.rename(home.with_name("empty"))
    copy_of(tiny, home)
    ran = run("doctor")
    assert "catalogue: 1 products" in ran.out
    assert "fixed by SHOPBOT_NOW" in ran.out


def test_that_a_terminal_shows_tables_and_markup_as_they_stand(tiny: Path, tmp_path: Path) -> None:
    from bot.terminal import reply_as_text
    from bot.turn import Card, Citation, Comparison, ComparisonRow, Reply

    text = reply_as_text(
        Reply(
            "s", 1, "[bold]Hello", "en", ("compare",),
            products=(Card("1", "Tent [red]", "10.00", "12.00", "USD", None, None, False, 4.5),),
            comparison=Comparison(("1", "2"), (ComparisonRow("Weight", ("1 lb", "2 lb")),)),
            citations=(Citation("policy", "p", "Returns", "30 days"),),
            suggestions=("More",),
        )
    )  # fmt: skip
    assert text.splitlines() == [
        "[bold]Hello",
        "  1. Tent [red] 10.00–12.00 USD · out of stock · ★ 4.5",
        "  Weight: 1 lb | 2 lb",
        "  [policy] Returns: “30 days”",
        "  → More",
    ]


def test_that_a_turn_of_any_kind_can_be_explained(tiny: Path, tmp_path: Path) -> None:
    from bot.terminal import trace_as_text

    shop = shop_in(copy_of(tiny, tmp_path / "home"))
    for message in ("hello", "asdf qwer zxcv", "你好", "kettle", "order FK-12345"):
        record = shop.conversations.turn(shop.chat(ChatRequest(message)).turn_id)
        assert record is not None
        assert f"reply: {record.reply_text}" in trace_as_text(record)
    shop.close()


def test_that_an_explained_turn_shows_every_candidate_with_its_scores(
    tiny: Path, tmp_path: Path
) -> None:
    from remote_server import choices, remote

    from bot.terminal import trace_as_text

    texts = ("<title_1> is cheap.", "<title_1> is <price_1>, was $99.00.", "Copper Kettle: $49.00.")
    generator = remote(lambda request: choices(*texts))
    shop = Shop(settings_of(copy_of(tiny, tmp_path / "home")), generator=generator)
    record = shop.conversations.turn(
        shop.chat(ChatRequest("How much is the Copper Kettle?")).turn_id
    )
    shop.close()
    told = trace_as_text(record).splitlines()
    at = next(i for i, line in enumerate(told) if "candidate" in line)
    assert "<title_1> is cheap." in told[at]
    assert "logprob +0.00, repeats" in told[at + 1] and "odd -" in told[at + 1]
    assert told[at + 2].strip() == "slots: missing price_1"
    assert told[at + 3].strip() == "REFUSED slots"
    assert any("without a source: " in line and "$99.00" in line for line in told)
    assert "      REFUSED by the verifier" in told
    chosen = [line for line in told if line.startswith("  * candidate")]
    assert len(chosen) == 1 and chosen[0].endswith("<title_1>: <price_1>.")
    assert "      written: Copper Kettle: $49.00." in told


def test_that_a_turn_of_an_older_version_can_be_explained() -> None:
    from bot.terminal import _candidate

    assert _candidate({"marked": "Hello.", "logprob": -0.5}) == ["    candidate -0.50: Hello."]
    old = {"marked": "Hi.", "refused": ["$9"], "plain": True}
    assert _candidate(old) == ["    candidate plain: Hi.", "      REFUSED by the verifier"]
