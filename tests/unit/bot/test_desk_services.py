"""What is done at the desk: the queue, a conversation's case, reviews; each change is in the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from desk_support import AT, PASSWORD, open_accounts
from reviewed_shop import Desk, build, opened
from shop_homes import copy_of

from bot.desk.office import Office, office_of
from bot.desk.queue import Wanted
from bot.desk.reviews import parted
from bot.errors import DeskError
from bot.turn import Reply
from db.accounts import AuditEntry, User

PRICE = "how much is the copper kettle?"


@dataclass
class Room:
    """A tiny shop that talks, its desk, and Mia and Lea at it."""

    desk: Desk
    office: Office

    def user(self, name: str) -> User:
        found = self.office.accounts.store.find(name)
        assert found is not None
        return found

    @property
    def mia(self) -> User:
        return self.user("Mia")

    @property
    def last(self) -> AuditEntry:
        return self.office.accounts.store.log(most=1)[0]

    def conversation(self, reply: Reply) -> int:
        return self.office.conversations.of_turn(self.mia, reply.turn_id).conversation.id

    def found(self, **wanted: str) -> list[str]:
        """The messages of the turns that the queue finds."""
        page = self.office.queue.page(self.mia, Wanted(**{"kind": "all"} | wanted))  # type: ignore[arg-type]
        return [entry.user_text for entry in page.entries]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = build(tmp_path_factory.mktemp("room") / "home")
    desk = opened(home)
    open_accounts(office_of(desk.shop.settings, desk.shop._database).accounts)
    desk.shop.close()
    return home


@pytest.fixture
def room(tiny: Path, tmp_path: Path) -> Iterator[Room]:
    desk = opened(copy_of(tiny, tmp_path / "home"))
    yield Room(desk, office_of(desk.shop.settings, desk.shop._database, clock=lambda: AT))
    desk.shop.close()


def test_that_the_queue_is_narrowed_by_words_in_both_languages_and_by_what_a_turn_is(
    room: Room,
) -> None:
    room.desk.ask(PRICE)
    room.desk.ask("do you have a lamp?")
    room.desk.ask("你们几点开门？")
    conversation = room.conversation(room.desk.replies[1])
    room.office.conversations.tag(room.mia, conversation, "vip, Vip,  late reply ")
    room.office.conversations.assign(room.mia, conversation, "lea")

    assert len(room.found()) == 3
    assert room.found(search="开门") == ["你们几点开门？"]
    assert room.found(search="COPPER") == [PRICE]
    assert room.found(search="lam") == ["do you have a lamp?"]
    assert room.found(search="nothing of the kind") == []
    assert room.found(language="zh") == ["你们几点开门？"]
    assert room.found(product="K1") == [PRICE]
    assert room.found(tag="Late Reply") == ["do you have a lamp?"]
    assert room.found(agent="Lea") == ["do you have a lamp?"]
    assert room.found(since="2026-03-02", until="2026-03-02") == room.found()
    assert room.found(until="2026-03-01") == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("since", "yesterday"),
        ("until", "9999-12-31"),
        ("agent", "nobody"),
        ("search", "x" * 201),
        ("search", "?!"),
    ],
)
def test_that_a_filter_that_cannot_be_is_told(room: Room, field: str, value: str) -> None:
    with pytest.raises(DeskError):
        room.office.queue.page(room.mia, Wanted(**{field: value}))  # type: ignore[arg-type]


def test_that_the_queue_is_read_page_by_page_and_followed_turn_by_turn(room: Room) -> None:
    for number in range(27):
        room.desk.ask(f"hello {number}")
    first = room.office.queue.page(room.mia, Wanted("all"))
    second = room.office.queue.page(room.mia, Wanted("all"), before=first.older)

    assert (len(first.entries), len(second.entries), second.older) == (25, 2, None)
    assert first.counts["unreviewed"] == 27
    following = room.office.queue.following(room.mia, Wanted("all"), first.entries[-1].turn_id)
    assert following == second.entries[0].turn_id
    assert room.office.queue.following(room.mia, Wanted("all"), second.entries[-1].turn_id) is None


def test_that_a_conversation_is_read_with_all_that_was_said_of_it(room: Room) -> None:
    reply = room.desk.ask("hello", PRICE)
    number = room.conversation(reply)
    conversations = room.office.conversations
    conversations.note(room.mia, number, " calls back\ttomorrow ")
    assert (room.last.action, room.last.subject) == ("write note", f"conversation {number}")
    assert "tomorrow" not in str(room.last.details)
    conversations.end(room.mia, number, "handed_over", "angry")
    conversations.assign(room.mia, number, "MIA")
    room.office.reviews.good(room.mia, reply.turn_id)
    dossier = conversations.opened(room.user("Lea"), number)

    assert [one.turn.user_text for one in dossier.exchanges] == ["hello", PRICE]
    assert [note.text for note in dossier.notes] == ["calls back\ttomorrow"]
    assert (dossier.case.outcome, dossier.case.outcome_reason) == ("handed_over", "angry")
    assert dossier.case.assigned_to == "Mia"
    assert [one.verdict for one in dossier.exchanges[1].reviews] == ["good"]
    conversations.assign(room.mia, number, "")
    conversations.end(room.mia, number, "")
    after = conversations.opened(room.mia, number).case
    assert (after.assigned_to, after.outcome, after.outcome_reason) == (None, None, None)


def test_that_a_shopper_who_comes_back_reopens_the_conversation(room: Room) -> None:
    first = room.desk.ask("hello")
    number = room.conversation(first)
    early = office_of(
        room.desk.shop.settings, room.desk.shop._database, clock=lambda: AT.replace(hour=9)
    )
    early.conversations.end(room.mia, number, "resolved")

    assert early.conversations.opened(room.mia, number).reopened
    room.office.conversations.end(room.mia, number, "resolved")  # after all that was said
    assert not room.office.conversations.opened(room.mia, number).reopened


@pytest.mark.parametrize(
    "change",
    [
        lambda of, user, number: of.note(user, number, " \u200b "),
        lambda of, user, number: of.note(user, number, "x" * 2001),
        lambda of, user, number: of.tag(user, number, "x" * 41),
        lambda of, user, number: of.tag(user, number, ",".join(map(str, range(13)))),
        lambda of, user, number: of.assign(user, number, "nobody"),
        lambda of, user, number: of.end(user, number, "forgotten"),
        lambda of, user, number: of.end(user, number, "handed_over", "no reason of the list"),
    ],
)
def test_that_a_change_that_cannot_be_changes_nothing(room: Room, change) -> None:  # type: ignore[no-untyped-def]
    number = room.conversation(room.desk.ask("hello"))
    before = room.office.conversations.opened(room.mia, number)

    with pytest.raises(DeskError):
        change(room.office.conversations, room.mia, number)
    assert room.office.conversations.opened(room.mia, number) == before


def test_that_an_account_that_was_closed_is_given_nothing(room: Room) -> None:
    number = room.conversation(room.desk.ask("hello"))
    room.office.accounts.store.set_active("Lea", False, now=AT)

    with pytest.raises(DeskError, match="works here"):
        room.office.conversations.assign(room.mia, number, "Lea")
    assert "Lea" not in room.office.queue.choices(room.mia).agents


def test_that_a_correction_that_has_a_source_is_kept_and_noted(room: Room) -> None:
    reply = room.desk.ask(PRICE)
    judged = room.office.reviews.bad(
        room.mia, reply.turn_id, reason="tone", text="The Copper Kettle costs $49.00."
    )

    assert judged.review and judged.review.correction == "The Copper Kettle costs $49.00."
    assert judged.checked and judged.checked.parts
    assert (room.last.user_name, room.last.action) == ("Mia", "review")
    assert room.last.details == {"verdict": "bad", "reason": "tone", "corrected": True}


def test_that_a_correction_without_a_source_is_refused_with_its_words(room: Room) -> None:
    reply = room.desk.ask(PRICE)
    text = "The Copper Kettle costs $39.00 and ships tomorrow."
    for judged in (
        room.office.reviews.bad(room.mia, reply.turn_id, reason="incorrect", text=text),
        room.office.reviews.check(room.mia, reply.turn_id, text),
    ):
        assert judged.review is None and not judged.ok
        assert judged.checked and "$39.00" in " ".join(judged.checked.unsupported)
    assert room.office.conversations.of_turn(room.mia, reply.turn_id).exchanges[0].reviews == ()


def test_that_what_the_shop_never_promises_is_refused(tiny: Path, tmp_path: Path) -> None:
    desk = opened(copy_of(tiny, tmp_path / "home"))
    reply = desk.ask(PRICE)
    chat = desk.shop.settings.chat.model_copy(update={"promise_never": ("the best",)})
    office = office_of(desk.shop.settings.model_copy(update={"chat": chat}), desk.shop._database)
    mia = office.accounts.store.find("Mia")
    judged = office.reviews.bad(
        mia,
        reply.turn_id,
        reason="tone",
        text="Our price for the Copper Kettle is $49.00, the best.",
    )
    desk.shop.close()

    assert judged.review is None and judged.promised == "the best"


def test_that_two_who_correct_one_turn_both_stay_and_the_later_sees_the_earlier(room: Room) -> None:
    reply = room.desk.ask(PRICE)
    texts = ["The Copper Kettle is $49.00.", "The Copper Kettle costs $49.00."]
    first = room.office.reviews.bad(room.mia, reply.turn_id, reason="tone", text=texts[0])
    second = room.office.reviews.bad(
        room.user("Lea"), reply.turn_id, reason="tone", text=texts[1], seen=None
    )

    assert first.unseen == () and [one.correction for one in second.unseen] == [texts[0]]
    (exchange,) = room.office.conversations.of_turn(room.mia, reply.turn_id).exchanges
    assert [one.correction for one in exchange.reviews] == [texts[1], texts[0]]


@pytest.mark.parametrize("text", ["", "  ", None])
def test_that_a_text_that_says_what_was_said_corrects_nothing(room: Room, text: str | None) -> None:
    reply = room.desk.ask(PRICE)
    given = reply.text if text is None else text
    judged = room.office.reviews.bad(room.mia, reply.turn_id, reason="other", text=given)

    assert judged.review and judged.review.correction is None
    with pytest.raises(DeskError, match="change it"):
        room.office.reviews.check(room.mia, reply.turn_id, given)


def test_that_a_review_needs_a_reason_a_turn_and_what_it_can_be_checked_by(room: Room) -> None:
    reply, reviews = room.desk.ask(PRICE), room.office.reviews
    with pytest.raises(DeskError, match="choose a reason"):
        reviews.bad(room.mia, reply.turn_id, reason="")
    with pytest.raises(DeskError, match="no turn"):
        reviews.good(room.mia, 999)
    with pytest.raises(DeskError, match="at most 900"):
        reviews.bad(room.mia, reply.turn_id, reason="tone", text="x" * 901)
    room.desk.shop.conversations.drop_traces(before=AT.replace(year=2027))
    with pytest.raises(DeskError, match="traces_days"):
        reviews.bad(room.mia, reply.turn_id, reason="tone", text="It is $49.00.")
    assert room.office.traces.why(room.mia, reply.turn_id).trace == {}


def test_that_the_facts_of_a_reply_lead_to_where_they_are_mended(room: Room) -> None:
    price = room.office.traces.why(room.mia, room.desk.ask(PRICE).turn_id)
    rule = room.office.traces.why(room.mia, room.desk.ask("what is your return policy?").turn_id)

    assert [(one.kind, one.id, one.title) for one in price.sources] == [
        ("product", "k1", "Copper Kettle")
    ]
    assert [(one.kind, one.id) for one in rule.sources] == [("policy", "returns")]


def test_that_words_without_a_source_are_marked_wherever_they_stand() -> None:
    text = "Ships Tomorrow, for $39.00. tomorrow!"

    assert parted(text, ["tomorrow", "$39.00", ""]) == [
        ("Ships ", False), ("Tomorrow", True), (", for ", False), ("$39.00", True), (". ", False),
        ("tomorrow", True), ("!", False),
    ]  # fmt: skip
    assert parted(text, []) == [(text, False)]
    assert "".join(piece for piece, _ in parted(text, ["s", "."])) == text


def test_that_the_passwords_of_the_desk_open_it(room: Room) -> None:
    assert room.office.accounts.sign_in("lea", PASSWORD)
