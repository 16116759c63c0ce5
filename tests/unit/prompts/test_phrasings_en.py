"""The English phrasings serve every plausible set of slots and claim nothing of their own."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

import pytest

from prompts.acts import MARKER, inventory, markers
from prompts.combinations import combinations
from prompts.filling import fill
from prompts.phrasing import Node, Phrasebook, Phrasing, phrasebook

ACTS = sorted(inventory().acts)
DRAWS = 12  # random phrasings per set of slots

# Two shops' worth of values: capitals and small letters, ranges, figures, vowels, punctuation.
TENT_SHOP = {
    "shop": "General Store",
    "title_1": "TrailMaster X4 Tent",
    "title_2": "Adventurer Pro Backpack",
    "title_3": "CozyNights Sleeping Bag",
    "title_4": "Zip Mug, Large",
    "price_1": "$250.00",
    "price_2": "$9.00 to $19.00",
    "price_3": "$100.00",
    "price_4": "$8.50",
    "reason_1": "4-person · 12 lbs",
    "reason_2": "Material: Polyester",
    "reason_3": "Rating 4.5",
    "reason_4": "under $10.00",
    "stock_1": "only 6 left",
    "label_1": "Weight",
    "label_2": "warranty information",
    "label_3": "Capacity",
    "value_1": "12 lbs",
    "value_2": "1 year",
    "value_3": "4-person",
    "left_1": "12 lbs",
    "left_2": "1 year",
    "left_3": "4-person",
    "right_1": "8 lbs",
    "right_2": "5 years",
    "right_3": "40 L",
    "quote_1": "Items may be returned in 30 days.",
    "quote_2": "Refunds go to the original card.",
    "topic": "Refunds",
    "wish": "tents under $300",
    "relax": "under $100",
    "category": "Camping Stoves",
    "asked": "BTU output",
    "count": "3",
    "quantity": "3",
    "amount": "$50.00",
    "date": "November 24, 2026",
    "time": "10:30 am",
    "place": "12 Mill Lane",
    "order_id": "10234",
    "order_status": "out for delivery",
    "items": "2 × Adventurer Pro Backpack",
    "carrier": "UPS",
    "tracking": "1Z999",
    "expected_on": "November 24, 2026",
    "delivered_on": "November 25, 2026",
    "shipped_on": "November 20, 2026",
    "kind": "exchange",
    "request_id": "R-1042",
    "option_1": "the tent",
    "option_2": "the backpack",
    "option_3": "the mug",
    "hours": "Monday to Friday, 9:00 am to 5:00 pm (Central Time)",
    "detail": "new address",
    "noted": "TrailMaster X4 Tent",
    "languages": "English",
    "currency": "US dollars",
    "contact": "+1-555-0142-880, help@generalstore.example",
}
PHONE_SHOP = TENT_SHOP | {
    "title_1": "iPhone 9",
    "wish": "a gift for dad",
    "relax": "waterproof",
    "kind": "change of address",
    "order_status": "processing",
    "stock_1": "out of stock",
    "label_1": "display",
    "count": "1",
    "asked": "student discount",
}

CLAIMS = re.compile(
    r"\b(free|cheap\w*|bargains?|in stock|out of stock|available|availability|best|top|popular|"
    r"sturdy|quality|excellent|perfect|great|ideal|discount\w*|sale|deal|offer price|guarantee\w*|"
    r"promise\w*|within|hours?|minutes?|weeks?|months?|today|tomorrow|tonight|yesterday|soon|"
    r"shortly|immediately|instantly|always in|fast|quick delivery|two|three|four|five|six|seven|"
    r"eight|nine|ten|dozen|half|twice|percent|refund\w*|warranty|cash)\b",
    re.IGNORECASE,
)
SLIP = re.compile(
    r"  | \n|\n\n| [,.;:?!]|[,;:?!.][,.;:?!]|[({]\s|\s[)}]|\(\)|“”|[{}\[\]|<>]| @|\ba an\b|"
    r"\b(\w+) \1\b|[.?!] [a-z](?!Phone)",
)
NEGATION = re.compile(r"\b(no|not|nothing|cannot|never|none|unable|\w+n't)\b", re.IGNORECASE)
NEGATIVE_ACTS = {
    "unknown_fact", "policy_unknown", "no_match", "no_more", "not_sold", "request_refused",
    "refuse_price", "refuse_instruction", "refuse_private", "out_of_scope", "unclear",
    "order_mismatch", "order_unknown_fact", "card_warning", "identify", "request_recorded",
    "request_dropped", "other_language", "complaint", "handoff_closed", "only_languages",
    "other_currency",
}  # fmt: skip

FREQUENT = [
    "greet", "thanks", "goodbye", "recommend", "recommend_more", "no_match", "not_sold", "describe",
    "compare", "attribute", "product_quote", "unknown_fact", "policy", "policy_unknown", "price",
    "stock", "ask_order", "order_status", "request_recorded", "confirm_request", "complaint",
    "handoff", "out_of_scope",
]  # fmt: skip
VARIETY_DRAWS = 400
VARIETY = 60  # distinct texts among the draws; a shopper should not hear one twice


def drawn(act: str, seed: int = 7) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yields (slots, marked text): the plain phrasing and random ones for every set of slots."""
    book, rng = phrasebook("en"), random.Random(seed)
    for given in combinations(act):
        plain = book.plain(act, given)
        assert plain is not None, f"no plain phrasing of {act} for {given}"
        yield given, plain
        for _ in range(DRAWS):
            text = book.sample(act, given, rng)
            assert text is not None, f"no phrasing of {act} for {given}"
            yield given, text


@pytest.mark.parametrize("act", ACTS)
def test_that_every_plausible_set_of_slots_is_phrased_with_each_slot_once(act: str) -> None:
    for given, text in drawn(act):
        assert sorted(markers(text)) == sorted(given), text


@pytest.mark.parametrize("act", ACTS)
def test_that_the_first_phrasing_of_an_act_serves_every_set_of_slots(act: str) -> None:
    first: Phrasing = phrasebook("en").acts[act][0]
    assert [given for given in combinations(act) if first.expand(frozenset(given)) is None] == []


def written(nodes: Sequence[Node]) -> Iterator[str]:
    """Yields every piece of text of a phrasing without its markers, whichever branch it is in."""
    for node in nodes:
        if isinstance(node, str):
            yield MARKER.sub("", node)
        else:
            for branch in node[1]:
                yield from written(branch)


@pytest.mark.parametrize("act", ACTS)
def test_that_words_around_the_markers_make_no_claim(act: str) -> None:
    for phrasing in phrasebook("en").acts[act]:
        for words in written(phrasing.nodes):
            assert not re.search(r"\d", words), phrasing.source
            assert not CLAIMS.search(words), phrasing.source
            assert act in NEGATIVE_ACTS or not NEGATION.search(words), phrasing.source


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("values", [TENT_SHOP, PHONE_SHOP], ids=["tents", "phones"])
def test_that_a_filled_phrasing_reads_without_slips(act: str, values: dict[str, str]) -> None:
    for _, text in drawn(act):
        reply = fill(text, values)
        assert not SLIP.search(reply), reply
        assert reply == reply.strip() and not reply.endswith((",", ";", ":", "—")), reply
        assert reply[0].isupper() or reply[0] in "“<0123456789" or reply.startswith("iPhone"), reply
        assert len(reply) <= 600, reply


def test_that_a_quote_always_stands_in_quotation_marks() -> None:
    for act in ("describe", "product_quote", "policy", "complaint", "request_refused"):
        for _, text in drawn(act):
            for marker in ("<quote_1>", "<quote_2>"):
                assert marker not in text or f"“{marker}”" in text, text


def test_that_a_complaint_is_met_with_an_apology_and_asks_for_the_order_only_without_a_rule() -> (
    None
):
    for given, text in drawn("complaint"):
        assert re.search(r"sorry|apolog", text, re.IGNORECASE), text
        assert "serious" in text, text
        assert ("order" in text) == (not given), text


def test_that_a_recorded_request_is_said_to_change_nothing_before_the_team_confirms() -> None:
    for _, text in drawn("request_recorded"):
        assert "othing" in text and "team" in text and "confirm" in text, text


def test_that_the_assistant_never_passes_for_a_person() -> None:
    for _, text in drawn("identify"):
        assert re.search(r"not a (person|human)|no person|and not a person", text, re.IGNORECASE)


def undecorated(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The nodes without decoration: what is kept or left out by chance, not by the slots given."""
    kept: list[Node] = []
    for node in nodes:
        if isinstance(node, str):
            kept.append(node)
            continue
        kind, branches = node
        if kind == "choice" or marked(branches[0]):
            kept.append((kind, tuple(undecorated(branch) for branch in branches)))
    return tuple(kept)


def marked(nodes: Sequence[Node]) -> bool:
    """Whether a marker stands anywhere in the nodes."""
    return any(
        bool(markers(node)) if isinstance(node, str) else any(marked(b) for b in node[1])
        for node in nodes
    )


@pytest.mark.parametrize("act", FREQUENT)
def test_that_a_frequent_act_is_put_in_many_ways_even_without_decoration(act: str) -> None:
    rng = random.Random(7)
    bare = [Phrasing(p.source, undecorated(p.nodes)) for p in phrasebook("en").acts[act]]
    book = Phrasebook("en", {act: tuple(bare)})
    for slots in (combinations(act)[0], combinations(act)[-1]):
        texts = {book.sample(act, slots, rng) for _ in range(VARIETY_DRAWS)}
        assert None not in texts
        assert len(texts) >= VARIETY, (slots, len(texts))


@pytest.mark.parametrize("act", ACTS)
def test_that_an_act_has_at_least_fourteen_phrasings(act: str) -> None:
    sources = [p.source for p in phrasebook("en").acts[act]]
    assert len(set(sources)) == len(sources) >= 14
