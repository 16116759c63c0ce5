"""`shopbot evaluate understanding`: figures held to bars, macro-F1, one clear error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.errors import ConfigError
from bot.evaluation.understanding import run
from bot.evaluation.understanding.intents import macro_f1
from bot.evaluation.understanding.run import BARS, PARTS, judged


def test_that_every_bar_names_a_part_that_is_run() -> None:
    assert {bar.part for bar in BARS} == set(PARTS)


def test_that_macro_f1_weighs_a_rare_class_like_a_common_one() -> None:
    pairs = [("a", "a")] * 8 + [("b", "a"), ("b", "b")]
    # a: 2·8/(8+9), b: 2·1/(2+1)
    assert macro_f1(pairs) == round((16 / 17 + 2 / 3) / 2, 4)
    assert macro_f1([]) == 0.0


def test_that_a_figure_on_the_wrong_side_of_its_bar_is_told() -> None:
    figures = {"abuse": {"en": {"recall": 0.79}, "tickets_misread": 0.0}}
    assert [(row["name"], row["met"]) for row in judged(figures)] == [
        ("insults told, English, recall", False),
        ("tickets misread as insults", True),
    ]


def test_that_the_command_writes_figures_and_losses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(data: Path, home: Path) -> dict[str, Any]:
        assert home.is_dir() and home != data
        return {"en": {"recall": 0.9}, "tickets_misread": 0.0, "losses": [{"text": "lost"}]}

    monkeypatch.setitem(run.PARTS, "abuse", measured)
    out = tmp_path / "made" / "figures.json"
    done = CliRunner().invoke(
        app,
        [
            "evaluate",
            "understanding",
            "--data",
            str(tmp_path),
            "--part",
            "abuse",
            "--out",
            str(out),
        ],
    )
    assert done.exit_code == 0, done.output
    told = json.loads(out.read_text(encoding="utf-8"))
    assert told["figures"] == {"abuse": {"en": {"recall": 0.9}, "tickets_misread": 0.0}}
    assert all(row["met"] for row in told["bars"])
    assert "lost" not in out.read_text(encoding="utf-8")
    assert "lost" in out.with_suffix(".losses.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "told"), [(["--part", "moods"], "there are intents"), ([], "is missing")]
)
def test_that_a_part_or_a_set_that_is_not_there_is_named(
    tmp_path: Path, arguments: list[str], told: str
) -> None:
    done = CliRunner().invoke(
        app,
        ["evaluate", "understanding", "--data", str(tmp_path), "--out", str(tmp_path / "o.json"),
         *arguments],
    )  # fmt: skip
    assert isinstance(done.exception, ConfigError)
    assert told in str(done.exception)
