from __future__ import annotations

import pytest

from retrieval.sentences import sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We ship. You pay.", ["We ship.", "You pay."]),
        ("Costs $6.95 a box. Free from $75.", ["Costs $6.95 a box.", "Free from $75."]),
        ("Fuel, e.g. gas, is out. So is oil.", ["Fuel, e.g. gas, is out.", "So is oil."]),
        ("Ask Dr. Smith or Mr. J. Doe.", ["Ask Dr. Smith or Mr. J. Doe."]),
        ("Open until 5 p.m. We answer daily.", ["Open until 5 p.m.", "We answer daily."]),
        ("Open until 5 p.m. on weekdays.", ["Open until 5 p.m. on weekdays."]),
        ("Really? Yes! Fine.", ["Really?", "Yes!", "Fine."]),
        ('He said "no." Then left.', ['He said "no."', "Then left."]),
        ("满88元免邮费。不满收10元！可以吗？", ["满88元免邮费。", "不满收10元！", "可以吗？"]),
        ("支持“开箱。”之后不退。", ["支持“开箱。”", "之后不退。"]),
        ("- Tent body\n- Poles", ["Tent body", "Poles"]),
        ("1. Write to us. We answer.\n2. Send it.", ["Write to us. We answer.", "Send it."]),
        ("Express | 2 days. Fast | $14.95", ["Express | 2 days. Fast | $14.95"]),
        ("Weight: 12 lbs\nColor: Green", ["Weight: 12 lbs", "Color: Green"]),
        ("", []),
    ],
)
def test_that_a_text_is_cut_where_sentences_end(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_that_a_wrapped_line_is_not_an_end() -> None:
    text = (
        "This sentence is long enough that its author wrapped the line\nbefore it came to its end."
    )
    assert sentences(text) == [text]
