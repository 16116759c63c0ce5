"""The measure of redaction counts what is left readable and what was altered for nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.evaluation.understanding.privacy import hidden_characters, measure


def _row(text: str, *spans: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"text": text, "spans": [_span(text, *span) for span in spans], **more}


def _span(text: str, kind: str, value: str, **more: Any) -> dict[str, Any]:
    start = text.index(value)
    return {"type": kind, "start": start, "end": start + len(value), "value": value, **more}


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    english = [
        _row("mail jo@example.com", ("EMAIL_ADDRESS", "jo@example.com")),
        _row("Orla sings", ("PERSON", "Orla")),
        _row("Ashby is nice", ("GPE", "Ashby")),
        _row("call 555-0142"),
    ]
    said = "订单314902651602，电话13800138000"
    chinese = [
        {
            "text": said,
            "spans": [_span(said, "PHONE", "13800138000", well_formed=True)],
            "keep": [_span(said, "ORDER", "314902651602")],
        }
    ]
    _write(tmp_path / "safety-pii" / "english.jsonl", english)
    _write(tmp_path / "safety-pii" / "chinese_messages.jsonl", chinese)
    _write(tmp_path / "dummyjson" / "products.jsonl", [{"title": "Tent"}, {"title": "Oak Chair"}])
    return tmp_path


def test_that_spans_left_readable_are_losses_and_alterations_are_counted(data: Path) -> None:
    found = measure(data)

    assert found["english"]["recall"]["EMAIL_ADDRESS"]["recall"] == 1
    assert found["english"]["recall"]["PERSON"] == {
        "spans": 1, "hidden": 0, "recall": 0, "character_recall": 0,
    }  # fmt: skip
    free = found["english"]["span_free"]
    assert (free["no_span"]["texts"], free["no_span"]["altered"]) == (1, 1)
    assert (free["nothing_to_hide"]["texts"], free["nothing_to_hide"]["share"]) == (2, 0.5)
    assert found["chinese"]["recall"]["PHONE well formed"]["recall"] == 1
    assert found["chinese"]["keep"] == {"spans": 1, "altered": 0, "untouched": 1}
    assert found["false_alarms"]["titles: dummyjson"]["texts"] == 2
    assert {loss["type"] for loss in found["losses"]} == {
        "PERSON", "altered: no_span", "altered: nothing_to_hide",
    }  # fmt: skip
    json.dumps(found)


def test_that_only_what_a_placeholder_stands_for_is_hidden() -> None:
    hidden = hidden_characters("to jo@x.com or １２", "to [email] or 12")
    assert [i for i, gone in enumerate(hidden) if gone] == list(range(3, 11))


def test_that_a_missing_set_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        measure(tmp_path)
