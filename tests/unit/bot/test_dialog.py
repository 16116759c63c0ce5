"""What the assembly of a reply does by itself."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.dialog import within


def test_that_a_reply_is_cut_between_words_and_in_no_figure() -> None:
    assert within("short", 10) == "short"
    assert within("a lamp, $1,299.00 only", 14) == "a lamp…"
    assert within("很长的商品名称价格是¥1999.00元", 14) == "很长的商品名称价格是…"
    assert within("x" * 30, 10) == "x" * 9 + "…"


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(alphabet="ab 12.,$长名，\n-", max_size=60), st.integers(2, 40))
def test_that_a_cut_reply_fits_and_is_how_the_reply_begins(text: str, most: int) -> None:
    cut = within(text, most)
    assert len(cut) <= most
    assert text.startswith(cut.removesuffix("…"))
