"""What the gate lets pass: a candidate that comes nearer to corrections no training saw, and is worse in
nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from shop_homes import settings_of
from tiny_gpt2 import write_tiny

from bot.app import make_generator, open_store
from bot.errors import ConfigError
from bot.evaluation import gate, gate_run
from bot.evaluation.gate import CANDIDATE, INCUMBENT, PLAIN, Heard, Speaker
from bot.evaluation.generator import Said, Timing
from bot.evaluation.sets import known_to_training, prompted
from bot.evaluation.tasks import Played, Task, tasks
from bot.promotion import Versions
from bot.training.examples import Example
from bot.training.validation import SlotErrors
from bot.versions import register
from db.models import ModelVersionStore
from prompts.filling import fill

NOW = datetime(2026, 3, 2, tzinfo=UTC)
KNOWN = known_to_training(None)
HOUSE = "Our price for the <title_1> is <price_1>."
OWN = "The <title_1> costs <price_1>."


def example(number: int, reply: str = HOUSE) -> Example:
    values = {"title_1": f"Copper Kettle {'abcdefghij'[number % 10]}", "price_1": "$49.00"}
    return Example("en", "price", ("title_1", "price_1"), f"how much {number}", reply, "valid", values=values)  # fmt: skip


def said(number: int, marked: str, **changed: Any) -> Said:
    (prompt,) = prompted([example(number)])
    usual: dict[str, Any] = {
        "greedy": SlotErrors(), "best": SlotErrors(), "own": True, "first_try": True, "judged": 4,
        "passed": 4, "timing": Timing(0.03, None), "reply_seconds": 0.05,
    }  # fmt: skip
    return Said(
        prompt, marked=marked, text=fill(marked, prompt.example.values), **(usual | changed)
    )


def played(done: int, of: int = 10) -> list[Played]:
    return [Played(Task(str(n), ()), (), "" if n < done else "wrong") for n in range(of)]


def heard(near: str = OWN, *, held_back: int = 12, done: int = 10, base: str = OWN, **changed: Any) -> Heard:  # fmt: skip
    return Heard(
        [said(n, base, **changed) for n in range(20)],
        [said(n, near) for n in range(held_back)],
        played(done),
    )


def verdict(candidate: Heard, incumbent: Heard | None = None, plain: Heard | None = None) -> list[str]:  # fmt: skip
    all_of: dict[Speaker, Heard] = {
        CANDIDATE: candidate,
        INCUMBENT: incumbent or heard(),
        PLAIN: plain or heard(),
    }
    return gate.reasons(gate.rows(all_of, KNOWN), all_of)


def test_that_a_candidate_that_is_nearer_and_nowhere_worse_passes() -> None:
    assert verdict(heard(HOUSE)) == []


def test_that_a_candidate_that_is_no_nearer_is_refused() -> None:
    (reason,) = verdict(heard(OWN))
    assert reason.startswith("chrF to held-back corrections")
    assert "has to be better by 1.0" in reason


def test_that_too_few_corrections_decide_nothing() -> None:
    (reason,) = verdict(heard(HOUSE, held_back=4), heard(held_back=4))
    assert "4 held-back corrections are too few" in reason


def test_that_a_gain_that_may_be_chance_is_refused() -> None:
    candidate = heard(OWN, held_back=12)
    lucky = [said(0, HOUSE), said(1, HOUSE), *candidate.held_back[2:]]
    unlucky = [*lucky[:-1], said(11, "<title_1>: <price_1>")]
    (reason,) = verdict(replace(candidate, held_back=unlucky))
    assert "may be chance" in reason


WORSE: dict[str, tuple[str, dict[str, Any]]] = {
    "slot error, greedy": ("slot error, greedy", {"greedy": SlotErrors(missing=1)}),
    "slot error, best of k": ("slot error, best of k", {"best": SlotErrors(added=1)}),
    "verifier": ("candidates that the verifier passes", {"passed": 3}),
    "first try": ("said at the first try", {"first_try": False}),
    "fallback": ("fallbacks", {"own": False}),
    "repeats": ("texts that say 3 words twice", {"base": "The <title_1> costs <price_1>, yes it costs <price_1>, yes."}),
    "tone": ("texts with a word off the tone", {"base": "Hurry, the <title_1> costs <price_1>."}),
    "longer": ("characters, mean", {"base": "The <title_1>, since you ask, costs <price_1>, and that is all there is to say of it."}),
    "shorter": ("characters, mean", {"base": "<price_1>"}),
    "slower": ("ms with all checks, median", {"reply_seconds": 0.2}),
    "tasks": ("conversations brought to their end", {"done": 9}),
}  # fmt: skip


@pytest.mark.parametrize("kind", WORSE)
def test_that_a_candidate_that_is_worse_anywhere_is_refused_by_name(kind: str) -> None:
    label, changed = WORSE[kind]
    reasons = verdict(heard(HOUSE, **changed))
    assert any(reason.startswith(label) for reason in reasons), reasons
    assert any("of the one in use" in reason for reason in reasons)


def test_that_a_little_worse_is_within_the_margin() -> None:
    candidate = heard(HOUSE)
    base = [said(n, OWN, reply_seconds=0.06, passed=4 if n else 3) for n in range(20)]
    assert verdict(replace(candidate, base=base)) == []


def test_that_plain_sentences_that_do_better_in_conversations_refuse_a_candidate() -> None:
    (reason,) = verdict(heard(HOUSE, done=8), heard(done=8), heard(done=10))
    assert "of the plain sentences" in reason


@pytest.mark.parametrize(
    ("marked", "language", "found"),
    [
        ("Hurry, only <price_1>.", "en", "hurry"),
        ("The hurrying kettle.", "en", ""),
        ("What a lovely choice!!", "en", "!!"),
        ("What a lovely choice!", "en", ""),
        ("亲，手慢无，<price_1>。", "zh", "手慢无"),
        ("<title_1>的价格是<price_1>。", "zh", ""),
        ("A <title_1> it is.", "en", ""),
    ],
)
def test_that_what_is_off_the_tone_is_told(marked: str, language: Any, found: str) -> None:
    assert gate.off_tone(marked, language) == found


def test_that_every_conversation_of_the_package_has_a_name_and_known_keys() -> None:
    names = [task.id for task in tasks()]
    assert len(set(names)) == len(names) >= 20
    from bot.evaluation.tasks import KEYS

    assert {key for task in tasks() for turn in task.turns for key in turn} <= KEYS | {"say"}


# ---- a judgment from end to end ------------------------------------------------------------------


@contextmanager
def no_shop(settings: object) -> Iterator[Callable[[object], Any]]:
    """In the place of the example shop: its conversations are played in the stories."""

    class Shop:
        def close(self) -> None: ...

        def chat(self, request: object) -> None: ...

    yield lambda generator: Shop()


def test_that_random_weights_are_refused_with_reasons_on_a_page_and_in_the_register(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_run, "example_shop", no_shop)
    monkeypatch.setattr(gate_run, "play", lambda chat, task: Played(task, (), ""))
    own = write_tiny(tmp_path / "own")
    more = {"SHOPBOT_GENERATOR__KIND": "gpt2", "SHOPBOT_GENERATOR__MODEL": str(own)}
    settings = settings_of(tmp_path / "home", more=more)
    folder = write_tiny(tmp_path / "home" / "models" / "candidate", seed=1)
    held_back = [example(n, "<title_1> & Co > <price_1> < all") for n in range(6)]
    with open_store(settings) as database:
        version = register(ModelVersionStore(database), folder, home=settings.home, now=NOW)
        versions = Versions(settings, database)

        def judged() -> dict[str, Any]:
            return gate_run.judge(
                versions.named(version.version), held_back, settings=settings, versions=versions,
                make=make_generator, most=20, now=NOW, stage=lambda name, total: lambda done: None,
            )  # fmt: skip

        report = judged()
        assert not report["passed"]
        assert any("chrF" in reason for reason in report["reasons"])
        assert (report["candidate"]["name"], report["incumbent"]["name"]) == ("candidate", "own")
        assert report["counts"]["held_back"] == 6
        assert versions.named(version.version).metrics["gate"] == json.loads(
            (folder / "gate" / "gate.json").read_text()
        )
        page = (folder / "gate" / "gate.html").read_text()
        assert "Refused" in page and "&amp; Co &gt; $49.00 &lt; all" in page
        assert page.count("<svg") == 2
        with pytest.raises(ConfigError, match="the gate refused it"):
            versions.promote(version.version, user=None, now=NOW)
        database_of = ModelVersionStore(database)
        database_of.promote("generator", version.name, version.version, user_name="Mia", report={}, now=NOW)  # fmt: skip
        with pytest.raises(ConfigError, match="is in use: nothing to compare"):
            judged()
