"""The measure of product questions tells claims from honest replies and sections from each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.evaluation.understanding import questions
from bot.evaluation.understanding.questions import answerable, best_share, sections_of, stands_in
from bot.evaluation.understanding.turns import Told
from bot.turn import Citation

PAGE = """# Lark Lamp
## Specs
**Weight**: 2 lb
## Care
- Wipe the shade with a dry cloth.
- Never use water.
## Questions
1) How is it cleaned?
   Wipe the shade with a dry cloth and never use water.
"""


def _told(act: str, quote: str = "", text: str = "About the Lark Lamp") -> Told:
    citations = (Citation("product", "7", "Lark Lamp", quote),) if quote else ()
    return Told(text, (act,), (("quote_1", quote),), citations, (quote,))


@pytest.fixture
def replies(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def these(*told: Told) -> None:
        rest = iter(told)
        monkeypatch.setattr(questions, "say", lambda shop, *messages: next(rest))

    return these


def _row(answer: str, *, named: bool = True) -> dict[str, object]:
    return {
        "product_id": "7", "product": "Lark Lamp", "question": "How is it cleaned?",
        "answer": answer, "names_product": named,
    }  # fmt: skip


def test_that_a_claim_counts_unless_it_is_right(replies: Callable[..., None]) -> None:
    replies(
        _told("product_quote", "Wipe it with a dry cloth"),
        _told("product_quote", "Bright and cosy"),
        _told("unknown_fact"),
        _told("recommend", text="Another lamp"),
    )
    found = questions.unanswerable(None, [_row("Use a dry cloth") for _ in range(4)])  # type: ignore[arg-type]
    assert (found["claims"], found["wrong_claims"]) == (0.5, 0.25)
    assert (found["honest"], found["instead"], found["product_named"]) == (0.25, 0.25, 0.75)
    assert [loss["kind"] for loss in found["losses"]] == ["wrong_claim", "instead"]


def test_that_a_citation_is_right_where_its_section_holds_the_answer(
    replies: Callable[..., None],
) -> None:
    replies(
        _told("product_quote", "Wipe the shade with a dry cloth and never use water."),
        _told("product_quote", "Never use water."),
        _told("attribute", "Weight: 2 lb"),
        _told("unknown_fact"),
    )
    rows = [_row("Wipe the shade with a dry cloth, never use water.")] * 4
    found = answerable(None, rows, {"7": PAGE})  # type: ignore[arg-type]
    assert (found["answerable"], found["strict"], found["lenient"]) == (4, 0.5, 0.5)
    assert found["honest"] == 0.25
    assert found["losses"][0]["right"] == ["Care", "Questions"]


def test_that_an_answer_that_no_section_holds_is_set_apart(replies: Callable[..., None]) -> None:
    replies(_told("unknown_fact"))
    found = answerable(None, [_row("Forty purple elephants dance")], {"7": PAGE})  # type: ignore[arg-type]
    assert (found["questions"], found["answerable"]) == (1, 0)


def test_that_sections_are_told_by_their_headings() -> None:
    sections = sections_of(PAGE)
    assert [section.heading for section in sections] == ["Specs", "Care", "Questions"]
    assert best_share("a dry cloth", sections[1].text) == 1.0
    assert best_share("two pounds of gold", sections[1].text) == 0.0
    assert stands_in("Weight: 2 lb", sections[0].text)
    assert not stands_in("Weight: 2 lb", sections[1].text)
