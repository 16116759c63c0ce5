"""The stores of the desk keep their word on every engine."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.accounts import AccountStore, User
from db.conversations import ConversationStore, NewTurn
from db.desk import DeskStore
from db.engine import Database
from db.errors import (
    LastAdmin,
    NameTaken,
    TakenByAnother,
    UnknownConversation,
    UnknownTurn,
    UnknownUser,
    UnknownVersion,
)
from db.exports import ExportStore
from db.models import ModelVersionStore
from db.queue import KINDS, Asked, QueueStore
from db.reviews import ReviewStore

NOW = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)

TURN = NewTurn(
    user_text="a tent for four",
    reply_text="The Aurora is 129.00 USD.",
    language="en",
    intent="recommend",
    intents=("recommend",),
    acts=("offer",),
    payload={"reply": "…", "products": [{"id": "T-100"}, {"id": "T-100"}, {"id": "T-200"}]},
    trace={},
    generator_name="gpt2-shop",
    generator_version="3",
    prompt_version="ab12",
    fallback=False,
    best_score=0.8,
)


@pytest.fixture
def accounts(database: Database) -> AccountStore:
    return AccountStore(database)


@pytest.fixture
def mia(accounts: AccountStore) -> User:
    return accounts.add("Mia", role="agent", password_hash="h1", now=NOW)


@pytest.fixture
def tom(accounts: AccountStore) -> User:
    return accounts.add("Tom", role="lead", password_hash="h2", now=NOW)


@pytest.fixture
def talk(database: Database) -> Talk:
    return Talk(database)


class Talk:
    """Puts conversations and turns into a shop."""

    def __init__(self, database: Database) -> None:
        self.store = ConversationStore(database)
        self._sessions = 0

    def begin(self) -> int:
        self._sessions += 1
        return self.store.open(
            f"s{self._sessions}", language="en", customer_id=None, training_consent=True, now=NOW
        ).id

    def say(
        self,
        conversation: int,
        turn: NewTurn = TURN,
        words: tuple[str, ...] = (),
        *,
        handed_off: bool = False,
        now: datetime = NOW,
    ) -> int:
        return self.store.add_turn(
            conversation, turn, state={}, handed_off=handed_off, now=now, words=words
        )


# ---- accounts ------------------------------------------------------------------------------------


def test_that_a_name_is_one_whatever_its_capitals(accounts: AccountStore, mia: User) -> None:
    assert accounts.find(" mIA ") == mia
    with pytest.raises(NameTaken):
        accounts.add("MIA", role="admin", password_hash="x", now=NOW)
    assert accounts.password_hash("mia") == "h1"


def test_that_a_token_opens_until_it_expires_rests_or_ends(
    accounts: AccountStore, mia: User
) -> None:
    def whose(token: str, now: datetime) -> User | None:
        return accounts.signed_in(token, now=now, idle_since=now - HOUR)

    accounts.sign_in(mia.id, "t1", now=NOW, expires_at=NOW + 3 * HOUR)
    assert whose("t1", NOW) == mia
    assert whose("T1", NOW) is None
    assert whose("t1", NOW + HOUR / 2) == mia
    assert whose("t1", NOW + HOUR * 1.4) == mia, "it was seen within the hour"
    assert whose("t1", NOW + HOUR * 2.5) is None, "it rested for more than an hour"
    assert accounts.signed_in("t1", now=NOW + 3 * HOUR, idle_since=NOW) is None
    accounts.sign_out("t1")
    assert whose("t1", NOW) is None


@pytest.mark.parametrize("change", ["password", "role", "closed"])
def test_that_a_changed_account_is_signed_out(
    accounts: AccountStore, mia: User, change: str
) -> None:
    accounts.sign_in(mia.id, "t1", now=NOW, expires_at=NOW + HOUR)
    match change:
        case "password":
            accounts.set_password("mia", "h9", now=NOW)
        case "role":
            accounts.set_role("mia", "lead", now=NOW)
        case _:
            accounts.set_active("mia", False, now=NOW)
            accounts.set_active("mia", True, now=NOW)
    assert accounts.signed_in("t1", now=NOW, idle_since=NOW - HOUR) is None


def test_that_a_closed_account_has_no_password_to_try(accounts: AccountStore, mia: User) -> None:
    accounts.set_active(mia.name, False, now=NOW)
    assert accounts.password_hash("mia") is None
    assert [user.active for user in accounts.all()] == [False]


def test_that_the_last_admin_stays(accounts: AccountStore, mia: User) -> None:
    accounts.set_role("mia", "lead", now=NOW)  # there was no admin to lose
    accounts.add("Ada", role="admin", password_hash="x", now=NOW)
    for lose in (
        lambda: accounts.set_role("ada", "agent", now=NOW),
        lambda: accounts.set_active("ada", False, now=NOW),
    ):
        with pytest.raises(LastAdmin):
            lose()
    accounts.set_role("mia", "admin", now=NOW)
    accounts.set_active("ada", False, now=NOW)
    assert [user.role for user in accounts.all() if user.active] == ["admin"]


def test_that_an_unknown_account_is_told(accounts: AccountStore) -> None:
    with pytest.raises(UnknownUser, match="users list"):
        accounts.set_password("nobody", "x", now=NOW)


def test_that_the_audit_log_tells_who_did_what(accounts: AccountStore, mia: User) -> None:
    accounts.note(mia, "review", "turn 7", now=NOW, details={"verdict": "bad"})
    accounts.note(None, "promote", "generator 2", now=NOW + HOUR)
    last, first = accounts.log()
    assert (last.user_name, last.action, last.details) == ("command line", "promote", {})
    assert (first.user_name, first.subject, first.at) == ("Mia", "turn 7", NOW)
    assert accounts.log(before=last.id) == [first]
    assert accounts.forget_log(before=NOW + HOUR) == 1
    assert accounts.log() == [last]


# ---- reviews -------------------------------------------------------------------------------------


def test_that_the_later_of_two_reviews_is_told_of_the_earlier(
    database: Database, talk: Talk, mia: User, tom: User
) -> None:
    store = ReviewStore(database)
    turn = talk.say(talk.begin())
    first, unseen = store.add(turn, user=mia, verdict="bad", reason="tone", now=NOW)
    assert unseen == []
    second, unseen = store.add(turn, user=tom, verdict="bad", correction="Hello.", now=NOW)
    assert unseen == [first]
    _, unseen = store.add(turn, user=mia, verdict="good", seen_id=second.id, now=NOW)
    assert unseen == []
    assert [review.user_name for review in store.of_turn(turn)] == ["Mia", "Tom", "Mia"]
    assert [review.verdict for review in store.standing()] == ["good"]


def test_that_reviews_at_once_are_all_kept(database: Database, talk: Talk, mia: User) -> None:
    store = ReviewStore(database)
    turn = talk.say(talk.begin())

    def review(text: str) -> int:
        return len(store.add(turn, user=mia, verdict="bad", correction=text, now=NOW)[1])

    with ThreadPoolExecutor(4) as pool:
        unseen = list(pool.map(review, "abcd"))
    assert sorted(unseen) == [0, 1, 2, 3]
    assert {found.correction for found in store.of_turn(turn)} == set("abcd")


def test_that_no_review_is_kept_of_a_turn_that_is_not_there(database: Database, mia: User) -> None:
    with pytest.raises(UnknownTurn):
        ReviewStore(database).add(99, user=mia, verdict="good", now=NOW)


# ---- the case ------------------------------------------------------------------------------------


def test_that_a_case_keeps_tags_assignment_outcome_and_notes(
    database: Database, talk: Talk, mia: User
) -> None:
    store = DeskStore(database)
    conversation = talk.begin()
    assert store.case(conversation).tags == ()
    store.tag(conversation, ["Refund", " refund", ""])
    store.assign(conversation, mia)
    store.end(conversation, "handed_over", reason="complaint", now=NOW)
    store.write_note(conversation, "called back", user=mia, now=NOW)
    case = store.case(conversation)
    assert (case.tags, case.assigned_to) == (("refund",), "Mia")
    assert (case.outcome, case.outcome_reason, case.outcome_at) == ("handed_over", "complaint", NOW)
    assert [(note.user_name, note.text) for note in store.notes(conversation)] == [
        ("Mia", "called back")
    ]
    store.end(conversation, None, reason=None, now=NOW)
    assert store.case(conversation).outcome_at is None
    with pytest.raises(UnknownConversation):
        store.assign(conversation + 1, mia)


def test_that_one_agent_speaks_at_a_time(
    database: Database, talk: Talk, mia: User, tom: User
) -> None:
    store = DeskStore(database)
    conversation = talk.begin()
    turn = talk.say(conversation)
    store.wait(conversation, now=NOW)
    store.wait(conversation, now=NOW + HOUR)
    assert [case.waiting_since for case in store.waiting()] == [NOW]
    with pytest.raises(TakenByAnother, match="the bot"):
        store.say(conversation, "Hello", user=mia, now=NOW)
    store.take(conversation, mia, now=NOW)
    store.take(conversation, mia, now=NOW + HOUR)
    with pytest.raises(TakenByAnother, match="Mia"):
        store.take(conversation, tom, now=NOW)
    with pytest.raises(TakenByAnother, match="Mia"):
        store.say(conversation, "Hello", user=tom, now=NOW)
    said = store.say(conversation, "Hello, Mia here.", user=mia, now=NOW)
    assert (said.after_turn, said.user_name) == (turn, "Mia")
    assert store.waiting() == []
    assert [(case.taken_by, case.taken_at) for case in store.taken()] == [("Mia", NOW)]
    assert store.said(conversation) == [said]
    assert store.said(conversation, after=said.id) == []
    store.hand_back(conversation)
    assert store.taken() == store.waiting() == []
    store.take(conversation, tom, now=NOW)


# ---- the queue -----------------------------------------------------------------------------------


def test_that_each_kind_of_the_queue_holds_its_turns(
    database: Database, talk: Talk, mia: User
) -> None:
    conversation, other = talk.begin(), talk.begin()
    plain = talk.say(conversation)
    weak = talk.say(conversation, replace(TURN, best_score=0.1, fallback=True))
    unsought = talk.say(conversation, replace(TURN, best_score=None, payload={}))
    handed = talk.say(other, handed_off=True)
    again = talk.say(other, handed_off=True)
    DeskStore(database).wait(conversation, now=NOW)
    ReviewStore(database).add(plain, user=mia, verdict="bad", correction="Hi.", now=NOW)
    talk.store.set_feedback(
        weak, conversation_id=conversation, score=-1, reason=None, comment=None, now=NOW
    )
    queue = QueueStore(database)
    wanted = {
        "all": [again, handed, unsought, weak, plain],
        "unreviewed": [again, handed, unsought, weak],
        "corrected": [plain],
        "thumbs_down": [weak],
        "fallback": [weak],
        "low_score": [weak],
        "handed_over": [again],
        "waiting": [unsought],
    }
    assert set(wanted) == set(KINDS)
    for kind in KINDS:
        found = queue.entries(Asked(kind, below=0.5))
        assert [entry.turn_id for entry in found] == wanted[kind], kind
    assert queue.counts(Asked(below=0.5)) == {kind: len(ids) for kind, ids in wanted.items()}
    first = queue.entries(Asked("corrected"))[0]
    assert (first.verdict, first.score, first.user_text) == ("bad", None, "a tent for four")


def test_that_the_queue_is_narrowed_by_all_that_is_asked(
    database: Database, talk: Talk, mia: User
) -> None:
    conversation, other = talk.begin(), talk.begin()
    tent = talk.say(conversation)
    chinese = talk.say(
        other, replace(TURN, language="zh", intent="greet", payload={}), now=NOW + HOUR
    )
    store = DeskStore(database)
    store.assign(other, mia)
    store.tag(other, ["vip"])
    queue = QueueStore(database)

    def ids(asked: Asked) -> list[int]:
        return [entry.turn_id for entry in queue.entries(asked)]

    assert ids(Asked(product_id="T-200")) == [tent]
    assert ids(Asked(language="zh")) == ids(Asked(intent="greet")) == [chinese]
    assert ids(Asked(assigned_to=mia.id)) == ids(Asked(tag="VIP")) == [chinese]
    assert ids(Asked(since=NOW + HOUR)) == [chinese]
    assert ids(Asked(until=NOW + HOUR)) == [tent]
    assert ids(Asked(language="zh", product_id="T-200")) == []
    assert queue.entries(Asked(assigned_to=mia.id))[0].assigned_to == "Mia"
    assert queue.intents() == ["greet", "recommend"]


def test_that_the_queue_goes_on_where_a_page_ends(database: Database, talk: Talk) -> None:
    conversation = talk.begin()
    turns = [talk.say(conversation) for _ in range(5)]
    queue = QueueStore(database)
    page = queue.entries(Asked(), most=2)
    rest = queue.entries(Asked(), most=9, before=page[-1].turn_id)
    assert [entry.turn_id for entry in (*page, *rest)] == turns[::-1]
    assert queue.following(Asked(), turns[1]) == turns[0]
    assert queue.following(Asked(), turns[0]) is None


def test_that_turns_are_found_by_their_words(database: Database, talk: Talk) -> None:
    conversation = talk.begin()
    tent = talk.say(conversation, words=("a", "tent", "for", "4", "don't", "tent"))
    chinese = talk.say(conversation, words=("四人", "帐篷", "café"))
    talk.say(conversation)
    queue = QueueStore(database)

    def ids(*words: str) -> list[int]:
        return [entry.turn_id for entry in queue.entries(Asked(words=words))]

    assert ids("TENT", "4") == ids("ten") == ids("don't") == [tent]
    assert ids("四人", "帐篷") == ids("帐") == ids("café") == [chinese]
    assert ids("tent", "帐篷") == ids("cafe") == ids("ent", "tent") == []
    assert ids("\"' OR * :", "NEAR(", "-") == []
    assert ids("tent' | 'for") == [tent], "operators are words' ends and nothing else"


def test_that_turns_of_an_older_release_are_indexed_later(database: Database, talk: Talk) -> None:
    conversation = talk.begin()
    turn = talk.say(conversation)
    queue = QueueStore(database)
    assert queue.unindexed() == []
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM turn_words")
    assert queue.unindexed() == [(turn, "en", TURN.user_text, TURN.reply_text)]
    queue.keep_words([(turn, ["tent"]), (turn + 1, ["gone"])])
    assert queue.unindexed() == []
    assert len(queue.entries(Asked(words=("tent",)))) == 1


# ---- erasure -------------------------------------------------------------------------------------


def test_that_erasing_takes_all_that_hangs_on_a_conversation(
    database: Database, talk: Talk, mia: User, database_url: str
) -> None:
    conversation, other = talk.begin(), talk.begin()
    turn = talk.say(conversation, words=("unforgettableword",))
    kept = talk.say(other, words=("tent",))
    desk, reviews, exports = DeskStore(database), ReviewStore(database), ExportStore(database)
    reviews.add(turn, user=mia, verdict="bad", correction="secretcorrection", now=NOW)
    desk.write_note(conversation, "secretnote", user=mia, now=NOW)
    desk.take(conversation, mia, now=NOW)
    desk.say(conversation, "secretmessage", user=mia, now=NOW)
    held = exports.add(
        path="var/x", digest="d1", counts={"pairs": 2},
        turns=[(turn, conversation), (kept, other)], user_name="Mia", now=NOW,
    )  # fmt: skip
    talk.store.erase(conversation)
    assert reviews.of_turn(turn) == []
    assert desk.notes(conversation) == []
    assert desk.said(conversation) == []
    assert desk.taken() == []
    assert QueueStore(database).entries(Asked(words=("unforgettableword",))) == []
    assert [export.erased_turns for export in exports.all()] == [1]
    assert [export.id for export in exports.holding(conversation)] == [held.id]
    if database_url.startswith("sqlite"):
        path = database_url.removeprefix("sqlite:///")
        for file in (path, f"{path}-wal"):
            if os.path.exists(file):
                with open(file, "rb") as bytes_of:
                    text = bytes_of.read()
                for word in (
                    b"unforgettableword",
                    b"secretcorrection",
                    b"secretnote",
                    b"secretmessage",
                ):
                    assert word not in text


# ---- exports and versions ------------------------------------------------------------------------


def register(store: ModelVersionStore, version: str, parent: str | None, sets: list[str]) -> None:
    store.register(
        kind="generator", name="shop", version=version, path=f"models/{version}", digest=version,
        metrics={}, parent=parent, active=False, now=NOW, learned={"sets": sets, "code": "0.1"},
    )  # fmt: skip


def test_that_versions_tell_which_sets_they_learned_from(database: Database) -> None:
    store = ModelVersionStore(database)
    register(store, "1", None, ["d1"])
    register(store, "2", "1", ["d2"])
    register(store, "3", None, ["d3"])
    assert [found.version for found in store.learned_from(["d1"])] == ["1", "2"]
    assert [found.version for found in store.learned_from(["d2"])] == ["2"]
    assert store.learned_from([]) == []


def test_that_a_promotion_is_undone_step_by_step(database: Database) -> None:
    store = ModelVersionStore(database)
    for version in "123":
        register(store, version, None, [])

    def in_use() -> str | None:
        found = store.active("generator")
        return found.version if found else None

    for version in "12":
        store.promote("generator", "shop", version, user_name="Mia", report={"ok": 1}, now=NOW)
    assert in_use() == "2"
    back = store.rollback("generator", user_name="Tom", now=NOW + HOUR)
    assert (back.version, back.before, back.user_name) == (("shop", "1"), ("shop", "2"), "Tom")
    assert in_use() == "1"
    store.promote("generator", "shop", "3", user_name="Mia", report={}, now=NOW)
    for wanted in ("1", None):
        store.rollback("generator", user_name="Mia", now=NOW)
        assert in_use() == wanted
    with pytest.raises(UnknownVersion, match="nothing to go back"):
        store.rollback("generator", user_name="Mia", now=NOW)
    assert [change.action for change in store.promotions("generator")].count("rollback") == 3
    assert store.promotions("generator")[0].report == {"ok": 1}


def test_that_what_is_not_there_or_in_use_cannot_be_promoted(database: Database) -> None:
    store = ModelVersionStore(database)
    register(store, "1", None, [])
    store.promote("generator", "shop", "1", user_name="Mia", report={}, now=NOW)
    for version, told in (("1", "in use already"), ("9", "models list")):
        with pytest.raises(UnknownVersion, match=told):
            store.promote("generator", "shop", version, user_name="Mia", report={}, now=NOW)
    active = store.active("generator")
    assert active is not None
    assert active.version == "1"
    assert len(store.promotions("generator")) == 1
