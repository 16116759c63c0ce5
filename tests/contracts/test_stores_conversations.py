"""The conversation store keeps its word on every engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import text

from db.conversations import Conversation, ConversationStore, NewTurn
from db.engine import Database
from db.errors import MessageAlreadyAnswered, UnknownConversation

NOW = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)

TURN = NewTurn(
    user_text="有四人帐篷吗？ 🏕",
    reply_text="Yes:\n- Aurora, $129.00",
    language="zh",
    intent="recommend",
    intents=("recommend", "policy_question"),
    acts=("offer", "policy"),
    payload={"reply": "Yes", "products": [{"id": "T-100", "price": "129.00", "url": None}]},
    trace={"hits": [{"id": "T-100", "score": 0.25}], "candidates": [], "odd": "\x00\ud800"},
    generator_name="gpt2-shop",
    generator_version="3",
    prompt_version="ab12",
    fallback=False,
)


@pytest.fixture
def store(database: Database) -> ConversationStore:
    return ConversationStore(database)


def begin(store: ConversationStore, session_id: str = "secret-session") -> Conversation:
    return store.open(session_id, language="en", customer_id="c-7", training_consent=True, now=NOW)


def add(store: ConversationStore, conversation: Conversation, turn: NewTurn = TURN) -> int:
    return store.add_turn(conversation.id, turn, state={}, handed_off=False, now=NOW)


def test_that_an_opened_conversation_is_found_by_its_session(store: ConversationStore) -> None:
    opened = begin(store)
    assert opened == Conversation(
        id=opened.id,
        language="en",
        customer_id="c-7",
        training_consent=True,
        state={},
        created_at=NOW,
        handed_off=False,
    )
    assert store.find("secret-session") == opened
    assert store.find("another") is None


def test_that_opening_a_session_again_returns_what_has_begun(store: ConversationStore) -> None:
    opened = begin(store)
    again = store.open(
        "secret-session", language="zh", customer_id=None, training_consent=False, now=NOW
    )
    assert again == opened


def test_that_the_session_id_is_nowhere_in_the_database(
    store: ConversationStore, database: Database
) -> None:
    payload = {"reply": "Yes", "session_id": "secret-session", "turn_id": 99}
    turn_id = add(store, begin(store), replace(TURN, payload=payload))
    with database.read() as connection:
        stored = [
            str(row)
            for table in ("conversations", "turns")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert len(stored) == 2
    assert "secret-session" not in "".join(stored)
    turn = store.turn(turn_id)
    assert turn is not None
    assert turn.payload == {"reply": "Yes", "turn_id": turn_id}


def test_that_what_an_agent_is_told_stays_until_something_newer_is_told(
    store: ConversationStore,
) -> None:
    conversation = begin(store)
    told = {"reason": "asked", "tried": ["policy"]}
    store.add_turn(conversation.id, TURN, state={}, handed_off=True, now=NOW, handoff=told)
    store.add_turn(conversation.id, TURN, state={}, handed_off=True, now=NOW)
    found = store.find("secret-session")
    assert found is not None
    assert found.handoff == told


def test_that_a_rested_state_with_sealed_details_is_found_and_replaced_once(
    store: ConversationStore,
) -> None:
    later = NOW + timedelta(days=2)
    sealed = {"pending": {"kind": "change", "sealed": "gAAAAABm"}}
    for name, state in {"a": sealed, "b": {"pending": None}, "c": {}}.items():
        opened = begin(store, name)
        store.add_turn(opened.id, TURN, state=state, handed_off=False, now=NOW)
    assert store.unfinished(before=NOW) == []
    (found,) = store.unfinished(before=later)
    assert found.state == sealed
    assert not store.set_state(found.id, {}, seen={"pending": None})
    assert store.set_state(found.id, {}, seen=found.state)
    assert store.unfinished(before=later) == []


def test_that_a_turn_comes_back_as_it_was_given(store: ConversationStore) -> None:
    conversation = begin(store)
    turn_id = store.add_turn(
        conversation.id,
        replace(TURN, client_message_id="m-1"),
        state={"shown": ["T-100"]},
        handed_off=True,
        now=NOW + timedelta(minutes=1),
    )
    turn = store.turn(turn_id)
    assert turn is not None
    assert (turn.id, turn.conversation_id) == (turn_id, conversation.id)
    assert turn.created_at == NOW + timedelta(minutes=1)
    assert (turn.user_text, turn.reply_text) == (TURN.user_text, TURN.reply_text)
    assert (turn.intent, turn.intents, turn.acts) == (TURN.intent, TURN.intents, TURN.acts)
    assert turn.payload == TURN.payload | {"turn_id": turn_id}
    assert turn.trace["hits"] == TURN.trace["hits"]
    assert turn.client_message_id == "m-1"
    assert (turn.language, turn.fallback) == ("zh", False)
    assert (turn.generator_name, turn.generator_version) == ("gpt2-shop", "3")
    assert turn.prompt_version == "ab12"
    assert store.turns(conversation.id) == [turn]
    assert store.count_turns() == 1
    found = store.find("secret-session")
    assert found == replace(conversation, state={"shown": ["T-100"]}, handed_off=True)


def test_that_turns_are_listed_per_conversation_in_their_order(store: ConversationStore) -> None:
    first, second = begin(store), begin(store, "other")
    ids = [add(store, conversation) for conversation in (first, second, first, first)]
    assert len(set(ids)) == 4
    assert [turn.id for turn in store.turns(first.id)] == [ids[0], ids[2], ids[3]]
    assert store.turn(max(ids) + 1) is None
    assert store.turns(second.id + 1) == []


def test_that_a_time_comes_back_in_utc_and_one_without_a_zone_is_refused(
    store: ConversationStore,
) -> None:
    conversation = begin(store)
    local = NOW.astimezone(timezone(timedelta(hours=8)))
    turn_id = store.add_turn(conversation.id, TURN, state={}, handed_off=False, now=local)
    turn = store.turn(turn_id)
    assert turn is not None
    assert turn.created_at.isoformat() == NOW.isoformat()
    with pytest.raises(Exception, match="time zone"):
        store.add_turn(
            conversation.id, TURN, state={}, handed_off=False, now=NOW.replace(tzinfo=None)
        )


def test_that_a_turn_of_no_conversation_is_refused(store: ConversationStore) -> None:
    with pytest.raises(UnknownConversation, match="begin a new session"):
        store.add_turn(12345, TURN, state={}, handed_off=False, now=NOW)
    assert store.count_turns() == 0


def test_that_a_repeated_message_is_refused_and_leaves_turn_and_state_as_they_were(
    store: ConversationStore,
) -> None:
    conversation = begin(store)
    turn = replace(TURN, client_message_id="m-1")
    turn_id = store.add_turn(conversation.id, turn, state={"n": 1}, handed_off=False, now=NOW)
    with pytest.raises(MessageAlreadyAnswered, match="reply_to"):
        store.add_turn(conversation.id, turn, state={"n": 2}, handed_off=True, now=NOW)
    assert store.count_turns() == 1
    assert store.find("secret-session") == replace(conversation, state={"n": 1})
    stored = store.reply_to(conversation.id, "m-1")
    assert stored is not None
    assert stored.id == turn_id


def test_that_a_message_id_counts_within_its_conversation_only(store: ConversationStore) -> None:
    first, second = begin(store), begin(store, "other")
    turn = replace(TURN, client_message_id="m-1")
    ids = [add(store, first, turn), add(store, second, turn)]
    found = [store.reply_to(conversation.id, "m-1") for conversation in (first, second)]
    assert [stored and stored.id for stored in found] == ids
    assert store.reply_to(first.id, "m-2") is None


def test_that_feedback_is_kept_and_replaced(store: ConversationStore) -> None:
    conversation = begin(store)
    turn_id = add(store, conversation)
    assert store.feedback(turn_id) is None
    for score, comment in ((1, None), (-1, "价格不对")):
        assert store.set_feedback(
            turn_id,
            conversation_id=conversation.id,
            score=score,
            reason="wrong",
            comment=comment,
            now=NOW,
        )
    kept = store.feedback(turn_id)
    assert kept is not None
    assert (kept.turn_id, kept.score, kept.reason, kept.comment) == (
        turn_id, -1, "wrong", "价格不对",
    )  # fmt: skip
    assert kept.created_at == NOW


def test_that_feedback_on_a_turn_of_another_conversation_is_not_kept(
    store: ConversationStore,
) -> None:
    turn_id = add(store, begin(store))
    other = begin(store, "other")
    assert not store.set_feedback(
        turn_id, conversation_id=other.id, score=1, reason=None, comment=None, now=NOW
    )
    assert store.feedback(turn_id) is None


@pytest.mark.parametrize("score", [0, 2])
def test_that_a_score_that_says_nothing_is_refused(store: ConversationStore, score: int) -> None:
    conversation = begin(store)
    turn_id = add(store, conversation)
    with pytest.raises(ValueError, match="1 or -1"):
        store.set_feedback(
            turn_id,
            conversation_id=conversation.id,
            score=score,
            reason=None,
            comment=None,
            now=NOW,
        )


def test_that_erasing_removes_everything_said_and_nothing_of_others(
    store: ConversationStore,
) -> None:
    mine, other = begin(store), begin(store, "other")
    ids = [add(store, mine), add(store, mine)]
    kept = add(store, other)
    for conversation, turn_id in ((mine, ids[0]), (other, kept)):
        store.set_feedback(
            turn_id,
            conversation_id=conversation.id,
            score=1,
            reason=None,
            comment="x",
            now=NOW,
        )
    assert store.erase(mine.id) == 2
    assert store.find("secret-session") is None
    assert store.turns(mine.id) == []
    assert store.feedback(ids[0]) is None
    assert [turn.id for turn in store.turns(other.id)] == [kept]
    assert store.feedback(kept) is not None
    assert store.erase(mine.id) == 0


def test_that_the_id_of_an_erased_turn_is_never_given_again(store: ConversationStore) -> None:
    conversation = begin(store)
    erased = add(store, conversation)
    store.erase(conversation.id)
    reopened = begin(store)
    assert reopened.id != conversation.id
    assert add(store, reopened) > erased


def test_that_eight_writers_at_once_lose_nothing(store: ConversationStore) -> None:
    def talk(writer: int) -> list[int]:
        conversation = begin(store, f"session-{writer}")
        return [
            store.add_turn(
                conversation.id,
                replace(TURN, client_message_id=f"m-{number}"),
                state={"n": number},
                handed_off=False,
                now=NOW,
            )
            for number in range(10)
        ]

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(talk, range(8)))
    assert len({turn_id for talked in ids for turn_id in talked}) == 80
    assert store.count_turns() == 80
    for writer, talked in enumerate(ids):
        conversation = store.find(f"session-{writer}")
        assert conversation is not None
        assert conversation.state == {"n": 9}
        assert [turn.id for turn in store.turns(conversation.id)] == talked


def test_that_of_equal_messages_at_once_exactly_one_is_answered(store: ConversationStore) -> None:
    def send(_: int) -> bool:
        conversation = begin(store)  # the session is opened by all of them at once, too
        try:
            add(store, conversation, replace(TURN, client_message_id="m-1"))
        except MessageAlreadyAnswered:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(send, range(8))) == 1
    assert store.count_turns() == 1


def test_that_writers_that_read_first_wait_for_each_other(store: ConversationStore) -> None:
    conversation = begin(store)
    turn_id = add(store, conversation)

    def judge(writer: int) -> bool:
        return all(
            store.set_feedback(
                turn_id,
                conversation_id=conversation.id,
                score=1,
                reason=None,
                comment=f"{writer}",
                now=NOW,
            )
            for _ in range(10)
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(judge, range(8)))
    assert store.feedback(turn_id) is not None


def test_that_conversations_that_rested_are_named_and_old_traces_dropped_once(
    store: ConversationStore,
) -> None:
    old, young = begin(store), begin(store, "another")
    turn = add(store, old)
    store.add_turn(young.id, TURN, state={}, handed_off=False, now=NOW + timedelta(days=2))
    later = NOW + timedelta(days=1)
    assert store.rested(before=later) == [old.id]
    assert store.drop_traces(before=NOW) == 0
    assert store.drop_traces(before=datetime.max.replace(tzinfo=UTC)) == 2
    assert store.drop_traces(before=datetime.max.replace(tzinfo=UTC)) == 0
    kept = store.turn(turn)
    assert kept is not None
    assert (kept.trace, kept.user_text, kept.payload["reply"]) == ({}, TURN.user_text, "Yes")
