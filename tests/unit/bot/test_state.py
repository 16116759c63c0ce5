"""What a conversation remembers, and that it survives as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bot.state import LISTS_KEPT, DialogState, PendingRequest
from bot.understanding.constraints import Constraints

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
FULL = DialogState(
    language="zh",
    wish="a tent",
    constraints=Constraints(price_max=Decimal("99.50"), brands=("Ostrel",), words=(("a", "b"),)),
    lists=(("1", "2"), ("3",)),
    shown=("1", "2", "3"),
    focus=("3",),
    topic="order",
    asked="how",
    awaiting="confirm",
    order_id="FK-1",
    order_goal="order_change:cancel",
    verified=(("FK-1", NOW.isoformat()),),
    contacts=("abc",),
    failed_proofs=2,
    pending=PendingRequest("change", "FK-1", "address", ("the new address",), "gAAAAAsealed"),
    misses=1,
    recent=("<title_1>",),
    handed_off=True,
    wanted="address",
    question="where is it?",
    tried=("policy", "handoff"),
    recorded=("R-1001",),
    upset=1,
    complained="no rule",
)


def test_that_a_state_survives_as_json() -> None:
    assert DialogState.from_dict(json.loads(json.dumps(FULL.as_dict()))) == FULL
    assert DialogState.from_dict(json.loads(json.dumps(DialogState().as_dict()))) == DialogState()


def test_that_a_trace_of_the_state_holds_nothing_sealed() -> None:
    trace = FULL.as_trace()
    assert "gAAAA" not in json.dumps(trace)
    assert trace | {"pending": None} == FULL.as_dict() | {"pending": None}
    assert "gAAAA" not in repr(FULL)


def test_that_a_question_nobody_will_answer_is_dropped_whole() -> None:
    dropped = FULL.without_pending()
    assert (dropped.awaiting, dropped.pending, dropped.wanted) == ("", None, "")


def test_that_a_request_of_an_older_version_still_waits() -> None:
    kept = DialogState.from_dict({"pending": {"kind": "cancel", "order_id": "1", "mood": "x"}})
    assert kept.pending == PendingRequest("cancel", "1")


def test_that_no_state_is_a_fresh_one() -> None:
    assert DialogState.from_dict({}) == DialogState()
    assert DialogState().last_list == ()


def test_that_fields_of_another_version_are_ignored_and_missing_ones_default() -> None:
    kept = {"wish": "a lamp", "mood": "cheerful"}
    assert DialogState.from_dict(kept) == DialogState(wish="a lamp")


def test_that_a_list_is_remembered_and_old_ones_are_let_go() -> None:
    state = DialogState()
    for number in range(LISTS_KEPT + 2):
        state = state.with_list((str(number), "x"))
    assert state.last_list == (str(LISTS_KEPT + 1), "x")
    assert len(state.lists) == LISTS_KEPT
    assert state.shown.count("x") == 1
    assert state.with_list(()) is state


def test_that_an_order_may_be_seen_only_while_the_proof_lasts() -> None:
    until = NOW + timedelta(minutes=30)
    state = DialogState(verified=(("FK-1", until.isoformat()),))
    assert state.may_see("FK-1", NOW)
    assert state.may_see("FK-1", until)
    assert not state.may_see("FK-1", until + timedelta(seconds=1))
    assert not state.may_see("FK-2", NOW)
