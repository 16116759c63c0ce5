from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from db.records import Document, ProductId
from retrieval.chunking import passages_of, readable

POLICY = """# Shipping

## Rates
| Service | Price |
|---|---|
| Standard | $6.95, free on orders of $75 or more |
| Express | $14.95 |

Gold members pay **nothing**: it is *free*.

## How to return
1. Write to us.
2. Send it back.

- Keep the receipt
- Mind the **30 days**.
"""


def document(markdown: str, **more: object) -> Document:
    return Document("shipping", "policy", "Shipping", markdown, **more)  # type: ignore[arg-type]


def plain(text: str) -> str:
    return " ".join(re.sub(r"[*`#|]+", " ", text).split())


def test_that_a_passage_stands_under_its_heading_path() -> None:
    passages = passages_of(document(POLICY))
    assert [p.heading for p in passages] == [("Shipping", "Rates"), ("Shipping", "How to return")]


def test_that_a_table_becomes_rows_in_order() -> None:
    text = passages_of(document(POLICY))[0].text
    assert "Standard | $6.95, free on orders of $75 or more\nExpress | $14.95" in text


def test_that_every_line_of_a_passage_stands_in_the_source() -> None:
    source = re.sub(r" ?(?=:)|(?<=:) ?", "", plain(POLICY))
    for passage in passages_of(document(POLICY)):
        for line in passage.text.splitlines():
            assert re.sub(r" ?(?=:)|(?<=:) ?", "", plain(line)) in source


def test_that_a_mark_before_punctuation_stays_until_it_is_shown() -> None:
    text = passages_of(document(POLICY))[1].text
    assert "**30 days**." in text or "30 days**." in text
    assert readable(text).endswith("Mind the 30 days.")


def test_that_a_link_is_shown_by_its_words() -> None:
    assert readable("See [our page](https://shop.example/r) now.") == "See our page now."


def test_that_ordinals_ids_and_product_follow_the_document() -> None:
    passages = passages_of(document(POLICY, product_id=ProductId("7")))
    assert [p.ordinal for p in passages] == [0, 1]
    assert [p.id for p in passages] == ["shipping#0", "shipping#1"]
    assert {p.product_id for p in passages} == {"7"}


def test_that_a_long_section_is_cut_at_sentence_ends() -> None:
    markdown = "## A\n" + " ".join(
        f"Sentence number {n} has exactly seven words." for n in range(40)
    )
    passages = passages_of(document(markdown))
    assert len(passages) > 2
    assert all(p.text.endswith(".") and len(p.text.split()) <= 90 for p in passages)
    assert " ".join(p.text for p in passages) == markdown.removeprefix("## A\n")


def test_that_long_chinese_is_cut_at_about_two_hundred_characters() -> None:
    markdown = "## 说明\n" + "这句话一共有十个字呢。" * 60
    passages = passages_of(document(markdown))
    assert all(len(p.text) <= 240 and p.text.endswith("。") for p in passages)
    assert "".join(p.text for p in passages) == "这句话一共有十个字呢。" * 60


def test_that_a_question_and_its_answer_stay_in_one_passage() -> None:
    answer = " ".join(f"This is answer sentence number {n} of many." for n in range(15))
    markdown = f"# FAQ\n\n**Do you ship abroad?**\n\n{answer}\n\nCan I pay later?\nNo, sorry.\n"
    texts = [p.text for p in passages_of(document(markdown))]
    assert len(texts) == 2
    assert texts[0].endswith("14 of many.")
    assert texts[1] == "Can I pay later?\nNo, sorry."


def test_that_a_line_that_leads_on_stays_with_its_list() -> None:
    filler = " ".join(["word"] * 84)
    markdown = f"{filler} end.\n\nWe never take back:\n\n- opened food\n- gift cards\n"
    texts = [p.text for p in passages_of(document(markdown))]
    assert texts[-1].startswith("We never take back:\n- opened food")


def test_that_a_comment_without_markdown_is_one_passage() -> None:
    (passage,) = passages_of(Document("7-c1", "comment", "", "很好，喜欢", ProductId("7")))
    assert (passage.text, passage.heading, passage.source) == ("很好，喜欢", (), "comment")


def test_that_an_empty_document_has_no_passages() -> None:
    assert passages_of(document("")) == []


@given(st.text(alphabet=st.sampled_from("ab1 .?:|#*-`\n>[]()红。！"), max_size=300))
def test_that_no_letter_is_lost_added_or_moved(markdown: str) -> None:
    def letters(text: str) -> str:
        return "".join(re.findall("[ab红]", text))

    passages = passages_of(document(markdown))
    headings = "".join(p.heading[-1] for p in passages)
    kept = letters("\n".join(p.text for p in passages))
    remaining = iter(letters(markdown))
    assert all(letter in remaining for letter in kept), (headings, kept)
